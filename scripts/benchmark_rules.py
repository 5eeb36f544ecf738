"""Measure the evaluation of the alert rules for very many accounts; see scripts/benchmark-rules."""

import argparse
import asyncio
import json
import re
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import httpx
import yaml

from grafana.generate.__main__ import FOLDER
from sms_credit_core import Limits
from sms_credit_exporter.simulator.loopback import serving
from tests.conftest import program
from tests.grafana.servers import Prometheus, server
from tests.grafana.views import exporter, exposition, view

READINGS = 1000
"""Readings that each account looks back on, some three days: enough for everything to be known of it."""

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
        target = await stack.enter_async_context(serving(exporter("\n".join(_exposition(options.accounts)) + "\n")))
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


def _exposition(accounts: int) -> Iterator[str]:
    """Render two accounts as the exporter does, and repeat their samples under other names."""
    limits = Limits(low_balance=Decimal(1000), low_quota=1000, low_runway=7 * 86400.0, message_price=Decimal("0.1"))
    lefts = {"steady": 100_000, "low": 900}
    views = (view(name, range(left + READINGS, left - 1, -1), limits) for name, left in lefts.items())
    numbers = {
        "steady": [number for number in range(accounts) if number % LOW_ONE_IN],
        "low": range(0, accounts, LOW_ONE_IN),
    }
    for line in exposition(*views).splitlines():
        found = re.search(r'account="(\w+)"', line)
        if found is None:
            yield line
            continue
        for number in numbers[found[1]]:
            yield line.replace(found[0], f'account="account-{number}"')


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
    """Wait for that many evaluations of each group, and return the figures."""
    times: defaultdict[str, dict[str, float]] = defaultdict(dict)
    before = await _cpu(prometheus)
    while min(map(len, times.values()), default=0) < options.evaluations:
        await asyncio.sleep(0.5)
        groups = (await prometheus.get("rules")).json()["data"]["groups"]
        for group in groups:
            times[group["name"]][group["lastEvaluation"]] = group["evaluationTime"]
    spent, evaluations = await _cpu(prometheus) - before, min(map(len, times.values()))
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = await prometheus.query('count by (account) ({__name__=~".+:.+"})')
    series = [int(sample["value"][1]) for sample in recorded]
    return {
        "rules": len(rules),
        "… that fail": sum(rule["health"] != "ok" for rule in rules),
        "recorded series for an account: on average": sum(series) / options.accounts,
        "… at most": max(series),
        "evaluations": evaluations,
        "seconds for one of them: median": sum(statistics.median(each.values()) for each in times.values()),
        "… longest": sum(max(each.values()) for each in times.values()),
        "… of CPU, all that Prometheus does meanwhile": spent / evaluations,
    }


async def _cpu(prometheus: Prometheus) -> float:
    """Return the seconds of CPU that Prometheus has taken so far; these are the same on a busy machine."""
    text = (await prometheus.http.get(f"{prometheus.url}/metrics")).text
    return float(re.findall(r"^process_cpu_seconds_total (\S+)$", text, re.MULTILINE)[0])


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
