"""Low credit: when it is said, and above all when it is not said again."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_mock_service

from .conftest import (
    CHECKOUT,
    CREDENTIALS,
    Answer,
    NoConnection,
    Payload,
    Providers,
    account,
    entity_id,
    pass_time,
    raw,
    restart,
    set_up,
    set_up_again,
    states,
)

LOW_CREDIT = "binary_sensor.otp_low_credit"


def balance(amount: str) -> Payload:
    """Return an answer with this balance."""
    return raw(200, f'{{"balance": {amount}, "currency": "EUR"}}'.encode())


def low(hass: HomeAssistant) -> str:
    """Return what the sensor says."""
    return hass.states.get(LOW_CREDIT).state


@pytest.mark.parametrize(
    ("provider", "options", "expected"),
    [
        pytest.param("23telecom", {"low_balance": "1250.49"}, "off", id="balance above its limit"),
        pytest.param("23telecom", {"low_balance": "1250.5"}, "on", id="balance at its limit"),
        pytest.param("23telecom", {"low_balance": "2000"}, "on", id="balance below its limit"),
        pytest.param("23telecom", {"low_balance": "0"}, "off", id="zero is a limit too"),
        pytest.param("23telecom", {"low_quota": "2500", "message_price": "0.5"}, "off", id="worked-out quota above"),
        pytest.param("23telecom", {"low_quota": "2501", "message_price": "0.5"}, "on", id="worked-out quota at"),
        pytest.param("iletimerkezi", {"low_quota": "66"}, "off", id="quota above its limit"),
        pytest.param("iletimerkezi", {"low_quota": "67"}, "on", id="quota at its limit"),
        pytest.param("iletimerkezi", {"low_balance": "1", "low_quota": "100"}, "on", id="one of two limits reached"),
        pytest.param("iletimerkezi", {"low_balance": "1", "low_quota": "1"}, "off", id="none of two limits reached"),
    ],
)
@pytest.mark.usefixtures("providers")
async def test_credit_is_low_at_a_limit_or_below(
    hass: HomeAssistant, provider: str, options: dict[str, str], expected: str
) -> None:
    """Any of the limits suffices."""
    await set_up(hass, account(provider, title="OTP", **options))
    assert low(hass) == expected


@pytest.mark.usefixtures("providers")
async def test_without_a_limit_there_is_no_such_sensor(hass: HomeAssistant) -> None:
    """Nothing could be said."""
    entry = account("23telecom", message_price="0.5")
    await set_up(hass, entry)
    assert "low_credit" not in states(hass, entry)


SAYINGS = [
    pytest.param([("100", "off"), ("10", "on"), ("100", "off")], id="low and topped up"),
    pytest.param([("100", "off"), ("outage", "unavailable"), ("100", "off")], id="an outage while all is well"),
    pytest.param([("100", "off"), ("outage", "unavailable"), ("10", "on")], id="low after an outage"),
    pytest.param([("10", "on"), ("outage", "on"), ("10", "on")], id="an outage while low"),
    pytest.param([("10", "on"), ("outage", "on"), ("100", "off")], id="topped up in an outage"),
    pytest.param([("10", "on"), ("denied", "on"), ("10", "on")], id="access lost while low"),
    pytest.param([("10", "on"), ("no data", "on"), ("wait", "on"), ("10", "on")], id="no data for long while low"),
    pytest.param([("100", "off"), ("no data", "off"), ("wait", "off")], id="no data for long while all is well"),
    pytest.param([("10", "on"), ("onboarding", "on"), ("100", "off")], id="an account that is set up anew while low"),
    pytest.param([("100", "off"), ("onboarding", "off"), ("10", "on")], id="an account that is set up anew"),
]


@pytest.mark.parametrize("course", SAYINGS)
async def test_low_credit_stays_low_until_a_reading_says_otherwise(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, course: list[tuple[str, str]]
) -> None:
    """And it is never said to be sufficient by a provider that says nothing."""
    answers = {
        "10": balance("10"),
        "100": balance("100"),
        "outage": NoConnection.REFUSED,
        "denied": "error_ip_not_allowed",
        "no data": "unavailable_cache_disabled",
        "wait": "unavailable_cache_disabled",
        "onboarding": "onboarding",
    }
    waits = {"wait": 3600}
    providers.answer("23telecom", answers[course[0][0]])
    await set_up(hass, account("23telecom", title="OTP", low_balance="50"))
    said = [low(hass)]
    for what, _ in course[1:]:
        providers.answer("23telecom", answers[what])
        await pass_time(hass, freezer, waits.get(what, 300))
        said.append(low(hass))
    assert said == [expected for _, expected in course]


@pytest.mark.parametrize(
    ("before", "answer", "after"),
    [
        pytest.param([balance("10")], balance("10"), "on", id="still low"),
        pytest.param([balance("10")], balance("100"), "off", id="topped up meanwhile"),
        pytest.param([balance("10")], "unavailable_cache_disabled", "on", id="low, and no data since"),
        pytest.param([balance("10"), "error_503_html"], "unavailable_cache_disabled", "on", id="low in an outage"),
        pytest.param([balance("10")], NoConnection.REFUSED, "on", id="low, and no connection yet"),
        pytest.param([balance("10")], "error_invalid_api_key", "on", id="low, and the key is refused now"),
        pytest.param([balance("10")], "onboarding", "on", id="low, and the account is set up anew"),
        pytest.param([balance("100")], "onboarding", "off", id="sufficient, and the account is set up anew"),
        pytest.param([balance("100")], "unavailable_cache_disabled", "off", id="sufficient, and no data since"),
        pytest.param([balance("100")], "error_503_html", "unavailable", id="sufficient, and an outage since"),
        pytest.param(["onboarding"], "unavailable_cache_disabled", "unknown", id="nothing known before or since"),
        pytest.param([balance("100")], balance("10"), "on", id="low meanwhile"),
    ],
)
async def test_low_credit_outlasts_a_restart(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    before: list[Answer],
    answer: Answer,
    after: str,
) -> None:
    """What was said last holds until a reading says otherwise."""
    entry = account("23telecom", title="OTP", low_balance="50")
    providers.answer("23telecom", before[0])
    await set_up(hass, entry)
    for each in before[1:]:
        providers.answer("23telecom", each)
        await pass_time(hass, freezer)
    providers.answer("23telecom", answer)
    await restart(hass, freezer, entry)
    assert low(hass) == after


@pytest.fixture
def alarms(hass: HomeAssistant) -> list[ServiceCall]:
    """Collect the alarms of the automation below."""
    return async_mock_service(hass, "notify", "alarm")


async def test_the_simplest_automation_alarms_once_for_each_low_credit(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, alarms: list[ServiceCall]
) -> None:
    """An outage, a denial of access or an hour without data in between is no second alarm, nor does it hide one."""
    entry = account("23telecom", title="OTP", low_balance="50")
    providers.answer("23telecom", balance("100"))
    await set_up(hass, entry)
    triggers = [{"trigger": "state", "entity_id": LOW_CREDIT, "to": "on"}]
    automation = {"alias": "Alarm", "triggers": triggers, "actions": [{"action": "notify.alarm"}]}
    assert await async_setup_component(hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: [automation]})
    for answer, wait, total in (
        (balance("50"), 300, 1),
        (NoConnection.REFUSED, 300, 1),
        (balance("49"), 600, 1),
        ("error_forbidden", 600, 1),
        (balance("48"), 1200, 1),
        ("unavailable_cache_disabled", 7200, 1),
        (balance("47"), 600, 1),
        (balance("500"), 600, 1),
        (NoConnection.REFUSED, 600, 1),
        (balance("5"), 1200, 2),
    ):
        providers.answer("23telecom", answer)
        await pass_time(hass, freezer, wait)
        assert len(alarms) == total
    assert entity_id(hass, entry, "low_credit") == LOW_CREDIT


@pytest.fixture
async def said(hass: HomeAssistant, providers: Providers) -> AsyncIterator[list[str]]:
    """Collect what low credit says from the moment on at which it is on."""
    providers.answer("23telecom", balance("10"))
    said: list[str] = []
    entry = account("23telecom", title="OTP", low_balance="50")
    await set_up(hass, entry)
    stop = async_track_state_change_event(hass, LOW_CREDIT, lambda event: said.append(event.data["new_state"].state))
    assert low(hass) == "on"
    yield said
    stop()


CHANGES = [
    pytest.param({"low_balance": 60}, ["on"], "60", id="another limit, still reached"),
    pytest.param({"low_balance": 50, "message_price": 0.5}, [], "50", id="a price, which brings an entity"),
    pytest.param({"low_balance": 5}, ["off"], "5", id="another limit, not reached"),
]


@pytest.mark.parametrize(("entered", "expected", "limit"), CHANGES)
async def test_other_limits_count_at_once_and_take_nothing_away(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    said: list[str],
    entered: dict[str, float],
    expected: list[str],
    limit: str,
) -> None:
    """The account is not set up anew for them: what is low stays so without a gap, and nobody is asked."""
    (entry,) = hass.config_entries.async_entries("sms_credit")
    asked = len(providers.requests)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(form["flow_id"], entered)
    await hass.async_block_till_done()
    assert said == expected
    assert f"{hass.states.get(LOW_CREDIT).attributes['low_balance']}" == limit
    assert len(providers.requests) == asked


@pytest.mark.parametrize("how", [SOURCE_REAUTH, SOURCE_RECONFIGURE])
@pytest.mark.parametrize("key", [pytest.param("sk_test_new", id="another key"), pytest.param(None, id="the same key")])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(balance("9"), [], id="still low"),
        pytest.param("unavailable_cache_disabled", [], id="no data"),
        pytest.param(balance("900"), ["off"], id="sufficient"),
    ],
)
async def test_new_credentials_take_nothing_away(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    said: list[str],
    how: str,
    key: str | None,
    answer: Answer,
    expected: list[str],
) -> None:
    """The form's own request is the next reading; there is no other, and no gap before it."""
    (entry,) = hass.config_entries.async_entries("sms_credit")
    credentials = {"api_key": key or CREDENTIALS["23telecom"]["api_key"]}
    providers.know("23telecom", **credentials)
    providers.answer("23telecom", answer)
    asked = len(providers.requests)
    form = await hass.config_entries.flow.async_init(
        "sms_credit", context={"source": how, "entry_id": entry.entry_id}, data=dict(entry.data)
    )
    result = await hass.config_entries.flow.async_configure(form["flow_id"], credentials)
    await hass.async_block_till_done()
    assert result["reason"] == f"{how}_successful"
    assert said == expected
    assert len(providers.requests) == asked + 1


