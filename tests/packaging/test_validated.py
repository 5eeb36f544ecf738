"""Every file that packs, ships or releases the exporter is judged by the program that is to read it."""

import fnmatch
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.packaging.programs import passes, refuses

Tool = Callable[[str], str]
Command = Sequence[str]

CHART = "packaging/helm/sms-credit-exporter"
COMPOSE = "packaging/compose"

JUDGES: Mapping[str, Callable[[Tool, str], Command]] = {
    "packaging/Containerfile": lambda tool, file: [tool("packaging/bin/hadolint"), file],
    "packaging/distributions": lambda tool, file: [tool("packaging/bin/shellcheck"), file],
    "packaging/install": lambda tool, file: [tool("packaging/bin/shellcheck"), file],
    "packaging/release": lambda tool, file: [tool("packaging/bin/shellcheck"), file],
    "packaging/bill-of-materials": lambda tool, file: [tool("packaging/bin/shellcheck"), file],
    "scripts/audit": lambda tool, file: [tool("packaging/bin/shellcheck"), "-x", file],
    "scripts/packaging-tools": lambda tool, file: [tool("packaging/bin/shellcheck"), "-x", file],
    ".github/workflows/*.yml": lambda tool, file: [tool("packaging/bin/actionlint"), file],
    ".github/dependabot.yml": lambda tool, file: [*_schema(tool, "dependabot"), file],
    ".github/ISSUE_TEMPLATE/config.yml": lambda tool, file: [*_schema(tool, "github-issue-config"), file],
    ".github/ISSUE_TEMPLATE/*.yml": lambda tool, file: [*_schema(tool, "github-issue-forms"), file],
    f"{COMPOSE}/compose.yaml": lambda tool, file: [
        *(tool("packaging/bin/docker-compose"), "--file", file, "config", "--quiet"),
    ],
    f"{COMPOSE}/compose.demo.yaml": lambda tool, file: [
        *(
            tool("packaging/bin/docker-compose"),
            "--file",
            f"{COMPOSE}/compose.yaml",
            "--file",
            file,
            "config",
            "--quiet",
        ),
    ],
    f"{COMPOSE}/prometheus.yml": lambda tool, file: [tool("promtool"), "check", "config", "--syntax-only", file],
    f"{CHART}/ci/*.yaml": lambda tool, file: [*_lint(tool), f"--values={file}"],
    f"{CHART}/*": lambda tool, _: [*_lint(tool), f"--values={CHART}/ci/everything-values.yaml"],
}
"""For the files that a pattern matches, the program and its arguments; the first pattern counts."""

ELSEWHERE = {
    "packaging/systemd/*.service": "test_systemd.py: systemd-analyze",
    "packaging/systemd/*.socket": "test_systemd.py: systemd-analyze",
    "packaging/systemd/*.conf": "test_systemd.py: systemd-analyze, as a drop-in",
    "packaging/systemd/config.yml": "test_systemd.py: an exporter serves it",
    f"{COMPOSE}/config.yml": "test_compose.py: an exporter serves it",
    f"{COMPOSE}/grafana-datasource.yml": "test_compose.py: it is the shipped one, but for a host",
    f"{COMPOSE}/secrets/.gitignore": "test_compose.py: git ignores secrets",
    ".dockerignore": "test_container.py: it lets through what is copied",
    ".github/pull_request_template.md": "tests/scripts/test_documents.py: a document like any other",
}
"""What needs more than a command, and where that is done."""


def _lint(tool: Tool) -> Command:
    return [tool("packaging/bin/helm"), "lint", "--strict", "--kube-version=1.28.0", CHART]


def _schema(tool: Tool, name: str) -> Command:
    """Return what holds a file against the schema of that name, which GitHub's own documents link."""
    return [tool("packaging/bin/check-jsonschema"), f"--builtin-schema=vendor.{name}"]


@cache
def files() -> Sequence[str]:
    """Return every file that is in question: all that git tracks in these places."""
    places = ("packaging", ".github", ".dockerignore", "scripts/audit", "scripts/packaging-tools")
    return passes("git", "ls-files", *places, cwd=ROOT).split()


def pattern_of(file: str) -> str | None:
    """Return the first pattern that matches a file."""
    return next((each for each in (*JUDGES, *ELSEWHERE) if fnmatch.fnmatch(file, each)), None)


def test_no_file_is_forgotten() -> None:
    """A new one needs a judge, and no pattern is left that nothing matches."""
    assert [file for file in files() if pattern_of(file) is None] == []
    assert {*JUDGES, *ELSEWHERE} == {pattern_of(file) for file in files()}


@pytest.mark.parametrize("pattern", JUDGES)
def test_a_judge_finds_nothing_wrong(tool: Tool, pattern: str) -> None:
    """With all files that the pattern matches."""
    commands = {tuple(JUDGES[pattern](tool, file)) for file in files() if pattern_of(file) == pattern}
    for command in commands:
        passes(*command, cwd=ROOT)


BROKEN = {
    "packaging/Containerfile": ("USER 65532:65532", "USER root"),
    "packaging/install": ('-- "$1"', "-- $1"),
    ".github/workflows/release.yml": ("needs: [ci, build]", "needs: [ci, bild]"),
    ".github/dependabot.yml": ("package-ecosystem: uv", "package-ecosystem: uw"),
    ".github/ISSUE_TEMPLATE/config.yml": ("    about: The guide", "    abut: The guide"),
    ".github/ISSUE_TEMPLATE/help.yml": ("type: dropdown", "type: drop-down"),
    f"{COMPOSE}/compose.yaml": ("cap_drop: [ALL]", "cap_drp: [ALL]"),
    f"{COMPOSE}/prometheus.yml": ("rule_files:", "rules_files:"),
}


@pytest.mark.parametrize("file", BROKEN)
def test_a_judge_finds_what_is_wrong(tool: Tool, tmp_path: Path, file: str) -> None:
    """So its silence says something."""
    right, wrong = BROKEN[file]
    text = (ROOT / file).read_text()
    assert right in text
    copy = tmp_path / Path(file).name
    copy.write_text(text.replace(right, wrong, 1))
    refuses(*JUDGES[str(pattern_of(file))](tool, str(copy)))


def test_the_workflows_give_nothing_away(tool: Tool) -> None:
    """By a program that looks for what can be abused. It asks nobody."""
    command = [tool("packaging/bin/zizmor"), "--offline", "--quiet", "--min-severity=medium", ".github"]
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, env={**os.environ, "CI": ""})
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("document", ["docs/running.md", f"{CHART}/README.md"])
def test_what_a_document_names_is_there(document: str) -> None:
    """Each path of the repository that one is told to use."""
    named = set(re.findall(r"\b(?:packaging|grafana)/[\w./-]*\w", (ROOT / document).read_text()))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
