"""Telnyx, simulated: an API key as a bearer token.

The core's module of the same name links their pages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received
from ..behaviour import Live, Scenario, money


class Telnyx:
    """Their API."""

    key: ClassVar[str] = "telnyx"
    base_url: ClassVar[str] = "https://api.telnyx.com"
    required: ClassVar[tuple[str, ...]] = ("api_key",)
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {"steady": Scenario(money(600, "214.00", "188.50"))}

    def named(self, request: Received) -> dict[str, str]:
        """Return the API key."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return {"api_key": key} if scheme == "Bearer" else {}

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - `named` did
        """Check path and method."""
        if request.path != "/v2/balance":
            return "error_404_html"
        return None if request.method == "GET" else "error_405_html"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time in it
        """Return a balance of this moment."""
        return {
            "data": {
                **members["data"],
                "balance": f"{live.balance}",
                "credit_limit": "0.00",
                "available_credit": f"{live.balance}",
            }
        }
