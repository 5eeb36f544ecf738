"""What is known, as Prometheus metrics, from memory only.

One account looks like this:

    sms_credit_up{account="otp",provider="iletimerkezi"} 1.0
    sms_credit_status{account="otp",provider="iletimerkezi",status="fresh"} 1.0
    sms_credit_balance{account="otp",currency="TRY",provider="iletimerkezi"} 10.584
    sms_credit_quota_messages{account="otp",provider="iletimerkezi"} 67.0
    sms_credit_blocked{account="otp",provider="iletimerkezi"} 0.0

Labels of the user's own stand beside `account` and `provider`.
"""

import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from prometheus_client import CollectorRegistry, Metric, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from sms_credit_core import FAILURES, Ledger, Status, Value

from .accounts import Config, View, Views

Number = int | float | bool | Decimal | None
Rows = Iterable[tuple[str, Number]]
"""Samples: what the metric's own label says, if it has one, and the value."""

_ACCOUNT = ("provider", "account")


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of an account: its name, its help, its samples, and the label that it has beside the account's."""

    kind: type[GaugeMetricFamily | CounterMetricFamily]
    name: str
    help: str
    rows: Callable[[View], Rows]
    label: str | None = None

    def metric(self, views: Views) -> Metric:
        """Return the samples of all accounts; what is not known is left out."""
        own = [self.label] if self.label else []
        metric = self.kind(self.name, self.help, labels=(*_ACCOUNT, *own))
        for view in views:
            account = account_labels(view)
            for word, value in self.rows(view):
                if value is not None:
                    metric.add_sample(self.name, account | dict.fromkeys(own, word), float(value))
        return metric


def account_labels(view: View) -> dict[str, str]:
    """Return the labels that all samples of an account have."""
    return {"provider": view.provider.key, "account": view.config.name, **view.config.labels}


def _gauge(name: str, text: str, value: Callable[[View], Number]) -> Family:
    return Family(GaugeMetricFamily, name, text, lambda view: [("", value(view))])


def _balance(view: View) -> Rows:
    known = view.known
    return [(known.currency or "", known.balance)] if known else []


def _updated(view: View) -> Number:
    updated = view.known.provider_updated if view.known else None
    return updated.timestamp() if updated else None


def _paid_with(value: Value, amount: Callable[[Ledger], Decimal]) -> Callable[[View], Rows]:
    """Return the rows of an amount of the ledger, if that is what the account pays with; money has its currency."""

    def rows(view: View) -> Rows:
        ledger = view.account.ledger
        if ledger is None or ledger.pays_with is not value:
            return []
        return [(ledger.currency or "", amount(ledger))]

    return rows


def _spent(ledger: Ledger) -> Decimal:
    return ledger.spent


def _topped_up(ledger: Ledger) -> Decimal:
    return ledger.topped_up


def _low(view: View) -> Rows:
    return [(limit.value, reached) for limit, reached in view.reached.items()]


def _statuses(view: View) -> Rows:
    current = view.status
    return [(status.value, status is current) for status in Status]


def _failures(view: View) -> Rows:
    return [(status.value, view.account.failures[status]) for status in FAILURES]


