"""What a simulated account answers at a moment, from a fixed answer to phases that repeat over time."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from itertools import accumulate

from .payloads import Payload

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Canned:
    """The answer of a payload file, byte for byte."""

    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The answer of a payload file, with these numbers in it."""

    balance: Decimal
    quota: int | None = None
    """Messages, where the provider counts them; None leaves the file's."""
    currency: str | None = None
    """ISO 4217 code, where the provider names one; None leaves the file's."""
    payload: str = "healthy"

    def towards(self, end: "Live", share: Decimal) -> "Live":
        """Return what stands after this share of the way, from 0 to 1, in a straight line and in whole cents."""
        balance = self.balance + (end.balance - self.balance) * share
        live = replace(self, balance=balance.quantize(_CENT))
        if self.quota is None or end.quota is None:
            return live
        return replace(live, quota=self.quota + int((end.quota - self.quota) * share))


class NoAnswer(Enum):
    """What can happen to a request instead of an answer."""

    CUT = "the connection is closed"
    SILENT = "the connection stays open, and nothing comes"


Act = Canned | Live | Payload | NoAnswer
"""What can be done about a request; a payload made up on the spot is answered as it is."""

Behaviour = Callable[[float], Act]
"""What an account does, by the seconds since it began to behave so."""


def always(act: Act) -> Behaviour:
    """Return the behaviour that does the same at all times."""
    return lambda _seconds: act


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a scenario."""

    seconds: int
    act: Act
    until: Live | None = None
    """The numbers that those of a live act run to."""

    def at(self, seconds: float) -> Act:
        """Return what is done so many seconds into the phase."""
        if isinstance(self.act, Live) and self.until:
            return self.act.towards(self.until, Decimal(seconds) / self.seconds)
        return self.act


def money(seconds: int, begin: str, end: str, payload: str = "healthy") -> Phase:
    """Return a stretch in which a balance runs from one amount to another, in the payload's currency."""
    return Phase(seconds, *(Live(balance=Decimal(amount), payload=payload) for amount in (begin, end)))


def answers(seconds: int, payload: str) -> Phase:
    """Return a stretch of one and the same answer, that of a payload file."""
    return Phase(seconds, Canned(payload))


class Scenario:
    """Phases one after the other, over and over; a behaviour."""

    def __init__(self, *phases: Phase) -> None:
        """Take the phases in their order."""
        self.phases = phases
        *self._starts, self.seconds = accumulate((phase.seconds for phase in phases), initial=0)

    def __call__(self, seconds: float) -> Act:
        """Return what is done so many seconds after the start."""
        seconds %= self.seconds
        current = bisect_right(self._starts, seconds) - 1
        return self.phases[current].at(seconds - self._starts[current])
