"""Vonage, once Nexmo: `GET /account/get-balance` with HTTP basic authentication.

Sources: https://developer.vonage.com/account/code-snippets/account-balance (request), the vendor's repository
Nexmo/api-specification, definitions/account.yml (answer, 401), https://developer.vonage.com/api-errors (other errors).
"""

from http import HTTPStatus

from ..answer import Answer
from ..problem import Cause
from ..provider import CredentialField, Request, basic, opened, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_CAUSE_BY_CODE = {
    "401": Cause.CREDENTIALS_REFUSED,
    "420": Cause.CODE_UNEXPECTED,  # of calls that take something in
}


class Vonage:
    """Vonage. Its balance is in euros, whatever the account is billed in."""

    key = "vonage"
    name = "Vonage"
    credentials: tuple[CredentialField, ...] = (
        CredentialField(name="api_key", secret=False, identity=True),
        CredentialField(name="api_secret"),
    )
    gives = frozenset({Value.BALANCE})
    panel_url = "https://dashboard.vonage.com"
    base_url = "https://rest.nexmo.com"
    min_poll_interval = 120.0  # they name none; they themselves look at balances every 5 to 10 minutes
    currency: str | None = "EUR"

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request."""
        return Request(
            method="GET",
            url=f"{base_url}/account/get-balance",
            headers=basic(credentials["api_key"], credentials["api_secret"]),
        )

    def read(self, answer: Answer) -> Reading:
        """Read an answer."""
        fields, unreadable = opened(answer)
        code = fields.get("error-code")
        if code is not None or answer.status != HTTPStatus.OK:
            raise refusal(answer, code, _CAUSE_BY_CODE)
        if unreadable:
            raise unreadable
        return Reading(
            balance=fields.number("value"),
            currency=self.currency,
            quota=None,
            credits=None,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
