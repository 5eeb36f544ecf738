"""The automation blueprint in Home Assistant: what is told when, and what is not told again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.components.blueprint import BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.const import EVENT_HOMEASSISTANT_START
from homeassistant.core import CoreState, HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util import yaml as yaml_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed, async_mock_service

from .conftest import CHECKOUT, Answer, NoConnection, Providers, account, raw, set_up

BLUEPRINT = CHECKOUT / "blueprints" / "automation" / "sms_credit" / "credit_alert.yaml"

ENTITIES = {
    "status": "sensor.otp_status",
    "credit_blocked": "binary_sensor.otp_credit_blocked",
    "low_credit": "binary_sensor.otp_low_credit",
}
"""The inputs that name an account titled OTP."""

TELL = {"action": "notify.me", "data": {"title": "{{ title }}", "message": "{{ message }}", "data": "{{ problems }}"}}

LOW = "The credit is low."
BLOCKED = "The provider has blocked sending for lack of credit."
ACCESS = "The provider refuses access to the account. Home Assistant shows what to do under Settings."


def balance(amount: str, *, blocked: bool = False) -> Answer:
    """Return 23 Telecom's answer with this balance."""
    flag = ', "credit_blocked": true' if blocked else ""
    return raw(200, f'{{"balance": {amount}, "currency": "EUR"{flag}}}'.encode())


PLENTY, SOME, NONE = balance("100"), balance("10"), balance("0", blocked=True)


@pytest.fixture
def told(hass: HomeAssistant) -> list[ServiceCall]:
    """Collect what is told."""
    return async_mock_service(hass, "notify", "me")


Automate = Callable[..., Awaitable[None]]


@pytest.fixture
async def automate(hass: HomeAssistant) -> AsyncIterator[Automate]:
    """Make an automation of the blueprint as its file stands in the repository; it ends with the test."""
    folder = Path(hass.config.path("blueprints", "automation", "sms_credit"))

    def install() -> None:
        folder.mkdir(parents=True)
        (folder / BLUEPRINT.name).write_text(BLUEPRINT.read_text())

    async def automate(**inputs: object) -> None:
        await hass.async_add_executor_job(install)
        use = {"path": f"sms_credit/{BLUEPRINT.name}", "input": {**ENTITIES, "notify": [TELL], **inputs}}
        assert await async_setup_component(
            hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: {"id": "alert", "alias": "Alert", "use_blueprint": use}}
        )
        await hass.async_block_till_done()
        assert hass.states.get("automation.alert").state == "on"

    yield automate
    await hass.services.async_call(AUTOMATION_DOMAIN, "turn_off", {"entity_id": "automation.alert"}, blocking=True)


async def settle() -> None:
    """Let everything happen that can. Not `async_block_till_done`: the automation waits, for days if need be."""
    for _ in range(60):
        await asyncio.sleep(0)


async def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float = 300) -> None:
    """Let time pass, and a moment more for what it brings about."""
    for step in (seconds, 3):
        freezer.tick(timedelta(seconds=step))
        async_fire_time_changed(hass)
        await settle()


@pytest.fixture(autouse=True)
def _config(hass: HomeAssistant, tmp_path: Path) -> None:
    """Give Home Assistant a folder of its own, and a clock in a zone where it is noon when the tests begin."""
    hass.config.config_dir = str(tmp_path)


def messages(told: list[ServiceCall]) -> list[str]:
    """Return the messages, and forget them."""
    said = [call.data["message"] for call in told]
    told.clear()
    return said


def test_it_is_a_blueprint() -> None:
    """Home Assistant imports it from the address that it names."""
    data = yaml_util.parse_yaml(BLUEPRINT.read_text())
    blueprint = Blueprint(data, path=BLUEPRINT.name, expected_domain="automation", schema=BLUEPRINT_SCHEMA)
    assert blueprint.validate() is None
    path = BLUEPRINT.relative_to(CHECKOUT)
    assert blueprint.metadata["source_url"] == f"https://github.com/sms-credit/sms-credit/blob/main/{path}"
    assert blueprint.metadata["homeassistant"]["min_version"] == "2026.10.0"


