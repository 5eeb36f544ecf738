"""What the user is asked to see to at the provider, and how it goes away."""

import dataclasses
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS, Cause, Status, Value

from .conftest import ALL_PAYLOADS, NoConnection, Providers, account, pass_time, raw, set_up, states, texts

# Home Assistant's own web server is what aiohttp warns of.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")

DENIALS = {
    each.outcome["cause"]: each for each in reversed(ALL_PAYLOADS) if each.outcome["status"] == Status.ACCESS_DENIED
}
"""An answer for each way in which access is denied."""


def issues(hass: HomeAssistant) -> dict[str, str]:
    """Return the integration's repairs: their ids with the texts that they show."""
    return {issue.issue_id: issue.translation_key for issue in ir.async_get(hass).issues.values()}


class Dialog:
    """A repair's dialog as the browser drives it."""

    def __init__(self, client: TestClient[Any, Any], issue_id: str) -> None:
        """Take a client that is logged in."""
        self._client, self._issue_id = client, issue_id
        self._flow_id = ""

    async def open(self) -> dict[str, Any]:
        """Open it."""
        shown = await self._post("/api/repairs/issues/fix", {"handler": DOMAIN, "issue_id": self._issue_id})
        self._flow_id = shown["flow_id"]
        return shown

    async def submit(self) -> dict[str, Any]:
        """Press its button."""
        return await self._post(f"/api/repairs/issues/fix/{self._flow_id}", {})

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self._client.post(path, json=body)
        assert answer.status == HTTPStatus.OK
        result: dict[str, Any] = await answer.json()
        return result


async def dialog(hass: HomeAssistant, hass_client: ClientSessionGenerator, issue_id: str) -> Dialog:
    """Return the dialog of a repair."""
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    return Dialog(await hass_client(), issue_id)


async def test_a_blocked_account_is_a_repair_until_it_is_topped_up(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """Neither an outage nor missing data says that it has been."""
    entry = account("iletimerkezi", title="OTP")
    await set_up(hass, entry)
    assert issues(hass) == {}
    blocked = {f"credit_blocked_{entry.entry_id}": "credit_blocked"}
    for answer, expected in (
        ("zero_balance_blocked", blocked),
        (NoConnection.REFUSED, blocked),
        ("error_503", blocked),
        ("negative_balance_blocked", blocked),
        ("healthy", {}),
        ("zero_balance_blocked", blocked),
        ("sms_credit_account", {}),
    ):
        providers.answer("iletimerkezi", answer)
        await pass_time(hass, freezer, 1200)
        assert issues(hass) == expected


async def test_a_repair_says_which_account_and_leads_to_the_panel(hass: HomeAssistant, providers: Providers) -> None:
    """Several accounts have several repairs."""
    blocking = {key: provider for key, provider in PROVIDERS.items() if Value.CREDIT_BLOCKED in provider.gives}
    for provider in blocking:
        providers.answer(provider, "zero_balance_blocked")
        await set_up(hass, account(provider, title=f"OTP by {provider}"))
    assert [
        (issue.translation_placeholders, issue.is_fixable, issue.severity)
        for issue in ir.async_get(hass).issues.values()
    ] == [
        (
            {"account": f"OTP by {key}", "provider": provider.name, "panel_url": provider.panel_url},
            True,
            ir.IssueSeverity.ERROR,
        )
        for key, provider in blocking.items()
    ]


async def test_a_repair_belongs_to_its_account(hass: HomeAssistant, providers: Providers) -> None:
    """Home Assistant 2026.11 hides it while the account is disabled; 2026.10 knows no such tie."""
    providers.answer("23telecom", "zero_balance_blocked")
    entry = account("23telecom")
    await set_up(hass, entry)
    (issue,) = ir.async_get(hass).issues.values()
    tie = {each.name for each in dataclasses.fields(issue)} & {"config_entry_id"}
    assert {getattr(issue, name) for name in tie} == {entry.entry_id for _ in tie}
    assert issue.data == {"entry_id": entry.entry_id}


@pytest.mark.parametrize("cause", DENIALS)
async def test_denied_access_is_a_repair_that_says_what_to_change(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, cause: str
) -> None:
    """It stays while nobody can say otherwise, and goes when access works."""
    provider, answer = DENIALS[cause].provider, DENIALS[cause].name
    entry = account(provider)
    await set_up(hass, entry)
    denied = {f"access_denied_{entry.entry_id}": cause}
    for reply, expected in ((answer, denied), ("error_503_html", denied), ("body_html", denied), ("healthy", {})):
        providers.answer(provider, reply)
        await pass_time(hass, freezer, 1200)
        assert issues(hass) == expected
    for language in ("en", "tr"):
        assert "{panel_url}" in texts(language)["issues"][cause]["fix_flow"]["step"]["confirm"]["description"]


def test_every_denial_has_an_answer() -> None:
    """A cause without a text would be a repair without words."""
    assert {*DENIALS} == {cause for cause in Cause if cause.status is Status.ACCESS_DENIED}


async def test_a_denial_for_another_reason_replaces_the_text(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """One step may be done and the next be missing; a refused key is a matter of its own."""
    entry = account("23telecom")
    await set_up(hass, entry)
    for answer, expected in (
        ("error_ip_not_allowed", {f"access_denied_{entry.entry_id}": "ip_not_allowed"}),
        ("error_forbidden", {f"access_denied_{entry.entry_id}": "permission_missing"}),
        ("error_invalid_api_key", {f"config_entry_reauth_{DOMAIN}_{entry.entry_id}": "config_entry_reauth"}),
    ):
        providers.answer("23telecom", answer)
        await pass_time(hass, freezer, 1200)
        assert issues(hass) == expected


async def test_the_dialog_asks_the_provider_at_once(
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
) -> None:
    """Who has topped up need not wait for the next poll to see it."""
    providers.answer("23telecom", "zero_balance_blocked")
    entry = account("23telecom", title="OTP")
    await set_up(hass, entry)
    repair = await dialog(hass, hass_client, f"credit_blocked_{entry.entry_id}")
    shown = await repair.open()
    assert (shown["type"], shown["step_id"], shown["errors"]) == ("form", "confirm", None)
    assert shown["description_placeholders"] == {
        "account": "OTP",
        "provider": "23 Telecom",
        "panel_url": "https://restlink23telecom.com",
    }
    await pass_time(hass, freezer, 150)
    asked = len(providers.requests)
    assert (await repair.submit())["errors"] == {"base": "unchanged"}
    assert len(providers.requests) == asked + 1

    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer, 150)
    assert (await repair.submit())["type"] == "create_entry"
    assert issues(hass) == {}
    assert states(hass, entry)["credit_blocked"] == "off"


async def test_the_dialog_does_not_pester_the_provider(
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
) -> None:
    """However often the button is pressed; after the pause that the provider wants, it works."""
    providers.answer("iletimerkezi", "zero_balance_blocked")
    entry = account("iletimerkezi")
    await set_up(hass, entry)
    repair = await dialog(hass, hass_client, f"credit_blocked_{entry.entry_id}")
    await repair.open()
    providers.answer("iletimerkezi", "healthy")
    for _ in range(3):
        assert (await repair.submit())["errors"] == {"base": "too_soon"}
    assert len(providers.requests) == 1

    await pass_time(hass, freezer, 125)
    assert (await repair.submit())["type"] == "create_entry"
    assert len(providers.requests) == 2


async def test_the_dialog_respects_a_pause_that_was_asked_for(
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
) -> None:
    """A Retry-After is longer than the usual pause."""
    providers.answer("23telecom", "error_forbidden")
    entry = account("23telecom")
    providers.answer("23telecom", "healthy")
    await set_up(hass, entry)
    providers.answer("23telecom", "error_forbidden")
    await pass_time(hass, freezer)
    providers.answer("23telecom", raw(429, Retry_After="1000"))
    await pass_time(hass, freezer)
    repair = await dialog(hass, hass_client, f"access_denied_{entry.entry_id}")
    await repair.open()
    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer, 900)
    assert (await repair.submit())["errors"] == {"base": "too_soon"}
    await pass_time(hass, freezer, 95)
    assert (await repair.submit())["errors"] == {"base": "too_soon"}
    await pass_time(hass, freezer, 4)
    assert (await repair.submit())["type"] == "create_entry"


