"""The exporter's demo with a Prometheus and an Alertmanager: what takes hours passes in a minute, notifications too.

`scripts/demo --with-prometheus` runs this. Notifications, which would reach people by other ways, are printed.
"""

import argparse
import asyncio
import contextlib
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from sms_credit_exporter.simulator.loopback import serving

from .generate.alerts import GROUPS
from .generate.rules import as_rule_file
from .generate.settings import MINUTE, Settings

PACE = 150
"""The demo polls every two seconds, which at this pace is every five minutes."""

FOLDER = Path(__file__).parent
_UNPACKED = FOLDER.parent / ".tools/prometheus-3/usr/bin"

_PROMETHEUS = ("prometheus",)
_ALERTMANAGER = ("prometheus-alertmanager", "alertmanager")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal ends it; arguments that are not known here go to `sms-credit-exporter demo`."""
    parser = argparse.ArgumentParser(prog="scripts/demo --with-prometheus", description=__doc__, allow_abbrev=False)
    parser.add_argument("--prometheus", default="127.0.0.1:9090", metavar="ADDR", help="default %(default)s")
    parser.add_argument("--alertmanager", default="127.0.0.1:9093", metavar="ADDR", help="default %(default)s")
    options, others = parser.parse_known_args(arguments)
    missing = [names[0] for names in (_PROMETHEUS, _ALERTMANAGER) if _program(names) is None]
    if missing:
        print(f"Not installed: {', '.join(missing)} (Debian: apt install {' '.join(missing)}).", file=sys.stderr)
        return 1
    return asyncio.run(_run(options, others))


def _program(names: Sequence[str]) -> str | None:
    """Find a program by any of its names."""
    return next((found for name in names if (found := shutil.which(name) or shutil.which(_UNPACKED / name))), None)


async def _run(options: argparse.Namespace, others: Sequence[str]) -> int:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sms-credit-demo-")))
        demo = (sys.executable, "-m", "sms_credit_exporter", "demo", "--log.level=warn", *others)
        exporter = await stack.enter_async_context(_process(*demo, stdout=asyncio.subprocess.PIPE))
        webhook = await stack.enter_async_context(_notifications())
        if (url := await _said_to_listen(exporter)) is None:
            return 1
        _write(folder, options, url, webhook)
        servers = [
            await stack.enter_async_context(_process(*command))
            for command in (
                (
                    *(str(_program(_PROMETHEUS)), "--log.level=error", f"--config.file={folder / 'prometheus.yml'}"),
                    *(f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={options.prometheus}"),
                ),
                (
                    *(str(_program(_ALERTMANAGER)), "--log.level=error", "--cluster.listen-address="),
                    f"--config.file={folder / 'alertmanager.yml'}",
                    *(f"--storage.path={folder / 'alerts'}", f"--web.listen-address={options.alertmanager}"),
                ),
            )
        ]
        _greet(options, url)
        ends = (ended.wait(), exporter.wait(), *(server.wait() for server in servers))
        await asyncio.wait([asyncio.create_task(end) for end in ends], return_when=asyncio.FIRST_COMPLETED)
    return 0 if ended.is_set() else 1


async def _said_to_listen(exporter: asyncio.subprocess.Process) -> str | None:
    """Return the first address that the exporter says it listens on; None if it ends without a word."""
    line = await exporter.stdout.readline() if exporter.stdout else b""
    said = re.search(r"http://\S+", line.decode())
    return said[0] if said else None


def _write(folder: Path, options: argparse.Namespace, exporter: str, webhook: str) -> None:
    """Write the shipped configurations, at the pace of the demo."""
    rules = as_rule_file(GROUPS, Settings(pace=PACE))
    (folder / "rules.yml").write_text(rules)
    prometheus = yaml.safe_load((FOLDER / "prometheus/prometheus.yml").read_text())
    prometheus["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    [job], [alertmanager] = prometheus["scrape_configs"], prometheus["alerting"]["alertmanagers"]
    job |= {"scrape_interval": "1s", "static_configs": [{"targets": [exporter.removeprefix("http://")]}]}
    alertmanager["static_configs"] = [{"targets": [options.alertmanager]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(prometheus))
    alerts = shipped_alertmanager(webhook, group_wait="1s", group_interval=f"{5 * MINUTE // PACE}s")
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(alerts))


def shipped_alertmanager(webhook: str, **waits: str) -> dict[str, Any]:
    """Return the shipped configuration with other waits on every route, and with its notifications led here."""
    text = (FOLDER / "prometheus/alertmanager.yml").read_text()
    config: dict[str, Any] = yaml.safe_load(text.replace("http://localhost:9094", webhook))
    for route in (config["route"], *config["route"]["routes"]):
        route.update(waits)
    return config


@contextlib.asynccontextmanager
async def _process(*command: str, stdout: int | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program as long as the demo lasts."""
    process = await asyncio.create_subprocess_exec(*command, start_new_session=True, stdout=stdout)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def _notifications() -> AsyncIterator[str]:
    """Print what Alertmanager sends; gives the URL to send it to."""
    firing: set[tuple[str, str]] = set()

    async def take(request: web.Request) -> web.Response:
        receiver = request.path.strip("/")
        for alert in (await request.json())["alerts"]:
            _print_news(receiver, alert, firing)
        return web.Response()

    app = web.Application()
    app.router.add_post("/{receiver}", take)
    async with serving(app) as url:
        yield url


def _print_news(receiver: str, alert: Mapping[str, Any], firing: set[tuple[str, str]]) -> None:
    """Print an alert that has begun or ended; a notification repeats those of its group that go on."""
    alert_of_receiver = receiver, alert["fingerprint"]
    begins = alert["status"] == "firing"
    if begins == (alert_of_receiver in firing):
        return
    firing ^= {alert_of_receiver}
    name, text = alert["labels"]["alertname"], alert["annotations"]["description"]
    print(f"{time.strftime('%H:%M:%S')}  {receiver:8} {alert['status']:9} {name}: {text}", flush=True)


def _greet(options: argparse.Namespace, exporter: str) -> None:
    print(
        f"Exporter      {exporter}\n"
        f"Prometheus    http://{options.prometheus}/alerts\n"
        f"Alertmanager  http://{options.alertmanager}\n"
        f"Time passes {PACE} times as fast as in life. Notifications:\n",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
