"""Ways to foretell how long credit lasts: the product's own, and simpler ones that it is compared with."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from statistics import fmean, median
from typing import Protocol

from sms_credit_core import Pace

from .histories import DAY, HOUR, WEEK

_TRUSTED_AFTER = 4 * HOUR
_LONG = 900.0
"""Seconds; a rise in a longer interval hides what was spent in it, so the interval counts for nothing."""


class Estimator(Protocol):
    """Sees each reading, and says after each how many seconds an amount lasts; None or infinity where it cannot."""

    def see(self, at: float, amount: float) -> None:
        """Take a reading, in Unix seconds and the account's unit."""

    def lasts(self, amount: float) -> float | None:
        """Return seconds."""


class _Falls:
    """What all simple ones have in common: the intervals between readings, each with what was spent in it."""

    longest = 4 * WEEK

    def __init__(self) -> None:
        self.falls: deque[tuple[float, float, float]] = deque()
        """End, length and what was spent, of each interval."""
        self.begun = self.at = self.amount = math.nan

    def see(self, at: float, amount: float) -> None:
        """Take a reading."""
        length = at - self.at
        if math.isnan(length):
            self.begun = at
        elif amount <= self.amount or length <= _LONG:
            self.falls.append((at, length, max(0.0, self.amount - amount)))
        self.at, self.amount = at, amount
        while self.falls and self.falls[0][0] < at - self.longest:
            self.falls.popleft()

    def lasts(self, amount: float) -> float | None:
        """Return seconds at the pace that the estimator finds."""
        pace = self.pace() if self.at - self.begun >= _TRUSTED_AFTER else 0.0
        return amount / pace if pace > 0 else None

    def pace(self) -> float:
        """Return what is spent in a second."""
        raise NotImplementedError


class Window(_Falls):
    """What was spent in the last while, divided by the time of it."""

    def __init__(self, window: float) -> None:
        """Take the window's length in seconds."""
        super().__init__()
        self.longest = window

    def pace(self) -> float:
        """Return the mean."""
        seen = sum(length for _, length, _ in self.falls)
        return sum(spent for _, _, spent in self.falls) / seen if seen >= _TRUSTED_AFTER else 0.0


class Least:
    """The least that several others say."""

    def __init__(self, *others: Estimator) -> None:
        """Take the others."""
        self._others = others

    def see(self, at: float, amount: float) -> None:
        """Take a reading."""
        for each in self._others:
            each.see(at, amount)

    def lasts(self, amount: float) -> float | None:
        """Return the least."""
        return min((lasts for each in self._others if (lasts := each.lasts(amount)) is not None), default=None)


class Decayed(_Falls):
    """Everything ever spent, by weights that halve with each day of age."""

    longest = 0.0
    half_life = DAY

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self._spent = self._seen = 0.0

    def see(self, at: float, amount: float) -> None:
        """Take a reading."""
        kept = 0.5 ** ((at - self.at) / self.half_life) if not math.isnan(self.at) else 1.0
        super().see(at, amount)
        self._spent, self._seen = self._spent * kept, self._seen * kept
        for _, length, spent in self.falls:
            self._spent, self._seen = self._spent + spent, self._seen + length
        self.falls.clear()

    def pace(self) -> float:
        """Return the weighted mean."""
        return self._spent / self._seen if self._seen else 0.0


class Slopes(_Falls):
    """A robust regression over falls: the median slope of the last days, each the mean of what fell in it."""

    longest = 2 * WEEK

    def pace(self) -> float:
        """Return the median, or the mean where that is nothing."""
        days: dict[int, tuple[float, float]] = {}
        for at, length, spent in self.falls:
            day = int((self.at - at) // DAY)
            before = days.get(day, (0.0, 0.0))
            days[day] = before[0] + spent, before[1] + length
        slopes = [spent / length for spent, length in days.values() if length >= _TRUSTED_AFTER]
        return median(slopes) or fmean(slopes) if slopes else 0.0


class Ours:
    """The product's own: habits by the hour of the week, with a robust level."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.pace: Pace | None = None
        self._before = (math.nan, math.nan)

    def see(self, at: float, amount: float) -> None:
        """Take a reading."""
        since, before = self._before
        self.pace = self.pace.after(before, amount, since, at) if self.pace else Pace.begin(at)
        self._before = at, amount

    def lasts(self, amount: float) -> float | None:
        """Return what the pace says."""
        return self.pace.lasts(amount) if self.pace else None


OURS = "habits by hour of the week"
BASE = "least of a day and a week"
ESTIMATORS: Mapping[str, Callable[[], Estimator]] = {
    "the last day": lambda: Window(DAY),
    "the last week": lambda: Window(WEEK),
    BASE: lambda: Least(Window(DAY), Window(WEEK)),
    "decayed, half of it in a day": Decayed,
    "median slope of the last two weeks' days": Slopes,
    OURS: Ours,
}
"""Each by what people may call it."""