COURSES = [
    pytest.param([(PLENTY, []), (SOME, [LOW]), (SOME, [])], id="low credit is told once"),
    pytest.param([(NONE, [f"{LOW} {BLOCKED}"]), (NONE, [])], id="two problems at once are one message"),
    pytest.param([(SOME, [LOW]), (NONE, [f"{LOW} {BLOCKED}"]), (NONE, [])], id="a second problem is told at once"),
    pytest.param([(SOME, [LOW]), ("error_503_html", []), (SOME, [])], id="an outage is no second alert"),
    pytest.param(
        [(NONE, [f"{LOW} {BLOCKED}"]), ("error_503_html", []), (NONE, [])], id="nor is it while sending is blocked"
    ),
    pytest.param([(SOME, [LOW]), ("error_503_html", []), (NONE, [f"{LOW} {BLOCKED}"])], id="blocked in an outage"),
    pytest.param([("error_503_html", []), (SOME, [LOW])], id="low in an outage"),
    pytest.param([(SOME, [LOW]), (PLENTY, []), (SOME, [LOW])], id="low again after a top-up"),
    pytest.param([("error_forbidden", [ACCESS]), ("error_forbidden", []), (PLENTY, [])], id="access lost and back"),
    pytest.param(
        [("error_forbidden", [ACCESS]), ("error_503_html", []), ("error_forbidden", [])],
        id="an outage while access is lost",
    ),
    pytest.param([(SOME, [LOW]), ("error_invalid_api_key", [f"{LOW} {ACCESS}"])], id="key lost while low"),
    pytest.param([("unavailable_cache_disabled", []), ("onboarding", [])], id="no data is no problem of the user's"),
]


@pytest.mark.freeze_time("2026-11-21 12:00:00+00:00")
@pytest.mark.parametrize("course", COURSES)
async def test_each_problem_is_told_once(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    told: list[ServiceCall],
    automate: Automate,
    course: list[tuple[Answer, list[str]]],
) -> None:
    """The course of an account that begins in good health, and what is told at each step."""
    providers.answer("23telecom", PLENTY)
    await set_up(hass, account("23telecom", title="OTP", low_balance="50"))
    await automate()
    for answer, expected in course:
        providers.answer("23telecom", answer)
        await pass_time(hass, freezer, 1200)
        assert messages(told) == expected


@pytest.mark.freeze_time("2026-11-21 12:00:00+00:00")
async def test_actions_get_all_that_they_need(
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    told: list[ServiceCall],
    automate: Automate,
) -> None:
    """The account's name, a text in the user's words, and what it is about."""
    providers.answer("23telecom", PLENTY)
    await set_up(hass, account("23telecom", title="OTP", low_balance="50"))
    await automate(text_low="Kredi az.", text_blocked="Gönderim durdu.")
    providers.answer("23telecom", NONE)
    await pass_time(hass, freezer)
    (call,) = told
    assert call.data == {"title": "OTP", "message": "Kredi az. Gönderim durdu.", "data": ["low", "blocked"]}


@pytest.mark.freeze_time("2026-11-21 12:00:00+00:00")
@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(24, [24, 48], id="every day"),
        pytest.param(6, [6, 12, 18, 24, 30, 36, 42, 48], id="every six hours"),
        pytest.param(0, [], id="never"),
    ],
)
async def test_a_problem_that_stays_is_told_again(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    told: list[ServiceCall],
    automate: Automate,
    hours: int,
    expected: list[int],
) -> None:
    """Hours after the first alert, to the half hour; two days of it."""
    providers.answer("23telecom", PLENTY)
    await set_up(hass, account("23telecom", title="OTP", low_balance="50"))
    await automate(repeat_after=hours)
    providers.answer("23telecom", SOME)
    await pass_time(hass, freezer)
    assert messages(told) == [LOW]
    repeated = []
    for step in range(1, 2 * 49):
        await pass_time(hass, freezer, 1801)
        repeated += [step / 2] * len(messages(told))
    assert repeated == expected

    providers.answer("23telecom", PLENTY)
    for _ in range(49):
        await pass_time(hass, freezer, 1801)
    assert messages(told) == []


NIGHT = {"quiet_from": "22:00:00", "quiet_until": "07:00:00"}
SIESTA = {"quiet_from": "13:00:00", "quiet_until": "15:00:00"}


