"""Every answer of every provider, and time: what an account's entities say, and how often anybody is asked."""

import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import FAILURES, PROVIDERS, Status, Value

from .conftest import (
    ALL_PAYLOADS,
    Answer,
    NoAnswer,
    NoConnection,
    Payload,
    Providers,
    account,
    entity_id,
    pass_time,
    raw,
    set_up,
    set_up_again,
    states,
    update_now,
)

# When the provider has updated an account is one of the values that follow from an answer.
pytestmark = pytest.mark.usefixtures("every_entity")

STATES = {status: status.value for status in Status} | {Status.UNAVAILABLE: "data_unavailable"}

KEYS = {
    Value.BALANCE: "balance",
    Value.CREDITS: "credits",
    Value.CREDIT_BLOCKED: "credit_blocked",
    Value.PROVIDER_UPDATED: "provider_updated",
    Value.QUOTA: "sms_quota",
}
"""The entities of what a provider can give."""


def said(payload: Payload) -> dict[str, str]:
    """Return what the entities must say of a reading."""
    outcome = payload.outcome
    values = {
        "balance": f"{Decimal(outcome.get('balance') or 0):f}",
        "credits": f"{Decimal(outcome.get('credits', 0)):f}",
        "credit_blocked": {True: "on", False: "off"}.get(outcome.get("credit_blocked"), "unknown"),
        "provider_updated": outcome.get("provider_updated") or "unknown",
        "sms_quota": f"{outcome.get('quota')}",
    }
    given = {KEYS[value] for value in PROVIDERS[payload.provider].gives}
    return {key: value for key, value in values.items() if key in given} | {"status": STATES[Status(outcome["status"])]}


HEALTHY = {each.provider: said(each) for each in ALL_PAYLOADS if each.name == "healthy"}


def shown(payload: Payload) -> dict[str, str]:
    """Return what the entities must say after this answer has followed a healthy one."""
    status = Status(payload.outcome["status"])
    healthy = HEALTHY[payload.provider]
    by_status = {
        Status.FRESH: said(payload),
        Status.PARTIAL: said(payload),
        Status.UNAVAILABLE: healthy,
        Status.ONBOARDING: dict.fromkeys(healthy, "unknown"),
    } | dict.fromkeys(FAILURES, dict.fromkeys(healthy, "unavailable"))
    return {key: (by_status[status] | {"status": STATES[status]})[key] for key in healthy}


@pytest.mark.parametrize("payload", [pytest.param(each, id=f"{each.provider}/{each.name}") for each in ALL_PAYLOADS])
async def test_entities_say_what_an_answer_means(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, payload: Payload
) -> None:
    """No answer ever makes a number that the provider did not give; the next good one is shown at once."""
    entry = account(payload.provider)
    await set_up(hass, entry)
    assert states(hass, entry) == HEALTHY[payload.provider]
    providers.answer(payload.provider, payload.name)
    await pass_time(hass, freezer)
    assert states(hass, entry) == shown(payload)

    providers.answer(payload.provider, "healthy")
    await pass_time(hass, freezer, 3600)
    assert states(hass, entry) == HEALTHY[payload.provider]


def test_every_status_but_two_occurs_above() -> None:
    """`pending` is over with the first answer, and `unreachable` comes without an answer."""
    assert {Status(each.outcome["status"]) for each in ALL_PAYLOADS} == set(Status) - {
        Status.PENDING,
        Status.UNREACHABLE,
    }


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        pytest.param(
            NoConnection.REFUSED,
            "unreachable",
            "No connection to the provider could be made",
            id="no connection",
        ),
        pytest.param("error_503", "provider_error", "The provider reports a fault on its own side", id="a fault"),
        pytest.param("error_429", "rate_limited", "The provider asks for fewer requests", id="too many requests"),
        pytest.param(
            "amount_missing", "invalid_response", "The answer has no “response.balance.amount”", id="no amount"
        ),
    ],
)
async def test_an_outage_is_logged_once_and_so_is_its_end(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    status: str,
    words: str,
) -> None:
    """Values are unavailable meanwhile, and the status says why."""
    entry = account("iletimerkezi", title="OTP")
    await set_up(hass, entry)
    caplog.clear()
    providers.answer("iletimerkezi", answer)
    for _ in range(5):
        await pass_time(hass, freezer, 1200)
        assert states(hass, entry) == dict.fromkeys(HEALTHY["iletimerkezi"], "unavailable") | {"status": status}
    assert logged(caplog, logging.ERROR) == [f"Error fetching OTP data: {words}"]

    providers.answer("iletimerkezi", "healthy")
    await pass_time(hass, freezer, 1200)
    assert states(hass, entry) == HEALTHY["iletimerkezi"]
    assert logged(caplog, logging.INFO) == ["Fetching OTP data recovered"]
    assert len(logged(caplog, logging.ERROR)) == 1


