"""What each value of the file may be: validators that say what was found and what is allowed."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, Never, TypeGuard, TypeVar

import httpx
import voluptuous as vol

from sms_credit_core import PROVIDERS, AddressMistake, Provider, mistake_in

from .. import accounts
from ..durations import duration_text, parse_duration

T = TypeVar("T")

_MAX_NAME = 64

_MAX_KEYS = 100
"""A mapping with more is something else, and nobody reads what is wrong with each of its keys."""


def refuse(text: str, steps: Sequence[str | int] = ()) -> Never:
    """Refuse a value, in words that a person can act on."""
    raise vol.Invalid(text, list(steps))


def every(invalid: vol.Invalid) -> list[vol.Invalid]:
    """Return the mistakes that an exception holds."""
    return list(invalid.errors) if isinstance(invalid, vol.MultipleInvalid) else [invalid]


def judged(check: Callable[[object], T], value: object) -> tuple[T | None, list[vol.Invalid]]:
    """Return what a check makes of a value, or None and the mistakes."""
    try:
        return check(value), []
    except vol.Invalid as invalid:
        return None, every(invalid)


_KINDS = {dict: "a mapping", list: "a list", type(None): "nothing", bool: "true or false", str: "text"}


def found(value: object) -> str:
    """Say what was found, unless it is so long that it could be a credential in the wrong place."""
    if type(value) in (int, Decimal):
        return f"found {value}"
    if isinstance(value, str) and re.fullmatch(r"[ -~]{1,15}", value):
        return f"found “{value}”"
    return f"found {_KINDS.get(type(value), 'something else')}"


def seconds(value: object) -> float | None:
    """Return a duration's seconds; None if the value is no duration."""
    return parse_duration(value) if isinstance(value, str) else None


def duration(minimum: float, maximum: float | None = None, whose: str = "") -> Callable[[object], float]:
    """Accept a duration such as 5m, within bounds in seconds."""
    bounds = f"at least {duration_text(minimum)}" + (f" and at most {duration_text(maximum)}" if maximum else "")

    def validate(value: object) -> float:
        length = seconds(value)
        if length is None:
            hint = f"; a unit is missing: {value}s?" if type(value) is int else ""
            refuse(f"{found(value)}; must be a duration such as 90s, 5m or 1h30m{hint}")
        if not minimum <= length <= (maximum or length):
            refuse(f"{found(value)}; must be {bounds}{whose}")
        return length

    return validate


def money(*, zero: bool) -> Callable[[object], Decimal]:
    """Accept an exact amount of money."""

    def validate(value: object) -> Decimal:
        if type(value) not in (int, Decimal):
            refuse(f"{found(value)}; must be a plain number such as 50 or 0.021")
        amount = Decimal(str(value))
        if amount < 0 or (amount == 0 and not zero):
            refuse(f"{found(value)}; must be {'zero or ' if zero else ''}above zero")
        return amount

    return validate


def messages(value: object) -> int:
    """Accept a number of messages."""
    if type(value) is not int or value < 0:
        refuse(f"{found(value)}; must be a whole number of messages, zero or above")
    return value


def name(value: object) -> str:
    """Accept what can be a label, a heading and a word in a sentence."""
    return text(value, _MAX_NAME)


def text(value: object, most: int) -> str:
    """Accept text that stands on one line, of at most so many characters."""
    if not isinstance(value, str):
        refuse(f"{found(value)}; must be text (put it in quotes)")
    if not value.strip() or value != value.strip() or len(value) > most or not value.isprintable():
        refuse(f"must be 1 to {most} printable characters without a space at either end")
    return value


def provider(value: object) -> Provider:
    """Accept a provider's key."""
    return one_of(PROVIDERS)(value)


def one_of(table: Mapping[str, T]) -> Callable[[object], T]:
    """Accept a word of the table, and return what it stands for."""

    def validate(value: object) -> T:
        if not isinstance(value, str) or value not in table:
            refuse(f"{found(value)}; must be one of {', '.join(table)}")
        return table[value]

    return validate


def base_url(value: object) -> str:
    """Accept where credentials may go: anywhere over TLS, or in clear to this very machine."""
    judged = _judged_address(value if isinstance(value, str) else "")
    if isinstance(judged, AddressMistake):
        refuse(_ADDRESS_MISTAKES[judged])
    return judged


