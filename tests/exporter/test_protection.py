"""The web server's users and TLS, as a client on the other end of a real socket sees them."""

import asyncio
import logging
import re
import ssl
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
import trustme
from prometheus_client import CollectorRegistry, Gauge
from structlog.testing import capture_logs

from sms_credit_exporter.config.web import Tls, WebConfig, load_web
from sms_credit_exporter.exposition import Exposition
from sms_credit_exporter.protection import Authentication, needs_restart, tls_context
from sms_credit_exporter.web import Address, Site, application, serve

ALICE, BOB = ("alice", "made-up-password"), ("bob", "other:made-up-pässword")
LONG = ("long", "p" * 72)
"""The most that bcrypt takes."""

STUCK = 20
"""Clients that do not go on."""

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain HTTP; it trusts nobody."""

BCRYPT = re.compile(rb"\$2[aby]\$[0-9]{2}\$.{53}")
"""A hash of full length; bcrypt would refuse any other without the work."""

CHALLENGE = 'Basic realm="sms-credit-exporter"'


@cache
def hash_of(password: str) -> str:
    """Return a bcrypt hash that is quickly checked."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


def users(*known: tuple[str, str]) -> str:
    """Return the part of a web configuration that names these users."""
    return "basic_auth_users:\n" + "".join(f"  {name}: {hash_of(password)}\n" for name, password in known)


def basic(credentials: str | bytes) -> bytes:
    """Return an Authorization header for what stands before and after the colon."""
    return b"Basic " + b64encode(credentials.encode() if isinstance(credentials, str) else credentials)


