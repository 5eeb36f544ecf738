"""Moments, on both of the clocks that a machine has."""

import time
from dataclasses import dataclass
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

    def age(self, now: "Instant") -> float:
        """Seconds from this moment until now, by whichever clock counts more.

        The wall clock can be set back and the monotonic one sleeps when the machine does. Counting too much
        makes a value unknown too early; counting too little would show an old one as fresh.
        """
        return max(now.unix - self.unix, now.monotonic - self.monotonic, 0.0)
