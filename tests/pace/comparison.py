"""How well each estimator foretells, on histories that are wholly given by their seeds."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, median

from .estimators import ESTIMATORS, Estimator, Ours
from .histories import DAY, HOUR, KINDS, History, Reading, history

SEEDS = (101, 102, 103)
"""Those of the published tables. The estimator's numbers were tuned on others, but these were looked at too, while
mistakes of it were mended."""

CALM = 0.2
"""How much days and hours differ in calm histories, against the usual ones."""

_EVERY = 6
"""One of so many readings is judged; all are seen."""
_OPTIMISM = 3.0
"""How much worse it is to foretell too much than too little."""
_FAR = 1.5
_NOTHING = math.log(0.1)
"""The error of an estimator that says nothing in a whole history."""
_SHORTEST = 60.0
"""Seconds; below, nothing is foretold that anybody could use."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well an estimator did on some histories."""

    loss: float
    """Mean of |ln(foretold / true)|, threefold where that was too much."""
    error: float
    """Median of |ln(foretold / true)|."""
    optimistic: float
    """Share of readings after which it foretold more than 1.5 times the truth."""
    known: float
    """Share of readings after the first day at which it foretold anything."""


def score(estimator: Estimator, of: History, *, attacked: bool = False) -> Score:
    """Play a history to an estimator. If `attacked`, readings count too whose credit a coming attack uses up."""
    begun, errors, asked, known = of.readings[0].at, list[float](), 0, 0
    for number, reading in enumerate(of.readings):
        estimator.see(reading.at, reading.amount)
        if number % _EVERY or reading.amount <= 0 or reading.lasts <= 0:
            continue
        if _is_beyond_knowing(of, reading) and not attacked:
            continue
        foretold = estimator.lasts(reading.amount)
        is_known = foretold is not None and foretold < math.inf
        if reading.at - begun >= DAY:
            asked, known = asked + 1, known + is_known
        if foretold is not None and is_known:
            errors.append(math.log(max(foretold, _SHORTEST) / max(reading.lasts, _SHORTEST)))
    errors = errors or [_NOTHING]
    return Score(
        loss=fmean(error * _OPTIMISM if error > 0 else -error for error in errors),
        error=median(abs(error) for error in errors),
        optimistic=fmean(error > math.log(_FAR) for error in errors),
        known=known / asked if asked else 1.0,
    )


def _is_beyond_knowing(of: History, reading: Reading) -> bool:
    """Whether the credit is used up in a rush that has not begun."""
    return any(reading.at < begin < reading.at + reading.lasts for begin, _ in of.rushes)


def mean(scores: Collection[Score]) -> Score:
    """Return the mean of scores that count alike."""
    return Score(*(fmean(getattr(each, name) for each in scores) for name in Score.__slots__))


def by_kind(name: str, seeds: Iterable[int], *, attacked: bool = False, noise: float = 1.0) -> Mapping[str, Score]:
    """Return the score of an estimator for each kind of history; attacks as in score, noise as in history."""
    return {
        kind: mean([score(ESTIMATORS[name](), history(kind, seed, noise), attacked=attacked) for seed in seeds])
        for kind in KINDS
    }


@dataclass(frozen=True, slots=True)
class Alarms:
    """What was told of unusual spending in a history."""

    missed: int
    """Rushes that were not seen within ninety minutes."""
    rushes: int
    false: int
    """Readings at which a rush was told that was none, after the first two days."""


def alarms(of: History) -> Alarms:
    """Play a history, and compare what is told of unusual spending with what there was."""
    estimator, begun = Ours(), of.readings[0].at
    due = [rush for rush in of.rushes if rush[0] - begun > 2 * DAY]
    seen, false = set[tuple[float, float]](), 0
    for reading in of.readings:
        estimator.see(reading.at, reading.amount)
        if estimator.pace is None or not estimator.pace.unusual:
            continue
        seen |= {rush for rush in due if rush[0] <= reading.at <= rush[0] + 1.5 * HOUR}
        excused = any(begin <= reading.at <= end + 3 * HOUR for begin, end in (*of.rushes, *of.doubtful))
        false += not excused
    return Alarms(missed=len(due) - len(seen), rushes=len(due), false=false)


HEAD = "| how | loss | typical error | more than 1.5 times too long | known |\n|---|---|---|---|---|"


def row(name: str, found: Score) -> str:
    """Return a line of the table in the documentation."""
    return (
        f"| {name} | {found.loss:.2f} | {math.exp(found.error) - 1:.0%} | {found.optimistic:.1%} | {found.known:.1%} |"
    )
