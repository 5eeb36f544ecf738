"""Credentials that are recognised wherever they come out, whole or in part, and in whatever form."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # inside Home Assistant the core has another name
    from sms_credit_core import Provider

_LETTERS = bytes.maketrans(b"0123456789abcdef", b"ghjkmnpqrtvwxyzG")
"""Every one is a letter, and none can stand in a number of any base up to sixteen."""

_LENGTH = 10
"""Characters of one end of a credential. Whoever shows less than that of it shows what is usual for a hint."""

ODD = '+=&"<%\\'
"""What URLs, JSON, HTML, logfmt and shells write differently."""

PLAIN = "_"
"""What stands between the ends of a credential that could be taken for a provider's error code."""


def _end(of: str) -> str:
    return sha256(of.encode()).hexdigest().encode().translate(_LETTERS)[:_LENGTH].decode()


def marked(*names: str, between: str = ODD) -> str:
    """Return a credential that nothing else is like: by its first and by its last characters."""
    return f"{_end(':'.join((*names, 'first')))}{between}{_end(':'.join((*names, 'last')))}"


def credentials(provider: "Provider", *names: str, between: str = ODD, optional: bool = True) -> Mapping[str, str]:
    """Return a credential for each that the provider declares; the names tell this account's from another's."""
    return {
        field.name: marked(provider.key, *names, field.name, between=between)
        for field in provider.credentials
        if field.required or optional
    }


def _in_base64(before: int) -> Callable[[bytes], bytes]:
    """Return what Base64 makes of a text that begins so many bytes after the start of a group of three."""

    def encoded(text: bytes) -> bytes:
        whole = b64encode(b"\0" * before + text)
        return whole[-(-before * 4 // 3) : (before + len(text)) * 4 // 3]  # what the neighbours have no part in

    return encoded


FORMS: Mapping[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "backwards": lambda text: text[::-1],
    "hexadecimal": lambda text: text.hex().encode(),
    "hexadecimal in capitals": lambda text: text.hex().upper().encode(),
    "hexadecimal with spaces": lambda text: text.hex(" ").encode(),
    "percent-encoded to the last letter": lambda text: b"".join(b"%%%02X" % letter for letter in text),
    "UTF-16": lambda text: text.decode().encode("utf-16-le"),
    "Base64, at the start of a group": _in_base64(0),
    "Base64, one byte later": _in_base64(1),
    "Base64, two bytes later": _in_base64(2),
}
"""Letters are letters in URLs, JSON, HTML and logfmt: what those write differently stands between the ends."""


@dataclass(frozen=True)
class Search:
    """Looks for credentials."""

    forms: Mapping[bytes, str]
    """What each form of each end is called."""

    @classmethod
    def of(cls, values: Iterable[str]) -> "Search":
        """Look for these credentials, which `marked` has made."""
        ends = {end for value in values for end in (value[:_LENGTH], value[-_LENGTH:])}
        return cls({form(end.encode()): f"{end}, {name}" for end in sorted(ends) for name, form in FORMS.items()})

    def found(self, data: bytes | str) -> list[str]:
        """Return the names of what occurs."""
        raw = data.encode(errors="surrogateescape") if isinstance(data, str) else data
        return [name for form, name in self.forms.items() if form in raw]
