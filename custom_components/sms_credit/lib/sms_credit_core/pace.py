"""How fast an account spends: how long its credit will last, and whether it spends far more than it ever did.

What was spent in each hour of the last three weeks is remembered, and everything follows from that:

- *Habit*: what the account usually spends in each hour of the week. Newer weeks count for more, an hour that stands out
  from the same hour of other weeks counts only in part, and the same hour of other days fills in where weeks are few.
- *Rest*: what it spends beside the habit, at hours that nobody can tell, is spread evenly. A day that stands out counts
  only in part.
- *Level*: how much more or less than these it has spent lately.
- *Margin*: a forecast that is too long does more harm than one that is too short, most of all in the first week.
- *Rush*: while the last hour is far above the habit, it is taken to go on for some hours more than it has lasted.

Spending is *unusual* while the last hour is far above the busiest one that was seen on two occasions, some days apart.
docs/runway.md compares all this with simpler ways.
"""

import math
import struct
import sys
from array import array
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import pairwise
from typing import NamedTuple, Self, TypeVar

_HOUR, _DAY = 3600.0, 86400.0
_WEEK_HOURS = 168
_HOURS = 3 * _WEEK_HOURS
"""Hours that are remembered."""
_DAYS = _HOURS // 24
_BIN, _BINS = 300.0, 12
"""Seconds of each of the parts in which the last hour is remembered, and their number."""

_TRUSTED_AFTER = 4 * _HOUR
_UNUSUAL_AFTER = 2 * _DAY
_UNSEEN = -1.0
_UNSEEN_BYTES = array("f", [_UNSEEN]).tobytes()
_SEEN = 900.0
"""Seconds of an hour that must have been seen for the hour to count."""
_MOST = 1e30
"""No account spends more at once; keeps every sum finite."""

_NEWER = (1.0, 0.75, 0.5625)
"""How much each week counts, the last one first."""
_OTHER_DAYS = 0.5
"""How much the same hour of other days counts beside one week; beside two it is a quarter of that, and so on."""
_STANDS_OUT = 2.0
_ALLOWED = 2.0
_RUSHES = 2
"""An hour stands out by what is above so many times the next busiest like it, and so many times the mean of the same
hour of all days but so many of the busiest."""
_WINDOWS = (24, 72, 168)
"""Hours over which the level is measured; the higher one counts."""
_WIDER = tuple(slice(-window, -inner or None) for inner, window in pairwise((0, *_WINDOWS)))
"""What each of these has beside the one before."""
_STEADY, _STEADY_BUSIEST = 12.0, 4.0
"""Usual hours, and busiest hours: the larger amount is added to both sides of that measure, so that a few messages make
no level."""
_LEVELS = (0.6, 2.5)
_BUSY_DAYS, _BUSY_DAYS_AFTER = 2.0, 7
"""A day stands out by what is above so many times the busiest that was seen on two occasions, after so many days."""
_MARGIN, _YOUNG_MARGIN, _YOUNG = 1.1, 0.5, 7 * _DAY
_RUSH, _RUSH_LASTS = 2.0, 6.0
"""How many times the habit a rush is, and for how many hours it is taken to go on beside those that it has lasted."""

_UNUSUAL = 3.0
_UNUSUAL_STEPS = 3.0
_UNUSUAL_SHARE = 0.25
"""The least share of a usual day's spending that is unusual in an hour."""
_UNKNOWN_DAY = 8.0
"""How many times the busiest hour of weekdays is unusual on the first weekend. A first Monday tells nothing."""
_APART = 4
"""Days between two occasions."""
_OCCASIONS = 14
"""Days of history before two occasions are asked for."""

_HEAD = struct.Struct("<5d")
_AMOUNT_BYTES = 4
_PACE_BYTES = _HEAD.size + (_HOURS + _BINS) * _AMOUNT_BYTES
_HABIT = struct.Struct(f"<B2d{_DAYS}d")
_HABIT_BYTES = _HABIT.size + (_WEEK_HOURS + _DAYS) * _AMOUNT_BYTES
_ESTIMATOR = 3
"""Raised with each change of what a habit comes to, so that one which was written down before is worked out anew."""


_Ring = TypeVar("_Ring", "array[float]", list[float])


