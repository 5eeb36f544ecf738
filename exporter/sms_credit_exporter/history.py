"""A recorded history of one account, read from CSV as other programs export it; docs/backtest.md tells how to get one.

The file is in UTF-8 and has a header: `time` (ISO 8601 with its offset, or Unix time in seconds or milliseconds),
`balance`, and optionally `quota` and `currency`. Columns may stand in any order. Others are ignored, apart from those
that say whose history it is. An empty value is not known; a row without balance and quota is a poll without a reading.
A value that is not certain is refused, with its line and what to do about it.
"""

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from sms_credit_core import NoReading, Quality, Reading
from sms_credit_core.answer import Fields

from .mistakes import FileError, Mistake

_STANDARD_INPUT = Path("-")

_MAX_SIZE = 256 * 2**20
"""Bytes; a reading each minute for ten years takes less."""

ALIASES = {"last_changed": "time", "state": "balance", "value": "balance"}
"""Columns of other exports by what they are here, where there is none of that name itself."""

_WHOSE = ("entity_id", "provider", "account")
"""Columns that say whose history it is."""

_NOTHING = frozenset({"", "unknown", "unavailable", "nan", "null"})
"""How exports write that there is no value."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""As JSON has them."""
_CURRENCY = re.compile(r"[A-Za-z]{3}")

_MILLISECONDS = 1e11
"""From here on, Unix time is in milliseconds: this is the year 1973 in those, and 5138 in seconds."""
_LATEST = 253_402_300_800.0
"""Unix seconds of the year 10000."""

_SAID = 40
"""The most letters of a value that a mistake repeats."""


class HistoryError(FileError):
    """A history cannot be replayed; holds every mistake."""


class Row(NamedTuple):
    """One poll of the history."""

    time: str | float
    """As it stands in the file: a number is one."""
    unix: float
    reading: Reading | None
    """What was read; None where nothing was."""


def read(file: Path) -> Sequence[Row]:
    """Read a history; `-` is standard input. Raises HistoryError with every mistake."""
    if file == _STANDARD_INPUT:
        file = Path("standard input")
        data = _bytes(file, lambda: sys.stdin.buffer.read(_MAX_SIZE + 1) if sys.stdin else b"")
    else:
        data = _bytes(file, lambda: _content(file))
    try:
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    except UnicodeDecodeError:
        raise HistoryError(file, [Mistake("", "is not UTF-8", None)]) from None
    try:
        table = _Table(next(lines, []))
        for values in lines:
            table.add(values, lines.line_num)
    except csv.Error as error:
        raise HistoryError(file, [Mistake("", f"is not CSV: {error}", lines.line_num)]) from None
    except ValueError as error:
        raise HistoryError(file, [Mistake("", str(error), 1)]) from None
    if table.mistakes:
        raise HistoryError(file, table.mistakes)
    return table.rows


def _bytes(file: Path, content: Callable[[], bytes]) -> bytes:
    try:
        data = content()
    except OSError as error:
        raise HistoryError(file, [Mistake("", error.strerror or str(error), None)]) from None
    if len(data) > _MAX_SIZE:
        raise HistoryError(file, [Mistake("", f"is larger than {_MAX_SIZE // 2**20} MiB", None)])
    return data


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_MAX_SIZE + 1)


class _Column(NamedTuple):
    """A column that matters."""

    name: str
    place: int
    read: Callable[[str], Any]
    """Raises ValueError with what is wrong with a value."""


@dataclass
class _Table:
    """What stands below a header."""

    header: Sequence[str]
    rows: list[Row] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the columns that matter. Raises ValueError with what is wrong with the header."""
        self._columns = _columns([name.strip().lower() for name in self.header])
        self._whose: dict[str, str] = {}

    def add(self, values: Sequence[str], line: int) -> None:
        """Add a row, or what is wrong with it; an empty line is none."""
        if values:
            mistakes = [Mistake(name, text, line) for name, text in self._add(values)]
            self.mistakes += mistakes

    def _add(self, values: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Add a row; return its mistakes, each with its column."""
        if len(values) != len(self.header):
            return [("", f"has {counted(len(values), 'value')} where the header has {len(self.header)}")]
        found: dict[str, Any] = {}
        wrong = []
        for name, place, read_value in self._columns:
            try:
                found[name] = read_value(values[place].strip())
            except ValueError as error:
                wrong.append((name, str(error)))
        if not wrong:
            time, unix = found["time"]
            wrong = self._out_of_place(found, unix)
            self.rows.append(Row(time, unix, _reading(found)))
        return wrong

    def _out_of_place(self, found: Mapping[str, Any], unix: float) -> list[tuple[str, str]]:
        """Return what is wrong with a row after those before it."""
        whose = {name: found[name] for name in _WHOSE if name in found}
        self._whose = self._whose or whose
        others = [
            (name, f"{_found(whose[name])} after “{_told(first)}”; leave one in the file")
            for name, first in self._whose.items()
            if whose[name] != first
        ]
        is_earlier = bool(self.rows) and unix < self.rows[-1].unix
        return others or [("time", "is earlier than that of the row before")] * is_earlier


