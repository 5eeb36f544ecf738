"""One story, same words: whatever keeps an account from being read, Home Assistant says it as the core does."""

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.homeassistant import DOMAIN as HOMEASSISTANT_DOMAIN
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import Account, Cause, Instant, Problem, Status
from custom_components.sms_credit.sensor import STATES

from .conftest import Providers, account, entity_id, pass_time, set_up, texts

DETAIL = "balance"

every_cause = pytest.mark.parametrize("cause", Cause, ids=str)

ASKS = {
    Status.AUTH_FAILED: lambda _: {SOURCE_REAUTH},
    Status.ACCESS_DENIED: lambda cause: {cause.value},
}
"""What asks the user to act, by the status: a form for other credentials, or a repair with the cause's own text."""


async def comes_to(hass: HomeAssistant, problem: Problem) -> str:
    """Have the last poll of an account come to this; return the id of its status."""
    await async_setup_component(hass, HOMEASSISTANT_DOMAIN, {})
    entry = account("23telecom")
    await set_up(hass, entry)
    await entry.runtime_data.async_take_over(Account().after(problem, Instant.now(), 0.1))
    await hass.async_block_till_done()
    return entity_id(hass, entry, "status")


def asked(hass: HomeAssistant) -> set[str]:
    """Return what asks the user to act: forms by their source, repairs by their texts."""
    flows = {flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()}
    return flows | {issue.translation_key for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN}


@pytest.mark.usefixtures("providers")
@every_cause
async def test_the_status_gives_the_reason_and_somebody_is_asked_to_act_if_he_must(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, cause: Cause
) -> None:
    """The reason beside the status is the core's sentence; so is the line in the log, if the poll has failed."""
    problem = Problem(cause=cause, detail=DETAIL)
    status = hass.states.get(await comes_to(hass, problem))
    assert status.state == STATES[cause.status]
    assert status.attributes["reason"] == problem.text
    # Home Assistant takes the full stop away.
    assert (f"Error fetching 23 Telecom data: {problem.text.removesuffix('.')}" in caplog.text) != cause.status.up
    assert asked(hass) == ASKS.get(cause.status, lambda _: set())(cause)


@pytest.mark.usefixtures("providers")
@every_cause
async def test_a_turkish_interface_gives_the_same_reason_in_turkish(hass: HomeAssistant, cause: Cause) -> None:
    """From the one table of its texts."""
    hass.config.language = "tr"
    status = hass.states.get(await comes_to(hass, Problem(cause=cause, detail=DETAIL)))
    assert status.attributes["reason"] == texts("tr")["exceptions"][cause]["message"].format(detail=DETAIL)


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.status is Status.ACCESS_DENIED], ids=str)
def test_a_repair_says_what_to_do_and_where(language: str, cause: Cause) -> None:
    """In the provider's panel, which it leads to."""
    repair = texts(language)["issues"][cause]["fix_flow"]["step"]["confirm"]
    assert "({panel_url})" in repair["description"]


async def test_a_mended_account_gives_no_reason(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """With the cause, its words are gone, and nobody is asked for anything."""
    providers.answer("23telecom", "error_ip_not_allowed")
    entry = account("23telecom")
    await set_up(hass, entry)
    status = entity_id(hass, entry, "status")
    assert hass.states.get(status).attributes["reason"] == Cause.IP_NOT_ALLOWED.text
    assert asked(hass) == {Cause.IP_NOT_ALLOWED}
    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer, 3600)
    assert hass.states.get(status).attributes["reason"] is None
    assert asked(hass) == set()
