"""The polling: in the background, whatever anybody scrapes."""

import asyncio
import contextlib
import itertools
import math
import random
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import httpx
import structlog

from sms_credit_core import Account, Instant, Status, poll_account

from .accounts import AccountConfig, Config, View
from .agenda import Agenda
from .slots import Slots
from .storage import Known, Memory

_FIRST_POLL_GAP = 1.0
"""Seconds between the first polls of two accounts, or less where there are very many."""

_TOGETHER = 0.2
"""Seconds by which a poll may be late so that it begins together with others: what they write down is one write."""

_AT_A_TIME = 100
"""Polls that begin together at most. After a stop, all are due, and would hold up one another and everything else."""

_JITTER = 0.05
"""The share of a wait by which it may be longer."""

_REMEMBERED = 3600.0
"""Seconds; no provider wants a longer pause between two polls."""

_log = structlog.stdlib.get_logger()


def http_client() -> httpx.AsyncClient:
    """Make the client for all accounts. Plain HTTP goes to this machine only, so it passes by any proxy."""
    tls = httpx.create_ssl_context()
    # slots.py bounds the polls. A bound here would let them wait in the client while their time runs out.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    direct = httpx.AsyncHTTPTransport(verify=tls, limits=limits)
    return httpx.AsyncClient(verify=tls, limits=limits, mounts={"http://": direct})


async def poll_once(client: httpx.AsyncClient, config: AccountConfig, account: Account) -> Account:
    """Poll an account and return what is known of it afterwards."""
    polled = await poll_account(
        client,
        config.provider,
        config.credentials,
        account,
        base_url=config.base_url,
        timeout=config.timeout,
    )
    return polled.judged(config.limits)


