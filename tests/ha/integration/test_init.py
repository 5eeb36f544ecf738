"""Setting up, unloading and removing an account."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS

from .conftest import (
    CREDENTIALS,
    NAMES,
    Answer,
    NoConnection,
    Providers,
    account,
    begin_update,
    entity_id,
    pass_time,
    raw,
    set_up,
    states,
)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.usefixtures("providers")
async def test_an_account_is_one_service_device(
    hass: HomeAssistant, device_registry: dr.DeviceRegistry, provider: str
) -> None:
    """It bears the entry's title and leads to the provider's panel."""
    entry = account(provider, title="OTP")
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device.identifiers == {(DOMAIN, entry.entry_id)}
    assert device.entry_type is dr.DeviceEntryType.SERVICE
    assert (device.name, device.manufacturer) == ("OTP", NAMES[provider])
    assert device.configuration_url == PROVIDERS[provider].panel_url


@pytest.mark.parametrize(
    ("answer", "status", "wait"),
    [
        pytest.param("error_rate_limited_empty", "rate_limited", 300, id="too many requests"),
        pytest.param("error_503_html", "provider_error", 300, id="a fault of the provider"),
        pytest.param(NoConnection.REFUSED, "unreachable", 300, id="no connection yet"),
        pytest.param("body_html", "invalid_response", 300, id="an unreadable answer"),
        pytest.param("error_ip_not_allowed", "access_denied", 300, id="access denied"),
        pytest.param(raw(429, Retry_After="1000"), "rate_limited", 1000, id="a longer pause"),
    ],
)
async def test_a_failing_first_poll_is_told_by_the_status(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    answer: Answer,
    status: str,
    wait: int,
) -> None:
    """As at any other time: the status says why there is nothing, and the next request waits its time."""
    providers.answer("23telecom", answer)
    entry = account("23telecom", low_balance="50")
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert states(hass, entry) == dict.fromkeys(("balance", "credit_blocked", "low_credit"), "unavailable") | {
        "status": status
    }

    providers.answer("23telecom", "healthy")
    asked = len(providers.requests)
    await pass_time(hass, freezer, wait - 2)
    assert len(providers.requests) == asked
    await pass_time(hass, freezer, 4)
    assert states(hass, entry)["balance"] == "1250.50"


@pytest.mark.parametrize(
    ("provider", "cause"),
    [
        pytest.param("23telecom", "api_key_unknown", id="23 Telecom"),
        pytest.param("iletimerkezi", "credentials_or_access", id="iletiMerkezi"),
    ],
)
async def test_refused_credentials_ask_for_others(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, provider: str, cause: str
) -> None:
    """The user most likely has to help, so it is left at one request an hour; the form says why."""
    refused = {**CREDENTIALS[provider], "api_key": "of_another_account"}
    entry = MockConfigEntry(domain=DOMAIN, data={"provider": provider, **refused})
    await set_up(hass, entry)
    assert states(hass, entry)["status"] == "auth_failed"
    assert states(hass, entry)["balance"] == "unavailable"
    for _ in range(60):
        await pass_time(hass, freezer)
    assert len(providers.requests) == 1 + 5
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert form["errors"] == {"base": cause}

    assert await hass.config_entries.async_reload(entry.entry_id)
    assert states(hass, entry)["status"] == "auth_failed"
    assert len(providers.requests) == 1 + 5  # the last was just now
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH

    providers.know(provider, **refused)
    await pass_time(hass, freezer, 150)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert states(hass, entry)["status"] == "fresh"
    assert hass.config_entries.flow.async_progress() == []


async def test_an_unloaded_account_asks_nothing_and_says_nothing(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, issue_registry: ir.IssueRegistry
) -> None:
    """Polling and repairs end with it, and begin again with it."""
    providers.answer("23telecom", "zero_balance_blocked")
    entry = account("23telecom")
    await set_up(hass, entry)
    assert len(issue_registry.issues) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert set(states(hass, entry).values()) == {"unavailable"}
    assert issue_registry.issues == {}
    await pass_time(hass, freezer, 7200)
    assert len(providers.requests) == 1

    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert states(hass, entry)["credit_blocked"] == "on"
    assert len(issue_registry.issues) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("healthy", id="a healthy account"),
        pytest.param("zero_balance_blocked", id="a blocked account"),
        pytest.param("error_forbidden", id="an account that was never readable"),
        pytest.param("error_invalid_api_key", id="an account whose key is refused"),
    ],
)
async def test_a_removed_account_leaves_nothing(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, answer: str
) -> None:
    """No device, entity, state, repair, form or request."""
    providers.answer("23telecom", answer)
    entry = account("23telecom", low_balance="5")
    await set_up(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    asked = len(providers.requests)
    await pass_time(hass, freezer, 7200)
    assert len(providers.requests) == asked
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert hass.config_entries.flow.async_progress() == []
    assert not er.async_get(hass).entities
    assert not list(dr.async_get(hass).devices)
    assert hass.states.async_all() == []
    assert ir.async_get(hass).issues == {}


async def test_a_disabled_account_asks_nothing(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """Disabling is unloading; enabling sets it up again."""
    entry = account("23telecom")
    await set_up(hass, entry)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await pass_time(hass, freezer, 7200)
    assert len(providers.requests) == 1

    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_reloads_ask_nobody(hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory) -> None:
    """Fifty in a row within two minutes; the schedule goes on as if there had been none."""
    entry = account("23telecom", low_balance="5")
    await set_up(hass, entry)
    before = states(hass, entry)
    for _ in range(50):
        await pass_time(hass, freezer, 2)
        assert await hass.config_entries.async_reload(entry.entry_id)
        assert states(hass, entry) == before
    assert len(providers.requests) == 1
    providers.answer("23telecom", "error_503_html")
    for wait, requests in ((197, 1), (5, 2)):
        await pass_time(hass, freezer, wait)
        assert len(providers.requests) == requests
    assert states(hass, entry)["status"] == "provider_error"
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert states(hass, entry)["status"] == "provider_error"

    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer, 150)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert states(hass, entry) == before
    assert len(providers.requests) == 3


async def test_repairs_outlast_a_reload(
    hass: HomeAssistant, providers: Providers, issue_registry: ir.IssueRegistry
) -> None:
    """What was known before includes what is to be done."""
    providers.answer("23telecom", "zero_balance_blocked")
    entry = account("23telecom")
    await set_up(hass, entry)
    before = set(issue_registry.issues)
    assert len(before) == 1
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert set(issue_registry.issues) == before
    assert len(providers.requests) == 1


async def test_what_is_known_belongs_to_the_credentials(hass: HomeAssistant, providers: Providers) -> None:
    """It goes with them, and with the entry."""
    entry = account("23telecom")
    await set_up(hass, entry)
    other = {"api_key": "sk_test_other"}
    providers.know("23telecom", **other)
    providers.answer("23telecom", "healthy_other_currency")
    hass.config_entries.async_update_entry(entry, data={"provider": "23telecom", **other})
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert len(providers.requests) == 2
    (balance,) = (each for each in hass.states.async_all("sensor") if each.entity_id.endswith("balance"))
    assert balance.attributes["unit_of_measurement"] == "USD"

    await hass.config_entries.async_remove(entry.entry_id)
    again = MockConfigEntry(domain=DOMAIN, title="23 Telecom", data={"provider": "23telecom", **other})
    await set_up(hass, again)
    assert len(providers.requests) == 3


async def test_a_silent_provider_holds_up_neither_start_nor_stop(hass: HomeAssistant, providers: Providers) -> None:
    """Setting up waits a moment only and the status says so meanwhile; what is under way ends with Home Assistant."""
    providers.answer("23telecom", NoConnection.WAITED_FOR)
    entry = account("23telecom", low_balance="5")
    begun = time.monotonic()
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert states(hass, entry) == dict.fromkeys(("balance", "credit_blocked", "low_credit"), "unknown") | {
        "status": "pending"
    }
    await hass.async_stop(force=True)
    assert time.monotonic() - begun < 8  # an answer has ten seconds
    assert len(providers.requests) == 1


ENDS: dict[str, Callable[[HomeAssistant, str], Coroutine[Any, Any, Any]]] = {
    "stopped": lambda hass, _entry_id: hass.async_stop(force=True),
    "removed": lambda hass, entry_id: hass.config_entries.async_remove(entry_id),
    "disabled": lambda hass, entry_id: hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER),
    "unloaded": lambda hass, entry_id: hass.config_entries.async_unload(entry_id),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    "before", [pytest.param("zero_balance_blocked", id="blocked"), pytest.param("error_invalid_api_key", id="refused")]
)
async def test_a_poll_does_not_outlive_its_account(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    before: str,
    end: str,
) -> None:
    """Whoever waits for it goes on without, and nothing is written behind the account's back."""
    providers.answer("23telecom", before)
    entry = account("23telecom")
    await set_up(hass, entry)
    shown = states(hass, entry)
    balance = entity_id(hass, entry, "balance")
    providers.answer("23telecom", NoConnection.WAITED_FOR)
    freezer.tick(150)
    updating = hass.async_create_task(begin_update(hass, balance))
    await providers.asked(2)
    assert states(hass, entry) == shown
    await ENDS[end](hass, entry.entry_id)
    await asyncio.wait({updating})
    assert updating.cancelled() or not updating.exception()  # Home Assistant itself may cancel it when it stops
    left = {"stopped": {}}.get(end, dict(issue_registry.issues))
    assert [issue for _, issue in left if issue.startswith("credit_blocked")] == []


async def test_accounts_do_not_disturb_each_other(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """The one provider's outage is not the other's."""
    telecom, ileti = account("23telecom"), account("iletimerkezi")
    await set_up(hass, telecom)
    await set_up(hass, ileti)
    providers.answer("23telecom", "error_503_html")
    await pass_time(hass, freezer)
    assert states(hass, telecom)["balance"] == "unavailable"
    assert states(hass, ileti)["balance"] == "10.584"
    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer)
    assert states(hass, telecom)["balance"] == "1250.50"
