"""Vonage, simulated: HTTP basic authentication with an API key and its secret.

The core's module of the same name links their pages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received, basic_of
from ..behaviour import Live, Scenario, answers, money


class Vonage:
    """Their API."""

    key: ClassVar[str] = "vonage"
    base_url: ClassVar[str] = "https://rest.nexmo.com"
    required: ClassVar[tuple[str, ...]] = ("api_key", "api_secret")
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {
        "steady": Scenario(money(600, "96.20", "81.50")),
        "key_refused": Scenario(answers(45, "error_401"), money(15, "18.00", "17.60")),
    }

    def named(self, request: Received) -> dict[str, str]:
        """Return key and secret."""
        return basic_of(request, "api_key", "api_secret")

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - `named` did
        """Check path and method."""
        if request.path != "/account/get-balance":
            return "error_404_html"
        return None if request.method == "GET" else "error_405_html"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time in it
        """Return a balance of this moment."""
        return {**members, "value": float(live.balance)}
