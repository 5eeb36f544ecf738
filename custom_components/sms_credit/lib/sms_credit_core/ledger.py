"""What an account spends and tops up, from one reading to the next.

The rules, all of them:

- A fall of what the account pays with is spent, a rise is topped up, to the last digit. So `spent - topped_up` is
  always how far the amount has fallen since the first reading.
- Every unit has a ledger of its own: each currency, messages where the account has no money but messages, and the
  provider's credits where it has no money but credits. A ledger rests while the account pays with something else, and
  goes on where it was when the account returns to it.
- A partial reading begins a ledger but moves none. The provider itself does not vouch for it, and a number that is too
  low for an hour would be spent, and then topped up again. The next complete reading brings all of it.
- What was spent while nobody looked is spent. If something was topped up meanwhile as well, only the difference is
  known, and nothing else is made up.
- Time goes by whichever clock went further, and never back: a clock that jumps moves no amount.
- A rise by less than a hundredth of what there was after the last top-up is a refund, or a rounding of the provider's:
  it counts as topped up, but it is nobody's top-up.
- Sums are exact, however long their numbers are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import Any, Self

from .instant import Instant
from .pace import Pace
from .reading import Quality, Reading, Value

MAX_LEDGERS = 4
"""Units that an account is remembered in; the one that rested longest is forgotten first."""

_EXACT = Context(prec=128)
"""Holds what a provider can say (answer.py) times the readings of a life. Python's own context rounds to 28 digits."""

_REFUND = Decimal("0.01")
"""The share of what there was after the last top-up below which a rise can be a refund."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """Credit that was added."""

    amount: Decimal
    """Above zero, in the ledger's unit; less by what was spent between the two readings."""
    at: Instant
    """When it was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a day began with."""

    number: int
    """Days since the year 1, by this machine's time zone."""
    spent: Decimal
    """What had been spent before."""
    since: Instant
    """The last reading before the day, or the first of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What was spent and topped up in one unit. Replaced at each reading, never changed."""

    pays_with: Value
    """Balance, quota or credits."""
    currency: str | None
    """ISO 4217 code; empty where the provider names none; None where the account does not pay with money."""
    at: Instant
    """When the last reading that counts arrived."""
    amount: Decimal | None = None
    """The amount by that reading; None before the first complete one."""
    full: Decimal = Decimal(0)
    """The amount after the last top-up, or at the beginning."""
    spent: Decimal = Decimal(0)
    topped_up: Decimal = Decimal(0)
    top_up: TopUp | None = None
    """The last top-up."""
    day: Day
    pace: Pace | None = None
    """None while the ledger rests, and before its first complete reading."""
    speed: float = 1.0
    """How many times faster than in life everything passes; above 1 in demonstrations only."""

    @classmethod
    def begin(cls, pays_with: Value, currency: str | None, at: Instant, speed: float) -> Self:
        """Open a ledger for a unit."""
        day = Day(number=at.day, spent=Decimal(0), since=at)
        return cls(pays_with=pays_with, currency=currency, at=at, day=day, speed=speed)

    @property
    def unit(self) -> "Unit":
        """What the amounts are in."""
        return self.pays_with, self.currency

    @property
    def lasts(self) -> float | None:
        """Seconds from the last reading until nothing is left, at the expected pace.

        None where that cannot be told yet; infinite where nothing is spent.
        """
        lasts = self.pace.lasts(float(self.amount)) if self.pace and self.amount is not None else None
        return None if lasts is None else lasts / self.speed

    @property
    def unusual(self) -> bool | None:
        """Whether the account spends far faster than it ever has; None where that cannot be told yet."""
        return self.pace.unusual if self.pace else None

    def spent_on(self, day: int) -> Decimal | None:
        """Return what was spent on the day of the last reading; None for any other day."""
        is_known = self.amount is not None and day == self.day.number
        return _EXACT.subtract(self.spent, self.day.spent) if is_known else None

    def after(self, amount: Decimal, at: Instant) -> Self:
        """Return the ledger as it is after a complete reading of `amount` that arrived `at` this moment."""
        if self.amount is None:
            return replace(self, at=at, amount=amount, full=amount, pace=Pace.begin(at.unix))
        fall = _EXACT.subtract(self.amount, amount)
        moved = (
            {"spent": _EXACT.add(self.spent, fall)} if fall >= 0 else self._topped_up(_EXACT.minus(fall), amount, at)
        )
        pace = self._pace(self.amount, amount, at)
        return replace(self, at=at, amount=amount, day=self._day(at), pace=pace, **moved)

    def _topped_up(self, rise: Decimal, amount: Decimal, at: Instant) -> Mapping[str, Any]:
        """Return what a rise to this amount changes."""
        topped_up = _EXACT.add(self.topped_up, rise)
        if rise < self.full * _REFUND:
            return {"topped_up": topped_up}
        return {"topped_up": topped_up, "full": amount, "top_up": TopUp(amount=rise, at=at)}

    def resting(self) -> Self:
        """Return the ledger for the time in which the account pays with something else."""
        return replace(self, pace=None) if self.pace else self

    def _pace(self, before: Decimal, amount: Decimal, at: Instant) -> Pace:
        if self.pace is None:
            return Pace.begin(at.unix)
        since = self.pace.at
        return self.pace.after(float(before), float(amount), since, since + self.at.age(at) * self.speed)

    def _day(self, at: Instant) -> Day:
        return self.day if at.day == self.day.number else Day(number=at.day, spent=self.spent, since=self.at)


Unit = tuple[Value, str | None]
"""What an account pays with, and its currency where that is money."""

Ledgers = tuple[Ledger, ...]
"""The ledgers of an account; the first is that of what it pays with now, and has alone a pace."""


def entered(ledgers: Ledgers, reading: Reading, at: Instant, speed: float = 1.0) -> Ledgers:
    """Return the ledgers as they are after a reading."""
    unit, amount = _paid_with(reading, ledgers)
    others = tuple(ledger.resting() for ledger in ledgers if ledger.unit != unit)
    ledger = next((each for each in ledgers if each.unit == unit), None) or Ledger.begin(*unit, at, speed)
    counts = reading.quality is Quality.COMPLETE
    return (ledger.after(amount, at) if counts else ledger, *others)[:MAX_LEDGERS]


def _paid_with(reading: Reading, ledgers: Ledgers) -> tuple[Unit, Decimal]:
    """Return what the account pays with, and how much there is of it.

    Money if there is some; else the provider's credits, if it counts in them; else messages, if there are some. An
    account with neither money nor messages is spent to the end; it pays with what it paid with before.
    """
    balance, quota = reading.balance, reading.quota
    if balance is None and reading.credits is not None:
        return (Value.CREDITS, None), reading.credits
    in_messages = bool(ledgers) and ledgers[0].pays_with is Value.QUOTA
    if quota is not None and not balance and (quota or balance is None or in_messages):
        return (Value.QUOTA, None), Decimal(quota)
    assert balance is not None  # noqa: S101 - a reading gives at least one of the three
    return (Value.BALANCE, reading.currency or ""), balance
