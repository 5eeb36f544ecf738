"""The web configuration file: TLS and users, in the format of Prometheus' exporter-toolkit.

Supported are `tls_server_config` (cert_file, key_file, client_auth_type, client_ca_file, min_version) and
`basic_auth_users`; any other key is an error rather than a promise not kept.
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
class WebConfig:
    """Who may read what the web server serves, and how it is protected on its way."""

    tls: Tls | None = None
    users: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """bcrypt hashes by user name; empty for everybody."""


def load_web(file: Path) -> WebConfig:
    """Read and check a web configuration file, and that its certificates can be used. Raises ConfigError."""
    document = Document.read(file)
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
    checked = values.mapping(
        {vol.Optional("tls_server_config"): _tls(folder), vol.Optional("basic_auth_users"): _users}
    )(raw)
    return WebConfig(tls=checked.get("tls_server_config"), users=checked.get("basic_auth_users", {}))


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
