"""What happens to an account, told once each: to the triggers of automations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from .const import DOMAIN, PROBLEM_ACCESS, PROBLEM_BLOCKED, PROBLEM_LOW, PROBLEM_SILENT, PROBLEM_UNUSUAL
from .lib.sms_credit_core import Ledger

_BEGINNINGS = {
    PROBLEM_LOW: "credit_became_low",
    PROBLEM_BLOCKED: "sending_blocked",
    PROBLEM_UNUSUAL: "spending_became_unusual",
    PROBLEM_ACCESS: "access_lost",
    PROBLEM_SILENT: "readings_stopped",
}
_ENDS = {PROBLEM_LOW: "credit_no_longer_low"}
_ADDED = "credit_added"

HAPPENINGS = (*_BEGINNINGS.values(), *_ENDS.values(), _ADDED)
"""All that can be told of an account, each the key of its trigger."""

_SETTLING = 1.0
"""Seconds after Home Assistant's start, when automations begin to listen."""


def signal_of(entry_id: str) -> str:
    """Return the signal by which an account's news are told."""
    return f"{DOMAIN}_{entry_id}_news"


@dataclass(frozen=True)
class Happening:
    """One thing that has happened."""

    what: str
    """One of HAPPENINGS."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What is to be known of it, by the names under which automations find it."""
    problem: str | None = None
    """The problem that has begun, if it is that: news only while it lasts."""


class News:
    """The news of one account. Nobody hears them before Home Assistant has started, so they wait for that."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Begin with nothing to tell."""
        self._hass, self._entry = hass, entry
        self._untold: list[Happening] = []
        self._problems: Mapping[str, datetime] = {}
        self._heard = False

    @callback
    def async_start(self) -> None:
        """Tell from when automations listen."""
        self._entry.async_on_unload(async_at_started(self._hass, self._async_started))

    @callback
    def _async_started(self, _hass: HomeAssistant) -> None:
        job = HassJob(self._async_settled, cancel_on_shutdown=True)
        self._entry.async_on_unload(async_call_later(self._hass, _SETTLING, job))

    @callback
    def _async_settled(self, _moment: datetime) -> None:
        self._heard = True
        self.async_tell()

    @callback
    def async_note_problems(self, before: Mapping[str, datetime], after: Mapping[str, datetime]) -> None:
        """Note which problems have begun or ended."""
        self._problems = after
        began = [problem for problem in after if problem not in before]
        self._untold += [Happening(_BEGINNINGS[problem], problem=problem) for problem in began]
        self._untold += [Happening(what) for problem, what in _ENDS.items() if problem in before.keys() - after.keys()]

    @callback
    def async_note_top_up(self, ledger: Ledger | None) -> None:
        """Note the top-up that a poll has brought, if it has."""
        if ledger and ledger.top_up:
            details = {"amount": f"{ledger.top_up.amount:f}", "currency": ledger.currency or None}
            self._untold.append(Happening(_ADDED, details))

    @callback
    def async_tell(self) -> None:
        """Tell what has been noted, but not of a problem that is over already."""
        if not self._heard:
            return
        untold, self._untold = self._untold, []
        for happening in untold:
            if happening.problem is None or happening.problem in self._problems:
                async_dispatcher_send(self._hass, signal_of(self._entry.entry_id), happening)
