"""What is seen of each situation, and what an hour costs, by all that are compared."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sms_credit_exporter.simulator.server import Simulator
from tests.comparison.home_assistant import OURS, THEIRS, Home, home, shown
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
        situations: Sequence[Situation],
        watched: Mapping[str, Sequence[Watched]],
        programs: tuple[JsonExporter | None, Exporter, Home, Home],
    ) -> None:
        """Take who watches which accounts."""
        self._situations, self._watched = situations, watched
        self.json_exporter, self.exporter, self.rest, self.integration = programs

    async def happen(self) -> Mapping[Situation, Seen]:
        """Have each account be in its situation; return what is seen once all have asked again."""
        arrived = self._arrived()
        for each in self._all():
            each.happen()
        rest, integration, _ = await asyncio.gather(
            self.rest.poll(), self.integration.poll(), self.exporter.polled(arrived)
        )
        return await self._seen(rest, integration)

    async def recover(self) -> Mapping[Situation, Seen]:
        """Have all be healthy again; return what is seen once all have asked again, however seldom they do."""
        arrived = self._arrived()
        for each in self._all():
            each.recover()
        rest, integration, _ = await asyncio.gather(
            self.rest.wait(), self.integration.wait(), self.exporter.polled(arrived)
        )
        return await self._seen(rest, integration)

    def _all(self) -> Sequence[Watched]:
        return [each for accounts in self._watched.values() for each in accounts]

    def _arrived(self) -> Mapping[str, int]:
        """Return how many polls of the exporter have been answered; one that has not been will meet what comes now."""
        return {each.name: len(each.account.requests) for each in self._watched["exporter"]}

    async def _seen(
        self, rest: Mapping[str, Mapping[str, str]], integration: Mapping[str, Mapping[str, str]]
    ) -> Mapping[Situation, Seen]:
        entries = await self.exporter.entries()
        return {
            situation: Seen(
                json_exporter=probed,
                exporter=await self.exporter.shown(mine),
                rest=shown(rest, mine),
                integration=shown(integration, mine),
                status=entries[mine.name]["status"],
                reason=entries[mine.name]["reason"] or "",
            )
            for situation, mine, probed in zip(
                self._situations, self._watched["exporter"], await self._probed(), strict=True
            )
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
        yield Compared(situations, watched, (other, mine, theirs, ours))


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
