"""Plivo, simulated: HTTP basic authentication, and the account in the URL.

The core's module of the same name links their pages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received, basic_of
from ..behaviour import Live, Scenario, money


class Plivo:
    """Their API."""

    key: ClassVar[str] = "plivo"
    base_url: ClassVar[str] = "https://api.plivo.com"
    required: ClassVar[tuple[str, ...]] = ("auth_id", "auth_token")
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {"steady": Scenario(money(600, "61.20", "44.80"))}

    def named(self, request: Received) -> dict[str, str]:
        """Return id and token."""
        return basic_of(request, "auth_id", "auth_token")

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:
        """Check path, account and method."""
        if request.path != f"/v1/Account/{credentials.get('auth_id', '')}/":
            return "error_404_html" if credentials else None
        return None if request.method == "GET" else "error_405_html"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time in it
        """Return a balance of this moment."""
        return {**members, "cash_credits": f"{live.balance}"}
