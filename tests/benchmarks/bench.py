"""One run at one number of accounts: what its benchmarks share is started when the first of them wants it."""

import argparse
import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from sms_credit_exporter.shards import WHOLE, Shard
from tests.benchmarks import fleet, peers, processes
from tests.benchmarks.processes import Exporter, Server

FEW, MANY = 3, 10_000
"""The numbers of accounts that there are targets for."""

OURS = "exporter"
"""What it is called among its peers."""

GZIP = {"Accept-Encoding": "gzip"}

T = TypeVar("T")


@dataclass
class Bench:
    """What the benchmarks of a run share."""

    accounts: int
    poll_interval: float
    """Seconds."""
    options: argparse.Namespace
    folder: Path
    stack: AsyncExitStack
    _ready: dict[str, object] = field(default_factory=dict)
    _steady: float = 0.0
    """Unix time from which on accounts are polled as on every day."""

    @classmethod
    @asynccontextmanager
    async def opened(cls, accounts: int, poll_interval: float, options: argparse.Namespace) -> AsyncIterator["Bench"]:
        """Open a run; whatever it started ends with it."""
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
            yield cls(accounts, poll_interval, options, folder, stack)

    def limit(self, *, few: float | None = None, many: float | None = None) -> float | None:
        """Return the target at this number of accounts, if there is one."""
        return {FEW: few, MANY: many}.get(self.accounts)

    async def fleet(self) -> fleet.Fleet:
        """Return the simulated providers."""
        return await self._once("fleet", lambda: fleet.fleet(self.accounts, self.folder, self.poll_interval))

    async def exporter(self) -> Exporter:
        """Return an exporter with a past that polls as on every day; its first answer is complete."""
        return await self._once("exporter", self._exporter)

    @asynccontextmanager
    async def _exporter(self) -> AsyncIterator[Exporter]:
        async with self.restarted() as exporter:
            plain, packed = await self.texts(exporter)
            assert plain.count(b"\nsms_credit_up{") == self.accounts, "a scrape does not have every account"
            assert packed.count(b"\nsms_credit_up{") == self.accounts, "a compressed scrape does not have every account"
            await asyncio.sleep(self._steady - time.time())
            yield exporter

    @asynccontextmanager
    async def restarted(self, shard: Shard = WHOLE) -> AsyncIterator[Exporter]:
        """Run an exporter that goes on where another ended just now."""
        providers = await self.fleet()
        with TemporaryDirectory(dir=self.folder) as folder:
            storage = Path(folder, "storage.db")
            self._steady = await providers.storage(storage)
            options = (f"--storage.path={storage}", f"--shard={shard}")
            async with processes.exporter(providers.config, *options) as exporter:
                yield exporter

    async def texts(self, exporter: Exporter) -> tuple[bytes, bytes]:
        """Return a scrape, and one that came compressed."""
        plain = await asyncio.to_thread(processes.fetched, exporter)
        return plain, gzip.decompress(await asyncio.to_thread(lambda: processes.fetched(exporter, **GZIP)))

    async def peers(self) -> Mapping[str, Server | None]:
        """Return what the exporter is measured beside, with the same text."""
        text, _ = await self.texts(await self.exporter())
        return await self._once("peers", lambda: peers.peers(text, self.folder))

    async def _once(self, name: str, make: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        if name not in self._ready:
            self._ready[name] = await self.stack.enter_async_context(make())
        made: T = self._ready[name]  # type: ignore[assignment]  # what was made under this name
        return made
