"""Configuration that reloads by itself: every file counts, by what it holds, and once it is at rest."""

import asyncio
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import bcrypt
import pytest
import yaml

from sms_credit_exporter.cli import main
from sms_credit_exporter.simulator.server import SimulatedAccount
from tests.exporter.running import LISTEN, Providers, Running

Start = Callable[..., AbstractAsyncContextManager[Running]]

OPTION = "--config.auto-reload-interval"
OF_A = 'account="a",provider="23telecom"'
FRESH, REFUSED = (f'sms_credit_status{{{OF_A},status="{status}"}} 1.0' for status in ("fresh", "auth_failed"))
LIMIT = f"sms_credit_low_balance_threshold{{{OF_A}}} "
SUCCESSFUL = "sms_credit_exporter_config_last_reload_successful "
UNCHANGED, RELOADED = "configuration files have not changed", "configuration reloaded"
USERS = f"basic_auth_users: {{alice: {bcrypt.hashpw(b'made-up-password', bcrypt.gensalt(4)).decode()}}}\n"


class Files:
    """Configuration, credential and web configuration as Kubernetes mounts them: links through one that it replaces."""

    def __init__(self, folder: Path, providers: Providers) -> None:
        """Write the first version."""
        self.folder, self._providers = folder, providers
        self.good, self.refused = providers.add("23telecom"), providers.add("23telecom", "error_api_key_expired")
        self._versions = itertools.count()
        self.write()
        for name in ("config.yml", "web.yml", "key"):
            (folder / name).symlink_to(f"..data/{name}")

    def write(self, account: SimulatedAccount | None = None, *, web: str = "{}\n", **more: object) -> None:
        """Write a new version of everything, and have the link lead there."""
        account = account or self.good
        version = self.folder / f"..version-{next(self._versions)}"
        version.mkdir()
        configured = self._providers.configured("a", account, poll_interval="5m", **more)
        configured["credentials"] = {"api_key_file": "key"}
        texts = {"config.yml": yaml.safe_dump({"accounts": [configured]}), "web.yml": web}
        for name, text in {**texts, "key": account.credentials["api_key"]}.items():
            (version / name).write_text(text)
            os.utime(version / name, (0, 0))
        (self.folder / "next").symlink_to(version.name)
        (self.folder / "next").replace(self.folder / "..data")


@pytest.fixture
def files(tmp_path: Path, providers: Providers) -> Files:
    """Write the files of an exporter with one account."""
    return Files(tmp_path, providers)


Serve = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def serve(start: Start, files: Files) -> Serve:
    """Start an exporter that looks at its files every second."""

    @asynccontextmanager
    async def serving() -> AsyncIterator[Running]:
        named = (f"--config.file={files.folder / 'config.yml'}", f"--web.config.file={files.folder / 'web.yml'}")
        async with start("serve", *named, LISTEN, f"{OPTION}=1s", "--log.level=debug") as exporter:
            await exporter.shows(FRESH)
            yield exporter

    return serving


async def looked(exporter: Running, pattern: str = UNCHANGED, times: int = 2) -> None:
    """Wait until the exporter has looked at its files so many times more, with this outcome."""
    await exporter.logged(pattern, len(exporter.matching(pattern)) + times)


async def test_a_changed_configuration_is_taken_over(serve: Serve, files: Files) -> None:
    """Again and again, and the account is not polled for it."""
    async with serve() as exporter:
        assert exporter.matching('"configuration files are followed" interval=1s')
        for limit in (50, 60):
            files.write(low_balance=limit)
            await exporter.shows(f"{LIMIT}{limit}.0")
        await looked(exporter)
        assert len(exporter.matching(RELOADED)) == 2
        assert len(files.good.requests) == 1


async def test_a_changed_credential_is_taken_over(serve: Serve, files: Files) -> None:
    """Its file alone is another; the account begins anew with it, and again with the first."""
    async with serve() as exporter:
        key = (files.folder / "key").resolve()
        key.write_text(files.refused.credentials["api_key"])
        await exporter.shows(REFUSED)
        key.write_text(files.good.credentials["api_key"])
        await exporter.shows(FRESH)


async def test_a_changed_web_configuration_is_taken_over(serve: Serve, files: Files) -> None:
    """Users come and go."""
    async with serve() as exporter:
        files.write(web=USERS)
        await exporter.logged(RELOADED)
        assert (await exporter.get("/metrics")).status_code == 401
        files.write()
        await exporter.logged(RELOADED, 2)
        assert (await exporter.get("/metrics")).status_code == 200


