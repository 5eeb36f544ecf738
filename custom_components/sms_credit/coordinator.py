"""One account in Home Assistant: when its provider is asked, and which of Home Assistant's words the outcome gets."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .accounts import async_ask, async_recall, async_remember
from .const import CONF_PROVIDER, DOMAIN
from .issues import async_update_issues
from .lib.sms_credit_core import (
    DEFAULT_POLL_INTERVAL,
    OUTAGES,
    PROVIDERS,
    REFUSALS,
    Account,
    AccountView,
    Instant,
    Status,
)
from .options import limits_of

_LOGGER = logging.getLogger(__name__)

_ROUNDING = 1.0
"""Seconds by which a coordinator may be early: it schedules by whole ones."""

_SETUP_PATIENCE = 2.0
"""Seconds that setting up waits for the first answer; Home Assistant's start waits for what is set up."""

PROBLEM_LOW, PROBLEM_BLOCKED, PROBLEM_ACCESS = "low", "blocked", "access"

type SmsCreditConfigEntry = ConfigEntry[SmsCreditCoordinator]


class SmsCreditCoordinator(DataUpdateCoordinator[Account]):
    """Keeps `data` as the account is after the last poll, failed or not."""

    config_entry: SmsCreditConfigEntry

    def __init__(self, hass: HomeAssistant, entry: SmsCreditConfigEntry) -> None:
        """Take an entry's account as far as it is known."""
        self.provider = PROVIDERS[entry.data[CONF_PROVIDER]]
        self.interval = max(DEFAULT_POLL_INTERVAL, self.provider.min_poll_interval)
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=timedelta(seconds=self.interval),
        )
        self.data = async_recall(hass, entry.data)
        self.problems: dict[str, datetime] = {}
        """What the user has to see to, and since when. An answer ends it; silence and restarts do not."""
        self._poll: asyncio.Task[None] | None = None
        self._unsub_stale: CALLBACK_TYPE | None = None

    @property
    def view(self) -> AccountView:
        """The account as it is at this moment, by what the user's options say now."""
        return AccountView(
            provider=self.provider,
            limits=limits_of(self.config_entry.options),
            account=self.data,
            now=Instant.now(),
        )

    @property
    def asked_recently(self) -> bool:
        """Whether asking now would be more often than the provider wants, whoever wishes it."""
        if self.data.polled_at is None:
            return False
        pause = max(self.provider.min_poll_interval, self.data.next_poll_in(0))
        return self.data.polled_at.age(Instant.now()) < pause - _ROUNDING

    @property
    def low(self) -> bool | None:
        """Whether a limit is reached, or was when it could last be told; None if neither."""
        return True if PROBLEM_LOW in self.problems else self.view.low

    @callback
    def async_look(self, before: Mapping[str, datetime] | None = None) -> None:
        """See what there is for the user to see to; `before` is what there was before a restart."""
        since = {**self.problems, **(before or {})}
        self.problems = {
            problem: since.get(problem, dt_util.utcnow())
            for problem, holds in self._found().items()
            if holds or (holds is None and problem in since)
        }

    def _found(self) -> Mapping[str, bool | None]:
        """Return whether there is each problem; None where nothing is heard of it."""
        view = self.view
        silent = view.status in OUTAGES or view.status is Status.PENDING
        return {
            PROBLEM_LOW: view.low if view.limits.thresholds else False,
            PROBLEM_BLOCKED: view.blocked,
            PROBLEM_ACCESS: None if silent else view.status in REFUSALS,
        }

    @callback
    @override
    def async_update_listeners(self) -> None:
        """See what there is before the entities do."""
        self.async_look()
        super().async_update_listeners()

    async def async_start(self) -> None:
        """Begin with a poll, unless there was one a moment ago. A provider that is slow keeps nobody from starting."""
        first = self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"{self.name} first poll"
        )
        await asyncio.wait({first}, timeout=_SETUP_PATIENCE)

    async def async_take_over(self) -> None:
        """Go on with the credentials that a form has just tried, and with what came of that."""
        self._async_stop_poll()
        await self.async_refresh()

    @override
    async def _async_update_data(self) -> Account:
        """Return the account if the provider answered about it; raise its problem otherwise."""
        self._async_take(async_recall(self.hass, self.config_entry.data))
        if not self.asked_recently:
            await self._async_poll()
        self._async_set_pace()
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
        data = self.config_entry.data
        account = await async_ask(self.hass, data)
        async_remember(self.hass, data, account)
        self._async_take(account)

    @callback
    def _async_take(self, account: Account) -> None:
        """Go on with what is known of the account now, and see to what follows from it."""
        self.data = account
        async_update_issues(self.hass, self.config_entry, self.provider, account)
        if account.status is Status.AUTH_FAILED:
            self.config_entry.async_start_reauth(self.hass)
        elif account.status.up:
            for flow in list(self.config_entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
                self.hass.config_entries.flow.async_abort(flow["flow_id"])
        self._async_stop_waiting()
        if account.read_at and (left := self.view.stale_after + _ROUNDING - account.read_at.age(Instant.now())) > 0:
            # A later poll may never come, as when the user has switched polling off.
            job = HassJob(self._async_on_stale, cancel_on_shutdown=True)
            self._unsub_stale = async_call_later(self.hass, left, job)

    @callback
    def _async_set_pace(self) -> None:
        """Have the base class wait for the rest of the pause after the last poll, whoever asked for that poll."""
        pause, polled_at = self.data.next_poll_in(self.interval), self.data.polled_at
        passed = polled_at.age(Instant.now()) if polled_at else 0.0
        self.update_interval = timedelta(seconds=max(_ROUNDING, pause - passed))

    @callback
    def _async_on_stale(self, _moment: datetime) -> None:
        """Have the entities look again: what they show is too old now."""
        self._unsub_stale = None
        self.async_update_listeners()

    @callback
    def _async_stop_waiting(self) -> None:
        """Forget when the reading becomes stale."""
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
