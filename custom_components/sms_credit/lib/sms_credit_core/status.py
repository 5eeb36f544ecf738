"""The closed set of account statuses: one word each, from here to the dashboards."""

from enum import StrEnum
from typing import Self


class Actor(StrEnum):
    """Who has to act for a status to end."""

    USER = "user"
    PROVIDER = "provider"
    TIME = "time"
    """Nobody: it ends by itself."""
    NOBODY = "nobody"
    """Nobody: it is as it should be."""


class Status(StrEnum):
    """What the last poll of an account came to.

    `up` is true if the provider gave an answer about this account.
    `holds` is true if the values of the last good reading are still shown, until they are stale.
    `actor` is who has to act, and `to_do` is what the user has to do, in a sentence; None where it is not the user.
    """

    up: bool
    holds: bool
    actor: Actor
    to_do: str | None

    def __new__(cls, word: str, up: bool, holds: bool, actor: Actor, to_do: str | None = None) -> Self:  # noqa: FBT001 - rows of a table
        """Attach what a status means to its word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.up = up
        member.holds = holds
        member.actor = actor
        member.to_do = to_do
        return member

    #                   word                 up     holds  actor, and what the user has to do
    PENDING = "pending", False, False, Actor.TIME
    FRESH = "fresh", True, True, Actor.NOBODY
    PARTIAL = "partial", True, True, Actor.PROVIDER
    UNAVAILABLE = "unavailable", True, True, Actor.PROVIDER
    ONBOARDING = "onboarding", True, False, Actor.TIME
    AUTH_FAILED = "auth_failed", False, True, Actor.USER, "Correct the credentials, or allow API access in the panel."
    ACCESS_DENIED = "access_denied", False, True, Actor.USER, "Allow it in the panel, or ask the provider to."
    RATE_LIMITED = "rate_limited", False, True, Actor.TIME
    UNREACHABLE = "unreachable", False, True, Actor.TIME
    PROVIDER_ERROR = "provider_error", False, True, Actor.PROVIDER
    INVALID_RESPONSE = "invalid_response", False, True, Actor.PROVIDER


FAILURES = tuple(status for status in Status if not status.up and status is not Status.PENDING)
"""The statuses that count as a failed poll."""

REFUSALS = tuple(status for status in FAILURES if status.actor is Actor.USER)
"""The failures that last until the user acts: what was refused stays refused while nothing is heard."""

OUTAGES = tuple(status for status in FAILURES if status.actor is not Actor.USER)
"""The failures that the user can do nothing about, and that say nothing of the account."""
