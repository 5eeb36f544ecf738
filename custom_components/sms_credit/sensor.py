"""Sensors of an account: balance, SMS quota, status, and when the provider last updated them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN
from .coordinator import SmsCreditConfigEntry
from .entity import SmsCreditEntity, SmsCreditEntityDescription, async_keep_entities
from .lib.sms_credit_core import Reading, Status, Value

PARALLEL_UPDATES = 0

ATTR_PROBLEMS = "problems"
ATTR_REASON = "reason"

STATES = {status: "data_unavailable" if status is Status.UNAVAILABLE else status.value for status in Status}
"""The states of the status sensor. Home Assistant has its own meaning for `unavailable`: it hears nothing."""


@dataclass(frozen=True, kw_only=True)
class SmsCreditSensorDescription(SmsCreditEntityDescription, SensorEntityDescription):
    """Describes a sensor that shows a value of the last good reading."""

    value_fn: Callable[[Reading], Decimal | int | datetime | None]


def _plain(number: Decimal | None) -> Decimal | None:
    """Return the same number written without an exponent, as a state is read by people."""
    return number if number is None else Decimal(f"{number:f}")


SENSORS = (
    SmsCreditSensorDescription(
        key="balance",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
        exists_fn=lambda view: view.gives(Value.BALANCE),
        value_fn=lambda reading: _plain(reading.balance),
    ),
    SmsCreditSensorDescription(
        key="sms_quota",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        exists_fn=lambda view: view.gives(Value.QUOTA),
        value_fn=lambda reading: reading.quota,
    ),
    SmsCreditSensorDescription(
        key="provider_updated",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        # It changes with every poll, and each change is an activity of the account.
        entity_registry_enabled_default=False,
        exists_fn=lambda view: view.gives(Value.PROVIDER_UPDATED),
        value_fn=lambda reading: reading.provider_updated,
    ),
)

STATUS = SensorEntityDescription(
    key="status",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=list(STATES.values()),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: SmsCreditConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors that the account has."""
    async_add_entities([StatusSensor(entry.runtime_data, STATUS)])
    await async_keep_entities(hass, entry, Platform.SENSOR, SENSORS, ReadingSensor, async_add_entities)


class ReadingSensor(SmsCreditEntity, SensorEntity):
    """A value of the last good reading."""

    entity_description: SmsCreditSensorDescription

    @property
    @override
    def native_value(self) -> Decimal | int | datetime | None:
        """Return the value while it is known."""
        known = self.coordinator.view.known
        return self.entity_description.value_fn(known) if known else None

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the currency, which each answer names; the quota's unit is a translated text."""
        return self.coordinator.view.currency if self.device_class is SensorDeviceClass.MONETARY else None


class StatusSensor(SmsCreditEntity, SensorEntity, RestoreEntity):
    """What the last poll came to, and what there is for the user to see to."""

    _unrecorded_attributes = frozenset({ATTR_PROBLEMS, ATTR_REASON})

    @override
    async def async_added_to_hass(self) -> None:
        """Remember since when there were problems before the restart."""
        await super().async_added_to_hass()
        before = await self.async_get_last_state()
        since = before.attributes.get(ATTR_PROBLEMS, {}) if before else {}
        self.coordinator.async_look({problem: datetime.fromisoformat(time) for problem, time in since.items()})

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return the problems, each with the time since when, and why the provider's answer is no reading."""
        return {
            ATTR_PROBLEMS: {problem: since.isoformat() for problem, since in self.coordinator.problems.items()},
            ATTR_REASON: self._reason(),
        }

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Come last, so that who listens to the status finds the other entities as they are now."""
        self.schedule_update_ha_state()

    def _reason(self) -> str | None:
        """Return in Home Assistant's language what the log says too."""
        problem = self.coordinator.data.problem
        if problem is None or problem.status.up:
            return None
        texts = async_get_cached_translations(self.hass, self.hass.config.language, "exceptions", DOMAIN)
        return texts[f"component.{DOMAIN}.exceptions.{problem.cause}.message"].format(detail=problem.detail)

    @property
    @override
    def available(self) -> bool:
        """Stay available when the provider is not: saying so is what this sensor is for."""
        return True

    @property
    @override
    def native_value(self) -> str:
        """Return the status by its word."""
        return STATES[self.coordinator.data.status]
