"""An answer as it came off the wire, and the strict reading of its JSON: a value is certain, or it is a problem."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Never

from .problem import Cause, NoReading

_MAX_MAGNITUDE = 15
_MAX_DIGITS = 28
_MIN_EXPONENT = -64
"""`1e999999999` is valid JSON but no balance. What a binary float leaves over, as in 10.584000000000001, is fine."""

_NUMBER_IN_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?")

_CURRENCY = re.compile("[A-Z]{3}")

_BARE_CODE = re.compile(rb'\s*"?([0-9]{1,6})"?\s*')

_STABLE_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case; a repeated header's values are joined by commas."""
    body: bytes = field(repr=False)


def stable_code(value: object) -> str | None:
    """Return a provider's code if it looks like one, so that no free text of theirs ends up in a log or on a page."""
    return value if isinstance(value, str) and _STABLE_CODE.fullmatch(value) else None


def bare_code(body: bytes) -> str | None:
    """Return the number that an answer is, quoted or not, where a provider answers a code and nothing else."""
    found = _BARE_CODE.fullmatch(body)
    return found[1].decode() if found else None


class Fields:
    """The members of a JSON object, read by type; every refusal names the field by its full path."""

    def __init__(self, members: Mapping[str, Any], path: str = "") -> None:
        """Take the members of the object that stands at `path` in the answer."""
        self._members = members
        self._path = path

    @classmethod
    def of(cls, body: bytes) -> "Fields":
        """Decode an answer's body. Raises NoReading unless it is one JSON object in UTF-8."""
        try:
            decoded = json.loads(
                body.decode("utf-8-sig"),
                parse_float=Decimal,
                parse_constant=_refuse,
                object_pairs_hook=_unique,
            )
        except (ValueError, ArithmeticError, RecursionError):
            raise NoReading(Cause.NOT_JSON) from None
        if not isinstance(decoded, dict):
            raise NoReading(Cause.NOT_AN_OBJECT)
        return cls(decoded)

    def get(self, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Return a member as it stands; None where it is null or missing."""
        return self._members.get(name)

    def is_null(self, name: str) -> bool:
        """Whether a member is there, and null."""
        return name in self._members and self._members[name] is None

    def object(self, name: str) -> "Fields":
        """Return a member that must be an object."""
        return Fields(self._must_be(name, dict), self._path_of(name) + ".")

    def integer(self, name: str) -> int:
        """Return a member that must be a whole number, written as one."""
        value: int = self._must_be(name, int)
        self._bounded(name, Decimal(value))
        return value

    def number(self, name: str) -> Decimal:
        """Return a member that must be a number, exactly as it was written."""
        return self._bounded(name, Decimal(self._must_be(name, int, Decimal)))

    def number_in_text(self, name: str, point: str = ".") -> Decimal:
        """Return a member that must be a number in text, exactly as it was written, with this decimal separator."""
        value: str = self._must_be(name, str)
        plain = value.replace(point, ".") if point == "." or "." not in value else ""
        return self._bounded(name, Decimal(plain)) if _NUMBER_IN_TEXT.fullmatch(plain) else self._unreadable(name)

    def currency(self, name: str) -> str:
        """Return a member that must be an ISO 4217 code."""
        value: str = self._must_be(name, str)
        return value if _CURRENCY.fullmatch(value) else self._unreadable(name)

    def flag(self, name: str) -> bool | None:
        """Return a member that may be true or false; None where it is null or missing."""
        return None if self.get(name) is None else bool(self._must_be(name, bool))

    def contradicts(self, name: str) -> Never:
        """Refuse the whole answer because this member contradicts the rest of it."""
        self._unreadable(name)

    def _must_be(self, name: str, *kinds: type) -> Any:  # noqa: ANN401 - the kinds say which
        value = self.get(name)
        if value is None:
            raise NoReading(Cause.FIELD_MISSING, detail=self._path_of(name))
        # type() and not isinstance(): to Python, true is an int.
        return value if type(value) in kinds else self._unreadable(name)

    def _bounded(self, name: str, number: Decimal) -> Decimal:
        _, digits, exponent = number.as_tuple()
        if number.adjusted() > _MAX_MAGNITUDE or len(digits) > _MAX_DIGITS or int(exponent) < _MIN_EXPONENT:
            self._unreadable(name)
        return number + 0  # a negative zero becomes the one zero that people know

    def _unreadable(self, name: str) -> Never:
        raise NoReading(Cause.FIELD_UNREADABLE, detail=self._path_of(name))

    def _path_of(self, name: str) -> str:
        return self._path + name


def _refuse(_constant: str) -> Never:
    """Refuse NaN and Infinity, which Python reads but JSON does not have."""
    raise ValueError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that names a member twice: it has no certain meaning."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members