ENDS: dict[str, Callable[[HomeAssistant, str], Coroutine[Any, Any, Any]]] = {
    "removed": lambda hass, entry_id: hass.config_entries.async_remove(entry_id),
    "disabled": lambda hass, entry_id: hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER),
    "unloaded": lambda hass, entry_id: hass.config_entries.async_unload(entry_id),
}


@pytest.mark.parametrize("end", ENDS)
async def test_the_dialog_of_an_account_that_is_gone_says_so(
    hass: HomeAssistant, providers: Providers, hass_client: ClientSessionGenerator, end: str
) -> None:
    """Somebody else may be faster than the person who reads it."""
    providers.answer("23telecom", "zero_balance_blocked")
    entry = account("23telecom")
    await set_up(hass, entry)
    repair = await dialog(hass, hass_client, f"credit_blocked_{entry.entry_id}")
    await repair.open()
    await ENDS[end](hass, entry.entry_id)
    closed = await repair.submit()
    assert (closed["type"], closed["reason"]) == ("abort", "not_loaded")
    assert issues(hass) == {}


@pytest.mark.parametrize("end", ENDS)
async def test_the_dialog_does_not_wait_for_an_account_that_is_gone(
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
    end: str,
) -> None:
    """Its check ends with the account, and writes nothing."""
    providers.answer("23telecom", "zero_balance_blocked")
    entry = account("23telecom")
    await set_up(hass, entry)
    repair = await dialog(hass, hass_client, f"credit_blocked_{entry.entry_id}")
    await repair.open()
    providers.answer("23telecom", NoConnection.WAITED_FOR)
    freezer.tick(150)
    submitting = hass.async_create_task(repair.submit())
    await providers.asked(2)
    await ENDS[end](hass, entry.entry_id)
    closed = await submitting
    assert (closed["type"], closed["reason"]) == ("abort", "not_loaded")
    assert issues(hass) == {}


async def test_the_dialog_helps_an_account_that_was_never_read(
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
) -> None:
    """After a restart with access denied, there is a repair like at any other time."""
    providers.answer("23telecom", "error_ip_not_allowed")
    entry: MockConfigEntry = account("23telecom")
    await set_up(hass, entry)
    repair = await dialog(hass, hass_client, f"access_denied_{entry.entry_id}")
    await repair.open()
    assert (await repair.submit())["errors"] == {"base": "too_soon"}
    await pass_time(hass, freezer, 150)
    assert (await repair.submit())["errors"] == {"base": "unchanged"}

    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer, 150)
    assert (await repair.submit())["type"] == "create_entry"
    assert states(hass, entry)["status"] == "fresh"
    assert issues(hass) == {}