@lru_cache(accounts.ADDRESSES)
def _judged_address(text: str) -> str | AddressMistake:
    return mistake_in(text) or str(httpx.URL(text)).rstrip("/")


_ADDRESS_MISTAKES = {
    AddressMistake.NOT_AN_ADDRESS: (
        "must be a URL such as https://example.com/api, without user, password, query or fragment"
    ),
    AddressMistake.NOT_ENCRYPTED: "must begin with https:// (http:// is allowed towards this machine itself only)",
}


def leads_here(value: object) -> bool:
    """Whether a base URL leads to this very machine."""
    return isinstance(value, str) and accounts.leads_here(value)


def any_mapping(value: object) -> None:
    """Accept a mapping whose keys cannot be judged."""
    if not isinstance(value, dict):
        refuse("must be a mapping")


def some(what: str, most: int, least: int = 1) -> Callable[[object], None]:
    """Accept a list that is neither too short nor too long."""

    def validate(value: object) -> None:
        if not isinstance(value, list) or len(value) < least:
            refuse(f"must be a list of at least one {what}" if least else f"must be a list of {what}s")
        if len(value) > most:
            refuse(f"has {len(value):,} {what}s; must be at most {most:,}")

    return validate


def is_path(value: object) -> TypeGuard[str]:
    """Whether a value is text that can be a path, or a pattern for paths."""
    return isinstance(value, str) and value != ""


def patterns(value: object) -> None:
    """Accept a list of patterns for files."""
    if not isinstance(value, list) or not value:
        refuse("must be a list of at least one pattern such as teams/*.yml")
    errors = [
        vol.Invalid(f"{found(each)}; must be a path or a pattern such as teams/*.yml", [index])
        for index, each in enumerate(value)
        if not is_path(each)
    ]
    if errors:
        raise vol.MultipleInvalid(errors)


def each(value: Mapping[object, object], check: Callable[[str, object], T]) -> dict[str, T]:
    """Check every member of a mapping by its key, which is any text, and its value."""
    results = {str(key): judged(partial(check, str(key)), member) for key, member in value.items()}
    errors = [vol.Invalid(error.msg, [key]) for key, (_, found_errors) in results.items() for error in found_errors]
    if errors:
        raise vol.MultipleInvalid(errors)
    return {key: result for key, (result, _) in results.items() if result is not None}


def mapping(
    members: Mapping[vol.Marker, Any], misplaced: Mapping[str, str] = MappingProxyType({})
) -> Callable[[object], dict[str, Any]]:
    """Accept a mapping with these keys; voluptuous's own words are replaced by ones that a person can act on.

    `misplaced` says where a key belongs that does not belong here.
    """
    schema = vol.Schema(dict(members))
    allowed = [str(key) for key in members]

    def validate(value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            refuse(f"must be a mapping with the keys {', '.join(allowed)}")
        if len(value) > _MAX_KEYS:
            refuse(f"has {len(value)} keys; allowed are {', '.join(allowed)}")
        try:
            result: dict[str, Any] = schema(value)
        except vol.MultipleInvalid as invalid:
            errors = sorted(invalid.errors, key=lambda error: _place(error.path[0], allowed))
            raise vol.MultipleInvalid([_in_our_words(error, allowed, misplaced) for error in errors]) from None
        return result

    return validate


def _place(key: object, allowed: Sequence[str]) -> int:
    """Return where a key stands in the declared order; unknown ones come last."""
    return allowed.index(str(key)) if str(key) in allowed else len(allowed)


def _in_our_words(error: vol.Invalid, allowed: Sequence[str], misplaced: Mapping[str, str]) -> vol.Invalid:
    if isinstance(error, vol.RequiredFieldInvalid):
        return vol.Invalid("is missing", error.path)
    if error.msg == "extra keys not allowed":
        key = str(error.path[-1])
        near = difflib.get_close_matches(key[:_MAX_NAME], allowed, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        advice = misplaced.get(key) or f"{hint}allowed are {', '.join(allowed)}"
        return vol.Invalid(f"is not a known key; {advice}", [*error.path[:-1], key])
    return error
