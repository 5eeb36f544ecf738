"""The forms: adding an account, new credentials for it, and its limits."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_USER, ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_schema_suggested_value

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import MAX_BODY, PROVIDERS, Cause, Status, Value
from sms_credit_exporter.simulator.providers import APIS

from .conftest import (
    ALL_PAYLOADS,
    CREDENTIALS,
    NAMES,
    Answer,
    NoAnswer,
    NoConnection,
    Providers,
    account,
    pass_time,
    raw,
    set_up,
    states,
    texts,
)

NEW_KEY = "sk_test_new_never_print_me"
SECRET = "hmac_never_print_me"

FIRST_OF = {each.outcome["cause"]: each for each in reversed(ALL_PAYLOADS) if "cause" in each.outcome}
"""A payload for each cause that an answer can have."""

REFUSALS = [
    pytest.param(each.provider, each.name, cause, id=cause)
    for cause, each in FIRST_OF.items()
    if Cause(cause).status is Status.AUTH_FAILED
]
FAILURES = [
    *(
        pytest.param(each.provider, each.name, cause, id=cause)
        for cause, each in FIRST_OF.items()
        if not Cause(cause).status.up
    ),
    pytest.param("iletimerkezi", NoAnswer.SILENT, "timeout", id="no answer in time"),
    pytest.param("iletimerkezi", NoConnection.REFUSED, "not_connected", id="no connection"),
    pytest.param("iletimerkezi", NoAnswer.CUT, "connection_cut", id="the connection breaks off"),
    pytest.param("iletimerkezi", raw(200, b" " * (MAX_BODY + 1)), "too_large", id="too large"),
    pytest.param("iletimerkezi", raw(200, Content_Encoding="zstd"), "encoding_unknown", id="an unknown encoding"),
]

CHANGES = ["reauth", "reconfigure"]


def rotated(provider: str) -> dict[str, str]:
    """Return another secret for a provider's account."""
    *_, last = (field.name for field in PROVIDERS[provider].credentials if field.required and field.secret)
    return {last: NEW_KEY}


async def choose(hass: HomeAssistant, provider: str, **entered: object) -> ConfigFlowResult:
    """Begin to add an account of a provider."""
    begun = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await hass.config_entries.flow.async_configure(begun["flow_id"], {"provider": provider, **entered})


async def send(hass: HomeAssistant, form: ConfigFlowResult, entered: Mapping[str, str | float]) -> ConfigFlowResult:
    """Send a form."""
    result = await hass.config_entries.flow.async_configure(form["flow_id"], dict(entered))
    await hass.async_block_till_done()
    return result


async def enter(hass: HomeAssistant, provider: str, **entered: str) -> ConfigFlowResult:
    """Enter an account's credentials; if they work, the form of its limits is next."""
    return await send(hass, await choose(hass, provider), {**CREDENTIALS[provider], **entered})


async def enter_again(hass: HomeAssistant, form: ConfigFlowResult, entered: dict[str, str]) -> ConfigFlowResult:
    """Enter credentials that work into a form that has refused others, and no limits."""
    return await send(hass, await send(hass, form, entered), {})


async def add(hass: HomeAssistant, provider: str, **entered: str) -> ConfigFlowResult:
    """Add an account without limits."""
    return await send(hass, await enter(hass, provider, **entered), {})


