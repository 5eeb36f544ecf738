"""Triggers of automations: what happens to accounts, in words of their own."""

from typing import Any, ClassVar, override

import probatio
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_DEVICE_ID, CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig, TriggerNotTriggeredReporter
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .news import HAPPENINGS, Happening, signal_of

_CONFIG_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_OPTIONS): {
            probatio.Required(ATTR_DEVICE_ID): probatio.All(cv.ensure_list, probatio.Length(min=1), [cv.string])
        }
    }
)


def _entry_of(hass: HomeAssistant, device_id: str) -> ConfigEntry[Any] | None:
    """Return the account that a device stands for, if it is one."""
    return dr.async_get_device_and_config_entry_for_domain(hass, device_id, domain=DOMAIN)[1]


class AccountTrigger(Trigger):
    """Triggers when one thing happens to one of some accounts."""

    what: ClassVar[str]
    """One of HAPPENINGS."""

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Refuse what is no account; the automation is then shown as in need of repair."""
        checked: ConfigType = _CONFIG_SCHEMA(config)
        for device_id in checked[CONF_OPTIONS][ATTR_DEVICE_ID]:
            if _entry_of(hass, device_id) is None:
                message = f"Device {device_id} is not an SMS account"
                raise probatio.Invalid(message)
        return checked

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take the accounts, each by its device."""
        super().__init__(hass, config)
        self._device_ids: list[str] = (config.options or {})[ATTR_DEVICE_ID]

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None = None
    ) -> CALLBACK_TYPE:
        """Listen to the news of each account, whether or not it is set up yet."""
        listening = [
            self._listen(device_id, entry, run_action)
            for device_id in self._device_ids
            if (entry := _entry_of(self._hass, device_id))  # it may be removed after the automation was checked
        ]

        @callback
        def stop() -> None:
            for unsubscribe in listening:
                unsubscribe()

        return stop

    @callback
    def _listen(self, device_id: str, entry: ConfigEntry[Any], run_action: TriggerActionRunner) -> CALLBACK_TYPE:
        @callback
        def hear(happening: Happening) -> None:
            if happening.what == self.what:
                told = {ATTR_DEVICE_ID: device_id, "account": entry.title, **happening.details}
                run_action(told, f"{happening.what} of {entry.title}")

        return async_dispatcher_connect(self._hass, signal_of(entry.entry_id), hear)


def _trigger_of(happening: str) -> type[Trigger]:
    return type(happening, (AccountTrigger,), {"what": happening})


_TRIGGERS = {happening: _trigger_of(happening) for happening in HAPPENINGS}


async def async_get_triggers(_hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers by their keys."""
    return _TRIGGERS
