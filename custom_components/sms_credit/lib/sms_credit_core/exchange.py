"""One poll over HTTP: a request leaves, its answer is fetched within bounds, a reading or a problem comes back.

Works with httpx and with httpx2, which Home Assistant 2026.11 puts in its place under the same name.
"""

import asyncio
import hashlib
import secrets
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from .account import Account
from .answer import Answer
from .instant import Instant
from .problem import Cause, NoReading, Problem
from .provider import Provider, Request
from .reading import Reading
from .secret import Credentials

MAX_BODY = 64 * 1024
"""Bytes; an answer beyond is refused unread. A balance is under one kilobyte."""

DEFAULT_TIMEOUT = 10.0
"""Seconds for the whole exchange, its one retry included."""

_LATE = 0.5
"""Seconds by which a timer is late if this process, or the machine, stood still."""

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # nothing to gain from compressing 100 bytes
    # What a server sends beyond its answer would be read as the answer to the next request on the connection.
    "Connection": "close",
    "User-Agent": "sms-credit (+https://github.com/sms-credit/sms-credit)",
}

_NO_TIMEOUT = httpx.Timeout(None).as_dict()
"""For a single read or write; the exchange has its own."""

_NETWORK_ERRORS = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)
"""What a client raises because of the network or the answer: TLS errors after the handshake come as OSError."""

_CAUSE_BY_ERROR: tuple[tuple[type[BaseException], Cause], ...] = (
    (httpx.TimeoutException, Cause.TIMEOUT),
    (TimeoutError, Cause.TIMEOUT),
    (socket.gaierror, Cause.NAME_NOT_FOUND),
    (ssl.SSLError, Cause.TLS_FAILED),
    (httpx.ConnectError, Cause.NOT_CONNECTED),
    (httpx.ProxyError, Cause.NOT_CONNECTED),
    (Exception, Cause.CONNECTION_CUT),
)
"""The first row that any error of the chain belongs to says what happened."""

_RETRIED = frozenset({Cause.NOT_CONNECTED, Cause.CONNECTION_CUT})
"""What may be over in an instant. A name, a certificate or a slow provider will not change at once."""

_HTTP = b"HTTP/"
"""How every answer begins."""

_CLOSED = ("Server disconnected", "peer closed connection")
"""The text of a protocol error begins like this if the answer ended too soon. Otherwise the answer was no HTTP."""

_last_timestamps: dict[bytes, int] = {}
"""By what tells accounts apart and tells nothing of their credentials."""
_OWN_KEY = secrets.token_bytes(32)
_CLOCK_STEP = 60
"""Seconds; a clock that was set by more than that counts from where it is now."""


async def poll(  # noqa: PLR0913 - all that one poll depends on, by name
    client: httpx.AsyncClient,
    provider: Provider,
    credentials: Credentials,
    *,
    unix_time: Callable[[], float],
    base_url: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - it bounds the exchange, not the caller
) -> Reading | Problem:
    """Ask the provider for an account's balance once.

    The client is the caller's: it is neither made nor closed here, and its cookies and default headers are not
    sent. Raises nothing that the network or the provider can cause.
    """

    def word() -> Request:
        return provider.request(base_url or provider.base_url, credentials, _timestamp(credentials, unix_time()))

    try:
        answer = await _within(timeout, _fetch(client, word))
    except NoReading as no_reading:
        return no_reading.problem
    try:
        return provider.read(answer)
    except NoReading as no_reading:
        problem = no_reading.problem
        return replace(problem, code=_shown(problem.code, credentials), retry_after=_retry_after(answer, unix_time()))


async def poll_account(  # noqa: PLR0913 - as above, and the account
    client: httpx.AsyncClient,
    provider: Provider,
    credentials: Credentials,
    account: Account,
    *,
    base_url: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - as above
) -> Account:
    """Poll an account once, and return it as it is afterwards."""
    begun = Instant.now()
    outcome = await poll(client, provider, credentials, unix_time=time.time, base_url=base_url, timeout=timeout)
    ended = Instant.now()
    return account.after(outcome, ended, ended.monotonic - begun.monotonic)


