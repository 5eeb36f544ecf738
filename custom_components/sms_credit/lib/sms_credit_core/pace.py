"""How fast an account spends: how long its credit will last, and whether it spends far more than it ever did.

What was spent in each hour of the last three weeks is remembered, and everything follows from that:

- *Habit*: what the account usually spends in each hour of the week. Newer weeks count for more, an hour that stands out
  from the same hour of other weeks counts only in part, and the same hour of other days fills in where weeks are few.
- *Level*: how much more or less than that it has spent lately.
- *Rest*: what stands out comes again some time, so it is spread evenly.
- *Margin*: a forecast that is too long does more harm than one that is too short, most of all in the first week.
- *Rush*: while the last hour is far above the habit, it is taken to go on for some hours more than it has lasted.

Spending is *unusual* while the last hour is far above the busiest one that was seen on two occasions, some days apart.
docs/runway.md compares all this with simpler ways.
"""

import math
import struct
from array import array
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from typing import Self

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
_STEADY = 12.0
"""Usual hours that are added to both sides of that measure, so that a few messages make no level."""
_LEVELS = (0.6, 2.5)
_REST = 0.5
"""The most that is spread evenly, as a share of the habit, unless there is next to no habit."""
_MARGIN, _YOUNG_MARGIN, _YOUNG = 1.1, 0.6, 7 * _DAY
_RUSH, _RUSH_LASTS = 2.0, 6.0
"""How many times the habit a rush is, and for how many hours it is taken to go on beside those that it has lasted."""

_UNUSUAL = 3.0
_UNUSUAL_STEPS = 3.0
_UNUSUAL_SHARE = 0.25
"""The least share of a usual day's spending that is unusual in an hour."""
_UNKNOWN_DAY = 10.0
"""How many times the busiest hour of weekdays is unusual on the first weekend. A first Monday tells nothing."""
_APART = 4
"""Days between two occasions."""
_OCCASIONS = 14
"""Days of history before two occasions are asked for."""

_HEAD = struct.Struct("<5d")
_TAIL = struct.Struct(f"<{_HOURS}f{_BINS}f")


