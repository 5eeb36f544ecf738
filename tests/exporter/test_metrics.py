"""What a scraper reads, as whole texts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from sms_credit_core import (
    FAILURES,
    PROVIDERS,
    Account,
    Cause,
    Instant,
    Limits,
    Problem,
    Quality,
    Reading,
    Secret,
    Status,
)
from sms_credit_exporter.accounts import AccountConfig, View
from sms_credit_exporter.metrics import AccountCollector, ExporterCollector, registry

EXPECTED = Path(__file__).parent / "expected"
START = Instant(unix=1_795_300_000.0, monotonic=500.0)

READING = Reading(
    balance=Decimal("1250.50"),
    currency="EUR",
    quota=None,
    credits=None,
    credit_blocked=False,
    provider_updated=datetime(2026, 2, 13, 10, 15, tzinfo=UTC),
    quality=Quality.COMPLETE,
)
MONEY_AND_MESSAGES = Reading(
    balance=Decimal("10.584"),
    currency="TRY",
    quota=67,
    credits=None,
    credit_blocked=False,
    provider_updated=None,
    quality=Quality.COMPLETE,
)
BLOCKED = Reading(
    balance=Decimal("-0.42"),
    currency="EUR",
    quota=None,
    credits=None,
    credit_blocked=True,
    provider_updated=None,
    quality=Quality.PARTIAL,
)


def later(seconds: float) -> Instant:
    """Return a moment after the start on both clocks."""
    return Instant(START.unix + seconds, START.monotonic + seconds)


def config(name: str = "marketing", provider: str = "23telecom", **limits: object) -> AccountConfig:
    """Configure an account."""
    return AccountConfig(
        name=name,
        provider=PROVIDERS[provider],
        credentials={"api_key": Secret("sk_prod_hidden")},
        base_url="https://example.com",
        limits=Limits(**limits),  # type: ignore[arg-type]  # tests pass what Limits takes
    )


def polled(*outcomes: Reading | Problem) -> Account:
    """Return an account polled every five minutes from the start, each poll a quarter of a second long."""
    account = Account()
    for number, outcome in enumerate(outcomes):
        account = account.after(outcome, later(300.0 * number), 0.25)
    return account


def text(*views: View) -> str:
    """Return the accounts' metrics as Prometheus' oldest scrapers read them."""
    own = CollectorRegistry()
    own.register(AccountCollector(lambda: views))
    return generate_latest(own).decode()


def samples(*views: View) -> list[str]:
    """Return the sample lines."""
    return [line for line in text(*views).splitlines() if not line.startswith("#")]


def names(lines: list[str]) -> set[str]:
    """Return the names of the metrics that have samples."""
    return {re.split(r"[{ ]", line, maxsplit=1)[0] for line in lines}


ALWAYS = {
    "sms_credit_up",
    "sms_credit_status",
    "sms_credit_last_reading_timestamp_seconds",
    "sms_credit_last_poll_timestamp_seconds",
    "sms_credit_poll_interval_seconds",
    "sms_credit_polls_total",
    "sms_credit_poll_failures_total",
}
POLLED = ALWAYS | {"sms_credit_poll_duration_seconds"}
READ = POLLED | {"sms_credit_spent_total", "sms_credit_topped_up_total"}


RENDER: Mapping[str, Callable[[CollectorRegistry], bytes]] = {
    "text.txt": generate_latest,
    "openmetrics.txt": generate_openmetrics,
}
"""What writes each of the expected files."""


@pytest.mark.parametrize("name", RENDER)
def test_the_whole_exposition(name: str) -> None:
    """What three accounts look like, one of them never polled, one failing with held values, one with everything."""
    views = (
        View.of(config("new"), Account(), later(400), 3600),
        View.of(
            config("otp", "iletimerkezi", low_quota=500),
            polled(MONEY_AND_MESSAGES, Problem(cause=Cause.TIMEOUT)),
            later(400),
            3600,
        ),
        View.of(
            config("marketing", low_balance=Decimal(50), message_price=Decimal("0.021")),
            polled(READING),
            later(400),
            3600,
        ),
    )
    own = CollectorRegistry()
    own.register(AccountCollector(lambda: views))

    assert RENDER[name](own).decode() == (EXPECTED / name).read_text()


@pytest.mark.parametrize("cause", Cause)
def test_a_problem_never_shows_a_number_that_was_never_read(cause: Cause) -> None:
    """Whatever goes wrong on the first poll, there is no balance, no quota and no block; then it recovers."""
    failed = polled(Problem(cause=cause))
    lines = samples(View.of(config(), failed, later(0), 3600))

    assert names(lines) == POLLED
    assert f'sms_credit_status{{account="marketing",provider="23telecom",status="{cause.status}"}} 1.0' in lines
    assert f'sms_credit_up{{account="marketing",provider="23telecom"}} {float(cause.status.up)}' in lines

    healed = samples(View.of(config(), failed.after(READING, later(300), 0.1), later(300), 3600))
    assert 'sms_credit_balance{account="marketing",currency="EUR",provider="23telecom"} 1250.5' in healed


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.status.holds])
def test_values_are_held_until_they_are_stale(cause: Cause) -> None:
    """The last good values stay for stale_after seconds, then the series end; the health series stay."""
    account = polled(READING, Problem(cause=cause))
    held = names(samples(View.of(config(), account, later(3600), 3600)))
    stale = names(samples(View.of(config(), account, later(3600.5), 3600)))

    assert held - stale == {
        "sms_credit_balance",
        "sms_credit_blocked",
        "sms_credit_provider_updated_timestamp_seconds",
    }
    assert stale == READ


def test_onboarding_drops_what_was_known() -> None:
    """An account that is set up anew is no longer the account whose balance was read."""
    account = polled(READING, Problem(cause=Cause.ONBOARDING))

    assert names(samples(View.of(config(), account, later(300), 3600))) == READ


@pytest.mark.parametrize("status", Status)
def test_exactly_one_status_is_1(status: Status) -> None:
    """The status is one of the closed set, and every word of the set has a series from the start."""
    lines = [line for line in samples(View.of(config(), Account(status=status), START, 3600)) if "_status{" in line]

    assert sorted(line.rsplit(" ", 1)[1] for line in lines) == ["0.0"] * (len(Status) - 1) + ["1.0"]
    assert f'sms_credit_status{{account="marketing",provider="23telecom",status="{status}"}} 1.0' in lines


def test_zero_and_below_are_values() -> None:
    """A blocked account shows its balance, however low."""
    lines = samples(View.of(config(), polled(BLOCKED), START, 3600))

    assert 'sms_credit_balance{account="marketing",currency="EUR",provider="23telecom"} -0.42' in lines
    assert 'sms_credit_blocked{account="marketing",provider="23telecom"} 1.0' in lines


def test_every_reason_of_failure_counts_from_zero() -> None:
    """The first failure of a kind is an increase, not the birth of a series."""
    lines = [line for line in samples(View.of(config(), Account(), START, 3600)) if "failures_total" in line]

    assert lines == [
        f'sms_credit_poll_failures_total{{account="marketing",provider="23telecom",reason="{reason}"}} 0.0'
        for reason in FAILURES
    ]


def drained(apart: float, *balances: str) -> Account:
    """Return an account that was read so many seconds apart."""
    account = Account()
    for number, balance in enumerate(balances):
        account = account.after(replace(READING, balance=Decimal(balance)), later(number * apart), 0.25)
    return account


LABELS = 'account="marketing",provider="23telecom"'
MONEY = 'account="marketing",currency="EUR",provider="23telecom"'


def test_what_was_spent_and_topped_up_counts() -> None:
    """In the account's currency; both are counters, so neither ever falls."""
    lines = samples(View.of(config(), drained(300, "10", "9.5", "59.5", "58"), later(900), 3600))

    assert f"sms_credit_spent_total{{{MONEY}}} 2.0" in lines
    assert f"sms_credit_topped_up_total{{{MONEY}}} 50.0" in lines


