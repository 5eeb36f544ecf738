"""What is seen of each situation, and what an hour costs, by all that are compared."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sms_credit_exporter.simulator.server import Simulator
from tests.comparison.home_assistant import OURS, THEIRS, Home, State, home, shown
from tests.comparison.prometheus import Exporter, JsonExporter, exporter, json_exporter
from tests.comparison.situations import Situation, Watched, opened

SCRAPERS, EACH, POLL_INTERVAL = 3, 15.0, 300.0
"""How many Prometheus servers scrape, how often each does, and how often this project polls; seconds."""

FASTER = 15
"""An hour is measured in four minutes: everything that happens by the clock does so this much more often."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What all make of one account."""

    json_exporter: str
    """Empty if it is not installed."""
    exporter: str
    rest: str
    integration: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What an hour of three accounts takes."""

    calls: float
    """To the provider, for each account."""
    cpu: float
    """Seconds."""
    resident: float
    """MiB, at the end."""
    logged: str
    """The providers whose credentials stand in the log."""


class Compared:
    """All that watch the same situations, each with accounts of its own."""

    def __init__(
        self,
        watched: Mapping[str, Sequence[Watched]],
        programs: tuple[JsonExporter | None, Exporter, Home, Home],
    ) -> None:
        """Take who watches which accounts."""
        self._watched = watched
        self.json_exporter, self.exporter, self.rest, self.integration = programs

    async def happen(self) -> Mapping[Situation, Seen]:
        """Have each account be in its situation; return what is seen once all have asked again."""
        return await self._seen_after(Watched.happen, Home.poll)

    async def recover(self) -> Mapping[Situation, Seen]:
        """Have all be healthy again; return what is seen once all have asked again, however seldom they do."""
        return await self._seen_after(Watched.recover, Home.wait)

    async def _seen_after(
        self, change: Callable[[Watched], None], wait: Callable[[Home], Awaitable[Mapping[str, State]]]
    ) -> Mapping[Situation, Seen]:
        # Each request that has arrived is one poll of the exporter; one that arrives later meets what comes now.
        arrived = {each.name: len(each.account.requests) for each in self._watched["exporter"]}
        for accounts in self._watched.values():
            for each in accounts:
                change(each)
        rest, integration, _ = await asyncio.gather(
            wait(self.rest), wait(self.integration), self.exporter.polled(arrived)
        )
        entries = await self.exporter.entries()
        return {
            mine.situation: Seen(
                json_exporter=probed,
                exporter=await self.exporter.shown(mine),
                rest=shown(rest, mine),
                integration=shown(integration, mine),
                status=entries[mine.name]["status"],
                reason=entries[mine.name]["reason"] or "",
            )
            for mine, probed in zip(self._watched["exporter"], await self._probed(), strict=True)
        }

    async def _probed(self) -> Sequence[str]:
        watched = self._watched["json_exporter"]
        if self.json_exporter is None:
            return [""] * len(watched)
        return await asyncio.gather(*(self.json_exporter.probe(each) for each in watched))


@asynccontextmanager
async def compared(
    situations: Sequence[Situation], binary: str | None, python: str, folder: Path
) -> AsyncIterator[Compared]:
    """Start all, with healthy accounts that each has asked for once."""
    simulator = Simulator()
    async with simulator.serving() as base_urls, AsyncExitStack() as stack:
        names = ("json_exporter", "exporter", THEIRS, OURS)
        watched = {name: opened(situations, simulator, base_urls) for name in names}
        theirs, ours = await asyncio.gather(
            *(stack.enter_async_context(home(python, name, watched[name], folder)) for name in (THEIRS, OURS))
        )
        other = (
            await stack.enter_async_context(json_exporter(binary, watched["json_exporter"], folder)) if binary else None
        )
        mine = await stack.enter_async_context(exporter(watched["exporter"], folder, poll_interval="1s"))
        await mine.polled(dict.fromkeys((each.name for each in watched["exporter"]), 0))
        yield Compared(watched, (other, mine, theirs, ours))


async def costs(
    situations: Sequence[Situation], binary: str | None, folder: Path, seconds: float
) -> Mapping[str, Cost]:
    """Return what an hour costs, from so many seconds in which everything goes by faster."""
    simulator = Simulator()
    async with simulator.serving() as base_urls, AsyncExitStack() as stack:
        mine = opened(situations, simulator, base_urls)
        interval = f"{POLL_INTERVAL / FASTER:g}s"
        programs: dict[str, tuple[JsonExporter | Exporter, Sequence[Watched]]] = {
            "sms-credit-exporter": (
                await stack.enter_async_context(exporter(mine, folder, poll_interval=interval)),
                mine,
            )
        }
        if binary:
            others = opened(situations, simulator, base_urls)
            program = await stack.enter_async_context(json_exporter(binary, others, folder))
            programs["json_exporter"] = (program, others)
        found = await asyncio.gather(*(_cost(program, watched, seconds) for program, watched in programs.values()))
        return dict(zip(programs, found, strict=True))


async def _cost(program: JsonExporter | Exporter, watched: Sequence[Watched], seconds: float) -> Cost:
    await program.scrape(watched)  # once for what only the first one does
    asked, cpu = _requests(watched), program.cpu
    await asyncio.gather(*(_scrape(program, watched, seconds) for _ in range(SCRAPERS)))
    hour = 3600 / (seconds * FASTER)
    return Cost(
        calls=(_requests(watched) - asked) / len(watched) * hour,
        cpu=(program.cpu - cpu) * hour,
        resident=program.resident,
        logged=program.logged(watched),
    )


async def _scrape(program: JsonExporter | Exporter, watched: Sequence[Watched], seconds: float) -> None:
    """Scrape as one Prometheus does."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(round(seconds * FASTER / EACH)):
        await asyncio.sleep(begun + number * EACH / FASTER - loop.time())
        await program.scrape(watched)
    await asyncio.sleep(begun + seconds - loop.time())


def _requests(watched: Sequence[Watched]) -> int:
    return sum(len(each.account.requests) for each in watched)
