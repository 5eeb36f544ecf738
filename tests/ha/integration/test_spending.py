"""What an account's entities say of its spending: spent, topped up, how long it lasts, and whether it is unusual."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_DEVICE_CLASS, ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .conftest import Answer, NoConnection, Providers, account, entity_id, pass_time, raw, set_up, spending

HOUR = 3600


def money(amount: str, currency: str = "EUR", **more: str) -> Answer:
    """Return 23 Telecom's answer with this balance, and with these headers."""
    return raw(200, f'{{"balance": {amount}, "currency": "{currency}"}}'.encode(), **more)


def credit(amount: str, messages: str) -> Answer:
    """Return iletiMerkezi's answer with this balance and so many messages."""
    body = f'{{"response": {{"status": {{"code": 200}}, "balance": {{"amount": {amount}, "sms": {messages}}}}}}}'
    return raw(200, body.encode())


async def live(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, answers: Iterable[Answer]
) -> None:
    """Let 23 Telecom's account answer like this, from hour to hour."""
    for answer in answers:
        providers.answer("23telecom", answer)
        await pass_time(hass, freezer, HOUR)


def falling(amount: int, steps: Iterable[str]) -> Iterable[Answer]:
    """Yield answers with a balance that falls by so much each time."""
    left = Decimal(amount)
    for step in steps:
        left -= Decimal(step)
        yield money(f"{left}")


SPENT = [
    pytest.param("23telecom", [money("100")], "0", "EUR", id="nothing yet"),
    pytest.param("23telecom", [money("100"), money("99.99"), money("90")], "10.00", "EUR", id="money"),
    pytest.param("23telecom", [money("100"), money("90"), money("500"), money("499.5")], "10.5", "EUR", id="a top-up"),
    pytest.param(
        "23telecom", [money("100"), money("1", X_Sms_Gateway_Status="partial"), money("99")], "1", "EUR", id="partial"
    ),
    pytest.param("23telecom", [money("5", X_Sms_Gateway_Status="partial")], "0", "EUR", id="partial from the start"),
    pytest.param("23telecom", [money("100"), money("50"), money("70", "USD")], "0", "USD", id="another currency"),
    pytest.param(
        "23telecom",
        [money("100"), money("50"), money("70", "USD"), money("40")],
        "60",
        "EUR",
        id="a currency that comes back",
    ),
    pytest.param("iletimerkezi", [credit("10", "60"), credit("8.5", "50")], "1.5", "TRY", id="lira, not messages"),
    pytest.param("iletimerkezi", [credit("0", "60"), credit("0", "50")], "10", "SMS", id="messages"),
]


@pytest.mark.parametrize(("provider", "answers", "spent", "unit"), SPENT)
async def test_what_is_spent_is_counted_in_what_the_account_pays_with(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    provider: str,
    answers: list[Answer],
    spent: str,
    unit: str,
) -> None:
    """To the last digit. Money is money for Home Assistant, and messages are a number."""
    providers.answer(provider, answers[0])
    entry = account(provider)
    await set_up(hass, entry)
    for answer in answers[1:]:
        providers.answer(provider, answer)
        await pass_time(hass, freezer)
    state = hass.states.get(entity_id(hass, entry, "spent"))
    assert (state.state, state.attributes[ATTR_UNIT_OF_MEASUREMENT]) == (spent, unit)
    assert state.attributes.get(ATTR_DEVICE_CLASS) == {"SMS": None}.get(unit, "monetary")
    assert state.attributes["state_class"] == "total"


