"""The whole exporter on a clock that runs ahead, for days: watched, disturbed, and held against the world's books."""

import asyncio
import gc
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import structlog
from aiohttp import web_app

from sms_credit_exporter.config import load
from sms_credit_exporter.exporter import Exporter
from sms_credit_exporter.simulator.server import Simulator
from sms_credit_exporter.storage import Storage
from sms_credit_exporter.web import Address

from .clock import Clock, SoakLoop
from .figures import Course
from .world import INTERVALS, STALE_AFTER, Customer, World

STEP = 600.0
"""Seconds between two looks at the exporter."""

_STEPS = 144
"""Of a day."""

_RELOADS, _RESTARTS, _KILLS = 4, 1, 1
"""A day, each at a random step."""

_AWAY = 1800.0
"""Seconds that the exporter does not run after a stop or a kill, on average."""

_MOMENT = 0.01
"""Seconds."""

_SAMPLE = re.compile(r'(sms_credit_\w+)\{account="(\w+)"(?:[^}]*,(?:reason|status)="(\w+)")?[^}]*\} (\S+)')


@dataclass(frozen=True)
class Sizes:
    """What may grow over time, at the end of a day."""

    resident: float
    """MiB of the whole process: exporter, simulated providers and books."""
    blocks: int
    """Pieces of memory that Python has given out, once garbage is collected."""
    descriptors: int
    tasks: int
    threads: int
    state: int
    """Bytes of the state file."""
    exposition: int
    """Bytes of a scrape."""


@dataclass
class Report:
    """What came of a soak."""

    days: list[Sizes] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    """How often each thing was done or compared."""

    def of(self, size: str) -> Sequence[float]:
        """Return a size, day by day."""
        return [getattr(day, size) for day in self.days]

    @property
    def courses(self) -> Mapping[str, Course]:
        """How each size went on."""
        return {each.name: Course.of(self.of(each.name)) for each in fields(Sizes)} if self.days else {}

    @property
    def flat(self) -> bool:
        """Whether nothing grows."""
        return all(course.flat for course in self.courses.values())


