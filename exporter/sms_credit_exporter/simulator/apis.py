"""What the server asks of a simulated provider; providers/ has one for each."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from .behaviour import Live, Scenario


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in. Its headers and body hold credentials."""

    at: float
    """Unix time."""
    method: str
    path: str
    """As the provider documents it, wherever the simulator has put the provider."""
    full_path: str
    """As it was asked for; what a signature covers."""
    headers: Mapping[str, str] = field(repr=False)
    """Looked up by name in any case."""
    body: bytes = field(repr=False)


def basic_of(request: Received, user: str, password: str) -> dict[str, str]:
    """Return the credentials of HTTP's own authentication under these names; empty if it holds none."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        first, colon, second = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {user: first, password: second} if scheme.lower() == "basic" and colon else {}


class Api(Protocol):
    """One provider's API, with a memory of its own. A refusal is the name of a payload."""

    key: ClassVar[str]
    """The core's. Nothing else comes from there: inside Home Assistant, where this is used too, it has another name."""
    base_url: ClassVar[str]
    """The real one's."""
    required: ClassVar[tuple[str, ...]]
    """The credentials that every account has."""
    unknown: ClassVar[str]
    """The refusal of credentials that no account has."""
    scenarios: ClassVar[Mapping[str, Scenario]]
    """What the provider's accounts can live through, by name.

    Refused credentials are asked again after twelve intervals, 24 seconds in the demo. They are refused for a little
    less than two such waits, and accepted for long enough after that for the change to be seen.
    """

    def named(self, request: Received) -> dict[str, str]:
        """Return the credentials that say whose request it is; empty if it does not say."""

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:
        """Return why the request is refused in any other way; the credentials are those of its account, if any."""

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> Mapping[str, Any]:
        """Return the members of a payload with an account's present numbers in them, at this Unix time."""
