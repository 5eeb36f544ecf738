"""iletiMerkezi: `POST /v1/get-balance/json` with an API key and its hash.

Sources: https://www.iletimerkezi.com/en/docs/api/get-balance (request, answer, polling),
https://www.iletimerkezi.com/en/docs/api/authentication (key and hash), and the vendor's repository
iletimerkezi/apidocs-website, docs/status-codes.mdx (codes).
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from ..answer import Answer, Fields
from ..problem import Cause, NoReading
from ..provider import CAUSE_BY_HTTP_STATUS, CredentialField, Request
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_CAUSE_BY_HTTP_STATUS = {**CAUSE_BY_HTTP_STATUS, HTTPStatus.UNAUTHORIZED: Cause.CREDENTIALS_OR_ACCESS}

_CAUSE_BY_CODE: Mapping[int, Cause] = {
    **_CAUSE_BY_HTTP_STATUS,  # theirs mirror HTTP statuses
    # Of other calls, and of requests that could not be read; 110 to 115 are states of a sent order.
    **dict.fromkeys((400, 402, 404, 422, *range(110, 116), *range(450, 474)), Cause.CODE_UNEXPECTED),
}


class IletiMerkezi:
    """iletiMerkezi. Credits are in Turkish lira, or in messages on accounts that have bought those."""

    key = "iletimerkezi"
    name = "iletiMerkezi"
    credentials: tuple[CredentialField, ...] = (
        CredentialField(name="api_key", identity=True),
        CredentialField(name="api_hash"),
    )
    gives = frozenset({Value.BALANCE, Value.QUOTA, Value.CREDIT_BLOCKED})
    panel_url = "https://panel.iletimerkezi.com"
    base_url = "https://api.iletimerkezi.com"
    min_poll_interval = 120.0  # "don't poll it … at high frequency"; they name no number
    currency: str | None = "TRY"

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request; the credentials go into its body."""
        authentication = {"key": credentials["api_key"].reveal(), "hash": credentials["api_hash"].reveal()}
        return Request(
            method="POST",
            url=f"{base_url}/v1/get-balance/json",
            headers={"Content-Type": "application/json"},
            body=json.dumps({"request": {"authentication": authentication}}).encode(),
        )

    def read(self, answer: Answer) -> Reading:
        """Read an answer: by its code first, whatever the HTTP status says."""
        response = _response(answer)
        balance = response.object("balance")
        amount = balance.number("amount")
        messages = balance.integer("sms")
        return Reading(
            balance=amount,
            currency=self.currency,
            quota=messages,
            credits=None,
            # They have no flag for it; sending is refused once there is neither money nor a message left.
            # An account that has bought messages shows an amount of 0 all its life.
            credit_blocked=amount <= 0 and messages <= 0,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )


def _response(answer: Answer) -> Fields:
    """Return the `response` object of an answer that reports success."""
    try:
        response = Fields.of(answer.body).object("response")
        code = response.object("status").integer("code")
    except NoReading:
        if answer.status == HTTPStatus.OK:
            raise
        raise _refusal(answer.status) from None  # HTML, or whatever else a proxy in between answers
    if code == HTTPStatus.OK == answer.status:
        return response
    if code == HTTPStatus.OK:
        raise _refusal(answer.status)
    cause = _CAUSE_BY_CODE.get(code) or _CAUSE_BY_HTTP_STATUS.get(answer.status, Cause.CODE_UNEXPECTED)
    raise NoReading(cause, code=str(code))


def _refusal(status: int) -> NoReading:
    return NoReading(_CAUSE_BY_HTTP_STATUS.get(status, Cause.STATUS_UNEXPECTED), detail=str(status))
