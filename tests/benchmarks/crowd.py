"""Hundreds of scrapers at once while the exporter polls: how long they wait, and that no scrape and no poll fails."""

import asyncio
import gzip
import json
import re
import sys
import time
from collections.abc import Iterable

from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Row, median, p99
from tests.benchmarks.processes import fetched, started, value_of

ACCOUNTS = (300,)

POLL_INTERVAL = 20.0

REQUEST = (
    b"GET /metrics HTTP/1.1\r\nHost: benchmark\r\nAccept-Encoding: gzip\r\n"
    b"Accept: application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3\r\n\r\n"
)
"""As Prometheus asks."""


async def measure(bench: Bench) -> Iterable[Row]:
    """Have them scrape for a while, in a process of their own."""
    exporter, options = await bench.exporter(), bench.options
    before = await asyncio.to_thread(fetched, exporter)
    arguments = (exporter.port, bench.accounts, options.scrapers, int(options.seconds))
    async with started(sys.executable, "-m", "tests.benchmarks.crowd", *map(str, arguments), limit=2**26) as scrapers:
        out, _ = await scrapers.communicate()
    after, found = await asyncio.to_thread(fetched, exporter), json.loads(out)
    polls, failed = (
        value_of(after, name) - value_of(before, name)
        for name in ("sms_credit_polls_total", "sms_credit_poll_failures_total")
    )
    return [
        Row(name="scrapes", value=len(found["times"])),
        Row(name="scrapes that failed or were incomplete", value=found["failed"], limit=0),
        Row(name="scrapes in a second", value=len(found["times"]) / options.seconds),
        Row(name="a scrape: median", value=median(found["times"]), unit="s"),
        Row(name="a scrape: p99", value=p99(found["times"]), unit="s"),
        Row(name="a scrape: longest", value=max(found["times"]), unit="s"),
        Row(name="polls meanwhile", value=polls),
        Row(name="polls meanwhile that failed", value=failed, limit=0),
    ]


async def main(port: int, accounts: int, scrapers: int, seconds: int) -> None:
    """Scrape on so many connections, each again as soon as it has its answer; print how long each scrape took."""
    times: list[float] = []
    failed = 0
    complete: set[bytes] = set()
    until = time.monotonic() + seconds

    def is_complete(body: bytes) -> bool:
        if body not in complete:  # many are given the same
            text = gzip.decompress(body).decode() if body else ""
            if not text.endswith("# EOF\n") or text.count("\nsms_credit_up{") != accounts:
                return False
            complete.clear()
            complete.add(body)
        return True

    async def scraper() -> None:
        nonlocal failed
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while time.monotonic() < until:
                begun = time.monotonic()
                body = await _answer(reader, writer)
                times.append(time.monotonic() - begun)
                failed += not is_complete(body)
            writer.close()
        except (OSError, EOFError):
            failed += 1

    await asyncio.gather(*(scraper() for _ in range(scrapers)))
    print(json.dumps({"times": times, "failed": failed}))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Ask for the metrics and return what comes, compressed; empty if it is not a 200."""
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: ([0-9]+)", head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    return body if head.startswith(b"HTTP/1.1 200 ") else b""


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
