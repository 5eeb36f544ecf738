"""The web server's connections: how many there may be, which of them have to go, and what malformed requests get.

asyncio's own server accepts all that come; without a descriptor left no poll would get one either.
"""

import asyncio
import resource
import socket
import ssl
from collections.abc import Callable, Collection, Mapping
from enum import Enum, auto
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler

_MOST = 4096
"""Connections, however many files the system lets us open."""

_MOST_RESERVED = 256
"""Descriptors that are left to everything else, polls above all; half of them where there are few."""

_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 64
_ANSWERED_AT_ONCE = 20

_ANSWER_SECONDS = 60.0
"""For all of an answer to be taken; no scraper waits so long. What it holds is freed then."""

_RETRY_SECONDS = 5

_PAUSE_SECONDS = 0.01
"""Until room is looked for again."""

_QUIET_SECONDS = 60.0
"""Between two lines of the log about too many connections."""

_log = structlog.stdlib.get_logger()


class _State(Enum):
    """What a connection does, in the order in which they have to go."""

    SILENT = auto()
    """It has sent no whole request yet; its TLS handshake may be unfinished."""
    IDLE = auto()
    BUSY = auto()
    """A request is being answered, perhaps to somebody who does not read."""
    LEAVING = auto()


_GRACE = {_State.SILENT: 1.0, _State.IDLE: 1.0, _State.BUSY: 10.0, _State.LEAVING: float("inf")}
"""Seconds for which a connection may do so before it can be closed to make room."""


def most_connections() -> int:
    """Return how many connections leave enough descriptors for everything else."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return _MOST
    return min(_MOST, limit - min(_MOST_RESERVED, limit // 2))


class Connections:
    """Every connection, by what it does and since when."""

    def __init__(self, most: int, max_requests: int, always_answered: Collection[str]) -> None:
        """Take how many there may be, how many may be answered at once, and the paths that are answered always.

        `max_requests` 0 is no limit.
        """
        self._most, self._max_requests, self._always = most, max_requests, always_answered
        self._since: Mapping[_State, dict[Connection, float]] = {state: {} for state in _State}
        self._turns = asyncio.Semaphore(_ANSWERED_AT_ONCE)
        self._closed = 0
        self._quiet_until = 0.0

    @property
    def are_many(self) -> bool:
        """Whether there is no room for another one."""
        return sum(map(len, self._since.values())) >= self._most

    def add(self, connection: "Connection") -> None:
        """Take down a new connection."""
        self._since[_State.SILENT][connection] = asyncio.get_running_loop().time()

    def set(self, connection: "Connection", state: _State) -> None:
        """Note what a connection does from now on. A connection that is closing does nothing more."""
        if connection not in self._since[_State.LEAVING] and self.forget(connection):
            self._since[state][connection] = asyncio.get_running_loop().time()

    def forget(self, connection: "Connection") -> bool:
        """Make room: the connection is no more. Return whether it was."""
        found = [connections for connections in self._since.values() if connection in connections]
        for connections in found:
            del connections[connection]
        return bool(found)

    def close_one(self) -> None:
        """Close the connection that can best be spared, if there is one; its place is free a moment later."""
        now = asyncio.get_running_loop().time()
        for state, grace in _GRACE.items():
            connection, since = next(iter(self._since[state].items()), (None, now))
            if connection and now - since >= grace:
                self.set(connection, _State.LEAVING)
                connection.abort()
                self._closed += 1
                break
        if now >= self._quiet_until:
            _log.warning("too many connections", limit=self._most, closed=self._closed)
            self._closed, self._quiet_until = 0, now + _QUIET_SECONDS

    def close_unfinished(self) -> None:
        """Close what the web server does not know of yet."""
        for connection in tuple(self._since[_State.SILENT]):
            connection.give_up()

    async def turn(self, path: str) -> None:
        """Wait for an answer's turn, so that hundreds of them do not all come between two steps of a poll.

        What is always answered does not wait: who asks for the health would take a crowd for the end of the process.
        """
        if path not in self._always:
            async with self._turns:
                await asyncio.sleep(0)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Take down that a connection has sent a request, and answer it, unless too many are being answered."""
        if isinstance(request.protocol, Connection):
            self.set(request.protocol, _State.BUSY)
        if 0 < self._max_requests < len(self._since[_State.BUSY]) and request.path not in self._always:
            text = f"Limit of concurrent requests reached ({self._max_requests}), try again later.\n"
            return web.Response(status=503, text=text, headers={"Retry-After": str(_RETRY_SECONDS)})
        return await handler(request)


