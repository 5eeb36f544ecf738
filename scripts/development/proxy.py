"""A way to the simulated providers under the real ones' host names, for programs that know no other addresses.

Such a program needs nothing but what HTTP clients take from their environment: this proxy (HTTPS_PROXY), and a
certificate authority to trust that has issued the simulator's certificate for HOSTS.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

from sms_credit_core import PROVIDERS

HOSTS = tuple(httpx.URL(provider.base_url).host for provider in PROVIDERS.values())
"""The host names of the providers' APIs."""

_GRANTED = frozenset(f"CONNECT {host}:443" for host in HOSTS)
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_REFUSED = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_PATIENCE = 10.0
"""Seconds that a request has to arrive."""

_CHUNK = 64 * 1024


@asynccontextmanager
async def proxying(port: int) -> AsyncIterator[str]:
    """Lead connections to the providers to this port of 127.0.0.1, and refuse any other; gives the proxy's URL."""
    connections: set[asyncio.Task[None]] = set()

    def accept(client: StreamReader, reply: StreamWriter) -> None:
        connection = asyncio.create_task(_serve(client, reply, port))
        connections.add(connection)
        connection.add_done_callback(connections.discard)

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        host, bound = server.sockets[0].getsockname()
        try:
            yield f"http://{host}:{bound}"
        finally:
            server.close()
            for connection in connections:
                connection.cancel()
            await asyncio.gather(*connections, return_exceptions=True)


async def _serve(client: StreamReader, reply: StreamWriter, port: int) -> None:
    """Answer one request, and be a tunnel from then on if it is granted."""
    try:
        async with asyncio.timeout(_PATIENCE):
            head = await client.readuntil(b"\r\n\r\n")
        request, _, _version = head.partition(b"\r\n")[0].decode("latin-1").rpartition(" ")
        if request not in _GRANTED:
            reply.write(_REFUSED)
            return
        answers, provider = await asyncio.open_connection("127.0.0.1", port)
        reply.write(_ESTABLISHED)
        async with asyncio.TaskGroup() as both_ways:
            both_ways.create_task(_carry(client, provider))
            both_ways.create_task(_carry(answers, reply))
    except (OSError, EOFError, asyncio.LimitOverrunError):
        pass  # who called is gone or never spoke HTTP, or the simulator has ended
    finally:
        reply.close()


async def _carry(reader: StreamReader, writer: StreamWriter) -> None:
    """Pass on what one side says until it ends, then end with the other as well."""
    try:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
