"""Prints the figures that the fault matrix has written down: faults survived, by layer and product."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def _of(product: str, lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what all parts of a product's run come to."""
    parts = [line for line in lines if line["product"] == product]
    return {
        "product": product,
        "accounts": sum(part["accounts"] for part in parts),
        "requests": sum(part["requests"] for part in parts),
        "wrong_numbers": sum(part["wrong_numbers"] for part in parts),
        "seconds": sum(sum(part["seconds"].values()) for part in parts),
        "faults": {layer: sum(part["faults"][layer] for part in parts) for layer in parts[0]["faults"]},
    }


def main(file: Path) -> None:
    """Print them."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    runs = [_of(product, lines) for product in dict.fromkeys(line["product"] for line in lines)]
    if not runs:
        sys.exit("Every part has failed, and a part that fails has no figures.")
    rows = [("", *(run["product"] for run in runs))]
    rows += [(layer, *(f"{2 * run['faults'][layer]:,}" for run in runs)) for layer in runs[0]["faults"]]
    rows.append(("all, each from the start and after a reading", *(f"{2 * run['accounts']:,}" for run in runs)))
    rows.append(("requests", *(f"{run['requests']:,}" for run in runs)))
    rows.append(("wrong numbers", *(f"{run['wrong_numbers']}" for run in runs)))
    rows.append(("seconds", *(f"{run['seconds']:.0f}" for run in runs)))
    for first, *others in rows:
        print(f"{first:56}", *(f"{cell:>24}" for cell in others))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
