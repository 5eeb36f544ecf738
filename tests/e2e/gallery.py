"""Accounts as the page can meet them, made through the core's own doors, for tests that look at the page."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

from sms_credit_core import PROVIDERS, Account, Cause, Instant, Limits, Problem, Quality, Reading, Secret, Value
from sms_credit_exporter.accounts import AccountConfig, View
from sms_credit_exporter.advice import Links
from sms_credit_exporter.listing import Listing, Listings, Query
from sms_credit_exporter.trend import Trend

NOW = Instant(unix=datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC).timestamp(), monotonic=1_000_000.0)
SECRET = "sk_prod_0123456789"
STALE_AFTER = 3600.0

TELECOM = PROVIDERS["23telecom"]
ILETI = PROVIDERS["iletimerkezi"]

IN_CREDITS = next(key for key, provider in PROVIDERS.items() if Value.CREDITS in provider.gives)
"""A provider that counts in credits."""


def reading(balance: str = "1250.50", **changes: object) -> Reading:
    """Return a reading of 23 Telecom."""
    usual = Reading(
        balance=Decimal(balance),
        currency="EUR",
        quota=None,
        credits=None,
        credit_blocked=False,
        provider_updated=datetime(2026, 3, 14, 9, 14, 0, tzinfo=UTC),
        quality=Quality.COMPLETE,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # tests pass what a reading has


def lira(balance: str = "412.75", quota: int = 5160) -> Reading:
    """Return a reading of iletiMerkezi."""
    return reading(balance, currency="TRY", quota=quota, provider_updated=None)


def credits_(amount: str = "7.5") -> Reading:
    """Return a reading of an account in credits."""
    return replace(reading(), balance=None, currency=None, credits=Decimal(amount))


def problem(cause: Cause, code: str | None = None, detail: str | None = None) -> Problem:
    """Return a problem as a provider's file would raise it."""
    return Problem(cause=cause, code=code, detail=detail)


def ago(seconds: float) -> Instant:
    """Return the moment so many seconds before NOW."""
    return Instant(NOW.unix - seconds, NOW.monotonic - seconds)


def view(
    name: str = "marketing",
    *polls: tuple[float, Reading | Problem],
    provider: str = "23telecom",
    limits: Limits | None = None,
    poll_interval: float = 300.0,
    stale_after: float = STALE_AFTER,
) -> View:
    """Return an account after polls that ended so many seconds ago, each with what came of it."""
    config = AccountConfig(
        name=name,
        provider=PROVIDERS[provider],
        credentials={field.name: Secret(f"{SECRET}-{field.name}") for field in PROVIDERS[provider].credentials},
        base_url=PROVIDERS[provider].base_url,
        poll_interval=poll_interval,
        limits=limits or Limits(),
    )
    account, trend = Account(), Trend()
    for seconds, outcome in polls:
        account = account.after(outcome, ago(seconds), 0.2)
        trend = trend.after(account.ledger)
    _TRENDS[id(account)] = (account, trend)
    return View.of(config, account, NOW, stale_after)


_TRENDS: dict[int, tuple[Account, Trend]] = {}
"""The last week of each account that was made here."""


def trend_of(view: View) -> Trend:
    """Return an account's last week; an empty one if it was not made here."""
    _, trend = _TRENDS.get(id(view.account), (None, Trend()))
    return trend


def listing(views: Iterable[View], asked: str = "", *, links: Links | None = None) -> Listing:
    """Return the answer to a question about some accounts, as it stands behind the question mark of an address."""
    views = tuple(views)
    trends = {view.config.name: trend_of(view) for view in views}
    listings = Listings(trends.__getitem__, links)
    return listings.listing(Query.parse(parse_qsl(asked)), views)


def _hourly(*outcomes: Reading | Problem) -> Iterable[tuple[float, Reading | Problem]]:
    """Return polls an hour apart, the last a minute ago."""
    return ((60 + 3600 * ago, outcome) for ago, outcome in reversed(list(enumerate(reversed(outcomes)))))


def gallery() -> Iterable[View]:
    """Return one account for everything that the page can say."""
    fifty = Limits(low_balance=Decimal(50))
    yield view("marketing", (42, reading("1250.50")), limits=fifty)
    yield view("otp", (17, lira()), provider="iletimerkezi", limits=Limits(low_quota=500))
    yield view("alarms", (64, reading("-3.5", credit_blocked=True)), limits=fifty)
    yield view("newsletter", (64, reading("31.0800000000000001")), limits=fifty)
    yield view(
        "on-call",
        (12, lira("0", 480)),
        provider="iletimerkezi",
        limits=Limits(low_quota=500, low_balance=Decimal(0)),
        poll_interval=600,
    )
    yield view("credits", (12, lira("0", 12_500)), provider="iletimerkezi")
    yield view("bulk", *_hourly(*(credits_(f"{400 - number * 1.5}") for number in range(24))), provider=IN_CREDITS)
    yield view("priced", (31, reading("10.584000000000001")), limits=Limits(message_price=Decimal("0.021")))
    usual = [reading(str(5000 - number)) for number in range(24 * 14)]
    yield view("drained", *_hourly(*usual, reading("4000")), limits=fifty)
    yield view("lasting", *_hourly(*usual))
    yield view("two-days", *_hourly(*(lira("0", 800 - 20 * number) for number in range(24))), provider="iletimerkezi")
    yield view("empty", *_hourly(*[reading("0")] * 24))
    yield view("partial", (31, reading("88.20", quality=Quality.PARTIAL, provider_updated=None)))
    yield view("new-customer", (90, problem(Cause.ONBOARDING)))
    yield view(
        "degraded",
        (391, reading("640")),
        (91, problem(Cause.CACHE_MISS_REFRESH_FAILED, "cache_miss_refresh_failed")),
    )
    yield view("fresh-install")
    yield view("old-key", (5000, reading("77")), (30, problem(Cause.API_KEY_EXPIRED, "API_KEY_EXPIRED")))
    yield view("istanbul", (30, problem(Cause.CREDENTIALS_OR_ACCESS, "401")), provider="iletimerkezi")
    yield view("warehouse", (30, problem(Cause.IP_NOT_ALLOWED, "IP_NOT_ALLOWED")))
    yield view(
        "busy", (1000, lira()), (200, replace(problem(Cause.RATE_LIMITED), retry_after=900.0)), provider="iletimerkezi"
    )
    yield view(
        "behind-firewall",
        (2300, reading("12")),
        *((seconds, problem(Cause.TIMEOUT)) for seconds in (2000, 1700, 1100)),
        limits=fifty,
    )
    yield view("their-fault", (700, reading("312.40")), (100, problem(Cause.PROVIDER_ERROR, "DB_ERROR")))
    yield view("garbled", (60, problem(Cause.FIELD_UNREADABLE, detail="response.balance.amount")))
    yield view("slept", (9000, reading("312.40")))
    yield view("rich", (42, reading("1234567890123456.789012345678")))
    yield view("x" * 64, (42, lira("1234567.5", 1_234_567_890)), provider="iletimerkezi")
    yield view("<script>alert(1)</script> & \"quotes'", (42, reading("0.5")))
    yield view("חשבון שיווק 📣 (ישראל)", (42, reading("99.995")))
    yield view("ahead", (42, reading("20", provider_updated=datetime(2026, 3, 14, 12, 0, tzinfo=UTC))))
    yield view("long-ago", (42, reading("20", provider_updated=datetime(2026, 3, 14, tzinfo=UTC) - timedelta(days=9))))
