"""ClickSend: `GET /v3/account` with HTTP basic authentication.

Sources: https://developers.clicksend.com/docs/accounts/management/ (request, answer),
https://developers.clicksend.com/docs/ (“Status Codes”, “Application Status Codes”).
"""

from http import HTTPStatus

from ..answer import Answer
from ..problem import Cause, NoReading
from ..provider import CredentialField, Request, basic, opened, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_SUCCESS = "SUCCESS"

_CAUSE_BY_CODE = {
    "UNAUTHORIZED": Cause.CREDENTIALS_REFUSED,
    "MISSING_CREDENTIALS": Cause.CREDENTIALS_REFUSED,
    "INVALID_CREDENTIALS": Cause.CREDENTIALS_REFUSED,
    "ACCOUNT_NOT_ACTIVATED": Cause.ACCOUNT_INACTIVE,
    "FORBIDDEN": Cause.ACCESS_REFUSED,
    "TOO_MANY_REQUESTS": Cause.RATE_LIMITED,
    "INTERNAL_ERROR": Cause.PROVIDER_ERROR,
    "INTERNAL_SERVER_ERROR": Cause.PROVIDER_ERROR,
    "SOMETHING_IS_WRONG": Cause.PROVIDER_ERROR,
}


class ClickSend:
    """ClickSend. Its answer is the whole account, with names and even a key of its own; only the credit is read."""

    key = "clicksend"
    name = "ClickSend"
    credentials: tuple[CredentialField, ...] = (
        CredentialField(name="username", secret=False, identity=True),
        CredentialField(name="api_key"),
    )
    gives = frozenset({Value.BALANCE})
    panel_url = "https://dashboard.clicksend.com"
    base_url = "https://rest.clicksend.com"
    min_poll_interval = 120.0  # they name none
    currency: str | None = None

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request."""
        return Request(
            method="GET",
            url=f"{base_url}/v3/account",
            headers=basic(credentials["username"], credentials["api_key"]),
        )

    def read(self, answer: Answer) -> Reading:
        """Read an answer. A banned account has a balance too, but it can spend none of it."""
        fields, unreadable = opened(answer)
        code = fields.get("response_code")
        if code not in (None, _SUCCESS) or answer.status != HTTPStatus.OK:
            raise refusal(answer, None if code == _SUCCESS else code, _CAUSE_BY_CODE)
        if unreadable:
            raise unreadable
        data = fields.object("data")
        if data.integer("banned"):
            raise NoReading(Cause.ACCOUNT_INACTIVE)
        return Reading(
            balance=data.number_in_text("balance"),
            currency=data.object("_currency").currency("currency_name_short"),
            quota=None,
            credits=None,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
