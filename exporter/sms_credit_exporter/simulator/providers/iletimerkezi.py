"""iletiMerkezi, simulated: an API key and its hash in the body.

The core's module of the same name links their pages.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from ..apis import Received
from ..behaviour import Live, NoAnswer, Phase, Scenario, answers

_LIRA_PER_MESSAGE = Decimal("0.158")


def _lira(seconds: int, begin: str, end: str) -> Phase:
    """Let a balance run from one amount to another, and with it the messages that it can pay for."""
    amounts = Decimal(begin), Decimal(end)
    return Phase(seconds, *(Live(balance=amount, quota=int(amount / _LIRA_PER_MESSAGE)) for amount in amounts))


def _messages(seconds: int, begin: int, end: int) -> Phase:
    """Let bought messages run from one number to another; such accounts hold no money."""
    return Phase(seconds, *(Live(balance=Decimal(0), quota=quota) for quota in (begin, end)))


class IletiMerkezi:
    """Their API."""

    key: ClassVar[str] = "iletimerkezi"
    base_url: ClassVar[str] = "https://api.iletimerkezi.com"
    required: ClassVar[tuple[str, ...]] = ("api_key", "api_hash")
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {
        "steady": Scenario(_lira(600, "2150.00", "1990.00")),
        # Somebody drains it through a form that sends codes to whoever asks.
        "pumped": Scenario(
            _lira(8, "1990.00", "1987.90"), _lira(40, "1987.90", "1242.00"), _lira(102, "1242.00", "1215.00")
        ),
        "messages_instead_of_money": Scenario(
            _messages(15, 750, 400), _messages(20, 2320, 1840), _messages(45, 1840, 750)
        ),
        "outage": Scenario(
            _lira(10, "640.00", "634.00"),
            Phase(15, NoAnswer.CUT),
            answers(10, "error_503_html"),
            _lira(25, "631.00", "616.00"),
        ),
        "access_refused": Scenario(answers(45, "error_401"), _lira(15, "212.00", "209.00")),
        "older_specification": Scenario(answers(60, "older_specification_strings")),
    }

    def named(self, request: Received) -> dict[str, str]:
        """Return key and hash from a body of exactly the documented shape."""
        media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            members = json.loads(request.body)
            authentication = members["request"]["authentication"]
            key, hash_ = authentication["key"], authentication["hash"]
        except (ValueError, TypeError, LookupError, RecursionError):
            return {}
        exact = members == {"request": {"authentication": {"key": key, "hash": hash_}}}
        return {"api_key": key, "api_hash": hash_} if exact and media_type == "application/json" else {}

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - not signed
        """Check path and method, then the body."""
        if (request.method, request.path) != ("POST", "/v1/get-balance/json"):
            return "error_404"
        return None if self.named(request) else "error_400"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - not told
        """Return the response with amount and messages; it has no time."""
        response = members["response"]
        messages = response["balance"]["sms"] if live.quota is None else live.quota
        return {"response": {**response, "balance": {"amount": float(live.balance), "sms": messages}}}
