"""46elks: `GET /a1/me` with HTTP basic authentication.

Sources: https://46elks.se/docs/get-account (request, answer), and the vendor's repository
46elks/46elks-getting-started, code-examples/PHP/balance-alert.php (the unit of the balance).
"""

from decimal import Decimal
from http import HTTPStatus

from ..answer import Answer, Fields
from ..provider import CredentialField, Request, basic, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_UNIT = Decimal("0.0001")
"""Of the currency: what their numbers count."""


class Elks46:
    """46elks. Its answer is the whole account, with a telephone number and an address; only the credit is read."""

    key = "46elks"
    name = "46elks"
    credentials: tuple[CredentialField, ...] = (
        CredentialField(name="api_username", secret=False, identity=True),
        CredentialField(name="api_password"),
    )
    gives = frozenset({Value.BALANCE})
    panel_url = "https://46elks.com/account"
    base_url = "https://api.46elks.com"
    min_poll_interval = 120.0  # they name none
    currency: str | None = None

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request."""
        return Request(
            method="GET",
            url=f"{base_url}/a1/me",
            headers=basic(credentials["api_username"], credentials["api_password"]),
        )

    def read(self, answer: Answer) -> Reading:
        """Read an answer. Their errors are sentences for people."""
        if answer.status != HTTPStatus.OK:
            raise refusal(answer, None, {})
        fields = Fields.of(answer.body)
        return Reading(
            balance=fields.integer("balance") * _UNIT,
            currency=fields.currency("currency"),
            quota=None,
            credits=None,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
