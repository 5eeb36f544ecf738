"""Twilio, simulated: HTTP basic authentication, and the account in the URL.

The core's module of the same name links their pages.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received, basic_of
from ..behaviour import Live, Scenario, money

_PATH = re.compile(r"/2010-04-01/Accounts/([^/]+)/Balance\.json")


class Twilio:
    """Their API."""

    key: ClassVar[str] = "twilio"
    base_url: ClassVar[str] = "https://api.twilio.com"
    required: ClassVar[tuple[str, ...]] = ("account_sid", "auth_token")
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {"steady": Scenario(money(600, "148.00", "121.30"))}

    def named(self, request: Received) -> dict[str, str]:
        """Return the account, which stands in the URL, and what stands behind the user name."""
        account = _PATH.fullmatch(request.path)
        token = basic_of(request, "user", "auth_token").get("auth_token")
        return {"account_sid": account[1], "auth_token": token} if account and token else {}

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:
        """Check path and method, and that it is the account itself that asks, or its API key."""
        if not _PATH.fullmatch(request.path):
            return "error_404_html"
        if request.method != "GET":
            return "error_405_html"
        user = basic_of(request, "user", "auth_token").get("user")
        return None if user == credentials.get("api_key", credentials.get("account_sid")) else self.unknown

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time in it
        """Return a balance of this moment."""
        return {**members, "balance": f"{live.balance}"}