class Server:
    """A web server whose configuration file can be rewritten and loaded again, as `serve` does at a reload."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the configuration file and of what it names."""
        self.folder = folder
        self.config = WebConfig()
        self.url = ""
        self.reloads = 0

    def configure(self, text: str) -> None:
        """Rewrite the configuration file and load it."""
        (self.folder / "web.yml").write_text(text)
        self.config = load_web(self.folder / "web.yml")

    async def reload(self) -> None:
        """Count what only a user may do."""
        self.reloads += 1

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return httpx.URL(self.url).port or 0

    @asynccontextmanager
    async def running(self, text: str) -> AsyncIterator[None]:
        """Serve as the exporter does, under this configuration."""
        self.configure(text)
        registry = CollectorRegistry()
        Gauge("made_up", "A metric.", registry=registry).set(1)
        site = Site(
            exposition=Exposition(registry),
            views=tuple,
            ready=lambda: True,
            reload=self.reload,
            version="0",
            refresh=15.0,
        )
        app = application(site, Authentication(lambda: self.config).middleware)
        async with AsyncExitStack() as stack:
            (self.url,) = await serve(stack, app, [Address.parse("127.0.0.1:0")], tls_context(lambda: self.config))
            yield


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """Return a server that does not run yet."""
    return Server(tmp_path)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the hashes that passwords were checked against so far; each costs the same time whatever comes of it."""
    done: list[bytes] = []
    check = bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        done.append(hashed)
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    return done


async def get(  # noqa: PLR0913 - all that a request is made of
    server: Server,
    path: str = "/metrics",
    *,
    method: str = "GET",
    tls: ssl.SSLContext = NO_TLS,
    auth: tuple[str, str] | None = None,
    headers: Mapping[bytes, bytes] | None = None,
) -> httpx.Response:
    """Ask on a connection of its own."""
    async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=10) as client:
        return await client.request(method, server.url + path, auth=auth, headers=headers)


def assert_refused(response: httpx.Response) -> None:
    """Check that nothing was answered but that credentials are needed."""
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == CHALLENGE
    assert response.content == b""


# -------------------------------------------------------------------------------------------------------- users


async def test_without_users_everything_is_open(server: Server) -> None:
    """As it is without a web configuration file; credentials that nobody asked for do no harm."""
    async with server.running(""):
        assert (await get(server)).status_code == 200
        assert (await get(server, auth=ALICE)).status_code == 200


@pytest.mark.parametrize("user", [ALICE, BOB, LONG], ids=lambda user: user[0])
async def test_a_user_with_the_right_password_may_read(server: Server, user: tuple[str, str]) -> None:
    """A password may hold a colon, letters beyond ASCII, and 72 bytes."""
    async with server.running(users(ALICE, BOB, LONG)):
        response = await get(server, auth=user)
    assert response.status_code == 200
    assert "made_up 1.0" in response.text


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param((ALICE[0], "wrong"), id="a wrong password"),
        pytest.param((ALICE[0], BOB[1]), id="another user's password"),
        pytest.param((ALICE[0], ""), id="no password"),
        pytest.param((ALICE[0], ALICE[1] + " "), id="a space after the password"),
        pytest.param((ALICE[0], ALICE[1] + "\0"), id="a zero byte after the password"),
        pytest.param((ALICE[0], ALICE[1].upper()), id="the password in capitals"),
        pytest.param((ALICE[0], hash_of(ALICE[1])), id="the hash instead of the password"),
        pytest.param((ALICE[0].upper(), ALICE[1]), id="the name in capitals"),
        pytest.param(("mallory", ALICE[1]), id="an unknown user"),
        pytest.param(("", ""), id="neither name nor password"),
        pytest.param((LONG[0], LONG[1] + "p"), id="one byte more than bcrypt takes"),
        pytest.param((LONG[0], LONG[1] * 50), id="far more bytes than bcrypt takes"),
    ],
)
async def test_anybody_else_may_not(server: Server, credentials: tuple[str, str]) -> None:
    """The answer asks for credentials and shows nothing else; with the right ones, the page is served."""
    async with server.running(users(ALICE, BOB, LONG)):
        assert_refused(await get(server, auth=credentials))
        assert (await get(server, auth=ALICE)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"Basic", id="only the scheme"),
        pytest.param(b"Basic !!!", id="not Base64"),
        pytest.param(b"Basic YQ", id="Base64 cut short"),
        pytest.param(b"Basic \xff\xfe", id="bytes beyond ASCII"),
        pytest.param(basic("alice"), id="no colon"),
        pytest.param(basic(b"\xff\xfe:made-up-password"), id="a name that is not UTF-8"),
        pytest.param(basic(b"alice:\xff\xfe"), id="a password that is not UTF-8"),
        pytest.param(basic(":".join(ALICE)).removeprefix(b"Basic "), id="no scheme"),
        pytest.param(basic(":".join(ALICE)).replace(b"Basic", b"Bearer"), id="a bearer's token"),
        pytest.param(b'Digest username="alice", response="0"', id="a digest"),
        pytest.param(basic(":".join(ALICE)) + b" x", id="one word too many"),
    ],
)
async def test_a_malformed_header_identifies_nobody(server: Server, header: bytes) -> None:
    """A malformed header is no server error, and the next client is served."""
    async with server.running(users(ALICE)):
        assert_refused(await get(server, headers={b"Authorization": header}))
        assert (await get(server, auth=ALICE)).status_code == 200


@pytest.mark.parametrize("scheme", [b"basic", b"BASIC"], ids=bytes.decode)
async def test_the_name_of_the_scheme_may_be_written_in_any_case(server: Server, scheme: bytes) -> None:
    """RFC 9110 makes the name of a scheme case-insensitive."""
    header = basic(":".join(ALICE)).replace(b"Basic", scheme)
    async with server.running(users(ALICE)):
        assert (await get(server, headers={b"Authorization": header})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/metrics"),
        ("HEAD", "/metrics"),
        ("GET", "/static/style.css"),
        ("GET", "/nowhere"),
        ("POST", "/-/reload"),
        ("PUT", "/-/reload"),
        ("POST", "/-/%72eload"),
        ("GET", "/-/healthy/"),
        ("GET", "//-/healthy"),
    ],
)
async def test_every_page_and_action_is_protected(server: Server, method: str, path: str) -> None:
    """Paths that do not exist are protected too, so that nobody learns which do."""
    async with server.running(users(ALICE)):
        assert_refused(await get(server, path, method=method))
        assert server.reloads == 0


async def test_a_user_may_reload(server: Server) -> None:
    """A user may; the test above shows that nobody else can."""
    async with server.running(users(ALICE)):
        assert (await get(server, "/-/reload", method="POST", auth=ALICE)).text == "Reloaded.\n"
        assert server.reloads == 1


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready"])
@pytest.mark.parametrize("credentials", [None, ("mallory", "wrong"), ALICE], ids=["none", "wrong", "right"])
async def test_health_is_open_to_everybody(
    server: Server, checks: list[bytes], path: str, credentials: tuple[str, str] | None
) -> None:
    """What asks for it rarely has a password, and asks so often that none is checked."""
    async with server.running(users(ALICE)):
        assert (await get(server, path, auth=credentials)).status_code == 200
    assert checks == []


# --------------------------------------------------------------------------------------- what a check costs


@pytest.mark.parametrize("name", [ALICE[0], "mallory"], ids=["a known user", "an unknown user"])
async def test_a_wrong_password_costs_one_check_whoever_tries_it(
    server: Server, checks: list[bytes], name: str
) -> None:
    """So that time does not tell which users exist. It is not remembered: the next try costs as much."""
    async with server.running(users(ALICE)):
        for tries in (1, 2, 3):
            assert_refused(await get(server, auth=(name, "wrong")))
            assert len(checks) == tries
    assert all(BCRYPT.fullmatch(hashed) for hashed in checks)


async def test_the_right_password_is_checked_once(server: Server, checks: list[bytes]) -> None:
    """A check takes long by design, and a scraper comes every few seconds."""
    async with server.running(users(ALICE, BOB)):
        for _ in range(3):
            assert (await get(server, auth=ALICE)).status_code == 200
        assert checks == [hash_of(ALICE[1]).encode()]
        assert (await get(server, auth=BOB)).status_code == 200
        assert checks == [hash_of(ALICE[1]).encode(), hash_of(BOB[1]).encode()]


async def test_no_more_passwords_are_remembered_than_may_be(
    server: Server, checks: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever changes a password often fills no memory; who was forgotten is checked once more."""
    monkeypatch.setattr("sms_credit_exporter.protection._MAX_REMEMBERED", 1)
    async with server.running(users(ALICE, BOB)):
        for user in (ALICE, ALICE, BOB, BOB, ALICE):
            assert (await get(server, auth=user)).status_code == 200
    assert checks == [hash_of(password).encode() for _, password in (ALICE, BOB, ALICE)]