class Connection(web.RequestHandler):
    """One connection."""

    def __init__(
        self,
        server: web.Server,
        connections: Connections,
        headers: Callable[[], Mapping[str, str]],
        **more: Any,  # noqa: ANN401 - what aiohttp takes
    ) -> None:
        """Take its server, all connections, and the headers of every answer."""
        super().__init__(server, loop=asyncio.get_running_loop(), **more)
        self._connections, self._headers = connections, headers
        self._accepted: asyncio.BaseTransport | None = None
        self._accepting: asyncio.Task[None] | None = None
        connections.add(self)

    def accept(self, accepted: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Take over a socket."""
        self._accepting = asyncio.create_task(self._accept(accepted, tls))

    async def _accept(self, accepted: socket.socket, tls: ssl.SSLContext | None) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: self, accepted, ssl=tls)
        except OSError as error:  # ssl.SSLError is one
            _log.debug("no TLS connection", error=type(error).__name__)
        finally:
            if self._accepted is None:
                self._connections.forget(self)

    def give_up(self) -> None:
        """Close it if it never came about."""
        if self._accepted is None and self._accepting:
            self._accepting.cancel()

    def abort(self) -> None:
        """Close it now, with what is still to be sent."""
        self.give_up()
        if isinstance(self._accepted, asyncio.Transport):
            self._accepted.abort()

    @property
    def _client(self) -> str:
        name = self._accepted.get_extra_info("peername") if self._accepted else None
        return name[0] if name else "unknown"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen to it."""
        self._accepted = transport
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for another one."""
        self._connections.forget(self)
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; the last one, where others wait for a place."""
        if self._connections.are_many:
            resp.force_close()
        try:
            await self._connections.turn(request.path)
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            _log.debug("answer not taken", client=self._client, seconds=_ANSWER_SECONDS)
            self.abort()
            return resp, True
        finally:
            self._connections.set(self, _State.IDLE)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what cannot be understood without repeating it, here or in the log: it may hold a password."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        self.log_exception(exc_info=exc)
        response = web.Response(status=status, text="Bad request.\n", headers=self._headers())
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:  # noqa: ANN401 - as logging takes them
        """Log an error of ours; what others send is none."""
        error = kw.get("exc_info")
        if isinstance(error, HttpProcessingError | web.RequestPayloadError):
            _log.debug("malformed request", client=self._client, error=type(error).__name__)
        else:
            super().log_exception(*args, **kw)


class Listener:
    """One listening socket, whose connections are accepted as long as there is room."""

    def __init__(
        self, listening: socket.socket, connections: Connections, accept: Callable[[socket.socket], None]
    ) -> None:
        """Listen; `accept` is given each connection's socket."""
        self._socket, self._connections, self._accept = listening, connections, accept
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        listening.setblocking(False)  # noqa: FBT003 - sockets are told so
        listening.listen(_BACKLOG)
        self._go_on()

    def close(self) -> None:
        """Listen no more."""
        if self._pause:
            self._pause.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _go_on(self) -> None:
        self._pause = None
        self._loop.add_reader(self._socket, self._accept_some)

    def _accept_some(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            if self._connections.are_many:
                self._make_room()
                return
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no descriptor left, in spite of the reserve, or no memory
                self._make_room()
                return
            self._accept(accepted)

    def _make_room(self) -> None:
        self._connections.close_one()
        self._loop.remove_reader(self._socket)
        self._pause = self._loop.call_later(_PAUSE_SECONDS, self._go_on)


async def bound(address: tuple[str | None, int]) -> list[socket.socket]:
    """Return a socket for every address of a host. Raises OSError if one cannot be had."""
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, *address, start_serving=False)
    try:
        return [one.dup() for one in server.sockets]
    finally:
        server.close()
