"""One Home Assistant that tells what its accounts cost it; tests/benchmarks/home_assistant.py starts it.

It is Home Assistant's own core with its registries, its storage and its recorder, in a folder of its own. It does one
thing for each word on standard input, and writes one line of JSON on standard output when that is done:

    set_up  sets up what `plan.json` in the folder names
    poll    lets time pass until all accounts have been polled once
    wait    the same after an hour and a half, by when also those are asked again that polls had failed for
    count   polls, with the states counted that are written meanwhile
    tell    tells the state of each entity
    hold    tells the memory that it holds

Time passes as fast as wanted because the clock is set ahead that timers and ages go by, and the event loop with it. So
all timers go off as in life, and no connection is kept from one poll to the next.
"""

import time

_steady = time.monotonic
_ahead = 0.0
time.monotonic = lambda: _steady() + _ahead

import asyncio  # noqa: E402 - everything that reads a clock comes after it was replaced
import gc  # noqa: E402
import json  # noqa: E402
import logging  # noqa: E402
import re  # noqa: E402
import sqlite3  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from homeassistant import bootstrap, config_entries, loader  # noqa: E402
from homeassistant.components.recorder import get_instance  # noqa: E402
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED  # noqa: E402
from homeassistant.core import Event, HomeAssistant, callback  # noqa: E402
from homeassistant.helpers.recorder import async_initialize_recorder  # noqa: E402
from homeassistant.helpers.storage import Store  # noqa: E402
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator  # noqa: E402
from homeassistant.setup import async_setup_component  # noqa: E402

INTERVAL = 300.0
"""Seconds between two polls."""

_LONG = 5400.0
"""Seconds after which every account is due, whatever became of its last poll."""

_TOLD = ("reason", "unit_of_measurement")
"""Attributes that are told beside a state."""

_EARLY = 1.2
"""Seconds of the interval that pass at their own pace: coordinators spread their polls over some of them."""


