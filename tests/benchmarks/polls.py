"""What polling costs while nobody scrapes, and how far behind their schedule the polls are."""

import asyncio
import time
from collections.abc import Iterable

from tests.benchmarks.bench import FEW, MANY, Bench
from tests.benchmarks.figures import Row, median, p99
from tests.benchmarks.processes import cpu_seconds, fetched, value_of

ACCOUNTS = (FEW, MANY)

_FEW_CPU, _MANY_CPU = 0.2, 10.0
"""Hundredths of a core."""
_FEW_LATE, _MANY_LATE = 1.0, 5.0
"""Seconds."""

_LEAST = 3
"""Polls that the time must be long enough for."""


async def measure(bench: Bench) -> Iterable[Row]:
    """Let it poll for a while. How late it is counts from its start on, beside all that was measured meanwhile."""
    exporter, providers = await bench.exporter(), await bench.fleet()
    cpu, begun = cpu_seconds(exporter.pid), time.time()
    await asyncio.sleep(max(bench.options.seconds, _LEAST * bench.poll_interval / bench.accounts))
    spent, passed = cpu_seconds(exporter.pid) - cpu, time.time() - begun
    polls = (await providers.polls(begun)).count
    for_one = spent / polls if polls else None
    late = (await providers.polls(exporter.since)).late
    failed = value_of(await asyncio.to_thread(fetched, exporter), "sms_credit_poll_failures_total")
    cpu_limit = bench.limit(few=_FEW_CPU, many=_MANY_CPU)
    late_limit = bench.limit(few=_FEW_LATE, many=_MANY_LATE)
    return [
        Row(name="CPU for polling", value=_share(for_one, bench), unit="% of a core", limit=cpu_limit),
        Row(name="CPU for one poll", value=for_one and 1000 * for_one, unit="ms"),
        Row(name="polls in a second", value=polls / passed),
        Row(name="polls that failed", value=failed, limit=0),
        Row(name="poll behind schedule: p99", value=p99(late), unit="s", limit=late_limit),
        Row(name="poll behind schedule: median", value=median(late), unit="s"),
        Row(name="poll behind schedule: longest", value=max(late, default=None), unit="s"),
    ]


def _share(for_one: float | None, bench: Bench) -> float | None:
    """Return what polls cost at their usual pace, whatever it was in this minute."""
    return for_one and 100 * for_one * bench.accounts / bench.poll_interval
