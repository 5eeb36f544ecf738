"""The closed set of account statuses: one word each, from here to the dashboards."""

from enum import StrEnum
from typing import Self


class Status(StrEnum):
    """What the last poll of an account came to.

    `up` is true if the provider gave an answer about this account.
    `holds` is true if the values of the last good reading are still shown, until they are stale.
    """

    up: bool
    holds: bool

    def __new__(cls, word: str, up: bool, holds: bool) -> Self:  # noqa: FBT001 - the rows below are the table
        """Attach what a status means to its word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.up = up
        member.holds = holds
        return member

    #                   word                 up     holds
    PENDING = "pending", False, False
    FRESH = "fresh", True, True
    PARTIAL = "partial", True, True
    UNAVAILABLE = "unavailable", True, True
    ONBOARDING = "onboarding", True, False
    AUTH_FAILED = "auth_failed", False, True
    ACCESS_DENIED = "access_denied", False, True
    RATE_LIMITED = "rate_limited", False, True
    UNREACHABLE = "unreachable", False, True
    PROVIDER_ERROR = "provider_error", False, True
    INVALID_RESPONSE = "invalid_response", False, True


FAILURES = tuple(status for status in Status if not status.up and status is not Status.PENDING)
"""The statuses that count as a failed poll."""
