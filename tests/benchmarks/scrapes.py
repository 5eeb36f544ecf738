"""A scrape, plain and compressed, beside nginx, Pushgateway and prometheus-client."""

from collections.abc import Iterable, Iterator, Mapping

from tests.benchmarks.bench import FEW, MANY, OURS, Bench
from tests.benchmarks.figures import Row, beside, median, p99
from tests.benchmarks.peers import CLIENT_LIBRARY, NGINX, PUSHGATEWAY
from tests.benchmarks.processes import Answers, asked

ACCOUNTS = (FEW, MANY)

_FORMS = {"plain": False, "gzip": True}

_SELDOM = {PUSHGATEWAY: 4, CLIENT_LIBRARY: 4}
"""The slow ones are asked in every fourth round."""

_PAUSE, _ROUNDS = 1.0, 100
"""Seconds between two rounds, in which accounts change; and the most rounds."""

_FEW, _FEW_P99 = 1.0, 5.0
"""Milliseconds."""
_OF_NGINX, _OF_PUSHGATEWAY = 2.0, 1 / 20


async def measure(bench: Bench) -> Iterable[Row]:
    """Ask all in turn, to the last byte, on a connection that is kept."""
    servers = {OURS: await bench.exporter(), **await bench.peers()}
    targets = {
        f"{name}, {form}": {"port": server.port, "path": server.path, "gzip": gzip, "every": _SELDOM.get(name, 1)}
        for name, server in servers.items()
        if server
        for form, gzip in _FORMS.items()
    }
    answers = await asked("in rounds", targets, seconds=bench.options.seconds, pause=_PAUSE, rounds=_ROUNDS)
    medians = {name: median(found.milliseconds) for name, found in answers.items()}
    return [
        *_rows(answers, medians, "plain", _plain_limits(bench, medians)),
        *_rows(answers, medians, "gzip", _gzip_limits(bench, medians)),
    ]


Medians = Mapping[str, float | None]

Limits = tuple[float | None, float | None]
"""Of the median, and of the p99."""


def _plain_limits(bench: Bench, medians: Medians) -> Limits:
    nginx, pushgateway = medians.get(f"{NGINX}, plain"), medians.get(f"{PUSHGATEWAY}, plain")
    return bench.limit(few=_FEW, many=nginx and _OF_NGINX * nginx), bench.limit(few=_FEW_P99, many=pushgateway)


def _gzip_limits(bench: Bench, medians: Medians) -> Limits:
    pushgateway = medians.get(f"{PUSHGATEWAY}, gzip")
    return bench.limit(few=_FEW, many=pushgateway and _OF_PUSHGATEWAY * pushgateway), None


def _rows(answers: Mapping[str, Answers], medians: Medians, form: str, limits: Limits) -> Iterator[Row]:
    ours, (of_median, of_p99) = answers[f"{OURS}, {form}"].milliseconds, limits
    figures = {name: medians.get(f"{name}, {form}") for name in (NGINX, PUSHGATEWAY, CLIENT_LIBRARY)}
    yield from beside(f"scrape, {form}: median", median(ours), "ms", figures, of_median)
    yield Row(name=f"scrape, {form}: p99", value=p99(ours), unit="ms", limit=of_p99)
