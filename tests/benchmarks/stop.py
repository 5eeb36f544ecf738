"""How long it takes to catch up after the process was stopped, as a sleeping machine does it, and to end."""

import asyncio
import re
import signal
import time
from collections.abc import Iterable

from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Row
from tests.benchmarks.processes import Server, fetched, value_of

ACCOUNTS = (2000,)

POLL_INTERVAL = 60.0


async def measure(bench: Bench) -> Iterable[Row]:
    """Stop the exporter for a while, let it recover, and end it."""
    async with bench.restarted() as exporter:
        exporter.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(bench.options.stop)
        exporter.process.send_signal(signal.SIGCONT)
        resumed = time.time()
        while await _unpolled(exporter, resumed):
            await asyncio.sleep(0.5)
        recovered = time.time() - resumed
        failed = value_of(await asyncio.to_thread(fetched, exporter), "sms_credit_poll_failures_total")
        ending = time.monotonic()
        exporter.process.terminate()
        await exporter.process.wait()
        ended = time.monotonic() - ending
    return [
        Row(name=f"until all are polled again after a stop of {bench.options.stop:g} s", value=recovered, unit="s"),
        Row(name="polls that failed", value=failed, limit=0),
        Row(name="from SIGTERM to the end", value=ended, unit="s"),
    ]


async def _unpolled(exporter: Server, since: float) -> int:
    """Return how many accounts have not been polled since a moment."""
    text = await asyncio.to_thread(fetched, exporter)
    polled = re.findall(rb"(?m)^sms_credit_last_poll_timestamp_seconds\{.*\} (\S+)$", text)
    return sum(float(each) < since for each in polled)
