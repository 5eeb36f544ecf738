"""The sensors in full, and what is particular to each."""

from unittest.mock import patch

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import snapshot_platform
from syrupy.assertion import SnapshotAssertion

from custom_components.sms_credit import PLATFORMS
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS

from .conftest import Providers, account, entity_id, pass_time, raw, set_up, states


@pytest.mark.freeze_time("2026-11-21 12:00:00+00:00")
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.usefixtures("providers", "every_entity")
async def test_entities_in_full(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    provider: str,
    platform: Platform,
) -> None:
    """Names, classes, units, categories and identities as this version of Home Assistant keeps them."""
    entry = account(provider, entry_id="ID", low_quota="50", message_price="0.021")
    with patch("custom_components.sms_credit.PLATFORMS", [platform]):
        await set_up(hass, entry)
    await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)


async def test_a_balance_is_exact_in_the_currency_of_the_account(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """Not a digit is lost, none is made up, and the currency is the answer's."""
    entry = account("23telecom")
    await set_up(hass, entry)
    for amount, currency in (("0.10", "EUR"), ("1250.505", "USD"), ("-0.5", "USD"), ("99999999.99", "TRY")):
        body = f'{{"balance": {amount}, "currency": "{currency}"}}'
        providers.answer("23telecom", raw(200, body.encode()))
        await pass_time(hass, freezer)
        state = hass.states.get(entity_id(hass, entry, "balance"))
        assert (state.state, state.attributes["unit_of_measurement"]) == (amount, currency)


async def test_a_balance_keeps_its_currency_while_it_is_unknown(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """Its history would break at a change of unit; where an API implies the currency, it is known from the start."""
    telecom, ileti = account("23telecom"), account("iletimerkezi")
    await set_up(hass, telecom)
    await set_up(hass, ileti)
    providers.answer("23telecom", "unavailable_cache_disabled")
    for _ in range(13):
        await pass_time(hass, freezer)
    state = hass.states.get(entity_id(hass, telecom, "balance"))
    assert (state.state, state.attributes["unit_of_measurement"]) == ("unknown", "EUR")
    assert hass.states.get(entity_id(hass, ileti, "balance")).attributes["unit_of_measurement"] == "TRY"


@pytest.mark.parametrize(
    ("balance", "price", "quota"),
    [
        pytest.param("10", "0.021", "476", id="part of a message is none"),
        pytest.param("0.02", "0.021", "0", id="too little for one message"),
        pytest.param("-5", "0.021", "0", id="a debt buys nothing"),
        pytest.param("0.3", "0.1", "3", id="no binary fraction takes a message away"),
    ],
)
async def test_a_price_gives_the_quota_where_the_provider_gives_none(
    hass: HomeAssistant, providers: Providers, balance: str, price: str, quota: str
) -> None:
    """Whole messages that the balance pays for."""
    providers.answer("23telecom", raw(200, f'{{"balance": {balance}, "currency": "EUR"}}'.encode()))
    entry = account("23telecom", message_price=price)
    await set_up(hass, entry)
    assert states(hass, entry)["sms_quota"] == quota


@pytest.mark.usefixtures("providers")
async def test_the_providers_own_quota_is_never_replaced(hass: HomeAssistant) -> None:
    """It knows its prices better."""
    entry = account("iletimerkezi", message_price="0.5")
    await set_up(hass, entry)
    assert states(hass, entry)["sms_quota"] == "67"


@pytest.mark.usefixtures("providers")
async def test_a_quota_counts_sms_in_every_language(hass: HomeAssistant) -> None:
    """Its unit is a text like the others."""
    hass.config.language = "tr"
    entry = account("iletimerkezi")
    await set_up(hass, entry)
    state = hass.states.get(entity_id(hass, entry, "sms_quota"))
    assert (state.attributes["unit_of_measurement"], state.name) == ("SMS", "iletiMerkezi Kalan SMS")
