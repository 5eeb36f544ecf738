"""Cold start to the first scrape, beside a bare import of the largest libraries, and all that they do in it."""

import statistics
from collections.abc import Iterable, Sequence

from tests.benchmarks.bench import FEW, MANY, Bench
from tests.benchmarks.figures import Row, beside
from tests.benchmarks.libraries import work_alone
from tests.benchmarks.processes import BARE, READY, cpu_seconds, imported

ACCOUNTS = (FEW, MANY)

_START = "cold start to first scrape"

_FEW, _MANY, _OF_THE_IMPORT = 0.5, 3.0, 1.2


async def measure(bench: Bench) -> Iterable[Row]:
    """Start exporters that remember their accounts, and import, in turn. CPU is the same on a busy machine."""
    starts, bare, alone = [], [], []
    providers, storage = await bench.fleet(), bench.folder / "libraries.db"
    await providers.storage(storage)
    for _ in range(bench.options.repetitions):
        async with bench.restarted() as exporter:
            starts.append((exporter.started_in, cpu_seconds(exporter.pid)))
            scrape, _packed = await bench.texts(exporter)
        bare.append((await imported(BARE))[:2])
        work = await work_alone(providers.config, storage, scrape)
        alone.append([each + work for each in (await imported(READY))[:2]])
    (took, cpu), (bare_took, bare_cpu), (alone_took, alone_cpu) = (_medians(each) for each in (starts, bare, alone))
    limit = bench.limit(few=max(_FEW, _OF_THE_IMPORT * bare_took), many=_MANY)
    return [
        *beside(_START, took, "s", {"bare import": bare_took, "libraries alone": alone_took}, limit),
        *beside(f"{_START}: CPU", cpu, "s", {"bare import": bare_cpu, "libraries alone": alone_cpu}),
    ]


def _medians(pairs: Iterable[Sequence[float]]) -> Iterable[float]:
    """Return the median of the first of each, and that of the second."""
    return map(statistics.median, zip(*pairs, strict=True))
