"""Sessions of the documents, run as they stand there: what is printed is what the document says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT
from tests.documentation import DOCUMENTS, Block, blocks
from tests.journeys.commands import OURS, lines, simple
from tests.journeys.stage import KEY

Tool = Callable[[str], str]

AT_HAND = {OURS, "curl", "export", "grep", "head", "jq", "sed"}
"""What a session may call to be run; what others would change, or need, no test has: a cluster, an engine, a root."""


def runs(block: Block) -> bool:
    """Whether all that a session calls is at hand."""
    return {words[0] for line in lines(block) for words in simple(line)} <= AT_HAND


SESSIONS = [block for file in DOCUMENTS for block in blocks(file) if block.language == "console" and runs(block)]

CONFIGURATION = next(block.text for block in blocks(Path("README.md")) if block.text.startswith("accounts:"))
"""What README has one write; every session begins with it."""

BALANCES = {Path("docs/exporter.md"): "42.10"}
"""What 23 Telecom says in a document, if it is not what README says."""

BALANCE = "142.70"

SERVERS = re.compile(rf"^{OURS} (serve|demo)\b")

FOLDERS = (".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions")
"""Where shells look for completions."""

READY = "until curl --silent --fail --output /dev/null http://127.0.0.1:10767/-/ready; do sleep 0.1; done"
LISTENS = "until (: </dev/tcp/127.0.0.1/10767) 2>/dev/null; do sleep 0.1; done"
"""What a person does by eye."""


def played(line: str) -> str:
    """Return a command as a script has it: a server in the foreground is ended once it listens."""
    if line.endswith("&"):
        return f"{line}\n{READY}"
    if SERVERS.match(line):
        return f"{line} &\n{LISTENS}\nkill $!\nwait $!"
    return line


def script(session: Block) -> str:
    """Return a session as a script that marks where the output of each command begins, and its exit code."""
    commands = [line.replace("/run/secrets/", "secrets/") for line in lines(session)]
    needs_server = ":10767" in session.text and not any(map(SERVERS.match, commands))
    first = [played(f"{OURS} serve --config.file=config.yml &")] if needs_server else []
    marked = [f"printf '\\036'\n{played(line)}\nprintf '\\037%s' $?" for line in commands]
    return "\n".join([*first, *marked, "kill $(jobs -p) 2>/dev/null; wait", ""])


class Printed(NamedTuple):
    """What came of a command."""

    command: str
    output: Sequence[str]
    code: int


def told(session: Block) -> Mapping[str, Sequence[str]]:
    """Return what a document says that each command prints."""
    rest, found = session.text, {}
    for line in lines(session):
        rest = rest.partition(f"$ {line}\n")[2]
        found[line] = rest.partition("\n$ ")[0].splitlines() if not rest.startswith("$ ") else []
    return found


def play(tool: Tool, folder: Path, session: Block) -> Iterator[Printed]:
    """Run a session on a machine of its own."""
    work = folder / "work"
    for name in (*(f"home/{each}" for each in FOLDERS), "work/secrets"):
        (folder / name).mkdir(parents=True)
    (work / "config.yml").write_text(CONFIGURATION)
    for name in ("otp.key", "secrets/otp"):
        (work / name).write_text(KEY)
    shutil.copy(ROOT / "grafana/prometheus/rules.yml", work)
    (work / "tests").symlink_to(ROOT / "tests")
    (work / "session.sh").write_text(script(session))
    apart = [
        tool("unshare"),
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        *([] if os.geteuid() == 0 else ["--map-root-user"]),
    ]
    stage = [sys.executable, "-m", "tests.journeys.stage", str(folder), BALANCES.get(session.document, BALANCE)]
    ran = subprocess.run([*apart, *stage], cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    for line, part in zip(lines(session), ran.stdout.split("\036")[1:], strict=True):
        output, _, code = part.partition("\037")
        yield Printed(line, output.splitlines(), int(code))


@pytest.mark.timeout(600)  # a session starts a program for each of its lines, whatever else the machine has to do
@pytest.mark.parametrize("session", SESSIONS, ids=str)
def test_it_goes_as_it_is_told(tool: Tool, tmp_path: Path, session: Block) -> None:
    """Each line that is told is printed, in its order; where none is told, the command is content."""
    expected = told(session)
    # What the demo's accounts go through takes minutes, and a slow machine is late for it.
    ends = r" [\d.]+$" if f"{OURS} demo" in session.text else r"\s+$"
    for printed in play(tool, tmp_path, session):
        wanted, output = (
            [re.sub(ends, "", line) for line in each] for each in (expected[printed.command], printed.output)
        )
        assert [line for line in output if line in wanted] == wanted, printed
        assert wanted or printed.code == 0, printed


def test_no_session_is_left_out_by_mistake() -> None:
    """The first steps are among those that are run."""
    assert {Path("README.md"), Path("docs/exporter.md"), Path("docs/backtest.md")} <= {
        each.document for each in SESSIONS
    }
