"""Telnyx: `GET /v2/balance` with an API key.

Sources: https://developers.telnyx.com/api-reference/billing/get-user-balance-details (answer),
https://developers.telnyx.com/development/api-fundamentals/api-errors (codes).
"""

from http import HTTPStatus

from ..answer import Answer, Fields
from ..problem import Cause
from ..provider import CredentialField, Request, opened, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_CAUSE_BY_CODE = {
    "10009": Cause.CREDENTIALS_REFUSED,
    "10010": Cause.ACCESS_REFUSED,
    "10011": Cause.RATE_LIMITED,
}


class Telnyx:
    """Telnyx. An account may have a credit limit: it can be spent down to that far below zero."""

    key = "telnyx"
    name = "Telnyx"
    credentials: tuple[CredentialField, ...] = (CredentialField(name="api_key", identity=True),)
    gives = frozenset({Value.BALANCE})
    panel_url = "https://portal.telnyx.com"
    base_url = "https://api.telnyx.com"
    min_poll_interval = 120.0  # "cache API responses when possible"; they name no number
    currency: str | None = None

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request."""
        return Request(
            method="GET",
            url=f"{base_url}/v2/balance",
            headers={"Authorization": f"Bearer {credentials['api_key'].reveal()}"},
        )

    def read(self, answer: Answer) -> Reading:
        """Read an answer. The balance is what can be spent: theirs, and the credit limit on top of it."""
        fields, unreadable = opened(answer)
        code = _code(fields)
        if code is not None or answer.status != HTTPStatus.OK:
            raise refusal(answer, code, _CAUSE_BY_CODE)
        if unreadable:
            raise unreadable
        data = fields.object("data")
        return Reading(
            balance=data.number_in_text("available_credit"),
            currency=data.currency("currency"),
            quota=None,
            credits=None,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )


def _code(fields: Fields) -> object:
    """Return the code of the first error; an empty text for errors without one, None where there are none."""
    errors = fields.get("errors")
    if errors is None:
        return None
    first = errors[0] if isinstance(errors, list) and errors else None
    return first.get("code", "") if isinstance(first, dict) else ""
