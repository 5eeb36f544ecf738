"""Compare ways to foretell how long credit lasts; `scripts/compare-estimators [SEED...]` runs this."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.pace.comparison import HEAD, Score, alarms, by_kind, compared, row
from tests.pace.estimators import ESTIMATORS, Ours
from tests.pace.histories import KINDS, history

SEEDS = (101, 102, 103)
"""None of them was looked at when the estimator was made."""


def main(arguments: Sequence[str]) -> int:
    """Print the tables, and what a reading costs."""
    seeds = tuple(int(each) for each in arguments) or SEEDS
    print(HEAD)
    with ProcessPoolExecutor() as pool:
        for name, found in zip(ESTIMATORS, pool.map(_compared, ((seeds, name) for name in ESTIMATORS)), strict=True):
            print(row(name, found), flush=True)
    print("\n| history | least of a day and a week | habits |\n|---|---|---|")
    for kind, (base, ours) in by_kind(seeds).items():
        print(f"| {kind} | {base.loss:.2f} | {ours.loss:.2f} |", flush=True)
    told = [alarms(history(kind, seed)) for kind in KINDS for seed in seeds]
    rushes, missed, false = (sum(getattr(each, name) for each in told) for name in ("rushes", "missed", "false"))
    print(f"\nUnusual spending: {rushes - missed} of {rushes} seen within 90 minutes, {false} false readings.")
    for kind in ("working hours", "polled hourly"):
        print(f"A reading of “{kind}” costs {_cost(kind):.0f} µs of CPU.")
    return 0


def _compared(task: tuple[Sequence[int], str]) -> Score:
    seeds, name = task
    return compared(seeds, (name,))[name]


def _cost(kind: str) -> float:
    """Return the microseconds of one reading with all that follows from it."""
    readings = history(kind, SEEDS[0]).readings
    estimator, begun = Ours(), time.process_time()
    for reading in readings:
        estimator.see(reading.at, reading.amount)
        estimator.lasts(reading.amount)
        _ = estimator.pace and estimator.pace.unusual
    return (time.process_time() - begun) / len(readings) * 1e6


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
