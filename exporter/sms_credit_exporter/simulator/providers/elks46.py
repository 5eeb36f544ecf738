"""46elks, simulated: HTTP basic authentication.

The core's module of the same name links their pages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received, basic_of
from ..behaviour import Live, Scenario, money


class Elks46:
    """Their API."""

    key: ClassVar[str] = "46elks"
    base_url: ClassVar[str] = "https://api.46elks.com"
    required: ClassVar[tuple[str, ...]] = ("api_username", "api_password")
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {"steady": Scenario(money(600, "960.00", "871.50"))}

    def named(self, request: Received) -> dict[str, str]:
        """Return user name and password."""
        return basic_of(request, "api_username", "api_password")

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - `named` did
        """Check path and method."""
        if request.path != "/a1/me":
            return "error_404_html"
        return None if request.method == "GET" else "error_405_html"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time in it
        """Return a balance of this moment."""
        return {**members, "balance": int(live.balance * 10_000)}
