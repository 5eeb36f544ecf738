"""Prints the figures that the fault matrix has written down: faults survived, by layer and product."""

import json
import sys
from pathlib import Path


def main(file: Path) -> None:
    """Print them."""
    runs = [json.loads(line) for line in file.read_text().splitlines()]
    rows = [("", *(run["product"] for run in runs))]
    rows += [(layer, *(f"{2 * run['faults'][layer]:,}" for run in runs)) for layer in runs[0]["faults"]]
    rows.append(("all, each from the start and after a reading", *(f"{2 * run['accounts']:,}" for run in runs)))
    rows.append(("wrong numbers", *(f"{run['wrong_numbers']}" for run in runs)))
    rows.append(("seconds", *(f"{sum(run['seconds'].values()):.0f}" for run in runs)))
    for first, *others in rows:
        print(f"{first:56}", *(f"{cell:>24}" for cell in others))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
