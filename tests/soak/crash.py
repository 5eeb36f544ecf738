"""The crash drill: an exporter is killed at random moments, and what it has left is held against what providers told.

A third of the kills come at any moment of its life, its start included; a third when a provider is just being asked; a
third within some milliseconds of an answer, when what came of a poll is written down. The exporter is a process of its
own, with real sockets and a real disk. Its accounts are asked as often as is allowed.
"""

import asyncio
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import httpx

from sms_credit_core import PROVIDERS, Account, Instant, Limit
from sms_credit_exporter.config import load
from sms_credit_exporter.demo import reading_of
from sms_credit_exporter.simulator.behaviour import Act, Live
from sms_credit_exporter.simulator.server import Simulator
from sms_credit_exporter.storage import Storage

INTERVAL = 1.0
"""Seconds between two polls; no account on this machine may be asked more often."""

_UNSTEADY = 0.5
"""Seconds by which a request may come earlier after the one before: that one was on its way for longer."""

_LIFE = 4.0
"""Seconds within which a process is killed at any moment; it takes the first of them to start."""

_PATIENCE = 30.0

_WRITING = 0.02
"""Seconds after an answer in which it is written down, and a little more."""

_LOW = Decimal(10)


@dataclass(frozen=True)
class Told:
    """One answer."""

    at: float
    amount: Decimal

    @property
    def low(self) -> bool:
        """Whether it is below the limit."""
        return self.amount <= _LOW

    @property
    def blocked(self) -> bool:
        """Whether 23 Telecom says that nothing is sent any more."""
        return self.amount <= 0


class Watched:
    """One account: what was told of it, and what the exporter has kept of that."""

    def __init__(self, name: str, provider: str, amounts: tuple[str, str, str], asked: asyncio.Semaphore) -> None:
        """Take what it has, what it spends from answer to answer, and what is added once it is below -9.

        `asked` is released at each request.
        """
        self.name, self.provider = name, provider
        self._amount, self._step, self._top_up = (Decimal(amount) for amount in amounts)
        self._asked = asked
        self.told: list[Told] = []
        self.counted: list[Told] = []
        """The answers that the exporter knows of; a kill can cost it the last."""
        self.lost_at_a_change = 0
        """Answers that a kill has cost and that have changed whether the account is blocked."""
        self._lost = 0
        self._before: Account | None = None

    def act(self, _seconds: float) -> Act:
        """Tell what there is."""
        self.told.append(Told(time.monotonic(), self._amount))
        self._asked.release()
        live = Live(balance=self._amount)
        self._amount += self._top_up if self._amount < -9 else -self._step
        return live

    def take_stock(self, account: Account) -> int:
        """Hold what is left after a kill against what was told. Returns how many answers the kill has cost."""
        new = self.told[len(self.counted) + self._lost :]
        kept = account.polls - len(self.counted)
        assert 0 <= len(new) - kept <= 1, f"{self.name}: {len(new)} answers, and {kept} of them are known"
        self.counted += new[:kept]
        for lost in new[kept:]:
            self._lost += 1
            self.lost_at_a_change += not self.counted or lost.blocked != self.counted[-1].blocked
        self._compare(account)
        self._must_not_go_back(account)
        self._before = account
        return len(new) - kept

    def _compare(self, account: Account) -> None:
        amounts = [told.amount for told in self.counted]
        falls = [before - after for before, after in pairwise(amounts)]
        assert sum(account.failures.values()) == 0
        if not amounts:
            assert account.reading is None
            return
        assert account.reading
        assert account.ledger
        assert account.reading.balance == amounts[-1]
        assert account.ledger.spent == sum(fall for fall in falls if fall > 0)
        assert account.ledger.topped_up == -sum(fall for fall in falls if fall < 0)
        assert account.low == {Limit.BALANCE: self.counted[-1].low}

    def _must_not_go_back(self, account: Account) -> None:
        if self._before and self._before.ledger and account.ledger:
            assert account.polls >= self._before.polls
            assert account.ledger.spent >= self._before.ledger.spent
            assert account.ledger.topped_up >= self._before.ledger.topped_up

    def shortest_pause(self) -> float:
        """Return the least number of seconds between two requests, and see to it that there are not too many."""
        pauses = [later.at - told.at for told, later in pairwise(self.told)]
        assert len(pauses) * INTERVAL <= self.told[-1].at - self.told[0].at + _UNSTEADY
        assert min(pauses) > INTERVAL - _UNSTEADY
        return min(pauses)

    def changes(self) -> int:
        """Return how often the exporter had to say that the account is blocked, or is no longer."""
        blocked = [False, *(told.blocked for told in self.counted)]
        return sum(before != after for before, after in pairwise(blocked))


def _accounts(asked: asyncio.Semaphore) -> list[Watched]:
    """Return three accounts of 23 Telecom, two of which are blocked now and then, and one of each that has money."""
    at = Instant.now()
    with_money = [key for key in PROVIDERS if reading_of(PROVIDERS[key], Live(balance=Decimal(1)), at).balance == 1]
    return [
        Watched("swings", "23telecom", ("4", "3", "33"), asked),
        Watched("swings_fast", "23telecom", ("1", "11", "22"), asked),
        Watched("always_low", "23telecom", ("9", "0.01", "0"), asked),
        *(Watched(f"of_{key}", key, ("500", "0.07", "0"), asked) for key in with_money),
    ]


