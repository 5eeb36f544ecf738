"""The event of an account: credit was added."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.start import async_at_started

from .coordinator import SmsCreditConfigEntry, SmsCreditCoordinator
from .entity import SmsCreditEntity, SmsCreditEntityDescription, async_keep_entities, spends
from .lib.sms_credit_core import Ledger, TopUp

PARALLEL_UPDATES = 0

ATTR_AMOUNT = "amount"
ATTR_CURRENCY = "currency"


@dataclass(frozen=True, kw_only=True)
class SmsCreditEventDescription(SmsCreditEntityDescription, EventEntityDescription):
    """Describes an event."""


TOPPED_UP = SmsCreditEventDescription(key="topped_up", event_types=["topped_up"], exists_fn=spends)


async def async_setup_entry(
    hass: HomeAssistant, entry: SmsCreditConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the event that the account has."""
    await async_keep_entities(hass, entry, Platform.EVENT, (TOPPED_UP,), ToppedUpEvent, async_add_entities)


class ToppedUpEvent(SmsCreditEntity, EventEntity):
    """That credit was added, once for each time."""

    def __init__(self, coordinator: SmsCreditCoordinator, description: SmsCreditEventDescription) -> None:
        """Begin with nothing to tell."""
        super().__init__(coordinator, description)
        self._noted: Ledger | None = None
        self._untold: list[tuple[TopUp, str | None]] = []

    @override
    async def async_added_to_hass(self) -> None:
        """Note what the first poll has found. Automations hear nothing before Home Assistant has started."""
        await super().async_added_to_hass()
        self._note()
        self.async_on_remove(async_at_started(self.hass, self._async_started))

    @callback
    def _async_started(self, _hass: HomeAssistant) -> None:
        """Tell, but not before the state is there that it had before."""
        self.hass.loop.call_soon(self._tell)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        # The end of an outage is one change of the state, and the top-up another: triggers skip what was unavailable.
        super()._handle_coordinator_update()
        self._note()
        self._tell()

    @callback
    def _note(self) -> None:
        """Note the top-up that the last poll has brought, if it has."""
        ledger = self.coordinator.topped_up
        if ledger and ledger.top_up and ledger is not self._noted:
            self._untold.append((ledger.top_up, ledger.currency))
        self._noted = ledger

    @callback
    def _tell(self) -> None:
        """Tell what has been noted, each as an event."""
        if self.hass.state is not CoreState.running:
            return
        untold, self._untold = self._untold, []
        for top_up, currency in untold:
            # The amount as exact text, as states are. There is no currency where messages or credits were added.
            self._trigger_event("topped_up", {ATTR_AMOUNT: f"{top_up.amount:f}", ATTR_CURRENCY: currency or None})
            self.async_write_ha_state()
