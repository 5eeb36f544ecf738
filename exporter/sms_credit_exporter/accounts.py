"""The accounts that the exporter watches: what is configured, and what is known at one moment."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Self

import httpx

from sms_credit_core import (
    DEFAULT_POLL_INTERVAL,
    DEFAULT_STALE_AFTER,
    DEFAULT_TIMEOUT,
    Account,
    AccountView,
    Credentials,
    Instant,
    Limits,
    Provider,
)

MIN_LOOPBACK_INTERVAL = 1.0
"""Seconds between two polls of a simulated provider on this machine, which does not mind."""


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine."""
    host = httpx.URL(url).host
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConfig:
    """One configured account; `name` is its identity."""

    name: str
    provider: Provider
    credentials: Credentials = field(repr=False)
    base_url: str
    poll_interval: float = DEFAULT_POLL_INTERVAL
    """Seconds."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds."""
    limits: Limits = field(default_factory=Limits)

    @property
    def place(self) -> Hashable:
        """Where the account is asked: one place answers, fails and hangs as one."""
        url = httpx.URL(self.base_url)
        return (self.provider.key, url.scheme, url.host, url.port)

    @property
    def question(self) -> Hashable:
        """What the provider is asked. It gives the same answer to all accounts with the same question."""
        return (self.provider.key, self.base_url, frozenset(self.credentials.items()))

    @property
    def min_pause(self) -> float:
        """Seconds between two polls, whatever happens."""
        return MIN_LOOPBACK_INTERVAL if is_loopback(self.base_url) else self.provider.min_poll_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole valid configuration."""

    accounts: tuple[AccountConfig, ...]
    stale_after: float = DEFAULT_STALE_AFTER
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View(AccountView):
    """One account as it is to be shown: the metrics, the page and the table are pure functions of it."""

    config: AccountConfig

    @classmethod
    def of(cls, config: AccountConfig, account: Account, now: Instant, stale_after: float) -> Self:
        """Look at what is known of a configured account."""
        return cls(
            config=config,
            provider=config.provider,
            limits=config.limits,
            account=account,
            now=now,
            stale_after=stale_after,
        )


Views = Iterable[View]
