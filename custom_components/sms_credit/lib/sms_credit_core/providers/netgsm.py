"""Netgsm: `POST /balance` with user code and password.

Sources: the vendor's package @netgsm/sms and its repository netgsm/netgsm-sms-js (request, answer, codes), and the
samples of netgsm/API, which write the same amount with a comma in text and with a point in SOAP.
"""

import json
from http import HTTPStatus

from ..answer import Answer
from ..problem import Cause
from ..provider import CredentialField, Request, opened, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_SUCCESS = "00"
_CREDIT = 2
"""What is asked for: the credit in money, and not the packages of messages."""

_CAUSE_BY_CODE = {
    "30": Cause.CREDENTIALS_OR_IP,
    "60": Cause.CODE_UNEXPECTED,  # no records of what was asked for
    "70": Cause.CODE_UNEXPECTED,  # a parameter is missing or wrong
    "5000": Cause.PROVIDER_ERROR,
}


class Netgsm:
    """Netgsm. They do not name the currency of the credit; all their prices are in Turkish lira."""

    key = "netgsm"
    name = "Netgsm"
    credentials: tuple[CredentialField, ...] = (
        CredentialField(name="usercode", secret=False, identity=True),
        CredentialField(name="password"),
    )
    gives = frozenset({Value.BALANCE})
    panel_url = "https://www.netgsm.com.tr/webportal"
    base_url = "https://api.netgsm.com.tr"
    min_poll_interval = 120.0  # they name none
    currency: str | None = "TRY"

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request; the credentials go into its body."""
        asked = {name: credentials[name].reveal() for name in ("usercode", "password")} | {"stip": _CREDIT}
        return Request(
            method="POST",
            url=f"{base_url}/balance",
            headers={"Content-Type": "application/json"},
            body=json.dumps(asked).encode(),
        )

    def read(self, answer: Answer) -> Reading:
        """Read an answer, whose amount is text with a decimal comma."""
        fields, unreadable = opened(answer)
        code = fields.get("code")
        if code not in (None, _SUCCESS) or answer.status != HTTPStatus.OK:
            raise refusal(answer, None if code == _SUCCESS else code, _CAUSE_BY_CODE)
        if unreadable:
            raise unreadable
        return Reading(
            balance=fields.number_in_text("balance", point=","),
            currency=self.currency,
            quota=None,
            credits=None,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
