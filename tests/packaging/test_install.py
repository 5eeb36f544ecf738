"""The ways to install it that need no release: out of a repository, by each of the usual programs."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.exporter.running import LISTEN, listening
from tests.packaging.programs import passes

Tool = Callable[[str], str]

pytestmark = pytest.mark.timeout(600)  # each loads some twenty packages


@pytest.fixture(scope="module")
def repository(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a repository of what is committed, with an address that anybody can install from.

    It is no clone: of the shallow checkout of a CI, pip could get none in turn.
    """
    folder = tmp_path_factory.mktemp("repository")
    archive, git = folder / "sms-credit.tar", [tool("git"), "-C", f"{folder}/sms-credit"]
    passes(tool("git"), "archive", "--prefix=sms-credit/", f"--output={archive}", "HEAD", cwd=ROOT)
    passes(tool("tar"), "--extract", f"--file={archive}", f"--directory={folder}")
    passes(*git, "init", "--quiet")
    passes(*git, "add", "--force", ".")
    passes(*git, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=all")
    return f"git+file://{folder}/sms-credit"


def by_pip(_: Tool, repository: str, folder: Path) -> Path:
    """Install it into a virtual environment."""
    passes(sys.executable, "-m", "venv", folder / "venv")
    passes(folder / "venv/bin/python", "-m", "pip", "install", "--quiet", repository)
    return folder / "venv/bin"


def by_uv(tool: Tool, repository: str, folder: Path) -> Path:
    """Install it as a tool of its own."""
    places = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    install = [tool("uv"), "tool", "install", "--quiet", f"--python={sys.executable}", repository]
    subprocess.run(install, env={**os.environ, **places}, check=True)
    return folder / "bin"


def by_pipx(tool: Tool, repository: str, folder: Path) -> Path:
    """Do the same by another program."""
    places = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin")}
    install = [tool("uv"), "tool", "run", "--quiet", f"--python={sys.executable}", "pipx", "install", "--quiet"]
    subprocess.run([*install, repository], env={**os.environ, **places}, check=True)
    return folder / "bin"


def by_script(tool: Tool, _: str, folder: Path) -> Path:
    """Install it into a folder, as the systemd unit and the image expect it."""
    path = f"{Path(tool('uv')).parent}:{os.environ['PATH']}"
    subprocess.run([ROOT / "packaging/install", folder / "opt"], env={**os.environ, "PATH": path}, check=True)
    return folder / "opt/bin"


@pytest.mark.parametrize("installed", [by_pip, by_uv, by_pipx, by_script])
async def test_it_is_installed_and_runs(
    tool: Tool, repository: str, tmp_path: Path, http: httpx.AsyncClient, installed: Callable[[Tool, str, Path], Path]
) -> None:
    """The command is there, in this version, and the demo shows an account."""
    program = str(installed(tool, repository, tmp_path) / "sms-credit-exporter")
    assert passes(program, "--version") == f"sms-credit-exporter {version('sms-credit-exporter')}\n"
    async with listening(http, program, "demo", LISTEN, cwd=tmp_path, env={}) as exporter:
        await exporter.shows('sms_credit_status{account="shop-codes",provider="23telecom",status="fresh"} 1.0')
