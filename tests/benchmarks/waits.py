"""How long the event loop is blocked: the longest wait of `/-/healthy` beside a scrape, and while only polls go on."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from tests.benchmarks.bench import FEW, MANY, OURS, Bench
from tests.benchmarks.figures import Row, beside, median, p99
from tests.benchmarks.peers import NGINX
from tests.benchmarks.processes import Answers, asked

ACCOUNTS = (FEW, MANY)

_FEW, _MANY = 2.0, 10.0
"""Milliseconds more than nginx takes."""

_PAUSE, _BETWEEN_SCRAPES, _ROUNDS = 0.001, 0.5, 1000
"""Seconds, seconds, and more rounds than there is time for."""


async def measure(bench: Bench) -> Iterable[Row]:
    """Have one client scrape while another asks for the health."""
    servers = {OURS: await bench.exporter(), NGINX: (await bench.peers())[NGINX]}
    ports = {name: server.port for name, server in servers.items() if server}
    seconds = bench.options.seconds / 2
    scrapes, healths = await asyncio.gather(
        asked("in rounds", _targets(ports, "/metrics"), seconds=seconds, pause=_BETWEEN_SCRAPES, rounds=_ROUNDS),
        asked("at all times", _targets(ports, "/-/healthy"), seconds=seconds, pause=_PAUSE),
    )
    limit = bench.limit(few=_FEW, many=_MANY)
    beside_scrapes = {name: median(longest(healths[name], scrapes[name])) for name in ports}
    beside_polls = {name: p99(healths[name].without(scrapes[name]).milliseconds) for name in ports}
    return [
        *_compared("longest wait beside a scrape: median", beside_scrapes, limit),
        *_compared("wait while only polls go on: p99", beside_polls, limit),
    ]


def _compared(name: str, waits: Mapping[str, float | None], limit: float | None) -> Iterator[Row]:
    """Yield the rows of a wait. What is more than nginx takes is the exporter's; the rest is the machine's."""
    ours, floor = waits[OURS], waits.get(NGINX)
    yield from beside(name, ours, "ms", {NGINX: floor})
    more = None if ours is None or floor is None else ours - floor
    yield Row(name=f"{name}, more than {NGINX}", value=more, unit="ms", limit=limit)


def _targets(ports: dict[str, int], path: str) -> dict[str, dict[str, object]]:
    return {name: {"port": port, "path": path} for name, port in ports.items()}


def longest(healths: Answers, scrapes: Answers) -> list[float]:
    """Return the longest wait beside each scrape, in milliseconds.

    A scrape may be over before anybody asks. Then whoever asks next says what it has left to do.
    """
    beside_each = (healths.beside(scrape) or healths.after(scrape) for scrape in scrapes.times)
    return [max(found.milliseconds) for found in beside_each if found]
