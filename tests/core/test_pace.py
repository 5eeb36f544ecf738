"""How long the credit lasts and whether it is spent unusually fast, in situations that people know."""

import json
import math
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import fields
from itertools import accumulate, pairwise
from sys import getsizeof

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sms_credit_core import Pace
from tests.pace.forecasts import FILE, forecasts
from tests.pace.histories import KINDS, Reading, history

MONDAY = 1_760_313_600.0
"""Unix seconds of a Monday's midnight (UTC)."""
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

Spending = Callable[[float], float]
"""What is spent in an hour, by the seconds since Monday's midnight."""


def always(_at: float) -> float:
    """Spend one in each hour."""
    return 1.0


def office(at: float) -> float:
    """Spend in working hours only."""
    return 3.0 if at % (7 * DAY) < 5 * DAY and 8 * HOUR <= at % DAY < 16 * HOUR else 0.0


def never(_at: float) -> float:
    """Spend nothing."""
    return 0.0


def seldom(at: float) -> float:
    """Spend one every five hours, at once."""
    return 12.0 if at % (5 * HOUR) < 5 * MINUTE else 0.0


def weekly_message(at: float) -> float:
    """Spend one a week, at once."""
    return 12.0 if at % (7 * DAY) < 5 * MINUTE else 0.0


def rush(begin: float, hours: float, usual: Spending = always, more: float = 20.0) -> Spending:
    """Spend more in each hour of a while."""
    return lambda at: usual(at) + (more if begin <= at < begin + hours * HOUR else 0.0)


def weekly(usual: Spending = always) -> Spending:
    """Spend twenty more in each of two hours of every Wednesday."""
    return lambda at: usual(at) + (20.0 if 2 * DAY + 10 * HOUR <= at % (7 * DAY) < 2 * DAY + 12 * HOUR else 0.0)


def amounts(
    spending: Spending, until: float, every: float = 5 * MINUTE, start: float = 10_000.0
) -> Iterable[tuple[float, float]]:
    """Yield moments since Monday's midnight and the amounts read at them."""
    moments = [number * every for number in range(int(until / every) + 1)]
    spent = accumulate((spending(at) * every / HOUR for at in moments[:-1]), initial=0.0)
    return [(at, start - each) for at, each in zip(moments, spent, strict=True)]


def paces(readings: Iterable[tuple[float, float]]) -> list[Pace]:
    """Return the pace after each reading."""
    found: list[Pace] = []
    for (since, before), (at, amount) in pairwise(readings):
        pace = found[-1] if found else Pace.begin(MONDAY + since)
        found.append(pace.after(before, amount, MONDAY + since, MONDAY + at))
    return found


def pace(spending: Spending, until: float, every: float = 5 * MINUTE) -> Pace:
    """Return the pace at the end of a history."""
    return paces(amounts(spending, until, every))[-1]


@pytest.mark.parametrize(
    ("found", "amount", "least", "most"),
    [
        pytest.param(pace(always, 14 * DAY), 100, 70, 105, id="steady use"),
        pytest.param(pace(always, 14 * DAY, HOUR), 100, 70, 105, id="polled once an hour"),
        pytest.param(
            pace(office, 18 * DAY), 40, 60, 86, id="working hours, before a Friday: it lasts over the weekend"
        ),
        pytest.param(pace(office, 18 * DAY), 12, 9, 12, id="or until noon"),
        pytest.param(pace(seldom, 18 * DAY), 20, 70, 105, id="a message now and then, at no certain hour"),
        pytest.param(pace(weekly_message, 36 * DAY), 4, 14 * 24, 29 * 24, id="a message a week"),
        pytest.param(pace(rush(13.9 * DAY, 12), 14 * DAY), 60, 2, 4, id="an attack: by what it spends now"),
        pytest.param(pace(rush(9 * DAY, 2), 14 * DAY), 100, 70, 105, id="a campaign days ago drags nothing"),
        pytest.param(pace(rush(4 * DAY, 10), 14 * DAY), 100, 70, 105, id="nor does an attack in the first week"),
    ],
)
def test_how_long_it_lasts(found: Pace, amount: float, least: float, most: float) -> None:
    """In hours, on the safe side of the truth and not far from it."""
    lasts = found.lasts(amount)
    assert lasts is not None
    assert least <= lasts / HOUR <= most


