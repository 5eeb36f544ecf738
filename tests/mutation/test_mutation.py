"""A short form of scripts/mutate: a module in a few changes."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.documentation import named, rows
from tests.mutation.__main__ import main
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.modules import GROUPS, files, own_tests
from tests.mutation.run import UNESCAPED

MODULES = [module for group in GROUPS.values() for module in group]


def test_a_change_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    """Mutmut changes a copy of the code, and the module's own tests notice."""
    failed = main(["durations", "--sample=3"])
    told = capsys.readouterr().out.splitlines()
    assert (failed, told[1].split()[0], told[1].split()[2:]) == (0, "durations", ["3", "3", "0", "0", "0"])


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_tests_of_its_own(module: str) -> None:
    """A name that is mistyped, or of what has moved, would mutate nothing."""
    assert files(module)
    assert [*own_tests(module)]


def test_the_tests_can_be_collected_as_mutmut_needs_it() -> None:
    """Names are not escaped for it, and pytest then cannot name a parameter that is made of bytes."""
    tests = dict.fromkeys(test for module in MODULES for test in own_tests(module))
    command = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-o", f"{UNESCAPED}=true")
    collected = subprocess.run([*command, *tests], cwd=ROOT, check=False, capture_output=True, text=True)
    assert collected.returncode == 0, collected.stdout[-3000:]


@pytest.mark.parametrize(("change", "reason"), EQUIVALENT.items())
def test_what_cannot_be_noticed_has_a_reason(change: tuple[str, tuple[str, ...]], reason: str) -> None:
    """And the lines that were changed still stand there."""
    _, diff = change
    sources = [file.read_text() for group in GROUPS.values() for name in group for file in files(name)]
    lines = {line.strip() for source in sources for line in source.splitlines()}
    assert reason.endswith(".")
    assert {line[1:] for line in diff if line.startswith("-")} <= lines


def test_the_documentation_names_the_groups() -> None:
    """Whoever reads of them can call them."""
    table = rows(ROOT / "docs/reliability.md", "group of modules")
    assert [name for cells in table for name in named(cells[0])] == [*GROUPS]
