"""One poll over real sockets and TLS: what leaves, what may come back, and what is made of all the rest."""

import asyncio
import errno
import gzip
import logging
import os
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from secrets import token_hex
from threading import Thread
from typing import Never
from urllib.parse import quote

import httpx
import pytest
import trustme

from sms_credit_core import (
    DEFAULT_TIMEOUT,
    MAX_BODY,
    PROVIDERS,
    Account,
    Cause,
    Problem,
    Provider,
    Reading,
    Secret,
    Status,
    poll,
    poll_account,
)
from sms_credit_exporter.simulator.behaviour import Act, Canned, NoAnswer
from sms_credit_exporter.simulator.payloads import Payload
from sms_credit_exporter.simulator.server import Simulator

PROVIDER = PROVIDERS["23telecom"]
KEY = "sk_prod_5f1e0c7a9b3d"
CREDENTIALS = {"api_key": KEY}
BODY = b'{"balance": 1250.50, "currency": "EUR"}'
LENGTH = b"Content-Length: %d" % len(BODY)

TIMEOUT = 0.3
"""Seconds."""
PLENTY = 5.0
"""Seconds for what fails by itself: it must not be taken for a timeout on a busy machine."""
FOREVER = 3600.0
"""Seconds, as far as a test is concerned."""

TRUST = ssl.create_default_context()
"""What the system trusts; reading it takes longer than most tests."""

Script = Sequence[bytes | float]
"""What a server does after it was asked: it sends bytes and pauses for seconds. At the end it closes."""


def answer(*headers: bytes, body: bytes = BODY, status: bytes = b"200 OK") -> bytes:
    """Write an answer down; without a Content-Length among the headers the closing ends it."""
    return b"\r\n".join((b"HTTP/1.1 " + status, *headers, b"", body))


def whole(*headers: bytes, body: bytes = BODY, status: bytes = b"200 OK") -> bytes:
    """Write an answer down with its length."""
    return answer(*headers, b"Content-Length: %d" % len(body), body=body, status=status)


def chunked(*parts: bytes) -> bytes:
    """Write the chunks of a body down, without the last one that would end it."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def dripping(sent: bytes) -> Script:
    """Send byte by byte, each well within any time that a single read is allowed."""
    return [step for byte in sent for step in (bytes([byte]), TIMEOUT / 6)]


@contextmanager
def in_a_thread(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve connections one after the other, whatever the event loop does meanwhile; gives host and port."""

    def accept() -> None:
        with suppress(OSError):  # the listening socket is closed at the end
            while True:
                connection, _ = listening.accept()
                with connection, suppress(OSError):  # clients go when they like
                    talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=accept)
        thread.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


CUT: Script = ()
SILENT: Script = (FOREVER,)
HEALTHY: Script = (whole(),)


