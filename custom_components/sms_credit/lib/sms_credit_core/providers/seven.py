"""seven.io, once sms77: `GET /api/balance` with an API key.

Sources: the vendor's repositories seven-io/js-client, src/resources/balance/types.ts (answer) and src/Client.ts
(request, codes), and seven-io/home-assistant (what the key must be allowed).
"""

from http import HTTPStatus

from ..answer import Answer, Fields, bare_code
from ..problem import Cause
from ..provider import CredentialField, Request, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_CAUSE_BY_CODE = {
    "600": Cause.PROVIDER_ERROR,
    "900": Cause.API_KEY_UNKNOWN,
    "901": Cause.SIGNATURE_INVALID,
    "902": Cause.PERMISSION_MISSING,
    "903": Cause.IP_NOT_ALLOWED,
}


class Seven:
    """seven.io. It answers an error by its code and nothing else, also with HTTP status 200."""

    key = "seven"
    name = "seven.io"
    credentials: tuple[CredentialField, ...] = (CredentialField(name="api_key", identity=True),)
    gives = frozenset({Value.BALANCE})
    panel_url = "https://app.seven.io"
    base_url = "https://gateway.seven.io"
    min_poll_interval = 120.0  # they name none
    currency: str | None = None

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request; that JSON is accepted keeps the answer from being a bare number."""
        return Request(
            method="GET", url=f"{base_url}/api/balance", headers={"X-Api-Key": credentials["api_key"].reveal()}
        )

    def read(self, answer: Answer) -> Reading:
        """Read an answer. A bare number is a code, and never a balance."""
        code = bare_code(answer.body)
        if code is not None or answer.status != HTTPStatus.OK:
            raise refusal(answer, code, _CAUSE_BY_CODE)
        fields = Fields.of(answer.body)
        return Reading(
            balance=fields.number("amount"),
            currency=fields.currency("currency"),
            quota=None,
            credits=None,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
