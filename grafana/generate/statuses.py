"""Which statuses rules and dashboards take together; all of it follows from the core's table."""

from collections.abc import Iterable

from sms_credit_core import OUTAGES, Actor, Quality, Status

ANSWERED = tuple(status for status in Status if status.up)
READ = tuple(quality.status for quality in Quality)
DEGRADED = tuple(status for status in ANSWERED if status.actor is Actor.PROVIDER)
NOT_SET_UP = tuple(status for status in Status if not status.holds)
"""The account has no values, not even those from before."""
AWAY = tuple(status for status in OUTAGES if status is not Status.RATE_LIMITED)
"""The provider answers nobody; one that asks an account for fewer requests may answer the others."""


def any_of(statuses: Iterable[Status]) -> str:
    """Write what matches each of the statuses."""
    return "|".join(statuses)
