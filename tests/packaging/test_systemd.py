"""The systemd units: as systemd reads them, and what they start."""

import asyncio
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import httpx
import pytest
import yaml

from tests.conftest import ROOT
from tests.exporter.running import LISTEN, Providers, Running, free_port, until
from tests.packaging.programs import passes, refuses

FOLDER = ROOT / "packaging/systemd"
UNIT = FOLDER / "sms-credit-exporter.service"
INSTALLED = "/opt/sms-credit-exporter/bin/sms-credit-exporter"
CREDENTIALS = "/run/credentials/sms-credit-exporter.service"

Tool = Callable[[str], str]
Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Make what systemd sees of a machine: its own units, ours, and the programs that ours start."""
    units = tmp_path / "etc/systemd/system"
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    units.mkdir(parents=True)
    for program in (INSTALLED, "/bin/kill"):
        place = Path(f"{tmp_path}{program}")
        place.parent.mkdir(parents=True)
        place.touch(0o755)
    shutil.copy(UNIT, units)
    return tmp_path


def with_socket(machine: Path) -> Path:
    """Have systemd open the port."""
    units = machine / "etc/systemd/system"
    shutil.copy(FOLDER / "sms-credit-exporter.socket", units)
    (units / f"{UNIT.name}.d").mkdir()
    shutil.copy(FOLDER / "socket-activation.conf", units / f"{UNIT.name}.d")
    return machine


def without_socket(machine: Path) -> Path:
    """Leave it as it is."""
    return machine


@pytest.mark.parametrize("prepared", [without_socket, with_socket])
def test_systemd_finds_nothing_wrong(tool: Tool, machine: Path, prepared: Callable[[Path], Path]) -> None:
    """Not so much as a warning; once the installation is gone, it says what is missing."""
    root = prepared(machine)
    units = [file.name for file in (root / "etc/systemd/system").iterdir() if file.is_file()]
    verify = [tool("systemd-analyze"), "verify", "--man=no", f"--root={root}", *units]
    assert passes(*verify) == ""
    Path(f"{root}{INSTALLED}").unlink()
    assert INSTALLED in refuses(*verify)


def test_systemd_calls_it_safe(tool: Tool, machine: Path) -> None:
    """Of ten points of exposure it has at most one and a half, with the socket too."""
    root = with_socket(machine)
    judged = [tool("systemd-analyze"), "security", "--offline=true", "--no-pager", f"--root={root}", UNIT.name]
    exposure = re.findall(r"Overall exposure level for \S+: (\d+\.\d)", passes(*judged, "--threshold=15"))
    assert float(exposure[0]) <= 1.5
    for hardened in ("ProtectSystem=strict", "SystemCallFilter=@system-service", "PrivateUsers=yes"):
        file = root / "etc/systemd/system" / UNIT.name
        file.write_text(file.read_text().replace(hardened, ""))
    refuses(*judged, "--threshold=15")


def started_by(file: Path, key: str) -> Sequence[str]:
    """Return the words of the last command of a unit that is started for this reason."""
    text = file.read_text().replace("\\\n", " ")
    commands: list[str] = re.findall(rf"^{key}=(.+)$", text, re.MULTILINE)
    return commands[-1].split()


def as_installed(unit: Path, providers: Providers, folder: Path) -> tuple[list[str], Path]:
    """Lay out what systemd gives a unit; return the arguments that it starts with, and its configuration file."""
    secrets = folder / "credentials"
    secrets.mkdir()
    account = providers.add("23telecom")
    example = yaml.safe_load((FOLDER / "config.yml").read_text().replace(CREDENTIALS, str(secrets)))
    [configured] = example["accounts"]
    [loaded] = re.findall(r"^LoadCredential=(\w+):/etc/sms-credit-exporter/secrets$", UNIT.read_text(), re.MULTILINE)
    (secrets / f"{loaded}_marketing").write_text(account.credentials["api_key"])
    configured |= {"base_url": providers.base_urls["23telecom"], "poll_interval": "1s"}
    config = folder / "etc/config.yml"
    config.parent.mkdir()
    config.write_text(yaml.safe_dump(example))

    program, *arguments = started_by(unit, "ExecStart")
    assert program == INSTALLED
    told = " ".join(arguments).replace("/etc/sms-credit-exporter", str(config.parent))
    return told.replace("${STATE_DIRECTORY}", str(folder)).split(), config


async def test_what_the_unit_starts_serves_the_example(start: Start, providers: Providers, tmp_path: Path) -> None:
    """With its credential as systemd hands it over, its state where systemd says, and a reload by its own command."""
    arguments, config = as_installed(UNIT, providers, tmp_path)
    async with start(*arguments, LISTEN) as exporter:
        await exporter.shows('sms_credit_up{account="marketing",provider="23telecom"} 1.0')
        assert (tmp_path / "state.db").exists()

        config.write_text(config.read_text().replace("name: marketing", "name: campaigns"))
        program, *arguments = started_by(UNIT, "ExecReload")
        passes(program, *(word.replace("$MAINPID", str(exporter.process.pid)) for word in arguments))
        await exporter.shows('sms_credit_up{account="campaigns",provider="23telecom"} 1.0')


async def test_with_the_socket_it_serves_what_systemd_has_opened(
    tool: Tool, providers: Providers, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The first scraper that connects has it started, waits, and gets its answer."""
    arguments, _ = as_installed(FOLDER / "socket-activation.conf", providers, tmp_path)
    address = f"127.0.0.1:{free_port()}"
    command = [tool("systemd-socket-activate"), f"--listen={address}", sys.executable, "-m", "sms_credit_exporter"]
    process = await asyncio.create_subprocess_exec(*command, *arguments, cwd=tmp_path)
    try:
        exporter = Running(process, http, urls=[f"http://{address}"])
        await until(partial(connectable, address))
        await exporter.shows('sms_credit_up{account="marketing",provider="23telecom"} 1.0')
    finally:
        if process.returncode is None:
            process.terminate()
        code = await process.wait()
    assert code == 0


async def connectable(address: str) -> bool:
    """Whether somebody listens there. The kernel says so; connecting would already start what is behind it."""
    _, _, port = address.partition(":")
    return f":{int(port):04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()  # noqa: ASYNC240 - no disk


def test_the_socket_changes_how_it_listens_and_nothing_else() -> None:
    """The two commands are kept apart, so one could be forgotten."""
    by_socket = started_by(FOLDER / "socket-activation.conf", "ExecStart")
    assert [word for word in by_socket if word != "--web.systemd-socket"] == started_by(UNIT, "ExecStart")
    assert len(by_socket) == len(started_by(UNIT, "ExecStart")) + 1
