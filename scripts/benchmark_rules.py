"""Measure the evaluation of the alert rules for very many accounts; see scripts/benchmark-rules."""

import argparse
import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import httpx
import yaml
from aiohttp import web
from prometheus_client import generate_latest

from grafana.generate.__main__ import FOLDER
from sms_credit_core import PROVIDERS, Account, Instant, Limits, Quality, Reading, Secret
from sms_credit_exporter.accounts import AccountConfig, View
from sms_credit_exporter.metrics import AccountCollector, registry
from sms_credit_exporter.simulator.loopback import serving
from tests.conftest import program
from tests.grafana.servers import Prometheus, server

DAYS = 3
"""Days of readings that each account looks back on: enough for everything to be known of it."""

LOW_ONE_IN = 100

EVALUATED_EVERY = 5
"""Seconds; long enough for one evaluation to end before the next begins."""

SCRAPED_FIRST, SCRAPED_NEXT = 5, 240
"""Seconds until the first scrape, and to the next. Scraping keeps Prometheus busy too, but is not what is measured."""


async def main(options: argparse.Namespace) -> int:
    """Run Prometheus until the rules have been evaluated often enough, and print what it says of that."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60))
        target = await stack.enter_async_context(serving(_exporter(options.accounts)))
        config = folder / "prometheus.yml"
        config.write_text(_config(target, options.rules, SCRAPED_FIRST))
        url = await stack.enter_async_context(
            server(
                options.prometheus,
                *(f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", "--web.enable-lifecycle"),
            )
        )
        prometheus = Prometheus(url, http)
        while not await prometheus.query(f'sms_credit_up{{account="account-{options.accounts - 1}"}}'):
            await asyncio.sleep(0.5)
        config.write_text(_config(target, options.rules, SCRAPED_NEXT))
        (await http.post(f"{url}/-/reload")).raise_for_status()
        rows = await _measured(prometheus, options)
    if options.json:
        print(json.dumps(rows))
        return 0
    print(f"{options.accounts:,} accounts, {options.rules}")
    for name, value in rows.items():
        print(f"{name:45} {value:10,.3f}".removesuffix(".000"))
    return 0


def _exporter(accounts: int) -> web.Application:
    """Return what answers as an exporter of so many accounts would."""
    text = "\n".join(_exposition(accounts)).encode() + b"\n"
    app = web.Application()
    app.router.add_get("/metrics", lambda _: _answer(text))
    return app


async def _answer(text: bytes) -> web.Response:
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4"})


def _exposition(accounts: int) -> Iterator[str]:
    """Render two accounts as the exporter does, and repeat their samples under other names."""
    views = (_view("steady", Decimal(100_000)), _view("low", Decimal(900)))
    numbers = {
        "steady": [number for number in range(accounts) if number % LOW_ONE_IN],
        "low": range(0, accounts, LOW_ONE_IN),
    }
    for line in generate_latest(registry(AccountCollector(lambda: views))).decode().splitlines():
        found = re.search(r'account="(\w+)"', line)
        if found is None:
            yield line
            continue
        for number in numbers[found[1]]:
            yield line.replace(found[0], f'account="account-{number}"')


def _view(name: str, left: Decimal) -> View:
    """Return an account that has spent one in each five minutes, and has so much left now."""
    now, interval = time.time(), 300
    readings = DAYS * 86400 // interval
    limits = Limits(low_balance=Decimal(1000), low_quota=1000, low_runway=7 * 86400.0, message_price=Decimal("0.1"))
    account, at = Account(), Instant(now, 0.0)
    for ago in range(readings, -1, -1):
        reading = Reading(
            balance=left + ago,
            currency="EUR",
            quota=None,
            credit_blocked=False,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
        at = Instant(now - ago * interval, float((readings - ago) * interval))
        account = account.after(reading, at, 0.25).judged(limits)
    config = AccountConfig(
        name=name,
        provider=PROVIDERS["23telecom"],
        credentials={"api_key": Secret("none")},
        base_url="https://example.com",
        limits=limits,
    )
    return View(config=config, provider=config.provider, limits=limits, account=account, now=at)


def _config(target: str, rules: Path, scraped_every: int) -> str:
    """Return the configuration of a Prometheus that evaluates the rules each second, or as often as it can."""
    return yaml.safe_dump(
        {
            "global": {"evaluation_interval": f"{EVALUATED_EVERY}s"},
            "rule_files": [str(rules.resolve())],
            "scrape_configs": [
                {
                    "job_name": "sms-credit",
                    "scrape_interval": f"{scraped_every}s",
                    "scrape_timeout": f"{scraped_every}s",
                    "static_configs": [{"targets": [target.removeprefix("http://")]}],
                }
            ],
        }
    )


async def _measured(prometheus: Prometheus, options: argparse.Namespace) -> dict[str, float]:
    """Wait for that many evaluations, and return the figures."""
    rounds: dict[str, float] = {}
    while len(rounds) < options.evaluations:
        await asyncio.sleep(0.5)
        groups = (await prometheus.get("rules")).json()["data"]["groups"]
        rounds[max(group["lastEvaluation"] for group in groups)] = sum(group["evaluationTime"] for group in groups)
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = await prometheus.query('count by (account) ({__name__=~".+:.+"})')
    series = [int(sample["value"][1]) for sample in recorded]
    settled = list(rounds.values())[len(rounds) // 2 :]
    return {
        "rules": len(rules),
        "… that fail": sum(rule["health"] != "ok" for rule in rules),
        "recorded series for an account: on average": sum(series) / options.accounts,
        "… at most": max(series),
        "evaluations": len(rounds),
        "seconds for one of them: median": statistics.median(settled),
        "… longest": max(settled),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/benchmark-rules", description=__doc__, allow_abbrev=False)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--evaluations", type=int, default=60, help="as many as the rules look back on")
    parser.add_argument("--rules", type=Path, default=FOLDER / "prometheus/rules.yml")
    parser.add_argument("--prometheus", default=program("prometheus"))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(_arguments())))
