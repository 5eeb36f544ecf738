"""Measure a cold start and its memory; see scripts/measure."""

import asyncio
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
import yaml

from sms_credit_exporter.simulator.server import Simulator

RUNS = 7
BASELINE = "import aiohttp.web, httpx, prometheus_client"


async def main() -> None:
    """Run baseline and exporter in turn, and print what each run took."""
    simulator = Simulator()
    with tempfile.TemporaryDirectory() as folder:
        async with simulator.serving() as base_urls, httpx.AsyncClient(trust_env=False) as client:
            accounts = [
                {
                    "name": f"account-{number}",
                    "provider": (account := simulator.add(provider)).provider,
                    "credentials": dict(account.credentials),
                    "base_url": base_urls[provider],
                }
                for number, provider in enumerate(("23telecom", "iletimerkezi", "23telecom"))
            ]
            file = Path(folder, "config.yml")
            file.write_text(yaml.safe_dump({"accounts": accounts}))
            runs = [(await baseline(), *await exporter(file, client)) for _ in range(RUNS)]
    rows = {
        "cold start to first scrape, s": [start for _, start, _ in runs],
        "… as a multiple of the bare import": [start / base for base, start, _ in runs],
        "resident memory after scrapes and page views, MiB": [memory for _, _, memory in runs],
    }
    for name, values in rows.items():
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{name:52} min {low:6.2f}  median {middle:6.2f}  max {high:6.2f}")


async def baseline() -> float:
    """Return the seconds that the bare import takes."""
    begun = time.perf_counter()
    await (await asyncio.create_subprocess_exec(sys.executable, "-c", BASELINE)).wait()
    return time.perf_counter() - begun


async def exporter(file: Path, client: httpx.AsyncClient) -> tuple[float, float]:
    """Return the seconds until the first answered scrape, and the MiB after some more."""
    arguments = ("serve", f"--config.file={file}", "--web.listen-address=127.0.0.1:0")
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sms_credit_exporter", *arguments), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr
    while not (match := re.search(rb"url=(\S+)", await process.stderr.readline())):
        pass
    url = match[1].decode()
    (await client.get(f"{url}/metrics")).raise_for_status()
    took = time.perf_counter() - begun
    while (await client.get(f"{url}/-/ready")).status_code != httpx.codes.OK:
        await asyncio.sleep(0.1)
    for path in ("/", "/metrics") * 20:
        text = (await client.get(url + path)).raise_for_status().text
    memory = re.search(r"^process_resident_memory_bytes (\S+)", text, re.MULTILINE)
    process.terminate()
    await process.communicate()
    return took, float(memory[1]) / 2**20 if memory else float("nan")


asyncio.run(main())