async def test_before_the_first_reading_there_is_no_unit_that_could_be_wrong(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """IletiMerkezi's accounts may pay with lira or with messages."""
    providers.answer("iletimerkezi", NoConnection.REFUSED)
    entry = account("iletimerkezi")
    await set_up(hass, entry)
    state = hass.states.get(entity_id(hass, entry, "spent"))
    assert state.state == "unavailable"
    assert ATTR_UNIT_OF_MEASUREMENT not in state.attributes
    providers.answer("iletimerkezi", credit("0", "60"))
    await pass_time(hass, freezer)
    state = hass.states.get(entity_id(hass, entry, "spent"))
    assert (state.state, state.attributes[ATTR_UNIT_OF_MEASUREMENT]) == ("0", "SMS")


TOP_UPS = [
    pytest.param("23telecom", [money("100"), money("150.50")], ("50.50", "EUR"), id="money"),
    pytest.param("23telecom", [money("1e2"), money("1e3")], ("900", "EUR"), id="1e3"),
    pytest.param("iletimerkezi", [credit("0", "60"), credit("0", "1060")], ("1000", None), id="messages"),
]


@pytest.mark.parametrize(("provider", "answers", "expected"), TOP_UPS)
async def test_a_top_up_is_an_event_with_what_was_added(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    provider: str,
    answers: list[Answer],
    expected: tuple[str, str | None],
) -> None:
    """The exact amount as text; no currency where messages were added. A refund is no event."""
    providers.answer(provider, answers[0])
    entry = account(provider)
    await set_up(hass, entry)
    assert spending(hass, entry)["topped_up"] == "unknown"
    providers.answer(provider, answers[1])
    await pass_time(hass, freezer)
    state = hass.states.get(entity_id(hass, entry, "topped_up"))
    assert state.attributes["event_type"] == "topped_up"
    assert (state.attributes["amount"], state.attributes["currency"]) == expected
    await pass_time(hass, freezer)
    assert hass.states.get(entity_id(hass, entry, "topped_up")).state == state.state


async def test_a_currency_that_comes_back_brings_no_old_top_up(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """It was told when it was one; the next one is told again."""
    providers.answer("23telecom", money("100"))
    entry = account("23telecom")
    await set_up(hass, entry)
    await live(hass, providers, freezer, [money("150")])
    told = spending(hass, entry)["topped_up"]
    await live(hass, providers, freezer, [money("70", "USD"), money("150")])
    assert spending(hass, entry)["topped_up"] == told != "unknown"
    await live(hass, providers, freezer, [money("70", "USD"), money("250")])
    assert spending(hass, entry)["topped_up"] > told


async def test_a_refund_is_no_top_up(hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory) -> None:
    """A message that was not delivered is paid back: nobody has added credit."""
    providers.answer("23telecom", money("100"))
    entry = account("23telecom")
    await set_up(hass, entry)
    await live(hass, providers, freezer, [money("99"), money("99.02"), money("98")])
    assert spending(hass, entry)["topped_up"] == "unknown"
    assert spending(hass, entry)["spent"] == "2.02"


async def test_how_long_the_credit_lasts_is_told_once_it_can_be(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """In days; not in the first hours, nor of an account that spends nothing. A low runway is low credit."""
    providers.answer("23telecom", money("1000"))
    entry = account("23telecom", title="OTP", low_runway="3.5")
    await set_up(hass, entry)
    assert spending(hass, entry)["runway"] == "unknown"
    assert hass.states.get("binary_sensor.otp_low_credit").state == "unknown"
    await live(hass, providers, freezer, falling(1000, ["10"] * 48))
    runway = hass.states.get(entity_id(hass, entry, "runway"))
    assert 1 < float(runway.state) <= 520 / 240  # at the pace so far; the core is careful at first
    assert runway.attributes[ATTR_UNIT_OF_MEASUREMENT] == "d"
    low = hass.states.get("binary_sensor.otp_low_credit")
    assert (low.state, low.attributes["reasons"], low.attributes["low_runway"]) == ("on", ["runway"], 3.5)

    await live(hass, providers, freezer, [money("5000")])
    assert hass.states.get("binary_sensor.otp_low_credit").state == "off"
    assert float(spending(hass, entry)["runway"]) > 10


async def test_an_account_that_spends_nothing_has_no_end_in_sight(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """No number could say so."""
    providers.answer("23telecom", money("100"))
    entry = account("23telecom")
    await set_up(hass, entry)
    await live(hass, providers, freezer, [money("100")] * 60)
    assert spending(hass, entry) == {
        "runway": "unknown",
        "spent": "0",
        "topped_up": "unknown",
        "unusual_spending": "unknown",
    }


@pytest.mark.freeze_time("2026-11-21 12:00:00+00:00")
async def test_unusual_spending_is_told_once_there_is_something_usual(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """After two days at a steady pace, somebody drains the account."""
    providers.answer("23telecom", money("10000"))
    entry = account("23telecom", title="OTP")
    await set_up(hass, entry)
    assert spending(hass, entry)["unusual_spending"] == "unknown"
    await live(hass, providers, freezer, falling(10000, ["10"] * 72))
    assert spending(hass, entry)["unusual_spending"] == "off"
    await live(hass, providers, freezer, falling(9280, ["400"] * 4))
    assert spending(hass, entry)["unusual_spending"] == "on"
    await live(hass, providers, freezer, [NoConnection.REFUSED] * 3)
    assert list(hass.states.get("sensor.otp_status").attributes["problems"]) == ["unusual"]
    await live(hass, providers, freezer, [money("5000", "USD")])
    assert spending(hass, entry)["unusual_spending"] == "unknown"
    assert hass.states.get("sensor.otp_status").attributes["problems"] == {}


SILENCES = [
    pytest.param(NoConnection.REFUSED, "unavailable", "unavailable", id="an outage"),
    pytest.param("error_ip_not_allowed", "unavailable", "unavailable", id="access denied"),
    pytest.param("unavailable_cache_disabled", "known", "unknown", id="no data"),
    pytest.param("onboarding", "unknown", "unknown", id="an account that is set up anew"),
]


@pytest.mark.parametrize(("answer", "at_once", "later"), SILENCES)
async def test_nothing_is_said_of_spending_while_nothing_is_known(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    answer: Answer,
    at_once: str,
    later: str,
) -> None:
    """As it is with the balance; it goes on where it was with the next reading."""
    providers.answer("23telecom", money("1000"))
    entry = account("23telecom")
    await set_up(hass, entry)
    await live(hass, providers, freezer, falling(1000, ["10"] * 60))
    assert heard(hass, entry) == "known"
    providers.answer("23telecom", answer)
    for expected in (at_once, later):
        await pass_time(hass, freezer, HOUR - 10)
        await pass_time(hass, freezer, 5)
        assert heard(hass, entry) == expected
        await pass_time(hass, freezer, 5)
    providers.answer("23telecom", money("390"))
    await pass_time(hass, freezer, HOUR)
    assert spending(hass, entry)["spent"] == "610"
    assert heard(hass, entry) == "known"


def heard(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return whether spent, runway and unusual spending are known, unknown or unavailable, which they are together."""
    said: dict[str, Any] = spending(hass, entry)
    del said["topped_up"]
    (word,) = {state if state in {"unknown", "unavailable"} else "known" for state in said.values()}
    return word


async def test_forecasts_grow_old_while_readings_are_partial(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """The balance is known, but partial readings say nothing of what was spent."""
    providers.answer("23telecom", money("1000"))
    entry = account("23telecom")
    await set_up(hass, entry)
    await live(hass, providers, freezer, falling(1000, ["10"] * 60))
    providers.answer("23telecom", money("400", X_Sms_Gateway_Status="partial"))
    await pass_time(hass, freezer, HOUR - 60)
    assert spending(hass, entry)["runway"] != "unknown"
    await pass_time(hass, freezer, 62)
    assert spending(hass, entry)["runway"] == spending(hass, entry)["unusual_spending"] == "unknown"
    assert spending(hass, entry)["spent"] == "600"