FAMILIES = (
    _gauge("sms_credit_up", "Whether the last poll got an answer about the account.", lambda v: v.status.up),
    Family(
        GaugeMetricFamily,
        "sms_credit_status",
        "What the last poll came to; exactly one status is 1.",
        _statuses,
        "status",
    ),
    Family(
        GaugeMetricFamily,
        "sms_credit_balance",
        "Prepaid balance as the provider last reported it, in the currency of the label; cached between polls.",
        _balance,
        "currency",
    ),
    _gauge(
        "sms_credit_quota_messages",
        "Messages that the balance can pay for, by the provider or by message_price; cached between polls.",
        lambda v: v.known.quota if v.known else None,
    ),
    _gauge(
        "sms_credit_credits",
        "Credits of the provider's own, neither money nor whole messages; cached between polls.",
        lambda v: v.known.credits if v.known else None,
    ),
    _gauge(
        "sms_credit_blocked",
        "Whether the provider refuses to send for lack of credit; cached between polls.",
        lambda v: v.blocked,
    ),
    _gauge(
        "sms_credit_low_balance_threshold",
        "Configured balance at or below which the credit is low, in the account's currency.",
        lambda v: v.limits.low_balance,
    ),
    _gauge(
        "sms_credit_low_quota_threshold_messages",
        "Configured quota at or below which the credit is low.",
        lambda v: v.limits.low_quota,
    ),
    _gauge(
        "sms_credit_low_runway_threshold_seconds",
        "Configured runway at or below which the credit is low.",
        lambda v: v.limits.low_runway,
    ),
    Family(
        GaugeMetricFamily,
        "sms_credit_low",
        "Whether the limit is reached, or was when that could last be told.",
        _low,
        "reason",
    ),
    Family(
        CounterMetricFamily,
        "sms_credit_spent_total",
        "Sum of all falls of the balance, in the currency of the label, where the account pays with money.",
        _paid_with(Value.BALANCE, _spent),
        "currency",
    ),
    Family(
        CounterMetricFamily,
        "sms_credit_topped_up_total",
        "Sum of all rises of the balance, in the currency of the label, where the account pays with money.",
        _paid_with(Value.BALANCE, _topped_up),
        "currency",
    ),
    Family(
        CounterMetricFamily,
        "sms_credit_messages_spent_total",
        "Sum of all falls of the quota, where the account pays with messages.",
        _paid_with(Value.QUOTA, _spent),
    ),
    Family(
        CounterMetricFamily,
        "sms_credit_messages_topped_up_total",
        "Sum of all rises of the quota, where the account pays with messages.",
        _paid_with(Value.QUOTA, _topped_up),
    ),
    Family(
        CounterMetricFamily,
        "sms_credit_credits_spent_total",
        "Sum of all falls of the credits, where the account counts in credits of its provider's own.",
        _paid_with(Value.CREDITS, _spent),
    ),
    Family(
        CounterMetricFamily,
        "sms_credit_credits_topped_up_total",
        "Sum of all rises of the credits, where the account counts in credits of its provider's own.",
        _paid_with(Value.CREDITS, _topped_up),
    ),
    _gauge(
        "sms_credit_runway_seconds",
        "Time from the last reading until nothing is left, at the expected pace.",
        lambda v: v.runway,
    ),
    _gauge(
        "sms_credit_spending_unusual",
        "Whether the account spends far faster than it ever has at its busiest.",
        lambda v: v.unusual,
    ),
    _gauge(
        "sms_credit_last_reading_timestamp_seconds",
        "When the balance was last read successfully, 0 if never.",
        lambda v: v.account.read_at.unix if v.account.read_at else 0,
    ),
    _gauge(
        "sms_credit_last_poll_timestamp_seconds",
        "When the account was last polled, 0 if never.",
        lambda v: v.account.polled_at.unix if v.account.polled_at else 0,
    ),
    _gauge(
        "sms_credit_provider_updated_timestamp_seconds",
        "When the provider itself last refreshed the balance, read as UTC.",
        _updated,
    ),
    _gauge("sms_credit_poll_interval_seconds", "Configured time between polls.", lambda v: v.config.poll_interval),
    _gauge("sms_credit_poll_duration_seconds", "How long the last poll took.", lambda v: v.account.poll_duration),
    Family(CounterMetricFamily, "sms_credit_polls_total", "Polls made.", lambda v: [("", v.account.polls)]),
    Family(
        CounterMetricFamily,
        "sms_credit_poll_failures_total",
        "Polls that failed, by the status that they left.",
        _failures,
        "reason",
    ),
)


LABELS = frozenset({*_ACCOUNT, *(family.label for family in FAMILIES if family.label)})
"""Every label that a metric of an account has by itself."""


class AccountCollector(Collector):
    """The metrics of every account, always as they are at this moment."""

    def __init__(self, views: Callable[[], Views]) -> None:
        """Take what returns the accounts; it is called once for each rendering."""
        self._views = views

    def describe(self) -> Iterator[Metric]:
        """Name the metrics without looking at the accounts."""
        return (family.metric(()) for family in FAMILIES)

    def collect(self) -> Iterator[Metric]:
        """Render all accounts from one consistent view of them."""
        views = tuple(self._views())
        return (family.metric(views) for family in FAMILIES)


class ExporterCollector(Collector):
    """The metrics of the exporter itself."""

    def __init__(self, version: str, storage: Callable[[], bool | None] = lambda: None) -> None:
        """Take the exporter's version, and what says whether its storage works; None where it has none."""
        self._version, self._storage = version, storage
        self.reload_successful = True
        self.reload_success_unix = 0.0
        """When a configuration was last taken over, in Unix seconds."""
        self.config = Config(accounts=())
        """The one that was last taken over."""

    def describe(self) -> Iterator[Metric]:
        """Name the metrics."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """Render what the exporter is and whether it runs on the configuration that is in its file."""
        build = InfoMetricFamily("sms_credit_exporter_build", "Version of the exporter and of its Python.")
        build.add_metric((), {"version": self._version, "python": platform.python_version()})
        yield build
        yield GaugeMetricFamily(
            "sms_credit_exporter_config_last_reload_successful",
            "Whether the last attempt to load the configuration succeeded.",
            value=float(self.reload_successful),
        )
        yield GaugeMetricFamily(
            "sms_credit_exporter_config_last_reload_success_timestamp_seconds",
            "When a configuration was last loaded successfully.",
            value=self.reload_success_unix,
        )
        yield GaugeMetricFamily(
            "sms_credit_exporter_configured_accounts",
            "Accounts in the configuration, those of all shards.",
            value=len(self.config.accounts) + self.config.elsewhere,
        )
        shards = GaugeMetricFamily(
            "sms_credit_exporter_shards",
            "How many exporters share the accounts; the label says which of them this is, counted from 0.",
            labels=["shard"],
        )
        shards.add_metric([str(self.config.shard.index)], self.config.shard.count)
        yield shards
        if (works := self._storage()) is not None:
            yield GaugeMetricFamily(
                "sms_credit_exporter_storage_last_write_successful",
                "Whether what is known could be written to the storage when that was last tried.",
                value=float(works),
            )


def registry(*collectors: Collector) -> CollectorRegistry:
    """Return a registry of its own with these collectors and those of process and Python."""
    own = CollectorRegistry()
    for collector in collectors:
        own.register(collector)
    ProcessCollector(registry=own)
    PlatformCollector(registry=own)
    return own
