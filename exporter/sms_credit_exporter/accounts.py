"""The accounts that the exporter watches: what is configured, and what is known at one moment."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
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
    Owner,
    Provider,
    is_loopback,
)

from .shards import WHOLE, Shard

ADDRESSES = 1024
"""Addresses that are kept taken apart: that is slow, and thousands of accounts share one."""

MIN_LOOPBACK_INTERVAL = 1.0
"""Seconds between two polls of a simulated provider on this machine, which does not mind."""


@lru_cache(ADDRESSES)
def _address(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port."""
    parts = httpx.URL(url)
    return parts.scheme, parts.host, parts.port


leads_here = lru_cache(ADDRESSES)(is_loopback)
"""Whether a URL leads to this very machine."""


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
    labels: Mapping[str, str] = field(default_factory=dict)
    """What else its series are labelled with; the same names for all accounts, with empty text where there is none."""

    @property
    def own_labels(self) -> Mapping[str, str]:
        """The labels that this account was given."""
        return {name: text for name, text in self.labels.items() if text}

    @property
    def place(self) -> Hashable:
        """Where the account is asked: one place answers, fails and hangs as one."""
        return (self.provider.key, *_address(self.base_url))

    @property
    def question(self) -> Hashable:
        """What the provider is asked. It gives the same answer to all accounts with the same question."""
        return (self.provider.key, self.base_url, frozenset(self.credentials.items()))

    @property
    def owner(self) -> Owner:
        """Whose account it is: what is remembered of it belongs to nobody else."""
        return Owner(provider=self.provider.key, base_url=self.base_url, credentials=self.credentials)

    @property
    def min_pause(self) -> float:
        """Seconds between two polls, whatever happens."""
        return MIN_LOOPBACK_INTERVAL if leads_here(self.base_url) else self.provider.min_poll_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole valid configuration."""

    accounts: tuple[AccountConfig, ...]
    stale_after: float = DEFAULT_STALE_AFTER
    """Seconds."""
    shard: Shard = WHOLE
    """Whose accounts these are."""
    elsewhere: int = 0
    """How many accounts the other shards have."""

    def of(self, shard: Shard) -> "Config":
        """Return the part of a whole configuration that one of several exporters watches; it may be empty."""
        accounts = tuple(account for account in self.accounts if shard.has(account.name))
        return replace(self, accounts=accounts, shard=shard, elsewhere=len(self.accounts) - len(accounts))

    @property
    def names(self) -> frozenset[str]:
        """The names of all accounts."""
        return frozenset(account.name for account in self.accounts)


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

    def is_as(self, other: "View") -> bool:
        """Whether nothing has changed between two views that metrics depend on, or that accounts are found by.

        What a view consists of is replaced when it changes, never changed.
        """
        is_configured_alike = self.config is other.config or self.config == other.config
        return self.account is other.account and is_configured_alike and self.freshness == other.freshness


Views = Iterable[View]
