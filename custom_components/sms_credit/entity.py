"""What all entities of an account have in common: its device, their names, and which of them there are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import SmsCreditCoordinator


@dataclass(frozen=True, kw_only=True)
class SmsCreditEntityDescription(EntityDescription):
    """Describes an entity that an account may have."""

    exists_fn: Callable[[SmsCreditCoordinator], bool]
    """Whether the provider, or an option of the user, can give it."""


class SmsCreditEntity(CoordinatorEntity[SmsCreditCoordinator]):
    """An entity of one account."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: SmsCreditCoordinator, description: EntityDescription) -> None:
        """Give it its identity; entry ids stay when titles, credentials and names change."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        self.entity_description = description
        self._attr_translation_key = description.key
        self._attr_unique_id = _unique_id(coordinator, description)
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            entry_type=DeviceEntryType.SERVICE,
            name=entry.title,
            manufacturer=coordinator.provider.name,
            configuration_url=coordinator.provider.panel_url,
        )


@callback
def async_existing[DescriptionT: SmsCreditEntityDescription](
    hass: HomeAssistant,
    platform: Platform,
    coordinator: SmsCreditCoordinator,
    descriptions: Iterable[DescriptionT],
) -> list[DescriptionT]:
    """Return what the account has, and unregister what it had: an option may have been emptied."""
    registry = er.async_get(hass)
    existing = []
    for description in descriptions:
        if description.exists_fn(coordinator):
            existing.append(description)
        elif gone := registry.async_get_entity_id(platform, DOMAIN, _unique_id(coordinator, description)):
            registry.async_remove(gone)
    return existing


def _unique_id(coordinator: SmsCreditCoordinator, description: EntityDescription) -> str:
    return f"{coordinator.config_entry.entry_id}_{description.key}"
