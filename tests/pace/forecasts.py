"""What the core foretells in made-up histories, written down: `python -m tests.pace.forecasts` does that anew.

Whoever changes a forecast on purpose raises the estimator's number in pace.py too, so that habits which were worked out
before are not gone on with, and has scripts/compare-estimators write the tables of docs/runway.md.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from sms_credit_core import Pace
from tests.pace.histories import HOUR, KINDS, Reading, history

FILE = Path(__file__).with_suffix(".json")

_SEED = 11
_POLLED = 3
"""Every so many readings, a quarter of an hour apart in most histories."""
_WRITTEN = 47
"""Of these, every so many."""
_DIGITS = 10
"""Versions of Python differ in how they round a sum."""

Forecast = tuple[float | None, bool | None]
"""The hours that the credit lasts, infinity for ever, and whether it is spent unusually fast; None is unknown."""


def forecasts(kind: str) -> list[Forecast]:
    """Return what is foretold of a history of a kind, from its first hours to its last day."""
    return [_forecast(pace, reading) for pace, reading in _grown(history(kind, _SEED).readings[::_POLLED])][::_WRITTEN]


def _forecast(pace: Pace, reading: Reading) -> Forecast:
    lasts = pace.lasts(reading.amount)
    return None if lasts is None else float(f"{lasts / HOUR:.{_DIGITS}g}"), pace.unusual


def _grown(readings: Sequence[Reading]) -> Iterator[tuple[Pace, Reading]]:
    pace = Pace.begin(readings[0].at)
    for before, reading in pairwise(readings):
        pace = pace.after(before.amount, reading.amount, before.at, reading.at)
        yield pace, reading


if __name__ == "__main__":
    lines = (f"{json.dumps(kind)}: {json.dumps(forecasts(kind))}" for kind in KINDS)
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
