"""The exporter as a whole: polls in the background, serves what is known, reloads, and ends."""

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import structlog

from .accounts import Config
from .advice import Links
from .config import ConfigError
from .config.web import WebConfig
from .durations import duration_text
from .exposition import Exposition
from .listing import Listings
from .loading import Loader
from .metrics import ExporterCollector, registry
from .prefix import Prefix
from .protection import Authentication, needs_restart, rate_limiter, tls_context
from .sharing import Shared, in_thread
from .storage import Memory
from .watch import Watch
from .web import Place, Site, application, serve

VERSION = version("sms-credit-exporter")

_SETTLED_SECONDS = 1.0
"""Files that still hold the same after so long are not just being written."""

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
        auto_reload: float | None = None,
        lifecycle: bool = False,
        max_requests: int = 0,
        prefix: Prefix | None = None,
        links: Links | None = None,
        demo: bool = False,
    ) -> None:
        """Load the configuration; `load` is called again at each reload. Raises ConfigError and StorageMistake.

        `memory` opens what everything is kept in over restarts. `refresh` is the number of seconds after which an open
        status page fetches itself again; `auto_reload` that after which configuration files are looked at for changes,
        None for never. `lifecycle` lets requests reload; `max_requests` are answered at once, 0 for no limit. `prefix`
        is where a reverse proxy puts us; `links` are where the page leads to.
        """
        self._load = Loader(load, load_web)
        self._reloads = Shared(self._reload)
        self._auto_reload = auto_reload
        loaded = self._load()
        if isinstance(loaded.outcome, ConfigError):
            raise loaded.outcome
        config, self._web = loaded.outcome
        self._files = loaded.files
        self._memory = memory()
        self._own = ExporterCollector(VERSION, lambda: self._memory.healthy)
        self._own.reload_success_unix, self._own.config = time.time(), config
        self._exposition = Exposition(registry(self._own))
        self.watch = Watch(config, self._memory, self._exposition.show)
        self._memory.keep(config.names)
        self._site = Site(
            exposition=self._exposition,
            views=self.watch.views,
            ready=lambda: self.watch.ready,
            reload=self.reload if lifecycle else None,
            version=VERSION,
            refresh=refresh,
            prefix=prefix or Prefix(),
            headers=lambda: self._web.headers,
            max_requests=max_requests,
            demo=demo,
            listings=Listings(self._memory.trend, links),
        )

    async def reload(self) -> str | None:
        """Take over what is now in the configuration files, or keep the old and return what is wrong."""
        return await self._reloads(None)

    async def _reload(self, _: None) -> str | None:
        loaded = await in_thread(self._load)
        self._files = loaded.files
        if isinstance(loaded.outcome, ConfigError):
            self._own.reload_successful = False
            _log_mistakes(loaded.outcome)
            return str(loaded.outcome)
        config, web = loaded.outcome
        if needs_restart(self._web, web):
            _log.warning("changes to TLS other than of its certificate need a restart")
        self._web = web
        plan = await in_thread(lambda: self.watch.planned(config))
        if plan.config != self._own.config:
            self.watch.take_over(plan)
            await self._exposition.follow(self.watch.each())
        await in_thread(lambda: self._memory.keep(config.names))
        self._own.reload_successful, self._own.reload_success_unix = True, time.time()
        self._own.config = plan.config
        _log.info("configuration reloaded", accounts=len(config.accounts))
        return None

    async def _follow_files(self, interval: float) -> None:
        """Reload whenever a file of the last reload holds something else, or loading reads other files.

        Looking is loading without taking over, so that whatever loading reads counts.
        """
        _log.info("configuration files are followed", interval=duration_text(interval))
        while True:
            await asyncio.sleep(interval)
            seen = await self._look()
            if seen == self._files:
                _log.debug("configuration files have not changed")
                continue
            await asyncio.sleep(_SETTLED_SECONDS)
            if await self._look() != seen:
                _log.debug("configuration files are changing")
            elif seen != self._files:  # by now somebody may have had them taken over
                await self.reload()

    async def _look(self) -> Mapping[Path, bytes]:
        return (await in_thread(self._load)).files

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.watch.run())
            if self._auto_reload is not None:
                tasks.create_task(self._follow_files(self._auto_reload))

    async def run(
        self, places: Sequence[Place], listening: Callable[[Sequence[str]], None] = lambda _urls: None
    ) -> None:
        """Serve and poll until SIGTERM or SIGINT; SIGHUP reloads. Once it listens, `listening` is told where.

        Raises OSError if an address cannot be listened on, and whatever ends a polling task: better no numbers
        than numbers that nobody refreshes.
        """
        _log.info("starting", version=VERSION, accounts=len(self._own.config.accounts))
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._memory.close)
            await self._exposition.follow(self.watch.each())
            gc.freeze()  # what there is by now stays; with 10,000 accounts it takes 150 ms to look for garbage in it
            running = asyncio.create_task(self._serve_and_poll(stack, places, listening))
            self._end_on_signals(running)  # before it listens: from then on others take it for running
            with contextlib.suppress(asyncio.CancelledError):
                await running
            _log.info("stopping")

    def _end_on_signals(self, running: asyncio.Task[None]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # one of the start comes now

    async def _serve_and_poll(
        self, stack: contextlib.AsyncExitStack, places: Sequence[Place], listening: Callable[[Sequence[str]], None]
    ) -> None:
        authentication = Authentication(lambda: self._web, self._site.prefix)
        app = application(self._site, rate_limiter(lambda: self._web), authentication.middleware)
        listening(await serve(stack, app, places, tls_context(lambda: self._web)))
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reloads.begin, None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        stack.callback(self._reloads.cancel)
        await self._work()


def _log_mistakes(error: ConfigError) -> None:
    for mistake in error.mistakes[:_MOST_LOGGED]:
        where = {"file": str(mistake.file), "path": mistake.path, "line": mistake.line}
        _log.error("configuration not reloaded", **where, mistake=mistake.text)
    if len(error.mistakes) > _MOST_LOGGED:
        _log.error("configuration has more mistakes", mistakes=len(error.mistakes) - _MOST_LOGGED)
