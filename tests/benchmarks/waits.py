"""How long the event loop is blocked: the longest wait of `/-/healthy` beside a scrape, and while only polls go on."""

import asyncio
from collections.abc import Iterable

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
    longest = {name: median(_longest(healths[name], scrapes[name])) for name in ports}
    ours, floor = longest[OURS], longest.get(NGINX)
    quiet = healths[OURS].without(scrapes[OURS]).milliseconds
    limit = bench.limit(few=_FEW, many=_MANY)
    return [
        *beside("longest wait beside a scrape: median", ours, "ms", {NGINX: floor}),
        Row(name="longest wait beside a scrape: more than nginx", value=_more(ours, floor), unit="ms", limit=limit),
        Row(name="wait while only polls go on: p99", value=p99(quiet), unit="ms", limit=limit),
        Row(name="wait while only polls go on: longest", value=max(quiet, default=None), unit="ms"),
    ]


def _more(ours: float | None, floor: float | None) -> float | None:
    return None if ours is None or floor is None else ours - floor


def _targets(ports: dict[str, int], path: str) -> dict[str, dict[str, object]]:
    return {name: {"port": port, "path": path} for name, port in ports.items()}


def _longest(healths: Answers, scrapes: Answers) -> list[float]:
    """Return the longest wait beside each scrape, in milliseconds."""
    beside_each = (healths.beside(scrape) for scrape in scrapes.times)
    return [max(found.milliseconds) for found in beside_each if found.times]
