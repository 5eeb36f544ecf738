"""The polling: one task for each account, in the background, whatever anybody scrapes."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import structlog

from sms_credit_core import Account, Instant, Status, poll

from .accounts import AccountConfig, Config, View

_FIRST_POLL_GAP = 1.0
"""Seconds between the first polls of two accounts, or less where there are very many."""

_log = structlog.stdlib.get_logger()


def now() -> Instant:
    """Read both clocks."""
    return Instant(unix=time.time(), monotonic=time.monotonic())


def http_client() -> httpx.AsyncClient:
    """Make the client for all accounts. Plain HTTP goes to this machine only, so it passes by any proxy."""
    tls = httpx.create_ssl_context()
    return httpx.AsyncClient(verify=tls, mounts={"http://": httpx.AsyncHTTPTransport(verify=tls)})


async def poll_once(client: httpx.AsyncClient, config: AccountConfig, account: Account) -> Account:
    """Poll an account and return what is known of it afterwards."""
    begun = time.monotonic()
    outcome = await poll(
        client,
        config.provider,
        config.credentials,
        unix_time=time.time,
        base_url=config.base_url,
        timeout=config.timeout,
    )
    return account.after(outcome, now(), time.monotonic() - begun)


@dataclass(slots=True, eq=False)
class _Watched:
    config: AccountConfig
    account: Account
    first_poll_in: float
    """Seconds from the start of its task."""
    task: asyncio.Task[None] | None = None

    @property
    def starts_in(self) -> float:
        """Seconds until the first poll of a task that starts now."""
        if self.account.polled_at is None:
            return self.first_poll_in
        return self.account.next_poll_in(self.config.poll_interval) - self.account.polled_at.age(now())


class Watch:
    """What is known of every configured account, kept fresh while `run` runs."""

    def __init__(self, config: Config) -> None:
        """Take the configuration; nothing is polled before `run`."""
        self._stale_after = config.stale_after
        self._watched: Mapping[str, _Watched] = self._schedule(config, {})
        self._changed = asyncio.Event()

    def views(self) -> tuple[View, ...]:
        """Return every account as it is now, in the order of the configuration."""
        moment = now()
        return tuple(
            View(watched.config, watched.account, moment, self._stale_after) for watched in self._watched.values()
        )

    @property
    def ready(self) -> bool:
        """Whether every account has been polled, whatever came of it."""
        return all(watched.account.status is not Status.PENDING for watched in self._watched.values())

    def reconfigure(self, config: Config) -> None:
        """Take over a new configuration.

        An account that still asks the same keeps what is known of it and its schedule, so that reloading, however
        often, calls no provider.
        """
        before = self._watched
        self._watched = self._schedule(config, before)
        self._stale_after = config.stale_after
        for watched in before.values():
            if watched.task and watched not in self._watched.values():
                watched.task.cancel()
        self._changed.set()

    async def run(self) -> None:
        """Poll until cancelled. An unexpected error in any account's task ends them all and is raised."""
        async with await asyncio.to_thread(http_client) as client, asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                for watched in self._watched.values():
                    watched.task = watched.task or group.create_task(self._keep_polling(watched, client))
                await self._changed.wait()

    def _schedule(self, config: Config, before: Mapping[str, _Watched]) -> dict[str, _Watched]:
        gap = min(_FIRST_POLL_GAP, min(account.poll_interval for account in config.accounts) / len(config.accounts))
        first_polls = (gap * number for number in itertools.count())
        after: dict[str, _Watched] = {}
        for account in config.accounts:
            old = before.get(account.name)
            if old and old.config.asks_the_same(account):
                after[account.name] = self._taken_over(old, account)
            else:
                after[account.name] = _Watched(account, Account(), next(first_polls))
        return after

    @staticmethod
    def _taken_over(old: _Watched, config: AccountConfig) -> _Watched:
        if config.poll_interval == old.config.poll_interval:
            old.config = config
            return old
        return _Watched(config, old.account, old.first_poll_in)

    async def _keep_polling(self, watched: _Watched, client: httpx.AsyncClient) -> None:
        await asyncio.sleep(watched.starts_in)
        while True:
            before = watched.account
            watched.account = await poll_once(client, watched.config, before)
            _report(watched.config, before, watched.account)
            await asyncio.sleep(watched.account.next_poll_in(watched.config.poll_interval))


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
