"""Measure what SMS Credit costs, beside what else is installed; docs/performance.md tells what came of it."""

import argparse
import asyncio
import signal
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from grafana.generate.__main__ import FOLDER
from sms_credit_core import DEFAULT_POLL_INTERVAL
from tests.benchmarks import crowd, growth, memory, page, polls, rules, scrapes, shards, start, stop, waits
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Row, as_json, as_markdown, as_text

OF_ONE_EXPORTER: tuple[ModuleType, ...] = (start, scrapes, waits, page, polls, memory)
"""Those that have targets. In one run, they measure one and the same exporter, in this order."""

OTHERS: tuple[ModuleType, ...] = (growth, shards, rules, crowd, stop)
"""Those that start what they measure themselves."""

_OPTIONS: Mapping[str, tuple[float | Path, str]] = {
    "--seconds": (60.0, "that one measurement takes, or a little longer"),
    "--repetitions": (3, "of a start"),
    "--scrapers": (500, "of the crowd"),
    "--stop": (60.0, "seconds that the process is stopped for"),
    "--evaluations": (60, "of the rules; as many as they look back on"),
    "--rules": (FOLDER / "prometheus/rules.yml", "the rule file"),
}
"""With their defaults, and what they say."""


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


BENCHMARKS: Mapping[str, ModuleType] = {_name(module): module for module in (*OF_ONE_EXPORTER, *OTHERS)}

GROUPS: Mapping[str, Sequence[str]] = {
    "targets": [_name(module) for module in OF_ONE_EXPORTER],
    "all": [*BENCHMARKS],
}


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for; without a name, tell what there is."""
    options = _parser().parse_args(arguments)
    if not options.names:
        print(_listing())
        return 0
    names = dict.fromkeys(name for each in options.names for name in GROUPS.get(each, [each]))
    try:
        results = asyncio.run(_measured(list(names), options))
    except (asyncio.CancelledError, KeyboardInterrupt):
        return 1
    print(options.write(results))
    return 0


async def _measured(names: Sequence[str], options: argparse.Namespace) -> Mapping[int, Sequence[Row]]:
    """Measure at each number of accounts what is to be measured there; SIGTERM ends all that was started for it."""
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    results: defaultdict[int, list[Row]] = defaultdict(list)
    shared = [BENCHMARKS[name] for name in names if BENCHMARKS[name] in OF_ONE_EXPORTER]
    alone = [[BENCHMARKS[name]] for name in names if BENCHMARKS[name] in OTHERS]
    for together in filter(None, (shared, *alone)):
        for accounts in options.accounts or sorted({size for module in together for size in module.ACCOUNTS}):
            interval = options.poll_interval or getattr(together[0], "POLL_INTERVAL", DEFAULT_POLL_INTERVAL)
            async with Bench.opened(accounts, interval, options) as bench:
                for module in together:
                    print(f"{_name(module)}, {accounts:,} accounts", file=sys.stderr, flush=True)
                    results[accounts] += await module.measure(bench)
    return dict(sorted(results.items()))


def _listing() -> str:
    lines = {name: (module.__doc__ or "").partition("\n")[0] for name, module in BENCHMARKS.items()}
    lines |= {group: f"All of these: {', '.join(names)}." for group, names in GROUPS.items()}
    width = max(map(len, lines))
    return "\n".join(f"{name.ljust(width)}  {line}" for name, line in lines.items())


def _sizes(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__, allow_abbrev=False)
    names = [*BENCHMARKS, *GROUPS]
    parser.add_argument("names", nargs="*", choices=[[], *names], metavar="NAME", help="without one, they are listed")
    parser.add_argument("--accounts", type=_sizes, metavar="N,N", help="instead of those that each benchmark has")
    for option, (default, text) in _OPTIONS.items():
        parser.add_argument(option, type=type(default), default=default, help=f"{text} (default: %(default)s)")
    parser.add_argument("--poll-interval", type=float, help=f"in seconds (default: {DEFAULT_POLL_INTERVAL:g})")
    parser.add_argument("--prometheus", metavar="PROGRAM", help="instead of each that is installed")
    parser.add_argument("--json", dest="write", action="store_const", const=as_json, help="instead of tables")
    parser.add_argument("--markdown", dest="write", action="store_const", const=as_markdown, help="as in the documents")
    parser.set_defaults(write=as_text)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
