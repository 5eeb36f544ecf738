"""seven.io, simulated: an API key in a header.

The core's module of the same name links their pages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received
from ..behaviour import Live, Scenario, money


class Seven:
    """Their API."""

    key: ClassVar[str] = "seven"
    base_url: ClassVar[str] = "https://gateway.seven.io"
    required: ClassVar[tuple[str, ...]] = ("api_key",)
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {"steady": Scenario(money(600, "35.60", "29.90"))}

    def named(self, request: Received) -> dict[str, str]:
        """Return the API key."""
        key = request.headers.get("X-Api-Key")
        return {"api_key": key} if key else {}

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - `named` did
        """Check path and method."""
        if request.path != "/api/balance":
            return "error_404_html"
        return None if request.method == "GET" else "error_405_html"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time in it
        """Return a balance of this moment."""
        return {**members, "amount": float(live.balance)}
