"""Low credit: when it is said, and above all when it is not said again."""

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    async_mock_restore_state_shutdown_restart,
    async_mock_service,
)

from .conftest import Answer, NoConnection, Payload, Providers, account, entity_id, pass_time, raw, set_up, states

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
    pytest.param([("100", "off"), ("no data", "off"), ("wait", "unknown")], id="no data for long while all is well"),
    pytest.param([("10", "on"), ("onboarding", "unknown"), ("100", "off")], id="an account that is set up anew"),
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
        pytest.param([balance("10")], "onboarding", "unknown", id="the account is new now"),
        pytest.param([balance("100")], "unavailable_cache_disabled", "unknown", id="sufficient, and no data since"),
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
    """Only low credit is remembered: that it was sufficient says nothing about now."""
    entry = account("23telecom", title="OTP", low_balance="50")
    providers.answer("23telecom", before[0])
    await set_up(hass, entry)
    for each in before[1:]:
        providers.answer("23telecom", each)
        await pass_time(hass, freezer)
    await hass.config_entries.async_unload(entry.entry_id)
    await async_mock_restore_state_shutdown_restart(hass)
    providers.answer("23telecom", answer)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
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
