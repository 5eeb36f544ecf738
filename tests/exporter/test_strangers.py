"""What anybody may send to the web server's port: the answer is short, and no other client notices."""

import asyncio
import gzip
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from sms_credit_exporter.web import Address, application, serve
from tests.exporter.running import LISTEN, PATIENCE, Providers, Running, secured, site

Start = Callable[..., AbstractAsyncContextManager[Running]]
ConfigFile = Callable[..., Path]

Serving = Callable[[], AbstractAsyncContextManager[int]]

SECRET = b"bWFkZS11cDpwYXNzd29yZA"
"""Stands for the password in a scraper's header."""

HEADERS = b"Host: localhost\r\nAuthorization: Basic " + SECRET + b"\r\n"

GREETING = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + SECRET + bytes(500)
"""How a TLS connection begins."""

BAD_CHUNK = b"Transfer-Encoding: chunked\r\n\r\n" + SECRET + b"\r\n"
NOT_GZIP = b"Content-Length: 22\r\nContent-Encoding: gzip\r\n\r\n" + SECRET

MALFORMED = {
    "a zero byte in a header": b"GET /metrics HTTP/1.1\r\n" + HEADERS + b"X-Made-Up: a\0b\r\n\r\n",
    "one in the password": b"GET /metrics HTTP/1.1\r\nAuthorization: Basic " + SECRET + b"\0\r\n\r\n",
    "a bare line feed": b"GET /metrics HTTP/1.1\r\n" + HEADERS + b"X-Made-Up: a\nb\r\n\r\n",
    "a password cut in two": b"GET /metrics HTTP/1.1\r\nAuthorization: Basic\n" + SECRET + b"\r\n\r\n",
    "a bare carriage return": b"GET /metrics HTTP/1.1\r\n" + HEADERS + b"X-Made-Up: a\rb\r\n\r\n",
    "a header without a colon": b"GET /metrics HTTP/1.1\r\n" + HEADERS + b"no colon\r\n\r\n",
    "a folded header": b"GET /metrics HTTP/1.1\r\n" + HEADERS + b" folded: " + SECRET + b"\r\n\r\n",
    "a length in words": b"GET /metrics HTTP/1.1\r\n" + HEADERS + b"Content-Length: x\r\n\r\n",
    "two lengths": b"GET /metrics HTTP/1.1\r\n" + HEADERS + b"Content-Length: 1\r\n" * 2 + b"\r\n",
    "a method beyond ASCII": b"G\xc3\xa4T /metrics HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "a method that is none": b"g:t /metrics HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "HTTP 9.9": b"GET /metrics HTTP/9.9\r\n" + HEADERS + b"\r\n",
    "no version": b"GET /" + SECRET + b" HTTP\r\n\r\n",
    "a path beyond ASCII": b"GET /" + SECRET + b"\xff HTTP/1.1\r\n\r\n",
    "an impossible address": b"GET http://[" + SECRET + b" HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "a proxy's request": b"CONNECT " + SECRET + b" HTTP/1.1\r\n\r\n",
    "a line too long": b"GET /" + SECRET * 500 + b" HTTP/1.1\r\n\r\n",
    "a header too long": b"GET /metrics HTTP/1.1\r\nAuthorization: " + SECRET * 500 + b"\r\n\r\n",
    "too many headers": b"GET /metrics HTTP/1.1\r\n" + HEADERS * 200 + b"\r\n",
    "HTTP 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": GREETING,
    "a word": SECRET + b"\r\n\r\n",
    "zero bytes": b"\0" * 10000,
}


def address(exporter: Running) -> tuple[str, int]:
    """Return where it listens."""
    url = httpx.URL(exporter.urls[0])
    return url.host, url.port or 0


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return what was sent."""
    return gzip.decompress(body) if encoding == "gzip" else body


async def say(exporter: Running, words: bytes, tls: ssl.SSLContext | None = None) -> bytes:
    """Return what is answered to these bytes until either side has had enough."""
    reader, writer = await asyncio.open_connection(*address(exporter), ssl=tls)
    try:
        writer.write(words)
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.fixture
def serving() -> Serving:
    """Serve a site without accounts; gives the port."""

    @asynccontextmanager
    async def served() -> AsyncIterator[int]:
        async with AsyncExitStack() as stack:
            (url,) = await serve(stack, application(site()), [Address.parse("127.0.0.1:0")], None)
            yield httpx.URL(url).port or 0

    return served


async def test_an_answer_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a connection was not sent yet is kept for it, but only for a while. Others are served meanwhile."""
    monkeypatch.setattr("sms_credit_exporter.connections._ANSWER_SECONDS", 0.5)
    large = application(site("x" * 20_000_000))
    async with AsyncExitStack() as stack:
        (url,) = await serve(stack, large, [Address.parse("127.0.0.1:0")], None)
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port, limit=1024)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{url}/-/healthy")).status_code == 200
            await asyncio.sleep(1)
            assert len((await client.get(f"{url}/metrics", headers={"Accept-Encoding": "gzip"})).text) > 20_000_000
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await reader.readexactly(20_000_000)
        writer.close()


