"""The web configuration file: TLS and users that are taken over, and every mistake in its exact words."""

import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import bcrypt
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from sms_credit_exporter.config import ConfigError, Mistake
from sms_credit_exporter.config.web import RateLimit, Tls, WebConfig, load_web

HASH = bcrypt.hashpw(b"made-up-password", bcrypt.gensalt(4)).decode()
OTHER_HASH = bcrypt.hashpw(b"other-made-up-password", bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")

PAIR = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"

TOP_KEYS = "tls_server_config, http_server_config, basic_auth_users, rate_limit"
TLS_KEYS = "cert_file, key_file, client_auth_type, client_ca_file, min_version"
HEADERS = (
    "Content-Security-Policy, X-Frame-Options, X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security"
)
AUTH_TYPES = "NoClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert"

NO_TOP = f"must be a mapping with the keys {TOP_KEYS}"
NO_TLS = f"must be a mapping with the keys {TLS_KEYS}"
NO_FILE = "the file cannot be read: No such file or directory"
NO_USERS = "must map user names to bcrypt hashes"
NO_HASH = "must be a bcrypt hash, as `htpasswd -nBC 10 NAME` makes it"
NO_PAIR = "tls_server_config: the certificate or key cannot be used: they do not fit or are not PEM"
NEED_EACH_OTHER = "tls_server_config: client_auth_type that verifies and client_ca_file need each other"
NOT_KNOWN = "is not a known key; "
NO_HTTP2 = "must be false or left out: only HTTP/1.1 is spoken here; a reverse proxy can offer HTTP/2"
NO_BURST = "must be a whole number, 1 or above: with less nobody gets an answer"
NO_DURATION = "must be a duration such as 90s, 5m or 1h30m"
ONE_LINE = "must be one line of at most 4096 printable ASCII characters"


def write_pair(folder: Path, name: str, pair: trustme.LeafCert) -> None:
    """Write a certificate and its key as a web server keeps them."""
    (folder / f"{name}.crt").write_bytes(b"".join(blob.bytes() for blob in pair.cert_chain_pems))
    (folder / f"{name}.key").write_bytes(pair.private_key_pem.bytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with certificates, good and bad, in which a test may write web.yml."""
    folder = tmp_path_factory.mktemp("web")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.crt")
    write_pair(folder, "server", authority.issue_cert("localhost"))
    write_pair(folder, "other", authority.issue_cert("localhost"))
    (folder / "empty").touch()
    (folder / "noise").write_bytes(bytes(range(256)))
    (folder / "half.crt").write_bytes((folder / "server.crt").read_bytes()[:400])
    return folder


def load_text(folder: Path, text: str) -> WebConfig:
    """Load a web configuration of this text."""
    (folder / "web.yml").write_text(text)
    return load_web(folder / "web.yml")


NO_CERTIFICATE = (ssl.CERT_NONE, None, ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", NO_CERTIFICATE, id="only a certificate and its key"),
        pytest.param("  client_auth_type: NoClientCert\n", NO_CERTIFICATE, id="clients need no certificate"),
        pytest.param(
            "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n",
            (ssl.CERT_OPTIONAL, "ca.crt", ssl.TLSVersion.TLSv1_2),
            id="clients may have one",
        ),
        pytest.param(
            "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n",
            (ssl.CERT_REQUIRED, "ca.crt", ssl.TLSVersion.TLSv1_2),
            id="clients must have one",
        ),
        pytest.param("  min_version: TLS12\n", NO_CERTIFICATE, id="TLS 1.2 or later"),
        pytest.param("  min_version: TLS13\n", (ssl.CERT_NONE, None, ssl.TLSVersion.TLSv1_3), id="TLS 1.3 only"),
    ],
)
def test_tls_is_taken_over(
    folder: Path, text: str, expected: tuple[ssl.VerifyMode, str | None, ssl.TLSVersion]
) -> None:
    """Paths are relative to the file; TLS 1.2 is the oldest, and clients need no certificate, if nothing is said."""
    verification, authorities, version = expected
    assert load_text(folder, PAIR + text).tls == Tls(
        cert_file=folder / "server.crt",
        key_file=folder / "server.key",
        client_auth_type=verification,
        client_ca_file=folder / authorities if authorities else None,
        min_version=version,
    )


def test_a_path_may_be_absolute(folder: Path) -> None:
    """Certificate managers keep their files in folders of their own."""
    tls = load_text(folder, PAIR.replace("server.crt", str(folder / "server.crt"))).tls
    assert tls == Tls(cert_file=folder / "server.crt", key_file=folder / "server.key")


def test_users_are_taken_over(folder: Path) -> None:
    """Whatever prefix the tool that made a hash gives it, and whatever letters a name has."""
    config = load_text(folder, f"basic_auth_users:\n  prometheus: {HASH}\n  Müşteri 1: {OTHER_HASH}\n")
    assert config.users == {"prometheus": HASH.encode(), "Müşteri 1": OTHER_HASH.encode()}
    assert config.tls is None


def test_tls_and_users_go_together(folder: Path) -> None:
    """A password in clear would be readable on its way."""
    config = load_text(folder, f"{PAIR}basic_auth_users:\n  prometheus: {HASH}\n")
    assert config.tls is not None
    assert config.users == {"prometheus": HASH.encode()}


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        pytest.param("X-Frame-Options: deny", {"X-Frame-Options": "deny"}, id="one of a closed set"),
        pytest.param("X-XSS-Protection: 0", {"X-XSS-Protection": "0"}, id="a number"),
        pytest.param(
            "Strict-Transport-Security: max-age=63072000; includeSubDomains",
            {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"},
            id="text",
        ),
        pytest.param("X-Frame-Options: ''", {}, id="a blank one is unset"),
        pytest.param("X-Frame-Options:", {}, id="one without a value is unset"),
    ],
)
def test_headers_are_taken_over(folder: Path, text: str, headers: dict[str, str]) -> None:
    """Those that exporter-toolkit has, and no HTTP/2, which may be said."""
    config = load_text(folder, f"http_server_config:\n  http2: false\n  headers:\n    {text}\n")
    assert config == WebConfig(headers=headers)


@pytest.mark.parametrize("programs", ["", "prometheus-3/usr/bin/"], ids=["2.42", "3.5"])
@pytest.mark.parametrize(
    "text",
    [
        *(f"{name}: {value}" for name in HEADERS.split(", ") for value in ("deny", "nosniff", "0", "[a]", "{a: b}")),
        *("X-Frame-Options: DENY", "x-frame-options: deny", "Server: nginx", "X-Content-Type-Options: sniff"),
    ],
)
def test_prometheus_takes_and_refuses_the_same_headers(
    folder: Path, tool: Callable[[str], str], programs: str, text: str
) -> None:
    """Its own tool judges the same file."""
    file = folder / "web.yml"
    file.write_text(f"http_server_config: {{http2: false, headers: {{{text}}}}}\n")
    theirs = subprocess.run(
        [tool(f"{programs}promtool"), "check", "web-config", str(file)], capture_output=True, check=False, timeout=60
    )
    assert theirs.returncode == (1 if mistakes_of(file) else 0)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        pytest.param("interval: 1s\n  burst: 20", RateLimit(interval=1.0, burst=20), id="one a second"),
        pytest.param("interval: 50ms\n  burst: 1", RateLimit(interval=0.05, burst=1), id="twenty a second"),
        pytest.param("interval: 0\n  burst: 1", None, id="off"),
        pytest.param("interval: 0s\n  burst: 1", None, id="off, with a unit"),
    ],
)
def test_a_rate_limit_is_taken_over(folder: Path, text: str, limit: RateLimit | None) -> None:
    """An interval of zero switches it off, as in exporter-toolkit."""
    assert load_text(folder, f"rate_limit:\n  {text}\n") == WebConfig(rate_limit=limit)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}\n", "basic_auth_users: {}\n"])
def test_a_file_that_says_nothing_protects_nothing(folder: Path, text: str) -> None:
    """As in Prometheus, where an empty file is a valid one."""
    assert load_text(folder, text) == WebConfig(tls=None, users={})


MISTAKES: dict[str, tuple[str, Sequence[str]]] = {
    "a list": ("[basic_auth_users]", [f":1: {NO_TOP}"]),
    "an empty list": ("[]", [f":1: {NO_TOP}"]),
    "false": ("false", [f":1: {NO_TOP}"]),
    "zero": ("0", [f":1: {NO_TOP}"]),
    "empty text": ("''", [f":1: {NO_TOP}"]),
    "not YAML": ("{", [":1: is not valid YAML: a value is missing"]),
    "users twice": (
        "basic_auth_users: {}\nbasic_auth_users: {}\n",
        [":1: is not valid YAML: a key stands here twice"],
    ),
    "a misspelt key": (
        "basic_auth_user: {}\n",
        [f":1: basic_auth_user: {NOT_KNOWN}did you mean basic_auth_users? allowed are {TOP_KEYS}"],
    ),
    "HTTP/2": ("http_server_config:\n  http2: true\n", [f":2: http_server_config.http2: {NO_HTTP2}"]),
    "HTTP/2 in quotes": ("http_server_config:\n  http2: 'false'\n", [f":2: http_server_config.http2: {NO_HTTP2}"]),
    "a header that nobody may set": (
        "http_server_config:\n  headers:\n    Server: nginx\n",
        [f":3: http_server_config.headers.…: {NOT_KNOWN}allowed are {HEADERS}"],
    ),
    "a header in small letters": (
        "http_server_config:\n  headers:\n    x-frame-options: deny\n",
        [f":3: http_server_config.headers.…: {NOT_KNOWN}did you mean X-Frame-Options? allowed are {HEADERS}"],
    ),
    "headers as a list": (
        "http_server_config:\n  headers: [X-Frame-Options]\n",
        [f":2: http_server_config.headers: must be a mapping with the keys {HEADERS}"],
    ),
    "frames from anywhere": (
        "http_server_config:\n  headers:\n    X-Frame-Options: DENY\n    X-Content-Type-Options: sniff\n",
        [
            ":3: http_server_config.headers.X-Frame-Options: found “DENY”; must be deny or sameorigin",
            ":4: http_server_config.headers.X-Content-Type-Options: found “sniff”; must be nosniff",
        ],
    ),
    **{
        f"a header with {what}": (
            f"http_server_config:\n  headers:\n    Content-Security-Policy: {value}\n",
            [":3: http_server_config.headers.Content-Security-Policy: " + ONE_LINE],
        )
        for what, value in {
            "a line break": '"default-src\\r\\nSet-Cookie: a=b"',
            "a line feed at its end": '"nosniff\\n"',
            "a carriage return": '"a\\rb"',
            "a zero byte": '"a\\0b"',
            "a letter beyond ASCII": "ä",
            "4097 characters": "a" * 4097,
            "true for a value": "true",
            "false for a value": "false",
            "a list for a value": "[a]",
            "a fraction for a value": "0.5",
        }.items()
    },
    "a rate limit without anything": (
        "rate_limit:\n",
        [":1: rate_limit: must be a mapping with the keys interval, burst"],
    ),
    "a rate limit without its interval": ("rate_limit:\n  burst: 2\n", [":1: rate_limit.interval: is missing"]),
    "a rate limit without its burst": ("rate_limit:\n  interval: 1s\n", [":1: rate_limit.burst: is missing"]),
    "a rate limit that lets nothing pass": (
        "rate_limit:\n  interval: 1s\n  burst: 0\n",
        [f":3: rate_limit.burst: found 0; {NO_BURST}"],
    ),
    "a rate limit of half a request": (
        "rate_limit:\n  interval: 1s\n  burst: 0.5\n",
        [f":3: rate_limit.burst: found 0.5; {NO_BURST}"],
    ),
    "a rate limit that is true": (
        "rate_limit:\n  interval: 1s\n  burst: true\n",
        [f":3: rate_limit.burst: found true or false; {NO_BURST}"],
    ),
    "a rate limit in nanoseconds, as Go reads it": (
        "rate_limit:\n  interval: 1000000000\n  burst: 1\n",
        [f":2: rate_limit.interval: found 1000000000; {NO_DURATION}; a unit is missing: 1000000000s?"],
    ),
    "a rate limit of less than no time": (
        "rate_limit:\n  interval: -1s\n  burst: 1\n",
        [f":2: rate_limit.interval: found “-1s”; {NO_DURATION}"],
    ),
    "a TLS key of Prometheus' that is not supported": (
        f"{PAIR}  cipher_suites: []\n",
        [f":4: tls_server_config.cipher_suites: {NOT_KNOWN}allowed are {TLS_KEYS}"],
    ),
    "TLS without anything": (
        "tls_server_config:\n",
        [f":1: tls_server_config: {NO_TLS}"],
    ),
    "no key": ("tls_server_config:\n  cert_file: server.crt\n", [":1: tls_server_config.key_file: is missing"]),
    "no certificate": ("tls_server_config:\n  key_file: server.key\n", [":1: tls_server_config.cert_file: is missing"]),
    "no file": (PAIR.replace("server.crt", "nowhere.crt"), [f":2: tls_server_config.cert_file: {NO_FILE}"]),
    "a folder": (
        PAIR.replace("server.key", "."),
        [":3: tls_server_config.key_file: the file cannot be read: Is a directory"],
    ),
    "a number for a path": (
        PAIR.replace("server.key", "1"),
        [":3: tls_server_config.key_file: must be the path of a file"],
    ),
    "an impossible path": (
        PAIR.replace("server.key", '"a\\0b"'),
        [":3: tls_server_config.key_file: the file cannot be read: not a path"],
    ),
    "no file of authorities": (
        f"{PAIR}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: nowhere.crt\n",
        [f":5: tls_server_config.client_ca_file: {NO_FILE}"],
    ),
    "two files missing": (
        PAIR.replace("server.", "nowhere."),
        [f":2: tls_server_config.cert_file: {NO_FILE}", f":3: tls_server_config.key_file: {NO_FILE}"],
    ),
    "the key of another certificate": (PAIR.replace("server.key", "other.key"), [f":1: {NO_PAIR}"]),
    "a certificate for a key": (PAIR.replace("server.key", "server.crt"), [f":1: {NO_PAIR}"]),
    "an empty certificate": (PAIR.replace("server.crt", "empty"), [f":1: {NO_PAIR}"]),
    "an empty key": (PAIR.replace("server.key", "empty"), [f":1: {NO_PAIR}"]),
    "half a certificate": (PAIR.replace("server.crt", "half.crt"), [f":1: {NO_PAIR}"]),
    "noise for a certificate": (PAIR.replace("server.crt", "noise"), [f":1: {NO_PAIR}"]),
    "noise for authorities": (
        f"{PAIR}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: noise\n",
        [":1: tls_server_config: client_ca_file cannot be used: it holds no certificate in PEM"],
    ),
    "clients verified by nobody": (
        f"{PAIR}  client_auth_type: RequireAndVerifyClientCert\n",
        [f":1: {NEED_EACH_OTHER}"],
    ),
    "authorities for nobody": (f"{PAIR}  client_ca_file: ca.crt\n", [f":1: {NEED_EACH_OTHER}"]),
    "authorities for clients without certificates": (
        f"{PAIR}  client_auth_type: NoClientCert\n  client_ca_file: ca.crt\n",
        [f":1: {NEED_EACH_OTHER}"],
    ),
    "a client_auth_type that verifies nothing": (
        f"{PAIR}  client_auth_type: RequestClientCert\n",
        [f":4: tls_server_config.client_auth_type: found text; must be one of {AUTH_TYPES}"],
    ),
    "a TLS version that is broken": (
        f"{PAIR}  min_version: TLS11\n",
        [":4: tls_server_config.min_version: found “TLS11”; must be one of TLS12, TLS13"],
    ),
    "a TLS version as a number": (
        f"{PAIR}  min_version: 1.2\n",
        [":4: tls_server_config.min_version: found 1.2; must be one of TLS12, TLS13"],
    ),
    "users without anything": ("basic_auth_users:\n", [f":1: basic_auth_users: {NO_USERS}"]),
    "a list of users": (f"basic_auth_users: [{HASH}]\n", [f":1: basic_auth_users: {NO_USERS}"]),
    "a number for a name": (f"basic_auth_users:\n  1: {HASH}\n", [f":1: basic_auth_users: {NO_USERS}"]),
    "a name that no header can carry": (f"basic_auth_users:\n  'a:b': {HASH}\n", [f":1: basic_auth_users: {NO_USERS}"]),
    "a password in clear": (
        "basic_auth_users:\n  prometheus: made-up-password\n",
        [f":2: basic_auth_users.prometheus: {NO_HASH}"],
    ),
    "a hash cut short": (
        f"basic_auth_users:\n  prometheus: {HASH[:-1]}\n",
        [f":2: basic_auth_users.prometheus: {NO_HASH}"],
    ),
    "a hash of another kind": (
        "basic_auth_users:\n  prometheus: $apr1$4Xb1LkPa$0q1bGm3y0Kjz2dAnZt3mv/\n",
        [f":2: basic_auth_users.prometheus: {NO_HASH}"],
    ),
    "no hash": ("basic_auth_users:\n  prometheus:\n", [f":2: basic_auth_users.prometheus: {NO_HASH}"]),
    "a cost that bcrypt does not have": (
        f"basic_auth_users:\n  prometheus: $2b$03${HASH[7:]}\n",
        [f":2: basic_auth_users.prometheus: {NO_HASH}"],
    ),
    "a cost beyond bcrypt's": (
        f"basic_auth_users:\n  prometheus: $2b$32${HASH[7:]}\n",
        [f":2: basic_auth_users.prometheus: {NO_HASH}"],
    ),
    "two passwords in clear": (
        "basic_auth_users:\n  prometheus: made-up-password\n  grafana: other-made-up-password\n",
        [f":2: basic_auth_users.prometheus: {NO_HASH}", f":3: basic_auth_users.grafana: {NO_HASH}"],
    ),
    "a mistake in each part": (
        f"{PAIR}  min_version: TLS10\nbasic_auth_users:\n  prometheus: made-up-password\n",
        [
            ":4: tls_server_config.min_version: found “TLS10”; must be one of TLS12, TLS13",
            f":6: basic_auth_users.prometheus: {NO_HASH}",
        ],
    ),
}
"""The file by what is wrong in it, with the lines of its error, each from the colon after the file's path."""


@pytest.mark.parametrize(("text", "lines"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_exactly_these_words(folder: Path, text: str, lines: Sequence[str]) -> None:
    """A server that a mistake left open, or that cannot be reached, would be noticed too late."""
    with pytest.raises(ConfigError) as caught:
        load_text(folder, text)
    assert str(caught.value) == "\n".join(f"{folder / 'web.yml'}{line}" for line in lines)
    assert "made-up-password" not in f"{caught.value} {caught.value!r} {caught.value.mistakes}"
    assert load_text(folder, PAIR).tls is not None


def test_a_file_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    """It was named, so nothing else than what it says may be served."""
    with pytest.raises(ConfigError) as caught:
        load_web(tmp_path / "web.yml")
    assert str(caught.value) == f"{tmp_path / 'web.yml'}: cannot be read: No such file or directory"


def test_an_encrypted_key_is_a_mistake_and_nobody_is_asked_for_its_password(folder: Path) -> None:
    """OpenSSL would ask on the terminal, and wait for ever where there is nobody to answer."""
    key = load_pem_private_key((folder / "server.key").read_bytes(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"made-up-password"))
    (folder / "encrypted.key").write_bytes(encrypted)
    (folder / "encrypted.yml").write_text(PAIR.replace("server.key", "encrypted.key"))
    code = (
        "import pathlib, sys\n"
        "from sms_credit_exporter.config.web import load_web\n"
        "try:\n"
        "    load_web(pathlib.Path(sys.argv[1]))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__)\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", code, str(folder / "encrypted.yml")],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # without a terminal, as a service
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )
    assert (outcome.stdout, outcome.stderr) == ("ConfigError\n", "")


def test_hashes_are_not_printed(folder: Path) -> None:
    """A hash can be guessed at in peace by whoever has it."""
    config = load_text(folder, f"{PAIR}basic_auth_users:\n  prometheus: {HASH}\n")
    assert HASH not in f"{config!r} {config} {config.tls!r}"
    assert "server.key" in repr(config)


def mistakes_of(file: Path) -> list[Mistake]:
    """Return the mistakes of a file; anything but a ConfigError is raised."""
    try:
        load_web(file)
    except ConfigError as error:
        return error.mistakes
    return []


@given(st.text())
def test_no_text_makes_it_raise_anything_else(folder: Path, text: str) -> None:
    """A web configuration, or a ConfigError that says something in each of its lines."""
    (folder / "web.yml").write_text(text, encoding="utf-8", errors="replace")
    assert all(mistake.text for mistake in mistakes_of(folder / "web.yml"))


BOMB = "".join(f"b{level}: &b{level} [{f'*b{level - 1}, ' * 9 if level else 'x'}]\n" for level in range(10))
"""Short lists of aliases that would fill gigabytes if they were spelt out."""


@pytest.mark.parametrize(
    "text",
    [
        *(f"tls_server_config: {{{key}: *b9}}\n" for key in TLS_KEYS.split(", ")),
        "basic_auth_users: {prometheus: *b9}\n",
        *(f"{key}: *b9\n" for key in TOP_KEYS.split(", ")),
    ],
)
def test_lists_of_lists_are_refused_soon(folder: Path, text: str) -> None:
    """No error text spells such a list out, wherever it stands."""
    (folder / "web.yml").write_text(BOMB + text)
    begun = time.process_time()
    assert mistakes_of(folder / "web.yml")
    assert time.process_time() - begun < 10


TEXTS = st.one_of(st.none(), st.text())
KEYS = [*TLS_KEYS.split(", "), "http2", "headers", "interval", "burst"]
LEAVES = st.one_of(TEXTS, st.integers(), st.booleans(), st.dictionaries(st.sampled_from(HEADERS.split(", ")), TEXTS))
MEMBERS = st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text()), LEAVES)


@given(st.dictionaries(st.sampled_from(TOP_KEYS.split(", ")), st.one_of(TEXTS, MEMBERS)))
def test_no_value_makes_it_raise_anything_else(folder: Path, value: object) -> None:
    """Whatever YAML can hold may stand at any place; JSON is YAML."""
    (folder / "web.yml").write_text(json.dumps(value))
    assert all(mistake.text for mistake in mistakes_of(folder / "web.yml"))