class Drill:
    """An installation whose exporter is killed again and again."""

    def __init__(self, folder: Path, base_urls: Mapping[str, str], simulator: Simulator, seed: int) -> None:
        """Open the accounts and write the configuration."""
        self.done: Counter[str] = Counter()
        self._folder, self._random = folder, Random(seed)  # noqa: S311 - nothing secret about it
        self._config, self._storage = folder / "config.yml", folder / "state.db"
        self._asked = asyncio.Semaphore(0)
        self.watched = _accounts(self._asked)
        self._lines: Counter[tuple[str, str]] = Counter()
        configured = [
            {
                "name": each.name,
                "provider": each.provider,
                "credentials": dict(simulator.add(each.provider, each.act).credentials),
                "base_url": base_urls[each.provider],
                "poll_interval": f"{INTERVAL:.0f}s",
                "low_balance": float(_LOW),
            }
            for each in self.watched
        ]
        self._config.write_text(json.dumps({"accounts": configured}))  # which is YAML

    async def kill(self) -> None:
        """Start the exporter, kill it, and look at what it has left."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sms_credit_exporter", "serve", "--log.format=json"),
            *(f"--config.file={self._config}", f"--storage.path={self._storage}", "--web.listen-address=127.0.0.1:0"),
            stderr=asyncio.subprocess.PIPE,
        )
        reading = asyncio.create_task(self._read(process))
        how = self._random.choice((self._at_any_moment, self._when_asked, self._when_written))
        try:
            await how()
        finally:
            process.kill()
            await process.wait()
        await reading
        await asyncio.sleep(_WRITING)  # what was on its way to a provider arrives there
        self.done[f"kills {how.__name__.strip('_').replace('_', ' ')}"] += 1
        for each, account in zip(self.watched, await self._left(), strict=True):
            self.done["answers that a kill has cost"] += each.take_stock(account)

    def conclude(self) -> Counter[str]:
        """Look at the whole drill."""
        for each in self.watched:
            said = sum(self._lines[event, each.name] for event in ("credit blocked", "credit no longer blocked"))
            assert said <= each.changes() + each.lost_at_a_change, f"{each.name}: an alarm was repeated"
            self.done["alarms"] += said
            self.done["alarms that were due"] += each.changes()
        pause = min(each.shortest_pause() for each in self.watched if len(each.told) > 1)
        self.done |= {
            "accounts": len(self.watched),
            "requests": sum(len(each.told) for each in self.watched),
            "polls that are known": sum(len(each.counted) for each in self.watched),
            "shortest pause, in ms": int(pause * 1000),
        }
        return self.done

    async def _at_any_moment(self) -> None:
        await asyncio.sleep(self._random.uniform(0, _LIFE))

    async def _when_asked(self) -> None:
        """Wait for one of the next requests."""
        while not self._asked.locked():
            await self._asked.acquire()
        async with asyncio.timeout(_PATIENCE):
            for _ in range(self._random.randint(1, 2 * len(self.watched))):
                await self._asked.acquire()

    async def _when_written(self) -> None:
        await self._when_asked()
        await asyncio.sleep(self._random.uniform(0, _WRITING))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Count the log's lines, and see to it that the first scrape knows what was left."""
        assert process.stderr
        while line := await process.stderr.readline():
            try:
                event = json.loads(line)
            except ValueError:
                assert not line.endswith(b"\n"), line  # the kill has cut it off
                continue
            assert event["level"] == "info", event
            self._lines[event["event"], event.get("account", "")] += 1
            if event["event"] == "listening":
                await self._scrape(event["url"])

    async def _scrape(self, url: str) -> None:
        """Look at the counters of a process that has just begun; it may be killed meanwhile."""
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                text = (await client.get(f"{url}/metrics")).text
        except httpx.HTTPError:
            return
        shown = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        for each in self.watched:
            polls = shown[f'sms_credit_polls_total{{account="{each.name}",provider="{each.provider}"}}']
            assert float(polls) >= len(each.counted), f"{each.name}: a counter went back"
            low = shown.get(f'sms_credit_low{{account="{each.name}",provider="{each.provider}",reason="balance"}}')
            assert low in {str(float(told.low)) for told in [*each.counted[-1:], *each.told[-1:]]} or not each.counted
        self.done["first scrapes"] += 1

    async def _left(self) -> list[Account]:
        """Return what another process would know; it is asked of a copy."""
        if not self._storage.exists():
            return [Account() for _ in self.watched]
        copy = self._folder / "copy.db"
        for suffix in ("", "-wal"):
            if (file := Path(f"{self._storage}{suffix}")).exists():
                shutil.copyfile(file, f"{copy}{suffix}")
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        storage = Storage(copy)
        known = storage.recall(load(self._config).accounts)
        await storage.close()
        return [known[each.name].account for each in self.watched]


async def drill(kills: int, seed: int) -> Counter[str]:
    """Kill an exporter so often. Raises AssertionError for whatever is lost, repeated or asked too often."""
    simulator = Simulator()
    async with simulator.serving() as base_urls:
        with tempfile.TemporaryDirectory() as folder:
            drilled = Drill(Path(folder), base_urls, simulator, seed)
            for _ in range(kills):
                await drilled.kill()
            return drilled.conclude()
