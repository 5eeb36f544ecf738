"""What a user puts into a bug report."""

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.sms_credit.const import DOMAIN

from .conftest import CREDENTIALS, Answer, Providers, account, pass_time, raw, set_up

# Home Assistant's own web server is what aiohttp warns of.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")

COURSES = [
    pytest.param("23telecom", ["healthy"], id="healthy"),
    pytest.param("23telecom", ["healthy", "error_ip_not_allowed"], id="access denied"),
    pytest.param("23telecom", ["onboarding"], id="onboarding"),
    pytest.param("23telecom", ["negative_balance_blocked", "unavailable_cache_disabled"], id="held and blocked"),
    pytest.param("iletimerkezi", ["zero_balance_blocked", raw(429, Retry_After="900")], id="zero, then limited"),
    pytest.param("iletimerkezi", ["healthy", "amount_as_text"], id="unreadable"),
]


@pytest.mark.freeze_time("2026-11-21 12:00:00+00:00")
@pytest.mark.parametrize(("provider", "answers"), COURSES)
async def test_diagnostics_tell_how_it_is_but_no_amount(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    snapshot: SnapshotAssertion,
    provider: str,
    answers: list[Answer],
) -> None:
    """Status, cause, code, counters, ages and what is set; nobody is asked for it."""
    providers.answer(provider, answers[0])
    entry = account(provider, title="Secret Ltd.", low_balance="77.77")
    await set_up(hass, entry)
    for answer in answers[1:]:
        providers.answer(provider, answer)
        await pass_time(hass, freezer)
    asked = len(providers.requests)
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert diagnostics == snapshot
    assert len(providers.requests) == asked
    unwanted = (*CREDENTIALS[provider].values(), "Secret Ltd.", "77.77", "1250", "10.584", "67", entry.entry_id)
    assert [each for each in unwanted if each in str(diagnostics)] == []


async def test_an_account_that_fails_to_set_up_has_diagnostics_too(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, providers: Providers
) -> None:
    """That is when a bug is reported."""
    secret = "hmac_never_print_me"
    entry = MockConfigEntry(
        domain=DOMAIN, data={"provider": "23telecom", **CREDENTIALS["23telecom"], "api_secret": secret}
    )
    providers.answer("23telecom", "error_500_html")
    await set_up(hass, entry)
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert diagnostics["credentials_set"] == ["api_key", "api_secret"]
    assert diagnostics["problem"] == {"cause": "provider_error", "code": None, "detail": "500", "retry_after": None}
    assert secret not in str(diagnostics)
