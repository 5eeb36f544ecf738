"""Fuzz all that reads what others have written; see scripts/fuzz."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.mutations import damaged
from tests.fuzz.targets import TARGETS, slower

SLOW = 0.05
"""Seconds of processor time that no example may take."""


class Outcome(NamedTuple):
    """What came of fuzzing one target."""

    runs: int
    slowest: float
    """Seconds that the slowest example takes."""
    trouble: str = ""
    """What is wrong, with the example in hexadecimal; empty if nothing is."""


def by_damage(name: str, count: int) -> Outcome:
    """Run a target on damaged examples."""
    target = TARGETS[name]
    slowest = 0.0
    for data in damaged([*target.examples()], count, seed=int(time.time())):
        try:
            slowest = slower(slowest, target.run, data)
        except Exception as error:  # noqa: BLE001 - all that is raised is wrong
            return Outcome(count, slowest, f"{error!r} for {data.hex()}")
        if slowest > SLOW:
            return Outcome(count, slowest, f"takes {slowest * 1000:.0f} ms for {data.hex()}")
    return Outcome(count, slowest)


def guided(name: str, runs: int) -> Outcome:
    """Run a target under atheris, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "tests.fuzz.guided", name, folder, str(runs))
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        slowest, example = json.loads(Path(folder, "slowest").read_text())
        found = [f"{file.name}: {file.read_bytes().hex()}" for file in Path(folder).glob("*-*")]
    done = re.search(r"Done ([0-9]+) runs", process.stderr)
    trouble = "; ".join(found) or ("" if done else process.stderr[-2000:])
    if slowest > SLOW and not trouble:
        trouble = f"takes {slowest * 1000:.0f} ms for {example}"
    return Outcome(int(done[1]) if done else 0, slowest, trouble)


def main() -> int:
    """Fuzz the targets, and print what came of each."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (default: all)")
    parser.add_argument(
        "--damaged", type=int, default=20_000, metavar="N", help="damaged examples (default %(default)s)"
    )
    parser.add_argument("--guided", type=int, default=500_000, metavar="N", help="guided runs (default %(default)s)")
    options = parser.parse_args()
    names = options.targets or [*TARGETS]
    total, failed = 0, False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        searching = {name: pool.submit(partial(guided, name, options.guided)) for name in names}
        print(f"{'target':28} {'damaged':>9} {'guided':>11} {'slowest':>9}")
        for name, search in searching.items():
            outcomes = by_damage(name, options.damaged), search.result()
            total += sum(outcome.runs for outcome in outcomes)
            slowest = max(outcome.slowest for outcome in outcomes)
            print(f"{name:28} {outcomes[0].runs:9,} {outcomes[1].runs:11,} {slowest * 1000:6.1f} ms", flush=True)
            for outcome in outcomes:
                failed |= bool(outcome.trouble)
                print(f"  {outcome.trouble}\n" * bool(outcome.trouble), end="", flush=True)
    print(f"{total:,} runs")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
