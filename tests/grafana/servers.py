"""Real servers on loopback: Prometheus, Alertmanager, and the webhook that on-call people would be behind."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from aiohttp import web

from sms_credit_exporter.simulator.loopback import serving
from tests.exporter.running import until

GENERATIONS = {
    "Debian 12": "",
    "Debian testing": "prometheus-3/usr/bin/",
}
"""Where the programs of each Debian release are, for the `tool` fixture."""


@asynccontextmanager
async def server(*command: str) -> AsyncIterator[str]:
    """Run a server of the Prometheus family until it is ready; gives its URL."""
    process = await asyncio.create_subprocess_exec(
        *command, "--web.listen-address=127.0.0.1:0", stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr
    log: list[bytes] = []

    async def keep() -> None:
        assert process.stderr
        while line := await process.stderr.readline():
            log.append(line)

    reading = asyncio.create_task(keep())

    def address() -> str | None:
        found = (re.search(rb"Listening on\W.*address=(127\.0\.0\.1:\d+)", line) for line in log)
        return next((match[1].decode() for match in found if match), None)

    async def ready() -> bool:
        assert process.returncode is None, b"".join(log).decode()
        if (listening := address()) is None:
            return False
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://{listening}/-/ready")).status_code == httpx.codes.OK

    try:
        await until(ready)
        yield f"http://{address()}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await reading


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    http: httpx.AsyncClient

    async def get(self, path: str, **parameters: str) -> httpx.Response:
        """Ask its API, and return whatever it answers."""
        return await self.http.get(f"{self.url}/api/v1/{path}", params=parameters)

    async def query(self, expr: str) -> list[dict[str, Any]]:
        """Return what an instant query gives."""
        answer = await self.get("query", query=expr)
        assert answer.status_code == httpx.codes.OK, (expr, answer.text)
        return list(answer.json()["data"]["result"])

    async def labels(self, expr: str, label: str) -> set[str]:
        """Return the values that a label has in an instant query's result."""
        return {sample["metric"].get(label, "") for sample in await self.query(expr)}


@asynccontextmanager
async def prometheus(  # noqa: PLR0913 - all that starting one takes
    binary: str,
    folder: Path,
    http: httpx.AsyncClient,
    *,
    targets: Sequence[str],
    rules: str,
    alertmanager: str | None = None,
) -> AsyncIterator[Prometheus]:
    """Run a Prometheus that scrapes the targets and evaluates the rules twice a second."""
    (folder / "rules.yml").write_text(rules)
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "sms-credit", "static_configs": [{"targets": [*targets]}]}],
    }
    if alertmanager:
        config["alerting"] = {
            "alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]
        }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    async with server(
        binary, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"
    ) as url:
        yield Prometheus(url, http)


@asynccontextmanager
async def alertmanager(binary: str, folder: Path, config: dict[str, object]) -> AsyncIterator[str]:
    """Run an Alertmanager; gives its URL."""
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    async with server(
        binary,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        "--cluster.listen-address=",
    ) as url:
        yield url


@dataclass
class Webhook:
    """Takes notifications, and keeps what a person would have read."""

    url: str = ""
    told: list[tuple[str, str, str]] = field(default_factory=list)
    """Of each notification: the receiver, `firing` or `resolved`, and the alerts with what they are about."""
    last: dict[str, Any] = field(default_factory=dict)
    """The last notification as it came."""
    _firing: set[tuple[str, str]] = field(default_factory=set)

    async def _take(self, request: web.Request) -> web.Response:
        self.last = await request.json()
        receiver = request.path.strip("/")
        firing, resolved = (
            {(receiver, _about(alert["labels"])) for alert in self.last["alerts"] if alert["status"] == status}
            for status in ("firing", "resolved")
        )
        # What was inhibited while it fired can end along with what inhibited it; nobody had heard of it.
        told = firing or resolved & self._firing
        self._firing = (self._firing | firing) - resolved
        self.told.append((receiver, self.last["status"], ", ".join(sorted(alert for _, alert in told))))
        return web.Response()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Webhook"]:
        """Serve on a free port."""
        app = web.Application()
        app.router.add_post("/{receiver}", self._take)
        async with serving(app) as self.url:
            yield self


def _about(labels: dict[str, str]) -> str:
    about = labels.get("account") or labels.get("provider") or labels["job"]
    return f"{labels['alertname'].removeprefix('SmsCredit')} {about}"
