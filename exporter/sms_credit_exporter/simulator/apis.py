"""What each API demands of a request before it looks at the account; a refusal is the name of a payload."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

_CLOCK_TOLERANCE = 300.0
"""Seconds that the timestamp of a signed request may be off, either way."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in. Its headers and body hold credentials."""

    at: float
    """Unix time."""
    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    """Looked up by name in any case."""
    body: bytes = field(repr=False)


class Api(Protocol):
    """One provider's API."""

    base_path: str
    required: tuple[str, ...]
    """The credentials that every account has."""
    unknown: str
    """The refusal of credentials that no account has."""

    def named(self, request: Received) -> dict[str, str]:
        """Return the credentials that say whose request it is; empty if it does not say."""

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:
        """Return why the request is refused in any other way; the credentials are those of its account, if any."""


class Telecom23Api:
    """An API key in a header; with an API secret also a signature, which is good for one request."""

    base_path = "/api/v1"
    required: tuple[str, ...] = ("api_key",)
    unknown = "error_invalid_api_key"

    def __init__(self) -> None:
        """Begin with no signature accepted yet."""
        self._accepted: set[tuple[str, str]] = set()

    def named(self, request: Received) -> dict[str, str]:
        """Return the API key."""
        key = request.headers.get("X-API-Key")
        return {"api_key": key} if key else {}

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:
        """Check path, method and key, then the signature where the account has an API secret."""
        if request.path != "/api/v1/user/balance":
            return "error_404_html"
        if request.method != "GET":
            return "error_405_html"
        if not self.named(request):
            return "error_unauthorized"
        secret = credentials.get("api_secret")
        return self._signature_refusal(request, secret.encode()) if secret else None

    def _signature_refusal(self, request: Received, secret: bytes) -> str | None:
        timestamp, signature = (request.headers.get(name) for name in ("X-Timestamp", "X-Signature"))
        if not timestamp or not signature:
            return "error_signature_required"
        signed = f"{request.method}|{request.path}|{timestamp}|".encode(errors="replace") + request.body
        genuine = signature == hmac.digest(secret, signed, hashlib.sha256).hex()
        timely = timestamp.isdecimal() and abs(request.at - int(timestamp)) <= _CLOCK_TOLERANCE
        if not genuine or not timely or (timestamp, signature) in self._accepted:
            return "error_invalid_signature"
        self._accepted.add((timestamp, signature))
        return None


class IletiMerkeziApi:
    """An API key and its hash in the body."""

    base_path = ""
    required: tuple[str, ...] = ("api_key", "api_hash")
    unknown = "error_401"

    def named(self, request: Received) -> dict[str, str]:
        """Return key and hash from a body of exactly the documented shape."""
        media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            members = json.loads(request.body)
            authentication = members["request"]["authentication"]
            key, hash_ = authentication["key"], authentication["hash"]
        except (ValueError, TypeError, LookupError, RecursionError):
            return {}
        exact = members == {"request": {"authentication": {"key": key, "hash": hash_}}}
        return {"api_key": key, "api_hash": hash_} if exact and media_type == "application/json" else {}

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - not signed
        """Check path and method, then the body."""
        if (request.method, request.path) != ("POST", "/v1/get-balance/json"):
            return "error_404"
        return None if self.named(request) else "error_400"


def apis() -> Mapping[str, Api]:
    """Return the APIs by their providers' keys, each with a memory of its own."""
    return {"23telecom": Telecom23Api(), "iletimerkezi": IletiMerkeziApi()}
