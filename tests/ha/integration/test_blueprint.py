"""The automation blueprint in Home Assistant: what is told when, and what is not told again."""

import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.blueprint import BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.components.persistent_notification import Notification, UpdateType, async_register_callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util import yaml as yaml_util
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
)

from custom_components.sms_credit.lib.sms_credit_core import Cause

from .conftest import CHECKOUT, Answer, NoConnection, pass_time
from .home import (
    ACCESS,
    BLOCKED,
    BLUEPRINT,
    LOOKS,
    LOW,
    NONE,
    NOON,
    OUTAGE,
    PLENTY,
    SOME,
    STATUS,
    STOPPED,
    TELL,
    Home,
    balance,
)

BLUEPRINTS = sorted(BLUEPRINT.parent.iterdir())
every_language = pytest.mark.parametrize("file", BLUEPRINTS, ids=lambda path: path.stem)


@every_language
def test_it_is_a_blueprint(file: Path) -> None:
    """Home Assistant imports it from the address that it names."""
    data = yaml_util.parse_yaml(file.read_text())
    blueprint = Blueprint(data, path=file.name, expected_domain="automation", schema=BLUEPRINT_SCHEMA)
    assert blueprint.validate() is None
    path = file.relative_to(CHECKOUT)
    assert blueprint.metadata["source_url"] == f"https://github.com/sms-credit/sms-credit/blob/main/{path}"
    assert blueprint.metadata["homeassistant"]["min_version"] == "2026.10.0"


_SHOWN = {"name", "description", "default", "unit_of_measurement"}


def shown(node: object) -> list[str]:
    """Return the texts of a form, and of those within it."""
    members = node if isinstance(node, dict) else {}
    texts = [text for key, text in members.items() if key in _SHOWN and isinstance(text, str)]
    return texts + [text for member in members.values() for text in shown(member)]


def test_the_turkish_form_is_turkish_throughout() -> None:
    """No text of the English form is left but for times, and none is missing."""
    english, turkish = (shown(yaml_util.parse_yaml(file.read_text())["blueprint"]) for file in BLUEPRINTS)
    assert len(english) == len(turkish)
    assert {text for text in turkish if text in english} == {"00:00:00"}


@every_language
def test_its_form_shows_no_template_code(file: Path) -> None:
    """Descriptions are shown as Markdown, in which nothing is a template."""
    texts = shown(yaml_util.parse_yaml(file.read_text())["blueprint"])
    assert texts
    assert [text for text in texts if "{" in text] == []


