"""Why a poll gave no reading: every cause, the status that it means, and what a person is told."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from .status import Status


class Cause(StrEnum):
    """A cause in our own stable word, with its status and its English text.

    `{detail}` in a text is filled from the problem: the name of a field or the number of an HTTP status,
    never anything else that the provider sent.
    """

    status: Status
    text: str

    def __new__(cls, word: str, status: Status, text: str) -> Self:
        """Attach status and text to the word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.status = status
        member.text = text
        return member

    ONBOARDING = "onboarding", Status.ONBOARDING, "The provider is still setting up this account."

    DATA_UNAVAILABLE = "data_unavailable", Status.UNAVAILABLE, "The provider says that it has no current data."
    CACHE_DISABLED = (
        "cache_disabled",
        Status.UNAVAILABLE,
        "The provider has no current data: its balance cache is switched off.",
    )
    CACHE_MISS_REFRESH_FAILED = (
        "cache_miss_refresh_failed",
        Status.UNAVAILABLE,
        "The provider has no current data: its balance cache is empty and could not be refreshed.",
    )

    CREDENTIALS_REFUSED = (
        "credentials_refused",
        Status.AUTH_FAILED,
        "The provider refuses the credentials. Compare them with those in the panel.",
    )
    API_KEY_UNKNOWN = (
        "api_key_unknown",
        Status.AUTH_FAILED,
        "The provider does not know this API key. Compare it with the one in the panel.",
    )
    API_KEY_INACTIVE = (
        "api_key_inactive",
        Status.AUTH_FAILED,
        "This API key is switched off. Switch it on in the provider's panel, or create another.",
    )
    API_KEY_EXPIRED = (
        "api_key_expired",
        Status.AUTH_FAILED,
        "This API key has expired. Create another in the provider's panel.",
    )
    SIGNATURE_REQUIRED = (
        "signature_required",
        Status.AUTH_FAILED,
        "This API key was created with signature verification. Enter its API secret too.",
    )
    SIGNATURE_INVALID = (
        "signature_invalid",
        Status.AUTH_FAILED,
        "The provider refuses the signature. Check the API secret, and that this machine's clock is right.",
    )
    CREDENTIALS_OR_ACCESS = (
        "credentials_or_access",
        Status.AUTH_FAILED,
        (
            "The provider refuses access and does not say which of three causes it is: the API key or hash is wrong; "
            "“Allow API access” is off in the panel (Settings → Security → Access Permissions); "
            "or the account is limited to fixed IP addresses and this machine's is not among them. Check all three."
        ),
    )
    CREDENTIALS_OR_IP = (
        "credentials_or_ip",
        Status.AUTH_FAILED,
        (
            "The provider refuses access and does not say which of three causes it is: user name or password is wrong; "
            "the user may not use the API; or this machine's IP address is not allowed. Check all three."
        ),
    )

    ACCESS_REFUSED = (
        "access_refused",
        Status.ACCESS_DENIED,
        "The provider refuses this call and does not say why. Ask its support.",
    )
    IP_NOT_ALLOWED = (
        "ip_not_allowed",
        Status.ACCESS_DENIED,
        "The API key may not be used from this machine's IP address. Allow the address in the provider's panel.",
    )
    PERMISSION_MISSING = (
        "permission_missing",
        Status.ACCESS_DENIED,
        "The API key lacks the permission to read the balance. Grant it in the provider's panel.",
    )
    ACCOUNT_INACTIVE = (
        "account_inactive",
        Status.ACCESS_DENIED,
        "The provider has suspended this account or not activated it. Ask its support.",
    )
    NO_BALANCE = (
        "no_balance",
        # The credentials are right, and nothing but others will help.
        Status.ACCESS_DENIED,
        "This account has no balance of its own. Enter the credentials of the account that pays for it.",
    )
    SMS_NOT_SET_UP = (
        "sms_not_set_up",
        Status.ACCESS_DENIED,
        "SMS is not set up on this account. Ask the provider's support.",
    )
    ACCOUNT_INCOMPLETE = (
        "account_incomplete",
        Status.ACCESS_DENIED,
        "The provider's set-up of this account is incomplete. Ask its support.",
    )
    WORKSPACE_REFUSED = (
        "workspace_refused",
        Status.ACCESS_DENIED,
        "The API key belongs to a workspace that cannot be used. Create a key in the right workspace.",
    )

    RATE_LIMITED = "rate_limited", Status.RATE_LIMITED, "The provider asks for fewer requests."

    TIMEOUT = "timeout", Status.UNREACHABLE, "The provider did not answer in time."
    NAME_NOT_FOUND = "name_not_found", Status.UNREACHABLE, "The provider's host name could not be looked up."
    TLS_FAILED = "tls_failed", Status.UNREACHABLE, "No trusted TLS connection to the provider could be made."
    NOT_CONNECTED = "not_connected", Status.UNREACHABLE, "No connection to the provider could be made."
    CONNECTION_CUT = "connection_cut", Status.UNREACHABLE, "The connection to the provider broke off."

    PROVIDER_ERROR = "provider_error", Status.PROVIDER_ERROR, "The provider reports a fault on its own side."

    NOT_HTTP = "not_http", Status.INVALID_RESPONSE, "The answer is not readable HTTP."
    NOT_JSON = "not_json", Status.INVALID_RESPONSE, "The answer is not readable JSON."
    NOT_AN_OBJECT = "not_an_object", Status.INVALID_RESPONSE, "The answer is JSON, but not an object."
    TOO_LARGE = "too_large", Status.INVALID_RESPONSE, "The answer is far larger than a balance can be."
    ENCODING_UNKNOWN = "encoding_unknown", Status.INVALID_RESPONSE, "The answer's content encoding is not readable."
    FIELD_MISSING = "field_missing", Status.INVALID_RESPONSE, "The answer has no “{detail}”."
    FIELD_UNREADABLE = "field_unreadable", Status.INVALID_RESPONSE, "“{detail}” in the answer is not what it must be."
    STATUS_UNEXPECTED = "status_unexpected", Status.INVALID_RESPONSE, "HTTP status {detail} was not expected."
    CODE_UNEXPECTED = (
        "code_unexpected",
        Status.INVALID_RESPONSE,
        "The provider answers with a code that does not belong to a balance request.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why there is no reading."""

    cause: Cause
    code: str | None = None
    """The provider's own stable code, where it gave one that is safe to show."""
    detail: str | None = None
    """The field or HTTP status that the text names."""
    retry_after: float | None = None
    """Seconds that the provider asked to wait."""

    @property
    def status(self) -> Status:
        """The account status that this problem means."""
        return self.cause.status

    @property
    def text(self) -> str:
        """One or two English sentences for the person who has to act."""
        return self.cause.text.format(detail=self.detail)


class NoReading(Exception):  # noqa: N818 - onboarding is no error, and this carries it too
    """Raised while an answer is fetched or read; `poll` returns its problem as data."""

    def __init__(self, cause: Cause, *, code: str | None = None, detail: str | None = None) -> None:
        """Name the cause; see Problem for the rest."""
        super().__init__(cause.value)
        self.problem = Problem(cause=cause, code=code, detail=detail)
