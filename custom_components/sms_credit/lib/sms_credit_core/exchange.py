"""One poll over HTTP: a request leaves, its answer is fetched within bounds, a reading or a problem comes back.

Works with httpx and with httpx2, which Home Assistant 2026.11 puts in its place under the same name.
"""

import asyncio
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from .answer import Answer
from .problem import Cause, NoReading, Problem
from .provider import Provider, Request
from .reading import Reading
from .secret import Credentials, Secret

MAX_BODY = 64 * 1024
"""Bytes; an answer beyond is refused unread. A balance is under one kilobyte."""

DEFAULT_TIMEOUT = 10.0
"""Seconds for the whole exchange, its one retry included."""

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # nothing to gain from compressing 100 bytes
    "User-Agent": "sms-credit (+https://github.com/sms-credit/sms-credit)",
}

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


_REDIRECTS = range(300, 400)

_last_timestamps: dict[frozenset[tuple[str, Secret]], int] = {}
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
        async with asyncio.timeout(timeout):
            answer = await _fetch(client, word, timeout)
    except NoReading as reason:
        return reason.problem
    except TimeoutError:
        return Problem(cause=Cause.TIMEOUT)
    try:
        return provider.read(answer)
    except NoReading as reason:
        return replace(reason.problem, retry_after=_retry_after(answer, unix_time()))


def _timestamp(credentials: Credentials, now: float) -> int:
    """Return the Unix time for a request, never the same for two requests of one account.

    Providers accept a timestamp and its signature once, and two requests can fall into one second: a retry, or the
    first poll right after a form has tried the credentials.
    """
    account = frozenset(credentials.items())
    last = _last_timestamps.get(account, 0)
    timestamp = int(now) if abs(now - last) > _CLOCK_STEP else max(int(now), last + 1)
    _last_timestamps[account] = timestamp
    return timestamp


async def _fetch(client: httpx.AsyncClient, word: Callable[[], Request], timeout: float) -> Answer:  # noqa: ASYNC109
    """Send the request, and once more where the first was cut off before any answer arrived."""
    for attempt in (0, 1):
        try:
            response = await _send(client, word(), timeout)
            break
        except NoReading as reason:
            if attempt or reason.problem.cause not in _RETRIED:
                raise
    try:
        return await _read(response)
    except httpx.HTTPError as error:
        raise NoReading(_cause_of(error)) from None
    finally:
        await response.aclose()


async def _send(client: httpx.AsyncClient, request: Request, timeout: float) -> httpx.Response:  # noqa: ASYNC109
    """Return the answer with its body unread. A redirect is an answer: credentials are not carried elsewhere."""
    answered: list[int] = []

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("receive_response_headers.complete"):
            answered.append(info["return_value"][1])

    outgoing = httpx.Request(
        request.method,
        request.url,
        headers={**_HEADERS, **request.headers},
        content=request.body,
        extensions={"timeout": httpx.Timeout(timeout).as_dict(), "trace": trace},
    )
    try:
        return await client.send(outgoing, stream=True, auth=None, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        # Even when it is not to follow a redirect, httpx fails on one that leads nowhere. A proxy is traced too.
        if answered and answered[-1] in _REDIRECTS and not isinstance(error, httpx.ProxyError):
            raise NoReading(Cause.STATUS_UNEXPECTED, detail=str(answered[-1])) from None
        raise NoReading(_cause_of(error)) from None


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


def _cause_of(error: BaseException) -> Cause:
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
