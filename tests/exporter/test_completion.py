"""Completion in real shells: the script is loaded, and a key is pressed."""

import asyncio
import fcntl
import os
import pty
import re
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from sms_credit_exporter.completion import SHELLS
from tests.exporter.running import PATIENCE, command

Tool = Callable[[str], str]

PROGRAM = "sms-credit-exporter"


async def in_fish(shell: str, line: str, cwd: Path) -> str:
    """Fish itself can say what it would offer."""
    process = await asyncio.create_subprocess_exec(
        *(shell, "-c", "source script.fish; complete -C $argv[1]", line),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=cwd,
        env={**os.environ, "HOME": str(cwd), "TERM": "dumb"},
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate()
    return out.decode()


async def in_bash(shell: str, line: str, cwd: Path) -> str:
    """Type the line on a terminal."""
    return await on_a_terminal(shell, "--norc", load=". ./script.bash", line=line, cwd=cwd)


async def in_zsh(shell: str, line: str, cwd: Path) -> str:
    """Type the line on a terminal."""
    load = 'autoload -Uz compinit; compinit -u; LISTMAX=1000; eval "$(cat script.zsh)"'
    return await on_a_terminal(shell, "-f", load=load, line=line, cwd=cwd)


async def on_a_terminal(shell: str, *arguments: str, load: str, line: str, cwd: Path) -> str:
    """Load a script, type a line, press the key twice, and return what is shown."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(shell, *arguments, "-i"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env={**os.environ, "HOME": str(cwd), "TERM": "xterm", "COLUMNS": "200", "LINES": "100"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    try:
        async with asyncio.timeout(PATIENCE):
            await _typed(ours, f"{load}; PS1={_PROMPT[:2]}''{_PROMPT[2:]}\n", _PROMPT)
            return await _typed(ours, f"{line}\t\t{_FORGET_THE_LINE}echo do''ne\n", "done")
    finally:
        process.kill()
        await process.wait()
        os.close(ours)


_PROMPT = "ready:"
_FORGET_THE_LINE = "\x15"


async def _typed(terminal: int, keys: str, until: str) -> str:
    """Press the keys, and return what is shown until this word; the keys themselves must not hold it."""
    os.write(terminal, keys.encode())
    seen = ""
    while until not in seen:
        seen += (await asyncio.to_thread(os.read, terminal, 4096)).decode(errors="replace")
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", seen)


IN = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}


@pytest.mark.parametrize(
    ("line", "offered", "not_offered"),
    [
        pytest.param(f"{PROGRAM} ", ["serve", "check", "completion"], ["--account"], id="commands"),
        pytest.param(f"{PROGRAM} balance --", ["--config.file", "--account", "--shard"], ["--force"], id="options"),
        pytest.param(f"{PROGRAM} completion ", list(SHELLS), ["serve"], id="what an argument can be"),
        pytest.param(f"{PROGRAM} serve --log.level ", ["debug", "warn"], ["monitoring"], id="what an option can be"),
        pytest.param(f"{PROGRAM} check --config.file ", ["mine.yml"], ["serve"], id="files"),
        pytest.param(f"{PROGRAM} balance --output=", ["table", "nagios"], ["serve"], id="what follows an equals sign"),
        pytest.param(f"{PROGRAM} check --config.file=m", ["mine.yml"], ["serve"], id="files after an equals sign"),
        pytest.param(
            f"{PROGRAM} balance --output=json --color=", ["always", "never"], ["nagios"], id="a second equals sign"
        ),
    ],
)
@pytest.mark.parametrize("shell", SHELLS)
async def test_a_shell_completes(  # noqa: PLR0913, PLR0917 - a row, and what it needs
    tool: Tool, tmp_path: Path, shell: str, line: str, offered: list[str], not_offered: list[str]
) -> None:
    """It offers what fits there, and nothing that does not."""
    code, script, err = await command("completion", shell, cwd=tmp_path)
    assert (code, err) == (0, "")
    (tmp_path / f"script.{shell}").write_text(script)
    (tmp_path / "mine.yml").touch()
    seen = await IN[shell](tool(shell), line, tmp_path)
    assert [word for word in offered if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", seen)] == []
    assert [word for word in not_offered if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", seen)] == []


async def test_another_shell_is_refused(tmp_path: Path) -> None:
    """The message lists the shells that there are."""
    code, out, err = await command("completion", "csh", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "invalid choice: 'csh'" in err
    assert all(shell in err for shell in SHELLS)
