"""Whether what was measured day by day stays as it is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, linear_regression

_SETTLED = 1 / 3
"""The share of the days that pass before an account's week is full, and before caches are."""

_NEGLIGIBLE = 0.02
"""The share of its mean by which a size may grow over all the days that count, noise apart."""


@dataclass(frozen=True)
class Course:
    """How a size went on, day by day, once it had settled."""

    first: float
    last: float
    mean: float
    slope: float
    """By which it grows a day, by least squares."""
    error: float
    """The standard error of the slope: what noise alone makes of it."""
    days: int

    @classmethod
    def of(cls, sizes: Sequence[float]) -> "Course":
        """Look at the sizes of all days."""
        settled = sizes[int(len(sizes) * _SETTLED) :]
        days = range(len(settled))
        if len(settled) < 3:
            return cls(settled[0], settled[-1], fmean(settled), 0.0, math.inf, len(settled))
        slope, begin = linear_regression(days, settled)
        rest = sum((size - begin - slope * day) ** 2 for day, size in zip(days, settled, strict=True))
        spread = sum((day - fmean(days)) ** 2 for day in days)
        error = math.sqrt(rest / (len(settled) - 2) / spread)
        return cls(settled[0], settled[-1], fmean(settled), slope, error, len(settled))

    @property
    def flat(self) -> bool:
        """Whether it does not grow: its slope is within three times its error, or comes to next to nothing."""
        return self.slope <= 3 * self.error or self.slope * self.days <= self.mean * _NEGLIGIBLE