def test_messages_count_where_they_are_what_an_account_pays_with() -> None:
    """An account without money has no series in a currency."""
    packages = replace(MONEY_AND_MESSAGES, balance=Decimal(0))
    account = polled(packages, replace(packages, quota=60), replace(packages, quota=560))
    lines = samples(View.of(config(), account, later(600), 3600))

    assert f"sms_credit_messages_spent_total{{{LABELS}}} 7.0" in lines
    assert f"sms_credit_messages_topped_up_total{{{LABELS}}} 500.0" in lines
    assert not names(lines) & {"sms_credit_spent_total", "sms_credit_topped_up_total"}


def test_credits_count_where_they_are_what_an_account_has() -> None:
    """They are neither money nor messages; a price in credits tells how many messages they are."""
    credited = replace(READING, balance=None, currency=None, credits=Decimal(40))
    account = polled(credited, replace(credited, credits=Decimal("38.5")), replace(credited, credits=Decimal("138.5")))
    lines = samples(View.of(config(message_price=Decimal("0.5")), account, later(600), 3600))

    assert f"sms_credit_credits{{{LABELS}}} 138.5" in lines
    assert f"sms_credit_quota_messages{{{LABELS}}} 277.0" in lines
    assert f"sms_credit_credits_spent_total{{{LABELS}}} 1.5" in lines
    assert f"sms_credit_credits_topped_up_total{{{LABELS}}} 100.0" in lines
    assert not names(lines) & {"sms_credit_balance", "sms_credit_spent_total", "sms_credit_messages_spent_total"}


