"""Serving on this machine only: the simulated providers, and what else a demo or a test has beside them."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_SHUTDOWN_TIMEOUT = 0.1
"""Seconds that an answer under way has left when the server stops."""


@asynccontextmanager
async def serving(
    app: web.Application, *, port: int = 0, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve on 127.0.0.1, on a free port unless told which; gives the origin. Raises OSError if the port is taken."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,  # an answer that nobody waits for any more, such as a silent one, ends
        shutdown_timeout=_SHUTDOWN_TIMEOUT,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=ssl_context).start()
        host, bound = runner.addresses[0]
        yield f"{'https' if ssl_context else 'http'}://{host}:{bound}"
    finally:
        await runner.cleanup()
