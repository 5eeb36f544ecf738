"""The web server: metrics, status page, health and reload. It answers from memory and never calls a provider.

aiohttp serves it: of the asyncio servers it is the one that does routing, HEAD and 405, several listeners, TLS with a
handshake for each connection, and closes connections that send no request.
"""

import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from sms_credit_core import Instant

from . import api
from .accounts import Views
from .connections import Connection, Connections, Listener, bound, most_connections
from .exposition import Exposition, Text
from .listing import Listing, Listings, Query, QueryError
from .negotiation import Format, compressed, negotiated, takes_gzip
from .page import refused, render, static_files
from .pieces import Pieces
from .prefix import Prefix
from .sharing import Shared, in_thread

_IDLE_SECONDS = 90.0
"""A connection that has not completed a request for so long is closed; longer than scrapes are usually apart."""

_SHUTDOWN_SECONDS = 3.0

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Server": "sms-credit-exporter",
    "X-Content-Type-Options": "nosniff",
}

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the web server shows and does."""

    exposition: Exposition
    views: Callable[[], Views]
    """Returns all accounts as they are now. May be called in any thread."""
    ready: Callable[[], bool]
    reload: Callable[[], Awaitable[str | None]] | None
    """Takes the configuration in anew; returns what is wrong with it, or None. None where a request may not do that."""
    version: str
    refresh: float
    """Seconds after which an open status page fetches itself again."""
    prefix: Prefix = field(default_factory=Prefix)
    headers: Callable[[], Mapping[str, str]] = dict
    """What the web configuration sets in every answer."""
    max_requests: int = 0
    """Requests that are answered at once; 0 for no limit."""
    demo: bool = False
    listings: Listings = field(default_factory=Listings)
    """Answers what is asked about the accounts."""

    def all_headers(self) -> Mapping[str, str]:
        """Return the headers of every answer."""
        return {**_HEADERS, **self.headers()}


_SITE = web.AppKey("site", Site)


def application(site: Site, *middlewares: Middleware) -> web.Application:
    """Return the application; every route answers GET and HEAD, and /-/reload answers POST and PUT."""
    route, outside = site.prefix.route, site.prefix.outside

    async def static(request: web.Request) -> web.Response:
        files = static_files()
        if request.match_info["name"] not in files:
            raise web.HTTPNotFound
        content_type, body = files[request.match_info["name"]]
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="Healthy.\n")

    async def ready(_: web.Request) -> web.Response:
        if site.ready():
            return web.Response(text="Ready.\n")
        return web.Response(status=503, text="Not ready: some accounts have not been polled yet.\n")

    async def reload(_: web.Request) -> web.Response:
        if site.reload is None:  # any page in any browser can have a request sent
            return web.Response(status=403, text="Lifecycle API is not enabled.\n")
        mistakes = await site.reload()
        if mistakes is None:
            return web.Response(text="Reloaded.\n")
        return web.Response(status=500, text=f"Not reloaded, the previous configuration stays:\n{mistakes}\n")

    app = web.Application(middlewares=[*middlewares])
    app.router.add_get(route("/"), _accounts(site, _page(site)))
    app.router.add_get(route("/api/v1/accounts"), _accounts(site, _API))
    app.router.add_get(route("/api/v1/openapi.yaml"), _specification)
    app.router.add_get(route("/metrics"), _metrics(site))
    app.router.add_get(route("/static/{name}"), static)
    app.router.add_get(route("/-/healthy"), healthy)
    app.router.add_get(route("/-/ready"), ready)
    app.router.add_post(route("/-/reload"), reload)
    app.router.add_put(route("/-/reload"), reload)
    if route(""):
        app.router.add_get("/", _redirect(route("/")))
        app.router.add_get(route(""), _redirect(f"{outside}/"))  # the page's links are relative to its slash
    app.on_response_prepare.append(_add_headers)
    app[_SITE] = site
    return app


async def _specification(_: web.Request) -> web.Response:
    return web.Response(body=api.specification(), headers={"Content-Type": "application/yaml"})


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _redirect(path: str) -> _Handler:
    async def redirect(request: web.Request) -> web.Response:
        query = request.rel_url.raw_query_string
        return web.Response(status=302, headers={"Location": f"{path}?{query}" if query else path})

    return redirect


def _metrics(site: Site) -> _Handler:
    async def written(asked: tuple[Format, bool]) -> Text:
        form, gzip = asked
        write = site.exposition.compressed if gzip else site.exposition.text
        return await write(form, Instant.now())

    text = Shared(written)

    async def metrics(request: web.Request) -> web.Response:
        form, content_type = negotiated(_header(request, "Accept"))
        gzip = takes_gzip(_header(request, "Accept-Encoding"))
        headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
        return _response(await text((form, gzip)), headers, gzip=gzip)

    return metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A form in which the accounts are told."""

    content_type: str
    write: Callable[[Listing], str]
    refuse: Callable[[QueryError], str]
    """Says what is wrong with a question."""
    strict: bool
    """Whether a parameter that nobody knows is an error. An address bar may hold some that belong to others."""