def _timestamp(credentials: Credentials, now: float) -> int:
    """Return the Unix time for a request, never the same for two requests of one account.

    Providers accept a timestamp and its signature once, and two requests can fall into one second: a retry, or the
    first poll right after a form has tried the credentials.
    """
    account = _account_of(credentials)
    last = _last_timestamps.get(account, 0)
    timestamp = int(now) if abs(now - last) > _CLOCK_STEP else max(int(now), last + 1)
    _last_timestamps[account] = timestamp
    return timestamp


def _account_of(credentials: Credentials) -> bytes:
    named = sorted((name, secret.reveal()) for name, secret in credentials.items())
    return hashlib.blake2b(repr(named).encode(errors="surrogatepass"), key=_OWN_KEY).digest()


def _shown(code: str | None, credentials: Credentials) -> str | None:
    """Return a code that can be shown. A provider may name the key that it refuses where a code belongs."""
    return None if code and any(secret.reveal() in code for secret in credentials.values()) else code


async def _within(timeout: float, fetching: Coroutine[Any, Any, Answer]) -> Answer:  # noqa: ASYNC109 - as above
    """Return the answer if it arrives in time. Raises NoReading.

    After the process was stopped, or the machine has slept, the answer that came meanwhile is there, although the
    clock says that it came too late. So the time then begins once more.
    """
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(fetching)
    try:
        for _ in range(2):
            deadline = loop.time() + timeout
            done, _waiting = await asyncio.wait({task}, timeout=timeout)
            if done:
                return task.result()
            if loop.time() < deadline + _LATE:
                break
        raise NoReading(Cause.TIMEOUT)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _fetch(client: httpx.AsyncClient, word: Callable[[], Request]) -> Answer:
    """Send the request, and once more where the first was cut off before any answer arrived."""
    for attempt in (0, 1):
        try:
            response = await _send(client, word())
            break
        except NoReading as no_reading:
            if attempt or no_reading.problem.cause not in _RETRIED:
                raise
    try:
        async with aclosing(response):
            return await _read(response)
    except _NETWORK_ERRORS as error:
        raise NoReading(_cause_of(error)) from None


async def _send(client: httpx.AsyncClient, request: Request) -> httpx.Response:
    """Return the answer with its body unread. A redirect is an answer: credentials are not carried elsewhere."""
    url = _Url.of(request)
    progress = _Progress(tls=url.scheme == "https")
    outgoing = httpx.Request(
        request.method,
        url,
        headers={**_HEADERS, **request.headers},
        content=request.body,
        extensions={"timeout": _NO_TIMEOUT, "trace": progress.trace},
    )
    outgoing.url = url  # the request has made a plain one of it
    try:
        return await client.send(outgoing, stream=True, auth=None, follow_redirects=False)
    except _NETWORK_ERRORS as error:
        # Even when it is not to follow a redirect, httpx fails on one that leads nowhere.
        if progress.status is not None and not isinstance(error, httpx.ProxyError):
            raise NoReading(Cause.STATUS_UNEXPECTED, detail=str(progress.status)) from None
        raise NoReading(progress.cause_of(error)) from None
    finally:
        _forget_cookies(client, url.host)


class _Url(httpx.URL):
    """An address whose credentials nobody sees: the client logs addresses, and names them in its errors."""

    @classmethod
    def of(cls, request: Request) -> Self:
        """Return where a request goes."""
        url = cls(request.address())
        url._shown = request.url
        return url

    _shown: str

    def __str__(self) -> str:
        """Return the address with the names of its credentials in their places."""
        return self._shown

    def __repr__(self) -> str:
        """Return the same."""
        return f"URL({self._shown!r})"


