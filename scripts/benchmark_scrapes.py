"""Measure scrapes by very many scrapers at once; see scripts/benchmark-scrapes."""

import argparse
import asyncio
import contextlib
import gzip
import json
import re
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sms_credit_exporter.simulator.server import Simulator

REQUEST = (
    b"GET /metrics HTTP/1.1\r\nHost: benchmark\r\nAccept-Encoding: gzip\r\n"
    b"Accept: application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3\r\n\r\n"
)
"""As Prometheus asks."""


async def main(options: argparse.Namespace) -> None:
    """Start the three processes, and print what came of it."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        options.config = Path(folder, "config.yml")
        options.port = free.getsockname()[1]
        free.close()
        simulator = await started(__file__, "simulate", *given(options, "accounts", "config", "poll_interval"))
        assert simulator.stdout
        await simulator.stdout.readline()
        exporter = await started(
            *("-m", "sms_credit_exporter", "serve", "--log.level=warn"),
            *(f"--config.file={options.config}", f"--web.listen-address=127.0.0.1:{options.port}"),
        )
        before = await once_polled(options)
        scrapers = await started(__file__, "scrape", *given(options, "accounts", "scrapers", "seconds", "port"))
        out, _ = await scrapers.communicate()
        after = polls(await scraped(options.port))
        for process in (exporter, simulator):
            process.terminate()
            await process.wait()
    results = json.loads(out)
    times = sorted(results["times"])
    rows = {
        "scrapes": len(times),
        "… that failed or were incomplete": results["failed"],
        "… in a second": len(times) / options.seconds,
        "seconds for a scrape: median": statistics.median(times),
        "… 99 of 100 within": statistics.quantiles(times, n=100)[98],
        "… longest": times[-1],
        "polls meanwhile": after[0] - before[0],
        "… that failed": after[1] - before[1],
        "seconds for the longest of the last polls": after[2],
    }
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{options.scrapers} scrapers, {options.accounts} accounts, {options.seconds} s")
    for name, value in rows.items():
        print(f"{name:45} {value:10,.3f}".removesuffix(".000"))


def given(options: argparse.Namespace, *names: str) -> list[str]:
    """Return these options as arguments."""
    return [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in names]


async def started(*arguments: str) -> asyncio.subprocess.Process:
    """Start a Python process whose standard output is to be read."""
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)


async def once_polled(options: argparse.Namespace) -> tuple[float, float, float]:
    """Wait until each account has been polled."""
    while True:
        with contextlib.suppress(OSError):
            now = polls(await scraped(options.port))
            if now[0] >= options.accounts:
                return now
        await asyncio.sleep(0.5)


async def scraped(port: int) -> str:
    """Scrape on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return gzip.decompress(await answer(reader, writer)).decode()
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Ask for the metrics and return what comes, compressed; empty if it is not a 200."""
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: ([0-9]+)", head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    return body if head.startswith(b"HTTP/1.1 200 ") else b""


def polls(text: str) -> tuple[float, float, float]:
    """Return how many polls were made, how many failed, and how long the longest of the accounts' last ones took."""
    made, failed, took = (
        [float(value) for value in re.findall(rf"^sms_credit_{name}\{{.*\}} (\S+)$", text, re.MULTILINE)]
        for name in ("polls_total", "poll_failures_total", "poll_duration_seconds")
    )
    return sum(made), sum(failed), max(took, default=0)


async def simulate(options: argparse.Namespace) -> None:
    """Serve simulated providers, and write the configuration of an exporter that polls them."""
    simulator = Simulator()
    async with simulator.serving() as base_urls:
        accounts = [
            {
                "name": f"account-{number}",
                "provider": (account := simulator.add(("23telecom", "iletimerkezi")[number % 2])).provider,
                "credentials": dict(account.credentials),
                "base_url": base_urls[account.provider],
            }
            for number in range(options.accounts)
        ]
        options.config.write_text(json.dumps({"poll_interval": options.poll_interval, "accounts": accounts}))
        print("simulating", flush=True)
        await asyncio.Event().wait()


async def scrape(options: argparse.Namespace) -> None:
    """Scrape on that many connections, each again as soon as it has its answer; print how long each scrape took."""
    times: list[float] = []
    failed = 0
    complete: set[bytes] = set()
    until = time.monotonic() + options.seconds

    def is_complete(body: bytes) -> bool:
        if body not in complete:  # many are given the same
            text = gzip.decompress(body).decode() if body else ""
            if not text.endswith("# EOF\n") or text.count("\nsms_credit_up{") != options.accounts:
                return False
            complete.clear()
            complete.add(body)
        return True

    async def scraper() -> None:
        nonlocal failed
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", options.port)
            while time.monotonic() < until:
                begun = time.monotonic()
                body = await answer(reader, writer)
                times.append(time.monotonic() - begun)
                failed += not is_complete(body)
            writer.close()
        except (OSError, EOFError):
            failed += 1

    await asyncio.gather(*(scraper() for _ in range(options.scrapers)))
    print(json.dumps({"times": times, "failed": failed}))


parser = argparse.ArgumentParser()
parser.add_argument("part", nargs="?", choices=("main", "simulate", "scrape"), default="main")
parser.add_argument("--accounts", type=int, default=300)
parser.add_argument("--scrapers", type=int, default=500)
parser.add_argument("--seconds", type=int, default=20)
parser.add_argument("--poll-interval", default="20s")
parser.add_argument("--json", action="store_true")
parser.add_argument("--config", type=Path)
parser.add_argument("--port", type=int)
options = parser.parse_args()
asyncio.run({"main": main, "simulate": simulate, "scrape": scrape}[options.part](options))