def _columns(names: Sequence[str]) -> Sequence[_Column]:
    """Return the columns that matter. Raises ValueError with what is wrong with the header."""
    here = [name if (ours := ALIASES.get(name, name)) in names else ours for name in names]
    for name in filter(None, READERS):
        if here.count(name) > 1:
            message = f"has two columns for the {name}"
            raise ValueError(message)
    if missing := [name for name in ("time", "balance") if name not in here]:
        message = (
            f"has no column {' and no column '.join(missing)}; a header such as time,balance,quota,currency is needed"
        )
        raise ValueError(message)
    return [_Column(name, place, READERS[name]) for place, name in enumerate(here) if name in READERS]


def _reading(found: Mapping[str, Any]) -> Reading | None:
    balance, quota = found["balance"], found.get("quota")
    if balance is None and quota is None:
        return None
    return Reading(
        balance=balance,
        currency=found.get("currency"),
        quota=quota,
        credits=None,
        credit_blocked=None,
        provider_updated=None,
        quality=Quality.COMPLETE,
    )


def _time(text: str) -> tuple[str | float, float]:
    """Return a time as it stands there, and in Unix seconds."""
    if is_number := _NUMBER.fullmatch(text):
        unix = float(text)
        unix = unix / 1000 if unix >= _MILLISECONDS else unix
    else:
        unix = _moment(text).timestamp()
    if not 0 <= unix < _LATEST:
        message = f"{_found(text)}, which lies before 1970 or after 9999"
        raise ValueError(message)
    return json.loads(text) if is_number else text, unix


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{_found(text)}; must be ISO 8601 such as 2026-11-25T10:00:00Z, or Unix seconds"
        raise ValueError(message) from None
    if moment.tzinfo is None:
        message = f"{_found(text)}, which has no offset such as Z or +03:00; in Grafana, switch off “Formatted data”"
        raise ValueError(message)
    return moment


def number(text: str) -> Decimal:
    """Read a number exactly, if a provider's answer could hold it. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        message = f"{_found(text)}; must be a number such as 12.50"
        raise ValueError(message)
    try:
        return Fields({"": Decimal(text)}).number("")
    except (NoReading, ArithmeticError):
        message = f"{_found(text)}, which is too large or has too many digits"
        raise ValueError(message) from None


def whole(text: str) -> int:
    """Read a whole number. Raises ValueError."""
    value = number(text)
    if value != value.to_integral_value():
        message = f"{_found(text)}; must be a whole number"
        raise ValueError(message)
    return int(value)


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        message = f"{_found(text)}; must be three letters such as EUR"
        raise ValueError(message)
    return text.upper()


def _nothing(text: str) -> None:
    if text:
        message = f"{_found(text)} in a column without a name"
        raise ValueError(message)


def _or_nothing(read_value: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: None if text.lower() in _NOTHING else read_value(text)


READERS: Mapping[str, Callable[[str], Any]] = {
    "time": _time,
    "balance": _or_nothing(number),
    "quota": _or_nothing(whole),
    "currency": _or_nothing(_currency),
    "": _nothing,
    **dict.fromkeys(_WHOSE, str),
}
"""What each column that matters holds; one without a name matters, as a value in it has lost its place."""


def counted(count: Decimal | int, what: str) -> str:
    """Write how many there are of something."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def _found(text: str) -> str:
    return f"found “{_told(text)}”"


def _told(text: str) -> str:
    """Return text so that it stays in its line and colours no terminal."""
    return "".join(letter if letter.isprintable() else "�" for letter in text[:_SAID])
