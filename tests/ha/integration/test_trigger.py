"""The triggers of the integration in automations: what is told when, and what is not told again."""

import json
from typing import Any

import probatio
import pytest
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.trigger import async_get_all_descriptions, async_validate_trigger_config

from custom_components.sms_credit.news import HAPPENINGS

from .conftest import Answer
from .home import NONE, NOON, OUTAGE, PLENTY, SOME, STOPPED, Home, balance

TELL = {
    "action": "notify.me",
    "data": {"title": "{{ trigger.account }}", "message": "{{ trigger.amount | default }}", "data": "{{ trigger.id }}"},
}

LOW, SUFFICIENT, ADDED = "credit_became_low", "credit_no_longer_low", "credit_added"
BLOCKED, ACCESS, SILENT = "sending_blocked", "access_lost", "readings_stopped"


def device_of(home: Home) -> str:
    """Return the account as an automation names it."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(home.hass), home.entry.entry_id)
    return device.id


async def automate(home: Home) -> None:
    """Save an automation in the editor that hears of everything that there is to hear of."""
    options = {"device_id": [device_of(home)]}
    triggers = [{"trigger": f"sms_credit.{what}", "id": what, "options": options} for what in HAPPENINGS]
    automation = {"id": "alert", "alias": "Alert", "triggers": triggers, "actions": [TELL], "mode": "parallel"}
    await home.save(automation)
    await home.reload_automations()
    assert home.hass.states.get("automation.alert").state == "on"


COURSES = [
    pytest.param([(SOME, [LOW]), (SOME, []), (balance("9"), [])], id="low credit is told once"),
    pytest.param([(SOME, [LOW]), (PLENTY, [ADDED, SUFFICIENT]), (SOME, [LOW])], id="a top-up ends it"),
    pytest.param([(SOME, [LOW]), (OUTAGE, [SILENT]), (OUTAGE, []), (SOME, [])], id="an outage is no second alert"),
    pytest.param([(OUTAGE, [SILENT]), (SOME, [LOW])], id="low in an outage"),
    pytest.param(
        [(SOME, [LOW]), (OUTAGE, [SILENT]), (PLENTY, [ADDED, SUFFICIENT]), (OUTAGE, [SILENT])],
        id="topped up in an outage, and the next outage",
    ),
    pytest.param([(NONE, [LOW, BLOCKED]), (NONE, []), (PLENTY, [ADDED, SUFFICIENT])], id="two things at once"),
    pytest.param([(STOPPED, [BLOCKED]), (PLENTY, []), (STOPPED, [BLOCKED])], id="blocked twice"),
    pytest.param(
        [("error_forbidden", [ACCESS, SILENT]), (PLENTY, []), ("error_forbidden", [ACCESS, SILENT])], id="access lost"
    ),
]


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("course", COURSES)
async def test_each_happening_is_told_once(home: Home, course: list[tuple[Answer, list[str]]]) -> None:
    """The course of an account that begins in good health, and what is told at each step."""
    await home.begin(low_balance="50")
    await automate(home)
    await home.pass_time()
    for answer, expected in course:
        home.answer(answer)
        await home.pass_time(3900)
        assert sorted(home.told()) == sorted(expected)
        await home.reload_account()
        await home.reload_automations()
        await home.pass_time()
        assert home.told() == []


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("course", COURSES)
async def test_a_restart_between_any_two_polls_tells_the_same(
    home: Home, course: list[tuple[Answer, list[str]]]
) -> None:
    """What was told is remembered, and what came up while Home Assistant was down is told."""
    await home.begin(low_balance="50")
    await automate(home)
    await home.pass_time()
    for answer, expected in course:
        home.answer(answer)
        await home.restart(3900)
        await home.pass_time(5)
        assert sorted(home.told()) == sorted(expected)
        await home.restart()
        await home.pass_time(5)
        assert home.told() == []


@pytest.mark.freeze_time(NOON)
async def test_an_outage_that_ends_with_the_start_is_not_told(home: Home) -> None:
    """Values from before a long stop are too old, but there are new ones before anybody listens."""
    await home.begin(low_balance="50")
    await automate(home)
    home.answer(OUTAGE)
    await home.pass_time()
    home.answer(PLENTY)
    await home.restart(7200)
    await home.pass_time(5)
    assert home.told() == []


@pytest.mark.freeze_time(NOON)
async def test_a_low_credit_that_ends_before_anybody_listens_is_not_told(home: Home) -> None:
    """Found by the first poll of a start, and over by the time of the second."""
    await home.begin(low_balance="50")
    await automate(home)
    await home.pass_time()
    home.answer(SOME)
    await home.restart(3600, then=PLENTY)
    await home.pass_time(5)
    assert home.told() == [ADDED, SUFFICIENT]


@pytest.mark.freeze_time(NOON)
async def test_a_limit_above_the_balance_is_told(home: Home) -> None:
    """At once, while Home Assistant runs on; a limit that is lifted again ends it."""
    await home.begin(low_balance="50")
    await automate(home)
    await home.pass_time()
    for limit, expected in ((200, [LOW]), (300, []), (50, [SUFFICIENT])):
        await home.limit(limit)
        await home.pass_time(1)
        assert home.told() == expected


@pytest.mark.freeze_time(NOON)
async def test_a_top_up_is_told_with_its_amount(home: Home) -> None:
    """The automation has the name of the account, and the amount as exact text."""
    await home.begin()
    await automate(home)
    await home.pass_time()
    home.answer(balance("125.50"))
    await home.pass_time()
    (call,) = home.calls()
    assert (call["title"], call["message"], call["data"]) == ("OTP", 25.5, ADDED)


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="no account"),
        pytest.param({"device_id": []}, id="an empty list"),
        pytest.param({"device_id": ["another"]}, id="something else"),
    ],
)
async def test_what_is_no_account_is_refused(home: Home, options: dict[str, Any]) -> None:
    """Home Assistant shows such an automation as in need of repair; with the account it is accepted."""
    await home.begin()
    trigger = {"platform": f"sms_credit.{LOW}"}
    with pytest.raises(probatio.Invalid):
        await async_validate_trigger_config(home.hass, [{**trigger, "options": options}])
    await async_validate_trigger_config(home.hass, [{**trigger, "options": {"device_id": device_of(home)}}])
    await automate(home)


@pytest.mark.freeze_time(NOON)
async def test_the_editor_offers_every_trigger(home: Home) -> None:
    """Each with a choice of accounts, and of nothing else."""
    await home.begin()
    offered = await async_get_all_descriptions(home.hass)
    ours = {key.removeprefix("sms_credit."): each for key, each in offered.items() if key.startswith("sms_credit.")}
    assert set(ours) == set(HAPPENINGS)
    assert {json.dumps(each["fields"]["device_id"]["selector"]["device"]["filter"]) for each in ours.values()} == {
        json.dumps([{"integration": "sms_credit"}])
    }