def is_short(answer: bytes) -> bool:
    """Whether an answer says that the request is bad, and nothing else: none of its words, and not what serves."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return (
        re.match(rb"HTTP/1\.[01] 400 Bad Request\r\n", head) is not None
        and body == b"Bad request.\n"
        and not re.search(rb"(?i)aiohttp|python", head)
    )


def assert_says_little(log: list[str]) -> None:
    """Check that nothing in the log is worse than for debugging, and that no line is long or repeats a password."""
    told = [line for line in log if not re.search("level=(debug|info) ", line)]
    assert told == []
    assert [line for line in log if SECRET.decode() in line or len(line) > 300] == []


async def test_what_cannot_be_understood_is_answered_shortly(
    start: Start, config_file: ConfigFile, providers: Providers
) -> None:
    """Neither the answer nor the log repeats any of it, and clients that speak HTTP are served."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    async with start("serve", f"--config.file={file}", LISTEN, "--log.level=debug") as exporter:
        answers = {name: await say(exporter, words) for name, words in MALFORMED.items()}
        bodies = [
            await say(exporter, b"POST /-/reload HTTP/1.1\r\n" + HEADERS + body) for body in (BAD_CHUNK, NOT_GZIP)
        ]
        await exporter.logged("malformed request", times=len(MALFORMED))
        assert (await exporter.get("/metrics")).status_code == 200

    assert [(name, answer) for name, answer in answers.items() if not is_short(answer)] == []
    assert [answer for answer in bodies if not answer.startswith(b"HTTP/1.1 403 ") and not is_short(answer)] == []
    assert_says_little(exporter.log)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET /met", id="half a line"),
        pytest.param(b"GET /metrics HTTP/1.1\r\n" + HEADERS, id="half a request"),
        pytest.param(b"GET /metrics HTTP/1.1\r\n" + HEADERS + b"\r\n", id="a request whose answer is not waited for"),
    ],
)
async def test_who_hangs_up_is_not_spoken_of(
    start: Start, config_file: ConfigFile, providers: Providers, words: bytes
) -> None:
    """Clients that hang up are too common for the log."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    async with start("serve", f"--config.file={file}", LISTEN, "--log.level=debug") as exporter:
        for _ in range(20):
            with socket.create_connection(address(exporter)) as client:
                client.sendall(words)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no goodbye
        assert (await exporter.get("/metrics")).status_code == 200
    assert_says_little(exporter.log)


async def test_what_is_not_tls_gets_no_answer(
    start: Start, config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """Plain HTTP, and a greeting that is none; inside TLS malformed requests are answered as they are outside."""
    web_file, trust = secured(tmp_path)
    file = config_file(providers.configured("a", providers.add("23telecom")))
    arguments = (f"--config.file={file}", f"--web.config.file={web_file}", LISTEN, "--log.level=debug")

    async with start("serve", *arguments) as exporter:
        for words in (b"GET /metrics HTTP/1.1\r\n" + HEADERS + b"\r\n", GREETING):
            assert SECRET not in (answer := await say(exporter, words))
            assert b"HTTP" not in answer
        assert is_short(await say(exporter, next(iter(MALFORMED.values())), trust))
        served = await say(exporter, b"GET /-/healthy HTTP/1.0\r\n\r\n", trust)
        await exporter.logged("malformed request")

    assert served.endswith(b"Healthy.\n")
    assert_says_little(exporter.log)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("GET", "/", 200),
        ("HEAD", "/metrics", 200),
        ("HEAD", "/", 200),
        ("GET", "/nowhere", 404),
        ("POST", "/metrics", 405),
    ],
)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
async def test_an_answer_is_as_long_as_it_says(  # noqa: PLR0913, PLR0917 - five columns and a server
    serving: Serving, method: str, path: str, status: int, encoding: str, connection: str
) -> None:
    """This holds without a body too, and the connection stays open or is closed as the client asked."""
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = (
            f"{method} {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {encoding}\r\nConnection: {connection}\r\n\r\n"
        )
        times = 1 if connection == "close" else 2
        for _ in range(times):
            writer.write(asked.encode())
            async with asyncio.timeout(PATIENCE):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(re.findall(r"\r\ncontent-length: (\d+)\r\n", head)[0])
                body = await reader.readexactly(0 if method == "HEAD" else length)
            assert head.startswith(f"http/1.1 {status} ")
            assert ("content-encoding: gzip" in head) == (encoding == "gzip" and status == 200)
            assert length > 0
            if status == 200:
                assert f"vary: {'accept, ' * (path == '/metrics')}accept-encoding\r\n" in head
                assert not body or b"made_up" in unpacked(body, encoding) or path == "/"
        if connection == "close":
            assert await reader.read() == b""
        writer.close()
