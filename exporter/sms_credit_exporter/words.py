"""Numbers and times as people read them: money, ages, intervals; and what there is to say without a number."""

from datetime import UTC, datetime
from decimal import Decimal

from sms_credit_core import AccountView, Ledger, Reading, Value

UNKNOWN = "unknown"
_NOT_GIVEN = "not given"

_UNITS = ((1, "s"), (60, "min"), (3600, "h"), (86400, "days"))
_NEAR = 2 * 86400.0
"""Seconds within which people want to know the hour."""
_CLOCKS_DIFFER = 60.0
"""Seconds; a provider's clock may be ahead of this machine's by as much without a word about it."""


UNITS = {Value.QUOTA: "messages", Value.CREDITS: "credits"}
"""What an account counts in that has no money."""


def absent(view: AccountView, *values: Value) -> str:
    """Tell what is not known now from what the provider never says."""
    return UNKNOWN if any(map(view.gives, values)) else _NOT_GIVEN


def owned(known: Reading | None) -> tuple[Decimal, str] | None:
    """Return the money of an account, or else its credits, with the unit; None where neither is known."""
    if known is None:
        return None
    if known.balance is not None:
        return known.balance, known.currency or ""
    return None if known.credits is None else (known.credits, UNITS[Value.CREDITS])


def unit(ledger: Ledger) -> str:
    """Return what a ledger counts in."""
    return UNITS.get(ledger.pays_with, ledger.currency or "")


def money(amount: Decimal, currency: str | None = None) -> str:
    """Write an amount with grouped thousands and two to four decimals, rounded half to even.

    Two decimals are what money has, four are what prices of messages need; a binary float's residue lies beyond.
    """
    whole, _, decimals = f"{amount:z,.4f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')} {currency or ''}".rstrip()


def span(seconds: float) -> str:
    """Write a length of time, cut to whole ones of the largest unit that it holds twice: 119 s, 119 min, 47 h."""
    size, unit = max((unit for unit in _UNITS if seconds >= 2 * unit[0]), default=_UNITS[0])
    return f"{int(seconds // size)} {unit}"


def date(at: float, now: float) -> str:
    """Write a moment that lies ahead: its time if that is today, its day if it is far, and both in between."""
    utc = datetime.fromtimestamp(at, UTC)
    if utc.date() == datetime.fromtimestamp(now, UTC).date():
        return f"{utc:%H:%M} UTC"
    return f"{utc:%Y-%m-%d}" if at - now >= _NEAR else f"{utc:%Y-%m-%d %H:%M} UTC"


def interval(seconds: float) -> str:
    """Write a configured length of time without cutting any of it off."""
    whole = (unit for unit in _UNITS if seconds >= 2 * unit[0] and seconds % unit[0] == 0)
    size, unit = max(whole, default=_UNITS[0])
    return f"{seconds / size:g} {unit}"


def ago(seconds: float) -> str:
    """Write an age in seconds; a negative one is a time that lies ahead."""
    if seconds < -_CLOCKS_DIFFER:
        return f"{span(-seconds)} ahead"
    return f"{span(seconds)} ago" if seconds >= 1 else "just now"
