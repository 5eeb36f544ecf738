"""Netgsm, simulated: user code and password in the body.

The core's module of the same name links their pages.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received
from ..behaviour import Live, Scenario, money


class Netgsm:
    """Their API."""

    key: ClassVar[str] = "netgsm"
    base_url: ClassVar[str] = "https://api.netgsm.com.tr"
    required: ClassVar[tuple[str, ...]] = ("usercode", "password")
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {"steady": Scenario(money(600, "1480.00", "1206.00"))}

    def named(self, request: Received) -> dict[str, str]:
        """Return user code and password."""
        try:
            asked = json.loads(request.body)
            return {"usercode": asked["usercode"], "password": asked["password"]}
        except (ValueError, TypeError, LookupError, RecursionError):
            return {}

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - `named` did
        """Check path and method."""
        if request.path != "/balance":
            return "error_404_html"
        return None if request.method == "POST" else "error_405_html"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time in it
        """Return a balance of this moment."""
        return {**members, "balance": f"{live.balance:.3f}".replace(".", ",")}
