"""Moments, on both of the clocks that a machine has."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks: the wall's to tell people, the monotonic to measure by."""

    unix: float
    """Seconds since 1970."""
    monotonic: float
    """Seconds since some moment in the past."""

    @classmethod
    def now(cls) -> Self:
        """Read both clocks."""
        return cls(unix=time.time(), monotonic=time.monotonic())

    @classmethod
    def recorded(cls, unix: float, now: "Instant") -> Self:
        """Return a moment of which only the wall clock is known, as it was written down before a restart."""
        return cls(unix=unix, monotonic=now.monotonic - (now.unix - unix))

    @property
    def day(self) -> int:
        """The day by the wall clock, in this machine's time zone, counted from the year 1."""
        return date.fromtimestamp(self.unix).toordinal()  # noqa: DTZ012 - the zone of people who look at it

    def after(self, seconds: float) -> "Instant":
        """Return the moment so many seconds later; on both clocks, if nobody sets them."""
        return Instant(unix=self.unix + seconds, monotonic=self.monotonic + seconds)

    @classmethod
    def earliest(cls, moments: Iterable["Instant"]) -> Self:
        """Return the earliest moment, of each clock by itself; one that never comes, if there are none."""
        never = Instant(unix=math.inf, monotonic=math.inf)
        known = [never, *moments]
        return cls(unix=min(each.unix for each in known), monotonic=min(each.monotonic for each in known))

    def or_later(self, other: "Instant") -> "Instant":
        """Return the later of two moments, of each clock by itself."""
        return Instant(unix=max(self.unix, other.unix), monotonic=max(self.monotonic, other.monotonic))

    def reached(self, now: "Instant") -> bool:
        """Whether this moment has come, on either clock."""
        return now.unix >= self.unix or now.monotonic >= self.monotonic

    def age(self, now: "Instant") -> float:
        """Seconds from this moment until now, by whichever clock counts more.

        The wall clock can be set back and the monotonic one sleeps when the machine does. Counting too much
        makes a value unknown too early; counting too little would show an old one as fresh.
        """
        return max(now.unix - self.unix, now.monotonic - self.monotonic, 0.0)
