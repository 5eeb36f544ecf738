"""23 Telecom, simulated: an API key in a header; with an API secret also a signature, which is good for one request.

The core's module of the same name links their pages.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from ..apis import Received
from ..behaviour import Live, Scenario, answers, money

_CLOCK_TOLERANCE = 300.0
"""Seconds that the timestamp of a signed request may be off, either way."""


class Telecom23:
    """Their API."""

    key: ClassVar[str] = "23telecom"
    base_url: ClassVar[str] = "https://restlink23telecom.com/api/v1"
    required: ClassVar[tuple[str, ...]] = ("api_key",)
    unknown: ClassVar[str] = "error_invalid_api_key"
    scenarios: ClassVar[Mapping[str, Scenario]] = {
        "steady": Scenario(money(600, "842.30", "786.10")),
        "runs_dry": Scenario(
            money(10, "-0.40", "-1.20"),
            money(25, "58.80", "42.00"),
            money(20, "42.00", "12.00"),
            money(20, "12.00", "0.00"),
            money(5, "0.00", "-0.40"),
        ),
        "cache_degraded": Scenario(
            money(20, "310.40", "305.60"),
            answers(20, "unavailable_cache_miss_refresh_failed"),
            money(20, "300.80", "296.00", payload="partial"),
        ),
        "onboarding": Scenario(answers(30, "onboarding"), money(30, "50.00", "47.30")),
        "rate_limited": Scenario(
            money(5, "1630.00", "1620.00"),
            answers(8, "error_rate_limit_exceeded"),
            money(12, "1604.00", "1580.00"),
            answers(8, "error_rate_limited_html"),
            money(12, "1564.00", "1540.00"),
            answers(15, "error_rate_limited_empty"),
        ),
        "key_refused": Scenario(answers(45, "error_invalid_api_key"), money(15, "75.00", "74.10")),
        "ip_not_allowed": Scenario(
            answers(12, "error_ip_not_allowed"), money(15, "128.40", "127.50"), answers(33, "error_ip_not_allowed")
        ),
    }

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

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:
        """Return a balance of this moment."""
        return {
            "balance": float(live.balance),
            "currency": live.currency or members["currency"],
            "updated": f"{datetime.fromtimestamp(at, UTC):%Y.%m.%d %H:%M:%S}",
            # They send the flag only while it is true.
            **({"credit_blocked": True} if live.balance <= 0 else {}),
        }

    def _signature_refusal(self, request: Received, secret: bytes) -> str | None:
        timestamp, signature = (request.headers.get(name) for name in ("X-Timestamp", "X-Signature"))
        if not timestamp or not signature:
            return "error_signature_required"
        signed = f"{request.method}|{request.full_path}|{timestamp}|".encode(errors="replace") + request.body
        genuine = signature == hmac.digest(secret, signed, hashlib.sha256).hex()
        timely = timestamp.isdecimal() and abs(request.at - int(timestamp)) <= _CLOCK_TOLERANCE
        if not genuine or not timely or (timestamp, signature) in self._accepted:
            return "error_invalid_signature"
        self._accepted.add((timestamp, signature))
        return None
