"""Cold start to the first scrape, beside a bare import of the largest libraries, and all that they do in it."""

import statistics
from collections.abc import Iterable

from tests.benchmarks.bench import FEW, MANY, Bench
from tests.benchmarks.figures import Row, beside
from tests.benchmarks.libraries import libraries_alone
from tests.benchmarks.processes import bare_import, cpu_seconds

ACCOUNTS = (FEW, MANY)

_FEW, _MANY, _OF_THE_IMPORT = 0.5, 3.0, 1.2


async def measure(bench: Bench) -> Iterable[Row]:
    """Start exporters that remember their accounts, and import, in turn. CPU is the same on a busy machine."""
    starts, imports, alone = [], [], []
    providers, storage = await bench.fleet(), bench.folder / "libraries.db"
    await providers.storage(storage)
    for _ in range(bench.options.repetitions):
        async with bench.restarted() as exporter:
            starts.append((exporter.started_in, cpu_seconds(exporter.pid)))
            scrape, _packed = await bench.texts(exporter)
        found = await bare_import()
        imports.append((found.seconds, found.cpu))
        alone.append(found.cpu + await libraries_alone(providers.config, storage, scrape))
    (took, cpu), (bare_took, bare_cpu) = (map(statistics.median, zip(*each, strict=True)) for each in (starts, imports))
    limit = bench.limit(few=max(_FEW, _OF_THE_IMPORT * bare_took), many=_MANY)
    peers = {"bare import": bare_cpu, "libraries alone": statistics.median(alone)}
    return [
        *beside("cold start to first scrape", took, "s", {"bare import": bare_took}, limit),
        *beside("cold start to first scrape: CPU", cpu, "s", peers),
    ]
