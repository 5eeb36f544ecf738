"""TLS, basic authentication and rate limit of the web server; all follow their file without a restart."""

import asyncio
import base64
import hashlib
import secrets
import ssl
import time
from binascii import Error as Base64Error
from collections.abc import Callable
from functools import partial
from pathlib import Path

import bcrypt
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .config.web import RateLimit, Tls, WebConfig
from .prefix import Prefix
from .sharing import in_thread

_NOBODY = b"$2b$10$" + b"." * 53
"""Unknown users are checked against it, so that time does not tell which users exist; no password is known to fit."""

_MAX_REMEMBERED = 128

_log = structlog.stdlib.get_logger()


class Authentication:
    """Basic authentication against bcrypt hashes."""

    def __init__(self, config: Callable[[], WebConfig], prefix: Prefix | None = None) -> None:
        """Take what returns the configuration in force, and what the routes begin with."""
        self._config = config
        self._open = (prefix or Prefix()).health
        self._one_at_a_time = asyncio.Lock()
        self._key = secrets.token_bytes(32)
        self._remembered: set[bytes] = set()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request pass, or answer 401."""
        if not self._config().users or request.path in self._open or await self._knows(request):
            return await handler(request)
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="sms-credit-exporter"'})

    async def _knows(self, request: web.Request) -> bool:
        header = request.headers.get("Authorization")
        if header is None:
            return False
        name, password = _basic(header)
        hashed = self._config().users.get(name, _NOBODY)
        seen = hashlib.blake2b(hashed + password, key=self._key).digest()
        if seen in self._remembered:
            return True
        async with self._one_at_a_time:  # bcrypt takes some 70 ms of a processor by design
            known = seen in self._remembered or await in_thread(partial(_fits, password, hashed))
        if known:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered.add(seen)
        return known


class Bucket:
    """Tokens, one for each request: as many as the limit's burst, and one more after each interval."""

    def __init__(self) -> None:
        """Begin with no limit; each begins with all its tokens."""
        self._limit: RateLimit | None = None
        self._full_at = 0.0

    def gives(self, limit: RateLimit, now: float) -> bool:
        """Take a token, if there is one; `now` is a monotonic time in seconds."""
        full_at = max(self._full_at, now) if limit == self._limit else now
        if full_at - now > (limit.burst - 1) * limit.interval:
            return False
        self._limit, self._full_at = limit, full_at + limit.interval
        return True


def rate_limiter(config: Callable[[], WebConfig]) -> Middleware:
    """Return what lets a request pass or answers 429, whoever asks for whatever, as in exporter-toolkit."""
    bucket = Bucket()

    @web.middleware
    async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
        limit = config().rate_limit
        if limit is None or bucket.gives(limit, time.monotonic()):
            return await handler(request)
        return web.Response(status=429, text="Too Many Requests\n")

    return limited


def _basic(header: str) -> tuple[str, bytes]:
    """Return user name and password of an Authorization header; empty ones if there are none."""
    scheme, _, encoded = header.partition(" ")
    try:
        name, _, password = base64.b64decode(encoded, validate=True).partition(b":")
    except (Base64Error, ValueError):
        return "", b""
    return (name.decode("utf-8", "replace"), password) if scheme.lower() == "basic" else ("", b"")


def _fits(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:  # longer than bcrypt can take
        return False


def tls_context(config: Callable[[], WebConfig]) -> ssl.SSLContext | None:
    """Return a context that takes up renewed certificates, and other ones after a reload, at the next handshake."""
    tls = config().tls
    if tls is None:
        return None
    current = _Current(tls)
    context = tls.context()

    def renew(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = current.context(config().tls or tls)

    context.sni_callback = renew
    return context


def needs_restart(old: WebConfig, new: WebConfig) -> bool:
    """Whether the change needs a restart. A reload can take over another certificate, but nothing else of TLS."""
    return _how(old.tls) != _how(new.tls)


def _how(tls: Tls | None) -> tuple[object, ...]:
    return (tls.client_auth_type, tls.client_ca_file, tls.min_version) if tls else ()


class _Current:
    """The context of the certificate files as they are now."""

    def __init__(self, tls: Tls) -> None:
        self._context = tls.context()
        self._loaded = self._refused = _stamps(tls)

    def context(self, tls: Tls) -> ssl.SSLContext:
        stamps = _stamps(tls)
        if stamps not in (self._loaded, self._refused):
            try:
                self._context = tls.context()
                self._loaded = stamps
            except OSError:  # half-written, or a new certificate before its key: the old ones still serve
                self._refused = stamps
                _log.warning("renewed certificate cannot be used yet", file=str(tls.cert_file))
        return self._context


def _stamps(tls: Tls) -> list[tuple[object, ...]]:
    return [_stamp(path) for path in (tls.cert_file, tls.key_file, tls.client_ca_file) if path]


def _stamp(path: Path) -> tuple[object, ...]:
    try:
        stat = path.stat()
    except OSError:  # being replaced at this very moment
        return (path,)
    return (path, stat.st_mtime_ns, stat.st_size, stat.st_ino)
