"""The options of an account: how they are stored, and what they come to in a form and in the core."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from .const import CONF_LOW_BALANCE, CONF_LOW_QUOTA, CONF_LOW_RUNWAY, CONF_MESSAGE_PRICE
from .lib.sms_credit_core import Limits

_NUMBERS: Mapping[str, Callable[[str], Any]] = {
    CONF_LOW_BALANCE: Decimal,
    CONF_LOW_QUOTA: int,
    CONF_LOW_RUNWAY: Decimal,
    CONF_MESSAGE_PRICE: Decimal,
}
"""The options that are numbers, each with what reads it. They are the fields of Limits, and are stored as text: a float
would turn 0.021 into something near it."""

DAY = 86400
"""Seconds: people count in days how long the credit lasts, and the core in seconds."""


def limits_of(options: Mapping[str, Any]) -> Limits:
    """Return the limits among stored options."""
    limits = {name: read(options[name]) for name, read in _NUMBERS.items() if name in options}
    if CONF_LOW_RUNWAY in limits:
        limits[CONF_LOW_RUNWAY] = float(limits[CONF_LOW_RUNWAY] * DAY)
    return Limits(**limits)


def entered_before(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored options as a form shows them."""
    return {name: float(value) if name in _NUMBERS else value for name, value in options.items()}


def as_options(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was entered in a form as it is stored: 0.021 stays 0.021, and 50 does not become 50.0."""
    return {name: _as_text(_NUMBERS[name], value) if name in _NUMBERS else value for name, value in entered.items()}


def _as_text(read: Callable[[str], Any], value: float) -> str:
    number = read(f"{Decimal(repr(value)).normalize():f}")
    return f"{number:f}" if isinstance(number, Decimal) else str(number)
