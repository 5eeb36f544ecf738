"""Days in Home Assistant: accounts whose providers fail, that spend and are topped up, are reloaded and restarted.

One day passes in each run of the tests, more with SOAK_DAYS in the environment. The clock runs ahead by one poll
interval at a time; what happens in between is real.
"""

import asyncio
import gc
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from copy import deepcopy
from dataclasses import dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.setup import async_setup_component

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS, Status
from sms_credit_exporter.simulator.behaviour import Live, NoAnswer
from sms_credit_exporter.simulator.payloads import Payload
from tests.soak.figures import Course

from ..conftest import TALKATIVE
from .conftest import (
    ALL_PAYLOADS,
    NoConnection,
    Providers,
    account,
    another,
    entity_id,
    pass_time,
    spending,
    states,
    update_now,
)

DAYS = float(os.environ.get("SOAK_DAYS", "1"))
NOON = "2026-03-15 12:00:00+00:00"
ACCOUNTS = 5

STEP = 300.0
"""Seconds, the poll interval."""

_FIRST_DAY = int(86400 / STEP)
"""Steps, after which Home Assistant is started anew: only once, as the harness keeps what has ended in memory."""

_BACKED_OFF, _LONGEST = 4 * STEP, 3600.0
"""Seconds that are waited at most after failures, and after refused credentials or a long Retry-After."""

_STALE_AFTER = 3600.0
_FAULTS_PER_STEP = 0.03
_FAULT_LASTS = 2700.0
"""Seconds on average."""

_KEPT_LOGS = {
    **dict.fromkeys(("", "asyncio", "pytest_homeassistant_custom_component.common", *TALKATIVE), "ERROR"),
    f"custom_components.{DOMAIN}": "CRITICAL",
}
"""The least that is logged; the harness keeps that, with all that an error refers to, and that would be what grows."""

Fault = Payload | NoAnswer | NoConnection


@dataclass(frozen=True)
class Sizes:
    """What may grow over time, at the end of a day."""

    blocks: int
    """Pieces of memory that Python has given out, once garbage is collected."""
    tasks: int
    listeners: int
    timers: int
    states: int
    entities: int
    issues: int
    stored: int
    """Bytes."""


@dataclass
class Watched:
    """One account, and what Home Assistant should know of it."""

    provider: str
    entry_id: str
    random: Random
    amount: Decimal
    fault: Fault | None = None
    fault_until: float = 0.0
    asked_at: float = -math.inf
    away: float = 0.0
    """Seconds since then in which the account was not loaded."""
    answered: Fault | None = None
    told: Decimal | None = None
    told_at: float = -math.inf
    spent: Decimal = Decimal(0)
    calls: int = 0
    faults_met: Counter[str] = field(default_factory=Counter)

    def next_answer(self, now: float) -> Fault | Live:
        """Spend something, fail or recover; return what the provider answers from now on."""
        self.amount -= Decimal(self.random.randrange(3)) / 100
        if self.amount < 5:
            self.amount += Decimal(self.random.randrange(1_000, 5_000)) / 100
        if now >= self.fault_until:
            self.fault = None
            if self.random.random() < _FAULTS_PER_STEP:
                self.fault = self.random.choice(_faults(self.provider))
                self.fault_until = now + self.random.expovariate(1 / _FAULT_LASTS)
        return Live(balance=self.amount) if self.fault is None else self.fault

    def polled(self, now: float) -> None:
        """Note a poll and what it came to; it must not come too early."""
        assert now - self.asked_at >= PROVIDERS[self.provider].min_poll_interval - 1, f"{self.provider} is asked again"
        self.asked_at, self.away, self.answered = now, 0.0, self.fault
        if not self.status.holds:
            self.told_at = -math.inf
        if self.fault is not None:
            self.faults_met[self.fault.name] += 1
            return
        if self.told is not None:
            self.spent += max(Decimal(0), self.told - self.amount)
        self.told, self.told_at = self.amount, now

    @property
    def _longest_pause(self) -> float:
        """Seconds that are waited at most after the last answer."""
        outcome = self.answered.outcome if isinstance(self.answered, Payload) else {}
        if outcome.get("retry_after") or self.status is Status.AUTH_FAILED:
            return _LONGEST
        return STEP if self.status.up else _BACKED_OFF

    @property
    def status(self) -> Status:
        """What the last poll came to."""
        if self.answered is None:
            return Status.FRESH
        return Status(self.answered.outcome["status"]) if isinstance(self.answered, Payload) else Status.UNREACHABLE

    def check(self, shown: Mapping[str, str], now: float) -> None:
        """Hold the states against what the provider told."""
        status = self.status
        assert now - self.asked_at <= self._longest_pause + self.away + STEP, f"{self.provider} is forgotten"
        assert shown["status"] == {"unavailable": "data_unavailable"}.get(status.value, status.value), self.provider
        amount = next(shown[key] for key in ("balance", "credits", "sms_quota") if key in shown)
        if not status.up:
            assert (amount, shown["spent"]) == ("unavailable", "unavailable")
        elif status is Status.FRESH:
            assert Decimal(amount) == self.told
            assert Decimal(shown["spent"]) == self.spent
        elif not status.holds or self.told is None or now - self.told_at > _STALE_AFTER:
            assert amount == "unknown"
        else:
            assert Decimal(amount) == self.told