COURSES = [
    pytest.param([(PLENTY, []), (SOME, [LOW]), (SOME, [])], id="low credit is told once"),
    pytest.param([(NONE, [LOW + BLOCKED]), (NONE, [])], id="two problems at once are one message"),
    pytest.param([(SOME, [LOW]), (NONE, [LOW + BLOCKED]), (NONE, [])], id="a second problem is told at once"),
    pytest.param(
        [(NONE, [LOW + BLOCKED]), (SOME, []), (NONE, [LOW + BLOCKED])], id="the second is solved and comes back"
    ),
    pytest.param([(SOME, [LOW]), (OUTAGE, []), (OUTAGE, []), (SOME, [])], id="an outage is no second alert"),
    pytest.param([(NONE, [LOW + BLOCKED]), (OUTAGE, []), (NONE, [])], id="nor is it while sending is blocked"),
    pytest.param([(SOME, [LOW]), (OUTAGE, []), (NONE, [LOW + BLOCKED])], id="blocked in an outage"),
    pytest.param([(OUTAGE, []), (SOME, [LOW])], id="low in an outage"),
    pytest.param([(SOME, [LOW]), (OUTAGE, []), (PLENTY, []), (SOME, [LOW])], id="topped up in an outage"),
    pytest.param([(SOME, [LOW]), (PLENTY, []), (SOME, [LOW])], id="low again after a top-up"),
    pytest.param([("error_forbidden", [ACCESS]), ("error_forbidden", []), (PLENTY, [])], id="access lost and back"),
    pytest.param(
        [("error_forbidden", [ACCESS]), (OUTAGE, []), ("error_forbidden", [])], id="an outage while access is lost"
    ),
    pytest.param([(SOME, [LOW]), ("error_invalid_api_key", [LOW + ACCESS])], id="key lost while low"),
    pytest.param(
        [
            (STOPPED, [BLOCKED]),
            ("error_forbidden", [BLOCKED + ACCESS]),
            (STOPPED, []),
            (PLENTY, []),
            (STOPPED, [BLOCKED]),
        ],
        id="access lost for a while when sending is blocked",
    ),
    pytest.param([("unavailable_cache_disabled", []), ("onboarding", [])], id="no data is no problem of the user's"),
]


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("course", COURSES)
async def test_each_problem_is_told_once(home: Home, course: list[tuple[Answer, list[list[str]]]]) -> None:
    """The course of an account that begins in good health, and what is told at each step."""
    await home.begin(low_balance="50")
    await home.automate()
    for answer, expected in course:
        home.answer(answer)
        await home.pass_time(3600)
        assert home.told() == expected


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("course", COURSES)
async def test_a_restart_between_any_two_polls_tells_the_same(
    home: Home, course: list[tuple[Answer, list[list[str]]]]
) -> None:
    """What was told is remembered, and what came up while Home Assistant was down is told."""
    await home.begin(low_balance="50")
    await home.automate()
    await home.pass_time()
    for answer, expected in course:
        home.answer(answer)
        await home.restart(3600)
        await home.pass_time(5)
        assert home.told() == expected
        await home.restart()
        await home.pass_time(5)
        assert home.told() == []


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(SOME, LOW, id="low"),
        pytest.param(STOPPED, BLOCKED, id="blocked"),
        pytest.param(NONE, LOW + BLOCKED, id="low and blocked"),
        pytest.param("error_forbidden", ACCESS, id="access lost"),
    ],
)
async def test_a_new_automation_tells_what_it_finds(home: Home, answer: Answer, expected: list[str]) -> None:
    """It is saved when the problem has been there for hours; saved anew or reloaded, it does not tell it again."""
    home.answer(answer)
    await home.begin(low_balance="50")
    await home.pass_time(7200)
    await home.automate()
    await home.pass_time(5)
    assert home.told() == [expected]
    await home.automate()  # as it is
    await home.pass_time(5)
    await home.automate(text_low="Bakiye az.", quiet_from="22:00:00")
    await home.pass_time(5)
    await home.reload_automations()
    await home.pass_time(5)
    await home.reload_account()
    await home.pass_time(5)
    assert home.told() == []

    home.answer(PLENTY)
    await home.pass_time(3600)
    home.answer(answer)
    await home.pass_time(3600)
    assert home.told() == [expected]


@pytest.mark.freeze_time(NOON)
async def test_an_automation_in_yaml_remembers_too(home: Home) -> None:
    """Home Assistant knows it by the id of its entity only."""
    await home.begin(low_balance="50")
    await home.automate_in_yaml()
    home.answer(SOME)
    await home.pass_time()
    assert home.told() == [LOW]
    await home.automate_in_yaml(text_low="Bakiye az.")
    await home.pass_time()
    await home.restart()
    await home.pass_time()
    assert home.told() == []
    home.answer(NONE)
    await home.restart()
    await home.pass_time()
    assert home.told() == [LOW + BLOCKED]


@pytest.mark.freeze_time(NOON)
async def test_a_limit_above_the_balance_is_told(home: Home) -> None:
    """At once, while Home Assistant runs on. The account has no limit at first."""
    await home.begin()
    await home.automate()
    await home.pass_time()
    await home.limit(50)
    await home.pass_time()
    assert home.told() == []
    await home.limit(200)
    await home.pass_time()
    assert home.told() == [LOW]
    await home.limit(300)
    await home.pass_time()
    assert home.told() == []
    await home.limit(50)
    await home.pass_time()
    await home.limit(200)
    await home.pass_time()
    assert home.told() == [LOW]


@pytest.mark.freeze_time(NOON)
async def test_what_a_reload_finds_is_told(home: Home) -> None:
    """Once; and a second problem that the next one finds too."""
    await home.begin(low_balance="50")
    await home.automate()
    await home.pass_time()
    for answer, expected in ((STOPPED, [BLOCKED]), (STOPPED, []), (NONE, [LOW + BLOCKED]), (NONE, [])):
        home.answer(answer)
        await home.reload_account()
        await home.pass_time(5)
        assert home.told() == expected


