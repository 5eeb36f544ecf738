"""BulkSMS: `GET /v1/profile` with HTTP basic authentication.

Sources: https://www.bulksms.com/developer/json/v1/ (request, answer, errors in the form of RFC 7807). They document no
sample of an answer and no rate limit. `quota` in their answer is how many messages may still be sent today, which is
not what the credits can pay for; and they do not say what a credit limit means for sending: neither is read.
"""

from http import HTTPStatus

from ..answer import Answer
from ..problem import Cause
from ..provider import CredentialField, Request, basic, opened, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_CAUSE_BY_CODE = {
    "authentication-failed": Cause.CREDENTIALS_REFUSED,
}


class BulkSms:
    """BulkSMS. It counts in credits, of which a message costs one or more or less, by where it goes."""

    key = "bulksms"
    name = "BulkSMS"
    credentials: tuple[CredentialField, ...] = (
        CredentialField(name="token_id", secret=False, identity=True),
        CredentialField(name="token_secret"),
    )
    gives = frozenset({Value.CREDITS})
    panel_url = "https://www.bulksms.com/account/"
    base_url = "https://api.bulksms.com"
    min_poll_interval = 120.0  # they name none
    currency: str | None = None

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request."""
        headers = basic(credentials["token_id"], credentials["token_secret"])
        return Request(method="GET", url=f"{base_url}/v1/profile", headers=headers)

    def read(self, answer: Answer) -> Reading:
        """Read an answer. The type of an error is a link to its description, which ends with its name."""
        fields, unreadable = opened(answer)
        if answer.status != HTTPStatus.OK:
            raise refusal(answer, _name_of(fields.get("type")), _CAUSE_BY_CODE)
        if unreadable:
            raise unreadable
        return Reading(
            balance=None,
            currency=None,
            quota=None,
            credits=fields.object("credits").number("balance"),
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )


def _name_of(link: object) -> str | None:
    return link.rpartition("#")[2] or None if isinstance(link, str) else None