class Measured:
    """A Home Assistant, and what it has done."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, in which the plan stands."""
        self._folder = folder
        self._plan = json.loads((folder / "plan.json").read_text())
        logging.basicConfig(level=self._plan["log_level"])
        self._polls = self._saves = 0
        self._polled = asyncio.Event()
        self._hass = HomeAssistant(str(folder))

    async def begin(self) -> None:
        """Bring Home Assistant to where it sets up integrations."""
        hass = self._hass
        loader.async_setup(hass)
        hass.config.skip_pip = True
        hass.config_entries = config_entries.ConfigEntries(hass, {})
        await loader.async_get_custom_components(hass)
        await bootstrap.async_load_base_functionality(hass)
        async_initialize_recorder(hass)
        for domain in (*sorted(bootstrap.CORE_INTEGRATIONS), "network", "recorder", *self._plan["platforms"]):
            assert await async_setup_component(hass, domain, {"recorder": {"commit_interval": 1}}), domain
        self._count_polls()
        self._count_saves()
        await hass.async_block_till_done()

    def _count_polls(self) -> None:
        refresh = DataUpdateCoordinator._async_refresh  # noqa: SLF001 - every poll comes through here

        async def counted(coordinator: DataUpdateCoordinator[Any], *args: object, **kwargs: object) -> None:
            await refresh(coordinator, *args, **kwargs)
            self._polls += 1
            self._polled.set()

        DataUpdateCoordinator._async_refresh = counted  # noqa: SLF001 - likewise

    def _count_saves(self) -> None:
        write = Store._async_write_data  # noqa: SLF001 - every file comes through here

        async def counted(store: Store[Any], data: dict[str, Any]) -> None:
            self._saves += store.key.startswith(self._plan["domain"])
            await write(store, data)

        Store._async_write_data = counted  # noqa: SLF001 - likewise

    async def set_up(self) -> dict[str, Any]:
        """Set up the integration with all its accounts, as Home Assistant's start does, and start."""
        spent = _Spent()
        if self._plan["domain"]:
            assert await async_setup_component(self._hass, self._plan["domain"], self._plan["config"])
        await self._hass.async_block_till_done()
        result = spent.until_now()
        await self._hass.async_start()
        await self._wait_for_polls(self._plan["accounts"])
        return result | {"entities": len(self._hass.states.async_all())}

    async def poll(self) -> dict[str, Any]:
        """Let the next polls come, and all that follows from them."""
        return await self._after(INTERVAL)

    async def wait(self) -> dict[str, Any]:
        """Let so much time pass that whoever is asked seldom is polled too."""
        return await self._after(_LONG)

    async def _after(self, seconds: float) -> dict[str, Any]:
        global _ahead  # noqa: PLW0603 - there is one clock
        saves, until = self._saves, self._polls + self._plan["accounts"]
        spent = _Spent()
        _ahead += seconds - _EARLY
        await self._wait_for_polls(until)
        return spent.until_now() | {"saves": self._saves - saves}

    async def _wait_for_polls(self, until: int) -> None:
        """Wait until so many polls have been made; without accounts, for about as long as polls would take."""
        if not self._plan["accounts"]:
            await asyncio.sleep(_EARLY)
        while self._polls < until:
            self._polled.clear()
            await self._polled.wait()
        await self._hass.async_block_till_done()

    async def count(self) -> dict[str, Any]:
        """Poll, and tell which states are written anew, which as they were, and how often something is stored."""
        written: dict[str, list[str]] = {EVENT_STATE_CHANGED: [], EVENT_STATE_REPORTED: []}

        @callback
        def note(event: Event[Any]) -> None:
            written[event.event_type].append(event.data["entity_id"])

        @callback
        def is_wanted(_data: object) -> bool:
            return True

        stop = [self._hass.bus.async_listen(kind, note, event_filter=is_wanted) for kind in written]
        rows = await self._rows()
        saves = (await self.poll())["saves"]
        for each in stop:
            each()
        changed, reported = (sorted(entity_ids) for entity_ids in written.values())
        return {"changed": changed, "reported": reported, "rows": await self._rows() - rows, "saves": saves}

    async def _rows(self) -> int:
        """Return how many states the recorder has written into its database."""
        instance = get_instance(self._hass)
        await self._hass.async_add_executor_job(instance.block_till_done)  # until it has taken in all that was said
        await instance.async_block_till_done()  # and has written it

        def read() -> int:
            with sqlite3.connect(self._folder / "home-assistant_v2.db") as database:
                (number,) = database.execute("SELECT COUNT(*) FROM states").fetchone()
            return number

        return await self._hass.async_add_executor_job(read)

    async def tell(self) -> dict[str, Any]:
        """Return what each entity shows."""
        return {
            each.entity_id: {"state": each.state, **{name: each.attributes.get(name) for name in _TOLD}}
            for each in self._hass.states.async_all()
        }

    async def hold(self) -> dict[str, Any]:
        """Return the memory that is this process's own, in KiB."""
        gc.collect()
        rollup = Path("/proc/self/smaps_rollup").read_text()  # noqa: ASYNC240 - the kernel does not keep it waiting
        (held,) = re.findall(r"^Anonymous: +(\d+) kB", rollup, re.MULTILINE)
        return {"held": int(held)}

    async def end(self) -> None:
        """Stop Home Assistant."""
        await self._hass.async_stop(force=True)


class _Spent:
    """Time spent since it was made, in seconds."""

    def __init__(self) -> None:
        self._since = self._now()

    def _now(self) -> tuple[float, ...]:
        return time.perf_counter(), time.thread_time(), time.process_time()

    def until_now(self) -> dict[str, float]:
        """Return it by the clock, in the thread of the event loop, and in all threads."""
        spent = (now - then for now, then in zip(self._now(), self._since, strict=True))
        return dict(zip(("wall", "loop", "process"), spent, strict=True))


async def main(folder: Path) -> None:
    """Do what is said until nothing more is."""
    measured = Measured(folder)
    await measured.begin()
    print(json.dumps({}), flush=True)  # noqa: T201 - it is how it tells
    while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
        result = await {
            "set_up": measured.set_up,
            "poll": measured.poll,
            "wait": measured.wait,
            "count": measured.count,
            "tell": measured.tell,
            "hold": measured.hold,
        }[word]()
        print(json.dumps(result), flush=True)  # noqa: T201 - likewise
    await measured.end()


asyncio.run(main(Path(sys.argv[1])))
