"""The forms for issues, by GitHub's rules for them: GitHub shows no form at all where one is broken."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from sms_credit_core import PROVIDERS
from tests.conftest import ROOT

FOLDER = ROOT / ".github/ISSUE_TEMPLATE"
MAIN = "https://github.com/sms-credit/sms-credit/blob/main/"

FORMS: Mapping[str, Mapping[str, Any]] = {
    file.stem: yaml.safe_load(file.read_text()) for file in sorted(FOLDER.glob("*.yml")) if file.stem != "config"
}
CONFIG: Mapping[str, Any] = yaml.safe_load((FOLDER / "config.yml").read_text())

ATTRIBUTES = {
    "markdown": {"value"},
    "input": {"label", "description", "placeholder", "value"},
    "textarea": {"label", "description", "placeholder", "value", "render"},
    "dropdown": {"label", "description", "multiple", "options", "default"},
    "checkboxes": {"label", "description", "options"},
}
REQUIRED = {
    "markdown": {"value"},
    "input": {"label"},
    "textarea": {"label"},
    "dropdown": {"label", "options"},
    "checkboxes": {"label", "options"},
}

each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def questions(form: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the elements that ask for something."""
    return [element for element in form["body"] if element["type"] != "markdown"]


@each_form
def test_a_form_has_what_a_form_needs(form: Mapping[str, Any]) -> None:
    """A name and a description to choose it by, and a question at least."""
    assert {"name", "description", "body"} <= set(form) <= {"name", "description", "body", "labels", "title", "type"}
    assert all(len(form[key]) >= 3 for key in ("name", "description"))
    assert questions(form)


@each_form
def test_an_element_has_what_its_type_takes(form: Mapping[str, Any]) -> None:
    """Required keys are there, and none is there that GitHub does not know."""
    for element in form["body"]:
        kind, attributes = element["type"], element["attributes"]
        assert set(element) <= {"type", "attributes"} | ({"id", "validations"} if kind != "markdown" else set())
        assert REQUIRED[kind] <= set(attributes) <= ATTRIBUTES[kind]
        assert all(attributes[key].strip() for key in REQUIRED[kind] - {"options"})
        assert set(element.get("validations", {})) <= {"required"}
        assert type(element.get("validations", {}).get("required", False)) is bool


@each_form
def test_what_tells_elements_apart_is_unique(form: Mapping[str, Any]) -> None:
    """Ids and labels are, and each id has only the characters that one may have."""
    ids = [question["id"] for question in questions(form)]
    labels = [question["attributes"]["label"] for question in questions(form)]
    assert len(set(ids)) == len(ids)
    assert len(set(labels)) == len(labels)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", each) for each in ids)


@each_form
def test_options_can_be_chosen(form: Mapping[str, Any]) -> None:
    """They are texts, each but once; `None` is what GitHub itself offers where none is required."""
    for question in questions(form):
        options = question["attributes"].get("options", ["only one"])
        texts = [each["label"] if question["type"] == "checkboxes" else each for each in options]
        assert texts
        assert all(isinstance(each, str) and each.strip() and each.lower() != "none" for each in texts)
        assert len(set(texts)) == len(texts)


@each_form
def test_a_form_begins_with_a_warning(form: Mapping[str, Any]) -> None:
    """Issues are public."""
    assert form["body"][0]["attributes"]["value"].startswith("**Post no credentials**")


def test_names_of_forms_are_unique() -> None:
    """One chooses by them."""
    assert len({form["name"] for form in FORMS.values()}) == len(FORMS)


def test_a_bug_can_be_of_every_provider() -> None:
    """Of each that there is, and of none."""
    [asked] = [question for question in questions(FORMS["bug"]) if question["id"] == "provider"]
    assert asked["attributes"]["options"][:-1] == [provider.name for provider in PROVIDERS.values()]


def test_other_ways_than_an_issue_lead_somewhere() -> None:
    """GitHub wants all three keys of each; what is in the repository is there."""
    assert set(CONFIG) == {"blank_issues_enabled", "contact_links"}
    assert all(set(link) == {"name", "url", "about"} for link in CONFIG["contact_links"])
    files = [link["url"].removeprefix(MAIN) for link in CONFIG["contact_links"] if link["url"].startswith(MAIN)]
    assert files
    assert [file for file in files if not (ROOT / file).is_file()] == []