async def change(hass: HomeAssistant, entry: ConfigEntry[Any], how: str) -> ConfigFlowResult:
    """Begin to give an account new credentials."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": how, "entry_id": entry.entry_id}, data=entry.data if how == "reauth" else None
    )


async def test_the_first_form_offers_every_provider(hass: HomeAssistant) -> None:
    """A provider of the core needs no further line here."""
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, "user", None)
    options = form["data_schema"].schema["provider"].config["options"]
    assert {option["value"]: option["label"] for option in options} == NAMES


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_credential_form_asks_for_what_the_provider_declares(hass: HomeAssistant, provider: str) -> None:
    """Every field hides a secret that is typed, and has its label and its explanation in both languages."""
    form = await choose(hass, provider)
    declared = {field.name: field.required for field in PROVIDERS[provider].credentials}
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, provider, None)
    assert form["description_placeholders"]["account"] == NAMES[provider]
    assert {str(key.schema): type(key).__name__ == "Required" for key in form["data_schema"].schema} == declared
    hidden = {
        str(key.schema): each.config.get("type") == "password" for key, each in form["data_schema"].schema.items()
    }
    assert hidden == {field.name: field.secret for field in PROVIDERS[provider].credentials}
    for language in ("en", "tr"):
        step = texts(language)["config"]["step"][provider]
        assert set(step["data"]) == set(step["data_description"]) == set(declared)


@pytest.mark.parametrize(
    ("provider", "answer"),
    [
        pytest.param("23telecom", "healthy", id="23 Telecom, healthy"),
        pytest.param("23telecom", "partial", id="23 Telecom, partial data"),
        pytest.param("23telecom", "zero_balance_blocked", id="23 Telecom, no credit left"),
        pytest.param("23telecom", "onboarding", id="23 Telecom, account being set up"),
        pytest.param("23telecom", "unavailable_cache_disabled", id="23 Telecom, data unavailable"),
        pytest.param("iletimerkezi", "healthy", id="iletiMerkezi, healthy"),
        pytest.param("iletimerkezi", "sms_credit_account", id="iletiMerkezi, messages instead of money"),
    ],
)
async def test_an_account_that_proves_its_credentials_is_added(
    hass: HomeAssistant, providers: Providers, provider: str, answer: str
) -> None:
    """Its credentials work, whatever its balance."""
    providers.answer(provider, answer)
    result = await add(hass, provider)
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, NAMES[provider])
    assert result["data"] == {"provider": provider, **CREDENTIALS[provider]}
    assert result["options"] == {}
    assert result["result"].unique_id is None
    assert result["result"].state is ConfigEntryState.LOADED
    assert len(providers.requests) == 1  # it decides, and is the first poll as well


@pytest.mark.parametrize(("provider", "answer", "error"), FAILURES)
async def test_a_failure_names_its_cause_and_can_be_mended(
    hass: HomeAssistant, providers: Providers, provider: str, answer: Answer, error: str
) -> None:
    """The form stays, says what to do about it in either language, and takes the next attempt."""
    providers.answer(provider, answer)
    result = await enter(hass, provider)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, provider)
    assert result["errors"] == {"base": error}
    assert error in texts("en")["config"]["error"]
    assert error in texts("tr")["config"]["error"]
    assert hass.config_entries.async_entries(DOMAIN) == []

    providers.answer(provider, "healthy")
    result = await enter_again(hass, result, CREDENTIALS[provider])
    assert result["type"] is FlowResultType.CREATE_ENTRY


def test_every_cause_of_a_failure_has_been_tried() -> None:
    """Apart from three that no simulated provider can cause; the core's tests have them."""
    tested = {row.values[2] for row in FAILURES}
    assert set(Cause) - tested == {
        *(cause for cause in Cause if cause.status.up),
        Cause.NAME_NOT_FOUND,
        Cause.NOT_HTTP,
        Cause.TLS_FAILED,
    }