def test_nothing_is_told_before_it_can_be_trusted() -> None:
    """The first hours, and an account that spends nothing; and at zero there is nothing to foretell."""
    assert Pace.begin(MONDAY).lasts(10) is None
    assert pace(always, 3 * HOUR).lasts(10) is None
    assert pace(always, 4 * HOUR).lasts(10) is not None
    assert pace(never, 5 * DAY).lasts(10) == math.inf
    assert [pace(never, DAY).lasts(amount) for amount in (0, -3)] == [0.0, 0.0]


def test_a_top_up_neither_shortens_nor_fakes_it() -> None:
    """The larger amount lasts longer, at the same pace as before."""
    before = pace(always, 14 * DAY)
    topped_up = before.after(9_664.0, 19_664.0, before.at, before.at + 300)
    shorter, longer = (each.lasts(amount) for each, amount in ((before, 9_664.0), (topped_up, 19_664.0)))
    assert shorter
    assert longer
    assert longer / shorter == pytest.approx(19_664 / 9_664, rel=0.02)


def test_an_outage_with_a_top_up_in_it_is_no_time_without_spending() -> None:
    """Nobody knows what was spent, so the pace is that of the time before."""
    before = pace(always, 7 * DAY)
    after = before.after(9_832.0, 19_000.0, before.at, before.at + 2 * DAY)
    assert (after.lasts(100) or 0) == pytest.approx(before.lasts(100) or 0, rel=0.2)


def test_a_gap_longer_than_the_memory_begins_anew() -> None:
    """What was a month ago says nothing."""
    found = pace(always, 7 * DAY)
    assert found.after(9_000.0, 8_000.0, found.at, found.at + 60 * DAY).lasts(100) is None


@pytest.mark.parametrize("every", [5 * MINUTE, HOUR], ids=["every five minutes", "once an hour"])
@pytest.mark.parametrize("usual", [always, office], ids=["steady use", "working hours"])
def test_a_rush_is_unusual_within_ninety_minutes_and_ends(usual: Spending, every: float) -> None:
    """Unknown for two days, false until it begins, true soon after, false again two hours after its end."""
    begin = 16 * DAY + 2 * HOUR
    found = paces(amounts(rush(begin, 3, usual), 18 * DAY, every))
    told = {each.at - MONDAY: each.unusual for each in found}
    assert {told[at] for at in told if at < 2 * DAY} == {None}
    assert {told[at] for at in told if 5 * DAY < at < begin} == {False}
    assert {told[at] for at in told if begin + 1.5 * HOUR <= at <= begin + 3 * HOUR} == {True}
    assert {told[at] for at in told if begin + 5 * HOUR <= at} == {False}


@pytest.mark.parametrize("usual", [always, office], ids=["steady use", "working hours"])
def test_a_long_attack_stays_unusual_until_it_ends(usual: Spending) -> None:
    """Three days on, it is as unusual as on the first; it has become no habit, and the forecast follows it."""
    begin = 16 * DAY + 2 * HOUR
    found = paces(amounts(rush(begin, 72, usual), 20 * DAY, every=5 * MINUTE))
    during = [each for each in found if begin + 1.5 * HOUR <= each.at - MONDAY <= begin + 72 * HOUR]
    assert {each.unusual for each in during} == {True}
    assert all((each.lasts(100) or 0) <= 5 * HOUR for each in during)
    assert all((each.lasts(600) or 0) <= 40 * HOUR for each in during if each.at - MONDAY >= begin + DAY)


