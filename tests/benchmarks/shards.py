"""Two exporters that share one configuration by `--shard`, behind one real Prometheus."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack

from sms_credit_exporter.shards import Shard
from tests.benchmarks.bench import MANY, Bench
from tests.benchmarks.figures import Row
from tests.benchmarks.processes import Memory
from tests.benchmarks.prometheus import Evaluating, binaries, evaluating

ACCOUNTS = (MANY,)

COUNT = 2

SCRAPED_EVERY = 15
"""Seconds."""

EVALUATIONS = 12
"""At most; the benchmark of the rules waits for as many as they look back on."""


async def measure(bench: Bench) -> Iterable[Row]:
    """Scrape all shards with each Prometheus, and evaluate the rules over them."""
    rows: list[Row] = []
    async with AsyncExitStack() as stack:
        shards = [await stack.enter_async_context(bench.restarted(Shard(index, COUNT))) for index in range(COUNT)]
        targets = [f"127.0.0.1:{shard.port}" for shard in shards]
        for name, binary in binaries(bench.options.prometheus).items():
            async with evaluating(binary, targets, bench.options.rules, scraped_every=SCRAPED_EVERY) as prometheus:
                rows += [row async for row in _seen(bench, name, prometheus)]
        for index, shard in enumerate(shards):
            rows += [
                Row(name=f"shard {index}: cold start to first scrape", value=shard.started_in, unit="s"),
                Row(name=f"shard {index}: resident memory, peak", value=Memory.of(shard.pid).peak, unit="MiB"),
            ]
    return rows


async def _seen(bench: Bench, name: str, prometheus: Evaluating) -> AsyncIterator[Row]:
    """Yield what Prometheus has of both shards."""
    await prometheus.shows(f"count(sms_credit_up) == {bench.accounts}")
    found = await prometheus.evaluations(min(bench.options.evaluations, EVALUATIONS))
    missing = bench.accounts - await prometheus.value("count(count by (account) (sms_credit_up))")
    twice = await prometheus.query("count by (account) (sms_credit_up) > 1")
    scrape = await prometheus.value("max(max_over_time(scrape_duration_seconds[5m]))")
    yield Row(name=f"{name}: accounts that are missing", value=missing, limit=0)
    yield Row(name=f"{name}: accounts that are there twice", value=len(twice), limit=0)
    yield Row(name=f"{name}: longest scrape of a shard", value=1000 * scrape, unit="ms")
    yield Row(name=f"{name}: rules that fail", value=found.failing, limit=0)
    yield Row(name=f"{name}: one evaluation of the rules, median", value=found.median, unit="s")
