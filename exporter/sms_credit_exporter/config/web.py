"""The web configuration file: TLS, users, headers and a rate limit, in the format of Prometheus' exporter-toolkit.

Of `tls_server_config` there are cert_file, key_file, client_auth_type, client_ca_file and min_version. Everything else
is as in the toolkit, but there is no HTTP/2. Any other key is an error rather than a promise not kept.
"""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import voluptuous as vol

from . import values
from .document import ConfigError, Document
from .files import UnusableFile, read

_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")

_CLIENT_AUTH = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_MIN_VERSION = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}

_ANY: tuple[str, ...] = ()
_ALLOWED_HEADERS = {
    "Content-Security-Policy": _ANY,
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-Content-Type-Options": ("nosniff",),
    "X-XSS-Protection": _ANY,
    "Strict-Transport-Security": _ANY,
}
"""The headers that the toolkit lets one set, and the values of those that have a closed set of them."""
_MAX_HEADER = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How the web server speaks TLS."""

    cert_file: Path
    key_file: Path
    client_auth_type: ssl.VerifyMode = ssl.CERT_NONE
    client_ca_file: Path | None = None
    min_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2

    def context(self) -> ssl.SSLContext:
        """Load the certificates. Raises OSError (ssl.SSLError is one)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = self.min_version
        # An encrypted key would have OpenSSL ask for its password on the terminal, and wait.
        context.load_cert_chain(self.cert_file, self.key_file, password=lambda: "")
        if self.client_ca_file:
            context.load_verify_locations(self.client_ca_file)
        context.verify_mode = self.client_auth_type
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A token bucket over all requests together."""

    interval: float
    """Seconds after which one more request may come; above zero."""
    burst: int
    """Requests that may come at once; at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """Who may read what the web server serves, how often, and how it is protected on its way."""

    tls: Tls | None = None
    users: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """bcrypt hashes by user name; empty for everybody."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Set in every answer, over what the exporter itself sets."""
    rate_limit: RateLimit | None = None


def load_web(file: Path) -> WebConfig:
    """Read and check a web configuration file, and that its certificates can be used. Raises ConfigError."""
    document = Document.read(file, {*_HTTP, *_ALLOWED_HEADERS})
    try:
        config = _web_config({} if document.values is None else document.values, file.parent)
    except vol.Invalid as invalid:
        mistakes = [document.mistake(error.path, error.msg) for error in values.every(invalid)]
        raise ConfigError(file, mistakes) from None
    if config.tls:
        _try(document, replace(config.tls, client_ca_file=None), "the certificate or key cannot be used")
        _try(document, config.tls, "client_ca_file cannot be used")
    return config


def _try(document: Document, tls: Tls, text: str) -> None:
    """Load certificates once, so that a mistake shows now and not at the first handshake."""
    try:
        tls.context()
    except ssl.SSLError:
        why = "they do not fit or are not PEM" if tls.client_ca_file is None else "it holds no certificate in PEM"
    except OSError as error:
        why = str(error.strerror)
    else:
        return
    raise ConfigError(document.file, [document.mistake(["tls_server_config"], f"{text}: {why}")])


def _web_config(raw: object, folder: Path) -> WebConfig:
    parts = {
        "tls_server_config": ("tls", _tls(folder)),
        "http_server_config": ("headers", _http),
        "basic_auth_users": ("users", _users),
        "rate_limit": ("rate_limit", _rate_limit),
    }
    checked = values.mapping({vol.Optional(key): check for key, (_, check) in parts.items()})(raw)
    return WebConfig(**{parts[key][0]: value for key, value in checked.items()})


def _tls(folder: Path) -> Callable[[object], Tls]:
    def path(value: object) -> Path:
        if not isinstance(value, str):
            values.refuse("must be the path of a file")
        try:
            read(folder / value)
        except UnusableFile as unusable:
            values.refuse(f"the file {unusable}")
        return folder / value

    def validate(value: object) -> Tls:
        checked = values.mapping(
            {
                vol.Required("cert_file"): path,
                vol.Required("key_file"): path,
                vol.Optional("client_auth_type"): values.one_of(_CLIENT_AUTH),
                vol.Optional("client_ca_file"): path,
                vol.Optional("min_version"): values.one_of(_MIN_VERSION),
            }
        )(value)
        verified = checked.get("client_auth_type", ssl.CERT_NONE) is not ssl.CERT_NONE
        if verified != ("client_ca_file" in checked):
            values.refuse("client_auth_type that verifies and client_ca_file need each other")
        return Tls(**checked)

    return validate


def _no_http2(value: object) -> None:
    if value is not False:
        values.refuse("must be false or left out: only HTTP/1.1 is spoken here; a reverse proxy can offer HTTP/2")


def _header(name: str) -> Callable[[object], str]:
    """Accept the value of a header; it is unset if it is blank, as in the toolkit's documentation."""

    def validate(value: object) -> str:
        text = str(value) if type(value) is int else "" if value is None else value
        if not isinstance(text, str) or not re.fullmatch(rf"[ -~]{{0,{_MAX_HEADER}}}", text):
            values.refuse(f"must be one line of at most {_MAX_HEADER} printable ASCII characters")
        if text and _ALLOWED_HEADERS[name] and text not in _ALLOWED_HEADERS[name]:
            values.refuse(f"{values.found(value)}; must be {' or '.join(_ALLOWED_HEADERS[name])}")
        return text.strip()

    return validate


def _headers(value: object) -> Mapping[str, str]:
    checked = values.mapping({vol.Optional(name): _header(name) for name in _ALLOWED_HEADERS})(value)
    return {name: text for name, text in checked.items() if text}


_HTTP: Mapping[str, Callable[[object], object]] = {"http2": _no_http2, "headers": _headers}


def _http(value: object) -> Mapping[str, str]:
    checked = values.mapping({vol.Optional(key): check for key, check in _HTTP.items()})(value)
    headers: Mapping[str, str] = checked.get("headers", {})
    return headers


def _rate_limit(value: object) -> RateLimit | None:
    checked = values.mapping({vol.Required("interval"): _interval, vol.Required("burst"): _burst})(value)
    return RateLimit(**checked) if checked["interval"] else None


def _interval(value: object) -> float:
    """Accept a duration, or the plain zero that switches the limit off."""
    return 0.0 if value == 0 and type(value) is int else values.duration(0.0)(value)


def _burst(value: object) -> int:
    if type(value) is not int or value < 1:
        values.refuse(f"{values.found(value)}; must be a whole number, 1 or above: with less nobody gets an answer")
    return value


def _users(value: object) -> Mapping[str, bytes]:
    if not isinstance(value, dict) or not all(isinstance(name, str) and ":" not in name for name in value):
        values.refuse("must map user names to bcrypt hashes")
    text = "must be a bcrypt hash, as `htpasswd -nBC 10 NAME` makes it"
    wrong = [vol.Invalid(text, [name]) for name, hashed in value.items() if not _is_hash(hashed)]
    if wrong:
        raise vol.MultipleInvalid(wrong)
    return {name: hashed.encode() for name, hashed in value.items()}


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _BCRYPT.fullmatch(value) is not None
