"""The user's documentation: complete, and its examples work."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from homeassistant.components.automation import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS, Quality, Status
from custom_components.sms_credit.sensor import STATES
from tests.documentation import Facts, check, named, rows

from .conftest import CHECKOUT, COMPONENT, account, set_up, texts

DOCUMENT = CHECKOUT / "docs" / "home-assistant.md"
BLUEPRINT = CHECKOUT / "blueprints" / "automation" / "sms_credit" / "credit_alert.yaml"
TEXT = DOCUMENT.read_text()
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)]
CARDS = [pytest.param(example, id=example["type"]) for example in EXAMPLES if "type" in example]
AUTOMATIONS = [pytest.param(example, id=example.get("alias", "Alarm")) for example in EXAMPLES if "triggers" in example]
USE = next(example["automation"] for example in EXAMPLES if "automation" in example)


def headings() -> list[str]:
    """Return the document's headings of the second level."""
    return re.findall(r"^## (.+)$", TEXT, re.MULTILINE)


def table_below(heading: str) -> list[list[str]]:
    """Return the rows of the first table below a heading."""
    _, _, below = TEXT.partition(f" {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[0].splitlines()[2:]]


def test_it_has_every_part_that_the_quality_scale_asks_for() -> None:
    """In the order in which a user needs them."""
    assert headings() == [
        "Supported providers",
        "What it is good for",
        "Prerequisites",
        "Installation",
        "Options",
        "Entities",
        "Data updates",
        "Repairs",
        "Triggers",
        "Automation blueprint",
        "Dashboard cards",
        "Troubleshooting",
        "Known limitations",
        "Removing the integration",
    ]


def test_every_provider_and_its_fields_are_told() -> None:
    """By the labels that the forms show."""
    steps = texts("en")["config"]["step"]
    assert [re.sub(r"\[(.+)\].*", r"\1", row[0]) for row in table_below("Supported providers")] == [
        provider.name for provider in PROVIDERS.values()
    ]
    assert [row[:2] for row in table_below("Parameters")] == [
        [provider.name, steps[key]["data"][field.name]]
        for key, provider in PROVIDERS.items()
        for field in provider.credentials
    ]


def test_every_option_is_told() -> None:
    """By its label."""
    labels = texts("en")["options"]["step"]["init"]["data"]
    assert [row[0] for row in table_below("Options")] == list(labels.values())


@pytest.mark.usefixtures("providers")
async def test_every_entity_is_told(hass: HomeAssistant) -> None:
    """By its name in Home Assistant; those of the examples with their platform, and whether they are diagnostic."""
    names = {
        (platform, key): words["name"]
        for platform, entities in texts("en")["entity"].items()
        for key, words in entities.items()
    }
    true: dict[str, Facts] = {name: {} for name in names.values()}
    await example_entities(hass)
    for entity in er.async_get(hass).entities.values():
        assert entity.translation_key
        diagnostic = ["diagnostic"] if entity.entity_category is EntityCategory.DIAGNOSTIC else []
        kind = [entity.domain.replace("_", " "), *diagnostic]
        true[names[entity.domain, entity.translation_key]] = {"kind": ", ".join(kind)}
    told = ((name, {"kind": re.sub(r", (?!diagnostic)[^,]*", "", kind)}) for name, kind, _ in rows(DOCUMENT, "Entity"))
    check(DOCUMENT, "Entity", told, true)


def test_every_trigger_is_told() -> None:
    """By the name that the editor shows, and the key that its YAML has."""
    words = texts("en")["triggers"]
    assert [row[:2] for row in table_below("Triggers")] == [[words[key]["name"], f"`{key}`"] for key in words]


def others(status: Status) -> str:
    """Return how the other entities are while an account has this status."""
    if not status.up and status is not Status.PENDING:
        return "unavailable"
    if not status.holds:
        return "unknown"
    fresh = status in {quality.status for quality in Quality}
    return "are fresh" if fresh else "keep the last good values for an hour, then unknown"


def test_every_status_is_told() -> None:
    """By the word that Home Assistant shows, with how the other entities are meanwhile."""
    shown = texts("en")["entity"]["sensor"]["status"]["state"]
    told = (
        (named(state)[0], {"Shown as": words, "The other entities": entities})
        for state, words, _, entities in rows(DOCUMENT, "State")
    )
    true = {state: {"Shown as": shown[state], "The other entities": others(status)} for status, state in STATES.items()}
    check(DOCUMENT, "State", told, true)
    assert set(shown) == set(STATES.values())


async def example_entities(hass: HomeAssistant) -> set[str]:
    """Return the entities of the accounts that the examples are about."""
    for provider, options in (("23telecom", {"low_balance": "50", "message_price": "0.02"}), ("iletimerkezi", {})):
        await set_up(hass, account(provider, **options))
    return set(er.async_get(hass).entities)


def entities_in(content: Any) -> set[str]:  # noqa: ANN401 - whatever YAML holds
    """Return the entities that an example names."""
    return set(re.findall(r"(?<!'trigger': ')\b(?:binary_sensor|event|sensor)\.[a-z0-9_]+", str(content)))


@pytest.mark.usefixtures("providers")
@pytest.mark.parametrize("card", CARDS)
async def test_a_card_is_about_entities_that_there_are(hass: HomeAssistant, card: dict[str, Any]) -> None:
    """With the titles that the accounts get by themselves, it can be pasted as it is."""
    assert entities_in(card)
    assert entities_in(card) <= await example_entities(hass)


@pytest.mark.usefixtures("providers")
@pytest.mark.parametrize("example", AUTOMATIONS)
async def test_an_automation_is_valid_and_about_an_entity_that_there_is(
    hass: HomeAssistant, example: dict[str, Any]
) -> None:
    """Home Assistant accepts it; the tests of low credit and of top-ups have it ring."""
    assert entities_in(example)
    assert entities_in(example) <= await example_entities(hass)
    automation = {"alias": "Example", "actions": [], **example}
    assert await async_setup_component(hass, AUTOMATION_DOMAIN, {})
    validated = await async_validate_config_item(hass, "example", automation)
    assert validated
    assert validated.validation_status == "ok"


@pytest.mark.usefixtures("providers")
async def test_the_example_of_the_blueprint_uses_inputs_and_entities_that_there_are(hass: HomeAssistant) -> None:
    """A misspelt input would be ignored."""
    (automation,) = USE
    assert automation["use_blueprint"]["path"] == "/".join(BLUEPRINT.parts[-2:])
    inputs = re.findall(r"!input (\w+)", BLUEPRINT.read_text())
    assert set(automation["use_blueprint"]["input"]) <= set(inputs)
    assert entities_in(automation) <= await example_entities(hass)


def test_the_buttons_lead_to_this_integration() -> None:
    """Installing and adding are a click each, in HACS as in the Marketplace."""
    manifest = json.loads((COMPONENT / "manifest.json").read_text())
    owner, repository = urlsplit(manifest["issue_tracker"]).path.split("/")[1:3]
    buttons = re.findall(r"\(https://my\.home-assistant\.io/redirect/(\w+)/\?(.+?)\)", TEXT)
    assert {name: dict(parse_qsl(query)) for name, query in buttons if name != "blueprint_import"} == {
        "hacs_repository": {"owner": owner, "repository": repository, "category": "integration"},
        "config_flow_start": {"domain": manifest["domain"]},
    }


@pytest.mark.parametrize("blueprint", sorted(BLUEPRINT.parent.iterdir()), ids=lambda path: path.stem)
def test_an_import_button_leads_to_each_blueprint(blueprint: Path) -> None:
    """It carries the address that the blueprint itself names."""
    (address,) = re.findall(r"source_url: (\S+)", blueprint.read_text())
    assert address.replace(":", "%3A").replace("/", "%2F") in TEXT


def test_troubleshooting_quotes_what_is_shown() -> None:
    """Users look for the words that they see."""
    messages = [message["message"] for message in texts("en")["exceptions"].values()]
    quoted = re.findall(r"^\| “(.+?)” \|", TEXT, re.MULTILINE)
    assert quoted
    assert [each for each in quoted if not any(message.startswith(each) for message in messages)] == []
