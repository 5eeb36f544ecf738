"""BulkSMS, simulated: HTTP basic authentication.

The core's module of the same name links their pages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received, basic_of
from ..behaviour import Live, Scenario, money


class BulkSms:
    """Their API."""

    key: ClassVar[str] = "bulksms"
    base_url: ClassVar[str] = "https://api.bulksms.com"
    required: ClassVar[tuple[str, ...]] = ("token_id", "token_secret")
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {"steady": Scenario(money(600, "2101.15", "1624.65"))}

    def named(self, request: Received) -> dict[str, str]:
        """Return id and secret of the token."""
        return basic_of(request, "token_id", "token_secret")

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - `named` did
        """Check path and method."""
        if request.path != "/v1/profile":
            return "error_404"
        return None if request.method == "GET" else "error_405"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time in it
        """Return the credits of this moment."""
        return {**members, "credits": {**members["credits"], "balance": float(live.balance)}}
