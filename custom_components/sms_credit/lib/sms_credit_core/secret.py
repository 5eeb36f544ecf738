"""Credentials that cannot be printed by accident."""

import hmac
from collections.abc import Mapping
from typing import NoReturn, Self

MASK = "<secret>"


class Secret:
    """A credential. Whatever turns it into text or bytes gives the mask; only `reveal` gives the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap the value."""
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the request that needs it and nothing else."""
        return self._value

    def __repr__(self) -> str:
        """Mask the value; str(), format() and f-strings come here too."""
        return MASK

    def __eq__(self, other: object) -> bool:
        """Compare in constant time, so that a reload can tell whether a credential changed."""
        return isinstance(other, Secret) and hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        """Hash as the value does."""
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled."""
        message = "a Secret cannot be serialised"
        raise TypeError(message)

    def __copy__(self) -> Self:
        """Copy as an immutable does."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Copy as an immutable does (`dataclasses.asdict` asks for it)."""
        return self

    def _bytes(self) -> bytes:
        return self._value.encode(errors="surrogatepass")  # an environment variable can hold any bytes


Credentials = Mapping[str, Secret]
"""The credentials of one account by the names that its provider declares."""
