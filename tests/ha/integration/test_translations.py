"""The texts: complete, the same in both languages, and shown by Home Assistant as they stand in the files."""

import json
import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest
import yaml
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from custom_components.sms_credit.binary_sensor import BINARY_SENSORS
from custom_components.sms_credit.const import CONF_PROVIDER, DOMAIN
from custom_components.sms_credit.event import TOPPED_UP
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS, AddressMistake, Cause, Status
from custom_components.sms_credit.news import HAPPENINGS
from custom_components.sms_credit.sensor import SENSORS, STATES, STATUS

from .conftest import COMPONENT, texts

LANGUAGES = ["en", "tr"]
FAILING = {cause.value for cause in Cause if not cause.status.up}
DENYING = {cause.value for cause in Cause if cause.status is Status.ACCESS_DENIED}

SAME_IN_TURKISH = {"{account}", "SMS", "API hash"}

MISREAD_IN_TURKISH = {
    "kredi(?! limiti)": "a loan; what an account has is its `bakiye`",
    "kota": "what an operator allows; what is left are `kalan SMS`",
    "parola": "Home Assistant asks for a `şifre`",
    "düşük": "Home Assistant's word for a bad measurement; of a balance one says that it has become less",
}
"""Words, and why they are not used."""

every_language = pytest.mark.parametrize("language", LANGUAGES)


