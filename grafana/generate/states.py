"""One word for the whole state of an account, the worst that holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sms_credit_core import OUTAGES, REFUSALS, Status

from .panels import ACCOUNT, BLUE, GREY, ORANGE, PURPLE, SKY, VERMILION, YELLOW, Scope
from .recording import CRITICAL_SHARE, SOON
from .settings import words
from .shared import DARK_RED, DARK_VIOLET, VIOLET
from .statuses import DEGRADED, NOT_SET_UP, READ, any_of


@dataclass(frozen=True, slots=True)
class State:
    """A state: what people read, and which accounts are in it."""

    text: str
    meaning: str
    """For the description of a panel, in the middle of a sentence."""
    color: str
    accounts: str
    """PromQL."""


def states(scope: Scope) -> tuple[State, ...]:
    """Return all states, the most urgent first; an account is in the first that fits."""
    return (
        State("Blocked", "blocked", DARK_RED, f"{scope.each('sms_credit_blocked')} == 1"),
        State("No access", "refused by the provider until somebody acts", DARK_VIOLET, refused(scope)),
        State("Very low", "at or below half of a threshold", VERMILION, _very_low(scope)),
        State("Low", "at or below a threshold", ORANGE, low(scope)),
        State("Unusual spending", "spending far faster than ever", VIOLET, unusual(scope)),
        State("Runs out soon", f"lasting for {words(SOON)} at most", YELLOW, _soon(scope)),
        State("Not read", "not read", PURPLE, not_read(scope)),
        State("Degraded", "degraded", GREY, _in_status(scope, DEGRADED)),
        State("Being set up", "being set up", SKY, _in_status(scope, NOT_SET_UP)),
        State("Fresh", "fresh", BLUE, scope.each("sms_credit_up")),
    )


def _ranked(scope: Scope) -> Mapping[int, State]:
    """Return all states by their rank, the most urgent first; the highest rank is the most urgent."""
    ordered = states(scope)
    return {len(ordered) - place: state for place, state in enumerate(ordered, 1)}


def state(scope: Scope) -> str:
    """Return the rank of each account's state."""
    ranked = (f"{rank} * group by ({ACCOUNT}) ({state.accounts})" for rank, state in _ranked(scope).items())
    return "\nor\n".join(ranked)


def state_texts(scope: Scope) -> Mapping[str, tuple[str, str]]:
    """Return text and colour by rank, the most urgent first."""
    return {str(rank): (state.text, state.color) for rank, state in _ranked(scope).items()}


def meanings(scope: Scope) -> str:
    """Return in words what is worse than fresh, the most urgent first."""
    return ", ".join(state.meaning for state in states(scope)[:-1])


def status(scope: Scope) -> str:
    """Return the status of each account; a fresh one is left out beside a worse state."""
    fresh, other = (
        f"{scope.each('sms_credit_status', matcher, by=f'{ACCOUNT}, status')} == 1"
        for matcher in (f'status="{Status.FRESH}"', f'status!="{Status.FRESH}"')
    )
    return f"{other}\nor\n{fresh} and on ({ACCOUNT}) (({state(scope)}) == 0)"


def refused(scope: Scope) -> str:
    """Return the accounts that nobody can read until the user acts."""
    return _failed(scope, REFUSALS)


def not_read(scope: Scope) -> str:
    """Return the accounts that nobody can read until the provider acts or time helps, and those with old readings."""
    too_old = f"{_in_status(scope, READ)} unless ({known(scope)})"
    return f"{_failed(scope, OUTAGES)} or {too_old}"


def known(scope: Scope) -> str:
    """Return the accounts of which it is known now what they have, in any unit."""
    values = ("sms_credit_balance", "sms_credit_quota_messages", "sms_credit_credits")
    return " or ".join(map(scope.each, values))


def low(scope: Scope) -> str:
    """Return the accounts that have reached one of their limits, or had when that could last be told."""
    return f"{scope.each('sms_credit_low')} == 1"


def unusual(scope: Scope) -> str:
    """Return the accounts that spend far faster than they ever have."""
    return f"{scope.each('sms_credit_spending_unusual')} == 1"


def _very_low(scope: Scope) -> str:
    pairs = (
        (scope.each("sms_credit_balance"), scope.each("sms_credit_low_balance_threshold")),
        (scope.each("sms_credit_quota_messages"), scope.each("sms_credit_low_quota_threshold_messages")),
    )
    return " or ".join(f"{value} <= {CRITICAL_SHARE} * {threshold}" for value, threshold in pairs)


def _soon(scope: Scope) -> str:
    """Return the accounts that do not last for long, and have no limit of their own that would say so."""
    return f"{scope.lasts()} <= {SOON} unless {scope.each('sms_credit_low_runway_threshold_seconds')}"


def _failed(scope: Scope, statuses: Iterable[Status]) -> str:
    """Return the accounts that are in one of these statuses, and that no other exporter can read."""
    return f"{_in_status(scope, statuses)} and {scope.each('sms_credit_up')} == 0"


def _in_status(scope: Scope, statuses: Iterable[Status]) -> str:
    """Return the accounts that are in one of these statuses."""
    matcher = f'status=~"{any_of(statuses)}"'
    return f"{scope.each('sms_credit_status', matcher)} == 1"
