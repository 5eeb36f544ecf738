"""What a provider said about an account, and what it comes to against the user's own limits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from .status import Status


class Value(StrEnum):
    """A value that a provider can give; the names are those of Reading."""

    BALANCE = "balance"
    QUOTA = "quota"
    CREDITS = "credits"
    CREDIT_BLOCKED = "credit_blocked"
    PROVIDER_UPDATED = "provider_updated"


class Quality(StrEnum):
    """How far the provider itself trusts the reading."""

    COMPLETE = "complete"
    PARTIAL = "partial"

    @property
    def status(self) -> Status:
        """The account status that a reading of this quality means."""
        return Status.PARTIAL if self is Quality.PARTIAL else Status.FRESH


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading. `None` means that the provider does not say; no field has a default, so none can be forgotten.

    At least one of balance, quota and credits is given.
    """

    balance: Decimal | None
    """In `currency`; zero and below are values like any other."""
    currency: str | None
    """ISO 4217 code."""
    quota: int | None
    """Standard messages that the balance can pay for."""
    credits: Decimal | None
    """In the provider's own unit, where that is neither money nor whole messages."""
    credit_blocked: bool | None
    """Whether the provider refuses to send for lack of credit."""
    provider_updated: datetime | None
    """When the provider last refreshed the balance, aware, in UTC."""
    quality: Quality

    def __post_init__(self) -> None:
        """Refuse a reading that says nothing of what there is. Raises ValueError."""
        if self.balance is None and self.quota is None and self.credits is None:
            message = "says nothing of balance, quota or credits"
            raise ValueError(message)


class Limit(StrEnum):
    """What can be low."""

    BALANCE = "balance"
    QUOTA = "quota"
    RUNWAY = "runway"


_CLEARED = 1.1
"""How far above its limit a low runway has to rise until it is no longer low. An estimate wavers from reading to
reading, and whoever was told once should not be told each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the user says about an account: when its credit is low, and what a message costs."""

    low_balance: Decimal | None = None
    """In the account's currency; at or below it is low."""
    low_quota: int | None = None
    """Messages; at or below it is low."""
    low_runway: float | None = None
    """Seconds; at or below it is low."""
    message_price: Decimal | None = None
    """In what the account has, its currency or its credits; above zero. Gives the quota where the provider does not."""

    def priced(self, reading: Reading) -> Reading:
        """Return the reading with its quota worked out, where only the price can tell it."""
        has = reading.credits if reading.balance is None else reading.balance
        if reading.quota is not None or has is None or self.message_price is None:
            return reading
        messages = (has / self.message_price).to_integral_value(ROUND_FLOOR)
        return replace(reading, quota=max(0, int(messages)))

    @property
    def thresholds(self) -> Mapping[Limit, Decimal | float]:
        """The limits that are set."""
        limits = {Limit.BALANCE: self.low_balance, Limit.QUOTA: self.low_quota, Limit.RUNWAY: self.low_runway}
        return {limit: threshold for limit, threshold in limits.items() if threshold is not None}

    def reached(
        self, values: Mapping[Limit, Decimal | float | None], before: Mapping[Limit, bool]
    ) -> Mapping[Limit, bool]:
        """Say of each limit that is set whether it is reached; where nothing is known now, what was said before."""
        thresholds = dict(self.thresholds)
        if self.low_runway is not None and before.get(Limit.RUNWAY):
            thresholds[Limit.RUNWAY] = self.low_runway * _CLEARED
        now = {limit: value <= thresholds[limit] for limit in thresholds if (value := values.get(limit)) is not None}
        return now | {limit: low for limit, low in before.items() if limit in thresholds.keys() - now.keys()}