def flat(content: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def placeholders(text: str) -> set[str]:
    """Return what a text leaves open."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_there_is_no_other_language_and_no_strings_json() -> None:
    """Every language that is added must be added here."""
    assert sorted(path.stem for path in (COMPONENT / "translations").iterdir()) == LANGUAGES
    assert not (COMPONENT / "strings.json").exists()


def test_both_languages_say_the_same_things() -> None:
    """The same keys with the same placeholders; Home Assistant drops a text that differs in them."""
    english, turkish = (dict(flat(texts(language))) for language in LANGUAGES)
    assert list(english) == list(turkish)
    assert {key for key in english if placeholders(english[key]) != placeholders(turkish[key])} == set()


def test_everything_is_translated() -> None:
    """What reads the same in both is a name."""
    english, turkish = (dict(flat(texts(language))) for language in LANGUAGES)
    assert {text for key, text in english.items() if turkish[key] == text} == SAME_IN_TURKISH


@pytest.mark.parametrize("word", MISREAD_IN_TURKISH)
def test_turkish_readers_are_not_misled(word: str) -> None:
    """One thing has one word, and it is theirs."""
    assert [text for _, text in flat(texts("tr")) if re.search(word, text, re.IGNORECASE)] == []


@every_language
def test_texts_follow_home_assistants_rules(language: str) -> None:
    """No address, no HTML, no stray space, no quoted placeholder; lower-case keys; no full stop behind a word."""
    content = texts(language)
    for key, text in flat(content):
        assert text == text.strip()
        assert not re.search(r"https?:|</?[a-z]|'\{|  ", text)
        assert all(re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", part) for part in key.split("."))
        assert all(name.isidentifier() for name in placeholders(text))
    shown_alone = dict(flat(content["entity"]))
    assert not [text for text in shown_alone.values() if placeholders(text) or text.endswith(".")]


@every_language
def test_keys_are_sorted(language: str) -> None:
    """A new text has one place to stand."""

    def sorted_throughout(content: dict[str, Any]) -> bool:
        inner = [value for value in content.values() if isinstance(value, dict)]
        return list(content) == sorted(content) and all(map(sorted_throughout, inner))

    assert sorted_throughout(texts(language))


def test_forms_have_exactly_the_texts_that_they_need() -> None:
    """One step for each provider, a label and an explanation for each field, and a text for each error."""
    config = texts("en")["config"]
    fields = {key: {field.name for field in provider.credentials} for key, provider in PROVIDERS.items()}
    limits = {"low_balance", "low_quota", "low_runway", "message_price"}
    fields |= {"user": {CONF_PROVIDER, "name"}, "reconfigure": {"base_url"}, "limits": limits, "limits_unknown": limits}
    assert {step: set(words["data"]) for step, words in config["step"].items()} == fields
    assert {step: set(words["data_description"]) for step, words in config["step"].items()} == fields
    assert set(config["step"]["user"]["sections"]) == {"advanced"}
    advanced = config["step"]["user"]["sections"]["advanced"]
    assert set(advanced["data"]) == set(advanced["data_description"]) == {"base_url"}
    assert set(config["error"]) == FAILING | {"empty", "not_a_credential", "price_needed", *AddressMistake}
    assert set(config["abort"]) == {"already_configured", "reauth_successful", "reconfigure_successful"}
    options = texts("en")["options"]
    assert set(options["step"]) == {"init", "init_unknown"}
    assert [set(words["data"]) for words in options["step"].values()] == [limits] * 2
    assert [set(words["data_description"]) for words in options["step"].values()] == [limits] * 2
    assert set(options["error"]) == {"price_needed"}


def test_entities_have_exactly_the_texts_that_they_need() -> None:
    """A name for each, and a word for each state that is not a number."""
    entity = texts("en")["entity"]
    assert set(entity) == {"binary_sensor", "event", "sensor"}
    assert set(entity["sensor"]) == {description.key for description in (*SENSORS, STATUS)}
    assert set(entity["binary_sensor"]) == {description.key for description in BINARY_SENSORS}
    assert set(entity["event"]) == {TOPPED_UP.key}
    types = entity["event"][TOPPED_UP.key]["state_attributes"]["event_type"]["state"]
    assert list(types) == TOPPED_UP.event_types
    assert set(entity["sensor"]["status"]["state"]) == set(STATES.values())
    assert all(set(words["state"]) == {"on", "off"} for words in entity["binary_sensor"].values())
    assert {key for key, words in entity["sensor"].items() if "unit_of_measurement" in words} == {
        "sms_quota",
        "credits",
    }


def test_exceptions_and_repairs_have_exactly_the_texts_that_they_need() -> None:
    """Every cause of a failure can be raised; every denial and the block are repairs with a dialog."""
    english = texts("en")
    assert set(english) == {"config", "entity", "exceptions", "issues", "options", "triggers"}
    assert set(english["exceptions"]) == set(Cause)
    assert set(english["issues"]) == DENYING | {"credit_blocked"}
    for issue in english["issues"].values():
        assert set(issue) == {"title", "fix_flow"}
        assert set(issue["fix_flow"]) == {"step", "error", "abort"}
        assert set(issue["fix_flow"]["abort"]) == {"not_loaded"}
        assert set(issue["fix_flow"]["step"]) == {"confirm"}
        assert set(issue["fix_flow"]["step"]["confirm"]) == {"title", "description"}
        assert set(issue["fix_flow"]["error"]) == {"too_soon", "unchanged"}
        left_open = set().union(*(placeholders(text) for _, text in flat(issue)))
        assert left_open <= {"account", "provider", "panel_url"}


def test_triggers_have_exactly_the_texts_that_they_need() -> None:
    """A name, an explanation and a field for each; the editor shows icon and field by the same keys."""
    triggers = texts("en")["triggers"]
    assert set(triggers) == set(HAPPENINGS)
    assert all(set(words) == {"name", "description", "fields"} for words in triggers.values())
    fields = yaml.safe_load((COMPONENT / "triggers.yaml").read_text())
    assert {key: set(words["fields"]) for key, words in triggers.items()} == {
        key: set(each["fields"]) for key, each in fields.items() if not key.startswith(".")
    }
    assert set(json.loads((COMPONENT / "icons.json").read_text())["triggers"]) == set(HAPPENINGS)


@every_language
def test_limits_are_told_alike_wherever_they_are_asked_for(language: str) -> None:
    """A new account's form and its later one have the same fields and the same mistakes."""
    config, options = texts(language)["config"], texts(language)["options"]
    forms = [config["step"]["limits"], config["step"]["limits_unknown"], *options["step"].values()]
    assert all(
        (form["data"], form["data_description"]) == (forms[0]["data"], forms[0]["data_description"]) for form in forms
    )
    assert config["error"]["price_needed"] == options["error"]["price_needed"]
    known = [form["description"] for form in forms if "{credit}" in form["description"]]
    assert known == [config["step"]["limits"]["description"], options["step"]["init"]["description"]]


@every_language
def test_a_cause_has_one_text_wherever_it_is_told(language: str) -> None:
    """A form and the log do not differ about the same thing."""
    content = texts(language)
    told = {cause: message["message"] for cause, message in content["exceptions"].items() if cause in FAILING}
    assert told == {cause: text for cause, text in content["config"]["error"].items() if cause in FAILING}


def test_the_english_texts_are_the_cores() -> None:
    """The exporter's users read the same."""
    assert {cause: message["message"] for cause, message in texts("en")["exceptions"].items()} == {
        cause.value: cause.text for cause in Cause
    }


@every_language
async def test_home_assistant_loads_every_text(hass: HomeAssistant, language: str) -> None:
    """It checks them as it does, and drops none."""
    content = texts(language)
    for category in content:
        loaded = await async_get_translations(hass, language, category, {DOMAIN})
        ours = {f"component.{DOMAIN}.{key}": text for key, text in flat({category: content[category]})}
        assert ours.items() <= loaded.items()
