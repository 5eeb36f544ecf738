"""Plivo: `GET /v1/Account/{auth_id}/` with HTTP basic authentication.

Sources: https://www.plivo.com/docs/account/api/account (answer), https://www.plivo.com/docs/voice/api/overview (errors,
300 requests in 5 seconds).
"""

from http import HTTPStatus

from ..answer import Answer, Fields
from ..problem import Cause, NoReading
from ..provider import CredentialField, Request, basic, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_POSTPAID = "postpaid"


class Plivo:
    """Plivo. Its answer is the whole account, with names and addresses; only the credit is read."""

    key = "plivo"
    name = "Plivo"
    credentials: tuple[CredentialField, ...] = (
        CredentialField(name="auth_id", secret=False, identity=True),
        CredentialField(name="auth_token"),
    )
    gives = frozenset({Value.BALANCE})
    panel_url = "https://console.plivo.com"
    base_url = "https://api.plivo.com"
    min_poll_interval = 120.0  # they allow far more
    currency: str | None = "USD"

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request. The account stands in the URL."""
        return Request(
            method="GET",
            url=f"{base_url}/v1/Account/{{auth_id}}/",
            in_url={"auth_id": credentials["auth_id"]},
            headers=basic(credentials["auth_id"], credentials["auth_token"]),
        )

    def read(self, answer: Answer) -> Reading:
        """Read an answer. Their errors have texts for people and no codes."""
        if answer.status != HTTPStatus.OK:
            raise refusal(answer, None, {})
        fields = Fields.of(answer.body)
        if fields.get("billing_mode") == _POSTPAID:
            raise NoReading(Cause.NO_BALANCE)
        return Reading(
            balance=fields.number_in_text("cash_credits"),
            currency=self.currency,
            quota=None,
            credits=None,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
