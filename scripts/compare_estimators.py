"""Compare ways to foretell how long credit lasts; `scripts/compare-estimators [SEED...]` runs this."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.pace.comparison import CALM, HEAD, SEEDS, Alarms, alarms, by_kind, mean, row
from tests.pace.estimators import BASE, ESTIMATORS, OURS, Ours
from tests.pace.histories import KINDS, history


def main(arguments: Sequence[str]) -> int:
    """Print the tables, and what a reading costs."""
    seeds = tuple(int(each) for each in arguments) or SEEDS
    with ProcessPoolExecutor() as pool:
        found = dict(zip(ESTIMATORS, pool.map(partial(by_kind, seeds=seeds), ESTIMATORS), strict=True))
        attacked, calm = (
            [mean(scores.values()) for scores in pool.map(partial(by_kind, seeds=seeds, **how), (OURS, BASE))]
            for how in ({"attacked": True}, {"noise": CALM})
        )
        told = list(pool.map(_alarms, ((kind, seed) for kind in KINDS for seed in seeds)))
    print(HEAD)
    for name, scores in found.items():
        print(row(name, mean(scores.values())))
    print(f"\n| history | {BASE} | {OURS} |\n|---|---|---|")
    for kind in KINDS:
        print(f"| {kind} | {found[BASE][kind].loss:.2f} | {found[OURS][kind].loss:.2f} |")
    print(f"\nOf {OURS}, and of the {BASE}:")
    print("- before attacks too, more than 1.5 times too long", *(f"{each.optimistic:.1%}" for each in attacked))
    print("- where days and hours differ less, loss", *(f"{each.loss:.2f}" for each in calm))
    print("- and more than 1.5 times too long", *(f"{each.optimistic:.1%}" for each in calm))
    rushes, missed, false = (sum(getattr(each, name) for each in told) for name in ("rushes", "missed", "false"))
    print(f"\nUnusual spending: {rushes - missed} of {rushes} seen within 90 minutes, {false} false readings.")
    for kind in ("working hours", "polled hourly"):
        without, foretold = _cost(kind, foretold=False), _cost(kind, foretold=True)
        print(f"A reading of “{kind}” costs {without:.0f} µs of CPU, {foretold:.0f} with the forecast.")
    return 0


def _alarms(of: tuple[str, int]) -> Alarms:
    return alarms(history(*of))


def _cost(kind: str, *, foretold: bool) -> float:
    """Return the microseconds of one reading, and of what is foretold after each."""
    readings = history(kind, SEEDS[0]).readings
    estimator, begun = Ours(), time.process_time()
    for reading in readings:
        estimator.see(reading.at, reading.amount)
        if foretold:
            estimator.lasts(reading.amount)
            _ = estimator.pace and estimator.pace.unusual
    return (time.process_time() - begun) / len(readings) * 1e6


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
