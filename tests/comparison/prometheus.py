"""What is compared for Prometheus: json_exporter and this project's exporter, each a process of its own."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.benchmarks.processes import Memory, Server, answered, cpu_seconds, started
from tests.comparison.situations import Watched
from tests.exporter.running import free_port

SCRAPE_TIMEOUT = 10.0
"""Seconds, Prometheus's own default."""

_SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is scraped."""

    server: Server
    log: Path
    http: httpx.AsyncClient

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it has taken so far."""
        return cpu_seconds(self.server.pid)

    @property
    def resident(self) -> float:
        """MiB that it holds."""
        return Memory.of(self.server.pid).now

    def logged(self, watched: Sequence[Watched]) -> str:
        """Return which provider's credentials stand in its log, in words."""
        log = self.log.read_text()
        found = {
            each.account.provider
            for each in watched
            if any(credential in log for credential in each.account.credentials.values())
        }
        return ", ".join(sorted(found)) or "none"

    async def get(self, path: str, **parameters: str) -> httpx.Response:
        """Ask it for something, as long as a scrape may take."""
        return await self.http.get(f"http://127.0.0.1:{self.server.port}{path}", params=parameters)


@dataclass(frozen=True, slots=True)
class JsonExporter(Program):
    """prometheus-community/json_exporter."""

    async def scrape(self, watched: Sequence[Watched]) -> None:
        """Scrape all accounts, each being a target of its own."""
        await asyncio.gather(*(self.probe(each) for each in watched))

    async def probe(self, watched: Watched) -> str:
        """Scrape one account, and return what came, in words."""
        try:
            answer = await self.get("/probe", module=watched.name, target=watched.url)
        except httpx.TimeoutException:
            return f"nothing: the scrape ends after {SCRAPE_TIMEOUT:.0f} s"
        if not answer.is_success:
            return f"nothing: the scrape fails with {answer.status_code}"
        values = [_value(labels, float(value)) for _, labels, value in _SAMPLE.findall(answer.text)]
        return ", ".join(values) or "nothing: the scrape is good, and empty"


@dataclass(frozen=True, slots=True)
class Exporter(Program):
    """This project's exporter."""

    async def scrape(self, _watched: Sequence[Watched] = ()) -> None:
        """Scrape all accounts at once."""
        (await self.get("/metrics")).raise_for_status()

    async def entries(self) -> dict[str, dict[str, Any]]:
        """Return what its API says of each account."""
        answer = (await self.get("/api/v1/accounts")).raise_for_status()
        return {entry["account"]: entry for entry in answer.json()["accounts"]}

    async def polls(self) -> Mapping[str, int]:
        """Return how often each account has been polled."""
        text = (await self.get("/metrics")).raise_for_status().text
        return {
            re.findall(r'account="([^"]*)"', labels)[0]: int(float(value))
            for name, labels, value in _SAMPLE.findall(text)
            if name == "sms_credit_polls_total"
        }

    async def shown(self, watched: Watched) -> str:
        """Return which values of an account a scrape has, in words."""
        found = [
            _value(labels, float(value))
            for name, labels, value in _SAMPLE.findall((await self.get("/metrics")).text)
            if name in {"sms_credit_balance", "sms_credit_quota_messages"} and f'account="{watched.name}"' in labels
        ]
        return ", ".join(found) or "nothing"

    async def polled(self, since: Mapping[str, int]) -> None:
        """Wait until each account has been polled more often than this."""
        while not all(polls > since[name] for name, polls in (await self.polls()).items()):
            await asyncio.sleep(0.1)


def _value(labels: str, value: float) -> str:
    """Write a sample's value with its unit; without a currency it counts messages."""
    unit = re.findall(r'currency="([^"]*)"', labels)
    return f"{value:g} {unit[0] if unit else 'messages'}".strip()


@asynccontextmanager
async def json_exporter(binary: str, watched: Sequence[Watched], folder: Path) -> AsyncIterator[JsonExporter]:
    """Run it."""
    modules = {}
    for each in watched:
        key_file = folder / f"{each.name}.key"
        key_file.write_text(each.account.credentials["api_key"])
        modules[each.name] = each.worded("json_exporter.yml", key_file=key_file)["modules"][each.account.provider]
    config, port = folder / "json_exporter.yml", free_port()
    config.write_text(yaml.safe_dump({"modules": modules}))
    command = (binary, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}")
    async with _running(folder / "json_exporter.log", port, *command) as program:
        yield JsonExporter(*program)


@asynccontextmanager
async def exporter(watched: Sequence[Watched], folder: Path, *, poll_interval: str) -> AsyncIterator[Exporter]:
    """Run this project's."""
    accounts = [
        {
            "name": each.name,
            "provider": each.account.provider,
            "credentials": dict(each.account.credentials),
            "base_url": each.base_url,
        }
        for each in watched
    ]
    config, port = folder / "sms-credit.yml", free_port()
    config.write_text(yaml.safe_dump({"poll_interval": poll_interval, "accounts": accounts}))
    command = (sys.executable, "-m", "sms_credit_exporter", "serve")
    options = (f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}")
    async with _running(folder / "sms-credit.log", port, *command, *options) as program:
        yield Exporter(*program)


@asynccontextmanager
async def _running(log: Path, port: int, *command: str) -> AsyncIterator[tuple[Server, Path, httpx.AsyncClient]]:
    async with (
        started(*command, log=log) as process,
        httpx.AsyncClient(trust_env=False, timeout=SCRAPE_TIMEOUT) as http,
    ):
        server = Server(pid=process.pid, port=port)
        await answered(server)
        yield server, log, http
