"""Resident memory after all else that this run measured: state, ledger and storage included."""

from collections.abc import Iterable

from tests.benchmarks.bench import FEW, GZIP, MANY, Bench
from tests.benchmarks.figures import Row, beside
from tests.benchmarks.peers import PUSHGATEWAY
from tests.benchmarks.processes import BARE, READY, Memory, fetched, imported

ACCOUNTS = (FEW, MANY)

_FEW, _MANY, _OF_THE_IMPORT = 45.0, 250.0, 1.2
"""MiB, MiB, and a share."""

_TIMES = 10


async def measure(bench: Bench) -> Iterable[Row]:
    """Ask for everything some times, and look at the process."""
    exporter, pushgateway = await bench.exporter(), (await bench.peers())[PUSHGATEWAY]
    for _ in range(_TIMES):
        for path in ("/metrics", "/", "/api/v1/accounts"):
            for headers in ({}, GZIP):
                fetched(exporter, path, **headers)
    ours = Memory.of(exporter.pid)
    bare, ready = [(await imported(libraries)).memory.peak for libraries in (BARE, READY)]
    peers = {PUSHGATEWAY: Memory.of(pushgateway.pid).peak if pushgateway else None}
    peers |= {"bare import": bare, "libraries alone": ready}
    limit = bench.limit(few=max(_FEW, _OF_THE_IMPORT * bare), many=_MANY)
    return [
        *beside("resident memory, peak", ours.peak, "MiB", peers, limit),
        Row(name="resident memory, now", value=ours.now, unit="MiB"),
    ]
