"""What a release says that it is made of."""

import json
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.conftest import ROOT
from tests.packaging.locked import hashes, runtime
from tests.packaging.programs import passes

VALIDATOR = JsonStrictValidator(SchemaVersion.V1_5)


@pytest.fixture(scope="module")
def bill(tool: Callable[[str], str]) -> str:
    """Make it."""
    path = f"{Path(tool('uv')).parent}:{os.environ['PATH']}"
    return passes("env", f"PATH={path}", ROOT / "packaging/bill-of-materials")


def test_it_has_the_form_that_programs_read(bill: str) -> None:
    """The schema is strict: what it does not know is a mistake."""
    assert VALIDATOR.validate_str(bill) is None
    assert VALIDATOR.validate_str(bill.replace('"components"', '"compnents"', 1)) is not None


def test_it_is_what_uv_lock_installs(bill: str) -> None:
    """Neither more nor less, each with the hashes of all its files, so that a file at hand can be looked up in it."""
    told = json.loads(bill)
    product = told["metadata"]["component"]
    assert (product["name"], product["version"]) == ("sms-credit-exporter", version("sms-credit-exporter"))
    assert {each["name"]: each["version"] for each in told["components"]} == {
        name: package["version"] for name, package in runtime().items()
    }
    for each in told["components"]:
        assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
        files = {(file["url"], file["hashes"][0]["content"]) for file in each["externalReferences"]}
        assert files == hashes(runtime()[each["name"]])


def test_it_tells_what_needs_what(bill: str) -> None:
    """So that a weakness in a package leads to what uses it."""
    told = json.loads(bill)
    names = {each["bom-ref"]: each["name"] for each in [*told["components"], told["metadata"]["component"]]}
    needs = {names[each["ref"]]: {names[ref] for ref in each.get("dependsOn", ())} for each in told["dependencies"]}
    locked = {name: {each["name"] for each in package.get("dependencies", ())} for name, package in runtime().items()}
    assert {name: each for name, each in needs.items() if name != "sms-credit-exporter"} == locked
