"""How cost grows with the number of accounts."""

from collections.abc import Iterable
from dataclasses import replace

from tests.benchmarks import polls
from tests.benchmarks.bench import FEW, MANY, Bench
from tests.benchmarks.figures import Row, median
from tests.benchmarks.processes import Memory, asked

ACCOUNTS = (FEW, 100, 1000, MANY, 50_000)

_PAUSE, _ROUNDS = 1.0, 20


async def measure(bench: Bench) -> Iterable[Row]:
    """Measure an exporter alone."""
    exporter = await bench.exporter()
    targets = {
        "scrape, plain": {"port": exporter.port, "path": "/metrics"},
        "scrape, gzip": {"port": exporter.port, "path": "/metrics", "gzip": True},
        "status page": {"port": exporter.port, "path": "/"},
    }
    answers = await asked("in rounds", targets, seconds=bench.options.seconds, pause=_PAUSE, rounds=_ROUNDS)
    return [
        Row(name="cold start to first scrape", value=exporter.started_in, unit="s"),
        *(Row(name=name, value=median(found.milliseconds), unit="ms") for name, found in answers.items()),
        *(replace(row, limit=None) for row in await polls.measure(bench)),
        Row(name="resident memory, peak", value=Memory.of(exporter.pid).peak, unit="MiB"),
    ]
