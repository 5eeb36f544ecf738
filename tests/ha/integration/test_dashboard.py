"""The dashboard that one copies: Home Assistant takes it, and everything that it names is there."""

import re
from typing import Any

import pytest
import yaml
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.template import Template
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS

from .conftest import CHECKOUT, Providers, account, raw, set_up

DASHBOARD = yaml.safe_load((CHECKOUT / "dashboards" / "sms_credit.yaml").read_text())
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")

SHOWN = ("23telecom", "iletimerkezi")
DISABLED = {"provider_updated"}
OPTIONAL = {"sms_quota"}
"""What an account has only with an option beside its limit."""

(TABLE,) = [card["content"] for card in DASHBOARD["views"][0]["sections"][0]["cards"]]


def named_in(content: Any) -> set[str]:  # noqa: ANN401 - whatever YAML holds
    """Return the entities that a dashboard names."""
    return set(re.findall(r"\b(?:binary_sensor|event|sensor)\.[a-z0-9_]+", str(content)))


async def accounts(hass: HomeAssistant) -> None:
    """Set up the accounts that the dashboard is about, each with a limit."""
    for provider in SHOWN:
        await set_up(hass, account(provider, low_balance="5"))


@pytest.mark.usefixtures("providers")
async def test_every_entity_of_an_account_is_shown(hass: HomeAssistant) -> None:
    """And no other is named, which a card would show as an error."""
    await accounts(hass)
    there = {each.entity_id for each in er.async_get(hass).entities.values() if each.translation_key not in DISABLED}
    assert named_in(DASHBOARD["views"][0]["sections"][1:]) == there


@pytest.mark.usefixtures("providers")
async def test_home_assistant_takes_it(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> None:
    """Saved in the raw configuration editor, it comes back as it was."""
    assert await async_setup_component(hass, "lovelace", {})
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "lovelace/config/save", "config": DASHBOARD})
    assert (await client.receive_json())["success"]
    await client.send_json_auto_id({"type": "lovelace/config", "force": False})
    assert (await client.receive_json())["result"] == DASHBOARD


async def test_the_table_shows_every_account(hass: HomeAssistant, providers: Providers) -> None:
    """Whatever they are called; one that is low has a sign, and loses it with the top-up."""
    await accounts(hass)
    assert "⚠️" not in Template(TABLE, hass).async_render()
    providers.answer("23telecom", raw(200, b'{"balance": 1, "currency": "EUR"}'))
    await hass.config_entries.async_reload(hass.config_entries.async_entries("sms_credit")[0].entry_id)
    await hass.async_block_till_done()
    head, rule, *rows = Template(TABLE, hass).async_render().splitlines()
    assert [each.count("|") for each in (head, rule, *rows)] == [4] * (2 + len(SHOWN))
    assert [re.match(r"\| \[(.+)\]", row)[1] for row in rows] == [PROVIDERS[provider].name for provider in SHOWN]
    assert re.search(r"\| [\d.,]+ \S+( · [\d.,]+ SMS)? \| Fresh", rows[0])
