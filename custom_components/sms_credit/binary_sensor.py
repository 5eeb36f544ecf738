"""Binary sensors of an account: credit blocked by the provider, credit low by the user's own limits."""

import json
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass  # 2026.10's root does not export it
from homeassistant.const import STATE_ON, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity

from .const import CONF_LOW_BALANCE, CONF_LOW_QUOTA
from .coordinator import PROBLEM_LOW, SmsCreditConfigEntry
from .entity import SmsCreditEntity, SmsCreditEntityDescription, async_keep_entities
from .lib.sms_credit_core import Value

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SmsCreditBinarySensorDescription(SmsCreditEntityDescription, BinarySensorEntityDescription):
    """Describes a binary sensor by the class that tells its state."""

    entity_class: type[SmsCreditBinarySensor]


class SmsCreditBinarySensor(SmsCreditEntity, BinarySensorEntity):
    """A binary sensor of one account."""


class CreditBlockedSensor(SmsCreditBinarySensor):
    """Whether the provider refuses to send for lack of credit."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return what the last good reading says while it is known."""
        return self.coordinator.view.blocked


class LowCreditSensor(SmsCreditBinarySensor, RestoreEntity):
    """Whether a limit of the user is reached.

    Once low, it stays so until a reading says otherwise, through outages, onboarding and restarts: nobody is alarmed
    twice by the same low credit, and nobody is told that all is well by a provider that is silent.
    """

    _unrecorded_attributes = frozenset({CONF_LOW_BALANCE, CONF_LOW_QUOTA})

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return the limits as the user entered them, for the words of an alarm."""
        options = self.coordinator.config_entry.options
        # Each option is the text of a number; JSON keeps 50 from becoming 50.0.
        return {name: json.loads(text) for name, text in options.items() if name in self._unrecorded_attributes}

    @override
    async def async_added_to_hass(self) -> None:
        """Remember a low credit from before the restart."""
        await super().async_added_to_hass()
        before = await self.async_get_last_state()
        if before and before.state == STATE_ON and PROBLEM_LOW not in self.coordinator.problems:
            self.coordinator.async_look({PROBLEM_LOW: before.last_changed})

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether the credit is low, as far as it was ever known."""
        return self.coordinator.low

    @property
    @override
    def available(self) -> bool:
        """Stay available while it is low."""
        return super().available or self.is_on is True


BINARY_SENSORS = (
    SmsCreditBinarySensorDescription(
        key="credit_blocked",
        device_class=BinarySensorDeviceClass.PROBLEM,
        exists_fn=lambda view: view.gives(Value.CREDIT_BLOCKED),
        entity_class=CreditBlockedSensor,
    ),
    SmsCreditBinarySensorDescription(
        key="low_credit",
        device_class=BinarySensorDeviceClass.PROBLEM,
        exists_fn=lambda view: bool(view.limits.thresholds),
        entity_class=LowCreditSensor,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: SmsCreditConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors that the account has."""
    await async_keep_entities(
        hass,
        entry,
        Platform.BINARY_SENSOR,
        BINARY_SENSORS,
        lambda coordinator, description: description.entity_class(coordinator, description),
        async_add_entities,
    )
