"""When the states of an account are written: whenever they show something new, and at no other time."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import async_get_platforms

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS

from .conftest import ALL_PAYLOADS, Answer, NoConnection, Providers, account, entity_id, pass_time, raw, set_up

LIMITS = {"low_balance": "50", "low_quota": "500", "low_runway": "3", "message_price": "0.021"}

pytestmark = pytest.mark.usefixtures("every_entity")


def telecom(amount: str) -> Answer:
    """Return 23 Telecom's answer with this balance."""
    return raw(200, f'{{"balance": {amount}, "currency": "EUR"}}'.encode())


@pytest.fixture
def written(hass: HomeAssistant) -> list[str]:
    """Return the entities of which a state has been written, each time, whether or not it is another one."""
    entity_ids: list[str] = []

    @callback
    def is_wanted(_data: object) -> bool:
        return True

    @callback
    def note(event: Event[dict[str, str]]) -> None:
        entity_ids.append(event.data["entity_id"])

    for kind in (EVENT_STATE_CHANGED, EVENT_STATE_REPORTED):
        hass.bus.async_listen(kind, note, event_filter=is_wanted)
    return entity_ids


def reported(hass: HomeAssistant) -> dict[str, datetime]:
    """Return when each state was last written."""
    return {state.entity_id: state.last_reported for state in hass.states.async_all()}


def entities(hass: HomeAssistant) -> Iterator[Entity]:
    """Yield the account's entities."""
    for platform in async_get_platforms(hass, DOMAIN):
        yield from platform.entities.values()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(telecom("100"), id="while the credit is spent on nothing"),
        pytest.param(telecom("10"), id="while it stays low"),
        pytest.param("negative_balance_blocked", id="while the account stays blocked"),
        pytest.param("unavailable_cache_disabled", id="while the provider has no data"),
    ],
)
async def test_nothing_is_written_while_nothing_changes(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, written: list[str], answer: Answer
) -> None:
    """Polls go on, states stay untouched; the next change is written at once."""
    providers.answer("23telecom", answer)
    entry = account("23telecom", **LIMITS)
    await set_up(hass, entry)
    await pass_time(hass, freezer)
    before, asked = reported(hass), len(providers.requests)
    written.clear()
    for _ in range(3):
        await pass_time(hass, freezer)
    assert len(providers.requests) == asked + 3
    assert written == []
    assert reported(hass) == before
    providers.answer("23telecom", telecom("99"))
    await pass_time(hass, freezer)
    assert entity_id(hass, entry, "balance") in written


async def test_what_changes_is_written_and_nothing_else(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, written: list[str]
) -> None:
    """Some messages change what there is and what was spent."""
    entry = account("23telecom", low_balance="50", message_price="0.5")
    providers.answer("23telecom", telecom("100"))
    await set_up(hass, entry)
    await pass_time(hass, freezer)
    written.clear()
    providers.answer("23telecom", telecom("99"))
    await pass_time(hass, freezer)
    assert sorted(written) == sorted(entity_id(hass, entry, key) for key in ("balance", "sms_quota", "spent"))


async def test_a_failure_is_written_once(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, written: list[str]
) -> None:
    """All entities become unavailable but for the status, and stay so in silence; recovery is written once."""
    entry = account("23telecom", low_balance="50")
    await set_up(hass, entry)
    await pass_time(hass, freezer)
    everything = sorted(entity.entity_id for entity in entities(hass))
    written.clear()
    providers.answer("23telecom", NoConnection.REFUSED)
    await pass_time(hass, freezer)
    assert sorted(written) == everything
    written.clear()
    await pass_time(hass, freezer)
    assert written == []
    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer, 600)
    assert sorted(written) == everything


async def test_a_runway_is_no_other_with_every_poll(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, written: list[str]
) -> None:
    """It wavers by seconds while nothing is spent, which three digits do not show; they show what is spent."""
    entry = account("23telecom")
    amount = 500
    await set_up(hass, entry)
    for _ in range(72):
        amount -= 1
        providers.answer("23telecom", telecom(str(amount)))
        await pass_time(hass, freezer)
    runway = entity_id(hass, entry, "runway")
    assert 0 < float(hass.states.get(runway).state) < 10
    written.clear()
    for _ in range(6):
        await pass_time(hass, freezer)
    assert written.count(runway) < 6
    digits = hass.states.get(runway).state.replace(".", "").strip("0")
    assert 1 <= len(digits) <= 3
    providers.answer("23telecom", telecom(str(amount - 100)))
    await pass_time(hass, freezer)
    assert runway in written


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_stands_is_what_the_entities_show(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    provider: str,
) -> None:
    """Through every outcome that the provider's answers have, whatever came before: no change goes unwritten."""
    entry = account(provider, **LIMITS)
    await set_up(hass, entry)
    outcomes = {repr(each.outcome): each for each in ALL_PAYLOADS if each.provider == provider}
    for payload in outcomes.values():
        providers.answer(provider, payload)
        await pass_time(hass, freezer, 3600)  # so that values are held, and then too old
        for entity in entities(hass):
            shown, state = entity._async_calculate_state(), hass.states.get(entity.entity_id)  # noqa: SLF001
            assert (state.state, dict(state.attributes)) == (shown.state, shown.attributes), payload.name
    assert len([*entities(hass)]) == len(er.async_entries_for_config_entry(entity_registry, entry.entry_id))
