"""Accounts with a past, as an exporter that has been running for days would show them."""

import time
from collections.abc import Iterable
from decimal import Decimal

from aiohttp import web
from prometheus_client import generate_latest

from sms_credit_core import PROVIDERS, Account, Instant, Limits, Quality, Reading, Secret
from sms_credit_exporter.accounts import AccountConfig, View
from sms_credit_exporter.metrics import AccountCollector, registry

INTERVAL = 300
"""Seconds between two readings."""


def view(name: str, balances: Iterable[int], limits: Limits | None = None) -> View:
    """Return an account that has had these balances, the last of them now."""
    amounts, limits = tuple(balances), limits or Limits()
    account, begun = Account(), time.time() - INTERVAL * (len(amounts) - 1)
    for number, amount in enumerate(amounts):
        reading = Reading(
            balance=Decimal(amount),
            currency="EUR",
            quota=None,
            credits=None,
            credit_blocked=False,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
        at = Instant(begun + INTERVAL * number, float(INTERVAL * number))
        account = account.after(reading, at, 0.25).judged(limits)
    config = AccountConfig(
        name=name,
        provider=PROVIDERS["23telecom"],
        credentials={"api_key": Secret("none")},
        base_url="https://example.com",
        limits=limits,
    )
    return View(config=config, provider=config.provider, limits=limits, account=account, now=at)


def exposition(*views: View) -> str:
    """Render the accounts as the exporter does."""
    return generate_latest(registry(AccountCollector(lambda: views))).decode()


def exporter(text: str) -> web.Application:
    """Return what answers every scrape with this text."""
    body = text.encode()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4"})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    return app