async def test_an_unreadable_answer_names_the_field(hass: HomeAssistant, providers: Providers) -> None:
    """The text has a place for the detail."""
    providers.answer("iletimerkezi", "amount_missing")
    result = await enter(hass, "iletimerkezi")
    assert result["errors"] == {"base": "field_missing"}
    assert result["description_placeholders"]["detail"] == "response.balance.amount"

    providers.answer("iletimerkezi", "healthy")
    assert (await enter_again(hass, result, CREDENTIALS["iletimerkezi"]))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("provider", "mistyped", "error"),
    [
        pytest.param("23telecom", {"api_key": "sk_test_nwe"}, "api_key_unknown", id="an unknown key"),
        pytest.param("23telecom", {"api_secret": "hcam"}, "signature_invalid", id="a wrong secret"),
        pytest.param("23telecom", {"api_secret": ""}, "signature_required", id="no secret"),
        pytest.param("iletimerkezi", {"api_key": "1e8"}, "credentials_or_access", id="iletiMerkezi, an unknown key"),
        pytest.param("iletimerkezi", {"api_hash": "ha55"}, "credentials_or_access", id="iletiMerkezi, a wrong hash"),
    ],
)
async def test_credentials_are_taken_once_they_are_right(
    hass: HomeAssistant, providers: Providers, provider: str, mistyped: dict[str, str], error: str
) -> None:
    """The provider itself refuses what does not belong together, or is not signed as it must be."""
    right = {"23telecom": {"api_key": NEW_KEY, "api_secret": SECRET}}.get(provider, CREDENTIALS[provider])
    providers.know(provider, **right)
    result = await send(hass, await choose(hass, provider), right | mistyped)
    assert (result["type"], result["errors"]) == (FlowResultType.FORM, {"base": error})
    assert (await enter_again(hass, result, right))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("entered", "errors"),
    [
        pytest.param({"api_key": "sk test"}, {"api_key": "not_a_credential"}, id="a space inside"),
        pytest.param({"api_key": "şifre"}, {"api_key": "not_a_credential"}, id="a letter that no key has"),
        pytest.param({"api_key": ""}, {"api_key": "empty"}, id="nothing"),
        pytest.param({"api_key": "  "}, {"api_key": "empty"}, id="nothing but spaces"),
        pytest.param(
            {"api_key": "", "api_secret": "a b"},
            {"api_key": "empty", "api_secret": "not_a_credential"},
            id="nothing, and an odd secret",
        ),
        pytest.param({"api_key": "k" * 513}, {"api_key": "not_a_credential"}, id="far too long"),
        pytest.param({"api_key": "k", "api_secret": "a b"}, {"api_secret": "not_a_credential"}, id="an odd secret"),
    ],
)
async def test_what_cannot_be_a_credential_is_not_sent(
    hass: HomeAssistant, providers: Providers, entered: dict[str, str], errors: dict[str, str]
) -> None:
    """The field says so, nobody is asked, and the next attempt is taken."""
    result = await send(hass, await choose(hass, "23telecom"), entered)
    assert (result["type"], result["errors"]) == (FlowResultType.FORM, errors)
    assert providers.requests == []
    assert (await enter_again(hass, result, CREDENTIALS["23telecom"]))["type"] is FlowResultType.CREATE_ENTRY


async def test_white_space_around_a_pasted_credential_is_dropped(hass: HomeAssistant, providers: Providers) -> None:
    """A copied key often brings a line's end with it."""
    providers.know("23telecom", api_key=NEW_KEY)
    result = await add(hass, "23telecom", api_key=f" {NEW_KEY}\n", api_secret=" ")
    assert result["data"] == {"provider": "23telecom", "api_key": NEW_KEY}
    assert providers.requests[0].headers["X-API-Key"] == NEW_KEY


async def test_iletimerkezis_credentials_travel_in_the_body(hass: HomeAssistant, providers: Providers) -> None:
    """Key and hash are sent as they are; nothing is computed from them."""
    await add(hass, "iletimerkezi")
    sent = json.loads(providers.requests[0].body)
    key, digest = CREDENTIALS["iletimerkezi"].values()
    assert sent == {"request": {"authentication": {"key": key, "hash": digest}}}


async def test_no_second_is_signed_twice(hass: HomeAssistant, providers: Providers) -> None:
    """23 Telecom takes each signature once, and two forms can ask within the same second."""
    providers.know("23telecom", api_key=NEW_KEY, api_secret=SECRET)
    await enter(hass, "23telecom", api_key=NEW_KEY, api_secret=SECRET)
    result = await add(hass, "23telecom", api_key=NEW_KEY, api_secret=SECRET)
    assert result["result"].state is ConfigEntryState.LOADED
    signed = {request.headers["X-Timestamp"]: request.headers["X-Signature"] for request in providers.requests}
    assert len(signed) == len(providers.requests) == 2
    for timestamp, signature in signed.items():
        message = f"GET|/api/v1/user/balance|{timestamp}|"
        assert signature == hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_same_account_is_not_added_twice(hass: HomeAssistant, providers: Providers, provider: str) -> None:
    """The key tells; nobody is asked."""
    account(provider).add_to_hass(hass)
    result = await enter(hass, provider)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert providers.requests == []


