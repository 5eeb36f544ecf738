"""`scripts/test` in a checkout whose Pythons only note what they were asked for; and the programs that tests need."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import ROOT, program

PATIENCE = 30.0
"""Seconds until a test gives up waiting."""

REQUIREMENTS = ROOT / "tests/ha/requirements"
VERSIONS = sorted(file.stem for file in REQUIREMENTS.glob("20*.txt"))
INSIDE = [f".tools/ha-{version}" for version in VERSIONS]

PYTHON = f"""#!{sys.executable}
import os, sys, time
from pathlib import Path

home, arguments = Path(sys.argv[0]).parents[1], sys.argv[1:]
if arguments[0] == "-c":
    sys.exit()  # it was asked whether it works
asked = home / "asked"
asked.with_suffix(".new").write_text("\\n".join((os.environ.get("COVERAGE_FILE", ""), *arguments)))
asked.with_suffix(".new").rename(asked)
others = [Path(name) for name in os.environ.get("WAITS_FOR", "").split()]
end = time.monotonic() + {PATIENCE}
try:
    while not all(other.exists() for other in others):
        if time.monotonic() > end:
            sys.exit("nobody came")
        time.sleep(0.01)
except KeyboardInterrupt:
    print(home.name, "interrupted")
    sys.exit(2)
print(home.name, "closes")
sys.exit(int(os.environ.get("ENDS_" + home.name.replace("-", "_").replace(".", "_"), "0")))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout with scripts, requirements and environments, and a uv that is content with them."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    shutil.copytree(REQUIREMENTS, tmp_path / REQUIREMENTS.relative_to(ROOT))
    for file in REQUIREMENTS.glob("*.txt"):
        home = tmp_path / f".tools/ha-{file.stem}"
        write(home / "bin/python", PYTHON)
        shutil.copyfile(file, home / "requirements.txt")
    write(tmp_path / ".venv/bin/python", PYTHON)
    write(tmp_path / "bin/uv", "#!/bin/sh\n")
    return tmp_path


def write(path: Path, text: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o755)


async def started(checkout: Path, *arguments: str, **env: str) -> asyncio.subprocess.Process:
    """Start `scripts/test` as a terminal does: in a process group that Ctrl-C goes to."""
    return await asyncio.create_subprocess_exec(
        *("scripts/test", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=checkout,
        env={**os.environ, **env, "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}"},
        start_new_session=True,
        # Whoever runs the tests in the background ignores Ctrl-C, and no shell can undo what it inherits.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, list[str]]:
    """Return the exit code and what was written, line by line."""
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate()
    return process.returncode, out.decode().splitlines()


def asked(checkout: Path) -> dict[str, list[str]]:
    """Return what pytest was asked for in each environment."""
    files = {name: checkout / name / "asked" for name in (".venv", *INSIDE)}
    return {name: file.read_text().split("\n") for name, file in files.items() if file.exists()}


@pytest.mark.parametrize(
    ("arguments", "outside", "inside"),
    [
        pytest.param([], [], [], id="everything"),
        pytest.param(["-q"], ["-q"], ["-q"], id="everything, in few words"),
        pytest.param(["-k", "word"], ["-k", "word"], ["-k", "word"], id="a selection by words"),
        pytest.param(["tests/core"], ["tests/core"], None, id="a path outside"),
        pytest.param(["tests/e2e", "-q"], ["-q", "tests/e2e"], None, id="the browser's tests"),
        pytest.param(["tests/comparison"], ["tests/comparison"], None, id="tests that start a Home Assistant"),
        pytest.param(["tests/ha"], None, ["tests/ha"], id="all paths inside"),
        pytest.param(["-q", "./tests/ha/x.py"], None, ["-q", "./tests/ha/x.py"], id="a path inside"),
        pytest.param(["tests/ha/x.py", "tests/core"], ["tests/core"], ["tests/ha/x.py"], id="paths of both kinds"),
    ],
)
async def test_each_path_runs_where_it_belongs(
    checkout: Path, arguments: Sequence[str], outside: list[str] | None, inside: list[str] | None
) -> None:
    """Options go everywhere, and a path to the one place that can run it."""
    code, _ = await ended(await started(checkout, *arguments))
    assert code == 0
    words = {name: [word for word in each[1:] if word in {*arguments}] for name, each in asked(checkout).items()}
    expected: Mapping[str, list[str] | None] = {".venv": outside, **dict.fromkeys(INSIDE, inside)}
    assert words == {name: each for name, each in expected.items() if each is not None}


@pytest.mark.parametrize(
    ("arguments", "covered"),
    [
        pytest.param([], True, id="everything"),
        pytest.param(["-q"], True, id="everything, in few words"),
        pytest.param(["-x"], False, id="up to a failure"),
        pytest.param(["tests/ha/x.py"], False, id="a path"),
    ],
)
async def test_coverage_is_asked_of_the_whole_only(checkout: Path, arguments: list[str], *, covered: bool) -> None:
    """A selection covers less; and no version writes into the figures or the cache of another."""
    await ended(await started(checkout, *arguments))
    inside = {name: each for name, each in asked(checkout).items() if name in INSIDE}
    assert [("--cov" in each) for each in inside.values()] == [covered] * len(INSIDE)
    assert len({each[0] for each in inside.values()} - {""}) == len(INSIDE)
    assert len({word for each in inside.values() for word in each if "cache_dir" in word}) == len(INSIDE)


@pytest.mark.parametrize("failing", [None, *VERSIONS], ids=lambda version: version or "none")
async def test_the_versions_run_at_the_same_time_and_are_told_of_in_turn(checkout: Path, failing: str | None) -> None:
    """Each waits for the other to have begun; the last line is pytest's own, and one failure fails all."""
    codes = {f"ENDS_ha_{failing.replace('.', '_')}": "3"} if failing else {}
    waits = " ".join(f"{name}/asked" for name in INSIDE)
    process = await started(checkout, "tests/ha", WAITS_FOR=waits, **codes)
    assert await ended(process) == (3 if failing else 0, [f"ha-{version} closes" for version in VERSIONS])


async def test_ctrl_c_ends_all_versions(checkout: Path) -> None:
    """Every pytest gets to say how far it came, and none stays behind."""
    process = await started(checkout, "tests/ha", WAITS_FOR="never")
    async with asyncio.timeout(PATIENCE):
        while len(asked(checkout)) < len(INSIDE):  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert await ended(process) == (2, [f"ha-{version} interrupted" for version in VERSIONS])


def test_what_the_scripts_bring_is_found_without_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts pytest directly has no uv on the PATH, but the one that scripts/test installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program("uv", tmp_path) is None
    write(tmp_path / ".tools/uv/bin/uv", "#!/bin/sh\n")
    assert program("uv", tmp_path) == str(tmp_path / ".tools/uv/bin/uv")


@pytest.mark.parametrize(
    ("ci", "end"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)], ids=["for a developer", "in CI"]
)
def test_a_missing_program(
    tool: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, ci: str, end: type[BaseException]
) -> None:
    """A test that needs it is skipped, but never where everything is to be installed; with the program it runs."""
    monkeypatch.setenv("CI", ci)
    with pytest.raises(end, match="made-up is not installed"):
        tool("made-up")
    assert tool("bash")
