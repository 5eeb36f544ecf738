"""SMS Credit: balance, SMS quota and credit block of prepaid SMS accounts.

config_flow.py                  forms: choose a provider, its credentials, options
accounts.py                     asks a provider; carries a form's answer to its entry
memory.py                       what is remembered of an account over reloads and restarts
options.py                      what the user has set: stored, in a form, in the core
coordinator.py                  one account: asked every few minutes, and what came of it
sensor.py, binary_sensor.py,    the entities, on the base in entity.py; they only read
event.py
news.py, trigger.py             what happens to the account, and the triggers of automations that hear of it
issues.py, repairs.py           what the user has to see to at the provider, and "check now"
diagnostics.py                  the shape of it all for a bug report
const.py                        names that Home Assistant knows it by
lib/sms_credit_core             the provider core: requests, strict reading, account over time
"""

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant

from .coordinator import SmsCreditConfigEntry, SmsCreditCoordinator
from .issues import async_delete_issues
from .memory import async_forget

PLATFORMS = [Platform.BINARY_SENSOR, Platform.EVENT, Platform.SENSOR]


async def async_setup_entry(hass: HomeAssistant, entry: SmsCreditConfigEntry) -> bool:
    """Set up one account, whatever its first poll comes to.

    The entities do not depend on an answer. They are needed most when there is none: the status says why, and a
    credit that was low before must not alarm twice.
    """
    # Before the first poll, so that a form for new credentials can say why the old ones fail.
    entry.runtime_data = SmsCreditCoordinator(hass, entry)
    await entry.runtime_data.async_start()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    # No change by the user reloads the entry. A reload would end a low credit and begin it again, as if it were new.
    entry.async_on_unload(entry.add_update_listener(_async_entry_changed))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: SmsCreditConfigEntry) -> bool:
    """Unload one account. A poll that is under way ends without a result."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    await entry.runtime_data.async_shutdown()
    await entry.runtime_data.async_save()
    async_delete_issues(hass, entry)
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: SmsCreditConfigEntry) -> None:
    """Forget a removed account."""
    await async_forget(hass, entry)


async def _async_entry_changed(_hass: HomeAssistant, entry: SmsCreditConfigEntry) -> None:
    """Have the entities look at the limits anew."""
    entry.runtime_data.async_take_options()
