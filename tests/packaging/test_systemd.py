"""The systemd units: as systemd reads them, and what they start."""

import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.exporter.running import LISTEN, Providers, Running
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


async def test_what_the_unit_starts_serves_the_example(start: Start, providers: Providers, tmp_path: Path) -> None:
    """With its credential as systemd hands it over, its state where systemd says, and a reload by its own command."""
    secrets = tmp_path / "credentials"
    secrets.mkdir()
    account = providers.add("23telecom")
    example = yaml.safe_load((FOLDER / "config.yml").read_text().replace(CREDENTIALS, str(secrets)))
    [configured] = example["accounts"]
    [loaded] = re.findall(r"^LoadCredential=(\w+):/etc/sms-credit-exporter/secrets$", UNIT.read_text(), re.MULTILINE)
    (secrets / f"{loaded}_marketing").write_text(account.credentials["api_key"])
    configured |= {"base_url": providers.base_urls["23telecom"], "poll_interval": "1s"}
    config = tmp_path / "etc/config.yml"
    config.parent.mkdir()
    config.write_text(yaml.safe_dump(example))

    program, *arguments = started_by(UNIT, "ExecStart")
    assert program == INSTALLED
    told = " ".join(arguments).replace("/etc/sms-credit-exporter", str(config.parent))
    async with start(*told.replace("${STATE_DIRECTORY}", str(tmp_path)).split(), LISTEN) as exporter:
        await exporter.shows('sms_credit_up{account="marketing",provider="23telecom"} 1.0')
        assert (tmp_path / "state.db").exists()

        config.write_text(config.read_text().replace("name: marketing", "name: campaigns"))
        program, *arguments = started_by(UNIT, "ExecReload")
        passes(program, *(word.replace("$MAINPID", str(exporter.process.pid)) for word in arguments))
        await exporter.shows('sms_credit_up{account="campaigns",provider="23telecom"} 1.0')


def test_the_socket_changes_how_it_listens_and_nothing_else() -> None:
    """The two commands are kept apart, so one could be forgotten."""
    by_socket = started_by(FOLDER / "socket-activation.conf", "ExecStart")
    assert [word for word in by_socket if word != "--web.systemd-socket"] == started_by(UNIT, "ExecStart")
    assert len(by_socket) == len(started_by(UNIT, "ExecStart")) + 1