@dataclass(frozen=True, slots=True)
class _Habit:
    """What follows from the hours; made anew when an hour has ended."""

    week: "array[float]"
    """Usually spent in each hour of the week; below zero where no such hour was ever seen."""
    peaks: "array[float]"
    """The most that was spent in an hour of each day; below zero where nothing was seen."""
    level: float = 1.0
    rest: float = 0.0
    """Spent in an hour beside the habit."""
    rushed: int = 0
    """Hours that a rush has lasted."""
    habit: float = 0.0
    """Usually spent in an average hour."""
    total: float | None = None
    """Expected in a week; None before any hour was seen."""
    usual: float = 0.0
    """The busiest hour that was seen on two occasions."""

    @classmethod
    def none(cls) -> Self:
        """Return that of a new account."""
        return cls(array("f", [_UNSEEN]) * _WEEK_HOURS, array("f", [_UNSEEN]) * _DAYS)

    def after(self, hours: "array[float]", hour: int) -> "_Habit":
        """Return the habit after this hour has ended, without level, rest and usual."""
        week, peaks, day = self.week[:], self.peaks[:], hour // 24 % _DAYS
        spent = hours[hour % _HOURS]
        peaks[day] = spent if hour % 24 == 0 else max(peaks[day], spent)
        column = [hours[(hour - 24 * ago) % _HOURS] for ago in range(_DAYS)]
        for ago, usual in enumerate(_usually(column)):
            week[(hour - 24 * ago) % _WEEK_HOURS] = usual
        return replace(self, week=week, peaks=peaks)

    def measured(self, hours: "array[float]", hour: int) -> "_Habit":
        """Return the habit with all that follows from it, as it is after this hour."""
        usual = _usual(self.peaks, hour // 24)
        mean, habit = _mean(hours), _mean(self.week)
        if mean is None or habit is None:
            return replace(self, usual=usual)
        rest = max(0.0, mean - habit)
        if habit > mean / 5:
            rest = min(rest, _REST * habit)
        level = self._level(hours, hour, habit, rest) if habit > 0 else 1.0
        total = (habit * level + rest) * _WEEK_HOURS
        least = _RUSH * (habit + rest)
        rushed = next((ago for ago in range(_WEEK_HOURS) if hours[(hour - ago) % _HOURS] <= least), _WEEK_HOURS)
        return replace(self, level=level, rest=rest, rushed=rushed, usual=usual, habit=habit, total=total)

    def _level(self, hours: "array[float]", hour: int, habit: float, rest: float) -> float:
        amounts, expected = _last(hours, hour), _last(self.week, hour)
        if min(amounts) < 0:
            expected = array(
                "f", [usual if amount >= 0 else 0.0 for amount, usual in zip(amounts, expected, strict=True)]
            )
            amounts = array("f", [max(amount, 0.0) for amount in amounts])
        spent = list(map(min, amounts, [_RUSH * usual + rest for usual in expected]))
        steady = _STEADY * habit
        levels = [(steady + sum(spent[-window:])) / (steady + sum(expected[-window:])) for window in _WINDOWS]
        return min(max(*levels, _LEVELS[0]), _LEVELS[1])

    def expected(self, hour: int) -> float:
        """Return what is expected to be spent in an hour."""
        usual = self.week[hour % _WEEK_HOURS]
        return (usual if usual >= 0 else self.habit) * self.level + self.rest

    def walked(self, hour: float, amount: float) -> float:
        """Return the hour up to which, from this hour on, so much is expected to be spent; less than in a week."""
        first = int(hour)
        level, rest, habit = self.level, self.rest, self.habit
        spent = -self.expected(first) * (hour - first)
        start = first % _WEEK_HOURS
        for passed, usual in enumerate((self.week[start:] + self.week[:start]) * 2):
            each = (usual if usual >= 0 else habit) * level + rest
            if each and spent + each >= amount:
                return first + passed + (amount - spent) / each
            spent += each
        return first + 2.0 * _WEEK_HOURS


def _mean(ring: "array[float]") -> float | None:
    """Return the mean of the hours that were seen."""
    unseen = ring.count(_UNSEEN) if min(ring) < 0 else 0
    return (sum(ring) - unseen * _UNSEEN) / (len(ring) - unseen) if unseen < len(ring) else None


def _last(ring: "array[float]", hour: int) -> "array[float]":
    """Return a week's hours up to this one from a ring of them."""
    end = hour % len(ring) + 1
    return ring[end - _WEEK_HOURS : end] if end >= _WEEK_HOURS else ring[end - _WEEK_HOURS :] + ring[:end]


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
    habit: _Habit = field(default_factory=_Habit.none, compare=False, repr=False)

    @classmethod
    def begin(cls, at: float) -> Self:
        """Return the pace of an account that is first read at this moment."""
        return cls(at, at, 0.0, 0.0, 0.0, array("f", [_UNSEEN]) * _HOURS, array("f", [0.0]) * _BINS)

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
        spent = min(max(fall, 0.0), _MOST)
        after = self._through(at, spent / (at - since) if known else None)
        return replace(after, step=min(spent, self.step or spent) if spent else self.step)

    def _through(self, at: float, rate: float | None) -> "Pace":
        """Return the pace with the time up to a moment filled in evenly; None is unknown."""
        hours, habit, spent, seen, now = self.hours, self.habit, self.spent, self.seen, self.at
        hour, last = int(now // _HOUR), int(at // _HOUR)
        if hour < last:
            hours = hours[:]
        for ended in range(hour, last):
            end = (ended + 1) * _HOUR
            spent, seen = _more(spent, seen, rate, end - now)
            hours[ended % _HOURS] = spent / seen * _HOUR if seen >= _SEEN else _UNSEEN
            habit = habit.after(hours, ended)
            spent, seen, now = 0.0, 0.0, end
        if hour < last:
            habit = habit.measured(hours, last - 1)
        spent, seen = _more(spent, seen, rate, at - now)
        return replace(
            self, at=at, spent=spent, seen=seen, hours=hours, bins=self._bins_through(at, rate or 0.0), habit=habit
        )

    def _bins_through(self, at: float, rate: float) -> "array[float]":
        bins, now = self.bins[:], max(self.at, at - _BIN * _BINS)
        part, last = int(now // _BIN), int(at // _BIN)
        for each in range(int(self.at // _BIN) + 1, last + 1)[-_BINS:]:
            bins[each % _BINS] = 0.0
        for each in range(part, last + 1):
            end = min(at, (each + 1) * _BIN)
            bins[each % _BINS] += rate * (end - now)
            now = end
        return bins

    @property
    def _last_hour(self) -> float:
        """What was spent in the last hour."""
        return sum(self.bins) * _HOUR / (_BIN * (_BINS - 1) + self.at % _BIN)

    def lasts(self, amount: float) -> float | None:
        """Return in how many seconds an amount is used up; None if that cannot be said yet, infinity for never."""
        if amount <= 0:
            return 0.0
        habit = self.habit
        if self.at - self.begun < _TRUSTED_AFTER or habit.total is None:
            return None
        # What is spent by the margin is as good as gone.
        young = max(0.0, 1 - (self.at - self.begun) / _YOUNG)
        amount /= _MARGIN + _YOUNG_MARGIN * young
        now = self.at / _HOUR
        hour, rush = now, self._rush()
        if rush:
            lasts = _RUSH_LASTS + habit.rushed
            if amount <= rush * lasts:
                return amount / rush * _HOUR
            amount, hour = amount - rush * lasts, hour + lasts
        if habit.total <= 0:
            return math.inf
        weeks, left = divmod(amount, habit.total)
        return (weeks * _WEEK_HOURS + habit.walked(hour, left) - now) * _HOUR

    def _rush(self) -> float:
        """Return what is spent in an hour if that is far above what is expected; zero otherwise."""
        hour, spent = int(self.at // _HOUR), self._last_hour
        near = max(self.habit.week[each % _WEEK_HOURS] for each in (hour - 1, hour, hour + 1))
        usual = max(near, self.habit.habit) + self.habit.rest
        return spent if spent > _RUSH * usual + _UNUSUAL_STEPS * self.step else 0.0

    @property
    def unusual(self) -> bool | None:
        """Whether it spends far faster than it ever has at its busiest; None until two days are known."""
        if self.at - self.begun < _UNUSUAL_AFTER or self.habit.usual <= 0:
            return None
        spent, usual = self._last_hour, self.habit.usual
        floor = max(_UNUSUAL_STEPS * self.step, _UNUSUAL_SHARE * self.habit.habit * 24 - usual)
        if spent <= _UNUSUAL * usual + floor:
            return False
        rushes = _is_weekend(int(self.at // _DAY)) and spent > _UNKNOWN_DAY * usual + floor
        return True if rushes or self._knows_such_days() else None

    def _knows_such_days(self) -> bool:
        """Whether a weekday, or a day of a weekend, was seen before, as today is one."""
        today = int(self.at // _DAY)
        first = max(int(self.begun // _DAY) + 1, today - _DAYS + 1)
        return any(_is_weekend(day) == _is_weekend(today) for day in range(first, today))

    def packed(self) -> str:
        """Return it as text."""
        head = _HEAD.pack(self.begun, self.at, self.spent, self.seen, self.step)
        return b64encode(head + _TAIL.pack(*self.hours, *self.bins)).decode()

    @classmethod
    def unpacked(cls, text: str) -> Self:
        """Return what was packed. Raises ValueError if it is damaged."""
        data = b64decode(text, validate=True)
        if len(data) != _HEAD.size + _TAIL.size:
            raise ValueError
        begun, at, spent, seen, step = _HEAD.unpack_from(data)
        amounts = _TAIL.unpack_from(data, _HEAD.size)
        hours, bins = array("f", amounts[:_HOURS]), array("f", amounts[_HOURS:])
        sound = 0 <= begun <= at < _MOST and 0 <= seen <= _HOUR
        sound = sound and 0 <= spent <= _MOST and 0 <= step <= _MOST
        if not sound or not all(each == _UNSEEN or 0 <= each < math.inf for each in amounts) or min(bins) < 0:
            raise ValueError
        return cls(begun, at, spent, seen, step, hours, bins, _habit_of(hours, begun, at))


def _habit_of(hours: "array[float]", begun: float, at: float) -> _Habit:
    """Return the habit that follows from the hours, as it grew."""
    habit, last = _Habit.none(), int(at // _HOUR)
    first = max(int(begun // _HOUR), (last - 1) // 24 * 24 - (_DAYS - 1) * 24)
    for hour in range(first, last):
        habit = habit.after(hours, hour)
    return habit.measured(hours, last - 1) if first < last else habit


def _more(spent: float, seen: float, rate: float | None, seconds: float) -> tuple[float, float]:
    return (spent, seen) if rate is None else (spent + rate * seconds, seen + seconds)


def _usually(column: list[float]) -> list[float]:
    """Return what is usually spent in an hour of the day, on each of the last seven days, from all such hours.

    The newest come first.
    """
    known = [each for each in column if each >= 0]
    if not known:
        return [_UNSEEN] * 7
    calm = sorted(known)[:-_RUSHES] or known
    allowed = _ALLOWED * sum(calm) / len(calm)
    days = _levelled([each for each in column[:7] if each >= 0] or known, allowed)
    other = sum(days) / len(days)
    usual = []
    for day in range(7):
        weeks = [(each, newer) for each, newer in zip(column[day::7], _NEWER, strict=True) if each >= 0]
        amounts = _levelled([each for each, _ in weeks], allowed)
        spent = sum(each * newer for each, (_, newer) in zip(amounts, weeks, strict=True))
        others = _OTHER_DAYS / max(1, len(weeks)) ** 2
        usual.append((spent + others * other) / (sum(newer for _, newer in weeks) + others))
    return usual


def _levelled(amounts: list[float], allowed: float) -> list[float]:
    """Return the amounts with what stands out cut off."""
    next_busiest = sorted(amounts)[-2] if len(amounts) > 1 else 0.0
    most = _STANDS_OUT * next_busiest + allowed
    return [min(each, most) for each in amounts]


def _usual(peaks: "array[float]", today: int) -> float:
    """Return the busiest hour of days that are not near the busiest of all; in a young history, of all days before."""
    days = [peaks[(today - ago) % _DAYS] for ago in range(_DAYS)]
    busiest = days.index(max(days))
    if sum(each >= 0 for each in days) <= _OCCASIONS:
        return max(days[1:])
    return max(each for ago, each in enumerate(days) if abs(ago - busiest) >= _APART)


def _is_weekend(day: int) -> bool:
    """Whether a day is Saturday or Sunday; the first of all was a Thursday."""
    return (day + 3) % 7 >= 5  # noqa: PLR2004 - days after Monday
