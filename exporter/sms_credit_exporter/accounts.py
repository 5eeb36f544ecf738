"""The accounts that the exporter watches: what is configured, and what is known at one moment."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sms_credit_core import DEFAULT_TIMEOUT, Account, Credentials, Instant, Limits, Provider, Reading

DEFAULT_POLL_INTERVAL = 300.0
"""Seconds."""

DEFAULT_STALE_AFTER = 3600.0
"""Seconds."""


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

    def asks_the_same(self, other: "AccountConfig") -> bool:
        """Whether both put the same question to the same place, so that an answer to one is one to the other."""
        return (self.provider.key, self.base_url, self.credentials) == (
            other.provider.key,
            other.base_url,
            other.credentials,
        )


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
