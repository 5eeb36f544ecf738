"""Let days pass over an exporter, and print what came of it; see scripts/soak."""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from .exporter import Report, soak

_HEADS = ("", "first day", "last day", "a day, once settled", "± noise", "")


def table(report: Report) -> str:
    """Return what a person reads."""
    rows = [_HEADS]
    for size, course in report.courses.items():
        numbers = (f"{report.of(size)[0]:,.6g}", f"{course.last:,.6g}", f"{course.slope:+,.3g}", f"{course.error:,.2g}")
        rows.append((size, *numbers, "flat" if course.flat else "GROWS"))
    lines = [f"{row[0]:<12}" + "".join(f"{cell:>21}" for cell in row[1:]) for row in rows]
    lines += [f"{what:<32}{count:>15,}" for what, count in report.done.items()]
    return "\n".join(lines)


def main() -> int:
    """Read the options, let the days pass, print."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--days", type=float, default=30, metavar="N", help="(default %(default)s)")
    parser.add_argument("--accounts", type=int, default=200, metavar="N", help="(default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another one, another history")
    parser.add_argument("--json", action="store_true", help="print every day's sizes too, as JSON")
    options = parser.parse_args()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        report = soak(options.days, options.accounts, options.seed, Path(folder))
    report.done["seconds of real time"] = int(time.perf_counter() - begun)
    if options.json:
        print(json.dumps({**vars(options), "done": report.done, "days": [asdict(day) for day in report.days]}))
    else:
        print(table(report))
    return int(not report.flat)


if __name__ == "__main__":
    sys.exit(main())
