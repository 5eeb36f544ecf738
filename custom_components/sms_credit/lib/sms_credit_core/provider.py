"""What a provider declares about itself, and the two things that it does: word a request and read an answer."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar, Protocol
from urllib.parse import quote

from .answer import Answer, Fields, stable_code
from .problem import Cause, NoReading
from .reading import Reading, Value
from .secret import Credentials, Secret

_SENDABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialField:
    """One credential that an account of the provider has."""

    MAX_LENGTH: ClassVar[int] = 512

    name: str
    required: bool = True
    secret: bool = True
    """Whether nobody may see it. An account's number or a user name is shown in forms, and in logs all the same not."""
    identity: bool = False
    """Whether it tells which account it is: no two accounts have the same."""

    @classmethod
    def accepts(cls, value: str) -> bool:
        """Whether the value can be a credential at all: printable ASCII without white space, and not too long."""
        return len(value) <= cls.MAX_LENGTH and _SENDABLE.fullmatch(value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, complete. Headers and body hold credentials, so they are never printed."""

    method: str
    url: str
    """With the name of a credential in braces wherever that credential belongs."""
    in_url: Mapping[str, Secret] = field(default_factory=dict)
    """The credentials that belong into the URL, by name; they are quoted, and no log shows them."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    def address(self) -> str:
        """Return the URL with the credentials in it, for nothing but the request itself."""
        address = self.url
        for name, secret in self.in_url.items():
            address = address.replace(f"{{{name}}}", quote(secret.reveal(), safe=""))
        return address


class Provider(Protocol):
    """An SMS gateway. Config forms, checks, entities, metrics and the documentation's tables follow from this."""

    key: str
    """Stable identity, used in configuration, labels and file names."""
    name: str
    """What people call it."""
    credentials: tuple[CredentialField, ...]
    gives: frozenset[Value]
    panel_url: str
    """Where a person tops up, and sees to keys and permissions."""
    base_url: str
    """Without a slash at its end."""
    min_poll_interval: float
    """Seconds; the shortest that is polite to the provider."""
    currency: str | None
    """ISO 4217 code where the API implies one; None where each answer names it."""

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:
        """Word the balance request.

        `timestamp` is Unix time in whole seconds, for providers whose requests are signed; it must never be
        the same for two requests of one account.
        """

    def read(self, answer: Answer) -> Reading:
        """Read an answer. A pure function; raises NoReading and nothing else."""


def basic(user: Secret, password: Secret) -> Mapping[str, str]:
    """Return the header of HTTP's own authentication (RFC 7617)."""
    pair = f"{user.reveal()}:{password.reveal()}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def can_give(provider: Provider, value: Value, *, priced: bool) -> bool:
    """Whether an account can ever have a value: from its provider, or worked out where a message's price is known."""
    return value in provider.gives or (value is Value.QUOTA and priced)


CAUSE_BY_HTTP_STATUS: Mapping[int, Cause] = {
    HTTPStatus.UNAUTHORIZED: Cause.CREDENTIALS_REFUSED,
    HTTPStatus.FORBIDDEN: Cause.ACCESS_REFUSED,
    HTTPStatus.TOO_MANY_REQUESTS: Cause.RATE_LIMITED,
    **dict.fromkeys(range(500, 600), Cause.PROVIDER_ERROR),
}
"""What an HTTP status means where a provider's own code does not tell."""


def refusal(answer: Answer, code: object, causes: Mapping[str, Cause]) -> NoReading:
    """Say why an answer is no reading: by the provider's code if it is known, else by the HTTP status."""
    unread = Cause.STATUS_UNEXPECTED if code is None else Cause.CODE_UNEXPECTED
    cause = causes.get(str(code)) or CAUSE_BY_HTTP_STATUS.get(answer.status, unread)
    return NoReading(cause, code=stable_code(code), detail=str(answer.status))


def opened(answer: Answer) -> tuple[Fields, NoReading | None]:
    """Return the members of an answer, or none and why: one that reports an error may be HTML, empty or a list."""
    try:
        return Fields.of(answer.body), None
    except NoReading as no_reading:
        return Fields({}), no_reading
