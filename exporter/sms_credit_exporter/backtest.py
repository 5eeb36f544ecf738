"""The `backtest` command: replays a recorded history, and says whether it would have warned, and how long before.

The history is CSV in UTF-8 with a header: `time` (ISO 8601 with its offset, or Unix seconds), `balance`, and optionally
`quota` and `currency`. Columns may stand in any order, and others are ignored. An empty value is not known; a row
without balance and quota is a poll without a reading. What Home Assistant exports (`last_changed`, `state`) is read as
it is.
"""

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sms_credit_core import Account, Instant, Ledger, Limit, Limits, Quality, Reading

from . import words
from .durations import duration_text
from .mistakes import FileError, Mistake

_COLUMNS = {"last_changed": "time", "state": "balance", "value": "balance"}
"""Columns of other exports by what they are here."""

_NOTHING = frozenset({"", "unknown", "unavailable", "nan", "null"})
"""How exports write that there is no value."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,16}(\.[0-9]{1,28})?([eE][+-]?[0-9]{1,2})?")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_LATEST = 253_402_300_800.0
"""Unix seconds of the year 10000."""

_WARNINGS = {
    Limit.BALANCE: "The balance is low.",
    Limit.QUOTA: "The quota is low.",
    Limit.RUNWAY: "The credit will not last long.",
    "unusual": "The account spends far faster than it ever has.",
}
"""What is said, by its reason."""


class HistoryError(FileError):
    """A history cannot be replayed; holds every mistake."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One poll of the history."""

    told: str
    """The time as it stands there."""
    unix: float
    balance: Decimal | None
    quota: int | None
    currency: str | None

    @property
    def time(self) -> str | float:
        """The time as JSON has it: a number stays one."""
        return json.loads(self.told) if _NUMBER.fullmatch(self.told) else self.told

    @property
    def reading(self) -> Reading | None:
        """What was read; None where nothing was."""
        if self.balance is None and self.quota is None:
            return None
        return Reading(
            balance=self.balance,
            currency=self.currency,
            quota=self.quota,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )


@dataclass(frozen=True, slots=True)
class _State:
    """What was known after a reading."""

    row: _Row
    ledger: Ledger
    low: Mapping[Limit, bool]

    @property
    def reasons(self) -> frozenset[str]:
        """What there is to warn of."""
        low = (limit for limit, is_low in self.low.items() if is_low)
        return frozenset((*low, "unusual")) if self.ledger.unusual else frozenset(low)

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left."""
        return self.ledger.amount is not None and self.ledger.amount <= 0


@dataclass(frozen=True, slots=True)
class _Warning:
    """What would have been said, and how long before the credit was gone."""

    row: _Row
    reason: str
    before: float | None
    """Seconds; None if the credit was not gone before it was topped up, or never."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A history as the exporter would have seen it."""

    limits: Limits
    rows: Sequence[_Row]
    states: Sequence[_State]
    warnings: Sequence[_Warning]

    @classmethod
    def of(cls, rows: Sequence[_Row], limits: Limits) -> "Replay":
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
                    "text": _WARNINGS[warning.reason],
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
            yield f"{len(self.rows)} polls, and not one reading."
            return
        first, last = self.states[0].row, self.states[-1].row
        ledger = self.states[-1].ledger
        yield f"{len(self.states)} readings from {_utc(first.unix)} to {_utc(last.unix)}"
        yield f"Spent {_amount(ledger.spent, ledger)}, topped up {_amount(ledger.topped_up, ledger)}."
        lasts = ledger.lasts
        if lasts is not None and lasts < math.inf:
            yield f"At the end, the credit lasts for {words.span(lasts)}."
        yield ""
        if not self.warnings:
            yield f"It would not have warned. Limits: {self._limits()}."
        for warning in self.warnings:
            then = f"; gone {words.span(warning.before)} later" if warning.before is not None else ""
            yield f"{_utc(warning.row.unix)}  {_WARNINGS[warning.reason].removesuffix('.')}{then}."

    def _limits(self) -> str:
        texts = (
            f"{limit} {duration_text(float(value)) if limit is Limit.RUNWAY else value}"
            for limit, value in self.limits.thresholds.items()
        )
        return ", ".join(texts) or "none"


def _states(rows: Sequence[_Row], limits: Limits) -> Iterator[_State]:
    """Yield what is known after each reading."""
    account = Account()
    for row in rows:
        if reading := row.reading:
            account = account.after(reading, Instant(row.unix, row.unix), 0.0).judged(limits)
            if account.ledger:
                yield _State(row, account.ledger, account.low)


