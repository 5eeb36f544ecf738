"""What is compared inside a real Home Assistant: its own `rest`, and this project's integration."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.home_assistant import OURS, PYTHON, THEIRS, Measured, entry, prepare, started
from tests.comparison.situations import Watched

__all__ = ["OURS", "PYTHON", "THEIRS", "Home", "State", "home", "shown"]

State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Home:
    """A Home Assistant with accounts, which has polled each of them once."""

    measured: Measured
    log: Path

    async def poll(self) -> Mapping[str, State]:
        """Let five minutes pass; return the state of each entity."""
        await self.measured.ask("poll")
        return await self.measured.ask("tell")

    async def wait(self) -> Mapping[str, State]:
        """Do the same with an hour and a half."""
        await self.measured.ask("wait")
        return await self.measured.ask("tell")


@asynccontextmanager
async def home(python: str, domain: str, watched: Sequence[Watched], folder: Path) -> AsyncIterator[Home]:
    """Start one that has all accounts by one of the integrations."""
    resources = [each.worded("rest.yaml")[each.account.provider] for each in watched]
    plan = {
        "domain": domain,
        "log_level": "WARNING",  # as Home Assistant has it by default
        "accounts": len(watched),
        "platforms": ["binary_sensor", "event", "sensor"],
        "config": {"rest": resources},
    }
    stored = [entry(number, each.base_url, each.account) for number, each in enumerate(watched)]
    entries = [{**was, "title": each.name} for was, each in zip(stored, watched, strict=True)]
    prepare(folder / domain, plan, entries if domain == OURS else [])
    log = folder / f"{domain}.log"
    with log.open("wb") as file:
        async with started(python, folder / domain, log=file.fileno()) as measured:
            await measured.ask("set_up")
            yield Home(measured, log)


def shown(states: Mapping[str, State], watched: Watched) -> str:
    """Return which values of an account are seen, in words."""
    balance = states[f"sensor.{watched.name}_balance"]
    state, unit = balance["state"], balance["unit_of_measurement"]
    return f"{float(state):g} {unit}" if _is_number(state) else str(state)


def _is_number(state: str) -> bool:
    return state.lstrip("-").replace(".", "", 1).isdigit()
