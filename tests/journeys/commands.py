"""The commands of the documents, each held against what its program says of itself."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from functools import cache
from io import StringIO
from pathlib import Path

from sms_credit_exporter.command_line import command_line
from tests.conftest import ROOT
from tests.documentation import Block

Tool = Callable[[str], str]
Words = Sequence[str]

OURS = "sms-credit-exporter"

COMPOSE, HELM = "packaging/bin/docker-compose", "packaging/bin/helm"

HELP: Mapping[str, Sequence[Words]] = {
    "chmod": [["chmod", "--help"]],
    "cp": [["cp", "--help"]],
    "curl": [["curl", "--help", "all"]],
    "diff": [["diff", "--help"]],
    "docker build": [["docker", "build", "--help"]],
    "docker compose": [[COMPOSE, "--help"], [COMPOSE, "up", "--help"]],
    "docker exec": [["docker", "exec", "--help"]],
    "docker run": [["docker", "run", "--help"]],
    "git clone": [["git", "clone", "-h"]],
    "grep": [["grep", "--help"]],
    "head": [["head", "--help"]],
    "helm install": [[HELM, "install", "--help"]],
    "install": [["install", "--help"]],
    "jq": [["jq", "--help"]],
    "kubectl create configmap": [["kubectl", "create", "configmap", "--help"]],
    "kubectl create secret generic": [["kubectl", "create", "secret", "generic", "--help"]],
    "kubectl label": [["kubectl", "label", "--help"]],
    "kubectl port-forward": [["kubectl", "port-forward", "--help"]],
    "mkdir": [["mkdir", "--help"]],
    "python3 -m venv": [["python3", "-m", "venv", "--help"]],
    "rm": [["rm", "--help"]],
    "sed": [["sed", "--help"]],
    "sha256sum": [["sha256sum", "--help"]],
    "systemctl": [["systemctl", "--help"]],
    "uv tool install": [["uv", "tool", "install", "--help"]],
}
"""What other programs print of their options."""

OF_THE_SHELL = ("cd", "export")

NOT_AT_HAND: Mapping[str, str] = {
    "$EDITOR": "is whatever the reader edits files with",
    "gh attestation verify": "asks GitHub, and no package registry has it",
    "pipx install": "is uv's elder brother; what it is to install is built and installed by test_operator.py",
    "sms-credit/bin/pip install": "stands in an environment that the command before it makes",
}
"""Programs that the tests do without, and why; their options are few, and were read in their manuals."""

_SEPARATORS = frozenset({"|", "||", "&&", "&", ";"})
_ASSIGNMENT = re.compile(r"\w+=")


def lines(block: Block) -> Iterator[str]:
    """Yield each command line of a session, in one piece; what was printed is left out."""
    open_line = ""
    for line in block.text.splitlines():
        if open_line:
            open_line += f"\n{line}"
        elif line.startswith("$ "):
            open_line = line.removeprefix("$ ")
        if open_line and not open_line.endswith(("\\", "|")):
            yield open_line
            open_line = ""


def simple(line: str) -> Iterator[Words]:
    """Yield the words of each program that a line calls, without redirections."""
    reader = shlex.shlex(line.replace("\\\n", " "), posix=True, punctuation_chars="|&;<>")
    reader.whitespace_split = True
    words: list[str] = []
    skipped = False
    for word in reader:
        if word in _SEPARATORS:
            yield words
            words = []
        elif skipped:
            skipped = False
        elif word in {">", ">>", "<"}:
            skipped = True
        else:
            words.append(word)
    if words:
        yield words


def _plain(words: Words) -> Words:
    """Return a command without who runs it, and in which environment."""
    while words and (words[0] in {"sudo", "env"} or _ASSIGNMENT.match(words[0])):
        words = words[1:]
    return words


@cache
def _says(commands: tuple[tuple[str, ...], ...]) -> str:
    """Return what programs print when they are asked for help."""
    ran = [subprocess.run(each, check=False, capture_output=True, text=True, cwd=ROOT) for each in commands]
    return "".join(each.stdout + each.stderr for each in ran)


def _options(words: Words) -> Iterator[str]:
    """Yield the options among words; of letters that stand together, each."""
    for word in words:
        if re.match(r"--[a-z]", word):
            yield word.partition("=")[0]
        elif found := re.match(r"-([A-Za-z]+)$", word):
            yield from (f"-{letter}" for letter in found[1])


def _unheard_of(words: Words, told: str) -> Iterator[str]:
    for option in _options(words):
        if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", told):
            yield f"has no option {option}"


def _exporter(words: Words) -> Iterator[str]:
    """Have the exporter's own command line read the words."""
    said = StringIO()
    try:
        with redirect_stderr(said):
            command_line().parse_args(words[1:])
    except SystemExit as end:
        if end.code:
            yield said.getvalue().strip().splitlines()[-1]


def _script(words: Words) -> Iterator[str]:
    """Look for a script in the checkout, and for its options in it and in what it runs."""
    script = ROOT / words[0]
    if not script.is_file() or not script.stat().st_mode & 0o111:
        yield "is no program of this checkout"
        return
    text = script.read_text()
    python = re.findall(r"^ *(?:exec )?\.venv/bin/python (-m [\w.]+|[\w./]+\.py)", text, re.MULTILINE)
    exporter = [[OURS, "demo", "--help"]] if f"{OURS} demo" in text else []
    asked = [(sys.executable, *shlex.split(each), "--help") for each in python]
    asked += [(sys.executable, "-m", "sms_credit_exporter", *each[1:]) for each in exporter]
    yield from _unheard_of(words[1:], text + (_says(tuple(asked)) if any(_options(words)) else ""))


def complaints(tool: Tool, words: Words) -> Iterator[str]:
    """Say what is wrong with a command."""
    words = _plain(words)
    if not words:
        return
    if OURS in words[1:-1]:  # in a container
        inner = words.index(OURS)
        yield from _exporter(words[inner:])
        words = words[:inner]
    start = " ".join(words)
    known = next((each for each in HELP if start == each or start.startswith(f"{each} ")), None)
    if words[0] == OURS:
        found = _exporter(words)
    elif words[0] in OF_THE_SHELL or start.startswith(tuple(NOT_AT_HAND)):
        found = iter(())
    elif known:
        told = _says(tuple((tool(program), *rest) for program, *rest in HELP[known]))
        found = _unheard_of(words[len(known.split()) :], told)
    elif (ROOT / words[0]).parent != ROOT and not Path(words[0]).is_absolute():
        found = _script(words)
    else:
        found = iter(["is no program that anybody knows: see tests/journeys/commands.py"])
    yield from (f"{words[0]} {each}" for each in found)


def wrong_with(tool: Tool, block: Block) -> Sequence[str]:
    """Say what is wrong with the commands of a session."""
    found: list[str] = []
    for line in lines(block):
        read = subprocess.run([tool("bash"), "-n", "-c", line], check=False, capture_output=True, text=True)
        if read.returncode:
            found += read.stderr.splitlines()
            continue
        for words in simple(line):
            found += complaints(tool, words)
    return found
