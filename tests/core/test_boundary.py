"""The core's border: what it imports, what it exports, and that its vocabulary is complete."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from string import Formatter
from types import ModuleType

import pytest

import sms_credit_core
from sms_credit_core import FAILURES, Cause, Problem, Status, address, exchange

CORE = Path(sms_credit_core.__file__).parent
MODULES = [pytest.param(file, id=str(file.relative_to(CORE))) for file in sorted(CORE.rglob("*.py"))]

ALONE = """
import sys
for package in ("homeassistant", "custom_components"):
    sys.modules[package] = None  # any import of it now fails
import {package}
"""


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Yield how many packages up each import of a module goes, 0 for an absolute one, and what it names."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                yield from ((0, alias.name) for alias in names)
            case ast.ImportFrom(module, _, level):
                yield level or 0, module or ""


@pytest.mark.parametrize("package", ["sms_credit_core", "sms_credit_exporter", "sms_credit_exporter.cli"])
def test_core_and_exporter_run_without_home_assistant(package: str) -> None:
    """The exporter is for people who do not have Home Assistant."""
    subprocess.run([sys.executable, "-c", ALONE.format(package=package)], check=True)


@pytest.mark.parametrize("file", MODULES)
def test_the_core_needs_only_httpx_and_the_standard_library(file: Path) -> None:
    """Home Assistant copies the core as it is and installs nothing for it."""
    absolute = {name.partition(".")[0] for level, name in imports(file) if not level}
    assert absolute <= sys.stdlib_module_names | {"httpx"}


@pytest.mark.parametrize("file", MODULES)
def test_the_core_imports_itself_relatively_and_stays_inside(file: Path) -> None:
    """Inside Home Assistant the core has another name, and the package above it is another program."""
    depth = len(file.relative_to(CORE).parts)
    assert all(level <= depth for level, _ in imports(file))
    assert not [name for level, name in imports(file) if not level and name.startswith(CORE.name)]


def home_of(name: str) -> Mapping[str, object]:
    """Return the names of the module that has this one."""
    return next(vars(module) for module in (sms_credit_core, address, exchange) if name in vars(module))


def test_all_names_what_the_core_exports() -> None:
    """A name that is used from outside is public on purpose; constants come first, then classes, then functions."""
    exported = {
        name
        for name, value in vars(sms_credit_core).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    for name in sms_credit_core.__all__:
        assert getattr(sms_credit_core, name) is home_of(name)[name]
    assert exported <= {*sms_credit_core.__all__}
    assert sms_credit_core.__all__ == sorted(
        sms_credit_core.__all__, key=lambda name: (not name.isupper(), name.islower(), name)
    )


def test_what_polls_nothing_does_not_wait_for_httpx() -> None:
    """It takes as long to import as all the rest; a name that the core does not have is missed as anywhere."""
    code = "import sys, sms_credit_core; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="has no attribute 'pool'"):
        _ = sms_credit_core.pool  # type: ignore[attr-defined]


def test_what_the_core_hands_out_cannot_be_changed() -> None:
    """A scrape may still hold what a poll has just replaced."""
    exported = [getattr(sms_credit_core, name) for name in sms_credit_core.__all__]
    dataclasses = [each for each in exported if is_dataclass(each)]
    assert dataclasses
    assert [each for each in dataclasses if not vars(each)["__dataclass_params__"].frozen] == []


@pytest.mark.parametrize("cause", Cause)
def test_a_causes_text_is_a_sentence_for_the_person_who_has_to_act(cause: Cause) -> None:
    """It can be filled from any problem, and reads as a sentence on a page, in a log and on a phone."""
    placeholders = {name for _, name, _, _ in Formatter().parse(cause.text) if name is not None}
    assert placeholders <= {"detail"}
    assert cause.text.endswith(".")
    assert cause.text[0].isupper() or cause.text.startswith("“")
    assert Problem(cause=cause, detail="balance").text == cause.text.replace("{detail}", "balance")


@pytest.mark.parametrize("cause", Cause)
def test_a_causes_word_is_its_name(cause: Cause) -> None:
    """The word is a key of the translations, and the name is what a reader of the code searches for."""
    assert cause.value == cause.name.lower()


def test_every_status_without_a_reading_has_a_cause() -> None:
    """A status without a stated reason would leave a person with nothing to do."""
    assert {cause.status for cause in Cause} == set(Status) - {Status.PENDING, Status.FRESH, Status.PARTIAL}


def test_the_statuses_are_the_documented_ones() -> None:
    """The words are in metrics, entities, translations and dashboards: none comes or goes unnoticed."""
    assert {status.value: (status.up, status.holds) for status in Status} == {
        "pending": (False, False),
        "fresh": (True, True),
        "partial": (True, True),
        "unavailable": (True, True),
        "onboarding": (True, False),
        "auth_failed": (False, True),
        "access_denied": (False, True),
        "rate_limited": (False, True),
        "unreachable": (False, True),
        "provider_error": (False, True),
        "invalid_response": (False, True),
    }
    assert set(FAILURES) == {status for status in Status if not status.up} - {Status.PENDING}