class _Measures(NamedTuple):
    """What is expected from now on."""

    habit: float
    """Usually spent in an average hour."""
    level: float
    """How many times the usual is spent."""
    rest: float
    """Spent in an hour beside the habit, at this level."""
    total: float
    """Spent in a week."""


@dataclass(frozen=True)
class _Habit:
    """What follows from the hours; made anew when an hour has ended."""

    hours: "array[float]"
    """Spent in each of the last hours."""
    hour: int
    """The last of them."""
    known: int
    """How many of them were seen."""
    week: "array[float]"
    """Usually spent in each hour of the week; below zero where no such hour was ever seen."""
    peaks: "array[float]"
    """The most that was spent in an hour of each day; below zero where nothing was seen."""
    spent: "array[float]"
    """Spent in the hours of each day of the ring, as far as they were seen; below zero where none was."""
    usual: float = _UNSEEN
    """The busiest hour that was seen on two occasions."""
    usual_day: float = _UNSEEN
    """The busiest day, likewise."""

    @classmethod
    def none(cls, hours: "array[float]", at: float) -> Self:
        """Return that of a new account."""
        unseen, days = array("f", [_UNSEEN]), array("d", [_UNSEEN])
        return cls(hours, _hour(at) - 1, _count_seen(hours), unseen * _WEEK_HOURS, unseen * _DAYS, days * _DAYS)

    def after(self, hours: "array[float]", ended: range) -> "_Habit":
        """Return the habit after these hours have ended."""
        week, peaks, spent = self.week[:], self.peaks[:], self.spent[:]
        known, usual, usual_day = self.known, self.usual, self.usual_day
        for hour in ended:
            known += (hours[hour % _HOURS] >= 0) - (self.hours[hour % _HOURS] >= 0)
            day, of_day = divmod(hour, 24)
            today, this_day = day % _DAYS, day % 7
            column = _newest_first(hours[of_day::24], day)
            week[of_day::24] = array("f", _by_day(_usually(column), this_day))
            if of_day == 0 or column[0] > peaks[today]:
                peaks[today] = column[0]
                usual = _usual(peaks, day)
            before = spent[today]
            spent[today] = _sum(hours[24 * today : 24 * today + 24].tolist())
            if of_day == 0 or min(before, spent[today]) < 0 or max(before, spent[today]) >= usual_day:
                usual_day = _usual(spent, day, _BUSY_DAYS_AFTER)
        return _Habit(hours, ended[-1], known, week, peaks, spent, usual, usual_day)

    def packed(self) -> bytes:
        """Return it as it is written down: working it out takes a hundred times as long as reading it."""
        head = _HABIT.pack(_ESTIMATOR, self.usual, self.usual_day, *self.spent)
        return head + _little_endian(self.week + self.peaks).tobytes()

    @classmethod
    def unpacked(cls, data: bytes, hours: "array[float]", at: float) -> Self | None:
        """Return what was packed; None if there is none of this estimator. Raises ValueError if it is damaged."""
        if data[:1] != bytes([_ESTIMATOR]):
            return None
        if len(data) != _HABIT_BYTES:
            raise ValueError
        _, usual, usual_day, *spent = _HABIT.unpack_from(data)
        amounts = _little_endian(array("f", data[_HABIT.size :]))
        week, peaks, known = amounts[:_WEEK_HOURS], amounts[_WEEK_HOURS:], _count_seen(hours)
        sound = min(usual, usual_day) >= _UNSEEN and math.isfinite(usual + usual_day)
        sound = sound and _are_amounts(amounts) and _are_amounts(spent)
        # What was seen is in both, and an hour that was seen on one day is known for all.
        was_seen = [each >= 0 for each in week]
        if not sound or was_seen != was_seen[:24] * 7 or (known and min(max(week), max(spent)) < 0):
            raise ValueError
        return cls(hours, _hour(at) - 1, known, week, peaks, array("d", spent), usual, usual_day)

    @cached_property
    def measures(self) -> _Measures | None:
        """What is expected by it; None if no hour was seen. Worked out when it is asked for."""
        if not self.known:
            return None
        week, hour, busiest = self.week.tolist(), self.hour, self.usual
        habit = _mean(week)
        rest = max(0.0, _calm_days(self.spent, self.usual_day) / self.known - habit)
        busy = _hours_of_busy_days(self.peaks, hour, busiest)
        calm = _calm(_last(self.hours, hour), _last(week, hour), rest, busy, busiest)
        steady = max(_STEADY * (habit + rest), _STEADY_BUSIEST * busiest)
        level = _level(*calm, rest, steady) if steady > 0 else 1.0
        return _Measures(habit, level, rest * level, (habit + rest) * level * _WEEK_HOURS)

    def rushed(self, measures: _Measures) -> int:
        """Return for how many hours, up to the last one, far more was spent than in an average one."""
        least = _RUSH * (measures.habit + measures.rest / measures.level)
        hours, hour = self.hours, self.hour
        return next((ago for ago in range(_WEEK_HOURS) if hours[(hour - ago) % _HOURS] <= least), _WEEK_HOURS)

    def walked(self, hour: float, amount: float, measures: _Measures) -> float:
        """Return the hour up to which, from this hour on, so much is expected to be spent; less than in a week."""
        first, week = int(hour), self.week
        habit, level, rest, _ = measures
        if _UNSEEN in week[:24]:
            week = array("d", [usual if usual >= 0 else habit for usual in week])
        start = first % _WEEK_HOURS
        hours = (week[start:] + week[:start]) * 2
        spent = -(hours[0] * level + rest) * (hour - first)
        for day in range(0, len(hours), 24):
            of_day = hours[day : day + 24]
            whole = sum(of_day) * level + rest * 24
            if spent + whole < amount:
                spent += whole
                continue
            for passed, usual in enumerate(of_day, day):
                each = usual * level + rest
                if each and spent + each >= amount:
                    return first + passed + (amount - spent) / each
                spent += each
        return first + 2.0 * _WEEK_HOURS


