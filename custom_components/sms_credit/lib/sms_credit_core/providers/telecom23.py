"""23 Telecom: `GET /user/balance` with an API key.

Sources: https://docs.23telecom.co.uk/account/balance/ (answers, degraded cache, polling),
https://docs.23telecom.co.uk/reference/errors/ and /reference/rate-limits/ (codes),
https://docs.23telecom.co.uk/authentication/ (signature).
"""

import hashlib
import hmac
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from ..answer import Answer, Fields, stable_code
from ..problem import Cause, NoReading
from ..provider import CredentialField, Request, opened, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_CAUSE_BY_CODE = {
    "UNAUTHORIZED": Cause.CREDENTIALS_REFUSED,
    "INVALID_TOKEN": Cause.CREDENTIALS_REFUSED,
    "TOKEN_EXPIRED": Cause.CREDENTIALS_REFUSED,
    "INVALID_API_KEY": Cause.API_KEY_UNKNOWN,
    "API_KEY_INACTIVE": Cause.API_KEY_INACTIVE,
    "API_KEY_EXPIRED": Cause.API_KEY_EXPIRED,
    "INVALID_CREDENTIALS": Cause.CREDENTIALS_REFUSED,
    "SIGNATURE_REQUIRED": Cause.SIGNATURE_REQUIRED,
    "INVALID_SIGNATURE": Cause.SIGNATURE_INVALID,
    "USER_NOT_ACTIVE": Cause.ACCOUNT_INACTIVE,
    "IP_NOT_ALLOWED": Cause.IP_NOT_ALLOWED,
    "FORBIDDEN": Cause.PERMISSION_MISSING,
    "NO_SMS_ACCESS": Cause.SMS_NOT_SET_UP,
    "CONFIG_ERROR": Cause.ACCOUNT_INCOMPLETE,
    "CROSS_TENANT_WORKSPACE": Cause.WORKSPACE_REFUSED,
    "NO_MAIN_WORKSPACE": Cause.ACCOUNT_INCOMPLETE,
    "RATE_LIMIT_EXCEEDED": Cause.RATE_LIMITED,
    "TOO_MANY_ATTEMPTS": Cause.RATE_LIMITED,
    "DB_ERROR": Cause.PROVIDER_ERROR,
    "SANDBOX_UNAVAILABLE": Cause.PROVIDER_ERROR,
    # Documented for other calls: sending, web-hooks, portal logins. They say nothing about the balance.
    "INSUFFICIENT_BALANCE": Cause.CODE_UNEXPECTED,
    "INVALID_WORKSPACE_HEADER": Cause.CODE_UNEXPECTED,
    "INVALID_URL": Cause.CODE_UNEXPECTED,
    "INVALID_SECRET": Cause.CODE_UNEXPECTED,
    "INVALID_FIELDS": Cause.CODE_UNEXPECTED,
}

_CAUSE_BY_REASON = {
    "cache_disabled": Cause.CACHE_DISABLED,
    "cache_miss_refresh_failed": Cause.CACHE_MISS_REFRESH_FAILED,
}

_STATUS_HEADER = "X-Sms-Gateway-Status"
_REASON_HEADER = "X-Sms-Gateway-Reason"


class Telecom23:
    """23 Telecom. Its balance comes from a cache of its own, which is why an answer can be flagged."""

    key = "23telecom"
    name = "23 Telecom"
    credentials: tuple[CredentialField, ...] = (
        CredentialField(name="api_key", identity=True),
        CredentialField(name="api_secret", required=False),  # only for keys made with signature verification
    )
    gives = frozenset({Value.BALANCE, Value.CREDIT_BLOCKED, Value.PROVIDER_UPDATED})
    panel_url = "https://restlink23telecom.com"
    base_url = "https://restlink23telecom.com/api/v1"
    min_poll_interval = 120.0  # "once every few minutes at most"
    currency: str | None = None

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:
        """Word the request, signed where the account has an API secret."""
        url = f"{base_url}/user/balance"
        headers = {"X-API-Key": credentials["api_key"].reveal()}
        if secret := credentials.get("api_secret"):
            headers["X-Timestamp"] = str(timestamp)
            signed = f"GET|{urlsplit(url).path}|{timestamp}|"  # method, path, time, body
            headers["X-Signature"] = hmac.new(secret.reveal().encode(), signed.encode(), hashlib.sha256).hexdigest()
        return Request(method="GET", url=url, headers=headers)

    def read(self, answer: Answer) -> Reading:
        """Read an answer. Whatever says that there is no balance is read before the balance."""
        fields, unreadable = opened(answer)
        _refuse_errors(answer, fields)
        words = _quality_words(answer)
        if "unavailable" in words or fields.flag("unavailable"):
            raise _unavailable(answer, fields)
        if unreadable:
            raise unreadable
        if fields.flag("status") is False:
            # During onboarding they answer 200, `status: false` and an `error` for people, without a code. Their page
            # leaves other members open. A balance of zero among them is no balance yet.
            if fields.get("balance") is None or fields.number("balance") == 0:
                raise NoReading(Cause.ONBOARDING)
            fields.contradicts("status")
        if words - {"partial"}:
            raise NoReading(Cause.FIELD_UNREADABLE, detail=_STATUS_HEADER)
        return Reading(
            balance=fields.number("balance"),
            currency=fields.currency("currency"),
            quota=None,
            credits=None,
            credit_blocked=fields.flag("credit_blocked") is True,  # sent only while it is true
            provider_updated=_updated(fields.get("updated")),
            quality=Quality.PARTIAL if words else Quality.COMPLETE,
        )


def _refuse_errors(answer: Answer, fields: Fields) -> None:
    code = fields.get("error_code")
    if code is None and answer.status == HTTPStatus.OK:
        return
    raise refusal(answer, code, _CAUSE_BY_CODE)


def _quality_words(answer: Answer) -> set[str]:
    """Return what the quality header says: nothing on healthy answers."""
    return {word.strip().lower() for word in answer.headers.get(_STATUS_HEADER.lower(), "").split(",")} - {""}


def _unavailable(answer: Answer, fields: Fields) -> NoReading:
    """Name the cause by the provider's reason: that of the header or, without one, that of the body."""
    code = stable_code(answer.headers.get(_REASON_HEADER.lower())) or stable_code(fields.get("reason"))
    return NoReading(_CAUSE_BY_REASON.get(code or "", Cause.DATA_UNAVAILABLE), code=code)


def _updated(value: object) -> datetime | None:
    """Read `YYYY.MM.DD HH:MM:SS`. They name no time zone; it is read as UTC, as their other times are."""
    try:
        return datetime.strptime(str(value), "%Y.%m.%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