class _Progress:
    """How far a request has come, by what the client traces."""

    def __init__(self, *, tls: bool) -> None:
        """Begin before any connection. Until TLS stands, whoever speaks may be a proxy on the way."""
        self._connected = "start_tls" if tls else "connect_tcp"
        self.at_provider = False
        """Whether it is the provider that speaks."""
        self._heard = b""
        self._tcp: Any = None
        """The latest connection, which the client does not close if its handshake is given up."""
        self.status: int | None = None
        """The HTTP status of the provider's answer."""

    def cause_of(self, error: BaseException) -> Cause:
        """Return why there is no answer. If its beginning is no HTTP, that is why, however it ended."""
        return _cause_of(error, at_provider=self.at_provider) if _HTTP.startswith(self._heard) else Cause.NOT_HTTP

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of a step."""
        step, _, stage = event.partition(".")[2].partition(".")
        if (step, stage) == ("connect_tcp", "complete"):
            self._tcp = info["return_value"]
        elif (step, stage) == ("start_tls", "failed"):
            await self._tcp.aclose()
        if step == self._connected:
            self.at_provider, self.status = stage == "complete", None
            if self.at_provider:
                self._listen(info["return_value"])
        elif (step, stage) == ("receive_response_headers", "complete") and self.at_provider:
            self.status = info["return_value"][1]

    def _listen(self, stream: Any) -> None:  # noqa: ANN401 - httpcore's, or that of httpcore2
        """Keep the first bytes that arrive. The client does not tell whether there were any when a connection ended."""
        read = stream.read

        async def listening(*args: Any, **kwargs: Any) -> bytes:  # noqa: ANN401 - whatever the client passes
            data: bytes = await read(*args, **kwargs)
            self._heard += data[: len(_HTTP) - len(self._heard)]
            return data

        stream.read = listening


def _forget_cookies(client: httpx.AsyncClient, host: str) -> None:
    """Leave none of the provider's cookies in the caller's client: they are never sent, and would pile up."""
    jar = client.cookies.jar
    for cookie in [*jar]:
        # To Python's jar, a host without a dot lies in the domain .local.
        if f".{host}".endswith(f".{cookie.domain.removeprefix('.')}") or cookie.domain == f"{host}.local":
            jar.clear(cookie.domain, cookie.path, cookie.name)


async def _read(response: httpx.Response) -> Answer:
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > MAX_BODY:
        raise NoReading(Cause.TOO_LARGE)
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BODY:
            raise NoReading(Cause.TOO_LARGE)
    return Answer(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=_decoded(body, response.headers.get("Content-Encoding", "identity").strip().lower()),
    )


def _decoded(body: bytes, encoding: str) -> bytes:
    """Undo a compression that was not asked for, within the same bound: httpx would inflate without one."""
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise NoReading(Cause.ENCODING_UNKNOWN)
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        inflated = inflater.decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise NoReading(Cause.ENCODING_UNKNOWN) from None
    if len(inflated) > MAX_BODY:
        raise NoReading(Cause.TOO_LARGE)
    if not inflater.eof or inflater.unused_data:
        raise NoReading(Cause.ENCODING_UNKNOWN)
    return inflated


def _cause_of(error: BaseException, *, at_provider: bool = True) -> Cause:
    if at_provider and isinstance(error, httpx.RemoteProtocolError) and not str(error).startswith(_CLOSED):
        return Cause.NOT_HTTP
    chain = tuple(_chain(error))
    return next(cause for kind, cause in _CAUSE_BY_ERROR if any(isinstance(link, kind) for link in chain))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it; a chain can lead back to itself."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _retry_after(answer: Answer, now: float) -> float | None:
    """Read Retry-After: seconds, or a date, which counts from the provider's own clock where it shows one."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:10])
    until, since = _http_date(value), _http_date(answer.headers.get("date", ""))
    if until is None:
        return None
    return max(0.0, (until - (since or datetime.fromtimestamp(now, UTC))).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
