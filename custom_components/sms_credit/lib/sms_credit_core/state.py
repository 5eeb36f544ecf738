"""What is remembered of an account over restarts: one text, made and read here.

It is JSON: the version of its form, whose account it is, a checksum, and the account. Amounts are decimal text, moments
are Unix seconds. It holds no credential. Whose account it is shows from a digest of provider, address and credentials
under a key of its own, so that two accounts with the same credentials have nothing in common that could be compared.
"""

import hashlib
import json
import math
import secrets
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from .account import Account
from .instant import Instant
from .pace import Pace
from .secret import Credentials
from .worded import Worded

VERSION = 1
"""Raised with each change of the form that an older version would misread."""

_ACCOUNT = ', "account": '
"""What the checksum is of begins after it."""

_CLOCKS_DIFFER = 60.0
"""Seconds that a moment may lie ahead because clocks are set now and then."""


class SetAside(Worded):
    """Why a remembered account is not taken over, with the sentence that people are told."""

    DAMAGED = "damaged", "What was remembered of the account is damaged. It begins anew."
    NEWER = "newer", "What was remembered of the account was written by a newer version. It begins anew."
    OTHER_CREDENTIALS = (
        "other_credentials",
        "What was remembered belongs to other credentials. The account begins anew.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose account it is: who asks whom, with which credentials. What is remembered of it is of use to nobody else."""

    provider: str
    """The provider's key."""
    base_url: str
    credentials: Credentials = field(repr=False)

    def fingerprint(self, key: bytes) -> str:
        """Return a digest that tells owners apart and tells nothing of their credentials."""
        named = sorted((name, secret.reveal()) for name, secret in self.credentials.items())
        told = repr((self.provider, self.base_url, named)).encode(errors="surrogatepass")
        return hashlib.blake2b(told, key=key, digest_size=16).hexdigest()


def remembered(account: Account, owner: Owner) -> str:
    """Return what is to be remembered of an account."""
    key, body = secrets.token_bytes(16), _encoded(_written(account))
    head = {"version": VERSION, "key": key.hex(), "owner": owner.fingerprint(key), "checksum": _checksum(body)}
    return f"{json.dumps(head)[:-1]}{_ACCOUNT}{body}}}"


def recalled(text: str, owner: Owner, now: Instant) -> Account | SetAside:
    """Return the account that was remembered, as it is now, or why it is not taken over.

    Ages go on by the wall clock. A moment that lies ahead of it, because the clock was set back, is now; but a reading
    of which nobody can tell how old it is, is not shown any more.
    """
    try:
        return _recalled(text, owner, now)
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return SetAside.DAMAGED


def _recalled(text: str, owner: Owner, now: Instant) -> Account | SetAside:
    state = json.loads(text)
    if state["version"] > VERSION:
        return SetAside.NEWER
    if state["version"] != VERSION or _checksum(text.partition(_ACCOUNT)[2][:-1]) != state["checksum"]:
        return SetAside.DAMAGED
    if owner.fingerprint(bytes.fromhex(state["key"])) != state["owner"]:
        return SetAside.OTHER_CREDENTIALS
    account: Account = _reader(Account)(state["account"], now)
    read_at = state["account"]["read_at"]
    return replace(account, read_at=None) if read_at and read_at > now.unix + _CLOCKS_DIFFER else account


_encoded = json.JSONEncoder(allow_nan=False).encode


def _checksum(body: str) -> str:
    return hashlib.blake2b(body.encode(), digest_size=8).hexdigest()


def _written(value: Any) -> Any:  # noqa: ANN401 - every type that an account is made of
    """Return a value as JSON has it."""
    kind: Any = type(value)
    return _writer(kind)(value)


@cache
def _writer(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - a type
    """Return what writes values of a type."""
    if kind in _WRITERS or not is_dataclass(kind):
        return _WRITERS.get(kind, lambda value: value)
    names = [each.name for each in fields(kind)]
    return lambda value: {name: _written(getattr(value, name)) for name in names}


_WRITERS: Mapping[type, Callable[[Any], Any]] = {
    Instant: lambda moment: moment.unix,
    Pace: Pace.packed,
    Decimal: str,
    datetime: datetime.isoformat,
    dict: lambda mapping: {key: _written(each) for key, each in mapping.items()},
    tuple: lambda sequence: [_written(each) for each in sequence],
}

_Read = Callable[[Any, Instant], Any]
"""Returns a value from what JSON holds; the moment is now. Raises ValueError or TypeError for anything else."""


@cache
def _reader(kind: Any) -> _Read:  # noqa: ANN401 - a type, or what stands for one
    """Return what reads values of a type."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is types.UnionType:
        return _optional(_reader(inner[0]))
    if origin is tuple:
        return _sequence(_reader(inner[0]))
    if origin is Mapping:
        return _mapping(_reader(inner[0]), _reader(inner[1]))
    return _record(kind) if is_dataclass(kind) else lambda value, _now: kind(value)


def _optional(read: _Read) -> _Read:
    return lambda value, now: None if value is None else read(value, now)


def _sequence(read: _Read) -> _Read:
    return lambda value, now: tuple(read(each, now) for each in _must_be(value, list))


def _mapping(key: _Read, read: _Read) -> _Read:
    return lambda value, now: {key(name, now): read(each, now) for name, each in _must_be(value, dict).items()}


def _record(kind: Any) -> _Read:  # noqa: ANN401 - a dataclass
    """Read a dataclass by its own fields. What an older form did not have yet is as in a new account."""
    hints = get_type_hints(kind)
    readers = {each.name: _reader(hints[each.name]) for each in fields(kind)}

    def read(value: Any, now: Instant) -> Any:  # noqa: ANN401 - as the type of _Read
        return kind(**{name: readers[name](member, now) for name, member in _must_be(value, dict).items()})

    return read


def _must_be(value: Any, *kinds: type) -> Any:  # noqa: ANN401 - the kinds say which
    if type(value) not in kinds:
        raise TypeError
    return value


def _finite(value: Any) -> float:  # noqa: ANN401 - as the type of _Read
    number = float(_must_be(value, float, int))
    if not math.isfinite(number):
        raise ValueError
    return number


def _instant(value: Any, now: Instant) -> Instant:  # noqa: ANN401 - as the type of _Read
    return Instant.recorded(min(_finite(value), now.unix), now)


_PLAIN: Mapping[Any, _Read] = {
    str: lambda value, _now: _must_be(value, str),
    bool: lambda value, _now: _must_be(value, bool),
    int: lambda value, _now: _must_be(value, int),
    float: lambda value, _now: _finite(value),
    Decimal: lambda value, _now: Decimal(_must_be(value, str)),
    datetime: lambda value, _now: datetime.fromisoformat(value),
    Instant: _instant,
    Pace: lambda value, _now: Pace.unpacked(_must_be(value, str)),
}