@pytest.mark.usefixtures("providers")
async def test_the_same_account_is_not_added_by_two_forms_at_once(hass: HomeAssistant) -> None:
    """A person may take a while over the limits, and somebody else be faster."""
    slow = await enter(hass, "23telecom")
    assert (await add(hass, "23telecom"))["type"] is FlowResultType.CREATE_ENTRY
    result = await send(hass, slow, {})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_several_accounts_of_one_provider_get_titles_of_their_own(
    hass: HomeAssistant, providers: Providers
) -> None:
    """A number tells them apart until the user gives them names; one that is free again is used again."""
    for number in range(5):
        providers.know("23telecom", api_key=f"sk_test_{number}")
    titles = [(await add(hass, "23telecom", api_key=f"sk_test_{number}"))["title"] for number in range(3)]
    assert titles == ["23 Telecom", "23 Telecom 2", "23 Telecom 3"]
    second = hass.config_entries.async_entries(DOMAIN)[1]
    hass.config_entries.async_update_entry(second, title="Marketing")
    assert (await add(hass, "23telecom", api_key="sk_test_4"))["title"] == "23 Telecom 2"
    assert (await add(hass, "iletimerkezi"))["title"] == "iletiMerkezi"


async def test_the_same_key_at_another_provider_is_another_account(hass: HomeAssistant, providers: Providers) -> None:
    """Keys are unique to a provider only."""
    account("23telecom").add_to_hass(hass)
    same = CREDENTIALS["iletimerkezi"] | CREDENTIALS["23telecom"]
    providers.know("iletimerkezi", **same)
    result = await add(hass, "iletimerkezi", **same)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_new_credentials_replace_the_old_ones(
    hass: HomeAssistant, providers: Providers, how: str, provider: str
) -> None:
    """The account keeps its entry, title, options and entities, and is asked with the new ones from then on."""
    entry = account(provider, title="OTP", low_balance="5")
    await set_up(hass, entry)
    before = states(hass, entry)
    form = await change(hass, entry, how)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, provider)
    new = {**CREDENTIALS[provider], **rotated(provider)}
    providers.know(provider, **new)
    result = await send(hass, form, new)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, f"{how}_successful")
    assert entry.data == {"provider": provider, **new}
    assert (entry.title, entry.options) == ("OTP", {"low_balance": "5"})
    assert hass.config_entries.async_entries(DOMAIN) == [entry]
    assert states(hass, entry) == before
    assert APIS[provider]().named(providers.requests[-1]) == new


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize(("provider", "answer", "error"), REFUSALS)
async def test_credentials_that_fail_change_nothing(  # noqa: PLR0913, PLR0917 - a table of what and how
    hass: HomeAssistant, providers: Providers, how: str, provider: str, answer: str, error: str
) -> None:
    """The old ones stay until others work."""
    entry = account(provider)
    entry.add_to_hass(hass)
    form = await change(hass, entry, how)
    new = {**CREDENTIALS[provider], **rotated(provider)}
    providers.know(provider, **new)
    providers.answer(provider, answer)
    result = await send(hass, form, new)
    assert (result["type"], result["errors"]) == (FlowResultType.FORM, {"base": error})
    assert entry.data == {"provider": provider, **CREDENTIALS[provider]}

    providers.answer(provider, "healthy")
    result = await send(hass, result, new)
    assert result["reason"] == f"{how}_successful"
    assert entry.data == {"provider": provider, **new}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_account_can_have_an_address_of_its_own(
    hass: HomeAssistant, providers: Providers, provider: str
) -> None:
    """It is asked there from the first request on, whatever else changes, until the field is emptied."""

    def last() -> str:
        return providers.requests[-1].full_path

    address = providers.base_urls[provider]
    begun = await choose(hass, provider, advanced={"base_url": f" {address}/ "})
    entry = (await send(hass, await send(hass, begun, CREDENTIALS[provider]), {}))["result"]
    assert entry.data == {"provider": provider, "base_url": address, **CREDENTIALS[provider]}
    assert last().startswith(f"/{provider}/")
    providers.know(provider, **CREDENTIALS[provider] | rotated(provider))
    await send(hass, await change(hass, entry, "reauth"), CREDENTIALS[provider] | rotated(provider))
    assert entry.data["base_url"] == address
    assert last().startswith(f"/{provider}/")
    form = await change(hass, entry, "reconfigure")
    assert (form["step_id"], get_schema_suggested_value(form["data_schema"].schema, "base_url")) == (
        "reconfigure",
        address,
    )
    assert (await send(hass, await send(hass, form, {}), CREDENTIALS[provider]))["reason"] == "reconfigure_successful"
    assert "base_url" not in entry.data
    assert not last().startswith(f"/{provider}/")
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    ("address", "mistake"),
    [
        pytest.param("api.example.com", "not_an_address", id="no protocol"),
        pytest.param("https://user:password@example.com", "not_an_address", id="a password in it"),
        pytest.param("http://api.example.com", "not_encrypted", id="in clear"),
    ],
)
async def test_no_key_is_sent_where_it_does_not_belong(
    hass: HomeAssistant, providers: Providers, address: str, mistake: str
) -> None:
    """The form keeps what was entered, so that it can be mended."""
    form = await choose(hass, "23telecom", name="OTP", advanced={"base_url": address})
    assert (form["step_id"], form["errors"]) == ("user", {"base": mistake})
    assert get_schema_suggested_value(form["data_schema"].schema, "name") == "OTP"
    assert not providers.requests
    mended = {"provider": "23telecom", "advanced": {"base_url": providers.base_urls["23telecom"]}}
    form = await send(hass, await send(hass, form, mended), CREDENTIALS["23telecom"])
    assert form["step_id"] == "limits"
    entry = (await send(hass, form, {}))["result"]
    form = await send(hass, await change(hass, entry, "reconfigure"), {"base_url": address})
    assert (form["step_id"], form["errors"]) == ("reconfigure", {"base": mistake})
    form = await send(hass, form, {"base_url": providers.base_urls["23telecom"]})
    assert (await send(hass, form, CREDENTIALS["23telecom"]))["reason"] == "reconfigure_successful"