@pytest.mark.parametrize(
    ("inputs", "begin", "answer", "at_once", "later"),
    [
        pytest.param(NIGHT, "23:30", SOME, [], [LOW], id="low in the night is told in the morning"),
        pytest.param(NIGHT, "03:00", SOME, [], [LOW], id="after midnight too"),
        pytest.param(NIGHT, "21:00", SOME, [LOW], [], id="in the evening at once"),
        pytest.param(NIGHT, "07:30", SOME, [LOW], [], id="in the morning at once"),
        pytest.param(SIESTA, "13:30", SOME, [], [LOW], id="quiet hours within a day"),
        pytest.param(SIESTA, "15:30", SOME, [LOW], [], id="after them at once"),
        pytest.param(NIGHT, "03:00", "error_forbidden", [ACCESS], [], id="lost access is told at night"),
        pytest.param(NIGHT, "03:00", NONE, [f"{LOW} {BLOCKED}"], [], id="blocked sending is told at night"),
        pytest.param(
            {**NIGHT, "critical_breaks_quiet": False},
            "03:00",
            "error_forbidden",
            [],
            [ACCESS],
            id="unless that is not wanted",
        ),
    ],
)
async def test_quiet_hours_are_kept(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    told: list[ServiceCall],
    automate: Automate,
    inputs: dict[str, Any],
    begin: str,
    answer: Answer,
    at_once: list[str],
    later: list[str],
) -> None:
    """What comes up in them is told when they end."""
    await hass.config.async_set_time_zone("Europe/Istanbul")
    freezer.move_to(datetime.fromisoformat(f"2026-11-21T{begin}:00+03:00"))
    providers.answer("23telecom", PLENTY)
    await set_up(hass, account("23telecom", title="OTP", low_balance="50"))
    await automate(**inputs)
    providers.answer("23telecom", answer)
    await pass_time(hass, freezer)
    assert messages(told) == at_once
    for _ in range(11):
        await pass_time(hass, freezer, 3600)
    assert messages(told) == later


@pytest.mark.freeze_time("2026-11-21 12:00:00+00:00")
@pytest.mark.parametrize(
    ("since_last_alert", "answer", "expected"),
    [
        pytest.param(timedelta(hours=2), SOME, [], id="told not long ago"),
        pytest.param(timedelta(hours=2), NoConnection.REFUSED, [], id="told not long ago, no connection yet"),
        pytest.param(timedelta(hours=30), SOME, [LOW], id="told long ago"),
    ],
)
async def test_a_restart_is_no_alert(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    told: list[ServiceCall],
    automate: Automate,
    since_last_alert: timedelta,
    answer: Answer,
    expected: list[str],
) -> None:
    """The account comes back low, as it was; the repetition counts from the alert before the restart."""
    entry = account("23telecom", title="OTP", low_balance="50")
    providers.answer("23telecom", PLENTY)
    await set_up(hass, entry)
    await automate()
    providers.answer("23telecom", SOME)
    await pass_time(hass, freezer)
    assert messages(told) == [LOW]

    await hass.services.async_call(AUTOMATION_DOMAIN, "turn_off", {"entity_id": "automation.alert"}, blocking=True)
    await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(since_last_alert)
    providers.answer("23telecom", answer)
    hass.set_state(CoreState.starting)
    await hass.services.async_call(AUTOMATION_DOMAIN, "turn_on", {"entity_id": "automation.alert"}, blocking=True)
    await hass.config_entries.async_setup(entry.entry_id)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_START)
    hass.set_state(CoreState.running)
    await pass_time(hass, freezer, 3)
    assert messages(told) == expected
    providers.answer("23telecom", PLENTY)
    await pass_time(hass, freezer)
    providers.answer("23telecom", SOME)
    await pass_time(hass, freezer)
    assert messages(told) == [LOW]


@pytest.mark.freeze_time("2026-11-21 12:00:00+00:00")
async def test_an_account_without_a_limit_will_do(
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    told: list[ServiceCall],
    automate: Automate,
) -> None:
    """The inputs that an account has no sensor for stay empty."""
    await set_up(hass, account("23telecom", title="OTP"))
    await automate(low_credit=[])
    providers.answer("23telecom", NONE)
    await pass_time(hass, freezer)
    assert messages(told) == [BLOCKED]
