"""An account over time: what is known of it now, since when, and when to ask again. No clock is read here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from .instant import Instant
from .ledger import Ledger, Ledgers, entered
from .problem import Problem
from .reading import Limit, Limits, Reading
from .status import FAILURES, Status

DEFAULT_POLL_INTERVAL = 300.0
"""Seconds. A balance moves slowly, and the providers ask for minutes between two polls."""

DEFAULT_STALE_AFTER = 3600.0
"""Seconds after which the last good reading is no longer shown."""

MAX_RETRY_AFTER = 3600.0
"""Seconds; a longer Retry-After is not believed, unless the account's own interval is longer still."""

_BACK_OFF = (1, 1, 2, 4)
"""How many intervals to wait after so many failed polls in a row, and after more."""

_REFUSED_INTERVALS = 12
_MAX_REFUSED = 3600.0
"""Seconds. Refused credentials rarely heal by themselves, and guessing gets keys locked: an hour at the usual pace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that is known of one account. Replaced at each poll, never changed."""

    status: Status = Status.PENDING
    problem: Problem | None = None
    """Why there is no fresh reading; None after one, and before the first poll."""
    reading: Reading | None = None
    """The last good reading, however old; see `known`."""
    read_at: Instant | None = None
    """When the last good reading arrived."""
    asked_at: Instant | None = None
    """When the last poll began."""
    polled_at: Instant | None = None
    """When the last poll ended."""
    poll_duration: float | None = None
    """Seconds that the last poll took."""
    polls: int = 0
    failures: Mapping[Status, int] = field(default_factory=lambda: dict.fromkeys(FAILURES, 0))
    """Failed polls by the status that they left."""
    failed_in_a_row: int = 0
    ledgers: Ledgers = ()
    """What was spent and topped up, in what the account pays with now and in what it paid with before."""
    low: Mapping[Limit, bool] = field(default_factory=dict)
    """Whether each limit is reached, or was when that could last be told."""
    speed: float = 1.0
    """How many times faster than in life everything passes; above 1 in demonstrations only."""

    @property
    def ledger(self) -> Ledger | None:
        """The ledger of what the account pays with; None before the first reading."""
        return self.ledgers[0] if self.ledgers else None

    def asking(self, at: Instant) -> "Account":
        """Return the account as it is while a poll is under way that began `at` this moment."""
        return replace(self, asked_at=at)

    def after(self, outcome: Reading | Problem, at: Instant, duration: float) -> "Account":
        """Return the account as it is after a poll that ended `at` this moment and took `duration` seconds."""
        found = self._read(outcome, at) if isinstance(outcome, Reading) else self._failed(outcome)
        return replace(self, polled_at=at, poll_duration=duration, polls=self.polls + 1, **found)

    def _read(self, reading: Reading, at: Instant) -> Mapping[str, Any]:
        """Return what a reading changes."""
        return {
            "status": reading.quality.status,
            "problem": None,
            "reading": reading,
            "read_at": at,
            "failed_in_a_row": 0,
            "ledgers": entered(self.ledgers, reading, at, self.speed),
        }

    def _failed(self, problem: Problem) -> Mapping[str, Any]:
        """Return what a poll without a reading changes."""
        status = problem.status
        return {
            "status": status,
            "problem": problem,
            "reading": self.reading if status.holds else None,
            "failures": self.failures if status.up else {**self.failures, status: self.failures[status] + 1},
            "failed_in_a_row": 0 if status.up else self.failed_in_a_row + 1,
        }

    def judged(self, limits: Limits) -> "Account":
        """Return the account with a word on each limit that is set. A word stays until a reading or a limit ends it."""
        low = limits.reached(self._values(limits), self.low)
        return self if low == self.low else replace(self, low=low)

    def _values(self, limits: Limits) -> Mapping[Limit, Decimal | float | None]:
        """Return what the limits that are set are held against, by the last good reading, however old."""
        if self.reading is None:
            return {}
        reading, ledger = limits.priced(self.reading), self.ledger
        values: dict[Limit, Decimal | float | None] = {Limit.BALANCE: reading.balance, Limit.QUOTA: reading.quota}
        if limits.low_runway is not None and ledger:  # the one value that takes work
            values[Limit.RUNWAY] = lasts = ledger.lasts
            if lasts is None and self.low.get(Limit.RUNWAY) and ledger.top_up and ledger.top_up.at == ledger.at:
                # Nobody can tell how long it lasts; but credit that was just added is not what was low before.
                values[Limit.RUNWAY] = math.inf
        return values

    def known(self, now: Instant, stale_after: float) -> Reading | None:
        """Return the last good reading while it is at most `stale_after` seconds old."""
        if self.reading is None or self.read_at is None or self.read_at.age(now) > stale_after:
            return None
        return self.reading

    def next_poll_in(self, interval: float) -> float:
        """Seconds to wait after the last poll: the interval, up to four of them after failures in a row.

        Refused credentials wait for twelve intervals, but not beyond an hour. A Retry-After lengthens the wait
        but never shortens it, and not beyond an hour either.
        """
        back_off = interval * _BACK_OFF[min(self.failed_in_a_row, len(_BACK_OFF) - 1)]
        refused = self.status is Status.AUTH_FAILED
        pause = min(interval * _REFUSED_INTERVALS, _MAX_REFUSED) if refused else 0.0
        asked = self.problem.retry_after if self.problem else None
        return max(back_off, pause, min(asked or 0.0, MAX_RETRY_AFTER))

    def due_in(self, interval: float, now: Instant) -> float:
        """Seconds from now until the next poll. One that was begun and never ended, as by a crash, was a poll too."""
        ages = [moment.age(now) for moment in (self.asked_at, self.polled_at) if moment]
        return max(0.0, self.next_poll_in(interval) - min(ages)) if ages else 0.0