@pytest.mark.parametrize("how", CHANGES)
async def test_a_secret_that_is_left_empty_is_gone(hass: HomeAssistant, providers: Providers, how: str) -> None:
    """A new key without signature verification must not be signed with the old key's secret."""
    entry = MockConfigEntry(
        domain=DOMAIN, data={"provider": "23telecom", "api_key": "sk_test_1", "api_secret": SECRET}, title="OTP"
    )
    entry.add_to_hass(hass)
    providers.know("23telecom", api_key=NEW_KEY)
    await send(hass, await change(hass, entry, how), {"api_key": NEW_KEY})
    assert entry.data == {"provider": "23telecom", "api_key": NEW_KEY}
    assert "X-Signature" not in providers.requests[-1].headers


@pytest.mark.parametrize("how", CHANGES)
async def test_credentials_of_another_account_are_refused(hass: HomeAssistant, providers: Providers, how: str) -> None:
    """Two entries would watch one account."""
    entry = account("23telecom")
    entry.add_to_hass(hass)
    other = MockConfigEntry(domain=DOMAIN, data={"provider": "23telecom", "api_key": NEW_KEY}, title="Other")
    other.add_to_hass(hass)
    result = await send(hass, await change(hass, entry, how), {"api_key": NEW_KEY})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert entry.data["api_key"] == CREDENTIALS["23telecom"]["api_key"]
    assert providers.requests == []


@pytest.mark.parametrize("how", CHANGES)
async def test_a_form_keeps_what_was_entered_and_shows_nothing_that_is_stored(
    hass: HomeAssistant, providers: Providers, how: str
) -> None:
    """Where access had only to be allowed in the panel, nobody has to paste the same credentials again."""
    entry = account("iletimerkezi", title="OTP")
    entry.add_to_hass(hass)
    form = await change(hass, entry, how)
    assert filled_in(form) == {"api_key": None, "api_hash": None}
    assert form["description_placeholders"]["account"] == "OTP"
    entered = {"api_key": NEW_KEY, "api_hash": SECRET}
    form = await send(hass, form, entered)
    assert form["errors"] == {"base": "credentials_or_access"}
    assert filled_in(form) == entered

    providers.know("iletimerkezi", **entered)
    assert (await send(hass, form, entered))["reason"] == f"{how}_successful"


def filled_in(form: ConfigFlowResult) -> dict[str, str | None]:
    """Return what stands in the fields of a form when it opens."""
    keys = form["data_schema"].schema
    return {str(key.schema): get_schema_suggested_value(keys, key) for key in keys}