class Server:
    """Plays one script for each connection, and the last one for all that follow."""

    def __init__(self, *scripts: Script) -> None:
        """Take the scripts in their order."""
        self.base_url = ""
        self.requests: list[bytes] = []
        self.asked, self.let_go = asyncio.Event(), asyncio.Event()
        """Set once a request has arrived, and once a client has closed a connection."""
        self.tasks: set[asyncio.Task[None]] = set()
        self.serving: set[asyncio.Task[None]] = set()
        self._scripts = [*scripts]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        playing = asyncio.create_task(self._play(reader, writer))
        self.tasks.add(playing)
        serving = asyncio.current_task()
        assert serving
        self.serving.add(serving)
        await asyncio.wait([playing])
        writer.close()
        if playing.cancelled():
            writer.transport.abort()  # whatever has not left by now
        with suppress(OSError):
            await writer.wait_closed()

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.read(MAX_BODY))
        self.asked.set()
        script = self._scripts.pop(0) if self._scripts[1:] else self._scripts[0]
        leaving = asyncio.create_task(self._wait_for_leaving(reader))
        self.tasks.add(leaving)
        with suppress(OSError):
            for step in script:
                if isinstance(step, float):
                    await asyncio.wait([leaving], timeout=step)
                else:
                    writer.write(step)
                    await writer.drain()
        leaving.cancel()

    async def _wait_for_leaving(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            await reader.read()
        self.let_go.set()


@asynccontextmanager
async def playing(*scripts: Script) -> AsyncIterator[Server]:
    """Run a server."""
    server = Server(*scripts)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server.base_url = f"http://127.0.0.1:{port}/api/v1"
    try:
        yield server
    finally:
        listening.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, *server.serving, return_exceptions=True)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Return a client with room for one connection, so that a poll that leaves one open is found out."""
    async with httpx.AsyncClient(trust_env=False, verify=TRUST, limits=httpx.Limits(max_connections=1)) as client:
        yield client


async def ask(  # noqa: PLR0913 - poll's own
    client: httpx.AsyncClient,
    base_url: str,
    *,
    provider: Provider = PROVIDER,
    credentials: Mapping[str, str] = CREDENTIALS,
    timeout: float = 5.0,  # noqa: ASYNC109 - poll's own
    now: float | None = None,
) -> Reading | Problem:
    """Poll once; without a time of day, at the present one."""
    return await poll(
        client,
        provider,
        {name: Secret(value) for name, value in credentials.items()},
        unix_time=time.time if now is None else lambda: now,
        base_url=base_url,
        timeout=timeout,
    )


def begun(caplog: pytest.LogCaptureFixture, step: str) -> int:
    """Return how often the HTTP library began a step of connecting; no server sees these."""
    return [record.getMessage().split(" ")[0] for record in caplog.records].count(f"{step}.started")


def cause_of(outcome: Reading | Problem) -> Cause | None:
    """Return why there is no reading; None for a reading."""
    return outcome.cause if isinstance(outcome, Problem) else None


# --- the request --------------------------------------------------------------------------------------------------


async def test_the_request_for_23telecom_is_what_its_documentation_asks_for(client: httpx.AsyncClient) -> None:
    """Nothing leaves that is not meant for the provider: the whole request is compared."""
    async with playing(HEALTHY) as server:
        assert cause_of(await ask(client, server.base_url)) is None
    host = server.base_url.removeprefix("http://").removesuffix("/api/v1")
    assert server.requests == [
        b"GET /api/v1/user/balance HTTP/1.1\r\n"
        b"Host: %b\r\n"
        b"Accept: application/json\r\n"
        b"Accept-Encoding: identity\r\n"
        b"Connection: close\r\n"
        b"User-Agent: sms-credit (+https://github.com/sms-credit/sms-credit)\r\n"
        b"X-API-Key: %b\r\n"
        b"\r\n" % (host.encode(), KEY.encode())
    ]


async def test_the_request_for_iletimerkezi_is_what_its_documentation_asks_for(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The credentials stand in the body and nowhere else."""
    caplog.set_level(logging.DEBUG)
    simulator = Simulator()
    account = simulator.add("iletimerkezi")
    async with simulator.serving() as base_urls:
        outcome = await ask(
            client, base_urls["iletimerkezi"], provider=PROVIDERS["iletimerkezi"], credentials=account.credentials
        )
    key, hash_ = (account.credentials[name] for name in ("api_key", "api_hash"))
    request = account.requests[0]
    body = f'{{"request": {{"authentication": {{"key": "{key}", "hash": "{hash_}"}}}}}}'
    assert cause_of(outcome) is None
    assert (request.method, request.path, request.body) == ("POST", "/v1/get-balance/json", body.encode())
    assert dict(request.headers) == {
        "Host": httpx.URL(base_urls["iletimerkezi"]).netloc.decode(),
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": "sms-credit (+https://github.com/sms-credit/sms-credit)",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    assert key not in caplog.text
    assert hash_ not in caplog.text


def written(value: str) -> set[str]:
    """Return how a credential can stand in a text: as it is, quoted as in a URL, and in Base64 as in a header."""
    base64 = {b64encode(f"{before}{value}".encode()).decode()[4:-4] for before in ("", "u", "us")}
    return {value, quote(value, safe=""), *base64}


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
@pytest.mark.parametrize("act", [pytest.param("healthy", id="healthy"), NoAnswer.CUT, NoAnswer.SILENT])
async def test_no_credential_shows_in_a_log_or_in_what_comes_of_it(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, provider: Provider, act: str | Act
) -> None:
    """The client logs every address that it asks, and everything else while somebody debugs; errors name it too."""
    caplog.set_level(logging.DEBUG)
    simulator = Simulator()
    credentials = {field.name: f"{field.name}-never+print=me" for field in provider.credentials if field.required}
    account = simulator.add(provider.key, act, credentials=credentials)
    async with simulator.serving() as base_urls:
        outcome = await ask(
            client, base_urls[provider.key], provider=provider, credentials=credentials, timeout=TIMEOUT
        )
    assert account.requests
    assert (cause_of(outcome) is None) == (act == "healthy")
    said = caplog.text + repr(outcome)
    assert "HTTP Request" in said or act != "healthy"
    assert [word for value in credentials.values() for word in written(value) if word in said] == []


async def test_nothing_of_the_callers_client_goes_along() -> None:
    """A shared client carries headers, parameters and cookies for others, and picks up the providers' own."""
    async with (
        httpx.AsyncClient(
            trust_env=False,
            verify=TRUST,
            headers={"X-Of-The-Client": "1"},
            params={"of": "client"},
            cookies={"of": "client"},
        ) as client,
        playing((whole(b"Set-Cookie: session=1; Path=/"),)) as server,
    ):
        await ask(client, server.base_url)
        await ask(client, server.base_url)
        kept = {cookie.name for cookie in client.cookies.jar}
    sent = b"".join(server.requests).lower()
    assert len(server.requests) == 2
    assert b"client" not in sent
    assert b"cookie" not in sent
    assert kept == {"of"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize(
    "status", [pytest.param(b"200 OK", id="an answer"), pytest.param(b"302 Found", id="a redirect to nowhere")]
)
async def test_no_cookie_of_a_provider_stays_in_the_callers_client(
    client: httpx.AsyncClient, host: str, status: bytes
) -> None:
    """A provider may send new ones with every answer."""
    cookies = (b"Set-Cookie: session=1; Path=/", b"Set-Cookie: other=2; Path=/api", b"Location: mailto:a@b.example")
    async with playing([whole(*cookies, status=status)]) as server:
        await ask(client, server.base_url.replace("127.0.0.1", host))
    assert [*client.cookies.jar] == []


async def test_a_cookie_for_all_hosts_of_a_provider_does_not_stay_either() -> None:
    """What others have in the client does."""
    cookies = [
        ("Set-Cookie", f"{name}; Path=/")
        for name in ("a=1", "b=1; Domain=gateway.example", "c=1; Domain=.gateway.example")
    ]
    edge = httpx.MockTransport(lambda _request: httpx.Response(200, headers=cookies, content=BODY))
    async with httpx.AsyncClient(transport=edge) as client:
        client.cookies.set("of", "others", domain=".other.example")
        await ask(client, "https://api.gateway.example/v1")
        assert [cookie.name for cookie in client.cookies.jar] == ["of"]


async def test_the_timeouts_of_the_callers_client_do_not_count() -> None:
    """The poll has one of its own, for the whole exchange."""
    async with (
        httpx.AsyncClient(trust_env=False, verify=TRUST, timeout=TIMEOUT / 6) as client,
        playing([TIMEOUT, whole()]) as server,
    ):
        assert isinstance(await ask(client, server.base_url), Reading)


async def test_a_login_of_the_callers_client_does_not_go_along() -> None:
    """Httpx adds the client's own authentication to whatever it sends, unless told otherwise."""
    async with (
        httpx.AsyncClient(trust_env=False, verify=TRUST, auth=("somebody", "else")) as client,
        playing(HEALTHY) as server,
    ):
        await ask(client, server.base_url)
    assert b"authorization" not in server.requests[0].lower()


async def test_a_healthy_answer_gives_a_reading(client: httpx.AsyncClient) -> None:
    """The number arrives exactly as it was written."""
    async with playing(HEALTHY) as server:
        outcome = await ask(client, server.base_url)
    assert isinstance(outcome, Reading)
    assert (str(outcome.balance), outcome.currency) == ("1250.50", "EUR")


async def test_a_poll_of_an_account_goes_into_its_books(client: httpx.AsyncClient) -> None:
    """With these credentials; how long it took is the time between question and answer."""
    async with playing([TIMEOUT / 3, whole()]) as server:
        credentials = {name: Secret(value) for name, value in CREDENTIALS.items()}
        account = await poll_account(client, PROVIDER, credentials, Account(), base_url=server.base_url)
    assert KEY.encode() in server.requests[0]
    assert (account.polls, account.status, account.reading and account.reading.balance) == (
        1,
        Status.FRESH,
        Decimal("1250.50"),
    )
    assert TIMEOUT / 3 <= (account.poll_duration or 0) < DEFAULT_TIMEOUT


# --- answers that are readable after all --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([answer()], id="no length, then the connection is closed"),
        pytest.param([b"HTTP/1.0 200 OK\r\n\r\n" + BODY], id="HTTP/1.0"),
        pytest.param([b"HTTP/1.1 103 Early Hints\r\n\r\n" + whole()], id="an early hint first"),
        pytest.param([answer(b"Transfer-Encoding: chunked", body=chunked(BODY) + b"0\r\n\r\n")], id="in chunks"),
        pytest.param([whole(b"Content-Encoding: gzip", body=gzip.compress(BODY))], id="compressed, though not asked"),
        pytest.param([whole(b"Content-Encoding: Identity")], id="an encoding that is none"),
        pytest.param([whole(body=BODY.ljust(MAX_BODY))], id="of exactly the largest size"),
        pytest.param(
            [whole(b"Content-Encoding: gzip", body=gzip.compress(BODY.ljust(MAX_BODY)))],
            id="of exactly the largest size once inflated",
        ),
        pytest.param([whole()[:30], 0.05, whole()[30:60], 0.05, whole()[60:]], id="in pieces"),
    ],
)
async def test_an_unusual_answer_is_read(client: httpx.AsyncClient, script: Script) -> None:
    """HTTP leaves a server many ways to say the same."""
    async with playing(script) as server:
        outcome = await ask(client, server.base_url)
    assert isinstance(outcome, Reading)
    assert outcome.balance == Decimal("1250.50")
    assert len(server.requests) == 1


# --- failures -----------------------------------------------------------------------------------------------------

HALF = BODY[: len(BODY) // 2]

FAILURES = [
    pytest.param([SILENT], Cause.TIMEOUT, 1, id="a silent server"),
    pytest.param([[1.5 * TIMEOUT, whole()]], Cause.TIMEOUT, 1, id="an answer that comes too late"),
    pytest.param([dripping(whole())], Cause.TIMEOUT, 1, id="a header that drips"),
    pytest.param([[answer(LENGTH, body=b""), *dripping(BODY)]], Cause.TIMEOUT, 1, id="a body that drips"),
    pytest.param(
        [[answer(b"Transfer-Encoding: chunked", body=b""), *dripping(chunked(BODY))]],
        Cause.TIMEOUT,
        1,
        id="chunks that drip",
    ),
    pytest.param([[TIMEOUT / 2], SILENT], Cause.TIMEOUT, 2, id="a late cut, then silence: one time for both attempts"),
    pytest.param([CUT, CUT], Cause.CONNECTION_CUT, 2, id="cut twice before an answer"),
    pytest.param([[whole()[:20]]] * 2, Cause.CONNECTION_CUT, 2, id="cut twice in the header"),
    pytest.param([[answer(LENGTH, body=HALF)]], Cause.CONNECTION_CUT, 1, id="cut in the middle of the body"),
    pytest.param(
        [[answer(b"Transfer-Encoding: chunked", body=chunked(BODY))]], Cause.CONNECTION_CUT, 1, id="cut between chunks"
    ),
    pytest.param([[answer(body=HALF)]], Cause.NOT_JSON, 1, id="half a body without a length"),
    pytest.param([[b"SSH-2.0-OpenSSH_9.2\r\n"]], Cause.NOT_HTTP, 1, id="the greeting of another protocol"),
    pytest.param([[b"\x15\x03\x03\x00\x02\x02\x28"]], Cause.NOT_HTTP, 1, id="a TLS alert"),
    pytest.param([[b"HTTQ"]], Cause.NOT_HTTP, 1, id="a misspelt beginning"),
    pytest.param([[BODY]], Cause.NOT_HTTP, 1, id="a body without HTTP around it"),
    pytest.param([[b"HTTP/1.1 OK\r\n\r\n"]], Cause.NOT_HTTP, 1, id="a status that is no number"),
    pytest.param([[b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"]], Cause.NOT_HTTP, 1, id="a header without a colon"),
    pytest.param([[whole(b"Content-Length: 1")]], Cause.NOT_HTTP, 1, id="two lengths that differ"),
    pytest.param([[answer(b"Content-Length: many")]], Cause.NOT_HTTP, 1, id="a length that is no number"),
    pytest.param(
        [[answer(b"Transfer-Encoding: chunked", body=b"many\r\n")]], Cause.NOT_HTTP, 1, id="chunks without size"
    ),
    pytest.param([[answer(b"X: " + b"x" * 200_000)]], Cause.NOT_HTTP, 1, id="a header that is larger than any"),
    pytest.param(
        [[b"HTTP/1.1 103 Early Hints\r\n\r\n"]] * 2, Cause.CONNECTION_CUT, 2, id="an early hint, then cut twice"
    ),
    pytest.param(
        [[answer(b"Content-Length: 65537", body=b""), FOREVER]], Cause.TOO_LARGE, 1, id="too large, as announced"
    ),
    pytest.param(
        [[answer(b"Transfer-Encoding: chunked", body=chunked(*[b" " * 4096] * 17)), FOREVER]],
        Cause.TOO_LARGE,
        1,
        id="too large, in chunks without a length",
    ),
    pytest.param(
        [[answer(body=b" " * (MAX_BODY + 1)), FOREVER]], Cause.TOO_LARGE, 1, id="too large, until the connection closes"
    ),
    pytest.param(
        [[whole(b"Content-Encoding: gzip", body=gzip.compress(bytes(10_000_000)))]],
        Cause.TOO_LARGE,
        1,
        id="too large once inflated: a bomb",
    ),
    pytest.param([[whole(b"Content-Encoding: gzip")]], Cause.ENCODING_UNKNOWN, 1, id="not compressed, as it claims"),
    pytest.param(
        [[whole(b"Content-Encoding: gzip", body=gzip.compress(BODY)[:-8] + bytes(8))]],
        Cause.ENCODING_UNKNOWN,
        1,
        id="compressed, with a wrong checksum",
    ),
    pytest.param(
        [[answer(b"Content-Encoding: gzip", body=gzip.compress(BODY)[:-8])]],
        Cause.ENCODING_UNKNOWN,
        1,
        id="compressed, without its checksum",
    ),
    pytest.param(
        [[whole(b"Content-Encoding: gzip", body=gzip.compress(BODY) * 2)]],
        Cause.ENCODING_UNKNOWN,
        1,
        id="compressed, and something after it",
    ),
    pytest.param([[whole(b"Content-Encoding: br")]], Cause.ENCODING_UNKNOWN, 1, id="brotli"),
    pytest.param([[whole(b"Content-Encoding: gzip, gzip")]], Cause.ENCODING_UNKNOWN, 1, id="compressed twice"),
    pytest.param([[whole(status=b"429 Too Many Requests")]], Cause.RATE_LIMITED, 1, id="too many requests"),
    pytest.param([[whole(status=b"999 Nonsense")]], Cause.STATUS_UNEXPECTED, 1, id="a status that does not exist"),
]


@pytest.mark.parametrize(("scripts", "cause", "requests"), FAILURES)
async def test_a_failure_has_a_cause_and_an_end(
    client: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    scripts: list[Script],
    cause: Cause,
    requests: int,
) -> None:
    """The failure is data, comes in time and holds no credential; the same client's next healthy answer is read."""
    caplog.set_level(logging.DEBUG)
    timeout = TIMEOUT if cause is Cause.TIMEOUT else PLENTY
    async with playing(*scripts, HEALTHY) as server:
        began = time.monotonic()
        outcome = await ask(client, server.base_url, timeout=timeout)
        took = time.monotonic() - began
        asked = len(server.requests)
        recovered = await ask(client, server.base_url)
    assert isinstance(outcome, Problem)
    assert outcome.cause is cause
    assert asked == requests
    assert took < timeout + 2 * TIMEOUT
    assert isinstance(recovered, Reading)
    assert KEY not in repr(outcome) + outcome.text + caplog.text


async def test_a_connection_that_is_cut_before_an_answer_is_tried_again_once(client: httpx.AsyncClient) -> None:
    """A provider closes idle connections; that alone is no failure."""
    async with playing(CUT, HEALTHY) as server:
        assert cause_of(await ask(client, server.base_url)) is None
    assert len(server.requests) == 2


async def test_what_follows_an_answer_is_not_read_as_the_next_one() -> None:
    """Two accounts of one provider share the caller's client, which keeps connections where it may."""
    surplus = whole() + whole(body=BODY.replace(b"1250.50", b"7.00"))
    async with (
        httpx.AsyncClient(trust_env=False, verify=TRUST) as client,
        playing([surplus, FOREVER], [whole(body=BODY.replace(b"1250.50", b"3.00")), FOREVER]) as server,
    ):
        outcomes = [await ask(client, server.base_url) for _ in range(2)]
    assert [outcome.balance for outcome in outcomes if isinstance(outcome, Reading)] == [Decimal("1250.50"), 3]
    assert len(server.requests) == 2


async def test_a_provider_that_restarts_between_two_polls_is_no_failure(client: httpx.AsyncClient) -> None:
    """The second poll has a connection of its own."""
    simulator = Simulator()
    account = simulator.add("23telecom")
    async with simulator.serving() as base_urls:
        first = await ask(client, base_urls["23telecom"], credentials=account.credentials)
        port = httpx.URL(base_urls["23telecom"]).port
    assert port
    async with simulator.serving(port=port) as base_urls:
        second = await ask(client, base_urls["23telecom"], credentials=account.credentials)
    assert isinstance(first, Reading)
    assert isinstance(second, Reading)


async def test_a_refused_connection_is_tried_twice_and_no_more(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A retry is for what may be over in an instant; what is not is left to the next poll."""
    caplog.set_level(logging.DEBUG, "httpcore")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = await ask(client, f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert outcome == Problem(cause=Cause.NOT_CONNECTED)
    assert begun(caplog, "connect_tcp") == 2
    async with playing(HEALTHY) as server:
        assert isinstance(await ask(client, server.base_url), Reading)


async def test_a_name_that_does_not_exist_is_named_as_the_cause(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A misspelt host and a broken resolver look like this; neither is over in an instant."""
    caplog.set_level(logging.DEBUG, "httpcore")
    outcome = await ask(client, "https://sms-credit.invalid")
    assert outcome == Problem(cause=Cause.NAME_NOT_FOUND)
    assert begun(caplog, "connect_tcp") == 1
    async with playing(HEALTHY) as server:
        assert isinstance(await ask(client, server.base_url), Reading)


# --- redirects ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"], ids=bytes.decode
)
async def test_a_redirect_is_not_followed(status: bytes) -> None:
    """The credentials would ride along to wherever it points, even if the caller's client follows redirects."""
    async with (
        httpx.AsyncClient(trust_env=False, verify=TRUST, follow_redirects=True) as client,
        playing(HEALTHY) as target,
        playing([whole(b"Location: " + target.base_url.encode(), status=status)], HEALTHY) as server,
    ):
        outcome = await ask(client, server.base_url)
        recovered = await ask(client, server.base_url)
    assert outcome == Problem(cause=Cause.STATUS_UNEXPECTED, detail=status.decode()[:3])
    assert target.requests == []
    assert len(server.requests) == 2
    assert isinstance(recovered, Reading)


@pytest.mark.parametrize(
    "location",
    [
        pytest.param(b"", id="nowhere"),
        pytest.param(b"mailto:support@example.com", id="a mailbox"),
        pytest.param(b"https://[::1", id="an address that is none"),
        pytest.param(b"https://xn--", id="a name that is none"),
    ],
)
@pytest.mark.parametrize(
    "status", [b"300 Choose", b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary"], ids=bytes.decode
)
async def test_a_redirect_to_nowhere_is_an_answer_like_any_other(
    client: httpx.AsyncClient, location: bytes, status: bytes
) -> None:
    """Httpx works out where a redirect leads even if it is not to follow, and fails in ways of its own."""
    async with playing([whole(b"Location: " + location, status=status)], HEALTHY) as server:
        outcome = await ask(client, server.base_url)
        asked = len(server.requests)
        recovered = await ask(client, server.base_url)
    assert outcome == Problem(cause=Cause.STATUS_UNEXPECTED, detail=status.decode()[:3])
    assert asked == 1
    assert isinstance(recovered, Reading)


# --- TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return the one certificate authority that the client trusts."""
    return trustme.CA()


@pytest.fixture
async def tls_client(authority: trustme.CA) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client that trusts the authority."""
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with httpx.AsyncClient(trust_env=False, verify=trust) as client:
        yield client


def with_certificate(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return what a server with this certificate uses."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def certificates(authority: trustme.CA) -> dict[str, trustme.LeafCert]:
    """Issue a good certificate and three that must be refused."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return {
        "good": authority.issue_cert("127.0.0.1"),
        "untrusted": trustme.CA().issue_cert("127.0.0.1"),
        "for another name": authority.issue_cert("sms.example.com"),
        "expired": authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday),
    }


@pytest.mark.parametrize("kind", ["untrusted", "for another name", "expired"])
async def test_a_bad_certificate_stops_the_request(
    tls_client: httpx.AsyncClient, authority: trustme.CA, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """Its holder may not be the provider, so the key is not sent; with a good certificate the next poll succeeds."""
    caplog.set_level(logging.DEBUG)
    issued = certificates(authority)
    simulator = Simulator()
    account = simulator.add("23telecom", credentials=CREDENTIALS)
    async with simulator.serving(ssl_context=with_certificate(issued[kind])) as base_urls:
        outcome = await ask(tls_client, base_urls["23telecom"])
        asked = len(simulator.requests)
    async with simulator.serving(ssl_context=with_certificate(issued["good"])) as base_urls:
        recovered = await ask(tls_client, base_urls["23telecom"])
    assert outcome == Problem(cause=Cause.TLS_FAILED)
    assert asked == 0
    assert begun(caplog, "start_tls") == 2  # one for each poll: there is no second attempt
    assert isinstance(recovered, Reading)
    assert len(account.requests) == 1
    assert KEY not in caplog.text


async def test_a_server_that_speaks_no_tls_fails_as_tls(tls_client: httpx.AsyncClient) -> None:
    """A captive portal answers in clear on any port."""
    async with playing([whole(status=b"400 Bad Request")]) as server:
        outcome = await ask(tls_client, server.base_url.replace("http:", "https:"))
    assert outcome == Problem(cause=Cause.TLS_FAILED)
    assert KEY.encode() not in b"".join(server.requests)


async def test_a_handshake_that_is_given_up_leaves_no_connection_open(client: httpx.AsyncClient) -> None:
    """The client forgets such a connection and leaves it open: one for each poll, until the other side closes it."""
    async with playing(SILENT) as server:
        outcome = await ask(client, server.base_url.replace("http:", "https:"), timeout=TIMEOUT)
        async with asyncio.timeout(10 * TIMEOUT):
            await server.let_go.wait()
    assert outcome == Problem(cause=Cause.TIMEOUT)


# What a server does on a connection on which the handshake is through; `raw` bypasses TLS.
Secured = Callable[[ssl.SSLSocket, socket.socket], None]


def wants_certificate(secured: ssl.SSLSocket, _raw: socket.socket) -> None:
    """Ask for a client's certificate, whose absence shows at the first read."""
    secured.recv(MAX_BODY)


def garbage(begun: bytes) -> Secured:
    """Return what reads a request, begins an answer, and goes on in what is no TLS."""

    def serve(secured: ssl.SSLSocket, raw: socket.socket) -> None:
        secured.recv(MAX_BODY)
        if begun:
            secured.sendall(begun)
        raw.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")

    return serve


@contextmanager
def secured(certificate: trustme.LeafCert, serve: Secured, *, certificate_wanted: bool) -> Iterator[str]:
    """Serve connections over TLS 1.3; gives the base URL."""
    context = with_certificate(certificate)
    if certificate_wanted:
        trustme.CA().configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED

    def talk(connection: socket.socket) -> None:
        with (
            context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as wrapped,
            socket.socket(fileno=os.dup(wrapped.fileno())) as raw,
        ):
            with suppress(ssl.SSLError):
                wrapped.do_handshake()
                serve(wrapped, raw)
            while raw.recv(MAX_BODY):
                pass  # closing with something unread would reset the connection, and the alert be lost

    with in_a_thread(talk) as address:
        yield f"https://{address}"


@pytest.mark.parametrize(
    ("serve", "certificate_wanted"),
    [
        pytest.param(wants_certificate, True, id="a client's certificate is asked for"),
        pytest.param(garbage(b""), False, id="before the answer"),
        pytest.param(garbage(whole()[:30]), False, id="in its header"),
        pytest.param(garbage(answer(LENGTH, body=HALF)), False, id="in its body"),
        pytest.param(
            garbage(answer(b"Transfer-Encoding: chunked", body=chunked(HALF))), False, id="between its chunks"
        ),
    ],
)
async def test_tls_that_fails_after_the_handshake_ends_one_poll_and_no_more(
    tls_client: httpx.AsyncClient, authority: trustme.CA, serve: Secured, *, certificate_wanted: bool
) -> None:
    """The client lets these errors of OpenSSL through as they are."""
    issued = certificates(authority)["good"]
    with secured(issued, serve, certificate_wanted=certificate_wanted) as base_url:
        outcome = await ask(tls_client, base_url)
    simulator = Simulator()
    simulator.add("23telecom", credentials=CREDENTIALS)
    async with simulator.serving(ssl_context=with_certificate(issued)) as base_urls:
        recovered = await ask(tls_client, base_urls["23telecom"])
    assert outcome == Problem(cause=Cause.TLS_FAILED)
    assert isinstance(recovered, Reading)


# --- a proxy on the way -------------------------------------------------------------------------------------------

TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


@asynccontextmanager
async def tunnelling() -> AsyncIterator[str]:
    """Run a proxy that lets everything through; gives its URL."""
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(MAX_BODY):
                writer.write(data)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        back, forth = await asyncio.open_connection(*target.split(":"))
        writer.write(TUNNEL)
        pumps.update({asyncio.create_task(pump(reader, forth)), asyncio.create_task(pump(back, writer))})

    listening = await asyncio.start_server(connect, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        await asyncio.gather(*pumps)


@pytest.mark.parametrize(
    ("script", "cause", "attempts"),
    [
        pytest.param([whole(status=b"403 Forbidden")], Cause.NOT_CONNECTED, 2, id="it refuses"),
        pytest.param([whole(status=b"407 Log In")], Cause.NOT_CONNECTED, 2, id="it wants a login"),
        pytest.param([whole(b"Location: /login", status=b"302 Found")], Cause.NOT_CONNECTED, 2, id="it redirects"),
        pytest.param([whole(status=b"502 Bad Gateway")], Cause.NOT_CONNECTED, 2, id="it cannot reach the provider"),
        pytest.param(CUT, Cause.CONNECTION_CUT, 2, id="it hangs up"),
        pytest.param([b"SOCKS?\r\n\r\n"], Cause.CONNECTION_CUT, 2, id="it speaks no HTTP"),
        pytest.param(SILENT, Cause.TIMEOUT, 1, id="it is silent"),
        pytest.param([TUNNEL, FOREVER], Cause.TIMEOUT, 1, id="it connects, then silence"),
        pytest.param([TUNNEL, 0.05], Cause.TLS_FAILED, 1, id="it connects, then hangs up"),
        pytest.param([TUNNEL, 0.05, b"garbage\r\n"], Cause.TLS_FAILED, 1, id="it connects to what is no TLS"),
    ],
)
async def test_what_a_proxy_says_is_not_the_providers_answer(script: Script, cause: Cause, attempts: int) -> None:
    """A proxy's statuses are about the connection, and it never sees the key."""
    async with (
        playing(script) as proxy,
        httpx.AsyncClient(verify=TRUST, proxy=proxy.base_url.removesuffix("/api/v1")) as client,
    ):
        outcome = await ask(client, "https://sms-credit.invalid", timeout=TIMEOUT)
    assert outcome == Problem(cause=cause)
    assert len(proxy.requests) == attempts
    assert KEY.encode() not in b"".join(proxy.requests)


async def test_an_answer_through_a_proxy_is_the_providers(authority: trustme.CA) -> None:
    """A balance comes through, and so does the status of a redirect to nowhere."""
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    simulator = Simulator()
    account = simulator.add("23telecom", credentials=CREDENTIALS)
    redirect = Payload("23telecom", "nowhere", "", "", 302, (("Location", "mailto:support@example.com"),), b"", {})
    async with (
        simulator.serving(ssl_context=with_certificate(certificates(authority)["good"])) as base_urls,
        tunnelling() as proxy,
        httpx.AsyncClient(verify=trust, proxy=proxy) as client,
    ):
        healthy = await ask(client, base_urls["23telecom"])
        account.answer_with(redirect)
        redirected = await ask(client, base_urls["23telecom"])
    assert isinstance(healthy, Reading)
    assert redirected == Problem(cause=Cause.STATUS_UNEXPECTED, detail="302")


# --- Retry-After --------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
"""The time on this machine's clock."""


def date(name: str, seconds: int) -> bytes:
    """Write a header down that names a time so many seconds from now."""
    return f"{name}: {format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)}".encode()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param([], None, id="not given"),
        pytest.param([b"Retry-After: 120"], 120, id="seconds"),
        pytest.param([b"Retry-After: 0"], 0, id="none at all"),
        pytest.param([date("Retry-After", 90)], 90, id="a date, by this machine's clock"),
        pytest.param(
            [date("Date", 3600), date("Retry-After", 3690)], 90, id="a date, by the provider's own clock, an hour ahead"
        ),
        pytest.param([date("Date", 0), date("Retry-After", -90)], 0, id="a date in the past"),
        pytest.param([b"Date: today", date("Retry-After", 90)], 90, id="a date, beside a Date that is none"),
        pytest.param([b"Retry-After: Saturday, 21-Nov-26 12:01:30 GMT"], 90, id="a date in an old notation"),
        pytest.param([b"Retry-After: Sat Nov 21 12:01:30 2026"], 90, id="a date in the oldest notation"),
        pytest.param([b"Retry-After: soon"], None, id="nonsense"),
        pytest.param([b"Retry-After: Sat, 99 Nov 2026 99:00:00 GMT"], None, id="a date that does not exist"),
        pytest.param([b"Retry-After: -120"], None, id="negative"),
        pytest.param([b"Retry-After: 1.5"], None, id="a fraction"),
        pytest.param([b"Retry-After: \xb2"], None, id="a digit that is none"),
        pytest.param([b"Retry-After: " + b"9" * 5000], 9_999_999_999, id="huge, and left to the schedule to bound"),
    ],
)
async def test_retry_after_is_read(client: httpx.AsyncClient, headers: list[bytes], seconds: float | None) -> None:
    """Seconds as they are, a date as the time from the provider's own Date to it, and nothing else."""
    async with playing([whole(*headers, status=b"429 Too Many Requests")]) as server:
        outcome = await ask(client, server.base_url, now=NOW.timestamp())
    assert outcome == Problem(cause=Cause.RATE_LIMITED, detail="429", retry_after=seconds)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        pytest.param("IP_NOT_ALLOWED", "IP_NOT_ALLOWED", id="a code"),
        pytest.param("REFUSED_MADE_UP_KEY", None, id="a code with a credential in it"),
    ],
)
async def test_a_code_is_shown_unless_it_holds_a_credential(
    client: httpx.AsyncClient, code: str, shown: str | None
) -> None:
    """Whichever of the credentials it is."""
    credentials = {"api_key": "another", "api_secret": "MADE_UP_KEY"}
    body = b'{"status": false, "error_code": "%b"}' % code.encode()
    async with playing([whole(body=body, status=b"403 Forbidden")]) as server:
        outcome = await ask(client, server.base_url, credentials=credentials)
    assert isinstance(outcome, Problem)
    assert outcome.code == shown


# --- signed requests ----------------------------------------------------------------------------------------------


def in_turn(*acts: Act) -> Iterator[Act]:
    """Do one after the other, one for each request."""
    yield from acts


async def test_a_retry_is_signed_anew(client: httpx.AsyncClient) -> None:
    """The provider accepts each timestamp and signature once, and both attempts fall into one second."""
    credentials = CREDENTIALS | {"api_secret": "s3cret"}
    now = NOW.timestamp()
    acts = in_turn(NoAnswer.CUT, Canned("healthy"))
    simulator = Simulator(unix_time=lambda: now)
    account = simulator.add("23telecom", lambda _seconds: next(acts), credentials=credentials)
    async with simulator.serving() as base_urls:
        outcome = await ask(client, base_urls["23telecom"], credentials=credentials, now=now)
    assert isinstance(outcome, Reading)
    assert len({request.headers["X-Timestamp"] for request in account.requests}) == 2
    assert len({request.headers["X-Signature"] for request in account.requests}) == 2


@pytest.mark.parametrize(
    ("step", "later"),
    [
        pytest.param(0, 1, id="in the same second"),
        pytest.param(1, 1, id="in the next second"),
        pytest.param(2, 2, id="in the second after that"),
        pytest.param(-10, 1, id="the clock was set back a little"),
        pytest.param(-60, 1, id="the clock was set back by as much as does not count"),
        pytest.param(-61, -61, id="the clock was set back by more"),
        pytest.param(-3600, -3600, id="the clock was set back by far"),
        pytest.param(3600, 3600, id="the clock was set ahead"),
    ],
)
async def test_a_poll_right_after_another_is_accepted(client: httpx.AsyncClient, step: int, later: int) -> None:
    """A config flow tries the credentials, and a moment later the account is polled for the first time."""
    now = NOW.timestamp()
    simulator = Simulator(unix_time=lambda: now)
    own = token_hex()  # nobody has asked with it before, in whatever process
    account = simulator.add("23telecom", credentials={"api_key": own, "api_secret": "s3cret"})
    async with simulator.serving() as base_urls:
        first = await ask(client, base_urls["23telecom"], credentials=account.credentials, now=now)
        now += step
        second = await ask(client, base_urls["23telecom"], credentials=account.credentials, now=now)
    assert isinstance(first, Reading)
    assert isinstance(second, Reading)
    timestamps = [int(request.headers["X-Timestamp"]) for request in account.requests]
    assert timestamps == [NOW.timestamp(), NOW.timestamp() + later]


# --- the caller's side --------------------------------------------------------------------------------------------

FOREIGN = [kind for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, httpx.RequestError)]


class Failing(httpx.AsyncBaseTransport, httpx.AsyncByteStream):
    """Raises an error where a client would send the request, or where it would read the body."""

    def __init__(self, error: Exception, where: str) -> None:
        """Take the error and the place."""
        self.error = error
        self.act = {"sending": self.fail, "reading": self.answer}[where]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002 - of no matter here
        """Fail now, or answer with a body whose reading fails."""
        return self.act()

    def answer(self) -> httpx.Response:
        """Return an answer with this as its body."""
        return httpx.Response(200, stream=self)

    def fail(self) -> Never:
        """Raise the error."""
        raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Fail after a first piece."""
        yield BODY[:1]
        self.fail()


@pytest.mark.parametrize("where", ["sending", "reading"])
@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
async def test_no_error_of_httpx_escapes(
    caplog: pytest.LogCaptureFixture, kind: type[httpx.RequestError], where: str
) -> None:
    """A new release of httpx may add errors; each becomes a cause, and what it says is not passed on."""
    caplog.set_level(logging.DEBUG)
    async with httpx.AsyncClient(verify=TRUST, transport=Failing(kind(KEY), where)) as client:
        outcome = await ask(client, "http://127.0.0.1")
    assert isinstance(outcome, Problem)
    no_http = kind is httpx.RemoteProtocolError and where == "reading"
    assert outcome.status is (Status.INVALID_RESPONSE if no_http else Status.UNREACHABLE)
    assert KEY not in repr(outcome) + outcome.text + caplog.text


def caused(error: Exception, cause: Exception) -> Exception:
    """Return the error, with another one as its cause."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("where", ["sending", "reading"])
@pytest.mark.parametrize(
    ("error", "cause"),
    [
        pytest.param(ssl.SSLError(1, KEY), Cause.TLS_FAILED, id="TLS"),
        pytest.param(OSError(errno.EMFILE, KEY), Cause.CONNECTION_CUT, id="too many open files"),
        pytest.param(OSError(errno.EHOSTUNREACH, KEY), Cause.CONNECTION_CUT, id="no route"),
        pytest.param(caused(httpx.ReadError(KEY), TimeoutError(errno.ETIMEDOUT, KEY)), Cause.TIMEOUT, id="TCP gave up"),
        pytest.param(caused(httpx.ReadError(KEY), ConnectionResetError()), Cause.CONNECTION_CUT, id="a reset"),
    ],
)
async def test_no_error_of_the_operating_system_escapes(
    caplog: pytest.LogCaptureFixture, error: Exception, cause: Cause, where: str
) -> None:
    """Whatever a network can do ends one poll and no more."""
    caplog.set_level(logging.DEBUG)
    async with httpx.AsyncClient(verify=TRUST, transport=Failing(error, where)) as client:
        outcome = await ask(client, "http://127.0.0.1")
    assert outcome == Problem(cause=cause)
    assert KEY not in repr(outcome) + outcome.text + caplog.text


async def test_a_process_that_was_stopped_reads_the_answer_that_came_meanwhile(client: httpx.AsyncClient) -> None:
    """By the clock the time is over, although the provider was never late."""

    def answer_late(connection: socket.socket) -> None:
        connection.recv(MAX_BODY)
        time.sleep(TIMEOUT)
        connection.sendall(whole())

    with in_a_thread(answer_late) as address:
        asyncio.get_running_loop().call_later(TIMEOUT / 6, time.sleep, 3 * TIMEOUT)
        outcome = await ask(client, f"http://{address}", timeout=TIMEOUT)
    assert isinstance(outcome, Reading)


async def test_an_error_that_is_its_own_cause_has_an_end() -> None:
    """Some transports raise an error from itself; looking for its cause must not go round for ever."""
    error = httpx.ReadError("")
    error.__cause__ = error
    async with httpx.AsyncClient(verify=TRUST, transport=Failing(error, "sending")) as client:
        outcome = await ask(client, "http://127.0.0.1")
    assert outcome == Problem(cause=Cause.CONNECTION_CUT)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(SILENT, id="waiting for an answer"),
        pytest.param([answer(LENGTH, body=HALF), FOREVER], id="reading one"),
    ],
)
async def test_a_cancelled_poll_leaves_nothing_behind(client: httpx.AsyncClient, script: Script) -> None:
    """Home Assistant and the exporter cancel at any moment; the client's one connection must be free again."""
    async with playing(script, HEALTHY) as server:
        before = asyncio.all_tasks()
        polling = asyncio.create_task(ask(client, server.base_url))
        await server.asked.wait()
        await asyncio.sleep(0.05)
        polling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await polling
        await server.let_go.wait()
        assert asyncio.all_tasks() - before - server.tasks - server.serving == set()
        assert isinstance(await ask(client, server.base_url), Reading)
    assert not client.is_closed