def _warnings(states: Sequence[_State]) -> Sequence[_Warning]:
    """Return what begins at each reading. They are gone through from the last on, since what came later tells."""
    gone: _Row | None = None
    found: list[_Warning] = []
    for state, before in reversed(list(zip(states, [None, *states], strict=False))):
        if state.is_gone:
            gone = state.row
        new = state.reasons - (before.reasons if before else frozenset())
        left = gone.unix - state.row.unix if gone else None
        found += [_Warning(state.row, reason, left) for reason in reversed(_WARNINGS) if reason in new]
        if before and state.ledger.top_up is not before.ledger.top_up:
            gone = None
    return found[::-1]


def _reading(state: _State) -> Mapping[str, Any]:
    ledger, lasts = state.ledger, state.ledger.lasts
    return {
        "time": state.row.time,
        "spent": f"{ledger.spent:f}",
        "topped_up": f"{ledger.topped_up:f}",
        "runway_seconds": None if lasts is None or lasts == math.inf else lasts,
        "unusual": ledger.unusual,
        "low": any(state.low.values()) if state.low else None,
    }


def _amount(amount: Decimal, ledger: Ledger) -> str:
    return f"{amount:,} messages" if ledger.currency is None else words.money(amount, ledger.currency)


def _utc(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M} UTC"


def read(file: Path) -> Sequence[_Row]:
    """Read a history. Raises HistoryError with every mistake."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise HistoryError(file, [Mistake("", error.strerror or str(error), None)]) from None
    except UnicodeDecodeError:
        raise HistoryError(file, [Mistake("", "is not UTF-8", None)]) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    mistakes: list[Mistake] = []
    rows: list[_Row] = []
    try:
        columns = _columns(next(reader, []))
        for values in reader:
            _read_row(columns, values, rows, mistakes, reader.line_num)
    except csv.Error as error:
        mistakes.append(Mistake("", f"is not CSV: {error}", reader.line_num))
    except ValueError as error:
        mistakes.append(Mistake("", str(error), 1))
    if mistakes:
        raise HistoryError(file, mistakes)
    return rows


def _columns(header: Sequence[str]) -> Mapping[str, int]:
    """Return the place of each column that is known. Raises ValueError with what is wrong with the header."""
    names = [name.strip().lower() for name in header]
    columns: dict[str, int] = {}
    for place, name in enumerate(_COLUMNS.get(name, name) for name in names):
        if name in columns and name in _READERS:
            message = f"has two columns for the {name}"
            raise ValueError(message)
        columns[name] = place
    if missing := [name for name in ("time", "balance") if name not in columns]:
        message = (
            f"has no column {' and no column '.join(missing)}; a header such as time,balance,quota,currency is needed"
        )
        raise ValueError(message)
    return columns


def _read_row(
    columns: Mapping[str, int], values: Sequence[str], rows: list[_Row], mistakes: list[Mistake], line: int
) -> None:
    """Add a row, or what is wrong with it."""
    if not values:
        return
    texts = {name: values[place].strip() for name, place in columns.items() if name in _READERS and place < len(values)}
    found: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            found[name] = None if name != "time" and text.lower() in _NOTHING else _READERS[name](text)
        except ValueError as error:
            mistakes.append(Mistake(name, str(error), line))
    if len(found) < len(texts) or "time" not in found:
        mistakes += [Mistake("time", "is missing", line)] * ("time" not in texts)
    elif rows and found["time"] < rows[-1].unix:
        mistakes.append(Mistake("time", "is earlier than that of the row before", line))
    else:
        values_found = (found.get(name) for name in ("balance", "quota", "currency"))
        rows.append(_Row(texts["time"], found["time"], *values_found))


def _time(text: str) -> float:
    if _NUMBER.fullmatch(text):
        unix = float(text)
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            message = f"found “{text[:40]}”; must be ISO 8601 such as 2026-11-25T10:00:00Z, or Unix seconds"
            raise ValueError(message) from None
        if moment.tzinfo is None:
            message = f"found “{text[:40]}”, which has no offset such as Z or +03:00"
            raise ValueError(message)
        unix = moment.timestamp()
    if not 0 <= unix < _LATEST:
        message = f"found “{text[:40]}”, which lies before 1970 or after 9999"
        raise ValueError(message)
    return unix


def number(text: str) -> Decimal:
    """Read a number exactly. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        message = f"found “{text[:40]}”; must be a number such as 12.50"
        raise ValueError(message)
    return Decimal(text)


def whole(text: str) -> int:
    """Read a whole number. Raises ValueError."""
    value = number(text)
    if value != value.to_integral_value():
        message = f"found “{text[:40]}”; must be a whole number"
        raise ValueError(message)
    return int(value)


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        message = f"found “{text[:40]}”; must be three letters such as EUR"
        raise ValueError(message)
    return text.upper()


_READERS: Mapping[str, Any] = {"time": _time, "balance": number, "quota": whole, "currency": _currency}