@pytest.mark.parametrize(
    ("provider", "answer", "cause"),
    [
        pytest.param("iletimerkezi", "error_401", "credentials_or_access", id="iletiMerkezi"),
        pytest.param("23telecom", "error_api_key_expired", "api_key_expired", id="23 Telecom"),
    ],
)
async def test_losing_the_key_asks_for_another_and_says_why(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory, provider: str, answer: str, cause: str
) -> None:
    """The form that Home Assistant opens by itself shows the cause before anything is entered."""
    entry = account(provider)
    await set_up(hass, entry)
    providers.answer(provider, answer)
    await pass_time(hass, freezer)
    (flow,) = hass.config_entries.flow.async_progress()
    assert (flow["context"]["source"], flow["context"]["entry_id"]) == (SOURCE_REAUTH, entry.entry_id)
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])  # as the browser opens it
    assert (form["step_id"], form["errors"]) == (provider, {"base": cause})

    providers.answer(provider, "healthy")
    result = await send(hass, form, CREDENTIALS[provider])  # the same ones: access was allowed again in the panel
    assert result["reason"] == "reauth_successful"
    assert entry.state is ConfigEntryState.LOADED
    assert states(hass, entry)["status"] == "fresh"
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.parametrize(
    ("name", "title"),
    [
        pytest.param({"name": "Marketing"}, "Marketing", id="a name"),
        pytest.param({"name": "  Marketing "}, "Marketing", id="a name with spaces around it"),
        pytest.param({"name": " "}, "23 Telecom", id="nothing but spaces"),
        pytest.param({}, "23 Telecom", id="no name"),
    ],
)
@pytest.mark.usefixtures("providers")
async def test_an_account_can_be_given_a_name(hass: HomeAssistant, name: dict[str, str], title: str) -> None:
    """The forms, the entry and the entities bear it from the first moment on."""
    form = await choose(hass, "23telecom", **name)
    assert form["description_placeholders"]["account"] == title
    form = await send(hass, form, CREDENTIALS["23telecom"])
    assert form["description_placeholders"]["account"] == title
    assert (await send(hass, form, {}))["title"] == title
    assert hass.states.get(f"sensor.{title.lower().replace(' ', '_')}_balance").state == "1250.50"


@pytest.mark.parametrize("how", CHANGES)
async def test_a_name_is_asked_for_once(hass: HomeAssistant, how: str) -> None:
    """Home Assistant has a menu to rename an account."""
    entry = account("23telecom", title="OTP")
    entry.add_to_hass(hass)
    assert "name" not in filled_in(await change(hass, entry, how))


CREDIT = [
    pytest.param("23telecom", "healthy", "limits", "1\u202f250.50 EUR", id="a balance"),
    pytest.param("23telecom", "negative_balance_blocked", "limits", "-3.21 EUR", id="a debt"),
    pytest.param("23telecom", "onboarding", "limits_unknown", "", id="an account being set up"),
    pytest.param("23telecom", "unavailable_cache_disabled", "limits_unknown", "", id="no data"),
    pytest.param("iletimerkezi", "healthy", "limits", "10.5840 TRY · 67 SMS", id="a balance and a quota"),
    pytest.param("iletimerkezi", "sms_credit_account", "limits", "0.00 TRY · 18\u202f343 SMS", id="messages"),
    pytest.param(
        "23telecom",
        raw(200, b'{"balance": 1234567.8, "currency": "TRY"}'),
        "limits",
        "1\u202f234\u202f567.80 TRY",
        id="a large balance",
    ),
    pytest.param(
        "23telecom", raw(200, b'{"balance": 1e3, "currency": "TRY"}'), "limits", "1\u202f000.00 TRY", id="1e3"
    ),
]


def options_of(provider: str) -> set[str]:
    """Return the options of a provider's accounts: a price without a quota, a low balance with a balance."""
    gives = PROVIDERS[provider].gives
    price = set() if Value.QUOTA in gives else {"message_price"}
    balance = {"low_balance"} if Value.BALANCE in gives else set()
    return {"low_quota", "low_runway"} | price | balance