@pytest.mark.parametrize("past", [0, 100, 299], ids=lambda past: f"{past} seconds past the five minutes")
@pytest.mark.parametrize("polls", [60, 12, 1], ids=lambda polls: f"{polls} polls in an hour")
def test_however_it_is_polled_a_rush_is_as_much_as_is_spent(past: int, polls: int) -> None:
    """What fell in an hour was spent in one hour, wherever its parts begin, and however many polls tell of a part."""
    usual = [(at + past, amount) for at, amount in amounts(always, 14 * DAY, every=HOUR)]
    last, left = usual[-1]
    rush = [(last + HOUR * poll / polls, left - 110 * poll / polls) for poll in range(1, polls + 1)]
    assert paces([*usual, *rush])[-1].lasts(110) == pytest.approx(HOUR / 1.1)


def test_an_attack_of_a_week_is_still_followed() -> None:
    """It is taken to go on for as long as it can have been seen."""
    assert (pace(rush(14 * DAY, 8 * 24), 21 * DAY).lasts(2_100) or 0) / HOUR == pytest.approx(91, rel=0.05)


def test_a_weekly_campaign_is_usual_from_its_third_time() -> None:
    """The first is out of the blue; one alone does not teach that such a thing is usual, or an attack would."""
    found = paces(amounts(weekly(), 35 * DAY))
    weeks = {int((each.at - MONDAY) // (7 * DAY)) for each in found if each.unusual}
    assert 0 in weeks
    assert not weeks & {2, 3, 4}


@pytest.mark.parametrize(
    "begin",
    [pytest.param(day * DAY, id=name) for day, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))],
)
def test_the_first_monday_is_not_unusual(begin: float) -> None:
    """Whichever day the history begins on; at worst it is unknown."""
    readings = [(at, amount) for at, amount in amounts(office, 16 * DAY) if at >= begin]
    assert not [each.at for each in paces(readings) if each.unusual]


@pytest.mark.parametrize(
    ("day", "more", "unusual"),
    [
        pytest.param(3, 8, True, id="a Thursday"),
        pytest.param(5, 8, None, id="the first Saturday: nobody knows what weekends are like"),
        pytest.param(5, 20, True, id="the first Saturday, and no weekend is like that"),
        pytest.param(6, 8, True, id="the first Sunday, after a Saturday"),
        pytest.param(12, 8, True, id="the second Saturday"),
    ],
)
def test_a_first_weekend_may_be_busier(day: int, more: float, unusual: bool | None) -> None:  # noqa: FBT001 - a table's column
    """What is far above all weekdays may be what this account does at weekends, up to a point."""
    begin = day * DAY + 10 * HOUR
    assert pace(rush(begin, 2, more=more), begin + 1.5 * HOUR).unusual is unusual


def test_memory_is_small() -> None:
    """Thousands of accounts fit into one small machine, and into one file."""
    found = pace(office, 30 * DAY)
    assert len(found.packed()) <= 4096
    assert found.lasts(100) is not None
    kept = vars(found.habit)
    parts = [found, *(getattr(found, each.name) for each in fields(found)), *kept.values(), *kept["measures"]]
    assert sum(map(getsizeof, [kept, *{id(each): each for each in parts}.values()])) <= 4096


READINGS = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 2 * HOUR), st.floats(0, 40 * DAY)), st.floats(-1e6, 1e9, allow_nan=False, width=32)
    ),
    min_size=1,
    max_size=40,
)


@given(READINGS)
@example([(0.0, 0.0), (3601.0, 0.0), (504 * HOUR - 1, 1.0)])  # all that was seen has just been forgotten
def test_whatever_is_read(readings: list[tuple[float, float]]) -> None:
    """It is never NaN nor below zero; more never lasts shorter; and a restart in between changes nothing at all."""
    moments = list(accumulate((gap for gap, _ in readings), initial=0.0))[1:]
    found = paces(zip(moments, (amount for _, amount in readings), strict=True))
    for each in found:
        lasts = [each.lasts(amount) for amount in (-1.0, 0.0, 0.5, 10.0, 1e9)]
        assert lasts[:2] == [0.0, 0.0]
        assert not [one for one in lasts if one is not None and not one >= 0]
        known = [one for one in lasts[2:] if one is not None]
        assert known == sorted(known)
    for each in found[-1:]:
        again = Pace.unpacked(each.packed())
        assert (again, again.habit) == (each, each.habit)


