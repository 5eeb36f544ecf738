"""What accounts cost a Home Assistant, beside its own `rest` integration that asks for the same.

Each measured Home Assistant is a process of its own (tests/ha/measured.py). The simulated provider, in this process,
answers all of them. Those that are compared take turns, poll by poll.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from sms_credit_core import PROVIDERS, Account, Instant, Owner, Quality, Reading, Secret, remembered
from sms_credit_exporter.simulator.behaviour import Live
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator

CHECKOUT = Path(__file__).parents[2]
PYTHON = CHECKOUT / ".tools" / "ha-2026.11" / "bin" / "python"

PROVIDER = PROVIDERS["iletimerkezi"]

DAYS = 14
"""Of history that each account has from the start: what it takes to remember an account grows at first."""

EACH = 300
"""Seconds between two readings of that history."""

BALANCE, QUOTA = Decimal("584.10"), 3700

_MOMENT = "2026-11-01T00:00:00+00:00"
"""When the accounts were added."""

_MOVE = Decimal("0.30")
"""What an account spends between two readings when it sends."""

OURS, THEIRS, NOTHING = "sms_credit", "rest", ""
"""What the measured Home Assistants have: the integration, Home Assistant's own, or neither."""

DOMAINS = (OURS, THEIRS, NOTHING)

Figures = dict[str, Any]


@dataclass(slots=True)
class Measured:
    """A Home Assistant at work, and what it has told."""

    process: asyncio.subprocess.Process
    first: Figures = field(default_factory=dict)
    """How setting up went when Home Assistant first saw the accounts."""
    set_up: Figures = field(default_factory=dict)
    """How it went after a restart."""
    polls: dict[bool, list[Figures]] = field(default_factory=lambda: {False: [], True: []})
    """By whether the balance had changed."""
    counts: dict[bool, Figures] = field(default_factory=dict)
    held: int = 0
    """KiB."""

    async def ask(self, word: str) -> Figures:
        """Have it do something. Raises EOFError if it ends over it; why stands on standard error."""
        assert self.process.stdin
        self.process.stdin.write(f"{word}\n".encode())
        return await self.answer()

    async def answer(self) -> Figures:
        """Return what it tells next."""
        assert self.process.stdout
        line = await self.process.stdout.readline()
        if not line:
            message = f"Home Assistant has ended with exit code {await self.process.wait()}"
            raise EOFError(message)
        answer: Figures = json.loads(line)
        return answer


class Bench:
    """The provider, its accounts, and a Home Assistant for whoever is to be measured."""

    def __init__(self, python: str, folder: Path, base_url: str, accounts: Sequence[SimulatedAccount]) -> None:
        """Take the Python that has Home Assistant, an empty folder, and accounts with the address to ask for them."""
        self._python, self._folder, self._base_url, self._accounts = python, folder, base_url, accounts
        self._known = remembered_account(time.time())
        self._moves = 0

    @property
    def requests(self) -> int:
        """How many requests have arrived for all accounts."""
        return sum(len(account.requests) for account in self._accounts)

    def move(self) -> None:
        """Have every account send some messages."""
        self._moves += 1
        for account in self._accounts:
            account.answer_with(Live(balance=BALANCE - _MOVE * self._moves, quota=QUOTA - self._moves))

    @asynccontextmanager
    async def measured(self, domain: str, number: int) -> AsyncIterator[Measured]:
        """Start a Home Assistant that has had so many accounts before, and stop it in the end."""
        folder = self._folder / (domain or "nothing")  # the same in each run, so that what is compiled there is kept
        accounts = self._accounts[:number]
        self._prepare(folder, domain, accounts)
        async with started(self._python, folder) as before:
            first = await before.ask("set_up")
        self._remember(folder, accounts)  # or no poll would be due after the restart
        async with started(self._python, folder) as measured:
            measured.first, measured.set_up = first, await measured.ask("set_up")
            yield measured
        shutil.rmtree(folder)

    def _prepare(self, folder: Path, domain: str, accounts: Sequence[SimulatedAccount]) -> None:
        plan = {
            "domain": domain,
            "log_level": "ERROR",
            "accounts": len(accounts) if domain else 0,
            "platforms": ["binary_sensor", "event", "sensor"],
            "config": {"rest": [self._resource(number, each) for number, each in enumerate(accounts)]},
        }
        entries = [entry(number, self._base_url, each) for number, each in enumerate(accounts)]
        prepare(folder, plan, entries if domain == OURS else [])
        self._remember(folder, accounts)

    def _remember(self, folder: Path, accounts: Sequence[SimulatedAccount]) -> None:
        """Write down what the integration remembers of accounts that were polled before."""
        for number, each in enumerate(accounts):
            known = remembered(self._known, self._owner(each))
            data = {"account": known, "problems": {}, "began": _MOMENT}
            _store(folder / ".storage" / f"sms_credit.entry{number}", data)

    def _owner(self, account: SimulatedAccount) -> Owner:
        credentials = {name: Secret(value) for name, value in account.credentials.items()}
        return Owner(provider=PROVIDER.key, base_url=self._base_url, credentials=credentials)

    def _resource(self, number: int, account: SimulatedAccount) -> Figures:
        """Return the configuration with which `rest` makes the same request, and the same values from its answer."""
        owner = self._owner(account)
        request = PROVIDER.request(self._base_url, owner.credentials, 0)
        balance = "value_json.response.balance"
        named = {
            key: {"name": f"Account {number} {key}", "unique_id": f"{number}_{key}"}
            for key in ("balance", "quota", "blocked")
        }
        money = {"device_class": "monetary", "state_class": "total", "unit_of_measurement": "TRY"}
        return {
            "resource": request.url,
            "method": request.method,
            "headers": dict(request.headers),
            "payload": request.body.decode(),
            "scan_interval": EACH,
            "sensor": [
                {**named["balance"], **money, "value_template": f"{{{{ {balance}.amount }}}}"},
                {**named["quota"], "state_class": "measurement", "value_template": f"{{{{ {balance}.sms }}}}"},
            ],
            "binary_sensor": [
                {
                    **named["blocked"],
                    "device_class": "problem",
                    "value_template": f"{{{{ {balance}.amount <= 0 and {balance}.sms <= 0 }}}}",
                }
            ],
        }