async def test_what_counts_is_what_files_hold(serve: Serve, files: Files) -> None:
    """New times, new links and new files with the old content change nothing; new content under the old time does."""
    async with serve() as exporter:
        for name in ("config.yml", "web.yml", "key"):
            (files.folder / name).resolve().touch()
        await looked(exporter)
        files.write()
        await looked(exporter)
        assert not exporter.matching(RELOADED)

        config = (files.folder / "config.yml").resolve()
        before = config.stat()
        config.write_text(config.read_text().replace("poll_interval: 5m", "poll_interval: 6m"))
        os.utime(config, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert config.stat().st_size == before.st_size
        await exporter.shows(f"sms_credit_poll_interval_seconds{{{OF_A}}} 360.0")


def remove(file: Path) -> None:
    """Take the file away."""
    file.unlink()


BAD: Mapping[str, tuple[str, Callable[[Path], object], str]] = {
    "an account with a mistake": ("config.yml", lambda file: file.write_text("accounts: []"), "at least one account"),
    "no configuration": ("config.yml", remove, "cannot be read: No such file"),
    "an empty credential": ("key", lambda file: file.write_text(""), "the file is empty"),
    "no credential": ("key", remove, "cannot be read: No such file"),
    "a web configuration with a mistake": ("web.yml", lambda file: file.write_text("users: {}"), "is not a known key"),
}


@pytest.mark.parametrize(("name", "spoil", "mistake"), BAD.values(), ids=BAD)
async def test_a_bad_file_is_told_once_and_a_good_one_taken(
    serve: Serve, files: Files, name: str, spoil: Callable[[Path], object], mistake: str
) -> None:
    """However often it is looked at; the accounts go on, and a metric says so until it is mended."""
    async with serve() as exporter:
        spoil((files.folder / name).resolve())
        await exporter.shows(f"{SUCCESSFUL}0.0", FRESH)
        await looked(exporter, times=3)
        assert len(exporter.matching("configuration not reloaded")) == 1
        assert exporter.matching(f"configuration not reloaded.*{mistake}")

        files.write(low_balance=50)
        await exporter.shows(f"{SUCCESSFUL}1.0", f"{LIMIT}50.0", FRESH)
        assert len(exporter.matching(RELOADED)) == 1


async def test_files_that_are_being_written_are_left_alone(serve: Serve, files: Files) -> None:
    """A deployment that takes its time is taken over when it is done, and not half of it."""

    async def deploy() -> None:
        for limit in itertools.count(1):
            files.write(low_balance=limit)
            await asyncio.sleep(0.1)

    async with serve() as exporter:
        deploying = asyncio.create_task(deploy())
        await looked(exporter, "configuration files are changing", times=2)
        deploying.cancel()
        assert not exporter.matching(RELOADED)

        files.write(low_balance=50)
        await exporter.shows(f"{LIMIT}50.0")
        assert len(exporter.matching(RELOADED)) == 1


async def test_what_a_signal_has_taken_over_is_not_taken_over_again(serve: Serve, files: Files) -> None:
    """A reload by hand is one look."""
    async with serve() as exporter:
        files.write(low_balance=50)
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.shows(f"{LIMIT}50.0")
        await looked(exporter)
        assert len(exporter.matching(RELOADED)) == 1


async def test_without_the_option_nothing_reloads_by_itself(start: Start, files: Files) -> None:
    """A file may be written in peace until somebody says that it is done."""
    async with start("serve", "--config.file=config.yml", LISTEN, "--log.level=debug") as exporter:
        await exporter.shows(FRESH)
        files.write(low_balance=50)
        assert not exporter.matching("configuration files")
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.shows(f"{LIMIT}50.0")


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        ("999ms", "“999ms” is too often; must be at least 1s"),
        ("0s", "“0s” is too often; must be at least 1s"),
        ("30", "“30” is no duration such as 12h or 3d"),
        ("", "“” is no duration such as 12h or 3d"),
    ],
)
def test_an_interval_that_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], value: str, mistake: str
) -> None:
    """Before anything is loaded, with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--config.file=none.yml", f"{OPTION}={value}"])
    assert ended.value.code == 2
    assert f"argument {OPTION}: {mistake}" in capsys.readouterr().err


LOADING = """\
import json, pathlib, sys
from functools import partial
from sms_credit_exporter.config import load
from sms_credit_exporter.config.web import load_web
from sms_credit_exporter.loading import Loader

folder = pathlib.Path(sys.argv[1])
opened = set()
sys.addaudithook(lambda event, told: event == "open" and opened.add(str(told[0])))
loaded = Loader(partial(load, folder / "config.yml"), partial(load_web, folder / "web.yml"))()
print(json.dumps([sorted(map(str, loaded.files)), sorted(opened)]))
"""


def test_all_that_loading_opens_is_noted(files: Files) -> None:
    """Whatever a later version may read besides: no file that it opens is overlooked."""
    outcome = subprocess.run(
        [sys.executable, "-c", LOADING, str(files.folder)], capture_output=True, check=True, text=True, timeout=30
    )
    noted, opened = json.loads(outcome.stdout)
    assert noted == sorted(str(files.folder / name) for name in ("config.yml", "web.yml", "key"))
    own = [path for path in opened if re.match(re.escape(str(files.folder)), path)]
    assert own == noted
