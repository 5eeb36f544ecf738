"""What the reviewers of Home Assistant look for, and this project's own border, as rules about the source."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_components.sms_credit import PLATFORMS
from custom_components.sms_credit.config_flow import SmsCreditConfigFlow
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS

from .conftest import COMPONENT

TREES = {file.name: ast.parse(file.read_text()) for file in sorted(COMPONENT.glob("*.py"))}
TESTS = {file.name: ast.parse(file.read_text()) for file in sorted(Path(__file__).parent.glob("*.py"))}

every_file = pytest.mark.parametrize("tree", [pytest.param(tree, id=name) for name, tree in TREES.items()])
every_test_file = pytest.mark.parametrize("tree", [pytest.param(tree, id=name) for name, tree in TESTS.items()])

RAISED_FAMILY = {
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
    "UpdateFailed",
}
FORBIDDEN_NAMES = {
    "CONF_SCAN_INTERVAL": "how often to ask is the integration's affair",
    "AsyncClient": "the HTTP client is Home Assistant's",
    "OptionsFlowWithReload": "a reload takes low credit away and brings it back as if it were new",
    "async_update_reload_and_abort": "the same",
    "async_get_device": "devices are looked up by identifier and entry",
    "via_device": "deprecated",
    "_attr_name": "names are translations",
    "_attr_icon": "icons are in icons.json",
    "async_update": "the coordinator updates",
    "print": "there is a log",
}


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield how many packages up each import goes, 0 for an absolute one, and what it names."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from ((0, alias.name) for alias in names)
            case ast.ImportFrom(module, _, level):
                yield level or 0, module or ""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call with the last part of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def keywords(call: ast.Call) -> set[str | None]:
    """Return the names of a call's keyword arguments."""
    return {keyword.arg for keyword in call.keywords}


@every_file
def test_only_home_assistant_and_the_standard_library_are_imported(tree: ast.Module) -> None:
    """There are no requirements; the core is reached relatively, as its other name exists on no user's machine."""
    absolute = {name.partition(".")[0] for level, name in imported(tree) if not level}
    assert absolute <= sys.stdlib_module_names | {"homeassistant", "probatio"}


@every_file
def test_only_the_core_speaks_http(tree: ast.Module) -> None:
    """The integration hands it Home Assistant's client, whichever library that is made of."""
    assert not {name for _, name in imported(tree)} & {"httpx", "httpx2", "aiohttp", "requests"}


@every_file
def test_nothing_outdated_or_unwanted_is_used(tree: ast.Module) -> None:
    """Each of these has a better way, or is no business of an integration."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {function.name for function in functions(tree)}
    assert {name: FORBIDDEN_NAMES[name] for name in names & set(FORBIDDEN_NAMES)} == {}
    assert "__future__" not in {name for _, name in imported(tree)}


def test_run_time_data_is_the_entrys() -> None:
    """It goes when the entry is unloaded. Only what has to outlive that is kept elsewhere, in one place."""
    assert [file for file, tree in TREES.items() if "hass.data" in ast.unparse(tree)] == ["accounts.py"]


@every_file
def test_home_assistants_errors_are_translated(tree: ast.Module) -> None:
    """They carry domain, key and placeholders, and no text beside them."""
    raised = [call for name, call in calls(tree) if name in RAISED_FAMILY]
    assert all(not call.args for call in raised)
    needed = {"translation_domain", "translation_key", "translation_placeholders"}
    assert all(needed <= keywords(call) for call in raised)


@every_file
def test_nothing_is_logged_that_home_assistant_logs(tree: ast.Module) -> None:
    """The coordinator logs an outage and its end once; nothing is logged before it is raised.

    That what was remembered is set aside is told by nobody else.
    """
    logged = [ast.unparse(call) for name, call in calls(tree) if ast.unparse(call.func).startswith("_LOGGER.")]
    assert [line for line in logged if not line.endswith(", stored.text)")] == []


@every_file
def test_forms_name_their_step(tree: ast.Module) -> None:
    """Home Assistant stops guessing in 2027."""
    assert all("step_id" in keywords(call) for name, call in calls(tree) if name == "async_show_form")


def test_every_provider_has_its_step() -> None:
    """A step's id is its method's name."""
    steps = {name.removeprefix("async_step_") for name in vars(SmsCreditConfigFlow) if name.startswith("async_step_")}
    assert steps == {"user", "reauth", "reconfigure", "limits", "limits_unknown", *PROVIDERS}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_platforms_need_no_limit_on_parallel_updates(platform: str) -> None:
    """The coordinator asks for all of them at once; zero says so."""
    assigned = [ast.unparse(node) for node in TREES[f"{platform}.py"].body if isinstance(node, ast.Assign)]
    assert "PARALLEL_UPDATES = 0" in assigned


def test_platforms_are_listed_by_the_alphabet() -> None:
    """So a new one has one place to stand."""
    assert sorted(PLATFORMS) == PLATFORMS


def test_availability_builds_on_the_coordinators() -> None:
    """Only the status speaks in every outage: that is what it is for."""
    overriding = {
        owner.name: ast.unparse(function)
        for tree in TREES.values()
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for function in functions(owner)
        if function.name == "available"
    }
    assert {name for name, source in overriding.items() if "super().available" not in source} == {"StatusSensor"}


def test_the_device_is_described_once_and_by_its_type() -> None:
    """A dictionary in its place is a thing of the past."""
    assert [file for file, tree in TREES.items() for name, _ in calls(tree) if name == "DeviceInfo"] == ["entity.py"]


@every_test_file
def test_tests_are_straight_lines(tree: ast.Module) -> None:
    """A test decides nothing: tables do. Each says its rule in a docstring."""
    tests = [function for function in functions(tree) if function.name.startswith("test_")]
    assert [test.name for test in tests if not ast.get_docstring(test)] == []
    branches = [test.name for test in tests for node in ast.walk(test) if isinstance(node, ast.If | ast.Match)]
    assert branches == []


@every_test_file
def test_tests_go_through_home_assistant(tree: ast.Module) -> None:
    """They set up, unload and update nothing by hand."""
    setting_up = {"async_setup_entry", "async_unload_entry", "async_remove_entry"}
    assert not (setting_up | {"SmsCreditCoordinator", "async_refresh"}) & {name for name, _ in calls(tree)}


def test_tests_of_form_errors_end_well() -> None:
    """Who mistypes must be able to go on in the same form."""
    tests = [test for test in functions(TESTS["test_config_flow.py"]) if test.name.startswith("test_")]
    failing = {test.name: ast.unparse(test) for test in tests if "['errors']) ==" in ast.unparse(test)}
    failing |= {test.name: ast.unparse(test) for test in tests if "['errors'] == {" in ast.unparse(test)}
    assert failing
    good = ("CREATE_ENTRY", "_successful", "'errors']) == (FlowResultType.FORM, 'user', None)", "provider, None)")
    assert [name for name, source in failing.items() if not any(end in source for end in good)] == []


def test_the_core_is_all_that_lib_holds() -> None:
    """Whatever else lay there would be importable by the exporter under a top-level name."""
    assert [path.name for path in (COMPONENT / "lib").iterdir() if path.name != "__pycache__"] == ["sms_credit_core"]
