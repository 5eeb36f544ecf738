"""What all entities of an account have in common: its device, their names, and which of them there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import SmsCreditConfigEntry, SmsCreditCoordinator
from .lib.sms_credit_core import AccountView, Value


@dataclass(frozen=True, kw_only=True)
class SmsCreditEntityDescription(EntityDescription):
    """Describes an entity that an account may have."""

    exists_fn: Callable[[AccountView], bool]
    """Whether the provider, or an option of the user, can give it."""


def spends(view: AccountView) -> bool:
    """Whether there is anything of which the account could spend."""
    return any(map(view.gives, (Value.BALANCE, Value.QUOTA, Value.CREDITS)))


class SmsCreditEntity(CoordinatorEntity[SmsCreditCoordinator]):
    """An entity of one account."""

    _attr_has_entity_name = True
    _written: tuple[object, State | None] = (None, None)
    """What the state that an update has written shows, and that state."""

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

    @property
    @override
    def suggested_object_id(self) -> str:
        """Return the English name, from which Home Assistant makes the entity's id behind the name of the account.

        By itself it takes the name in the system's language, and nothing that is shared would fit: no dashboard, no
        automation, no answer in a forum.
        """
        names = self.platform_data.default_language_platform_translations
        return names[f"component.{DOMAIN}.entity.{self.platform_data.domain}.{self.translation_key}.name"]

    @property
    def _shows(self) -> tuple[object, ...]:
        """All that the state is made from, and that can change. Each class adds what is its own."""
        return (self.available,)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state if it shows anything new, or if there is one that something else has had written.

        After most polls, nothing has changed.
        """
        shows, (written, state) = self._shows, self._written
        if shows != written or self.hass.states.get(self.entity_id) is not state:
            self.async_write_ha_state()
            self._written = shows, self.hass.states.get(self.entity_id)


async def async_keep_entities[DescriptionT: SmsCreditEntityDescription](  # noqa: PLR0913, PLR0917 - what a platform is given, and what is its own
    hass: HomeAssistant,
    entry: SmsCreditConfigEntry,
    platform: Platform,
    descriptions: tuple[DescriptionT, ...],
    make: Callable[[SmsCreditCoordinator, DescriptionT], SmsCreditEntity],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Have those entities that the account has, now and whenever its options change."""
    coordinator = entry.runtime_data
    registry = er.async_get(hass)
    present: set[str] = set()

    async def follow(_hass: HomeAssistant, _entry: SmsCreditConfigEntry) -> None:
        """Add what is new, and unregister what is gone: an option may have been emptied."""
        existing = {each.key: each for each in descriptions if each.exists_fn(coordinator.view)}
        for each in descriptions:
            entity_id = registry.async_get_entity_id(platform, DOMAIN, _unique_id(coordinator, each))
            if entity_id and each.key not in existing:
                registry.async_remove(entity_id)
        async_add_entities(make(coordinator, each) for key, each in existing.items() if key not in present)
        present.clear()
        present.update(existing)

    await follow(hass, entry)
    entry.async_on_unload(entry.add_update_listener(follow))


def _unique_id(coordinator: SmsCreditCoordinator, description: EntityDescription) -> str:
    return f"{coordinator.config_entry.entry_id}_{description.key}"
