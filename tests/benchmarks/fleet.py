"""Simulated providers with many accounts, in a process of their own, and the files of an exporter that polls them.

The accounts are spread over all providers. Each has spent for three days and goes on, so that every poll brings another
balance. The process takes one command a line on standard input, and answers each with a line of JSON.
"""

import asyncio
import itertools
import json
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sms_credit_core import PROVIDERS, Account, Instant, Owner, Secret, remembered
from sms_credit_exporter.demo import reading_of
from sms_credit_exporter.durations import duration_text
from sms_credit_exporter.simulator.behaviour import Behaviour, Live
from sms_credit_exporter.simulator.scenarios import SCENARIOS
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator
from sms_credit_exporter.storage import Storage
from sms_credit_exporter.trend import Trend
from tests.benchmarks.processes import started

PAST, STEP = 3 * 86400, 300
"""Seconds that each account looks back on, and between two readings in them."""

_SLOWER = 100
"""How many times slower the scenarios go than in the demo, where most are over in a minute."""

_START, _START_OF_ONE = 5.0, 0.006
"""Seconds that an exporter has for its start until the first account is due, and more of them for each account."""


@dataclass(frozen=True)
class Fleet:
    """The simulated providers, as a benchmark sees them."""

    process: asyncio.subprocess.Process
    config: Path
    """The exporter's configuration file."""

    async def storage(self, path: Path) -> float:
        """Write what an exporter remembers that ended just now: each account was polled within the last interval.

        Return the moment in Unix seconds from which on accounts are due one after the other, at an even pace.
        """
        answer = await self._do("storage", path=str(path))
        return float(answer["steady"])

    async def polls(self, since: float) -> "Polls":
        """Return what the providers have seen since a moment in Unix seconds, at which an exporter listened."""
        return Polls(**await self._do("polls", since=since))

    async def _do(self, command: str, **arguments: object) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"command": command, **arguments}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return answer


@dataclass(frozen=True)
class Polls:
    """What the providers have seen."""

    count: int
    late: Sequence[float]
    """Seconds between the moment at which an account's first poll after the restart was due, and that poll.

    Only of accounts that were due after the start; the moment is certain, for what was remembered fixed it.
    """


@asynccontextmanager
async def fleet(accounts: int, folder: Path, poll_interval: float) -> AsyncIterator[Fleet]:
    """Run the providers with so many accounts, polled every so many seconds."""
    config = folder / "config.yml"
    arguments = (f"{config}", f"{accounts}", f"{poll_interval}")
    async with started(sys.executable, "-m", "tests.benchmarks.fleet", *arguments, limit=2**26) as process:
        assert process.stdout
        assert await process.stdout.readline(), "the providers have ended"
        yield Fleet(process, config)


@dataclass
class _Member:
    """One account."""

    index: int
    account: SimulatedAccount
    base_url: str
    due: float = 0.0
    """Unix time of the first poll after the restart."""

    @property
    def name(self) -> str:
        return f"account-{self.index}"

    @property
    def owner(self) -> Owner:
        credentials = {name: Secret(value) for name, value in self.account.credentials.items()}
        return Owner(provider=self.account.provider, base_url=self.base_url, credentials=credentials)

    def configured(self) -> str:
        """Return the account as it stands in the configuration."""
        credentials = "".join(
            f"\n      {name}: {json.dumps(value)}" for name, value in self.account.credentials.items()
        )
        return (
            f"  - name: {self.name}\n    provider: {self.account.provider}\n"
            f"    base_url: {self.base_url}\n    credentials:{credentials}\n"
        )


_Command = Callable[..., Awaitable[Mapping[str, object]]]


class _Members:
    """All accounts, and the commands about them."""

    def __init__(self, simulator: Simulator, base_urls: Mapping[str, str], accounts: int, interval: float) -> None:
        self._interval = interval
        self._gap = interval / accounts
        self._pasts = {provider: _past(provider, Instant.now(), interval) for provider in PROVIDERS}
        self._members = [
            _Member(index, simulator.add(provider, _behaviour(provider)), base_urls[provider])
            for index, provider in zip(range(accounts), itertools.cycle(PROVIDERS), strict=False)
        ]

    def write(self, config: Path) -> None:
        """Write the configuration."""
        head = f"poll_interval: {duration_text(self._interval)}\naccounts:\n"
        config.write_text(head + "".join(member.configured() for member in self._members))

    async def storage(self, path: str) -> Mapping[str, object]:
        """Write what an exporter remembers."""
        await Storage(Path(path)).close()  # makes the table
        now = Instant.now()
        steady = now.unix + min(self._interval / 2, _START + _START_OF_ONE * len(self._members))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executemany(
                "INSERT INTO accounts (name, state, trend, written) VALUES (?, ?, ?, ?)",
                (self._row(member, *self._pasts[member.account.provider], now, steady) for member in self._members),
            )
        return {"steady": steady}

    def _row(
        self, member: _Member, account: Account, trend: Trend, now: Instant, steady: float
    ) -> tuple[str, str, bytes, float]:
        member.due = now.unix + (steady - now.unix + member.index * self._gap) % self._interval
        polled = Instant.recorded(member.due - self._interval, now)
        account = replace(account, asked_at=polled, polled_at=polled, read_at=polled)
        return member.name, remembered(account, member.owner), trend.packed(member.owner), now.unix

    async def polls(self, since: float) -> Mapping[str, object]:
        """Return what was asked since an exporter listened."""
        now = time.time()
        asked = [[each.at for each in member.account.requests if each.at >= since] for member in self._members]
        late = [
            (times[0] if times else now) - member.due
            for member, times in zip(self._members, asked, strict=True)
            if since + member.index * self._gap < member.due < now
        ]
        return {"count": sum(map(len, asked)), "late": late}


def _behaviour(provider: str) -> Behaviour:
    return SCENARIOS[provider]["steady"]


def _past(provider: str, now: Instant, interval: float) -> tuple[Account, Trend]:
    """Return what is known of an account of this provider that was read until an interval ago."""
    account, trend = Account(), Trend()
    for ago in range(PAST, 0, -STEP):
        at = Instant(now.unix - interval - ago, now.monotonic - interval - ago)
        act = _behaviour(provider)(-ago / _SLOWER)
        assert isinstance(act, Live)
        account = account.after(reading_of(PROVIDERS[provider], act, at), at, 0.05)
        trend = trend.after(account.ledger)
    return account, trend


async def main(config: str, accounts: str, interval: str) -> None:
    """Serve the providers, and do what standard input says, until it ends."""
    simulator = Simulator(clock=lambda: time.monotonic() / _SLOWER)
    async with simulator.serving() as base_urls:
        members = _Members(simulator, base_urls, int(accounts), float(interval))
        members.write(Path(config))
        print("{}", flush=True)
        commands: Mapping[str, _Command] = {"storage": members.storage, "polls": members.polls}
        lines = asyncio.StreamReader()
        reading = asyncio.StreamReaderProtocol(lines)
        await asyncio.get_running_loop().connect_read_pipe(lambda: reading, sys.stdin)
        while line := await lines.readline():
            arguments = json.loads(line)
            print(json.dumps(await commands[arguments.pop("command")](**arguments)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
