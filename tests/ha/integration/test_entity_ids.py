"""The ids of entities: the same in every language, so that what is shared fits everybody."""

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.generated.languages import NATIVE_ENTITY_IDS
from homeassistant.helpers import entity_registry as er
from homeassistant.util import slugify

from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS

from .conftest import account, entity_id, set_up, texts

pytestmark = pytest.mark.usefixtures("providers", "every_entity")

LIMITS = {"low_quota": "500", "message_price": "0.021"}


def in_english() -> dict[str, str]:
    """Return the id that each kind of entity has where the account is called OTP, by its key."""
    return {
        key: f"{platform}.otp_{slugify(words['name'])}"
        for platform, entities in texts("en")["entity"].items()
        for key, words in entities.items()
    }


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("language", ["en", "tr", "de", "ja"])
async def test_ids_are_english_whatever_the_language_is(hass: HomeAssistant, language: str, provider: str) -> None:
    """Home Assistant would make them of the names in its own language, if that is written in Latin letters."""
    hass.config.language = language
    entry = account(provider, title="OTP", **LIMITS)
    await set_up(hass, entry)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert entities
    assert {each.entity_id for each in entities} <= set(in_english().values())
    assert {each.entity_id: each.translation_key for each in entities} == {
        in_english()[each.translation_key]: each.translation_key for each in entities
    }


async def test_names_are_in_the_users_language_all_the_same(hass: HomeAssistant) -> None:
    """What is read is translated, whatever the id is; and an id that a user has given stays."""
    assert "tr" in NATIVE_ENTITY_IDS
    hass.config.language = "tr"
    entry = account("23telecom", title="OTP", low_balance="50")
    await set_up(hass, entry)
    low = hass.states.get("binary_sensor.otp_low_credit")
    assert low.name == f"OTP {texts('tr')['entity']['binary_sensor']['low_credit']['name']}"
    er.async_get(hass).async_update_entity(low.entity_id, new_entity_id="binary_sensor.bakiye")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert entity_id(hass, entry, "low_credit") == "binary_sensor.bakiye"
