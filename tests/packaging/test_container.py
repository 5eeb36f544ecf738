"""The container image, run without an engine: as its user, in its files, as its process 1."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest
import yaml

from tests.conftest import ROOT
from tests.exporter.running import LISTEN, Providers, Running, until
from tests.packaging.image import Containerfile, Image, inside

CONFIG = "/etc/sms-credit-exporter/config.yml"
STATE = "/var/lib/sms-credit-exporter"


@pytest.fixture
async def configured(image: Image, providers: Providers) -> AsyncIterator[Image]:
    """Mount a configuration over the image, and an empty volume for what it keeps."""
    file = image.place(CONFIG)
    file.parent.mkdir(parents=True, exist_ok=True)
    account = providers.configured("marketing", providers.add("23telecom"))
    file.write_text(yaml.safe_dump({"accounts": [account]}))
    yield image
    for kept in image.place(STATE).iterdir():
        kept.unlink()


def started(image: Image, http: httpx.AsyncClient) -> AbstractAsyncContextManager[Running]:
    """Start what the image starts by itself, on a free port."""
    return image.listening(http, *image.file.words("CMD"), LISTEN)


def told_of(exporter: Running) -> str:
    """Return what the kernel tells of process 1."""
    return Path(f"/proc/{inside(exporter)}/status").read_text()


async def ended(*command: str) -> tuple[int, str]:
    """Run a command to its end; return exit code and standard output."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


def contents(image: Image) -> Mapping[str, tuple[int, float]]:
    """Return every file with its size and the time it was last written."""
    files = (Path(folder, name) for folder, _, names in os.walk(image.root) for name in names)
    return {str(file): (file.lstat().st_size, file.lstat().st_mtime) for file in files}


async def test_it_serves_as_its_user_and_writes_nothing_but_its_state(
    configured: Image, http: httpx.AsyncClient
) -> None:
    """A scrape shows the account. Whatever is not the volume is as it was, and could be read-only."""
    before = contents(configured)
    number, group = configured.file.all("USER")[0].split(":")
    async with started(configured, http) as exporter:
        await exporter.shows('sms_credit_up{account="marketing",provider="23telecom"} 1.0')
        told = told_of(exporter)
        assert re.search(rf"^Uid:\t{number}\t{number}\t{number}\t{number}$", told, re.MULTILINE)
        assert re.search(rf"^Gid:\t{group}\t{group}\t{group}\t{group}$", told, re.MULTILINE)
        assert re.search(r"^NSpid:\t\d+\t1$", told, re.MULTILINE)

    after = contents(configured)
    changed = {file for file in after if before.get(file) != after[file]}
    assert changed
    assert all(Path(file).is_relative_to(configured.place(STATE)) for file in changed)
    assert before.keys() <= after.keys()


async def test_sigterm_ends_process_1(configured: Image, http: httpx.AsyncClient) -> None:
    """The kernel drops a signal that process 1 has no handler for; an engine would wait ten seconds, and kill."""
    async with started(configured, http) as exporter:
        begun = asyncio.get_running_loop().time()
        os.kill(inside(exporter), signal.SIGTERM)
        assert await exporter.exit_code() == 0
        assert asyncio.get_running_loop().time() - begun < 5
    async with started(configured, http) as exporter:
        await exporter.shows('sms_credit_up{account="marketing",provider="23telecom"} 1.0')


async def test_sigterm_ends_process_1_while_it_starts(configured: Image, http: httpx.AsyncClient) -> None:
    """As soon as Python runs, long before anything listens. What the exporter is asked then is done a moment later."""
    process = await asyncio.create_subprocess_exec(*configured.command(*configured.file.words("CMD"), LISTEN))
    exporter = Running(process, http)

    async def waits() -> bool:
        try:
            [blocked] = re.findall(r"^SigBlk:\t(\w+)$", told_of(exporter), re.MULTILINE)
        except (FileNotFoundError, ValueError):  # not there yet
            return False
        return bool(int(blocked, 16) & 1 << signal.SIGHUP - 1)  # what the exporter's first line does

    await until(waits)
    os.kill(inside(exporter), signal.SIGTERM)
    assert await exporter.exit_code() == 0


async def test_the_healthcheck_of_the_image_asks_what_runs_in_it(configured: Image, http: httpx.AsyncClient) -> None:
    """By the image's own command, which is the entry point with other arguments."""
    program, *arguments = configured.file.words("HEALTHCHECK")
    assert [program] == configured.file.words("ENTRYPOINT")
    async with started(configured, http) as exporter:
        check = configured.command(*arguments, exporter.urls[0])
        assert await ended(*check) == (0, "healthy\n")
    assert await ended(*check) == (1, "")


async def test_the_demo_runs_in_it(image: Image, http: httpx.AsyncClient) -> None:
    """Without a configuration or a volume."""
    async with image.listening(http, "demo", LISTEN) as exporter:
        await exporter.shows('sms_credit_status{account="shop-codes",provider="23telecom",status="fresh"} 1.0')


def test_it_has_no_shell(image: Image) -> None:
    """Nothing in it needs one, so an image without one would do as well."""
    assert [file for file in image.root.rglob("*") if file.name in {"sh", "bash", "dash", "busybox"}] == []


def test_nothing_is_copied_that_is_ignored_and_nothing_is_sent_that_is_not_copied() -> None:
    """What an engine gets to see of the checkout is exactly what the image is made of."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    sent = {line[1:] for line in lines if line.startswith("!")}
    assert sent == {path for paths, _ in Containerfile.read().copied for path in paths}


def test_uv_is_the_one_of_the_scripts() -> None:
    """In one version everywhere."""
    [version] = re.findall(r"uv==(\S+)", (ROOT / "packaging/Containerfile").read_text())
    assert f"uv_version={version}\n" in (ROOT / "scripts/environment.sh").read_text()


def test_every_stage_begins_with_an_image_that_can_be_pinned() -> None:
    """Both on the same, by one argument."""
    file = Containerfile.read()
    assert {text.split()[0] for text in file.all("FROM")} == {"${PYTHON}"}
    assert file.all("ARG")[0].startswith("PYTHON=python:3")