async def test_the_documented_alarm_rings_for_news_only(
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    alarms: list[ServiceCall],
) -> None:
    """Home Assistant shows every reload as unavailable and back again; low credit that comes back is no news."""
    entry = account("23telecom", title="OTP", low_balance="50")
    providers.answer("23telecom", balance("100"))
    await set_up(hass, entry)
    automation = {"alias": "Alarm", **documented(), "actions": [{"action": "notify.alarm"}]}
    assert await async_setup_component(hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: [automation]})
    for answer, wait, total in (
        (balance("50"), 300, 1),
        (balance("49"), 3, 1),
        (NoConnection.REFUSED, 300, 1),
        (balance("48"), 600, 1),
        (balance("500"), 600, 1),
        (NoConnection.REFUSED, 600, 1),
        (balance("5"), 1200, 2),
        (balance("500"), 600, 2),
        (balance("4"), 3, 2),
        (balance("4"), 297, 3),
    ):
        providers.answer("23telecom", answer)
        await pass_time(hass, freezer, wait)
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        assert len(alarms) == total


def documented() -> dict[str, Any]:
    """Return the automation that the documentation shows, as far as it is shown."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    (example,) = (
        example for example in map(yaml.safe_load, blocks) if "triggers" in example and "alias" not in example
    )
    text = str(example).replace("binary_sensor.23_telecom_low_credit", LOW_CREDIT)
    shown: dict[str, Any] = yaml.safe_load(text)
    return shown


DOCUMENT = (CHECKOUT / "docs" / "home-assistant.md").read_text()


async def test_a_reload_keeps_what_was_known(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """Nobody is asked again in a moment, so what comes back is what was there, in an outage too."""
    entry = account("23telecom", title="OTP", low_balance="50")
    providers.answer("23telecom", balance("10"))
    await set_up(hass, entry)
    for answer, wait in ((balance("10"), 0), (NoConnection.REFUSED, 300), ("onboarding", 300), (balance("10"), 300)):
        providers.answer("23telecom", answer)
        await pass_time(hass, freezer, wait)
        before, asked = states(hass, entry), len(providers.requests)
        assert await hass.config_entries.async_unload(entry.entry_id)
        await set_up_again(hass, entry)
        assert states(hass, entry) == before
        assert before["low_credit"] == "on"
        assert len(providers.requests) == asked


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param({"low_balance": "50"}, {"low_balance": 50}, id="a whole number"),
        pytest.param({"low_balance": "12.345"}, {"low_balance": 12.345}, id="a fraction"),
        pytest.param(
            {"low_balance": "0", "low_quota": "500", "message_price": "0.5"},
            {"low_balance": 0, "low_quota": 500},
            id="both limits",
        ),
    ],
)
@pytest.mark.usefixtures("providers")
async def test_the_limits_are_at_hand_for_an_alarms_words(
    hass: HomeAssistant, options: dict[str, str], shown: dict[str, float]
) -> None:
    """As they were entered, and under the names of the options."""
    await set_up(hass, account("23telecom", title="OTP", **options))
    attributes = hass.states.get(LOW_CREDIT).attributes
    assert {name: value for name, value in attributes.items() if name.startswith("low_")} == shown
