"""Moments, on both of the clocks that a machine has."""

import time
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

    def age(self, now: "Instant") -> float:
        """Seconds from this moment until now, by whichever clock counts more.

        The wall clock can be set back and the monotonic one sleeps when the machine does. Counting too much
        makes a value unknown too early; counting too little would show an old one as fresh.
        """
        return max(now.unix - self.unix, now.monotonic - self.monotonic, 0.0)