def test_the_runway_is_there_while_it_is_known() -> None:
    """Not in the first hours, not of a reading that is too old; and at zero it is zero."""
    name = "sms_credit_runway_seconds"
    hours = [str(1000 - hour) for hour in range(12)]
    account = drained(3600, *hours)
    assert name in names(samples(View.of(config(), account, later(12 * 3600), 3600)))
    assert name not in names(samples(View.of(config(), account, later(12 * 3600 + 1), 3600)))
    assert name not in names(samples(View.of(config(), drained(3600, *hours[:2]), later(3600), 3600)))
    empty = samples(View.of(config(), drained(3600, "0"), START, 3600))
    assert f"{name}{{{LABELS}}} 0.0" in empty


def test_unusual_spending_is_unknown_for_two_days_and_then_told() -> None:
    """False in an account that goes on as ever; true within the hour in which it is drained."""
    name = "sms_credit_spending_unusual"
    usual = [str(5000 - hour) for hour in range(24 * 14)]
    young = samples(View.of(config(), drained(3600, *usual[:24]), later(23 * 3600), 3600))
    quiet = samples(View.of(config(), drained(3600, *usual), later((24 * 14 - 1) * 3600), 3600))
    rush = samples(View.of(config(), drained(3600, *usual, "4500"), later(24 * 14 * 3600), 3600))
    assert name not in names(young)
    assert f"{name}{{{LABELS}}} 0.0" in quiet
    assert f"{name}{{{LABELS}}} 1.0" in rush


def test_low_is_told_for_each_limit_and_stays_while_nothing_is_known() -> None:
    """Through an outage and beyond the age at which the value itself is shown; a top-up ends it."""
    low = config(low_balance=Decimal(20), low_runway=86400.0)
    account = drained(3600, *(str(30 - hour) for hour in range(12)))
    line = 'sms_credit_low{account="marketing",provider="23telecom",reason="%s"} %s'
    failed = account.judged(low.limits).after(Problem(cause=Cause.TIMEOUT), later(12 * 3600), 0.2)
    for at in (12 * 3600, 48 * 3600):
        lines = samples(View.of(low, failed, later(at), 3600))
        assert {line % ("balance", "1.0"), line % ("runway", "1.0")} <= {*lines}
    topped_up = failed.after(replace(READING, balance=Decimal(5000)), later(13 * 3600), 0.2)
    lines = samples(View.of(low, topped_up, later(13 * 3600), 3600))
    assert {line % ("balance", "0.0"), line % ("runway", "0.0")} <= {*lines}
    assert f"sms_credit_low_runway_threshold_seconds{{{LABELS}}} 86400.0" in lines


def test_low_by_the_quota_has_a_reason_of_its_own() -> None:
    """One limit says nothing of the other."""
    limited = config(low_balance=Decimal(5), low_quota=100)
    lines = samples(View.of(limited, polled(replace(MONEY_AND_MESSAGES, balance=Decimal(50), quota=99)), START, 3600))
    line = 'sms_credit_low{account="marketing",provider="23telecom",reason="%s"} %s'
    assert {line % ("balance", "0.0"), line % ("quota", "1.0")} == {
        each for each in lines if each.startswith("sms_credit_low{")
    }


def test_an_account_name_is_escaped() -> None:
    """A name is the user's own words and must not break the format."""
    view = View.of(config('a "b" \\ ü'), Account(), START, 3600)

    assert 'sms_credit_up{account="a \\"b\\" \\\\ ü",provider="23telecom"} 0.0' in samples(view)


def test_describing_the_metrics_asks_for_no_accounts() -> None:
    """Registration and `name[]` filters look at names only."""

    def asked() -> tuple[View, ...]:
        raise AssertionError

    described = {metric.name for metric in AccountCollector(asked).describe()}

    assert {f"{name.removesuffix('_total')}" for name in POLLED} <= described


def test_the_exporter_tells_of_itself() -> None:
    """Build, reload, process and Python are there, without a label of any account."""
    own = ExporterCollector("1.2.3")
    own.reload_success_unix = 1_795_300_000.0
    lines = generate_latest(registry(own)).decode().splitlines()

    assert "sms_credit_exporter_config_last_reload_successful 1.0" in lines
    assert "sms_credit_exporter_config_last_reload_success_timestamp_seconds 1.7953e+09" in lines
    assert any(
        re.fullmatch(r'sms_credit_exporter_build_info\{python="[0-9.]+",version="1.2.3"\} 1.0', line) for line in lines
    )
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)
    assert any(line.startswith("python_info{") for line in lines)