@pytest.mark.parametrize(("provider", "answer", "step", "credit"), CREDIT)
async def test_a_new_account_is_asked_for_its_limits(  # noqa: PLR0913, PLR0917 - fixtures and a table
    hass: HomeAssistant, providers: Providers, provider: str, answer: Answer, step: str, credit: str
) -> None:
    """With what it has at present before one's eyes; they are kept like those that are set later."""
    providers.answer(provider, answer)
    form = await enter(hass, provider)
    assert (form["type"], form["step_id"], form["errors"]) == (FlowResultType.FORM, step, {})
    assert {str(key) for key in form["data_schema"].schema} == options_of(provider)
    assert form["description_placeholders"] == {"account": NAMES[provider], "credit": credit}
    result = await send(hass, form, {"low_balance": 2000})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].options == {"low_balance": "2000"}
    assert "low_credit" in states(hass, result["result"])
    assert len(providers.requests) == 1

    form = await hass.config_entries.options.async_init(result["result"].entry_id)
    assert form["step_id"] == step.replace("limits", "init")
    assert form["description_placeholders"] == {"account": NAMES[provider], "credit": credit}


@pytest.mark.usefixtures("providers")
async def test_a_new_accounts_quota_limit_needs_a_quota(hass: HomeAssistant) -> None:
    """As later; what was entered stays in the form."""
    form = await send(hass, await enter(hass, "23telecom"), {"low_quota": 500})
    assert (form["type"], form["errors"]) == (FlowResultType.FORM, {"low_quota": "price_needed"})
    assert get_schema_suggested_value(form["data_schema"].schema, "low_quota") == 500
    result = await send(hass, form, {"low_quota": 500, "message_price": 0.021})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].options == {"low_quota": "500", "message_price": "0.021"}


