"""One account in Home Assistant: when its provider is asked, and which of Home Assistant's words the outcome gets."""

import asyncio
import logging
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .accounts import async_ask, async_take_answer, owner_of, with_answer
from .const import (
    CONF_PROVIDER,
    DOMAIN,
    PROBLEM_ACCESS,
    PROBLEM_BLOCKED,
    PROBLEM_LOW,
    PROBLEM_SILENT,
    PROBLEM_UNUSUAL,
)
from .issues import async_update_issues
from .lib.sms_credit_core import (
    DEFAULT_POLL_INTERVAL,
    OUTAGES,
    PROVIDERS,
    REFUSALS,
    Account,
    AccountView,
    Instant,
    Ledger,
    Status,
)
from .memory import Memory, Remembered
from .news import News
from .options import limits_of

_LOGGER = logging.getLogger(__name__)

_ROUNDING = 1.0
"""Seconds by which a coordinator may be early: it schedules by whole ones."""

_SETUP_PATIENCE = 2.0
"""Seconds that setting up waits for the first answer; Home Assistant's start waits for what is set up."""

type SmsCreditConfigEntry = ConfigEntry[SmsCreditCoordinator]


class SmsCreditCoordinator(DataUpdateCoordinator[Account]):
    """Keeps `data` as the account is after the last poll, failed or not."""

    config_entry: SmsCreditConfigEntry
    problems: Mapping[str, datetime]
    """What the user has to see to or be told, and since when. An answer ends it; silence and restarts do not."""
    began: datetime
    """Since when it is counted what the account spends."""
    topped_up: Ledger | None
    """The ledger with the top-up that the last poll has brought, if it has."""

    def __init__(self, hass: HomeAssistant, entry: SmsCreditConfigEntry) -> None:
        """Take an entry; what is known of its account comes with `async_start`."""
        self.provider = PROVIDERS[entry.data[CONF_PROVIDER]]
        self.interval = max(DEFAULT_POLL_INTERVAL, self.provider.min_poll_interval)
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=timedelta(seconds=self.interval),
        )
        self.memory = Memory(hass, entry)
        self._news = News(hass, entry)
        self._owner = owner_of(entry.data)
        """Whose account `data` is; what the entry has now may be newer."""
        self._begin(Remembered())
        self._view: AccountView | None = None
        """The view that all entities share while they look."""
        self._poll: asyncio.Task[None] | None = None
        self._unsub_stale: CALLBACK_TYPE | None = None

    @callback
    def _begin(self, known: Remembered) -> None:
        self.data, self.problems, self.began = known.account, known.problems, known.began
        self.topped_up = None

    @property
    def view(self) -> AccountView:
        """The account as it is at this moment, by what the user's options say now."""
        return self._view or AccountView(
            provider=self.provider,
            limits=limits_of(self.config_entry.options),
            account=self.data,
            now=Instant.now(),
        )

    @property
    def asked_recently(self) -> bool:
        """Whether asking now would be more often than the provider wants, whoever wishes it."""
        now = Instant.now()
        pause = max(self.provider.min_poll_interval, self.data.next_poll_in(0))
        # A poll that was begun and never ended, as by a crash, has reached the provider all the same.
        return any(at.age(now) < pause - _ROUNDING for at in (self.data.asked_at, self.data.polled_at) if at)

    @property
    def _too_early(self) -> bool:
        """Whether the next poll has to wait. Restarts in a row, unlike a user's wish, are no reason to ask at all."""
        if self.hass.is_running:
            return self.asked_recently
        return self.data.due_in(self.interval, Instant.now()) > _ROUNDING

    @callback
    def async_look(self) -> None:
        """See what there is for the user to see to."""
        before = self.problems
        self.problems = {
            problem: self.problems.get(problem, dt_util.utcnow())
            for problem, holds in self._found().items()
            if holds or (holds is None and problem in self.problems)
        }
        self._news.async_note_problems(before, self.problems)

    def _found(self) -> Mapping[str, bool | None]:
        """Return whether there is each problem; None where nothing is heard of it."""
        view = self.view
        silent = view.status in OUTAGES or view.status is Status.PENDING
        fresh = view.status is Status.FRESH and view.known
        return {
            PROBLEM_LOW: view.low if view.limits.thresholds else False,
            PROBLEM_BLOCKED: view.blocked,
            # Of a new currency, or of other credentials, nothing is usual yet: what was unusual before is over.
            PROBLEM_UNUSUAL: bool(view.unusual) if fresh else view.unusual,
            PROBLEM_ACCESS: None if silent else view.status in REFUSALS,
            # Who has just started, or slept, has old values too: no news before the provider has been asked in vain.
            PROBLEM_SILENT: bool(self.data.problem and not view.known) if self._poll and self.data.read_at else None,
        }

    @callback
    @override
    def async_update_listeners(self) -> None:
        """See what there is before the entities do. All look at one moment."""
        self._view = self.view
        try:
            before = self.problems
            self.async_look()
            # What is told now must not be told again after a power cut.
            if self.topped_up or before.keys() != self.problems.keys():
                self.config_entry.async_create_task(self.hass, self.async_save(), f"{self.name} save")
            else:
                self.memory.async_write_late(self._known, self._owner)
            super().async_update_listeners()
        finally:
            self._view = None
        # After the entities, so that automations find them as they are now; the status is the last of them.
        self.hass.loop.call_soon(self._news.async_tell)

    async def async_start(self) -> None:
        """Go on where it was, with a poll if one is due. A provider that is slow keeps nobody from starting."""
        self._begin(await self.memory.async_recall(self._owner))
        self._async_take(with_answer(self.data, async_take_answer(self.hass, self._owner)))
        self.async_look()
        self._news.async_start()
        first = self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"{self.name} first poll"
        )
        await asyncio.wait({first}, timeout=_SETUP_PATIENCE)

    async def async_take_over(self, answered: Account) -> None:
        """Go on with the credentials that a form has just tried, and with what came of that.

        Nobody can tell whether other credentials lead to the same account. So it begins anew, but for the word that it
        is low: no key alarms anybody twice.
        """
        self._async_stop_poll()
        owner = owner_of(self.config_entry.data)
        if owner != self._owner:
            self._owner = owner
            self._begin(Remembered(account=Account(low=self.data.low), problems=self.problems))
        self._async_take(with_answer(self.data, answered))
        await self.async_refresh()

    @callback
    def async_take_options(self) -> None:
        """Hold the account against other limits, and have the entities look at them."""
        self.data = self.data.judged(limits_of(self.config_entry.options))
        self.async_update_listeners()

    async def async_save(self) -> None:
        """Write down what is known."""
        await self.memory.async_write(self._known, self._owner)

    @property
    def _known(self) -> Remembered:
        return Remembered(account=self.data, problems=self.problems, began=self.began)

    @override
    async def _async_update_data(self) -> Account:
        """Return the account if the provider answered about it; raise its problem otherwise."""
        if not self._too_early:
            await self._async_poll()
        self.update_interval = timedelta(seconds=max(_ROUNDING, self.data.due_in(self.interval, Instant.now())))
        problem = self.data.problem
        if problem is None or problem.status.up:
            return self.data
        # Refused credentials as well: ConfigEntryAuthFailed would end the polling, and a refusal need not last.
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=problem.cause,
            translation_placeholders={"detail": problem.detail or ""},
        )

    async def _async_poll(self) -> None:
        """Poll in a task that ends with the entry and with Home Assistant. Callers then get no result."""
        task = self.config_entry.async_create_background_task(self.hass, self._async_ask(), f"{self.name} poll")
        self._poll = task
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        if not task.cancelled():
            task.result()

    async def _async_ask(self) -> None:
        """Poll, and take over the outcome with all that follows from it, or nothing at all."""
        self.data = self.data.asking(Instant.now())
        # Before the request leaves, so that a start after a crash does not ask again. It is the only write of a poll in
        # most cases, as it holds what came of the one before: a few KiB in five minutes, where the recorder writes as
        # much in seconds.
        await self.async_save()
        self._async_take(await async_ask(self.hass, self._owner, self.data))

    @callback
    def _async_take(self, account: Account) -> None:
        """Go on with what is known of the account now, and see to what follows from it."""
        before, self.data = self.data, account.judged(limits_of(self.config_entry.options))
        self.topped_up = _topped_up(before, account)
        self._news.async_note_top_up(self.topped_up)
        async_update_issues(self.hass, self.config_entry, self.provider, account)
        if account.status is Status.AUTH_FAILED:
            self.config_entry.async_start_reauth(self.hass)
        elif account.status.up:
            for flow in list(self.config_entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
                self.hass.config_entries.flow.async_abort(flow["flow_id"])
        self._async_wait_until_stale()

    @callback
    def _async_wait_until_stale(self) -> None:
        """Have the entities look again when values or forecasts are too old; a later poll may never come.

        So it is when the user has switched polling off, or when the provider has nothing but partial readings.
        A reading puts that off and never brings it forward: one timer is enough, set anew once it has gone off.
        """
        if self._unsub_stale:
            return
        view = self.view
        until, now = view.unchanged_until, view.now
        left = min(until.unix - now.unix, until.monotonic - now.monotonic)
        if left < math.inf:
            job = HassJob(self._async_on_stale, cancel_on_shutdown=True)
            self._unsub_stale = async_call_later(self.hass, left + _ROUNDING, job)

    @callback
    def _async_on_stale(self, _moment: datetime) -> None:
        """Have the entities look again: what they show is too old now, unless there was another reading."""
        self._unsub_stale = None
        self.async_update_listeners()
        self._async_wait_until_stale()

    @callback
    def _async_stop_waiting(self) -> None:
        """Forget when values become stale."""
        if self._unsub_stale:
            self._unsub_stale()
            self._unsub_stale = None

    @callback
    def _async_stop_poll(self) -> None:
        """End a poll that is under way, and take nothing of it."""
        if self._poll:
            self._poll.cancel()

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Tell the entities of each failure. The base class tells of the first only, but the next may differ."""
        if not self.last_update_success:
            self.async_update_listeners()

    @override
    async def async_shutdown(self) -> None:
        """End with the entry."""
        await super().async_shutdown()
        self._async_stop_poll()
        self._async_stop_waiting()


def _topped_up(before: Account, after: Account) -> Ledger | None:
    """Return the ledger of what the account pays with if the step from one account to the next has topped it up."""
    told = [ledger.top_up for ledger in before.ledgers]
    ledger = after.ledger
    return ledger if ledger and ledger.top_up and ledger.top_up not in told else None
