"""Twilio: `GET /2010-04-01/Accounts/{sid}/Balance.json` with HTTP basic authentication.

Sources: the vendor's repository twilio/twilio-oai, spec/yaml/twilio_api_v2010.yaml (request, answer, what may be null),
https://www.twilio.com/docs/api/errors (codes), https://www.twilio.com/docs/iam/api-keys (keys instead of the token).
"""

from http import HTTPStatus

from ..answer import Answer
from ..problem import Cause, NoReading
from ..provider import CredentialField, Request, basic, opened, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_CAUSE_BY_CODE = {
    "10001": Cause.ACCOUNT_INACTIVE,
    "20003": Cause.CREDENTIALS_REFUSED,
    "20005": Cause.ACCOUNT_INACTIVE,
    "20403": Cause.ACCOUNT_INACTIVE,
    "20429": Cause.RATE_LIMITED,
    "20500": Cause.PROVIDER_ERROR,
    "20503": Cause.PROVIDER_ERROR,
}


class Twilio:
    """Twilio. Subaccounts spend the balance of their main account and have none of their own."""

    key = "twilio"
    name = "Twilio"
    credentials: tuple[CredentialField, ...] = (
        CredentialField(name="account_sid", secret=False, identity=True),
        CredentialField(name="api_key", required=False, secret=False),
        CredentialField(name="auth_token"),  # or the secret of the API key
    )
    gives = frozenset({Value.BALANCE})
    panel_url = "https://console.twilio.com"
    base_url = "https://api.twilio.com"
    min_poll_interval = 120.0  # they name none
    currency: str | None = None

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request. The account stands in the URL, and who asks in a header."""
        account = credentials["account_sid"]
        return Request(
            method="GET",
            url=f"{base_url}/2010-04-01/Accounts/{{account_sid}}/Balance.json",
            in_url={"account_sid": account},
            headers=basic(credentials.get("api_key") or account, credentials["auth_token"]),
        )

    def read(self, answer: Answer) -> Reading:
        """Read an answer. Its members are texts, and null where the account has no balance."""
        fields, unreadable = opened(answer)
        code = fields.get("code")
        if code is not None or answer.status != HTTPStatus.OK:
            raise refusal(answer, str(code) if type(code) is int else code, _CAUSE_BY_CODE)
        if unreadable:
            raise unreadable
        if fields.is_null("balance"):
            raise NoReading(Cause.NO_BALANCE)
        return Reading(
            balance=fields.number_in_text("balance"),
            currency=fields.currency("currency"),
            quota=None,
            credits=None,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
