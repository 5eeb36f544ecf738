"""One account in Home Assistant: when its provider is asked, and which of Home Assistant's words the outcome gets."""

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.httpx_client import get_async_client
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .const import (
    CONF_LOW_BALANCE,
    CONF_LOW_QUOTA,
    CONF_MESSAGE_PRICE,
    CONF_PROVIDER,
    DOMAIN,
    POLL_INTERVAL,
    STALE_AFTER,
)
from .issues import async_update_issues
from .lib.sms_credit_core import (
    PROVIDERS,
    Account,
    Instant,
    Limits,
    Problem,
    Provider,
    Reading,
    Secret,
    Status,
    poll,
)

_LOGGER = logging.getLogger(__name__)

_ROUNDING = 1.0
"""Seconds by which a coordinator may be early: it schedules by whole ones."""

_PARSERS = {CONF_LOW_BALANCE: Decimal, CONF_LOW_QUOTA: int, CONF_MESSAGE_PRICE: Decimal}

type SmsCreditConfigEntry = ConfigEntry[SmsCreditCoordinator]


async def async_ask(hass: HomeAssistant, provider: Provider, data: Mapping[str, Any]) -> Reading | Problem:
    """Ask the provider once, with the credentials that stand in an entry's data under their own names."""
    credentials = {field.name: Secret(data[field.name]) for field in provider.credentials if field.name in data}
    return await poll(get_async_client(hass), provider, credentials, unix_time=time.time)


class SmsCreditCoordinator(DataUpdateCoordinator[Account]):
    """Keeps `data` as the account is after the last poll, failed or not."""

    config_entry: SmsCreditConfigEntry

    def __init__(self, hass: HomeAssistant, entry: SmsCreditConfigEntry) -> None:
        """Take an account that has not been polled yet."""
        self.provider = PROVIDERS[entry.data[CONF_PROVIDER]]
        self.limits = Limits(**{name: _PARSERS[name](text) for name, text in entry.options.items()})
        self._interval = max(POLL_INTERVAL, self.provider.min_poll_interval)
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=timedelta(seconds=self._interval),
        )
        self.data = Account()
        self._unsub_stale: CALLBACK_TYPE | None = None

    @property
    def known(self) -> Reading | None:
        """The values that may be shown; None where there are none, or where they are too old."""
        reading = self.data.known(now(), STALE_AFTER)
        return self.limits.priced(reading) if reading else None

    @property
    def currency(self) -> str | None:
        """The account's currency, which stays known when its balance does not."""
        return self.data.reading.currency if self.data.reading else self.provider.currency

    @property
    def asked_recently(self) -> bool:
        """Whether asking now would be more often than the provider wants, whoever wishes it."""
        if self.data.polled_at is None:
            return False
        pause = max(self.provider.min_poll_interval, self.data.next_poll_in(0))
        return self.data.polled_at.age(now()) < pause - _ROUNDING

    @override
    async def _async_update_data(self) -> Account:
        """Return the account if the provider answered about it; raise its problem otherwise."""
        if not self.asked_recently:
            await self._async_ask()
        problem = self.data.problem
        if problem is None or problem.status.up:
            return self.data
        if problem.status is Status.AUTH_FAILED:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key=problem.cause,
                translation_placeholders={"detail": problem.detail or ""},
            )
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=problem.cause,
            translation_placeholders={"detail": problem.detail or ""},
            retry_after=self.data.next_poll_in(self._interval),
        )

    async def _async_ask(self) -> None:
        """Take the next outcome into the account."""
        begun = time.monotonic()
        outcome = await async_ask(self.hass, self.provider, self.config_entry.data)
        self.data = self.data.after(outcome, now(), time.monotonic() - begun)
        async_update_issues(self.hass, self.config_entry, self.provider, self.data)
        if isinstance(outcome, Reading):
            self._async_stop_waiting()
            # A later poll may never come, as when the user has switched polling off.
            job = HassJob(self._async_on_stale, cancel_on_shutdown=True)
            self._unsub_stale = async_call_later(self.hass, STALE_AFTER + _ROUNDING, job)

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
    @override
    def _async_refresh_finished(self) -> None:
        """Tell of a failure that follows a failure, which the base class keeps to itself: its reason may be another."""
        if not self.last_update_success:
            self.async_update_listeners()

    @override
    async def async_shutdown(self) -> None:
        """End with the entry."""
        self._async_stop_waiting()
        await super().async_shutdown()


def now() -> Instant:
    """Read both clocks."""
    return Instant(unix=time.time(), monotonic=time.monotonic())
