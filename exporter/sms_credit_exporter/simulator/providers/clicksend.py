"""ClickSend, simulated: HTTP basic authentication with a user name and an API key.

The core's module of the same name links their pages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received, basic_of
from ..behaviour import Live, Scenario, money


class ClickSend:
    """Their API."""

    key: ClassVar[str] = "clicksend"
    base_url: ClassVar[str] = "https://rest.clicksend.com"
    required: ClassVar[tuple[str, ...]] = ("username", "api_key")
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {"steady": Scenario(money(600, "72.40", "58.10"))}

    def named(self, request: Received) -> dict[str, str]:
        """Return user name and key."""
        return basic_of(request, "username", "api_key")

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - `named` did
        """Check path and method."""
        if request.path != "/v3/account":
            return "error_404_html"
        return None if request.method == "GET" else "error_405_html"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time in it
        """Return a balance of this moment."""
        return {**members, "data": {**members["data"], "balance": f"{live.balance}"}}