def _mean(week: list[float]) -> float:
    """Return the mean of the hours of a week that were seen; one that was on no day was not on any other."""
    unseen = 7 * week[:24].count(_UNSEEN)
    return (sum(week) - unseen * _UNSEEN) / (_WEEK_HOURS - unseen)


def _seen(amounts: Sequence[float]) -> Sequence[float]:
    """Return the amounts that were seen."""
    return [each for each in amounts if each >= 0] if _UNSEEN in amounts else amounts


def _sum(hours: list[float]) -> float:
    """Return what was spent in the hours of a day that were seen; below zero if none was."""
    seen = _seen(hours)
    return sum(seen) if seen else _UNSEEN


def _calm_days(spent: "array[float]", usual: float) -> float:
    """Return what was spent on all days that were seen; one that stands out counts only in part."""
    days, most = _seen(spent), _BUSY_DAYS * usual
    stands_out = max(days) > most > 0
    return sum([min(day, most) for day in days] if stands_out else days)


def _last(ring: _Ring, hour: int) -> _Ring:
    """Return a week's hours up to this one from a ring of them."""
    end = hour % len(ring) + 1
    return ring[end - _WEEK_HOURS : end] if end >= _WEEK_HOURS else ring[end - _WEEK_HOURS :] + ring[:end]


def _hours_of_busy_days(peaks: "array[float]", hour: int, busiest: float) -> Iterator[int]:
    """Yield the hours of days with one above the busiest, within a week up to this hour, which is -1."""
    today = hour // 24
    for day in range(today - 7, today + 1):
        if peaks[day % _DAYS] > busiest:
            begin = 24 * day - hour - 1
            yield from range(max(begin, -_WEEK_HOURS), min(begin + 24, 0))


def _calm(
    amounts: "array[float]", habits: list[float], rest: float, busy: Iterable[int], busiest: float
) -> tuple[list[float], list[float]]:
    """Return what was spent in a week's hours, and their habits, without those that were not seen.

    An hour that is busier than any that was seen on two occasions counts for no more than that, or than a rush is.
    """
    spent = amounts.tolist()
    if _UNSEEN_BYTES in amounts.tobytes():  # or so it looks, across two numbers
        for unseen in [hour for hour, amount in enumerate(spent) if amount < 0]:
            spent[unseen], habits[unseen] = 0.0, -rest
    for each in busy:
        if spent[each] > busiest:
            spent[each] = min(spent[each], max(_RUSH * (habits[each] + rest), busiest))
    return spent, habits


