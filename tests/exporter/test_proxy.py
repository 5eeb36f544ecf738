"""The way to the simulated providers under the real ones' names: open to any HTTP client, and leading nowhere else."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import trustme

from scripts.development.proxy import HOSTS, proxying
from sms_credit_core import PROVIDERS, Cause, Credentials, Problem, Reading, Secret, poll
from sms_credit_exporter.simulator.behaviour import NoAnswer
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator


@dataclass
class Way:
    """The simulator behind its proxy, and a client that has only been told the proxy and whom to trust."""

    simulator: Simulator
    proxy: httpx.URL
    client: httpx.AsyncClient

    async def ask(self, account: SimulatedAccount) -> Reading | Problem:
        """Ask an account's provider at its own address."""
        return await poll(self.client, PROVIDERS[account.provider], _credentials(account), unix_time=time.time)

    async def say(self, words: bytes) -> bytes:
        """Return what the proxy says to these bytes before it hangs up."""
        reader, writer = await asyncio.open_connection(self.proxy.host, self.proxy.port)
        try:
            writer.write(words)
            writer.write_eof()
            async with asyncio.timeout(5):
                return await reader.read()
        except ConnectionResetError:  # it hangs up before it has heard all
            return b""
        finally:
            writer.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return the certificate authority."""
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """Return the simulator's side of TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*HOSTS).configure_cert(context)
    return context


@pytest.fixture
def trust(authority: trustme.CA) -> ssl.SSLContext:
    """Return the client's side of TLS."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
async def way(tls: ssl.SSLContext, trust: ssl.SSLContext) -> AsyncIterator[Way]:
    """Open the way."""
    simulator = Simulator()
    async with (
        simulator.serving(ssl_context=tls) as base_urls,
        proxying(httpx.URL(base_urls["iletimerkezi"]).port or 0) as proxy,
        httpx.AsyncClient(proxy=proxy, verify=trust, trust_env=False) as client,
    ):
        yield Way(simulator, httpx.URL(proxy), client)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_provider_is_reached_under_its_own_name(way: Way, provider: str) -> None:
    """No base URL is set, TLS is verified, and still the simulator answers."""
    account = way.simulator.add(provider)
    assert isinstance(await way.ask(account), Reading)
    assert [request.headers["Host"] for request in account.requests] == [httpx.URL(PROVIDERS[provider].base_url).host]


@pytest.mark.parametrize(
    "request_line",
    [
        pytest.param("CONNECT example.org:443 HTTP/1.1", id="another host"),
        pytest.param("CONNECT restlink23telecom.com:80 HTTP/1.1", id="another port"),
        pytest.param("CONNECT restlink23telecom.com HTTP/1.1", id="no port"),
        pytest.param("CONNECT restlink23telecom.com.example.org:443 HTTP/1.1", id="a longer name"),
        pytest.param("GET http://restlink23telecom.com/ HTTP/1.1", id="in clear"),
        pytest.param("GET / HTTP/1.1", id="a page of the proxy's own"),
        pytest.param("CONNECT", id="half a request"),
        pytest.param("\xff\xfe \xfd", id="bytes"),
    ],
)
async def test_nothing_leaves_the_machine(way: Way, request_line: str) -> None:
    """Every other destination is refused, and the next request is served."""
    answer = await way.say(f"{request_line}\r\nHost: whatever\r\n\r\n".encode("latin-1"))
    assert answer == b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert not way.simulator.requests
    assert isinstance(await way.ask(way.simulator.add("23telecom")), Reading)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"", id="a caller who says nothing"),
        pytest.param(b"CONNECT restlink23telecom.com:443 HTTP/1.1\r\n", id="a request that breaks off"),
        pytest.param(b"X-Padding: more\r\n" * 10_000, id="a request without an end"),
    ],
)
async def test_what_is_no_request_gets_no_answer(way: Way, words: bytes) -> None:
    """The connection is closed, nothing is logged as an error, and the next request is served."""
    assert await way.say(words) == b""
    assert isinstance(await way.ask(way.simulator.add("iletimerkezi")), Reading)


async def test_a_cut_connection_arrives_as_one(way: Way) -> None:
    """What the simulator does to a connection happens to the client, and the next answer comes through."""
    account = way.simulator.add("23telecom", NoAnswer.CUT)
    outcome = await way.ask(account)
    assert isinstance(outcome, Problem)
    assert outcome.cause is Cause.CONNECTION_CUT
    account.answer_with("healthy")
    assert isinstance(await way.ask(account), Reading)


async def test_a_provider_that_is_down_cannot_be_reached(trust: ssl.SSLContext, unused_tcp_port: int) -> None:
    """Without a simulator behind it the proxy hangs up."""
    account = Simulator().add("23telecom")
    async with proxying(unused_tcp_port) as proxy:
        outcome = await _ask_patiently(account, proxy, trust)
    assert isinstance(outcome, Problem)
    assert not outcome.status.up


async def test_an_open_tunnel_does_not_hold_up_the_end(tls: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    """Whoever waits for a silent provider is cut off with the proxy."""
    simulator = Simulator()
    account = simulator.add("23telecom", NoAnswer.SILENT)
    async with simulator.serving(ssl_context=tls) as base_urls:
        async with proxying(httpx.URL(base_urls["iletimerkezi"]).port or 0) as proxy:
            asking = asyncio.create_task(_ask_patiently(account, proxy, trust))
            async with asyncio.timeout(5):
                while not account.requests:  # noqa: ASYNC110 - the server has no event for it
                    await asyncio.sleep(0.01)
            began = time.monotonic()
        assert time.monotonic() - began < 1
        outcome = await asking
    assert isinstance(outcome, Problem)
    assert not outcome.status.up


def _credentials(account: SimulatedAccount) -> Credentials:
    return {name: Secret(value) for name, value in account.credentials.items()}


async def _ask_patiently(account: SimulatedAccount, proxy: str, trust: ssl.SSLContext) -> Reading | Problem:
    async with httpx.AsyncClient(proxy=proxy, verify=trust, trust_env=False) as client:
        provider = PROVIDERS[account.provider]
        return await poll(client, provider, _credentials(account), unix_time=time.time, timeout=60)
