"""Binary sensors of an account: blocked by its provider, low by the user's own limits, unusual by its own past."""

import json
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass  # 2026.10's root does not export it
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_LOW_BALANCE, CONF_LOW_QUOTA, CONF_LOW_RUNWAY
from .coordinator import SmsCreditConfigEntry
from .entity import SmsCreditEntity, SmsCreditEntityDescription, async_keep_entities, spends
from .lib.sms_credit_core import Value

PARALLEL_UPDATES = 0

ATTR_REASONS = "reasons"
_LIMITS = frozenset({CONF_LOW_BALANCE, CONF_LOW_QUOTA, CONF_LOW_RUNWAY})


@dataclass(frozen=True, kw_only=True)
class SmsCreditBinarySensorDescription(SmsCreditEntityDescription, BinarySensorEntityDescription):
    """Describes a binary sensor by the class that tells its state."""

    entity_class: type[SmsCreditBinarySensor]


class SmsCreditBinarySensor(SmsCreditEntity, BinarySensorEntity):
    """A binary sensor of one account."""

    @property
    @override
    def _shows(self) -> tuple[object, ...]:
        return *super()._shows, self.is_on


class CreditBlockedSensor(SmsCreditBinarySensor):
    """Whether the provider refuses to send for lack of credit."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return what the last good reading says while it is known."""
        return self.coordinator.view.blocked


class LowCreditSensor(SmsCreditBinarySensor):
    """Whether a limit of the user is reached.

    Once low, it stays so until a reading says otherwise, through outages, onboarding and restarts: nobody is alarmed
    twice by the same low credit, and nobody is told that all is well by a provider that is silent.
    """

    _unrecorded_attributes = _LIMITS | {ATTR_REASONS}

    @property
    @override
    def _shows(self) -> tuple[object, ...]:
        return *super()._shows, self.extra_state_attributes

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return which limits are reached, and all of them as the user entered them, for the words of an alarm."""
        options = self.coordinator.config_entry.options
        reasons = [limit.value for limit, low in self.coordinator.view.reached.items() if low]
        # Each option is the text of a number; JSON keeps 50 from becoming 50.0.
        limits = {name: json.loads(text) for name, text in options.items() if name in _LIMITS}
        return {**limits, ATTR_REASONS: sorted(reasons)}

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether the credit is low, as far as it was ever known."""
        return self.coordinator.view.low

    @property
    @override
    def available(self) -> bool:
        """Stay available while it is low."""
        return super().available or self.is_on is True


class UnusualSpendingSensor(SmsCreditBinarySensor):
    """Whether the account spends far faster than it ever has."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return it while it is known; it takes two days to tell what is usual."""
        return self.coordinator.view.unusual


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
    SmsCreditBinarySensorDescription(
        key="unusual_spending",
        device_class=BinarySensorDeviceClass.PROBLEM,
        exists_fn=spends,
        entity_class=UnusualSpendingSensor,
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
