"""The last week's credit as a small picture, and in words for whoever cannot see it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from sms_credit_core import Limit, Value

from .. import words
from ..entry import Entry, Week
from ..trend import HOURS, exact

WIDTH, HEIGHT = HOURS - 1, 40
_EDGE = 2
"""Of the height, above and below the line, for the line's own thickness."""

_GAP = 2.5
"""How many times as far apart as usual two readings are between which nothing is drawn."""

_LIMITS = {words.UNITS[Value.QUOTA]: Limit.QUOTA, words.UNITS[Value.CREDITS]: None}
"""Which limit there is to what the account pays with; to money it is that of the balance."""

Place = tuple[int, int]


class Sparkline(NamedTuple):
    """The picture and its words."""

    line: str
    """The path of an SVG as wide and as high as above; the left edge is a week ago, and zero is always within."""
    limit: int | None
    """How far below the upper edge the limit lies; None without one."""
    text: str


def sparkline(entry: Entry, week: Week, as_of: datetime) -> Sparkline:
    """Draw a week that ends now."""
    known = [amount for amount in week.amounts if amount is not None]
    kind = _LIMITS.get(week.unit, Limit.BALANCE)
    limit = next((float(each.threshold) for each in entry.limits if each.limit is kind), None)
    within = [0.0, *([] if limit is None else [limit])]
    top, bottom = max(*known, *within), min(*known, *within)
    scale = (HEIGHT - 2 * _EDGE) / ((top - bottom) or 1.0)
    zero = HEIGHT - _EDGE + bottom * scale
    hours = int(as_of.timestamp() // week.step_seconds) - int(week.begins.timestamp() // week.step_seconds)
    places = [
        (x, round(zero - amount * scale)) for x, amount in enumerate(week.amounts, WIDTH - hours) if amount is not None
    ]
    gap = _GAP * max(1.0, entry.poll_interval_seconds / week.step_seconds)
    return Sparkline(
        line="".join(map(_path, _pieces(places, gap))),
        limit=None if limit is None else round(zero - limit * scale),
        text=_text(week, known),
    )


def _pieces(places: Sequence[Place], gap: float) -> Iterator[Sequence[Place]]:
    """Cut the line where nothing was read."""
    begins = 0
    for end, ((before, _), (after, _)) in enumerate(pairwise(places), 1):
        if after - before > gap:
            yield places[begins:end]
            begins = end
    yield places[begins:]


def _path(places: Sequence[Place]) -> str:
    """Return the path through these places; what lies on a level line is left out, and a single place is a dot."""
    (x, y), *others = places
    if not others:
        return f"M{x} {y}h0"
    turns = [
        f"L{x} {y}"
        for (_, before), (x, y), (_, after) in zip(places, others, others[1:], strict=False)
        if not before == y == after
    ]
    return f"M{x} {y}{''.join(turns)}L{others[-1][0]} {others[-1][1]}"


def _text(week: Week, known: Sequence[float]) -> str:
    hours = words.span((len(week.amounts) - 1) * week.step_seconds)
    first, last, most, least = (_amount(amount, week) for amount in (known[0], known[-1], max(known), min(known)))
    return f"Over {hours}: from {first} to {last}; at most {most}, at least {least}"


def _amount(amount: float, week: Week) -> str:
    is_whole = week.unit == words.UNITS[Value.QUOTA]
    return f"{amount:,.0f} {week.unit}" if is_whole else words.money(exact(amount), week.unit)
