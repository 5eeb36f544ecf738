"""The server: it knows its accounts, refuses what the providers would refuse, and keeps what it was asked."""

import asyncio
import json
import secrets
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import web

from . import loopback
from .answers import answer
from .apis import Received
from .behaviour import Act, Behaviour, Canned, NoAnswer, always
from .payloads import Payload, payload
from .providers import APIS

_REMEMBERED = 1000
"""Requests that are kept; a demo runs for weeks."""

_REAL = {provider: urlsplit(api.base_url) for provider, api in APIS.items()}
"""Where the real providers are."""

_BY_HOST = {real.hostname: provider for provider, real in _REAL.items()}

_NOBODY = f"No provider is here, but below {', '.join(f'/{provider}' for provider in APIS)}.\n"


class SimulatedAccount:
    """One account at a simulated provider."""

    def __init__(self, provider: str, credentials: Mapping[str, str], clock: Callable[[], float]) -> None:
        """Open an account in good health."""
        self.provider = provider
        self.credentials = credentials
        """In plain text, as their owner was given them."""
        self.requests: deque[Received] = deque(maxlen=_REMEMBERED)
        """What was asked in its name, refused requests too, the newest last."""
        self._clock = clock
        self.answer_with("healthy")

    def answer_with(self, what: str | Act | Behaviour) -> None:
        """Behave like this from now on; text names a payload. Raises LookupError for an unknown one."""
        if isinstance(what, str):
            what = Canned(payload(self.provider, what).name)
        self._behaviour = always(what) if isinstance(what, Act) else what
        self._since = self._clock()

    def act(self) -> Act:
        """Return what the account does at this moment."""
        return self._behaviour(self._clock() - self._since)


class Simulator:
    """The providers' APIs on one port of this machine.

    Each is to be had below a path of its own, and at the real one's paths by whoever asks for the real one's host.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        """Take the scenarios' clock, in seconds that may run fast, and the one that tells the time of day."""
        self._clock, self._unix_time = clock, unix_time
        self._apis = {provider: api() for provider, api in APIS.items()}
        self._accounts: dict[str, SimulatedAccount] = {}
        self.requests: deque[Received] = deque(maxlen=_REMEMBERED)
        """Every request, in whoever's name, the newest last."""

    def add(
        self,
        provider: str,
        what: str | Act | Behaviour = "healthy",
        *,
        credentials: Mapping[str, str] | None = None,
    ) -> SimulatedAccount:
        """Open an account, without credentials with those that the provider requires, made up."""
        account = SimulatedAccount(provider, credentials or _made_up(provider), self._clock)
        account.answer_with(what)
        required = {name: account.credentials[name] for name in APIS[provider].required}
        self._accounts.setdefault(_key(provider, required), account)
        return account

    @asynccontextmanager
    async def serving(
        self, *, port: int = 0, ssl_context: ssl.SSLContext | None = None
    ) -> AsyncIterator[Mapping[str, str]]:
        """Serve on 127.0.0.1, on a free port unless told which; gives the base URL for each provider."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_response_prepare.append(_leave_as_written)
        async with loopback.serving(app, port=port, ssl_context=ssl_context) as origin:
            yield {provider: f"{origin}/{provider}{real.path}" for provider, real in _REAL.items()}

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        provider, path = _asked(request.headers.get("Host", ""), request.path)
        received = Received(
            at=self._unix_time(),
            method=request.method,
            path=path,
            full_path=request.path,
            headers=request.headers,
            body=await request.read(),
        )
        self.requests.append(received)
        if provider is None:
            return web.Response(status=404, text=_NOBODY)
        act = self._act(provider, received)
        if act is NoAnswer.SILENT:
            await asyncio.Event().wait()
        if isinstance(act, NoAnswer):
            if request.transport:
                request.transport.close()
            return web.Response()  # goes nowhere
        return _Answer(answer(provider, act, received.at))

    def _act(self, provider: str, request: Received) -> Act:
        """Return what to do about a request, and put it down to the account that it names."""
        api = self._apis[provider]
        account = self._accounts.get(_key(provider, api.named(request)))
        if account is None:
            return Canned(api.refusal(request, {}) or api.unknown)
        account.requests.append(request)
        refusal = api.refusal(request, account.credentials)
        return Canned(refusal) if refusal else account.act()


class _Answer(web.Response):
    """A payload on its way."""

    def __init__(self, written: Payload) -> None:
        super().__init__(status=written.status, headers=written.headers, body=written.body)
        self.names = {name.lower() for name, _ in written.headers}


async def _leave_as_written(_request: web.Request, response: web.StreamResponse) -> None:
    """Take back what aiohttp adds to a payload's headers, but for the date and the body's length."""
    if isinstance(response, _Answer):
        for name in {"content-type", "server"} - response.names:
            response.headers.popall(name, None)


def _key(provider: str, named: Mapping[str, str]) -> str:
    """Return what finds an account; a request may name it by any JSON."""
    return json.dumps([provider, named], sort_keys=True)


def _asked(host: str, path: str) -> tuple[str | None, str]:
    """Return the provider that a request is for, if any, and the path as that provider documents it."""
    if provider := _BY_HOST.get(host.partition(":")[0].lower()):
        return provider, path
    first, _, rest = path.removeprefix("/").partition("/")
    return (first, f"/{rest}") if first in APIS else (None, path)


def _made_up(provider: str) -> Mapping[str, str]:
    return {name: secrets.token_hex(16) for name in APIS[provider].required}
