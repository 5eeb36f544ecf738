"""The exporter as a whole: polls in the background, serves what is known, reloads, and ends."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

import structlog

from .accounts import Config
from .config import ConfigError
from .config.web import WebConfig
from .metrics import ExporterCollector, registry
from .protection import Authentication, needs_restart, tls_context
from .sharing import Shared, in_thread
from .storage import Memory
from .watch import Watch
from .web import Address, Site, application, serve

VERSION = version("sms-credit-exporter")

_MOST_LOGGED = 100
"""Mistakes of one reload: a wrong template makes one for each pair of accounts."""

_log = structlog.stdlib.get_logger()


class Exporter:
    """One running exporter."""

    def __init__(  # noqa: PLR0913 - what the command line can say
        self,
        load: Callable[[], Config],
        load_web: Callable[[], WebConfig] = WebConfig,
        *,
        memory: Callable[[], Memory] = Memory,
        refresh: float = 15.0,
        lifecycle: bool = False,
        demo: bool = False,
    ) -> None:
        """Load the configuration; `load` is called again at each reload. Raises ConfigError and StorageMistake.

        `memory` opens what everything is kept in over restarts. `refresh` is the number of seconds after which an open
        status page fetches itself again; `lifecycle` lets requests reload.
        """
        self._load, self._load_web = load, load_web
        self._reloads = Shared(self._reload)
        self._web = load_web()
        config = load()
        self._memory = memory()
        self.watch = Watch(config, self._memory)
        self._memory.keep(config.names)
        self._own = ExporterCollector(VERSION, lambda: self._memory.healthy)
        self._own.reload_success_unix, self._own.config = time.time(), config
        self._site = Site(
            registry=registry(self._own),
            views=self.watch.views,
            ready=lambda: self.watch.ready,
            reload=self.reload if lifecycle else None,
            version=VERSION,
            refresh=refresh,
            demo=demo,
        )

    async def reload(self) -> str | None:
        """Take over what is now in the configuration files, or keep the old and return what is wrong."""
        return await self._reloads(None)

    async def _reload(self, _: None) -> str | None:
        try:
            config, web = await in_thread(lambda: (self._load(), self._load_web()))
        except ConfigError as error:
            self._own.reload_successful = False
            for mistake in error.mistakes[:_MOST_LOGGED]:
                where = {"file": str(mistake.file), "path": mistake.path, "line": mistake.line}
                _log.error("configuration not reloaded", **where, mistake=mistake.text)
            if len(error.mistakes) > _MOST_LOGGED:
                _log.error("configuration has more mistakes", mistakes=len(error.mistakes) - _MOST_LOGGED)
            return str(error)
        if needs_restart(self._web, web):
            _log.warning("changes to TLS other than of its certificate need a restart")
        self._web = web
        self.watch.reconfigure(config)
        await in_thread(lambda: self._memory.keep(config.names))
        self._own.reload_successful, self._own.reload_success_unix = True, time.time()
        self._own.config = config
        _log.info("configuration reloaded", accounts=len(config.accounts))
        return None

    async def run(
        self, addresses: Sequence[Address], listening: Callable[[Sequence[str]], None] = lambda _urls: None
    ) -> None:
        """Serve and poll until SIGTERM or SIGINT; SIGHUP reloads. Once it listens, `listening` is told where.

        Raises OSError if an address cannot be listened on, and whatever ends a polling task: better no numbers
        than numbers that nobody refreshes.
        """
        _log.info("starting", version=VERSION, accounts=len(self.watch.views()))
        app = application(self._site, Authentication(lambda: self._web).middleware)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._memory.close)
            listening(await serve(stack, app, addresses, tls_context(lambda: self._web)))
            polling = asyncio.create_task(self.watch.run())
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, polling.cancel)
            loop.add_signal_handler(signal.SIGHUP, self._reloads.begin, None)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # one that arrived during the start comes now
            stack.callback(self._reloads.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await polling
            _log.info("stopping")
