"""The `backtest` command: replays a recorded history, and says whether it would have warned, and how long before."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sms_credit_core import Account, Instant, Ledger, Limit, Limits, Value

from . import words
from .durations import duration_text
from .history import Row, counted

WARNINGS = {
    Limit.BALANCE: "The balance is low.",
    Limit.QUOTA: "The quota is low.",
    Limit.RUNWAY: "The credit will not last long.",
    "unusual": "The account spends far faster than it ever has.",
}
"""What is said, by its reason."""


class _State(NamedTuple):
    """What was known after a reading."""

    row: Row
    ledger: Ledger
    low: Mapping[Limit, bool]
    unusual: bool | None

    @property
    def reasons(self) -> frozenset[str]:
        """What there is to warn of."""
        return frozenset((*(limit for limit, low in self.low.items() if low), *(("unusual",) if self.unusual else ())))

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left."""
        return self.ledger.amount is not None and self.ledger.amount <= 0

    def continues(self, before: "_State") -> bool:
        """Whether the account lives on the same credit as before."""
        return self.ledger.top_up is before.ledger.top_up and self.ledger.unit == before.ledger.unit


@dataclass(frozen=True, slots=True)
class _Warning:
    """What would have been said, and how long before the credit was gone."""

    row: Row
    reason: str
    before: float | None
    """Seconds; None if the credit was not gone before it was topped up, or never."""

    @property
    def then(self) -> str:
        """What became of the credit, to go on with."""
        if self.before is None:
            return ""
        return f"; gone {words.span(self.before)} later" if self.before else "; by then it was gone"


@dataclass(frozen=True, slots=True)
class Replay:
    """A history as the exporter would have seen it."""

    limits: Limits
    rows: Sequence[Row]
    states: Sequence[_State]
    warnings: Sequence[_Warning]

    @classmethod
    def of(cls, rows: Sequence[Row], limits: Limits) -> "Replay":
        """Replay a history."""
        states = list(_states(rows, limits))
        return cls(limits, rows, states, _warnings(states))

    def as_json(self, *, ensure_ascii: bool = False) -> str:
        """Return everything as one JSON object."""
        last = self.states[-1].ledger if self.states else None
        found = {
            "readings": [_reading(state) for state in self.states],
            "spent": f"{last.spent:f}" if last else None,
            "topped_up": f"{last.topped_up:f}" if last else None,
            "currency": (last and last.currency) or None,
            "warnings": [
                {
                    "time": warning.row.time,
                    "reason": str(warning.reason),
                    "text": WARNINGS[warning.reason],
                    "seconds_before_empty": warning.before,
                }
                for warning in self.warnings
            ],
        }
        return json.dumps(found, ensure_ascii=ensure_ascii)

    def as_text(self) -> str:
        """Return what a person wants to know."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if not self.states:
            yield f"{counted(len(self.rows), 'poll')}, and not one reading."
            return
        first, last = self.states[0].row, self.states[-1].row
        ledger = self.states[-1].ledger
        yield f"{counted(len(self.states), 'reading')} from {_utc(first.unix)} to {_utc(last.unix)}."
        yield f"Spent {_amount(ledger.spent, ledger)}, topped up {_amount(ledger.topped_up, ledger)}."
        lasts = ledger.lasts
        if lasts is not None and lasts < math.inf:
            yield f"At the end, {f'the credit lasts for {words.span(lasts)}' if lasts else 'nothing is left'}."
        yield ""
        yield f"It would {'' if self.warnings else 'not '}have warned. Limits: {self._limits()}."
        for warning in self.warnings:
            yield f"{_utc(warning.row.unix)}  {WARNINGS[warning.reason].removesuffix('.')}{warning.then}."

    def _limits(self) -> str:
        texts = (
            f"{limit} {duration_text(float(value)) if limit is Limit.RUNWAY else value}"
            for limit, value in self.limits.thresholds.items()
        )
        return ", ".join(texts) or "none"


def _states(rows: Sequence[Row], limits: Limits) -> Iterator[_State]:
    """Yield what is known after each reading."""
    account = Account()
    for row in rows:
        if row.reading:
            account = account.after(row.reading, Instant(row.unix, row.unix), 0.0).judged(limits)
            if ledger := account.ledger:
                yield _State(row, ledger, account.low, ledger.unusual)


def _warnings(states: Sequence[_State]) -> Sequence[_Warning]:
    """Return what begins at each reading. They are gone through from the last on, since what came later tells."""
    gone: Row | None = None
    found: list[_Warning] = []
    for state, before in reversed(list(zip(states, [None, *states], strict=False))):
        if state.is_gone:
            gone = state.row
        if new := state.reasons - (before.reasons if before else frozenset()):
            left = gone.unix - state.row.unix if gone else None
            found += [_Warning(state.row, reason, left) for reason in reversed(WARNINGS) if reason in new]
        if before and not state.continues(before):
            gone = None
    return found[::-1]


def _reading(state: _State) -> Mapping[str, Any]:
    ledger, lasts = state.ledger, state.ledger.lasts
    return {
        "time": state.row.time,
        "spent": f"{ledger.spent:f}",
        "topped_up": f"{ledger.topped_up:f}",
        "runway_seconds": None if lasts is None or lasts == math.inf else lasts,
        "unusual": state.unusual,
        "low": any(state.low.values()) if state.low else None,
    }


def _amount(amount: Decimal, ledger: Ledger) -> str:
    return counted(amount, "message") if ledger.pays_with is Value.QUOTA else words.money(amount, ledger.currency)


def _utc(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M} UTC"