_API = _Form(content_type="application/json", write=api.as_json, refuse=api.refusal, strict=True)


def _page(site: Site) -> _Form:
    return _Form(
        content_type="text/html; charset=utf-8",
        write=lambda listing: render(listing, version=site.version, refresh=site.refresh, demo=site.demo),
        refuse=lambda error: refused(str(error)),
        strict=False,
    )


def _accounts(site: Site, form: _Form) -> _Handler:
    """Return what tells of the accounts that are asked for."""

    async def written(asked: tuple[Query, bool]) -> bytes:
        query, gzip = asked

        def body() -> bytes:
            text = form.write(site.listings.listing(query, site.views())).encode()
            return compressed(text) if gzip else text

        return await in_thread(body)

    answer = Shared(written)

    async def accounts(request: web.Request) -> web.Response:
        headers = {"Content-Type": form.content_type, "Vary": "Accept-Encoding"}
        try:
            query = Query.parse(request.query.items(), strict=form.strict)
        except QueryError as error:
            return web.Response(status=400, text=form.refuse(error), headers=headers)
        gzip = takes_gzip(_header(request, "Accept-Encoding"))
        return _response([await answer((query, gzip))], headers, gzip=gzip)

    return accounts


def _response(body: Text, headers: Mapping[str, str], *, gzip: bool) -> web.Response:
    encoding = {"Content-Encoding": "gzip"} if gzip else {}
    return web.Response(body=Pieces(body), headers={**headers, **encoding})


def _header(request: web.Request, name: str) -> str:
    """Return a header that may be repeated as one list."""
    return ", ".join(request.headers.getall(name, ()))


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(request.app[_SITE].all_headers())


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str | None
    """None for every address of the machine."""
    port: int
    """0 for any free one."""

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `:10767`, `127.0.0.1:10767`, `localhost:10767` or `[::1]:10767`. Raises ValueError."""
        match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^\[\]:\s]*)):([0-9]{1,5})", text)
        if match is None or int(match[3]) > 65535:  # noqa: PLR2004 - the largest port
            message = f"“{text}” is not an address such as :10767, 127.0.0.1:10767 or [::1]:10767"
            raise ValueError(message)
        return cls(match[1] or match[2] or None, int(match[3]))


Place = Address | socket.socket
"""Where to listen: an address, or a socket that somebody has bound already."""


async def serve(
    stack: AsyncExitStack, app: web.Application, places: Sequence[Place], tls: ssl.SSLContext | None
) -> tuple[str, ...]:
    """Serve until the stack closes; return the URLs. Raises OSError if an address cannot be listened on."""
    site = app[_SITE]
    connections = Connections(most_connections(), site.max_requests, site.prefix.health)
    app.middlewares.insert(0, connections.middleware)
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    stack.callback(connections.close_unfinished)
    server = runner.server
    assert server  # noqa: S101 - it is set up

    def accept(accepted: socket.socket) -> None:
        options = {"access_log": None, "keepalive_timeout": _IDLE_SECONDS}
        Connection(server, connections, site.all_headers, **options).accept(accepted, tls)

    urls: dict[str, None] = {}
    for place in places:
        for listening in [place] if isinstance(place, socket.socket) else await bound((place.host, place.port)):
            urls[_url(listening, "https" if tls else "http", site.prefix.routes)] = None
            stack.callback(Listener(listening, connections, accept).close)
    for url in urls:
        _log.info("listening", url=url)
    return tuple(urls)


def _url(listening: socket.socket, scheme: str, path: str) -> str:
    name = listening.getsockname()
    if listening.family is socket.AF_UNIX:
        return f"unix:{name if isinstance(name, str) else '@' + name[1:].decode(errors='replace')}"
    host, port = name[:2]
    return f"{scheme}://[{host}]:{port}{path}" if ":" in host else f"{scheme}://{host}:{port}{path}"
