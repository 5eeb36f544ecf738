"""One word for the whole state of an account, the worst that holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from sms_credit_core import Status

from .panels import ACCOUNT, BLUE, GREY, ORANGE, PURPLE, SKY, VERMILION, YELLOW, Scope
from .recording import CRITICAL_SHARE, SLOW, SOON, runway
from .shared import DARK_RED


@dataclass(frozen=True, slots=True)
class State:
    """A state: its rank, what people read, and which accounts are in it."""

    rank: int
    """The higher, the more urgent."""
    text: str
    color: str
    accounts: str
    """PromQL."""


def states(scope: Scope) -> tuple[State, ...]:
    """Return all states, the most urgent first; an account is in the first that fits."""
    degraded = f'status=~"{Status.PARTIAL}|{Status.UNAVAILABLE}"'
    only_pending = f'status="{Status.PENDING}"'
    pending = f"{scope.each('sms_credit_status', only_pending)} == 1"
    not_yet = f'status=~"{Status.PENDING}|{Status.ONBOARDING}"'
    read = f'status=~"{Status.FRESH}|{Status.PARTIAL}"'
    too_old = f"{scope.each('sms_credit_status', read)} == 1 unless ({known(scope)})"
    return (
        State(7, "Blocked", DARK_RED, f"{scope.each('sms_credit_blocked')} == 1"),
        State(6, "Very low", VERMILION, low(scope, f"{CRITICAL_SHARE} * ")),
        State(5, "Low", ORANGE, low(scope)),
        State(4, "Runs out soon", YELLOW, f"{scope.recorded(runway(SLOW))} < {SOON}"),
        State(3, "Not read", PURPLE, f"{scope.each('sms_credit_up')} == 0 unless {pending} or {too_old}"),
        State(2, "Degraded", GREY, f"{scope.each('sms_credit_status', degraded)} == 1"),
        State(1, "Being set up", SKY, f"{scope.each('sms_credit_status', not_yet)} == 1"),
        State(0, "Fresh", BLUE, scope.each("sms_credit_up")),
    )


def state(scope: Scope) -> str:
    """Return the rank of each account's state."""
    ranked = (f"{state.rank} * group by ({ACCOUNT}) ({state.accounts})" for state in states(scope))
    return "\nor\n".join(ranked)


def status(scope: Scope) -> str:
    """Return the status of each account. Beside bad news of the credit, a fresh reading is no news: it is left out."""
    fresh, other = (
        f"{scope.each('sms_credit_status', matcher, by=f'{ACCOUNT}, status')} == 1"
        for matcher in (f'status="{Status.FRESH}"', f'status!="{Status.FRESH}"')
    )
    return f"{other}\nor\n{fresh} and on ({ACCOUNT}) (({state(scope)}) == 0)"


def state_texts(scope: Scope) -> Mapping[str, tuple[str, str]]:
    """Return text and colour by rank."""
    ordered = sorted(states(scope), key=lambda state: state.rank)
    return {str(state.rank): (state.text, state.color) for state in ordered}


def known(scope: Scope) -> str:
    """Return the accounts of which a balance or a quota is known now."""
    return f"{scope.each('sms_credit_balance')} or {scope.each('sms_credit_quota_messages')}"


def low(scope: Scope, share: str = "") -> str:
    """Return the accounts whose balance or quota is at or below this share of its threshold."""
    pairs = (
        (scope.each("sms_credit_balance"), scope.each("sms_credit_low_balance_threshold")),
        (scope.each("sms_credit_quota_messages"), scope.each("sms_credit_low_quota_threshold_messages")),
    )
    return " or ".join(f"{value} <= {share}{threshold}" for value, threshold in pairs)