def logged(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """Return what the integration has logged at a level."""
    name = "custom_components.sms_credit.coordinator"
    return [record.getMessage() for record in caplog.records if (record.name, record.levelno) == (name, level)]


async def test_the_status_follows_from_failure_to_failure(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """The reason can change while nothing gets better."""
    entry = account("23telecom")
    await set_up(hass, entry)
    for answer, status in (
        (NoAnswer.SILENT, "unreachable"),
        ("error_503_html", "provider_error"),
        ("error_rate_limited_empty", "rate_limited"),
        ("body_html", "invalid_response"),
        ("error_forbidden", "access_denied"),
        ("healthy", "fresh"),
    ):
        providers.answer("23telecom", answer)
        await pass_time(hass, freezer, 1200)
        assert states(hass, entry)["status"] == status


async def test_lost_credentials_are_tried_again_once_an_hour(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused key is not tried over and over, one form asks for another, and one line tells of it."""
    entry = account("23telecom")
    await set_up(hass, entry)
    providers.answer("23telecom", "error_api_key_inactive")
    await pass_time(hass, freezer)
    assert states(hass, entry)["status"] == "auth_failed"
    asked = len(providers.requests)
    (flow,) = hass.config_entries.flow.async_progress_by_handler("sms_credit")
    assert flow["context"]["source"] == SOURCE_REAUTH
    for _ in range(36):
        await pass_time(hass, freezer)
    assert len(providers.requests) == asked + 3
    assert [each["flow_id"] for each in hass.config_entries.flow.async_progress()] == [flow["flow_id"]]
    assert logged(caplog, logging.ERROR) == ["Error fetching 23 Telecom data: " + INACTIVE]

    providers.answer("23telecom", "healthy")
    providers.know("23telecom", api_key="sk_test_other")
    await hass.config_entries.flow.async_configure(flow["flow_id"], {"api_key": "sk_test_other"})
    await hass.async_block_till_done()
    assert states(hass, entry) == HEALTHY["23telecom"]
    await pass_time(hass, freezer)
    assert providers.requests[-1].headers["X-API-Key"] == "sk_test_other"


INACTIVE = "This API key is switched off. Switch it on in the provider's panel, or create another"


async def test_a_refusal_that_passes_needs_nobody(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, issue_registry: ir.IssueRegistry
) -> None:
    """Access that is allowed again in the panel brings everything back, and the form that asked for a key goes."""
    entry = account("iletimerkezi")
    await set_up(hass, entry)
    providers.answer("iletimerkezi", "error_401")
    await pass_time(hass, freezer)
    assert len(hass.config_entries.flow.async_progress()) == len(issue_registry.issues) == 1
    for answer, status, forms in (
        (NoConnection.REFUSED, "unreachable", 1),
        ("error_401", "auth_failed", 1),
        ("healthy", "fresh", 0),
        ("error_401", "auth_failed", 1),
        ("healthy", "fresh", 0),
    ):
        providers.answer("iletimerkezi", answer)
        await pass_time(hass, freezer, 3600)
        assert states(hass, entry)["status"] == status
        assert len(hass.config_entries.flow.async_progress()) == len(issue_registry.issues) == forms
    assert states(hass, entry) == HEALTHY["iletimerkezi"]


async def test_every_poll_is_signed_with_its_own_time(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """23 Telecom takes each signature once, and none that is more than five minutes off."""
    signed = {"api_key": "sk_test_signed", "api_secret": "hmac_never_print_me"}
    providers.know("23telecom", **signed)
    entry = MockConfigEntry(domain=DOMAIN, data={"provider": "23telecom", **signed})
    await set_up(hass, entry)
    for _ in range(3):
        await pass_time(hass, freezer)
        assert states(hass, entry) == HEALTHY["23telecom"]
    assert len(providers.requests) == 1 + 3


async def test_held_values_become_unknown_after_an_hour(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """The provider answers all the while that it has no data; the last ones are good for an hour."""
    entry = account("23telecom", low_balance="5", message_price="0.5")
    await set_up(hass, entry)
    providers.answer("23telecom", "unavailable_cache_disabled")
    held = HEALTHY["23telecom"] | {"low_credit": "off", "sms_quota": "2501", "status": "data_unavailable"}
    for _ in range(12):
        await pass_time(hass, freezer)
        assert states(hass, entry) == held
    await pass_time(hass, freezer, 2)
    assert states(hass, entry) == dict.fromkeys(held, "unknown") | {"low_credit": "off", "status": "data_unavailable"}

    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer)
    assert states(hass, entry) == held | {"status": "fresh"}


async def test_values_grow_stale_without_a_poll(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """Where the user has switched polling off, an old balance does not pass for a new one."""
    entry = account("23telecom")
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, pref_disable_polling=True)
    await set_up_again(hass, entry)
    await pass_time(hass, freezer, 3599)
    assert states(hass, entry) == HEALTHY["23telecom"]
    await pass_time(hass, freezer, 3)
    assert states(hass, entry) == dict.fromkeys(HEALTHY["23telecom"], "unknown") | {"status": "fresh"}
    assert len(providers.requests) == 1

    await update_now(hass, entity_id(hass, entry, "balance"))
    assert states(hass, entry) == HEALTHY["23telecom"]
    await pass_time(hass, freezer, 3599)
    assert states(hass, entry) == HEALTHY["23telecom"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_healthy_account_is_asked_every_five_minutes(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, provider: str
) -> None:
    """That is often enough for a balance and seldom enough for every provider."""
    await set_up(hass, account(provider))
    for _ in range(60):
        await pass_time(hass, freezer, 60)
    assert len(providers.requests) == 1 + 12
    assert PROVIDERS[provider].min_poll_interval <= 300


@pytest.mark.parametrize(
    ("answer", "polls"),
    [
        pytest.param("error_503", [300, 600, 1200, 2400, 3600], id="after failures at growing intervals"),
        pytest.param(
            raw(429, Retry_After="30"), [300, 600, 1200, 2400, 3600], id="a short Retry-After changes nothing"
        ),
        pytest.param(raw(429, Retry_After="1500"), [300, 1800, 3300], id="not before Retry-After"),
        pytest.param(raw(429, Retry_After="864000"), [300], id="an absurd Retry-After is not believed"),
    ],
)
async def test_an_ailing_provider_is_spared(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, answer: Answer, polls: list[int]
) -> None:
    """Polls of one hour, in seconds after the first; after at most an hour's wait the account is back."""
    await set_up(hass, entry := account("iletimerkezi"))
    providers.answer("iletimerkezi", answer)
    times = []
    for second in range(10, 3601, 10):
        asked = len(providers.requests)
        await pass_time(hass, freezer, 10)
        times += [second] * (len(providers.requests) - asked)
    assert times == polls
    providers.answer("iletimerkezi", "healthy")
    await pass_time(hass, freezer, 3600)
    assert states(hass, entry) == HEALTHY["iletimerkezi"]


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        pytest.param("healthy", 120, id="a healthy provider"),
        pytest.param("error_503", 120, id="an ailing provider"),
        pytest.param(raw(429, Retry_After="1000"), 1000, id="a provider that wants a pause"),
    ],
)
async def test_nobody_can_ask_more_often_than_the_provider_wants(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, answer: Answer, pause: int
) -> None:
    """An automation that updates entities all the time gets the last outcome again, and no request leaves."""
    await set_up(hass, entry := account("iletimerkezi"))
    providers.answer("iletimerkezi", answer)
    await pass_time(hass, freezer)
    asked, before = len(providers.requests), states(hass, entry)
    for _ in range(pause // 20 - 1):
        await pass_time(hass, freezer, 20)
        await update_now(hass, entity_id(hass, entry, "balance"), entity_id(hass, entry, "status"))
        assert (len(providers.requests), states(hass, entry)) == (asked, before)

    providers.answer("iletimerkezi", "healthy")
    await pass_time(hass, freezer, 25)
    await update_now(hass, entity_id(hass, entry, "balance"))
    assert len(providers.requests) == asked + 1
    assert states(hass, entry) == HEALTHY["iletimerkezi"]


async def test_an_update_that_comes_too_soon_moves_nothing(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """The wait for the next poll counts from the last one, however often somebody has asked in between."""
    await set_up(hass, entry := account("iletimerkezi"))
    providers.answer("iletimerkezi", raw(429, Retry_After="1800"))
    await pass_time(hass, freezer)
    asked = len(providers.requests)
    for _ in range(17):
        await pass_time(hass, freezer, 100)
        await update_now(hass, entity_id(hass, entry, "balance"))
    assert len(providers.requests) == asked
    providers.answer("iletimerkezi", "healthy")
    await pass_time(hass, freezer, 102)
    assert len(providers.requests) == asked + 1
    assert states(hass, entry) == HEALTHY["iletimerkezi"]
    for more in (1, 2, 2):
        await pass_time(hass, freezer, 100)
        await update_now(hass, entity_id(hass, entry, "balance"))
        assert len(providers.requests) == asked + more
    for wait, more in ((198, 2), (4, 3)):
        await pass_time(hass, freezer, wait)
        assert len(providers.requests) == asked + more


async def test_a_machine_that_slept_shows_no_old_balance(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """The wall clock tells the truth when timers have not run; the first state written is unknown, then fresh."""
    entry = account("23telecom")
    await set_up(hass, entry)
    providers.answer("23telecom", "unavailable_cache_disabled")
    freezer.tick(timedelta(hours=8))
    await pass_time(hass, freezer, 0)
    assert states(hass, entry)["balance"] == "unknown"
    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer)
    assert states(hass, entry) == HEALTHY["23telecom"]
