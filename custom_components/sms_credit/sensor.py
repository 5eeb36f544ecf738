"""Sensors of an account: what it has, what it spends and how long that lasts; status; when the provider updated it."""

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
from homeassistant.const import EntityCategory, Platform, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN, PROBLEM_SILENT
from .coordinator import SmsCreditConfigEntry, SmsCreditCoordinator
from .entity import SmsCreditEntity, SmsCreditEntityDescription, async_keep_entities, spends
from .lib.sms_credit_core import AccountView, Reading, Status, Value
from .options import DAY

PARALLEL_UPDATES = 0

ATTR_PROBLEMS = "problems"
ATTR_REASON = "reason"

_UNITS = {
    value: f"component.{DOMAIN}.entity.sensor.{key}.unit_of_measurement"
    for value, key in ((Value.QUOTA, "sms_quota"), (Value.CREDITS, "credits"))
}
"""The translated units of what an account can pay with beside money."""

STATES = {status: "data_unavailable" if status is Status.UNAVAILABLE else status.value for status in Status}
"""The states of the status sensor. Home Assistant has its own meaning for `unavailable`: it hears nothing."""


type _Number = Decimal | int | float | datetime


@dataclass(frozen=True, kw_only=True)
class SmsCreditSensorDescription(SmsCreditEntityDescription, SensorEntityDescription):
    """Describes a sensor that shows a value of the account."""

    value_fn: Callable[[AccountView], _Number | None]


def _of(value_fn: Callable[[Reading], _Number | None]) -> Callable[[AccountView], _Number | None]:
    """Return what gives a value of the last good reading while that is known."""
    return lambda view: value_fn(view.known) if view.known else None


def _plain(number: Decimal | None) -> Decimal | None:
    """Return the same number written without an exponent, as a state is read by people."""
    return number if number is None else Decimal(f"{number:f}")


def _runway(view: AccountView) -> float | None:
    """Return days to three digits: an estimate has no more, and would be another state with every poll."""
    runway = view.runway
    return None if runway is None else float(f"{runway / DAY:.3g}")


def _spent(view: AccountView) -> Decimal | None:
    """Return what the account has spent of what it pays with now."""
    ledger = view.account.ledger
    if not ledger or not view.known:
        return None
    return _plain(ledger.spent) if ledger.spent else Decimal(0)  # however many digits a zero has


SPENT = SmsCreditSensorDescription(key="spent", state_class=SensorStateClass.TOTAL, exists_fn=spends, value_fn=_spent)

SENSORS = (
    SmsCreditSensorDescription(
        key="balance",
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
        exists_fn=lambda view: view.gives(Value.BALANCE),
        value_fn=_of(lambda reading: _plain(reading.balance)),
    ),
    SmsCreditSensorDescription(
        key="sms_quota",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        exists_fn=lambda view: view.gives(Value.QUOTA),
        value_fn=_of(lambda reading: reading.quota),
    ),
    SmsCreditSensorDescription(
        key="credits",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        exists_fn=lambda view: view.gives(Value.CREDITS),
        value_fn=_of(lambda reading: _plain(reading.credits)),
    ),
    SmsCreditSensorDescription(
        key="runway",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.DAYS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        exists_fn=spends,
        value_fn=_runway,
    ),
    SPENT,
    SmsCreditSensorDescription(
        key="provider_updated",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        # It changes with every poll, and each change is an activity of the account.
        entity_registry_enabled_default=False,
        exists_fn=lambda view: view.gives(Value.PROVIDER_UPDATED),
        value_fn=_of(lambda reading: reading.provider_updated),
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
    await async_keep_entities(hass, entry, Platform.SENSOR, SENSORS, _sensor, async_add_entities)


class SmsCreditSensor(SmsCreditEntity, SensorEntity):
    """A sensor of one account."""

    @property
    @override
    def _shows(self) -> tuple[object, ...]:
        # As text: 0 and 0.00 are equal, but not the same state.
        return *super()._shows, str(self.native_value), self.native_unit_of_measurement


class AccountSensor(SmsCreditSensor):
    """A value of the account."""

    entity_description: SmsCreditSensorDescription

    @property
    @override
    def native_value(self) -> _Number | None:
        """Return the value while it is known."""
        return self.entity_description.value_fn(self.coordinator.view)

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the currency, which each answer names; the others' units are translated texts."""
        if self.device_class is SensorDeviceClass.MONETARY:
            return self.coordinator.view.currency
        return self.entity_description.native_unit_of_measurement


class SpentSensor(AccountSensor):
    """What the account has spent, in money, messages or credits: what it pays with shows with the first reading.

    There is no unit before, which could be wrong. If it changes later, a repair of Home Assistant's asks what to do
    with the statistics; it never adds up what has different units.
    """

    @property
    @override
    def _shows(self) -> tuple[object, ...]:
        return *super()._shows, self.device_class, self.last_reset

    @property
    def _pays_with(self) -> Value:
        ledger = self.coordinator.data.ledger
        return ledger.pays_with if ledger else Value.BALANCE

    @property
    @override
    def device_class(self) -> SensorDeviceClass | None:
        """Return that it is money, if it is."""
        return SensorDeviceClass.MONETARY if self._pays_with is Value.BALANCE else None

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the ledger's unit; messages have the one of the quota, and credits their own."""
        if unit := _UNITS.get(self._pays_with):
            return self.platform_data.default_language_platform_translations[unit]
        ledger = self.coordinator.data.ledger
        return (ledger.currency or None) if ledger else None

    @property
    @override
    def suggested_display_precision(self) -> int:
        """Return the precision of the unit."""
        return 0 if self._pays_with is Value.QUOTA else 2

    @property
    @override
    def last_reset(self) -> datetime:
        """Return since when it is counted, so that no statistics take back what an account spent before that."""
        return self.coordinator.began


def _sensor(coordinator: SmsCreditCoordinator, description: SmsCreditSensorDescription) -> AccountSensor:
    return (SpentSensor if description is SPENT else AccountSensor)(coordinator, description)


class StatusSensor(SmsCreditSensor):
    """What the last poll came to, and what there is for the user to see to."""

    _unrecorded_attributes = frozenset({ATTR_PROBLEMS, ATTR_REASON})

    @property
    @override
    def _shows(self) -> tuple[object, ...]:
        return *super()._shows, self.extra_state_attributes

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return the problems, each with the time since when, and why the provider's answer is no reading."""
        problems = {
            problem: since.isoformat()
            for problem, since in self.coordinator.problems.items()
            if problem != PROBLEM_SILENT  # which is the provider's to see to
        }
        return {
            ATTR_PROBLEMS: problems,
            ATTR_REASON: self._reason(),
        }

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Come last, so that who listens to the status finds the other entities as they are now."""
        self.hass.loop.call_soon(super()._handle_coordinator_update)

    def _reason(self) -> str | None:
        """Return in Home Assistant's language what the log says too."""
        problem = self.coordinator.data.problem
        if problem is None:
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
