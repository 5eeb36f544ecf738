"""The ways to install it that need no release: out of a repository, by each of the usual programs."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.exporter.running import LISTEN, listening
from tests.packaging.programs import passes

Tool = Callable[[str], str]

pytestmark = pytest.mark.timeout(600)  # each loads some twenty packages


ADDRESS = "https://github.com/sms-credit/sms-credit"
COMMANDS = re.findall(rf"^\$ (.* git\+{ADDRESS})$", (ROOT / "docs/running.md").read_text(), re.MULTILINE)
"""As docs/running.md has them."""


@pytest.fixture(scope="module")
def git_config(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lead git, where the project's address is asked for, to a repository of what is committed.

    It is no clone: of the shallow checkout of a CI, pip could get none in turn.
    """
    folder = tmp_path_factory.mktemp("repository")
    archive, git = folder / "sms-credit.tar", [tool("git"), "-C", f"{folder}/sms-credit"]
    passes(tool("git"), "archive", "--prefix=sms-credit/", f"--output={archive}", "HEAD", cwd=ROOT)
    passes(tool("tar"), "--extract", f"--file={archive}", f"--directory={folder}")
    passes(*git, "init", "--quiet")
    passes(*git, "add", "--force", ".")
    passes(*git, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=all")
    config = folder / "gitconfig"
    config.write_text(f'[url "file://{folder}/sms-credit"]\n\tinsteadOf = {ADDRESS}\n')
    return config


@pytest.fixture
def environment(tool: Tool, git_config: Path, tmp_path: Path) -> Mapping[str, str]:
    """Have the three programs on the PATH, this Python as theirs, and one folder for all that they install."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "uv").symlink_to(tool("uv"))
    (programs / "pipx").write_text(f'#!/bin/sh\nexec uv tool run --quiet --python={sys.executable} pipx "$@"\n')
    (programs / "pipx").chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": str(git_config),
        "GIT_ALLOW_PROTOCOL": "file",  # whatever else is asked for comes from nowhere
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
        "UV_PYTHON": sys.executable,
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
    }


def by_command(command: str, environment: Mapping[str, str], folder: Path) -> str:
    """Install it in a folder by a command line; return the program."""
    ran = subprocess.run(["/bin/bash", "-c", command], env=environment, cwd=folder, check=False, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()
    [program] = [*folder.glob("bin/sms-credit-exporter"), *folder.glob("sms-credit/bin/sms-credit-exporter")]
    return str(program)


def by_script(tool: Tool, folder: Path) -> str:
    """Install it into a folder, as the systemd unit and the image expect it."""
    path = f"{Path(tool('uv')).parent}:{os.environ['PATH']}"
    subprocess.run([ROOT / "packaging/install", folder / "opt"], env={**os.environ, "PATH": path}, check=True)
    return str(folder / "opt/bin/sms-credit-exporter")


def test_there_are_three_ways() -> None:
    """Each by a program of its own."""
    assert [command.split()[0] for command in COMMANDS] == ["pipx", "uv", "python3"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[0])
async def test_it_is_installed_out_of_a_repository(
    environment: Mapping[str, str], tmp_path: Path, http: httpx.AsyncClient, command: str
) -> None:
    """By the very command that one reads."""
    await runs(by_command(command, environment, tmp_path), tmp_path, http)


async def test_it_is_installed_into_a_folder(tool: Tool, tmp_path: Path, http: httpx.AsyncClient) -> None:
    """With every package of the version and hash that are pinned."""
    await runs(by_script(tool, tmp_path), tmp_path, http)


async def runs(program: str, folder: Path, http: httpx.AsyncClient) -> None:
    """See that the command is there, in this version, and that the demo shows an account."""
    assert passes(program, "--version") == f"sms-credit-exporter {version('sms-credit-exporter')}\n"
    async with listening(http, program, "demo", LISTEN, cwd=folder, env={}) as exporter:
        await exporter.shows('sms_credit_status{account="shop-codes",provider="23telecom",status="fresh"} 1.0')
