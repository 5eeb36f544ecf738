"""Real servers with a past: the exporter, which goes on from its storage, and a Prometheus with the shipped rules."""

import asyncio
import contextlib
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from grafana.generate.__main__ import FOLDER
from sms_credit_core import PROVIDERS, Instant, Secret
from sms_credit_exporter.accounts import AccountConfig
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator
from sms_credit_exporter.storage import Known, Storage

from .accounts import MadeUp, accounts
from .past import Lived, lived

_JOB = "sms-credit"
_PATIENCE = 120.0
_UNPACKED = FOLDER.parent / ".tools/prometheus-3/usr/bin"
_LIMITS: Mapping[str, Callable[[Any], object]] = {
    "low_balance": float,
    "low_quota": int,
    "low_runway": lambda seconds: f"{seconds:.0f}s",
    "message_price": float,
}
"""How each limit stands in the exporter's configuration."""

_SCRAPE = 5
"""Seconds between two scrapes, and between two looks at the rules: nobody wants to wait a minute for the first."""


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    http: httpx.AsyncClient

    async def ask(self, path: str, **parameters: object) -> list[Any]:
        """Return what its API answers. Raises RuntimeError with its words if it does not like the question."""
        answer = await self.http.post(f"{self.url}/api/v1/{path}", data=parameters)
        told = answer.json()
        if told["status"] != "success":
            message = f"{parameters.get('query')}\n{told['error']}"
            raise RuntimeError(message)
        return list(told["data"]["result"])


@dataclass(frozen=True)
class Watched:
    """Made-up accounts, and what watches them."""

    page: str
    """The address of the exporter's status page."""
    prometheus: Prometheus


def end_when_told() -> None:
    """Have SIGTERM cancel the current task, so that no server outlives it."""
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def program(name: str) -> str:
    """Return the newest program of this name. Raises FileNotFoundError if there is none."""
    if found := shutil.which(_UNPACKED / name) or shutil.which(name):
        return found
    message = f"{name} is not installed (Debian: apt install prometheus chromium)"
    raise FileNotFoundError(message)


@contextlib.asynccontextmanager
async def watched(number: int, folder: Path) -> AsyncIterator[Watched]:
    """Run everything with so many accounts.

    The exporter and Prometheus know their past, and Prometheus judges them by its rules.
    """
    simulator, now, target = Simulator(), Instant.now(), f"127.0.0.1:{free_port()}"
    async with simulator.serving() as base_urls, contextlib.AsyncExitStack() as stack:
        made_up = accounts(number)
        living = [_opened(simulator, base_urls, account) for account in made_up]
        await asyncio.to_thread(lived, living, now, {"job": _JOB, "instance": target}, folder / "past.txt")
        await _remember(folder / "state.db", living)
        _write_config(folder / "exporter.yml", living)
        await _run(
            *(program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet"),
            *("--max-block-duration=1000h", str(folder / "past.txt"), str(folder / "data")),
        )
        (folder / "past.txt").unlink()
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=_PATIENCE))
        if living:
            await stack.enter_async_context(
                _process(
                    *(sys.executable, "-m", "sms_credit_exporter", "serve", "--log.level=error"),
                    *(f"--config.file={folder / 'exporter.yml'}", f"--storage.path={folder / 'state.db'}"),
                    f"--web.listen-address={target}",
                )
            )
        started = time.time()
        prometheus = Prometheus(f"http://127.0.0.1:{free_port()}", http)
        _write_prometheus(folder, target)
        await stack.enter_async_context(
            _process(
                *(program("prometheus"), "--log.level=error", f"--config.file={folder / 'prometheus.yml'}"),
                *(f"--storage.tsdb.path={folder / 'data'}", "--storage.tsdb.retention.time=90d"),
                f"--web.listen-address={prometheus.url.removeprefix('http://')}",
            )
        )
        await _until(lambda: _has_judged(prometheus, number, started))
        yield Watched(f"http://{target}/", prometheus)


def _opened(simulator: Simulator, base_urls: Mapping[str, str], made_up: MadeUp) -> Lived:
    """Open an account at the simulated provider, and configure it."""
    opened: SimulatedAccount = simulator.add(made_up.provider, made_up.behaviour)
    config = AccountConfig(
        name=made_up.name,
        provider=PROVIDERS[made_up.provider],
        credentials={name: Secret(value) for name, value in opened.credentials.items()},
        base_url=base_urls[made_up.provider],
        limits=made_up.limits,
    )
    return Lived(config, made_up.behaviour)


async def _remember(file: Path, living: Sequence[Lived]) -> None:
    """Write what the exporter would have remembered of the accounts."""
    storage = Storage(file)
    storage.begin({each.config.name: Known(each.account, each.trend) for each in living})
    await asyncio.gather(*(storage.remember(each.config, each.account) for each in living))
    await storage.close()


def _write_config(file: Path, living: Sequence[Lived]) -> None:
    """Write the exporter's configuration, as a user would."""
    listed = [
        {
            "name": each.config.name,
            "provider": each.config.provider.key,
            "credentials": {name: secret.reveal() for name, secret in each.config.credentials.items()},
            "base_url": each.config.base_url,
            **{key: write(value) for key, write in _LIMITS.items() if (value := getattr(each.config.limits, key))},
        }
        for each in living
    ]
    file.write_text(yaml.safe_dump({"accounts": listed}))


def _write_prometheus(folder: Path, target: str) -> None:
    """Write the shipped configuration and rules; what has held for days need not be waited for."""
    config = yaml.safe_load((FOLDER / "prometheus/prometheus.yml").read_text())
    config["global"] = {"scrape_interval": f"{_SCRAPE}s", "evaluation_interval": f"{_SCRAPE}s"}
    [job] = config["scrape_configs"]
    job |= {"scrape_interval": f"{_SCRAPE}s", "static_configs": [{"targets": [target]}]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump({**config, "alerting": {}}))
    rules = (FOLDER / "prometheus/rules.yml").read_text()
    (folder / "rules.yml").write_text(re.sub(r"^ +for: .*\n", "", rules, flags=re.MULTILINE))


async def _has_judged(prometheus: Prometheus, number: int, started: float) -> bool:
    """Whether every account has been scraped since the start, and all rules have been evaluated on that, twice."""
    series = "sms_credit_up" if number else "up"
    try:
        if (await prometheus.http.get(f"{prometheus.url}/-/ready")).is_error:
            return False
        counts = await prometheus.ask("query", query=f"count(timestamp({series}) > {started})")
        answer = await prometheus.http.get(f"{prometheus.url}/api/v1/rules")
    except httpx.TransportError:
        return False
    evaluated = [datetime.fromisoformat(group["lastEvaluation"]) for group in answer.json()["data"]["groups"]]
    scraped = bool(counts) and int(counts[0]["value"][1]) == max(number, 1)
    return scraped and min(evaluated).timestamp() > started + 3 * _SCRAPE


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not await condition():
            await asyncio.sleep(0.2)


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        message = f"{command[0]} failed"
        raise RuntimeError(message)


@contextlib.asynccontextmanager
async def _process(*command: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
