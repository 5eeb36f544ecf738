"""Hundreds or thousands of scrapers at once while the exporter polls: who is answered and who refused, and how fast."""

import asyncio
import gzip
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field

from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Row, median, p99
from tests.benchmarks.processes import Exporter, Memory, fetched, started, value_of

ACCOUNTS = (300,)

POLL_INTERVAL = 20.0

REQUEST = (
    b"GET /metrics HTTP/1.1\r\nHost: benchmark\r\nAccept-Encoding: gzip\r\n"
    b"Accept: application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3\r\n\r\n"
)
"""As Prometheus asks."""

_PROBE_PAUSE = 0.2
"""Seconds between two probes of the health."""


async def measure(bench: Bench) -> Iterable[Row]:
    """Have them scrape for a while, in a process of their own."""
    exporter, options = await bench.exporter(), bench.options
    before = await asyncio.to_thread(fetched, exporter)
    arguments = (exporter.port, bench.accounts, options.scrapers, int(options.seconds))
    async with (
        started(sys.executable, "-m", "tests.benchmarks.crowd", *map(str, arguments), limit=2**26) as scrapers,
        _probed(exporter) as health,
    ):
        out, _ = await scrapers.communicate()
    after, found = await asyncio.to_thread(fetched, exporter), Found(**json.loads(out))
    polls, failed = (
        value_of(after, name) - value_of(before, name)
        for name in ("sms_credit_polls_total", "sms_credit_poll_failures_total")
    )
    return [
        Row(name="scrapes", value=len(found.times)),
        Row(name="scrapes refused with 503 and Retry-After", value=found.refused),
        Row(name="scrapes that failed or were incomplete", value=found.failed, limit=0),
        Row(name="connections closed to make room", value=found.closed),
        Row(name="scrapes in a second", value=len(found.times) / options.seconds),
        Row(name="a scrape: median", value=median(found.times), unit="s"),
        Row(name="a scrape: p99", value=p99(found.times), unit="s"),
        Row(name="a scrape: longest", value=max(found.times), unit="s"),
        Row(name="health meanwhile: answers", value=len(health.times)),
        Row(name="health meanwhile: failed", value=health.failed, limit=0),
        Row(name="health meanwhile: longest wait", value=max(health.times), unit="s"),
        Row(name="polls meanwhile", value=polls),
        Row(name="polls meanwhile that failed", value=failed, limit=0),
        Row(name="resident memory: peak", value=Memory.of(exporter.pid).peak, unit="MiB"),
    ]


@dataclass
class Found:
    """What became of requests."""

    times: list[float] = field(default_factory=list)
    """Seconds that each complete answer took."""
    refused: int = 0
    """Told to come again later."""
    failed: int = 0
    closed: int = 0
    """Closed without a word, as a server closes what has been idle; the next request is made on another connection."""


@asynccontextmanager
async def _probed(exporter: Exporter) -> AsyncIterator[Found]:
    """Ask for the health all the while, each time on a connection of its own, as Kubernetes does."""
    health = Found()

    async def probe() -> None:
        while True:
            begun = time.monotonic()
            try:
                await asyncio.to_thread(fetched, exporter, "/-/healthy")
                health.times.append(time.monotonic() - begun)
            except OSError:
                health.failed += 1
            await asyncio.sleep(_PROBE_PAUSE)

    probing = asyncio.create_task(probe())
    try:
        yield health
    finally:
        probing.cancel()


class Crowd:
    """Scrapers, each on a connection of its own, that scrape again as soon as they have their answer.

    Whoever is refused waits for as long as it is told to.
    """

    def __init__(self, port: int, accounts: int, seconds: int) -> None:
        """Take where to scrape, of how many accounts an answer must tell, and for how long."""
        self.found = Found()
        self._port, self._accounts, self._until = port, accounts, time.monotonic() + seconds
        self._complete = b""

    @property
    def _left(self) -> float:
        return max(0.0, self._until - time.monotonic())

    async def scraper(self) -> None:
        """Scrape until the time is over."""
        while self._left:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                while self._left:
                    await self._scrape(reader, writer)
                writer.close()
            except (asyncio.IncompleteReadError, ConnectionResetError, BrokenPipeError) as error:
                cut = isinstance(error, asyncio.IncompleteReadError) and bool(error.partial)
                self.found.failed, self.found.closed = self.found.failed + cut, self.found.closed + (not cut)
            except OSError:
                self.found.failed += 1

    async def _scrape(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun = time.monotonic()
        status, retry_after, body = await _answer(reader, writer)
        if status == b"200" and self._is_complete(body):
            self.found.times.append(time.monotonic() - begun)
        elif status == b"503" and retry_after:
            self.found.refused += 1
            await asyncio.sleep(min(retry_after, self._left))
        else:
            self.found.failed += 1

    def _is_complete(self, body: bytes) -> bool:
        if body != self._complete:  # many are given the same
            text = gzip.decompress(body).decode() if body else ""
            if not text.endswith("# EOF\n") or text.count("\nsms_credit_up{") != self._accounts:
                return False
            self._complete = body
        return True


async def main(port: int, accounts: int, scrapers: int, seconds: int) -> None:
    """Scrape with so many at once; print what became of it."""
    crowd = Crowd(port, accounts, seconds)
    await asyncio.gather(*(crowd.scraper() for _ in range(scrapers)))
    print(json.dumps(asdict(crowd.found)))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[bytes, int, bytes]:
    """Ask for the metrics; return the status, the seconds to wait if it says any, and what came, compressed."""
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    length, wait = (re.search(rb"(?i)\r\n%b: ([0-9]+)" % name, head) for name in (b"content-length", b"retry-after"))
    body = await reader.readexactly(int(length[1]) if length else 0)
    return head.split()[1], int(wait[1]) if wait else 0, body


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
