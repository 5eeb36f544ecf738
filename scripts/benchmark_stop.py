"""Measure a start, a stop of the process, and its end, with very many accounts; see scripts/benchmark-stop."""

import argparse
import asyncio
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

import httpx

SIMULATE = (Path(__file__).with_name("benchmark_scrapes.py"), "simulate")


async def main(options: argparse.Namespace) -> None:
    """Run the exporter beside simulated providers, and print what each step took."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yml")
        simulator = await asyncio.create_subprocess_exec(
            *(sys.executable, *SIMULATE, f"--config={config}"),
            *(f"--accounts={options.accounts}", f"--poll-interval={options.poll_interval}"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert simulator.stdout
        await simulator.stdout.readline()
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            await measure(client, config, options)
        simulator.kill()
        await simulator.wait()


async def measure(client: httpx.AsyncClient, config: Path, options: argparse.Namespace) -> None:
    """Start the exporter, stop it for a while, let it recover, and end it."""
    begun = time.monotonic()
    exporter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sms_credit_exporter", "serve"),
        *(f"--config.file={config}", "--web.listen-address=127.0.0.1:0"),
        stderr=asyncio.subprocess.PIPE,
    )
    url = await listening(exporter)
    reading = asyncio.create_task(unread(exporter))
    print(f"{options.accounts} accounts")
    tell("seconds until it listens", time.monotonic() - begun)
    scrape = time.monotonic()
    await client.get(f"{url}/metrics")
    tell("… for the first scrape then", time.monotonic() - scrape)
    if options.stop:
        while (await client.get(f"{url}/-/ready")).status_code != httpx.codes.OK:
            await asyncio.sleep(1)
        tell("… until each account is polled", time.monotonic() - begun)
        exporter.send_signal(signal.SIGSTOP)
        await asyncio.sleep(options.stop)
        exporter.send_signal(signal.SIGCONT)
        resumed = time.time()
        while await late(client, url, resumed):
            await asyncio.sleep(0.5)
        tell(f"… after a stop of {options.stop} s until each is polled again", time.time() - resumed)
    text = (await client.get(f"{url}/metrics")).text
    tell("polls that failed", sum(values(text, "poll_failures_total")))
    ended = time.monotonic()
    exporter.terminate()
    await exporter.wait()
    await reading
    tell("seconds from SIGTERM to the end", time.monotonic() - ended)


async def listening(exporter: asyncio.subprocess.Process) -> str:
    """Wait until the exporter listens, and return where."""
    assert exporter.stderr
    while line := await exporter.stderr.readline():
        if match := re.search(rb"http://\S+", line):
            return match[0].decode()
    message = "the exporter has ended"
    raise SystemExit(message)


async def unread(exporter: asyncio.subprocess.Process) -> None:
    """Read the log to its end."""
    assert exporter.stderr
    while await exporter.stderr.read(65536):
        pass


async def late(client: httpx.AsyncClient, url: str, since: float) -> int:
    """Return how many accounts have not been polled since a moment."""
    return sum(
        value < since for value in values((await client.get(f"{url}/metrics")).text, "last_poll_timestamp_seconds")
    )


def values(text: str, name: str) -> list[float]:
    """Return what a metric says of every account."""
    return [float(value) for value in re.findall(rf"^sms_credit_{name}\{{.*\}} (\S+)$", text, re.MULTILINE)]


def tell(what: str, value: float) -> None:
    """Print one figure."""
    print(f"{what:60} {value:8.2f}", flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("--accounts", type=int, default=2000)
parser.add_argument("--poll-interval", default="60s")
parser.add_argument("--stop", type=float, default=60)
asyncio.run(main(parser.parse_args()))