async def test_the_form_tells_an_old_credit_from_a_new_one(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """What is not known any more is not told, nor of an account that is not set up; the worked-out quota is."""
    entry = account("23telecom", message_price="0.5")
    await set_up(hass, entry)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["description_placeholders"]["credit"] == "1\u202f250.50 EUR · 2\u202f501 SMS"
    providers.answer("23telecom", "unavailable_cache_disabled")
    await pass_time(hass, freezer, 4000)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["step_id"] == "init_unknown"
    result = await hass.config_entries.options.async_configure(form["flow_id"], {"low_balance": 5})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.config_entries.async_unload(entry.entry_id)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["step_id"] == "init_unknown"


async def test_a_form_takes_its_time(hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory) -> None:
    """Who thinks about limits for an hour gets a fresh reading, not the one of an hour ago."""
    form = await enter(hass, "iletimerkezi")
    providers.answer("iletimerkezi", "sms_credit_account")
    freezer.tick(3600)
    result = await send(hass, form, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert states(hass, result["result"])["sms_quota"] == "18343"
    assert len(providers.requests) == 2


async def test_a_form_that_fails_is_a_poll_too(
    hass: HomeAssistant, providers: Providers, freezer: FrozenDateTimeFactory
) -> None:
    """Where the account's own credentials are tried again, its status follows, and its next poll waits as ever."""
    entry = account("iletimerkezi")
    await set_up(hass, entry)
    form = await change(hass, entry, "reconfigure")
    providers.answer("iletimerkezi", "error_503")
    await pass_time(hass, freezer, 250)
    form = await send(hass, form, CREDENTIALS["iletimerkezi"])
    assert form["errors"] == {"base": "provider_error"}
    assert states(hass, entry)["status"] == "provider_error"
    asked = len(providers.requests)
    for wait, more in ((60, 0), (237, 0), (5, 1)):
        await pass_time(hass, freezer, wait)
        assert len(providers.requests) == asked + more

    providers.answer("iletimerkezi", "healthy")
    assert (await send(hass, form, CREDENTIALS["iletimerkezi"]))["reason"] == "reconfigure_successful"
    assert states(hass, entry)["status"] == "fresh"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.usefixtures("providers")
async def test_options_are_those_that_make_sense(hass: HomeAssistant, provider: str) -> None:
    """A price is asked for only where the provider does not tell the quota itself."""
    entry = account(provider)
    await set_up(hass, entry)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "init")
    assert {str(key) for key in form["data_schema"].schema} == options_of(provider)


@pytest.mark.parametrize(
    ("entered", "stored"),
    [
        pytest.param({"low_balance": 50}, {"low_balance": "50"}, id="a whole amount"),
        pytest.param({"low_balance": 0}, {"low_balance": "0"}, id="zero is a limit"),
        pytest.param({"low_balance": 12.345}, {"low_balance": "12.345"}, id="an exact amount"),
        pytest.param({"message_price": 0.021}, {"message_price": "0.021"}, id="a price"),
        pytest.param({"message_price": 0.00001}, {"message_price": "0.00001"}, id="the smallest price"),
        pytest.param(
            {"low_quota": 500.0, "message_price": 0.1},
            {"low_quota": "500", "message_price": "0.1"},
            id="messages are whole",
        ),
        pytest.param({"low_runway": 3}, {"low_runway": "3"}, id="whole days"),
        pytest.param({"low_runway": 1.5}, {"low_runway": "1.5"}, id="half a day"),
        pytest.param({}, {}, id="an emptied form removes all limits"),
    ],
)
@pytest.mark.usefixtures("providers")
async def test_limits_are_kept_exactly_as_entered(
    hass: HomeAssistant, entered: dict[str, float], stored: dict[str, str]
) -> None:
    """They are money, so no binary fraction may creep in; the form shows them again."""
    entry = account("23telecom", low_balance="1", low_quota="2", message_price="3")
    await set_up(hass, entry)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(form["flow_id"], entered)
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == stored
    form = await hass.config_entries.options.async_init(entry.entry_id)
    shown = {str(key): get_schema_suggested_value(form["data_schema"].schema, key) for key in options_of("23telecom")}
    assert {name: value for name, value in shown.items() if value is not None} == entered


@pytest.mark.parametrize(
    "entered",
    [
        pytest.param({"low_balance": -0.01}, id="a negative balance"),
        pytest.param({"low_quota": -1}, id="a negative number of messages"),
        pytest.param({"low_runway": 0}, id="no days at all"),
        pytest.param({"message_price": 0}, id="messages for nothing"),
        pytest.param({"low_balance": 1e10}, id="more than any account holds"),
        pytest.param({"poll_interval": 1}, id="an option that there is not"),
    ],
)
@pytest.mark.usefixtures("providers")
async def test_limits_out_of_bounds_are_refused(hass: HomeAssistant, entered: dict[str, float]) -> None:
    """The form refuses them, and takes others."""
    entry = account("23telecom", low_balance="1")
    await set_up(hass, entry)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(form["flow_id"], entered)
    result = await hass.config_entries.options.async_configure(form["flow_id"], {"low_balance": 2})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {"low_balance": "2"}


@pytest.mark.usefixtures("providers")
async def test_a_quota_limit_needs_a_quota(hass: HomeAssistant) -> None:
    """Without a price there would be nothing to hold against the limit; what was entered stays in the form."""
    entry = account("23telecom")
    await set_up(hass, entry)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(form["flow_id"], {"low_quota": 500})
    assert (result["type"], result["errors"]) == (FlowResultType.FORM, {"low_quota": "price_needed"})
    assert get_schema_suggested_value(result["data_schema"].schema, "low_quota") == 500
    entered = {"low_quota": 500, "message_price": 0.021}
    result = await hass.config_entries.options.async_configure(form["flow_id"], entered)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {"low_quota": "500", "message_price": "0.021"}


@pytest.mark.usefixtures("providers")
async def test_options_bring_and_remove_entities_at_once(hass: HomeAssistant) -> None:
    """What an emptied option had brought leaves nothing in the registry."""
    entry = account("23telecom")
    await set_up(hass, entry)
    without = {"balance", "credit_blocked", "status"}
    assert set(states(hass, entry)) == without
    for entered, more in (
        ({"low_balance": 50, "message_price": 0.021}, {"low_credit", "sms_quota"}),
        ({"message_price": 0.021}, {"sms_quota"}),
        ({}, set()),
        ({"low_balance": 40}, {"low_credit"}),
    ):
        form = await hass.config_entries.options.async_init(entry.entry_id)
        await hass.config_entries.options.async_configure(form["flow_id"], entered)
        await hass.async_block_till_done()
        assert set(states(hass, entry)) == without | more