def _faults(provider: str) -> list[Fault]:
    """Return all that can be answered that is no reading, and what can happen in place of an answer."""
    files = [each for each in ALL_PAYLOADS if each.provider == provider]
    no_readings = [each for each in files if each.outcome["status"] not in {"fresh", "partial"}]
    return [*no_readings, NoAnswer.CUT, NoConnection.REFUSED]


class Household:
    """A Home Assistant with some accounts, and then another with the same storage."""

    def __init__(
        self,
        hass: HomeAssistant,
        storage: dict[str, Any],
        providers: Providers,
        freezer: FrozenDateTimeFactory,
        stack: AsyncExitStack,
    ) -> None:
        """Begin without accounts."""
        self.days: list[Sizes] = []
        self.done: Counter[str] = Counter()
        self.watched: list[Watched] = []
        self._hass, self._storage, self._providers, self._freezer = hass, storage, providers, freezer
        self._stack = stack
        self._random = Random(1)  # noqa: S311 - nothing secret about it

    @property
    def now(self) -> float:
        """What the clock shows, in Unix seconds."""
        return self._freezer().timestamp()

    async def begin(self) -> None:
        """Add accounts of different providers."""
        entries = {key: account(key, title=f"Account {key}", low_balance="50") for key in [*PROVIDERS][:ACCOUNTS]}
        self.watched = [
            Watched(key, entry.entry_id, Random(key), Decimal("73.50"))  # noqa: S311 - as above
            for key, entry in entries.items()
        ]
        self._answer()
        for entry in entries.values():
            await self._hass.config_entries.async_add(entry)
            await self._hass.async_block_till_done()
        self._take_note()

    async def end(self) -> None:
        """Stop Home Assistant; then end what would end with the process. That writes nothing."""
        await self._hass.async_stop()
        written = deepcopy(self._storage)
        for each in self.watched:
            await self._hass.config_entries.async_unload(each.entry_id)
        await self._hass.async_stop(force=True)
        self._storage.clear()
        self._storage.update(written)

    async def live(self, days: float) -> None:
        """Let days pass."""
        for step in range(1, int(days * 86400 / STEP) + 1):
            self._answer()
            await pass_time(self._hass, self._freezer, STEP)
            self._take_note()
            if self._random.random() < 0.02:
                await self._disturb()
            if step == _FIRST_DAY:
                await self._start_anew()
            if step % _FIRST_DAY == 0:
                await self._measure()

    async def _start_anew(self) -> None:
        """Stop Home Assistant and start another."""
        await self.end()
        self._pass(60)
        self._hass = await another(self._hass, self._stack)
        assert await async_setup_component(self._hass, DOMAIN, {})
        await self._hass.async_start()
        await self._hass.async_block_till_done(wait_background_tasks=True)
        self.done["starts of Home Assistant"] += 1
        self._take_note()

    def _pass(self, seconds: float) -> None:
        """Let time pass in which nothing is asked."""
        self._freezer.tick(timedelta(seconds=seconds))
        for each in self.watched:
            each.away += seconds

    def _entry(self, each: Watched) -> ConfigEntry[Any]:
        entry = self._hass.config_entries.async_get_entry(each.entry_id)
        assert entry
        return entry

    def _answer(self) -> None:
        for each in self.watched:
            self._providers.answer(each.provider, each.next_answer(self.now))

    def _take_note(self) -> None:
        """See who was polled, and whether every state is right."""
        asked = self._providers.taken()
        for each in self.watched:
            each.calls += asked[each.provider]
            refused = each.fault is NoConnection.REFUSED
            if asked[each.provider] or (refused and self._is_polled_in_vain(each)):
                assert asked[each.provider] <= 2
                each.polled(self.now)
            entry: Any = self._entry(each)
            assert entry.state is ConfigEntryState.LOADED
            shown = states(self._hass, entry) | spending(self._hass, entry)
            each.check(shown, self.now)
            self.done["states compared"] += len(shown)

    def _is_polled_in_vain(self, each: Watched) -> bool:
        """Whether a poll has just ended of which the provider knows nothing."""
        polled_at = self._entry(each).runtime_data.data.polled_at
        return bool(polled_at and polled_at.unix == self.now)

    async def _disturb(self) -> None:
        each = self._random.choice(self.watched)
        what = self._random.choice((self._reload, self._unload, self._set_limit, self._ask_now))
        self.done[what.__name__.strip("_").replace("_", " ")] += 1
        await what(each)
        self._take_note()

    async def _reload(self, each: Watched) -> None:
        await self._hass.config_entries.async_reload(each.entry_id)
        await self._hass.async_block_till_done()

    async def _unload(self, each: Watched) -> None:
        """Unload an account for a while."""
        await self._hass.config_entries.async_unload(each.entry_id)
        self._pass(self._random.randrange(10, 3000))
        await self._hass.config_entries.async_setup(each.entry_id)
        await self._hass.async_block_till_done()

    async def _set_limit(self, each: Watched) -> None:
        options = {"low_balance": str(self._random.randrange(10, 100))}
        self._hass.config_entries.async_update_entry(self._entry(each), options=options)
        await self._hass.async_block_till_done()

    async def _ask_now(self, each: Watched) -> None:
        entry: Any = self._entry(each)
        await update_now(self._hass, entity_id(self._hass, entry, "status"))

    async def _measure(self) -> None:
        hass = self._hass
        await hass.async_block_till_done(wait_background_tasks=True)
        Store._async_write_data.reset_mock()  # noqa: SLF001 - the harness puts a mock there, which remembers all calls
        gc.collect()
        loop: Any = asyncio.get_running_loop()
        entities = er.async_get(hass).entities
        self.days.append(
            Sizes(
                blocks=sys.getallocatedblocks(),
                tasks=len(asyncio.all_tasks()),
                listeners=sum(hass.bus.async_listeners().values()),
                timers=sum(not each.cancelled() for each in loop._scheduled),  # noqa: SLF001 - nobody else knows
                states=len(hass.states.async_all()),
                entities=len(entities),
                issues=len(ir.async_get(hass).issues),
                stored=len(json.dumps(self._storage, default=str)),
            )
        )


@pytest.mark.timeout(0 if DAYS > 1 else 120)
@pytest.mark.freeze_time(NOON)
@pytest.mark.usefixtures("every_entity")
async def test_days_of_some_accounts(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No state is wrong, nobody is asked too often or forgotten, and nothing grows."""
    for logger, level in _KEPT_LOGS.items():
        caplog.set_level(level, logger)
    async with AsyncExitStack() as stack:
        household = Household(hass, hass_storage, providers, freezer, stack)
        await household.begin()
        await household.live(DAYS)
        await household.end()
    sizes = {each.name: [getattr(day, each.name) for day in household.days] for each in fields(Sizes)}
    calls = sum(each.calls for each in household.watched)
    faults = sum((each.faults_met for each in household.watched), Counter[str]())
    done = {**household.done, "calls": calls, "faults met": faults.total(), "different faults met": len(faults)}
    print(json.dumps({"done": done, **sizes}))  # noqa: T201 - seen with -s
    assert calls > 0.5 * DAYS * ACCOUNTS * 86400 / STEP
    assert {name for name, days in sizes.items() if days and not Course.of(days).flat} == set()
