"""The scenarios of all providers, and the accounts of the demo, which are in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sms_credit_core import Limits

from .behaviour import Scenario
from .providers import APIS

SCENARIOS: Mapping[str, Mapping[str, Scenario]] = {key: api.scenarios for key, api in APIS.items()}
"""Every scenario by its provider and name."""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account of the demo."""

    name: str
    provider: str
    scenario: str
    past: str = ""
    """What it has lived through before, if that is another scenario."""
    limits: Limits = field(default_factory=Limits)


_SCENES = (
    DemoAccount(
        "shop-codes", "23telecom", "steady", limits=Limits(low_balance=Decimal(200), message_price=Decimal("0.021"))
    ),
    DemoAccount(
        "on-call",
        "23telecom",
        "runs_dry",
        limits=Limits(low_balance=Decimal(12), low_runway=20.0, message_price=Decimal("0.035")),
    ),
    DemoAccount("alarm-system", "iletimerkezi", "messages_instead_of_money", limits=Limits(low_quota=750)),
    DemoAccount("marketing", "23telecom", "rate_limited", limits=Limits(low_balance=Decimal(500))),
    DemoAccount("reservations", "23telecom", "cache_degraded", limits=Limits(low_balance=Decimal(100))),
    DemoAccount("new-branch", "23telecom", "onboarding", limits=Limits(low_balance=Decimal(20))),
    DemoAccount("password-resets", "iletimerkezi", "pumped", past="steady"),
    DemoAccount("clinic-reminders", "iletimerkezi", "outage", limits=Limits(low_balance=Decimal(250))),
    DemoAccount("warehouse", "23telecom", "ip_not_allowed"),
    DemoAccount("courier-app", "iletimerkezi", "access_refused", limits=Limits(low_quota=500)),
    DemoAccount("old-webshop", "iletimerkezi", "older_specification"),
)
"""Accounts that live through something."""

DEMO = (
    *_SCENES,
    *(DemoAccount(key, key, "steady") for key in APIS if key not in {account.provider for account in _SCENES}),
)
"""The accounts of the demo: each in a scenario of its own, and one of each other provider.

At any moment they show at least five statuses, and at the first, one is blocked and one is low.
"""