def prepare(folder: Path, plan: Mapping[str, Any], entries: Sequence[Figures]) -> None:
    """Make a folder in which a Home Assistant has this integration, these entries of it, and this plan."""
    storage, components = folder / ".storage", folder / "custom_components"
    for new in (storage, components):
        new.mkdir(parents=True)
    (components / "sms_credit").symlink_to(CHECKOUT / "custom_components" / "sms_credit")
    (folder / "plan.json").write_text(json.dumps(plan))
    _store(storage / "core.config_entries", {"entries": entries}, minor_version=5)


@asynccontextmanager
async def started(python: str, folder: Path, *, log: int | None = None) -> AsyncIterator[Measured]:
    """Start a Home Assistant in a folder that has been prepared; what it logs goes to a descriptor."""
    process = await asyncio.create_subprocess_exec(
        *(python, CHECKOUT / "tests" / "ha" / "measured.py", folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env=_environment(),
    )
    try:
        measured = Measured(process)
        await measured.answer()
        yield measured
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


def _environment() -> dict[str, str]:
    """Return this process's environment, in which no request takes another way, and what was compiled is kept."""
    unwanted = {"PYTHONDONTWRITEBYTECODE"} | {name for name in os.environ if name.lower().endswith("_proxy")}
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def remembered_account(now: float) -> Account:
    """Return an account that has been watched for two weeks and sends by day; its next poll is due."""
    sent = [8 <= (now - age * EACH) // 3600 % 24 < 20 for age in range(DAYS * 86400 // EACH, 1, -1)]
    account, left = Account(), BALANCE + _MOVE * sum(sent)
    for step, is_sending in enumerate(sent):
        ago = (len(sent) - step + 1) * EACH
        left -= _MOVE * is_sending
        account = account.after(_reading(left), Instant(unix=now - ago, monotonic=-ago), duration=0.1)
    return account


def _reading(balance: Decimal) -> Reading:
    return Reading(
        balance=balance,
        currency=PROVIDER.currency,
        quota=int(balance * 6),
        credits=None,
        credit_blocked=False,
        provider_updated=None,
        quality=Quality.COMPLETE,
    )


def entry(number: int, base_url: str, account: SimulatedAccount) -> Figures:
    """Return an account as Home Assistant stores what was entered of it."""
    return {
        "created_at": _MOMENT,
        "data": {"provider": account.provider, "base_url": base_url, **account.credentials},
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "sms_credit",
        "entry_id": f"entry{number}",
        "minor_version": 1,
        "modified_at": _MOMENT,
        "options": {"low_balance": "50"},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": f"Account {number}",
        "unique_id": None,
        "version": 1,
    }


def _store(file: Path, data: Mapping[str, Any], *, minor_version: int = 1) -> None:
    """Write one of Home Assistant's own files."""
    file.write_text(json.dumps({"version": 1, "minor_version": minor_version, "key": file.name, "data": data}))


async def compared(bench: Bench, number: int, polls: int) -> dict[str, Measured]:
    """Measure Home Assistants with so many accounts, beside each other: first nothing changes, then all balances."""
    async with AsyncExitStack() as stack:
        by_domain = {domain: await stack.enter_async_context(bench.measured(domain, number)) for domain in DOMAINS}
        bench.move()
        for each in by_domain.values():  # once for what only the first poll does
            await each.ask("poll")
        for changes in (False, True):
            for word in ("poll",) * polls + ("count",):
                if changes:
                    bench.move()
                for each in by_domain.values():
                    asked = bench.requests
                    answer = await each.ask(word)
                    answer["requests"] = bench.requests - asked
                    each.polls[changes].append(answer) if word == "poll" else each.counts.update({changes: answer})
        for each in by_domain.values():
            each.held = (await each.ask("hold"))["held"]
        return by_domain


def figures(runs: Sequence[Mapping[str, Measured]], number: int) -> Mapping[str, Figures]:
    """Return medians for each integration; an account's share is what it adds to a Home Assistant without any."""

    def added(domain: str, measure: Callable[[Measured], float]) -> float:
        """Return what one account adds."""
        with_it, without = (statistics.median(measure(run[each]) for run in runs) for each in (domain, NOTHING))
        return (with_it - without) / number

    def of(domain: str) -> Figures:
        first, set_ups = ([getattr(run[domain], when) for run in runs] for when in ("first", "set_up"))
        return {
            "set-up for the first time, ms": _milliseconds(first, "wall"),
            "set-up after a restart, ms": _milliseconds(set_ups, "wall"),
            "… of CPU": _milliseconds(set_ups, "process"),
            "memory an account, KiB": added(domain, lambda measured: measured.held),
            "entities an account": set_ups[0]["entities"] / number,
            **{f"{name}, nothing changes": value for name, value in of_polls(domain, changes=False).items()},
            **{f"{name}, balance changes": value for name, value in of_polls(domain, changes=True).items()},
        }

    def of_polls(domain: str, *, changes: bool) -> Figures:
        counts = runs[0][domain].counts[changes]
        return {
            "poll: ms of the event loop": added(domain, lambda each: _milliseconds(each.polls[changes], "loop")),
            "poll: ms of all threads": added(domain, lambda each: _milliseconds(each.polls[changes], "process")),
            "poll: requests": counts["requests"] / number,
            "poll: states written": len(counts["changed"]) / number,
            "poll: states written as they were": len(counts["reported"]) / number,
            "poll: rows in the database": counts["rows"] / number,
            "poll: files written": counts["saves"] / number,
        }

    return {domain: of(domain) for domain in (OURS, THEIRS)}


def _milliseconds(spent: Sequence[Figures], what: str) -> float:
    return 1000 * float(statistics.median(each[what] for each in spent))


def table(number: int, both: Mapping[str, Figures]) -> str:
    """Return the figures as people read them."""
    ours, theirs = both[OURS], both[THEIRS]
    lines = [f"{f'accounts: {number}':54}{OURS:>12}{THEIRS:>10}{'ratio':>8}"]
    for name, value in ours.items():
        ratio = f"{value / theirs[name]:.2f}" if theirs[name] else "-"
        lines.append(f"{name:54}{value:12.2f}{theirs[name]:10.2f}{ratio:>8}")
    return "\n".join(lines)


async def main(options: argparse.Namespace) -> None:
    """Print what each number of accounts costs."""
    simulator = Simulator()
    accounts = [simulator.add(PROVIDER.key) for _ in range(max(options.accounts))]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        async with simulator.serving() as base_urls:
            bench = Bench(options.python, Path(folder), base_urls[PROVIDER.key], accounts)
            for number in options.accounts:
                runs = [await compared(bench, number, options.polls) for _ in range(options.runs)]
                results[number] = figures(runs, number)
                if not options.json:
                    print(table(number, results[number]), end="\n\n", flush=True)
    if options.json:
        print(json.dumps(results))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/benchmark-home-assistant", description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[1, 10, 100], help="how many (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="how many Home Assistants of each kind (%(default)s)")
    parser.add_argument("--polls", type=int, default=5, help="timed polls of each account in a run (%(default)s)")
    parser.add_argument("--python", default=str(PYTHON), help="the Python that has Home Assistant (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print an object instead of tables")
    asyncio.run(main(parser.parse_args()))