class Soak:
    """An exporter that is started, stopped, killed and reloaded, and is looked at in between."""

    def __init__(self, world: World, base_urls: Mapping[str, str], folder: Path, seed: int) -> None:
        """Take the world, and a folder for all that the exporter has on disk."""
        self.on_day: Callable[[Sizes], None] = lambda _: None
        self.report = Report()
        self._world, self._base_urls, self._folder = world, base_urls, folder
        self._clock = world.clock
        self._random = Random(seed)  # noqa: S311 - nothing secret about it
        self._config = folder / "config.yml"
        self._storage = folder / "state.db"
        self._allowed = 0.0
        """Polls that the intervals allow while the exporter runs."""
        self._lives = 0
        self._run: asyncio.Task[None] | None = None
        self.logged: Counter[tuple[str, str]] = Counter()
        """Lines of the log, by event and account."""

    async def last(self, days: float) -> Report:
        """Let days pass."""
        transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))
        async with httpx.AsyncClient(transport=transport) as self._http:
            await self._start()
            begun, plan = self._clock.now, self._planned()
            for step in range(int(days * _STEPS)):
                await asyncio.sleep(STEP)
                self._allowed += sum(STEP / each.interval for each in self._world.customers if each.configured)
                await self._look()
                if what := plan.get(step % _STEPS):
                    self.report.done[f"{what.__name__.strip('_')}s"] += 1
                    await what()
                if (step + 1) % _STEPS == 0:
                    plan = self._planned()
                    await self._measure()
            self.report.done["hours that have passed"] = int((self._clock.now - begun) / 3600)
            await self._stop()
        self._conclude()
        return self.report

    def _conclude(self) -> None:
        """Hold the log against the books, and sum up."""
        customers = self._world.customers
        for each in customers:
            if (told := self.logged["status changed", each.name]) != each.changes:
                each.wrong(f"changed {each.changes} times and has {told} lines in the log")
        self._world.judge()
        self.report.done |= {
            "accounts": len(customers),
            "providers": len({each.provider for each in customers}),
            "polls": sum(each.polls for each in customers),
            "polls that the intervals allow": int(self._allowed),
            "calls, with retries": sum(each.calls for each in customers),
            "faults met": self._world.faults_met.total(),
            "different faults met": len(self._world.faults_met),
            "changes of status, one line each": sum(each.changes for each in customers),
            "waits for an open connection": self._clock.stalls,
        }

    async def _start(self) -> None:
        self._configure()
        exporter = Exporter(partial(load, self._config), memory=lambda: Storage(self._storage))
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._exporter = exporter
        self._run = asyncio.create_task(
            exporter.run([Address("127.0.0.1", 0)], lambda urls: listening.set_result(urls[0]))
        )
        self._url = await listening
        await self._look_at_once()

    async def _stop(self) -> None:
        assert self._run
        os.kill(os.getpid(), signal.SIGTERM)
        await self._run
        self._ended()

    async def _end_at_once(self) -> None:
        """Leave on disk what is there at this moment, and nothing that the exporter does from now on."""
        assert self._run
        self._lives += 1
        left = self._folder / f"state-{self._lives}.db"
        for suffix in ("", "-wal"):
            if (file := Path(f"{self._storage}{suffix}")).exists():
                shutil.copyfile(file, f"{left}{suffix}")
        self._run.cancel()
        await asyncio.wait({self._run})
        self._storage.unlink()
        self._storage = left
        self._ended()

    def _ended(self) -> None:
        for customer in self._world.customers:
            customer.abandon()
        del self._exporter
        self._run = None
        # What is left of this life would be gone with its process.
        web_app._cached_build_middleware.cache_clear()  # noqa: SLF001 - it keeps the last thousand applications
        gc.unfreeze()
        gc.collect()

    def _configure(self) -> None:
        accounts = [each.configuration(self._base_urls) for each in self._world.customers if each.configured]
        content = {"stale_after": f"{STALE_AFTER:.0f}s", "accounts": accounts}
        self._config.write_text(json.dumps(content))  # which is YAML

    async def _look_at_once(self) -> None:
        """Look as soon as the polls are over that are due at this moment."""
        self._world.online_since = self._clock.now
        await asyncio.sleep(_MOMENT)
        await self._look()

    async def _look(self) -> None:
        """Scrape, and hold every number against the books."""
        assert self._run
        if self._run.done():
            self._run.result()
        text = await self._scrape()
        shown: dict[str, dict[tuple[str, str], float]] = {}
        for metric, account, row, value in _SAMPLE.findall(text):
            shown.setdefault(account, {})[metric, row] = float(value)
        configured = {each.name: each for each in self._world.customers if each.configured}
        assert shown.keys() == configured.keys()
        for name, customer in configured.items():
            self.report.done["values compared"] += customer.check(shown[name])
        self.report.done["scrapes"] += 1
        self._world.judge()
        self._world.forget_requests()

    async def _scrape(self) -> str:
        return (await self._http.get(f"{self._url}/metrics")).raise_for_status().text

    def _planned(self) -> Mapping[int, Callable[[], Coroutine[Any, Any, None]]]:
        """Return what happens on a day, each at its step."""
        what = [*[self._reload] * _RELOADS, *[self._restart] * _RESTARTS, *[self._kill] * _KILLS]
        return dict(zip(self._random.sample(range(_STEPS), len(what)), what, strict=True))

    async def _reload(self) -> None:
        """Change some accounts in each of the ways in which a configuration changes.

        Those that were taken out come back, so that there are about as many on each day.
        """
        for customer in self._world.customers:
            if not customer.configured:
                _put_back(customer)
        for change in _CHANGES:
            for customer in self._random.sample(self._world.customers, max(1, len(self._world.customers) // 40)):
                change(customer, self._random)
        self._configure()
        assert await self._exporter.reload() is None
        await self._look_at_once()

    async def _restart(self) -> None:
        await self._stop()
        await self._be_away()

    async def _kill(self) -> None:
        await self._end_at_once()
        await self._be_away()

    async def _be_away(self) -> None:
        await asyncio.sleep(self._random.expovariate(1 / _AWAY))
        await self._start()

    async def _measure(self) -> None:
        exposition = len(await self._scrape())
        gc.collect()
        sizes = Sizes(
            resident=_resident(),
            blocks=sys.getallocatedblocks(),
            descriptors=_descriptors(),
            tasks=len(asyncio.all_tasks()),
            threads=threading.active_count(),
            state=self._storage.stat().st_size,
            exposition=exposition,
        )
        self.report.days.append(sizes)
        self.on_day(sizes)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _other_interval(customer: Customer, random: Random) -> None:
    customer.settle()
    customer.interval = random.choice(INTERVALS)


def _other_labels(customer: Customer, random: Random) -> None:
    customer.team = random.choice("abc")


def _other_key(customer: Customer, _random: Random) -> None:
    customer.open_anew()


def _taken_out(customer: Customer, _random: Random) -> None:
    customer.abandon()
    customer.configured = False


def _put_back(customer: Customer) -> None:
    customer.abandon()
    customer.configured = True


_CHANGES = (_other_interval, _other_labels, _other_key, _taken_out)


@contextmanager
def _log_counted(into: Counter[tuple[str, str]]) -> Iterator[None]:
    """Count the lines of the log, and write none."""

    def count(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        into[event["event"], event.get("account", "")] += 1
        raise structlog.DropEvent

    structlog.configure(processors=[count], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.reset_defaults()


def soak(
    days: float, accounts: int, seed: int, folder: Path, on_day: Callable[[Sizes], None] = lambda _: None
) -> Report:
    """Let days pass over an exporter of so many accounts, and tell of each day at its end.

    Raises a group of WrongError for whatever the exporter does wrong.
    """
    clock = Clock()

    async def run() -> Report:
        simulator = Simulator(clock=clock.monotonic, unix_time=clock.time)
        async with simulator.serving() as base_urls:
            being_soaked = Soak(World(clock, simulator, accounts, seed), base_urls, folder, seed)
            being_soaked.on_day = on_day
            with _log_counted(being_soaked.logged):
                return await being_soaked.last(days)

    with clock.shown(), asyncio.Runner(loop_factory=lambda: SoakLoop(clock)) as runner:
        return runner.run(run())