def _level(spent: list[float], habits: list[float], rest: float, steady: float) -> float:
    """Return how many times the usual was spent lately. What is steady is added to both, so that little says little."""
    actual = usual = steady
    level, most = _LEVELS
    for more in _WIDER:
        lately = spent[more]
        actual, usual = actual + sum(lately), usual + sum(habits[more]) + rest * len(lately)
        level = max(level, actual / usual)
    return min(level, most)


def _newest_first(ring: Sequence[float], day: int) -> list[float]:
    """Return what is of each day from this one back, from a ring of them."""
    days, today = list(ring), day % _DAYS
    return days[today::-1] + days[:today:-1]


def _by_day(newest_first: list[float], day: int) -> list[float]:
    """Return what is of the last seven days by the day of the week."""
    return newest_first[day::-1] + newest_first[:day:-1]


@dataclass(frozen=True, slots=True)
class Pace:
    """An account's spending as of its last reading. Replaced at each reading, never changed."""

    begun: float
    """Unix seconds of the first reading."""
    at: float
    """Unix seconds of the last reading."""
    spent: float
    """Spent in the hour that has begun."""
    seen: float
    """Seconds of that hour in which spending could be seen."""
    step: float
    """The least that was ever spent at once; zero before that."""
    hours: "array[float]"
    """Spent in each of the last hours, by hour of the clock modulo their number; below zero where that was not seen."""
    bins: "array[float]"
    """Spent in each part of the last hour, likewise."""
    habit: _Habit = field(compare=False, repr=False)

    @classmethod
    def begin(cls, at: float) -> Self:
        """Return the pace of an account that is first read at this moment."""
        hours = array("f", [_UNSEEN]) * _HOURS
        return cls(at, at, 0.0, 0.0, 0.0, hours, array("f", [0.0]) * _BINS, _Habit.none(hours, at))

    def after(self, before: float, amount: float, since: float, at: float) -> "Pace":
        """Return the pace after `before` was read at `since`, and `amount` next, at `at`.

        A rise hides what was spent meanwhile: a long one, as an outage with a top-up, is time of which nothing is
        known; a short one is as if nothing had been spent.
        """
        since = max(since, self.at)
        if at <= since:
            return self
        if at - self.at >= _HOURS * _HOUR:
            return self.begin(at)
        fall = before - amount
        known = fall >= 0 or at - since <= _SEEN
        fallen = min(max(fall, 0.0), _MOST)
        rate = fallen / (at - since) if known else None
        spent, seen, hours, habit = self._hours_through(at, rate)
        step = min(fallen, self.step or fallen) if fallen else self.step
        return Pace(self.begun, at, spent, seen, step, hours, self._bins_through(at, rate or 0.0), habit)

    def _hours_through(self, at: float, rate: float | None) -> tuple[float, float, "array[float]", _Habit]:
        """Fill in the time up to a moment evenly; no rate is time of which nothing is known.

        Return what is spent and seen of the hour that has begun, the hours and the habit.
        """
        spent, seen, now = self.spent, self.seen, self.at
        ended = range(_hour(now), _hour(at))
        if not ended:
            return *_more(spent, seen, rate, at - now), self.hours, self.habit
        hours = self.hours[:]
        for hour in ended:
            end = (hour + 1) * _HOUR
            spent, seen = _more(spent, seen, rate, end - now)
            hours[hour % _HOURS] = spent / seen * _HOUR if seen >= _SEEN else _UNSEEN
            spent, seen, now = 0.0, 0.0, end
        return *_more(spent, seen, rate, at - now), hours, self.habit.after(hours, ended)

    def _bins_through(self, at: float, rate: float) -> "array[float]":
        part, last, whole = int(self.at // _BIN), int(at // _BIN), rate * _BIN
        if last - part >= _BINS:
            bins = array("f", [whole]) * _BINS
            bins[last % _BINS] = rate * (at - last * _BIN)
            return bins
        bins, now = self.bins[:], self.at
        if part < last:
            bins[last % _BINS] = 0.0
            bins[part % _BINS] += rate * ((part + 1) * _BIN - now)
            for each in range(part + 1, last):
                bins[each % _BINS] = whole
            now = last * _BIN
        bins[last % _BINS] += rate * (at - now)
        return bins

    @property
    def _last_hour(self) -> float:
        """What was spent in the last hour."""
        return sum(self.bins) * _HOUR / (_BIN * (_BINS - 1) + self.at % _BIN)

    def lasts(self, amount: float) -> float | None:
        """Return in how many seconds an amount is used up; None if that cannot be said yet, infinity for never."""
        if amount <= 0:
            return 0.0
        if self.at - self.begun < _TRUSTED_AFTER or (measures := self.habit.measures) is None:
            return None
        # What is spent by the margin is as good as gone.
        young = max(0.0, 1 - (self.at - self.begun) / _YOUNG)
        amount /= _MARGIN + _YOUNG_MARGIN * young
        now = self.at / _HOUR
        hour, rush = now, self._rush(measures)
        if rush:
            lasts = _RUSH_LASTS + self.habit.rushed(measures)
            if amount <= rush * lasts:
                return amount / rush * _HOUR
            amount, hour = amount - rush * lasts, hour + lasts
        if measures.total <= 0:
            return math.inf
        weeks, left = divmod(amount, measures.total)
        return (weeks * _WEEK_HOURS + self.habit.walked(hour, left, measures) - now) * _HOUR

    def _rush(self, measures: _Measures) -> float:
        """Return what is spent in an hour if that is far above what is expected; zero otherwise."""
        hour, spent = _hour(self.at), self._last_hour
        week = self.habit.week
        near = max(week[(hour - 1) % _WEEK_HOURS], week[hour % _WEEK_HOURS], week[(hour + 1) % _WEEK_HOURS])
        usual = max(near, measures.habit) + measures.rest
        return spent if spent > _RUSH * usual + _UNUSUAL_STEPS * self.step else 0.0

    @property
    def unusual(self) -> bool | None:
        """Whether it spends far faster than it ever has at its busiest; None until two days are known."""
        if self.at - self.begun < _UNUSUAL_AFTER or self.habit.usual <= 0:
            return None
        spent, usual = self._last_hour, self.habit.usual
        floor = _UNUSUAL_STEPS * self.step
        measures = self.habit.measures if spent > _UNUSUAL * usual + floor else None  # which takes work
        if measures:
            floor = max(floor, _UNUSUAL_SHARE * measures.habit * 24 - usual)
        if spent <= _UNUSUAL * usual + floor:
            return False
        rushes = _is_weekend(_day(self.at)) and spent > _UNKNOWN_DAY * usual + floor
        return True if rushes or self._knows_such_days() else None

    def _knows_such_days(self) -> bool:
        """Whether a weekday, or a day of a weekend, was seen before, as today is one."""
        today = _day(self.at)
        first = max(_day(self.begun) + 1, today - _DAYS + 1)
        return any(_is_weekend(day) == _is_weekend(today) for day in range(first, today))

    def packed(self) -> str:
        """Return it as text."""
        head = _HEAD.pack(self.begun, self.at, self.spent, self.seen, self.step)
        amounts = _little_endian(self.hours + self.bins).tobytes()
        return b64encode(head + amounts + self.habit.packed()).decode()

    @classmethod
    def unpacked(cls, text: str) -> Self:
        """Return what was packed. Raises ValueError if it is damaged."""
        data = b64decode(text, validate=True)
        if len(data) < _PACE_BYTES:
            raise ValueError
        begun, at, spent, seen, step = _HEAD.unpack_from(data)
        amounts = _little_endian(array("f", data[_HEAD.size : _PACE_BYTES]))
        hours, bins = amounts[:_HOURS], amounts[_HOURS:]
        sound = 0 <= begun <= at < _MOST and 0 <= seen <= _HOUR
        sound = sound and 0 <= spent <= _MOST and 0 <= step <= _MOST
        if not sound or not _are_amounts(amounts) or min(bins) < 0:
            raise ValueError
        habit = _Habit.unpacked(data[_PACE_BYTES:], hours, at) or _habit_of(hours, begun, at)
        return cls(begun, at, spent, seen, step, hours, bins, habit)


def _hour(at: float) -> int:
    """Return the hour of a moment, counted from 1970."""
    return int(at // _HOUR)


def _day(at: float) -> int:
    """Return its day, likewise."""
    return int(at // _DAY)


def _count_seen(hours: "array[float]") -> int:
    """Return how many hours were seen."""
    return _HOURS - hours.count(_UNSEEN)


def _are_amounts(amounts: Sequence[float]) -> bool:
    """Whether each can be what was spent, or stand for what was not seen."""
    ascending = sorted(amounts)
    unseen = bisect_left(ascending, 0.0)
    # The sum is as odd as any of them, and what is not a number cannot be sorted.
    return math.isfinite(sum(ascending)) and ascending[:unseen].count(_UNSEEN) == unseen


def _little_endian(amounts: "array[float]") -> "array[float]":
    """Return amounts as they are written down, whatever the machine; the same makes amounts of what was written."""
    if sys.byteorder == "big":
        amounts.byteswap()
    return amounts


def _habit_of(hours: "array[float]", begun: float, at: float) -> _Habit:
    """Return the habit that follows from the hours, as it grew."""
    last = _hour(at)
    today = (last - 1) // 24
    first = max(_hour(begun), (today - _DAYS + 1) * 24)
    begin = _Habit.none(hours, at)
    if first >= last:
        return begin
    of_days = {
        day: hours[max(first - 24 * day, 0) + 24 * (day % _DAYS) : min(last - 24 * day, 24) + 24 * (day % _DAYS)]
        for day in range(first // 24, today + 1)
    }
    for day, amounts in of_days.items():
        begin.peaks[day % _DAYS] = max(amounts)
        begin.spent[day % _DAYS] = _sum(amounts.tolist())
    usual, usual_day = _usual(begin.peaks, today), _usual(begin.spent, today, _BUSY_DAYS_AFTER)
    begin = replace(begin, usual=usual, usual_day=usual_day)
    # Of what is usual in an hour of the day only the last one tells.
    return begin.after(hours, range(max(first, last - 24), last))


@cache
def _weights(*seen: bool) -> tuple[float, ...]:
    """Return how much each week counts, the same hour of other days, and all of these, by which weeks were seen."""
    weeks = tuple(weight * is_seen for weight, is_seen in zip(_NEWER, seen, strict=True))
    others = _OTHER_DAYS / max(1, sum(seen)) ** 2
    return *weeks, others, sum(weeks) + others


def _more(spent: float, seen: float, rate: float | None, seconds: float) -> tuple[float, float]:
    return (spent, seen) if rate is None else (spent + rate * seconds, seen + seconds)


def _usually(column: list[float]) -> list[float]:
    """Return what is usually spent in an hour of the day, on each of the last seven days, from all such hours.

    The newest come first.
    """
    known = _seen(column)
    if not known:
        return [_UNSEEN] * 7
    ascending = sorted(known)
    calm = ascending[:-_RUSHES] or known
    allowed = _ALLOWED * sum(calm) / len(calm)
    is_level = ascending[-1] <= allowed  # as nearly always
    days = _seen(column[:7]) or known
    if not is_level:
        days = _levelled(days, allowed)
    other = sum(days) / len(days)
    weights = _weights(*[True] * len(_NEWER)) if len(known) == len(column) else None
    usual = []
    for weeks in zip(column[:7], column[7:14], column[14:], strict=True):
        last, before, first = weeks if is_level else _levelled(weeks, allowed)
        weighed = weights or _weights(last >= 0, before >= 0, first >= 0)
        of_last, of_before, of_first, of_others, all_of_it = weighed
        usual.append((last * of_last + before * of_before + first * of_first + other * of_others) / all_of_it)
    return usual


def _levelled(amounts: Sequence[float], allowed: float) -> Sequence[float]:
    """Return the amounts with what stands out cut off; one that was not seen stays as it is."""
    if max(amounts) <= allowed:
        return amounts
    next_busiest, busiest = sorted((0.0, *amounts))[-2:]
    most = _STANDS_OUT * next_busiest + allowed
    return amounts if busiest <= most else [min(each, most) for each in amounts]


def _usual(amounts: Sequence[float], today: int, young: int = _OCCASIONS) -> float:
    """Return the largest amount of a day, without the largest of all and the days near it.

    In a history of a few days it is the largest before today.
    """
    days = _newest_first(amounts, today)
    if _DAYS - days.count(_UNSEEN) <= young:
        return max(days[1:])
    busiest = days.index(max(days))
    return max(days[: max(0, busiest - _APART + 1)] + days[busiest + _APART :])


def _is_weekend(day: int) -> bool:
    """Whether a day is Saturday or Sunday; the first of all was a Thursday."""
    return (day + 3) % 7 >= 5  # noqa: PLR2004 - days after Monday
