"""Setting up, unloading and removing an account."""

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

from .conftest import CREDENTIALS, NAMES, Answer, NoConnection, Providers, account, pass_time, raw, set_up, states


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
    assert states(hass, entry) == dict.fromkeys(
        ("balance", "credit_blocked", "low_credit", "provider_updated"), "unavailable"
    ) | {"status": status}

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
    """Nobody but the user can help, so it is left at one more request; the form says why."""
    refused = {**CREDENTIALS[provider], "api_key": "of_another_account"}
    entry = MockConfigEntry(domain=DOMAIN, data={"provider": provider, **refused})
    await set_up(hass, entry)
    assert states(hass, entry)["status"] == "auth_failed"
    assert states(hass, entry)["balance"] == "unavailable"
    for _ in range(5):
        await pass_time(hass, freezer, 3600)
    assert len(providers.requests) == 2
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert form["errors"] == {"base": cause}

    providers.know(provider, **refused)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert states(hass, entry)["status"] == "fresh"


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
