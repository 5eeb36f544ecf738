"""The event of an account: credit was added."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SmsCreditConfigEntry
from .entity import SmsCreditEntity, SmsCreditEntityDescription, async_keep_entities, spends
from .lib.sms_credit_core import Ledger

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

    _told: Ledger | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Tell what the first poll has found, which Home Assistant has come back for."""
        await super().async_added_to_hass()
        self._tell()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._tell()
        super()._handle_coordinator_update()

    @callback
    def _tell(self) -> None:
        """Tell of a top-up that the last poll has brought, unless that has been done."""
        ledger = self.coordinator.topped_up
        if ledger and ledger.top_up and ledger is not self._told:
            # The amount as exact text, as states are. There is no currency where messages were added.
            amount = f"{ledger.top_up.amount:f}"
            self._trigger_event("topped_up", {ATTR_AMOUNT: amount, ATTR_CURRENCY: ledger.currency or None})
        self._told = ledger
