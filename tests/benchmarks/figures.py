"""What a benchmark finds, and how it is printed."""

import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of the exporter, or of a peer that was measured in the same run."""

    name: str
    peer: str = ""
    """Whose figure it is, if not the exporter's."""
    value: float | None
    """None where there was nothing to measure, such as a peer that is not installed."""
    unit: str = ""
    ratio: float | None = None
    """How many times as much the exporter takes; of a peer's row."""
    limit: float | None = None
    """The most that is wanted of the exporter at this size, in the same unit."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return None if self.limit is None or self.value is None else self.value <= self.limit

    @property
    def key(self) -> str:
        """What no other row of a run is called."""
        return f"{self.name}, {self.peer}" if self.peer else self.name

    @property
    def figure(self) -> str:
        """The value as people read it."""
        if self.value is None:
            return "not installed" if self.peer else "\N{EN DASH}"
        return f"{_number(self.value)} {self.unit}".strip()


_TIMES = "\N{MULTIPLICATION SIGN}"

Results = Mapping[int, Sequence[Row]]
"""What was found at each number of accounts."""


def beside(
    name: str, value: float | None, unit: str, peers: Mapping[str, float | None], limit: float | None = None
) -> Iterator[Row]:
    """Yield the exporter's row, and one for each peer with the ratio to it."""
    yield Row(name=name, value=value, unit=unit, limit=limit)
    for peer, figure in peers.items():
        yield Row(name=name, peer=peer, value=figure, unit=unit, ratio=value / figure if value and figure else None)


def median(values: Sequence[float]) -> float | None:
    """Return the median, if there is a value."""
    return statistics.median(values) if values else None


def p99(values: Sequence[float]) -> float | None:
    """Return what 99 of 100 values do not exceed; of fewer than a hundred, the largest."""
    return sorted(values)[math.ceil(len(values) * 0.99) - 1] if values else None


def as_json(results: Results) -> str:
    """Write the rows under the number of accounts and their names."""
    return json.dumps(
        {
            accounts: {
                row.key: {"value": row.value, "unit": row.unit, "ratio": row.ratio, "limit": row.limit, "met": row.met}
                for row in rows
            }
            for accounts, rows in results.items()
        }
    )


def as_text(results: Results) -> str:
    """Write aligned tables."""
    return "\n\n".join(map(_aligned, _tables(results)))


def as_markdown(results: Results) -> str:
    """Write the tables as documents have them."""
    return "\n\n".join(map(_marked, _tables(results)))


_Table = Sequence[Sequence[str]]
"""Lines of cells, the first of them the head."""


def _tables(results: Results) -> Iterator[_Table]:
    """Yield a table for each number of accounts, or one for all where there is nothing to compare with."""
    if any(row.ratio is not None or row.limit is not None for row in chain.from_iterable(results.values())):
        for accounts, rows in results.items():
            yield _compared(accounts, rows)
    else:
        yield _side_by_side(results)


def _side_by_side(results: Results) -> _Table:
    names = dict.fromkeys(row.name for row in chain.from_iterable(results.values()))
    figures = {accounts: {row.name: row.figure for row in rows} for accounts, rows in results.items()}
    return [
        ["accounts", *(f"{accounts:,}" for accounts in results)],
        *([name, *(figures[accounts].get(name, "") for accounts in results)] for name in names),
    ]


def _compared(accounts: int, rows: Sequence[Row]) -> _Table:
    met = {None: "", True: "met", False: "missed"}
    return [
        [f"{accounts:,} accounts", "figure", "ratio", "target", ""],
        *(
            [
                f"… {row.peer}" if row.peer else row.name,
                row.figure,
                "" if row.ratio is None else f"{_number(row.ratio)} {_TIMES}",
                "" if row.limit is None else f"≤ {_number(row.limit)}",
                met[row.met],
            ]
            for row in rows
        ),
    ]


def _aligned(table: _Table) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]

    def written(line: Sequence[str]) -> str:
        first, *others = line
        numbers = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        return "  ".join((first.ljust(widths[0]), *numbers)).rstrip()

    return "\n".join(map(written, table))


def _marked(table: _Table) -> str:
    head, *lines = (f"| {' | '.join(line)} |" for line in table)
    rule = "|".join((" --- ", *(" ---: " for _ in table[0][1:])))
    return "\n".join((head, f"|{rule}|", *lines))


def _number(value: float) -> str:
    """Write a number with three digits that count, and all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
