"""Cold start to the first answered scrape, beside a bare import of the largest libraries."""

import statistics
from collections.abc import Iterable

from tests.benchmarks.bench import FEW, MANY, Bench
from tests.benchmarks.figures import Row, beside
from tests.benchmarks.processes import bare_import

ACCOUNTS = (FEW, MANY)

_FEW, _MANY, _OF_THE_IMPORT = 0.5, 3.0, 1.2


async def measure(bench: Bench) -> Iterable[Row]:
    """Start exporters that remember their accounts, and import, in turn."""
    starts, imports = [], []
    for _ in range(bench.options.repetitions):
        async with bench.restarted() as exporter:
            starts.append(exporter.started_in)
        imports.append((await bare_import()).seconds)
    bare = statistics.median(imports)
    limit = bench.limit(few=max(_FEW, _OF_THE_IMPORT * bare), many=_MANY)
    return beside("cold start to first scrape", statistics.median(starts), "s", {"bare import": bare}, limit)
