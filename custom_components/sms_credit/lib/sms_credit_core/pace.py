"""How fast an account spends: how long its credit will last, and whether it spends far more than it ever does."""

import math
import struct
from array import array
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from typing import Self

_HOUR, _DAY, _WEEK = 3600.0, 86400.0, 604800.0
_HOURS = 672
"""Hours that are remembered: four weeks, so that an hour of the week always has the same places."""
_DAYS = 28
_TRUSTED_AFTER = 4 * _HOUR
_UNUSUAL_AFTER = 2 * _DAY
_RUSH = 1800.0
"""Seconds in which the present rate forgets two thirds of what was."""
_FACTOR, _STEPS = 3.0, 6.0
_MOST = 1e30
"""No account spends more at once; keeps every sum finite."""
_HEAD = struct.Struct("<8d")


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
    moved: float
    """Unix seconds up to which spending is in `rate`."""
    rate: float
    """Spent in a second, lately; as of `moved`."""
    step: float
    """The least that was ever spent at once."""
    hours: "array[float]"
    """Spent in each of the last hours, by hour of the clock modulo their number; NaN where that was not seen."""
    peaks: "array[float]"
    """The highest rate on each of the last days, by day modulo their number."""

    @classmethod
    def begin(cls, at: float) -> Self:
        """Return the pace of an account that is first read at this moment."""
        return cls(at, at, 0.0, 0.0, at, 0.0, math.inf, array("f", [math.nan]) * _HOURS, array("f", [0.0]) * _DAYS)

    def after(self, before: float, amount: float, since: float, at: float) -> "Pace":
        """Return the pace after `before` was read at `since`, and `amount` next, at `at`."""
        since = max(since, self.at)
        if at <= since:
            return self
        if at - self.at > _HOURS * _HOUR:
            return self.begin(at)
        drop = min(before - amount, _MOST)
        return self._through(since, None)._through(at, drop if drop >= 0 else None)._moving(drop, since, at)

    def _through(self, at: float, drop: float | None) -> "Pace":
        """Return the pace with the hours up to a moment filled in evenly; None is unknown."""
        if at <= self.at:
            return self
        pace = None if drop is None else drop / (at - self.at)
        spent, seen, hours, now = self.spent, self.seen, self.hours, self.at
        hour, last = int(now // _HOUR), int(at // _HOUR)
        if hour < last:
            hours = hours[:]
        while True:
            end = min(at, (hour + 1) * _HOUR)
            if pace is not None:
                spent += pace * (end - now)
                seen += end - now
            if hour == last:
                return replace(self, at=at, spent=spent, seen=seen, hours=hours)
            hours[hour % _HOURS] = spent / seen * _HOUR if seen >= _HOUR / 4 else math.nan
            spent, seen, now, hour = 0.0, 0.0, end, hour + 1

    def _moving(self, drop: float, since: float, at: float) -> "Pace":
        peaks = self.peaks
        if since // _DAY != at // _DAY:
            peaks = peaks[:]
            for day in range(int(since // _DAY) + 1, int(at // _DAY) + 1):
                peaks[day % _DAYS] = 0.0
        if drop <= 0:
            return replace(self, peaks=peaks, moved=self.moved + (at - since) * (drop < 0))
        length = at - self.moved
        kept = math.exp(-length / _RUSH)
        rate = self.rate * kept + drop / length * (1 - kept)
        today = int(at // _DAY) % _DAYS
        if rate > peaks[today]:
            peaks = peaks[:]
            peaks[today] = rate
        return replace(self, peaks=peaks, moved=at, rate=rate, step=min(self.step, drop))

    def lasts(self, amount: float) -> float | None:
        """Return in how many seconds an amount is used up; None if that cannot be said yet, infinity for never."""
        if amount <= 0:
            return 0.0
        if self.at - self.begun < _TRUSTED_AFTER:
            return None
        hour = int(self.at // _HOUR) % _HOURS
        ordered = self.hours[hour:] + self.hours[:hour]
        rates = []
        for window in (24, 168):
            known = [x for x in ordered[-window:] if x == x]
            spent, seen = math.fsum(known) + self.spent, len(known) * _HOUR + self.seen
            if seen >= _TRUSTED_AFTER:
                rates.append(spent / seen)
        if not rates:
            return None
        return amount / max(rates) if max(rates) > 0 else math.inf

    @property
    def unusual(self) -> bool | None:
        """Whether it spends far faster than it ever has at its busiest; None until two days are known."""
        if self.at - self.begun < _UNUSUAL_AFTER:
            return None
        today = int(self.at // _DAY) % _DAYS
        usual = max(peak for day, peak in enumerate(self.peaks) if day != today)
        rate = self.rate * math.exp((self.moved - self.at) / _RUSH)
        return usual > 0 and rate > _FACTOR * usual + _STEPS * self.step / _HOUR

    def packed(self) -> str:
        """Return it as text."""
        head = (self.begun, self.at, self.spent, self.seen, self.moved, self.rate, self.step, 0.0)
        hours = struct.pack(f"<{_HOURS}f{_DAYS}f", *self.hours, *self.peaks)
        return b64encode(_HEAD.pack(*head) + hours).decode()

    @classmethod
    def unpacked(cls, text: str) -> Self:
        """Return what was packed; raise ValueError if it is damaged."""
        data = b64decode(text, validate=True)
        if len(data) != _HEAD.size + 4 * (_HOURS + _DAYS):
            raise ValueError
        head = _HEAD.unpack_from(data)
        rest = struct.unpack_from(f"<{_HOURS}f{_DAYS}f", data, _HEAD.size)
        return cls(*head[:7], array("f", rest[:_HOURS]), array("f", rest[_HOURS:]))
