"""Which connections have to go where there are too many, and who is told to come again."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import httpx
import pytest
from structlog.testing import capture_logs

from sms_credit_exporter.connections import Connections, most_connections
from sms_credit_exporter.web import Address, application, serve
from tests.exporter.running import PATIENCE, site, until

HEALTHY = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE = 20_000_000
"""Bytes, more than a connection holds for who does not read."""

Serving = Callable[..., AbstractAsyncContextManager[int]]


@pytest.mark.parametrize(
    ("files", "connections"),
    [
        pytest.param(64, 32, id="half of few files"),
        pytest.param(511, 256, id="half, rounded towards the web"),
        pytest.param(1024, 768, id="all but what polls need"),
        pytest.param(4096, 3840, id="of more files no more is kept back"),
    ],
)
def test_how_many_there_may_be(files: int, connections: int) -> None:
    """Polls never lack a descriptor, whoever connects."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    try:
        assert most_connections() == connections
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Serving:
    """Serve a site without accounts that has room for so many connections; gives the port."""

    @asynccontextmanager
    async def served(room: int = 100, max_requests: int = 0) -> AsyncIterator[int]:
        monkeypatch.setattr("sms_credit_exporter.web.most_connections", lambda: room)
        large = application(site("x" * LARGE, max_requests=max_requests))
        async with AsyncExitStack() as stack:
            (url,) = await serve(stack, large, [Address.parse("127.0.0.1:0")], None)
            yield httpx.URL(url).port or 0

    return served


Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


Connect = Callable[[int, bytes], Awaitable[Client]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connect, and say something; all connections end with the test."""
    clients: list[Client] = []

    async def connected(port: int, words: bytes) -> Client:
        clients.append(await asyncio.open_connection("127.0.0.1", port, limit=1024))
        clients[-1][1].write(words)
        return clients[-1]

    yield connected
    for _, writer in clients:
        writer.transport.abort()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])


async def answered(client: Client) -> bytes:
    """Wait for the end of an answer about health."""
    async with asyncio.timeout(PATIENCE):
        return await client[0].readuntil(b"Healthy.\n")


async def closed(client: Client) -> bool:
    """Wait for the other side to close."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await client[0].read() == b""
    except ConnectionResetError:
        return True


async def test_who_is_silent_goes_before_who_is_idle(serving: Serving, connect: Connect) -> None:
    """But not within a second; and one line of the log tells of all that had to go."""
    with capture_logs() as logged:
        async with serving(room=3) as port:
            begun = asyncio.get_running_loop().time()
            silent = await connect(port, b"GET /-/hea")
            idle = await connect(port, HEALTHY)
            await answered(idle)
            await connect(port, b"")  # nobody else has room now
            assert await answered(await connect(port, HEALTHY))
            assert asyncio.get_running_loop().time() - begun > 0.9
            assert await closed(silent)
            idle[1].write(HEALTHY)
            assert await answered(idle)

    told = [line for line in logged if line["log_level"] != "info"]
    assert told == [{"event": "too many connections", "limit": 3, "closed": 0, "log_level": "warning"}]


async def test_who_is_being_answered_is_left_alone_for_a_while(serving: Serving, connect: Connect) -> None:
    """A scrape is cut off for nobody who only connects; the answers say that the connection is wanted back."""
    async with serving(room=2) as port:
        busy = await connect(port, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await busy[0].readexactly(1000)
        first = await connect(port, HEALTHY)
        assert b"\r\nConnection: close\r\n" in await answered(first)
        second = await connect(port, HEALTHY)
        await answered(second)
        received = 1000
        async with asyncio.timeout(PATIENCE):
            while received < LARGE:
                received += len(await busy[0].read(1_000_000))


async def test_more_requests_than_are_answered_at_once(serving: Serving, connect: Connect) -> None:
    """They are told when to come again, health is answered always, and the next one is served once there is room."""
    async with serving(max_requests=1) as port, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        url = f"http://127.0.0.1:{port}"
        busy = await connect(port, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await busy[0].readexactly(1000)
        refused = await http.get(f"{url}/api/v1/accounts")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert refused.text == "Limit of concurrent requests reached (1), try again later.\n"
        assert {(await http.get(f"{url}/-/{page}")).status_code for page in ("healthy", "ready")} == {200}
        busy[1].transport.abort()

        async def served() -> bool:
            return (await http.get(f"{url}/api/v1/accounts")).status_code == 200

        await until(served)


async def test_who_asks_for_the_health_is_not_kept_waiting_by_a_crowd() -> None:
    """A hundred scrapes have come before, and are still answered one after another."""
    connections = Connections(1000, max_requests=0, always_answered=("/-/healthy",))
    order: list[str] = []

    async def ask(path: str) -> None:
        await connections.turn(path)
        order.append(path)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*map(ask, [*["/metrics"] * 100, "/-/healthy"]))
    assert order == ["/-/healthy", *["/metrics"] * 100]
