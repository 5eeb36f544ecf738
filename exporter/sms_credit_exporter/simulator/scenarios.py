"""Named scenarios, in which accounts live through what real ones live through, and the accounts of the demo."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sms_credit_core import Limits

from .behaviour import Canned, Live, NoAnswer, Phase, Scenario

_LIRA_PER_MESSAGE = Decimal("0.158")


def _money(seconds: int, begin: str, end: str, payload: str = "healthy") -> Phase:
    """Let a balance run from one amount to another, in the currency of the provider's payload."""
    return Phase(seconds, *(Live(balance=Decimal(amount), payload=payload) for amount in (begin, end)))


def _lira(seconds: int, begin: str, end: str) -> Phase:
    """Let a balance run from one amount to another, and with it the messages that it can pay for."""
    amounts = Decimal(begin), Decimal(end)
    return Phase(seconds, *(Live(balance=amount, quota=int(amount / _LIRA_PER_MESSAGE)) for amount in amounts))


def _messages(seconds: int, begin: int, end: int) -> Phase:
    """Let bought messages run from one number to another; such accounts hold no money."""
    return Phase(seconds, *(Live(balance=Decimal(0), quota=quota) for quota in (begin, end)))


def _answers(seconds: int, payload: str) -> Phase:
    return Phase(seconds, Canned(payload))


# Refused credentials are asked again after twelve intervals, 24 seconds in the demo. They are refused for a little less
# than two such waits, and accepted for long enough after that for the change to be seen.
SCENARIOS: Mapping[str, Mapping[str, Scenario]] = {
    "23telecom": {
        "steady": Scenario(_money(600, "842.30", "786.10")),
        "runs_dry": Scenario(
            _money(10, "-0.40", "-1.20"),
            _money(25, "58.80", "42.00"),
            _money(20, "42.00", "12.00"),
            _money(20, "12.00", "0.00"),
            _money(5, "0.00", "-0.40"),
        ),
        "cache_degraded": Scenario(
            _money(20, "310.40", "305.60"),
            _answers(20, "unavailable_cache_miss_refresh_failed"),
            _money(20, "300.80", "296.00", payload="partial"),
        ),
        "onboarding": Scenario(_answers(30, "onboarding"), _money(30, "50.00", "47.30")),
        "rate_limited": Scenario(
            _money(5, "1630.00", "1620.00"),
            _answers(8, "error_rate_limit_exceeded"),
            _money(12, "1604.00", "1580.00"),
            _answers(8, "error_rate_limited_html"),
            _money(12, "1564.00", "1540.00"),
            _answers(15, "error_rate_limited_empty"),
        ),
        "key_refused": Scenario(_answers(45, "error_invalid_api_key"), _money(15, "75.00", "74.10")),
        "ip_not_allowed": Scenario(
            _answers(12, "error_ip_not_allowed"), _money(15, "128.40", "127.50"), _answers(33, "error_ip_not_allowed")
        ),
    },
    "iletimerkezi": {
        "steady": Scenario(_lira(600, "2150.00", "1990.00")),
        "messages_instead_of_money": Scenario(
            _messages(15, 750, 400), _messages(20, 2320, 1840), _messages(45, 1840, 750)
        ),
        "outage": Scenario(
            _lira(10, "640.00", "634.00"),
            Phase(15, NoAnswer.CUT),
            _answers(10, "error_503_html"),
            _lira(25, "631.00", "616.00"),
        ),
        "access_refused": Scenario(_answers(45, "error_401"), _lira(15, "212.00", "209.00")),
        "older_specification": Scenario(_answers(60, "older_specification_strings")),
    },
}
"""Every scenario by its provider and name."""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account of the demo."""

    name: str
    provider: str
    scenario: str
    limits: Limits = field(default_factory=Limits)


DEMO = (
    DemoAccount("shop-codes", "23telecom", "steady", Limits(low_balance=Decimal(200), message_price=Decimal("0.021"))),
    DemoAccount("on-call", "23telecom", "runs_dry", Limits(low_balance=Decimal(12), message_price=Decimal("0.035"))),
    DemoAccount("alarm-system", "iletimerkezi", "messages_instead_of_money", Limits(low_quota=750)),
    DemoAccount("marketing", "23telecom", "rate_limited", Limits(low_balance=Decimal(500))),
    DemoAccount("reservations", "23telecom", "cache_degraded", Limits(low_balance=Decimal(100))),
    DemoAccount("new-branch", "23telecom", "onboarding", Limits(low_balance=Decimal(20))),
    DemoAccount("clinic-reminders", "iletimerkezi", "outage", Limits(low_balance=Decimal(250))),
    DemoAccount("warehouse", "23telecom", "ip_not_allowed"),
    DemoAccount("courier-app", "iletimerkezi", "access_refused", Limits(low_quota=500)),
    DemoAccount("old-webshop", "iletimerkezi", "older_specification"),
)
"""The accounts of the demo, each in a scenario of its own.

At any moment they show at least five statuses, and at the first, one is blocked and one is low.
"""
