"""What the alert rules cost a real Prometheus: all accounts have every limit, and one in a hundred is low."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from decimal import Decimal

from sms_credit_core import Limits
from sms_credit_exporter.simulator.loopback import serving
from tests.benchmarks.bench import MANY, Bench
from tests.benchmarks.figures import Row
from tests.benchmarks.prometheus import Evaluating, binaries, evaluating
from tests.grafana.views import exporter, exposition, view

ACCOUNTS = (MANY,)

READINGS = 1000
"""Readings that each account looks back on, some three days: enough for everything to be known of it."""

LOW_ONE_IN = 100

SCRAPED_FIRST, SCRAPED_NEXT = 5, 240
"""Seconds until the first scrape, and to the next. Scraping keeps Prometheus busy too, but is not what is measured."""


async def measure(bench: Bench) -> Iterable[Row]:
    """Have each Prometheus evaluate the rules often enough."""
    text = "\n".join(_exposition(bench.accounts)) + "\n"
    rows: list[Row] = []
    async with serving(exporter(text)) as target:
        for name, binary in binaries(bench.options.prometheus).items():
            async with evaluating(binary, [target], bench.options.rules, scraped_every=SCRAPED_FIRST) as prometheus:
                await prometheus.shows(f'sms_credit_up{{account="account-{bench.accounts - 1}"}}')
                await prometheus.scrape_every(SCRAPED_NEXT)
                rows += [row async for row in _rows(bench, name, prometheus)]
    return rows


async def _rows(bench: Bench, name: str, prometheus: Evaluating) -> AsyncIterator[Row]:
    found = await prometheus.evaluations(bench.options.evaluations)
    recorded = await prometheus.query('count by (account) ({__name__=~".+:.+"})')
    series = [int(sample["value"][1]) for sample in recorded]
    figures = {
        "rules": (found.rules, ""),
        "rules that fail": (found.failing, ""),
        "recorded series for an account: on average": (sum(series) / bench.accounts, ""),
        "recorded series for an account: at most": (max(series), ""),
        "evaluations": (found.count, ""),
        "one evaluation: median": (found.median, "s"),
        "one evaluation: longest": (found.longest, "s"),
        "one evaluation: CPU, all that Prometheus does meanwhile": (found.cpu, "s"),
    }
    for what, (value, unit) in figures.items():
        yield Row(name=f"{name}, {what}", value=value, unit=unit)


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