@pytest.mark.freeze_time(NOON)
async def test_a_power_cut_forgets_nothing(home: Home, hass_storage: dict[str, Any]) -> None:
    """Minutes after it was told, long before Home Assistant would write down its states by itself."""
    await home.begin(low_balance="50")
    await home.automate()
    home.answer(SOME)
    await home.pass_time()
    assert home.told() == [LOW]
    states = [each["state"] for each in hass_storage["core.restore_state"]["data"]]
    (kept,) = [state for state in states if state["entity_id"] == "automation.alert"]
    noted = datetime.fromisoformat(kept["attributes"]["last_triggered"])
    assert home.now - noted < timedelta(seconds=2 * LOOKS)


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("hours", [24, 6, 0])
@pytest.mark.parametrize("restart", [pytest.param(None, id="running on"), pytest.param(20, id="restarted")])
async def test_a_problem_that_stays_is_told_again(home: Home, hours: int, restart: int | None) -> None:
    """Hours after the last alert, or never. A restart makes it neither earlier nor later."""
    await home.begin(low_balance="50")
    await home.automate(repeat_after=hours)
    home.answer(SOME)
    await home.pass_time()
    assert home.told() == [LOW]
    began, told = home.now, [0]
    for hour in range(1, 52):
        await home.restart(when=hour == restart)
        await home.pass_until(began + timedelta(hours=hour))
        told += [hour] * len(home.told())
    assert all(hours <= later - earlier <= hours + 1 for earlier, later in pairwise(told))
    assert len(told) == 1 + (48 // hours if hours else 0)

    home.answer(PLENTY)
    for seconds in (300, 25 * 3600, 25 * 3600):
        await home.pass_time(seconds)
    assert home.told() == []


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
        pytest.param(NIGHT, "03:00", NONE, [LOW + BLOCKED], [], id="blocked sending is told at night"),
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
@pytest.mark.parametrize("restart", [pytest.param(False, id="running on"), pytest.param(True, id="restarted")])
async def test_quiet_hours_are_kept(  # noqa: PLR0913, PLR0917 - fixtures and a table
    home: Home,
    freezer: FrozenDateTimeFactory,
    inputs: dict[str, Any],
    begin: str,
    answer: Answer,
    at_once: list[list[str]],
    later: list[list[str]],
    restart: bool,  # noqa: FBT001 - of a table
) -> None:
    """What comes up in them is told when they end."""
    await home.hass.config.async_set_time_zone("Europe/Istanbul")
    freezer.move_to(datetime.fromisoformat(f"2026-11-21T{begin}:00+03:00"))
    await home.begin(low_balance="50")
    await home.automate(repeat_after=0, **inputs)
    home.answer(answer)
    await home.pass_time()
    assert home.told() == at_once
    await home.restart(when=restart)
    ends = datetime.fromisoformat(f"2026-11-22T{inputs['quiet_until']}+03:00")
    ends -= timedelta(days=(ends - home.now).days)
    await home.pass_until(ends - timedelta(seconds=2 * LOOKS))
    assert home.told() == []
    await home.pass_until(ends)
    assert home.told() == later
    await home.pass_time(3600)
    assert home.told() == []


@pytest.mark.freeze_time("2026-11-21 21:00:00+00:00")
async def test_what_was_told_before_breaks_no_quiet_hours(home: Home) -> None:
    """Sending is blocked since the evening; in the night the credit becomes low, which is not critical by itself."""
    await home.hass.config.async_set_time_zone("UTC")
    await home.begin(low_balance="50")
    await home.automate(**NIGHT)
    home.answer(STOPPED)
    await home.pass_time()
    assert home.told() == [BLOCKED]
    home.answer(NONE)
    await home.pass_time(7200)
    assert home.told() == []
    await home.pass_time(9 * 3600)
    assert home.told() == [LOW + BLOCKED]


MESSAGES = [
    pytest.param(SOME, {}, "The credit is low.\nBalance: 10.00 EUR\nLimit: 50 EUR\n{url}", id="low credit"),
    pytest.param(
        NONE,
        {"text_low": "Bakiye az.", "text_blocked": "Gönderim durdu.", "text_limit": "Eşik"},
        "Bakiye az. Gönderim durdu.\nBalance: 0.00 EUR\nRunway: 0.0 d\nEşik: 50 EUR\n{url}",
        id="texts of the user",
    ),
    pytest.param(
        "error_forbidden",
        {},
        "The provider refuses access to the account. Home Assistant shows what to do under Settings.\n"
        f"{Cause.PERMISSION_MISSING.text}\n{{url}}",
        id="why access is denied",
    ),
    pytest.param(
        "error_invalid_api_key",
        {},
        "The provider refuses access to the account. Home Assistant shows what to do under Settings.\n"
        "The provider does not know this API key. Compare it with the one in the panel.\n{url}",
        id="that the key is refused",
    ),
]


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize(("answer", "texts", "expected"), MESSAGES)
async def test_the_message_says_what_one_needs_to_act(
    home: Home, answer: Answer, texts: dict[str, str], expected: str
) -> None:
    """The problem in the user's words, the amounts that are known, the reason, and where to go."""
    await home.begin(low_balance="50")
    await home.automate(**texts)
    home.answer(answer)
    await home.pass_time()
    (call,) = home.calls()
    assert call["title"] == "OTP"
    assert call["message"] == expected.format(url="https://restlink23telecom.com")


@pytest.mark.freeze_time(NOON)
async def test_the_message_names_every_limit(home: Home) -> None:
    """With its unit, whichever of them was reached."""
    await home.begin(low_balance="50", low_quota="150", message_price="0.5")
    await home.automate()
    home.answer(SOME)
    await home.pass_time()
    (call,) = home.calls()
    *amounts, limit, _url = call["message"].splitlines()[1:]
    assert set(amounts) == {"Balance: 10.00 EUR", "SMS quota: 20 SMS"}
    assert limit == "Limit: 50 EUR, 150 SMS"


PACES = [
    pytest.param(
        {"low_runway": "20"}, {}, "At the present pace the credit will soon be used up.\n", "20 d", id="runway"
    ),
    pytest.param(
        {"low_runway": "20"}, {"text_runway": "Bakiye bitiyor."}, "Bakiye bitiyor.\n", "20 d", id="in the user's words"
    ),
    pytest.param(
        {"low_runway": "20", "low_balance": "90"},
        {},
        "The credit is low. At the present pace the credit will soon be used up.\n",
        "90 EUR, 20 d",
        id="runway and balance",
    ),
]


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize(("limits", "texts", "begins", "limit"), PACES)
async def test_credit_that_will_soon_be_used_up_is_told_as_such(
    home: Home, limits: dict[str, str], texts: dict[str, str], begins: str, limit: str
) -> None:
    """Once, with the days that are left."""
    await home.begin(**limits)
    for hour in range(20):
        home.answer(balance(f"{100 - hour}"))
        await home.pass_time(3600)
    await home.automate(**texts)
    await home.pass_time()
    (call,) = home.calls()
    assert call["data"] == LOW
    assert call["message"].startswith(begins)
    _, amount, runway, limits_told, _url = call["message"].splitlines()
    assert (amount, limits_told) == ("Balance: 81.00 EUR", f"Limit: {limit}")
    assert re.fullmatch(r"Runway: [1-4]\.\d d", runway)
    home.answer(balance("80"))
    await home.pass_time(3600)
    assert home.told() == []


@pytest.mark.freeze_time(NOON)
async def test_unusual_spending_is_told_at_night_too(home: Home) -> None:
    """An account is emptied in one night. It is told once, and again if it happens again."""
    await home.begin()
    await home.automate(**NIGHT, repeat_after=0)
    left = 1000
    for hour in range(72):
        left -= 2 if hour % 24 else 4
        home.answer(balance(f"{left}"))
        await home.pass_time(3600)
    assert home.told() == []
    await home.pass_until(datetime(2026, 11, 25, 1, tzinfo=UTC))
    for _ in range(3):
        left -= 100
        home.answer(balance(f"{left}"))
        await home.pass_time(1800)
    (call,) = home.calls()
    assert call["data"] == ["unusual"]
    assert call["message"].startswith("The account spends far faster than it ever has. Check what is sending")


@pytest.mark.freeze_time(NOON)
async def test_a_problem_is_told_at_once(home: Home) -> None:
    """As soon as the answer is there that shows it."""
    await home.begin(low_balance="50")
    await home.automate()
    home.answer(SOME)
    await pass_time(home.hass, home._freezer)  # noqa: SLF001 - no longer than until the next poll
    assert home.told() == [LOW]


@pytest.mark.freeze_time(NOON)
async def test_it_tells_in_home_assistant_without_any_configuration(home: Home) -> None:
    """One notification for each account, which the next alert replaces."""
    notified: dict[str, Notification] = {}

    def keep(kind: UpdateType, notifications: dict[str, Notification]) -> None:
        notified.update(notifications if kind is not UpdateType.CURRENT else {})

    await home.begin(low_balance="50")
    async_register_callback(home.hass, keep)
    await home.automate(notify=None)
    for answer in (SOME, NONE):
        home.answer(answer)
        await home.pass_time()
    (notification,) = notified.values()
    assert notification["title"] == "OTP"
    assert notification["message"].startswith("The credit is low. The provider has blocked sending")


@pytest.mark.freeze_time(NOON)
async def test_renamed_entities_and_devices_are_told_by_their_names(home: Home) -> None:
    """The automation names the new ids, as Home Assistant's editor has the user choose them."""
    await home.begin(low_balance="50")
    registry = er.async_get(home.hass)
    for entity in list(registry.entities.values()):
        domain, name = entity.entity_id.split(".")
        registry.async_update_entity(entity.entity_id, new_entity_id=f"{domain}.my_{name}")
    (device,) = dr.async_entries_for_config_entry(dr.async_get(home.hass), home.entry.entry_id)
    dr.async_get(home.hass).async_update_device(device.id, name_by_user="Codes")
    await home.hass.async_block_till_done()
    await home.automate(status=STATUS.replace(".", ".my_"))
    home.answer(SOME)
    await home.pass_time()
    (call,) = home.calls()
    assert call["title"] == "Codes"
    assert "Balance: 10.00 EUR" in call["message"]


@pytest.mark.freeze_time(NOON)
async def test_a_run_by_hand_tells_how_things_are(home: Home) -> None:
    """At once, and also when all is well. No problem is lost by it."""
    await home.begin(low_balance="50")
    await home.automate()
    await home.run_by_hand()
    (call,) = home.calls()
    assert call["message"] == "Balance: 100.00 EUR\nhttps://restlink23telecom.com"
    await home.pass_time()
    assert home.told() == []
    home.answer(SOME)
    await home.pass_time()
    assert home.told() == [LOW]


@pytest.mark.freeze_time(NOON)
async def test_actions_that_take_long_hold_up_no_later_alert(home: Home, freezer: FrozenDateTimeFactory) -> None:
    """As one that waits for the user's reply."""
    await home.begin(low_balance="50")
    await home.automate(notify=[TELL, {"delay": "12:00:00"}])
    for answer, expected in ((SOME, LOW), (NONE, LOW + BLOCKED)):
        home.answer(answer)
        for seconds in (360, *[6] * 10):
            freezer.tick(seconds)
            async_fire_time_changed(home.hass)
            for _ in range(60):  # not until all is done, which the delay would be the last to be
                await asyncio.sleep(0)
        assert home.told() == [expected]
    await home.pass_time(13 * 3600)


@pytest.mark.freeze_time(NOON)
async def test_an_account_without_a_limit_will_do(home: Home) -> None:
    """It has no low credit sensor."""
    await home.begin()
    await home.automate()
    home.answer(NONE)
    await home.pass_time()
    assert home.told() == [BLOCKED]


@pytest.mark.freeze_time(NOON)
async def test_nothing_to_tell_is_no_error(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """Templates find what they need, whatever there is; also while the provider cannot be reached."""
    home.answer(NoConnection.REFUSED)
    await home.begin(low_balance="50")
    await home.automate()
    for answer in (NoConnection.REFUSED, PLENTY, SOME):
        home.answer(answer)
        await home.pass_time(1200)
    await home.restart()
    await home.pass_time()
    assert [
        each.getMessage()
        for each in caplog.records
        if each.levelno >= logging.WARNING and "automation" in each.name + each.getMessage()
    ] == []