@dataclass(slots=True, eq=False)
class _Watched:
    """One account under watch, and when it is to be polled next."""

    config: AccountConfig
    due: float
    """Monotonic time of the next poll."""
    account: Account
    task: asyncio.Task[None] | None = None
    """The poll under way, or waiting for its slot."""

    @classmethod
    def begun(cls, config: AccountConfig, account: Account, start: float, now: Instant) -> Self:
        """Begin with an account, or go on where it was before the restart, its schedule included."""
        return cls(config, max(start, now.monotonic + account.due_in(config.poll_interval, now)), account)

    def asks_as(self, config: AccountConfig) -> bool:
        """Whether an account that is configured like this asks the same."""
        return self.config is config or self.config.question == config.question

    def polled(self, account: Account) -> None:
        """Take over what a poll came to, and schedule the next.

        Accounts that were due together, as after a stop, drift apart.
        """
        self.account = account
        wait = account.next_poll_in(self.config.poll_interval)
        self.due = time.monotonic() + wait * random.uniform(1, 1 + _JITTER)  # noqa: S311 - nothing secret about it

    def take_over(self, config: AccountConfig) -> None:
        """Go on with another configuration of the same account; another interval counts from the last poll."""
        if config.poll_interval != self.config.poll_interval and self.account.polled_at:
            self.due = self.account.polled_at.monotonic + self.account.next_poll_in(config.poll_interval)
        self.config = config


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What taking over a configuration comes to."""

    config: Config
    """With the accounts that have not changed as they are held already, so that memory holds them once."""
    slots: Slots
    watched: Mapping[str, _Watched]
    """All accounts, in the order of the configuration."""
    changed: Sequence[tuple[_Watched, AccountConfig]]
    """Those that go on with another configuration."""
    begun: Sequence[tuple[_Watched, Hashable]]
    """Those that are new, or ask something else than before, and what they ask. They are not due before their turn."""
    ended: Sequence[_Watched]
    """Those that are not in the configuration any more, or ask something else now."""
    known: Mapping[str, Known]
    """What is known of those that begin from before."""


class Watch:
    """What is known of every configured account, kept fresh while `run` runs."""

    def __init__(
        self, config: Config, memory: Memory | None = None, show: Callable[[View], None] = lambda _: None
    ) -> None:
        """Take the configuration, what is known from before, and what is told of each account after its poll.

        Nothing is polled before `run`.
        """
        self._show = show
        self._memory = memory or Memory()
        self._asked: dict[Hashable, float] = {}
        """When a question was asked last, and when an account of a name was polled last, in monotonic time."""
        self._watched: Mapping[str, _Watched] = {}
        self._agenda = Agenda[_Watched]()
        self._changed = asyncio.Event()
        self.take_over(self.planned(config))

    def views(self) -> tuple[View, ...]:
        """Return every account as it is now, in the order of the configuration. May be called in any thread."""
        return tuple(self.each())

    def each(self) -> Iterator[View]:
        """Yield the same one by one; an account that is polled meanwhile is as it is then."""
        moment = Instant.now()
        for watched in self._watched.values():
            yield View.of(watched.config, watched.account, moment, self._stale_after)

    @property
    def ready(self) -> bool:
        """Whether every account has been polled, whatever came of it."""
        return all(watched.account.status is not Status.PENDING for watched in self._watched.values())

    def planned(self, config: Config) -> Plan:
        """Work out what taking over a configuration comes to, which takes long. May be called in any thread.

        An account that still asks the same keeps what is known of it, its schedule and the poll under way. Any other
        account begins anew, or goes on where it was before the restart, its schedule included.
        """
        before = self._watched
        config = replace(config, accounts=tuple(_settled(account, before) for account in config.accounts))
        accounts = {account.name: account for account in config.accounts}
        kept = {name: old for name, old in before.items() if name in accounts and old.asks_as(accounts[name])}
        known = self._memory.recall([account for name, account in accounts.items() if name not in kept])
        starts, now = _starts(config), Instant.now()
        begun = {
            name: _Watched.begun(accounts[name], each.account, start, now)
            for start, (name, each) in zip(starts, known.items(), strict=False)
        }
        return Plan(
            config=config,
            slots=Slots(account.place for account in config.accounts),
            watched={name: kept.get(name) or begun[name] for name in accounts},
            changed=[(old, accounts[name]) for name, old in kept.items() if old.config is not accounts[name]],
            begun=[(watched, watched.config.question) for watched in begun.values()],
            ended=[old for name, old in before.items() if name not in kept],
            known=known,
        )

    def take_over(self, plan: Plan) -> None:
        """Go on with a configuration, of which nothing else has been taken over since it was planned.

        An account that begins waits for as long as its provider wants after the last poll of the same name or the same
        question, so that reloads, however many, cost the provider nothing.
        """
        self._stale_after, self._slots = plan.config.stale_after, plan.slots
        self._memory.begin(plan.known)
        self._forget_what_was_long_ago()
        for watched, question in plan.begun:
            watched.due = max(watched.due, self._allowed_from(watched.config, question))
        for watched, config in plan.changed:
            watched.take_over(config)
        self._watched = plan.watched
        for watched in plan.ended:
            if watched.task:
                watched.task.cancel()
        if plan.begun or plan.changed or plan.ended:
            self._agenda = Agenda((watched.due, watched) for watched in self._watched.values() if not watched.task)
            self._changed.set()

    async def run(self) -> None:
        """Poll until cancelled. An unexpected error in any poll ends them all and is raised."""
        async with await asyncio.to_thread(http_client) as client, asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                for watched in itertools.islice(self._agenda.due(time.monotonic()), _AT_A_TIME):
                    watched.task = group.create_task(self._poll_in_turn(watched, client))
                await asyncio.sleep(_TOGETHER)
                await self._until_due()

    async def _until_due(self) -> None:
        """Wait for the next poll, or until the agenda has changed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._agenda.next_at):  # wait_for of Python 3.11 can lose a cancellation
                await self._changed.wait()

    def _allowed_from(self, account: AccountConfig, question: Hashable) -> float:
        last = max(self._asked.get(key, -math.inf) for key in (account.name, question))
        return last + account.min_pause

    def _forget_what_was_long_ago(self) -> None:
        horizon = time.monotonic() - _REMEMBERED
        self._asked = {key: asked for key, asked in self._asked.items() if asked > horizon}

    async def _poll_in_turn(self, watched: _Watched, client: httpx.AsyncClient) -> None:
        """Poll an account once there is a slot, and put its next poll down."""
        async with self._slots.one(watched.config.place):
            await self._poll(watched, client)
        watched.task = None
        if self._watched.get(watched.config.name) is watched:
            self._agenda.add(watched.due, watched)
            self._changed.set()

    async def _poll(self, watched: _Watched, client: httpx.AsyncClient) -> None:
        config, before = watched.config, watched.account
        keys = (config.name, config.question)
        self._asked |= dict.fromkeys(keys, time.monotonic())
        asking = before.asking(Instant.now())
        await self._memory.remember(config, asking)  # whatever ends the process from here on, this was a poll
        watched.polled(await poll_once(client, config, asking))
        self._show(View.of(watched.config, watched.account, Instant.now(), self._stale_after))
        self._asked |= dict.fromkeys(keys, time.monotonic())
        _report(watched.config, before, watched.account)
        await self._memory.remember(config, watched.account)


def _settled(account: AccountConfig, before: Mapping[str, _Watched]) -> AccountConfig:
    """Return the configuration of an account as it is held already, where nothing in it has changed."""
    old = before.get(account.name)
    return old.config if old and old.config == account else account


def _starts(config: Config) -> Iterator[float]:
    """Yield when the first polls of accounts are due that have not been polled before, in monotonic time."""
    shortest = min((account.poll_interval for account in config.accounts), default=_FIRST_POLL_GAP)
    gap = min(_FIRST_POLL_GAP, shortest / max(1, len(config.accounts)))
    return itertools.count(time.monotonic(), gap)


def _report(config: AccountConfig, before: Account, after: Account) -> None:
    """Log what changed; that nothing did is for debugging only."""
    log = _log.bind(account=config.name, provider=config.provider.key)
    log.debug("polled", status=after.status.value, seconds=round(after.poll_duration or 0, 3))
    problem = after.problem
    if (after.status, problem and problem.cause) != (before.status, before.problem and before.problem.cause):
        why = {"reason": problem.text} if problem else {}
        why |= {"code": problem.code} if problem and problem.code else {}
        log.info("status changed", status=after.status.value, was=before.status.value, **why)
    blocked, was_blocked = (bool(account.reading and account.reading.credit_blocked) for account in (after, before))
    if blocked != was_blocked:
        log.info("credit blocked" if blocked else "credit no longer blocked")
