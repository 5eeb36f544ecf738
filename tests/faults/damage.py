"""Each provider's good answer, cut at every byte and damaged in every field, and what must come of that."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sms_credit_exporter.simulator.providers import APIS

from .healthy import DECOY, healthy
from .wire import Template, start, whole


@dataclass(frozen=True, slots=True)
class Damage:
    """What has become of an answer."""

    sentence: str
    answer: Template
    """What is sent, of the good body."""
    status: str = "invalid_response"
    cause: str | None = None
    detail: str | None = None
    """The field that the reason names, where it can only be this one."""


# --- cut ----------------------------------------------------------------------------------------------------------


def cuts(provider: str) -> Iterator[Damage]:
    """Yield the body cut at every byte, without its length: the closed connection looks like its proper end.

    The header is cut at every byte as well, in turns with the other providers: it is the same at all of them.
    """
    body = healthy(provider, DECOY).body
    for left in range(len(body)):
        sentence = f"The body ends after {left} of {len(body)} bytes, and nobody has told its length."
        yield Damage(sentence, _body_until(left), cause="not_json")
    header = whole()(body).removesuffix(body)
    for left in range([*APIS].index(provider), len(header), len(APIS)):
        sentence = f"The header ends after {left} of {len(header)} bytes."
        yield Damage(sentence, _answer_until(left), "unreachable", "connection_cut")


def _body_until(left: int) -> Template:
    return lambda body: start()(body[:left])


def _answer_until(left: int) -> Template:
    return lambda body: whole()(body)[:left]


# --- fields -------------------------------------------------------------------------------------------------------


class Use(Enum):
    """What a field of the good answer is to whoever wants the balance."""

    NEEDED = "without it, or with another type in it, there is no reading"
    NULL_IS_NONE = "as needed, but null says that the account has no balance"
    CODE = "where it is, it must be the code of success"
    BESIDE = "no number and no status follows from it"


USES: Mapping[str, Mapping[str, Use]] = {
    "23telecom": {"balance": Use.NEEDED, "currency": Use.NEEDED},
    "iletimerkezi": dict.fromkeys(
        (
            "response",
            "response.status",
            "response.status.code",
            "response.balance",
            "response.balance.amount",
            "response.balance.sms",
        ),
        Use.NEEDED,
    ),
    "vonage": {"value": Use.NEEDED},
    "twilio": {"balance": Use.NULL_IS_NONE, "currency": Use.NEEDED},
    "telnyx": dict.fromkeys(("data", "data.available_credit", "data.currency"), Use.NEEDED),
    "plivo": {"cash_credits": Use.NEEDED},
    "netgsm": {"code": Use.CODE, "balance": Use.NEEDED},
    "clicksend": {
        "response_code": Use.CODE,
        **dict.fromkeys(
            ("data", "data.banned", "data.balance", "data._currency", "data._currency.currency_name_short"), Use.NEEDED
        ),
    },
    "seven": {"amount": Use.NEEDED, "currency": Use.NEEDED},
    "46elks": {"balance": Use.NEEDED, "currency": Use.NEEDED},
    "bulksms": {"credits": Use.NEEDED, "credits.balance": Use.NEEDED},
}
"""By provider and path, as the providers' own pages describe their answers; every other field is beside."""

_GONE = object()
"""Stands for a field that is not there."""

OUT_OF_JSON = {"NaN": "NaN", "minus infinity": "-Infinity", "a number of ten thousand digits": "9" * 10_000}
"""What no JSON is, or none that anybody can read, wherever it stands."""

IN_ITS_PLACE: Mapping[str, str | Callable[[Any], object]] = {
    "missing": lambda _: _GONE,
    "null": "null",
    "true": "true",
    "false": "false",
    "an empty text": '""',
    "an empty list": "[]",
    "a list of it": lambda value: [value],
    "an empty object": "{}",
    "in the other notation, text or number": lambda value: str(value) if type(value) in {int, float} else 4711.11,
    "larger than any number": "1e400",
    **OUT_OF_JSON,
}
"""What is found in a field's place: JSON as it stands there, or what is made of the good value."""

_ABSENT = {"missing", "null"}


def damaged_fields(provider: str) -> Iterator[Damage]:
    """Yield the good answer with every field of it damaged in every way."""
    good = json.loads(healthy(provider, DECOY).body)
    for path in _paths(good):
        use = USES[provider].get(".".join(path), Use.BESIDE)
        for what, instead in IN_ITS_PLACE.items():
            sentence = f"“{'.'.join(path)}” is {what}."
            yield Damage(sentence, whole(of=_with(path, instead)), *_outcome(path, what, use))


def _outcome(path: tuple[str, ...], what: str, use: Use) -> tuple[str, str | None, str | None]:
    """Return status, cause and the field that is named."""
    field = ".".join(path)
    if what in OUT_OF_JSON:
        return "invalid_response", "not_json", None
    if what == "an empty object" and use is Use.NEEDED and _is_object(field):
        return "invalid_response", "field_missing", None  # one of those that it must have
    status, cause = _OF_USE[use][what in _ABSENT]
    if use is Use.NULL_IS_NONE and what == "null":
        status, cause = "access_denied", "no_balance"
    return status, cause, field if cause and cause.startswith("field") else None


_NO_READING, _NO_FIELD = ("invalid_response", "field_unreadable"), ("invalid_response", "field_missing")
_READ = ("fresh", None)

_OF_USE: Mapping[Use, tuple[tuple[str, str | None], tuple[str, str | None]]] = {
    Use.NEEDED: (_NO_READING, _NO_FIELD),
    Use.NULL_IS_NONE: (_NO_READING, _NO_FIELD),
    Use.CODE: (("invalid_response", "code_unexpected"), _READ),
    Use.BESIDE: (_READ, _READ),
}
"""Status and cause where something else stands in a field's place, and where there is nothing."""


def _is_object(field: str) -> bool:
    return any(other.startswith(f"{field}.") for uses in USES.values() for other in uses)


def _paths(members: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in members.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from _paths(value, (*above, name))


def _with(path: tuple[str, ...], instead: str | Callable[[Any], object]) -> Template:
    """Return what puts something else in a field's place."""

    def damaged(body: bytes) -> bytes:
        good = json.loads(body)
        *above, name = path
        around = good
        for each in above:
            around = around[each]
        value = _PLACE if isinstance(instead, str) else instead(around[name])
        if value is _GONE:
            del around[name]
        else:
            around[name] = value
        text = json.dumps(good)
        return (text.replace(f'"{_PLACE}"', instead) if isinstance(instead, str) else text).encode()

    return damaged


_PLACE = "the place of what no library would write"
