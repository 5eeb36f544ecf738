"""What is remembered of an account over reloads and restarts, in Home Assistant's own storage: a file for each entry.

The core says what is remembered of the account itself, and in which form. Beside it stand what the user has to see to,
since when, and when counting began. None of it is secret.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, UnsupportedStorageVersionError
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .lib.sms_credit_core import Account, Instant, Owner, SetAside, recalled, remembered

_LOGGER = logging.getLogger(__name__)

_VERSION = 1
"""Of the file; the text in it has a version of its own."""

_LATE = 900.0
"""Seconds. What a poll came to is written before the next poll at the latest, so this counts where polling is off."""


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What is known of an account beside its credentials and options."""

    account: Account = field(default_factory=Account)
    problems: Mapping[str, datetime] = field(default_factory=dict)
    """What the user has to see to, and since when."""
    began: datetime = field(default_factory=dt_util.utcnow)
    """Since when it is counted what the account spends."""

    @classmethod
    def read(cls, stored: Mapping[str, Any], owner: Owner) -> Self | SetAside:
        """Return what was written, or why it is not taken over."""
        account = recalled(stored["account"], owner, Instant.now())
        if isinstance(account, SetAside):
            return account
        problems = {problem: datetime.fromisoformat(since) for problem, since in stored["problems"].items()}
        return cls(account=account, problems=problems, began=datetime.fromisoformat(stored["began"]))


class _Written:
    """What is to be written of an account, which is never changed: the thread that writes the file makes JSON of it."""

    def __init__(self, known: Remembered, owner: Owner) -> None:
        """Take what is known, and whose it is."""
        self._known, self._owner = known, owner

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it; Home Assistant's encoder asks for this."""
        return {
            "account": remembered(self._known.account, self._owner),
            "problems": {problem: since.isoformat() for problem, since in self._known.problems.items()},
            "began": self._known.began.isoformat(),
        }


class Memory:
    """The file of one entry."""

    outcome: str | None = None
    """What came of reading it: `recalled`, or why it was set aside; None where there was nothing to read."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Take the entry, whose title is for the log."""
        self._store = _store(hass, entry)
        self._title = entry.title

    async def async_recall(self, owner: Owner) -> Remembered:
        """Return what is remembered; of an account that is new, or that begins anew, nothing is."""
        stored = await self._async_read(owner)
        if isinstance(stored, SetAside):
            self.outcome = stored.value
            _LOGGER.warning("%s: %s", self._title, stored.text)
            return Remembered()
        self.outcome = "recalled" if stored else None
        return stored or Remembered()

    async def _async_read(self, owner: Owner) -> Remembered | SetAside | None:
        try:
            stored = await self._store.async_load()
            return None if stored is None else Remembered.read(stored, owner)
        except UnsupportedStorageVersionError:
            return SetAside.NEWER
        # Home Assistant moves a file aside that is no JSON. In what is JSON anything may stand, or nothing.
        except HomeAssistantError, LookupError, TypeError, ValueError, AttributeError, NotImplementedError:
            return SetAside.DAMAGED

    async def async_write(self, known: Remembered, owner: Owner) -> None:
        """Write at once."""
        await self._store.async_save(_Written(known, owner))

    @callback
    def async_write_late(self, known: Remembered, owner: Owner) -> None:
        """Write some time, and when Home Assistant stops."""
        self._store.async_delay_save(_Written(known, owner).as_dict, _LATE)


async def async_forget(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Remember nothing of a removed entry."""
    await _store(hass, entry).async_remove()


def _store(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Store[Any]:
    key = f"{DOMAIN}.{entry.entry_id}"
    return Store(hass, _VERSION, key, private=True, atomic_writes=True, serialize_in_event_loop=False)
