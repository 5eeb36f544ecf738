"""The status page and the JSON API: first and last byte."""

from collections.abc import Iterable, Iterator

from tests.benchmarks.bench import FEW, MANY, Bench
from tests.benchmarks.figures import Row, median, p99
from tests.benchmarks.processes import asked

ACCOUNTS = (FEW, MANY)

_FEW, _MANY = 20.0, 200.0
"""Milliseconds."""

_PATHS = {"status page": "/", "status page, a search": "/?search=account-1", "JSON of the accounts": "/api/v1/accounts"}

_PAUSE, _ROUNDS = 1.0, 20


async def measure(bench: Bench) -> Iterable[Row]:
    """Ask for each in turn, with a pause in which accounts change."""
    exporter = await bench.exporter()
    targets = {name: {"port": exporter.port, "path": path} for name, path in _PATHS.items()}
    answers = await asked("in rounds", targets, seconds=bench.options.seconds, pause=_PAUSE, rounds=_ROUNDS)
    limit = bench.limit(few=_FEW, many=_MANY)

    def rows() -> Iterator[Row]:
        for name, found in answers.items():
            yield Row(name=f"{name}, first byte: median", value=median(found.first_bytes), unit="ms", limit=limit)
            yield Row(name=f"{name}, first byte: p99", value=p99(found.first_bytes), unit="ms")
            yield Row(name=f"{name}, last byte: median", value=median(found.milliseconds), unit="ms")

    return rows()