async def test_a_remembered_password_is_remembered_for_its_user_only(server: Server) -> None:
    """Alice's password does not let Mallory in, nor Bob."""
    async with server.running(users(ALICE, BOB)):
        assert (await get(server, auth=ALICE)).status_code == 200
        assert_refused(await get(server, auth=(BOB[0], ALICE[1])))
        assert_refused(await get(server, auth=("mallory", ALICE[1])))


async def test_a_slow_check_does_not_stop_other_requests(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Health is answered meanwhile, and who is known already may read."""
    begun, go_on = threading.Event(), threading.Event()
    check = bcrypt.checkpw

    def held_up(password: bytes, hashed: bytes) -> bool:
        begun.set()
        return go_on.wait(10) and check(password, hashed)

    async with server.running(users(ALICE, BOB)):
        assert (await get(server, auth=ALICE)).status_code == 200
        monkeypatch.setattr(bcrypt, "checkpw", held_up)
        bob = asyncio.create_task(get(server, auth=BOB))
        assert await asyncio.to_thread(begun.wait, 10)
        assert (await get(server, "/-/healthy")).status_code == 200
        assert (await get(server, auth=ALICE)).status_code == 200
        assert not bob.done()
        go_on.set()
        assert (await bob).status_code == 200


# ------------------------------------------------------------------------------------------------------- reload


async def test_a_new_password_counts_at_once_and_the_old_one_no_more(server: Server) -> None:
    """The old password is refused even if it was remembered."""
    new = (ALICE[0], "new-made-up-password")
    async with server.running(users(ALICE)):
        assert (await get(server, auth=ALICE)).status_code == 200
        assert_refused(await get(server, auth=new))
        server.configure(users(new))
        assert_refused(await get(server, auth=ALICE))
        assert (await get(server, auth=new)).status_code == 200


async def test_a_removed_user_is_out_at_once_and_an_added_one_in(server: Server) -> None:
    """Whoever was removed must be out at once."""
    async with server.running(users(ALICE)):
        assert (await get(server, auth=ALICE)).status_code == 200
        server.configure(users(BOB))
        assert_refused(await get(server, auth=ALICE))
        assert (await get(server, auth=BOB)).status_code == 200


async def test_protection_begins_and_ends_with_the_configuration(server: Server) -> None:
    """Reloads add the first user and remove the last one."""
    async with server.running(""):
        assert (await get(server)).status_code == 200
        server.configure(users(ALICE))
        assert_refused(await get(server))
        server.configure("")
        assert (await get(server)).status_code == 200


# ---------------------------------------------------------------------------------------------------------- TLS


class Certificates:
    """What a certificate authority issues, and the files that a server keeps of it."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the server's files."""
        self.authority = trustme.CA()
        self.folder = folder

    def issue(self) -> trustme.LeafCert:
        """Return a new certificate for this machine."""
        return self.authority.issue_cert("localhost", "127.0.0.1")

    def write(self, certificate: trustme.LeafCert, name: str = "server") -> None:
        """Write a certificate and its key, one after the other, as a person would."""
        self.write_certificate(certificate, name)
        self.write_key(certificate, name)

    def write_certificate(self, certificate: trustme.LeafCert, name: str = "server") -> None:
        """Write only the certificate."""
        (self.folder / f"{name}.crt").write_bytes(pem(certificate))

    def write_key(self, certificate: trustme.LeafCert, name: str = "server") -> None:
        """Write only the key."""
        (self.folder / f"{name}.key").write_bytes(certificate.private_key_pem.bytes())

    def trust(self, certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
        """Return the TLS context of a client that trusts this authority and may have a certificate itself."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        if certificate:
            certificate.configure_cert(context)
        return context


def pem(certificate: trustme.LeafCert) -> bytes:
    """Return a certificate with its chain."""
    return b"".join(blob.bytes() for blob in certificate.cert_chain_pems)


def der(certificate: trustme.LeafCert) -> bytes:
    """Return a certificate as it goes over the wire."""
    return ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Return an authority, and write a certificate of it for the server."""
    certificates = Certificates(tmp_path)
    certificates.write(certificates.issue())
    return certificates


PAIR = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
CLIENTS_VERIFIED = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n"
CLIENTS_VERIFIED_IF_GIVEN = CLIENTS_VERIFIED.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")


async def served(server: Server, tls: ssl.SSLContext, name: str = "localhost") -> bytes:
    """Return the certificate that a new connection is shown, verified, as it goes over the wire."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=tls, server_hostname=name)
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return shown


async def test_metrics_are_served_over_tls_to_users_only(server: Server, certificates: Certificates) -> None:
    """Both protections together, on a certificate that verifies."""
    tls = certificates.trust()
    async with server.running(PAIR + users(ALICE)):
        assert server.url.startswith("https://")
        assert_refused(await get(server, tls=tls))
        assert (await get(server, tls=tls, auth=ALICE)).status_code == 200


@pytest.mark.parametrize(
    ("text", "newest", "agreed"),
    [
        pytest.param("", ssl.TLSVersion.TLSv1_3, "TLSv1.3", id="the newest if the client has it"),
        pytest.param("", ssl.TLSVersion.TLSv1_2, "TLSv1.2", id="TLS 1.2 for an older client"),
        pytest.param("  min_version: TLS13\n", ssl.TLSVersion.TLSv1_3, "TLSv1.3", id="TLS 1.3 where it is the oldest"),
    ],
)
async def test_which_tls_is_spoken(
    server: Server, certificates: Certificates, text: str, newest: ssl.TLSVersion, agreed: str
) -> None:
    """Both sides agree on the newest version that they have."""
    tls = certificates.trust()
    tls.maximum_version = newest
    async with server.running(PAIR + text):
        response = await get(server, tls=tls)
    assert response.extensions["network_stream"].get_extra_info("ssl_object").version() == agreed


async def test_a_client_without_the_oldest_tls_is_refused(server: Server, certificates: Certificates) -> None:
    """The next client, whose TLS is new enough, is served."""
    old, new = certificates.trust(), certificates.trust()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with server.running(PAIR + "  min_version: TLS13\n"):
        with pytest.raises(httpx.TransportError):
            await get(server, tls=old)
        assert (await get(server, tls=new)).status_code == 200


async def test_plain_http_at_the_tls_port_disturbs_nobody(
    server: Server, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    """A misconfigured scraper gets nothing, fills no log, and others are served."""
    async with server.running(PAIR):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.close()
        assert b"HTTP" not in answer
        assert (await get(server, tls=certificates.trust())).status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        pytest.param("", b"", id="plain, and nothing is sent"),
        pytest.param("", b"GET /metrics HTTP/1.1\r\nHost: ", id="plain, and half a request is sent"),
        pytest.param(PAIR, b"", id="TLS, and nothing is sent"),
        pytest.param(PAIR, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS, and half a greeting is sent"),
    ],
)
async def test_clients_that_do_not_go_on_stop_nobody(
    server: Server, certificates: Certificates, text: str, sent: bytes
) -> None:
    """A port scanner or a dead link must not be able to blind the monitoring."""
    async with server.running(text):
        writers = [(await asyncio.open_connection("127.0.0.1", server.port))[1] for _ in range(STUCK)]
        for writer in writers:
            writer.write(sent)
            await writer.drain()
        async with asyncio.timeout(5):
            assert (await get(server, tls=certificates.trust())).status_code == 200
        for writer in writers:
            writer.close()


# ----------------------------------------------------------------------------------------- renewed certificates


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"], ids=["asked by name", "asked by address"])
async def test_a_renewed_certificate_is_shown_to_the_next_connection(
    server: Server, certificates: Certificates, name: str, version: ssl.TLSVersion
) -> None:
    """Without a restart or a reload; a client that asks by address sends no name."""
    tls, first, second = certificates.trust(), certificates.issue(), certificates.issue()
    tls.maximum_version = version
    certificates.write(first)
    async with server.running(PAIR):
        assert await served(server, tls, name) == der(first)
        certificates.write(second)
        assert await served(server, tls, name) == der(second)
        assert (await get(server, tls=tls)).status_code == 200


async def test_a_certificate_renewed_by_another_link_is_shown(server: Server, certificates: Certificates) -> None:
    """Kubernetes mounts a folder as a link, and replaces the link."""
    first, second = certificates.issue(), certificates.issue()
    for folder, certificate in (("first", first), ("second", second)):
        (server.folder / folder).mkdir()
        certificates.write(certificate, f"{folder}/server")
    (server.folder / "current").symlink_to("first")
    async with server.running(PAIR.replace("server.", "current/server.")):
        assert await served(server, certificates.trust()) == der(first)
        (server.folder / "next").symlink_to("second")
        (server.folder / "next").replace(server.folder / "current")
        assert await served(server, certificates.trust()) == der(second)


async def test_an_open_connection_outlives_a_renewal(server: Server, certificates: Certificates) -> None:
    """A scraper keeps its connection for hours."""
    async with (
        server.running(PAIR),
        httpx.AsyncClient(verify=certificates.trust(), trust_env=False, base_url=server.url) as client,
    ):
        first = await client.get("/metrics")
        certificates.write(certificates.issue())
        second = await client.get("/metrics")
    assert (first.status_code, second.status_code) == (200, 200)


HALF = {
    "half of the new certificate": lambda c, new: (c.folder / "server.crt").write_bytes(pem(new)[:300]),
    "an empty certificate": lambda c, _: (c.folder / "server.crt").write_bytes(b""),
    "the new certificate and still the old key": lambda c, new: c.write_certificate(new),
    "the new key and still the old certificate": lambda c, new: c.write_key(new),
    "half of the new key": lambda c, new: (c.folder / "server.key").write_bytes(new.private_key_pem.bytes()[:50]),
    "no certificate": lambda c, _: (c.folder / "server.crt").unlink(),
    "no key": lambda c, _: (c.folder / "server.key").unlink(),
}
"""How far a renewal can have come, and how to leave it there."""


@pytest.mark.parametrize("half", HALF.values(), ids=HALF)
async def test_a_renewal_half_done_leaves_the_old_certificate_in_use(
    server: Server,
    certificates: Certificates,
    half: Callable[[Certificates, trustme.LeafCert], None],
) -> None:
    """Somebody who reads the log is told; once the renewal is done, the new certificate is shown."""
    tls, first, second = certificates.trust(), certificates.issue(), certificates.issue()
    certificates.write(first)
    async with server.running(PAIR):
        half(certificates, second)
        with capture_logs() as logs:
            assert await served(server, tls) == der(first)
        assert [(entry["log_level"], entry["event"], Path(entry["file"]).name) for entry in logs] == [
            ("warning", "renewed certificate cannot be used yet", "server.crt")
        ]
        assert (await get(server, tls=tls)).status_code == 200
        certificates.write(second)
        assert await served(server, tls) == der(second)


async def test_a_certificate_of_another_name_is_shown_after_a_reload(
    server: Server, certificates: Certificates
) -> None:
    """The web configuration may name other files than before."""
    other = certificates.issue()
    certificates.write(other, "other")
    async with server.running(PAIR):
        server.configure(PAIR.replace("server.", "other."))
        assert await served(server, certificates.trust()) == der(other)


# -------------------------------------------------------------------------------------- certificates of clients


async def test_a_client_needs_a_certificate_where_one_is_required(server: Server, certificates: Certificates) -> None:
    """A client without a certificate, or with a foreign one, is refused; with the right one it is served."""
    own, foreign = certificates.issue(), trustme.CA().issue_cert("localhost")
    certificates.authority.cert_pem.write_to_path(server.folder / "clients.crt")
    async with server.running(PAIR + CLIENTS_VERIFIED):
        with pytest.raises(httpx.TransportError):
            await get(server, tls=certificates.trust())
        with pytest.raises(httpx.TransportError):
            await get(server, tls=certificates.trust(foreign))
        assert (await get(server, tls=certificates.trust(own))).status_code == 200


async def test_a_client_may_have_a_certificate_where_one_is_verified_if_given(
    server: Server, certificates: Certificates
) -> None:
    """A client is served without a certificate or with the right one, and refused with a wrong one."""
    own, foreign = certificates.issue(), trustme.CA().issue_cert("localhost")
    certificates.authority.cert_pem.write_to_path(server.folder / "clients.crt")
    async with server.running(PAIR + CLIENTS_VERIFIED_IF_GIVEN):
        assert (await get(server, tls=certificates.trust())).status_code == 200
        with pytest.raises(httpx.TransportError):
            await get(server, tls=certificates.trust(foreign))
        assert (await get(server, tls=certificates.trust(own))).status_code == 200


async def test_a_renewed_certificate_still_requires_one_of_the_client(
    server: Server, certificates: Certificates
) -> None:
    """Renewing must not open the door."""
    own = certificates.issue()
    certificates.authority.cert_pem.write_to_path(server.folder / "clients.crt")
    async with server.running(PAIR + CLIENTS_VERIFIED):
        certificates.write(certificates.issue())
        with pytest.raises(httpx.TransportError):
            await get(server, tls=certificates.trust())
        assert (await get(server, tls=certificates.trust(own))).status_code == 200


async def test_a_renewed_authority_decides_over_the_next_client(server: Server, certificates: Certificates) -> None:
    """Certificates of the old authority are refused from then on, those of the new one accepted."""
    renewed = trustme.CA()
    before, after = certificates.issue(), renewed.issue_cert("localhost")
    certificates.authority.cert_pem.write_to_path(server.folder / "clients.crt")
    async with server.running(PAIR + CLIENTS_VERIFIED):
        assert (await get(server, tls=certificates.trust(before))).status_code == 200
        renewed.cert_pem.write_to_path(server.folder / "clients.crt")
        with pytest.raises(httpx.TransportError):
            await get(server, tls=certificates.trust(before))
        assert (await get(server, tls=certificates.trust(after))).status_code == 200


@pytest.mark.parametrize(
    ("changes", "restart"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"cert_file": Path("other.pem"), "key_file": Path("other.key")}, False, id="another certificate"),
        pytest.param({"client_auth_type": ssl.CERT_REQUIRED}, True, id="whether clients need one"),
        pytest.param({"client_ca_file": Path("ca.pem")}, True, id="whose they must be"),
        pytest.param({"min_version": ssl.TLSVersion.TLSv1_3}, True, id="the oldest version"),
    ],
)
def test_what_of_tls_needs_a_restart(changes: Mapping[str, Any], restart: bool) -> None:  # noqa: FBT001 - a table's column
    """A certificate is renewed every few weeks; all else is a decision."""
    tls = Tls(cert_file=Path("a.pem"), key_file=Path("a.key"))
    old, new = (WebConfig(tls=each) for each in (tls, replace(tls, **changes)))
    assert needs_restart(old, new) is restart
    assert needs_restart(old, WebConfig())
    assert needs_restart(WebConfig(), new)
    assert not needs_restart(WebConfig(), WebConfig())