SOUND = pace(office, 3 * DAY).packed()
WITHOUT_HABIT = 2104
"""Bytes of a pace before what is worked out from it."""
UNSEEN_DAYS, UNSEEN_WEEK = 21 * struct.pack("<d", -1.0), 168 * struct.pack("<f", -1.0)


def changed(text: str, place: int, *numbers: int) -> str:
    """Return what was packed with other bytes from some place on."""
    data = bytearray(b64decode(text))
    data[place : place + len(numbers)] = numbers
    return b64encode(data).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("not base64", id="something else"),
        pytest.param(SOUND[:-4], id="cut"),
        pytest.param(SOUND + "AAAA", id="too long"),
        pytest.param(b64encode(b"\xff" * 2104).decode(), id="not numbers"),
        pytest.param(b64encode(b"\x7f" * 2104).decode(), id="absurd numbers"),
        pytest.param(changed(SOUND, 40, 0, 0, 0x80, 0xBE), id="an hour in which a quarter less than nothing was spent"),
        pytest.param(changed(SOUND, WITHOUT_HABIT + 8, 0xF0, 0x7F), id="a busiest hour that is not a number"),
        pytest.param(changed(SOUND, WITHOUT_HABIT + 15, 0, 0xC0), id="a busiest day below zero"),
        pytest.param(changed(SOUND, WITHOUT_HABIT + 23, 0xE0, 0xBF), id="a day on which less than nothing was spent"),
        pytest.param(changed(SOUND, WITHOUT_HABIT + 17, *UNSEEN_DAYS), id="hours that were seen on no day"),
        pytest.param(changed(SOUND, WITHOUT_HABIT + 185, 0, 0, 0x80, 0xBF), id="an hour that was seen on six days"),
        pytest.param(changed(SOUND, WITHOUT_HABIT + 185, *UNSEEN_WEEK), id="hours that were seen in no week"),
        pytest.param(changed(SOUND, WITHOUT_HABIT + 185, 0, 0, 0, 0xC0), id="an hour that usually spends below zero"),
    ],
)
def test_what_is_damaged_is_refused(text: str) -> None:
    """In the way that the caller expects."""
    with pytest.raises(ValueError, match=r".*"):
        Pace.unpacked(text)
    assert Pace.unpacked(SOUND).packed() == SOUND


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_unpacked_has_the_habit_that_grew(kind: str) -> None:
    """To the last bit, at any moment of a history: a restart foretells nothing else.

    The same is worked out where a habit was not written down, or by another estimator.
    """
    pace: Pace | None = None
    before: Reading | None = None
    for number, reading in enumerate(history(kind, 7).readings):
        pace = (
            pace.after(before.amount, reading.amount, before.at, reading.at)
            if pace and before
            else Pace.begin(reading.at)
        )
        before = reading
        if number in {1, 5, 13, 30} or number % 211 == 0:
            packed = pace.packed()
            assert Pace.unpacked(packed).habit == pace.habit
            bare = b64encode(b64decode(packed)[:WITHOUT_HABIT]).decode()
            assert grown(Pace.unpacked(bare)) == grown(pace)
            assert grown(Pace.unpacked(changed(packed, WITHOUT_HABIT, 0xFF))) == grown(pace)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_foretold_is_what_was_written_down(kind: str) -> None:
    """A change of any forecast is made on purpose; tests/pace/forecasts.py says what goes with it."""
    written = json.loads(FILE.read_text())[kind]
    for told, (hours, unusual) in zip(forecasts(kind), written, strict=True):
        assert told == (hours if hours is None else pytest.approx(hours, rel=1e-8), unusual)


def grown(pace: Pace) -> dict[str, object]:
    """Return all that a habit holds."""
    return {each.name: getattr(pace.habit, each.name) for each in fields(pace.habit)}
