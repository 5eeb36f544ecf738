"""The polling: in the background, whatever anybody scrapes."""

import asyncio
import contextlib
import itertools
import math
import random
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import httpx
import structlog

from sms_credit_core import Account, Instant, Status, poll_account

from .accounts import AccountConfig, Config, View
from .agenda import Agenda
from .slots import Slots
from .storage import Memory

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
        self._changed = asyncio.Event()
        self.reconfigure(config)

    def views(self) -> tuple[View, ...]:
        """Return every account as it is now, in the order of the configuration. May be called in any thread."""
        moment = Instant.now()
        return tuple(
            View.of(watched.config, watched.account, moment, self._stale_after) for watched in self._watched.values()
        )

    @property
    def ready(self) -> bool:
        """Whether every account has been polled, whatever came of it."""
        return all(watched.account.status is not Status.PENDING for watched in self._watched.values())

    def reconfigure(self, config: Config) -> None:
        """Take over a configuration.

        An account that still asks the same keeps what is known of it, its schedule and the poll under way. Any other
        account begins anew. It waits for as long as its provider wants after the last poll of the same name or the
        same question, so that reloads, however many, cost the provider nothing.
        """
        before = self._watched
        self._stale_after = config.stale_after
        self._slots = Slots(account.place for account in config.accounts)
        self._forget_what_was_long_ago()
        self._watched = self._schedule(config, before)
        for name, watched in before.items():
            if watched.task and self._watched.get(name) is not watched:
                watched.task.cancel()
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

    def _schedule(self, config: Config, before: Mapping[str, _Watched]) -> dict[str, _Watched]:
        shortest = min((account.poll_interval for account in config.accounts), default=_FIRST_POLL_GAP)
        gap = min(_FIRST_POLL_GAP, shortest / max(1, len(config.accounts)))
        starts = itertools.count(time.monotonic(), gap)
        after: dict[str, _Watched] = {}
        for account in config.accounts:
            old = before.get(account.name)
            if old and old.config.question == account.question:
                old.take_over(account)
                after[account.name] = old
            else:
                after[account.name] = self._begun(account, next(starts))
        return after

    def _begun(self, config: AccountConfig, start: float) -> _Watched:
        """Begin with an account, or go on where it was before the restart, its schedule included."""
        account = self._memory.recall(config)
        due = time.monotonic() + account.due_in(config.poll_interval, Instant.now())
        return _Watched(config, max(start, self._allowed_from(config), due), account)

    def _allowed_from(self, account: AccountConfig) -> float:
        last = max(self._asked.get(key, -math.inf) for key in (account.name, account.question))
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
