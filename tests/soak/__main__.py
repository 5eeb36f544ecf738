"""Let days pass over an exporter, or kill one again and again, and print what came of it."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from .crash import drill
from .exporter import Report, Sizes, soak

_HEADS = ("", "first day", "last day", "a day, once settled", "± noise", "")


def _tell(day: Sizes) -> None:
    """Show that it goes on."""
    print(*(f"{name} {size:,.6g}" for name, size in asdict(day).items()), sep=", ", file=sys.stderr, flush=True)


def _sizes(report: Report) -> str:
    rows = [_HEADS]
    for size, course in report.courses.items():
        numbers = (f"{report.of(size)[0]:,.6g}", f"{course.last:,.6g}", f"{course.slope:+,.3g}", f"{course.error:,.2g}")
        rows.append((size, *numbers, "flat" if course.flat else "GROWS"))
    return "".join(f"{row[0]:<12}" + "".join(f"{cell:>21}" for cell in row[1:]) + "\n" for row in rows)


def _counts(done: Mapping[str, int]) -> str:
    return "".join(f"{what:<42}{count:>15,}\n" for what, count in done.items())


def _soak(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = soak(options.days, options.accounts, options.seed, Path(folder), _tell)
    report.done["seconds of real time"] = int(time.perf_counter() - options.begun)
    if options.json:
        print(json.dumps({"done": report.done, "days": [asdict(day) for day in report.days]}))
    else:
        print(_sizes(report) + _counts(report.done), end="")
    return int(not report.flat)


def _crash_drill(options: argparse.Namespace) -> int:
    done = asyncio.run(drill(options.kills, options.seed))
    done["seconds of real time"] = int(time.perf_counter() - options.begun)
    print(json.dumps(done) if options.json else _counts(done), end="\n" * options.json)
    return 0


def main() -> int:
    """Read the options, and do what they say."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--seed", type=int, default=1, metavar="N", help="another one, another history")
    shared.add_argument("--json", action="store_true", help="print all figures as JSON")
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    commands = parser.add_subparsers(required=True)
    soaking = commands.add_parser("soak", prog="scripts/soak", parents=[shared])
    soaking.add_argument("--days", type=float, default=45, metavar="N", help="(default %(default)s)")
    soaking.add_argument("--accounts", type=int, default=200, metavar="N", help="(default %(default)s)")
    soaking.set_defaults(run=_soak)
    drilling = commands.add_parser("crash-drill", prog="scripts/crash-drill", parents=[shared])
    drilling.add_argument("--kills", type=int, default=1000, metavar="N", help="(default %(default)s)")
    drilling.set_defaults(run=_crash_drill)
    options = parser.parse_args(namespace=argparse.Namespace(begun=time.perf_counter()))
    status: int = options.run(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
