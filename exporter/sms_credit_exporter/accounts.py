"""The accounts that the exporter watches: what is configured, and what is known at one moment."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

import httpx

from sms_credit_core import DEFAULT_TIMEOUT, Account, Credentials, Instant, Limits, Provider, Reading

DEFAULT_POLL_INTERVAL = 300.0
"""Seconds."""

DEFAULT_STALE_AFTER = 3600.0
"""Seconds."""

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
        """What is asked, and in whose name; an answer to one account is one to any with the same question."""
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


@dataclass(frozen=True, slots=True)
class View:
    """One account as it is to be shown: the metrics, the page and the table are pure functions of it."""

    config: AccountConfig
    account: Account
    now: Instant
    stale_after: float

    @property
    def known(self) -> Reading | None:
        """The values that may be shown; None where there are none, or where they are too old."""
        reading = self.account.known(self.now, self.stale_after)
        return self.config.limits.priced(reading) if reading else None

    @property
    def low(self) -> bool | None:
        """Whether a configured limit is reached; None where that cannot be said."""
        known = self.known
        return self.config.limits.low(known) if known else None


Views = Iterable[View]
