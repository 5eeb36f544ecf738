"""The integration as its users meet it: a real Home Assistant in a real browser, in English and in Turkish.

The providers are simulated behind a proxy; the integration asks them at their own addresses. It asks no provider more
often than that allows, but for a person who sends a form: so most changes come by giving an account the credentials
that it has. The last tests use accounts that have been there from the beginning, and may be asked again by then.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it brings no types
from playwright.async_api import Browser, expect

from scripts.dashboard import dashboard
from scripts.development.client import DOMAIN
from scripts.development.control import controlling
from scripts.development.home_assistant import running
from scripts.development.providers import simulated_providers
from sms_credit_core import PROVIDERS
from sms_credit_exporter.simulator.behaviour import Canned
from tests.e2e.conftest import AXE, OpenPage
from tests.e2e.home_assistant import Installation, Interface
from tests.exporter.running import free_port

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

BLOCKED, LOSING_ITS_KEY = "on-call", "clinic-reminders"
"""The accounts that are there from the beginning."""

UNAVAILABLE = {"en": "Unavailable", "tr": "Kullanım dışı"}  # noqa: RUF001 - it is Turkish
UNKNOWN = {"en": "Unknown", "tr": "Bilinmeyen"}
"""Home Assistant's own words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What an answer of the provider comes to on the device's page."""

    answer: str
    status: str
    blocked: str | None
    """The state; None where the balance is no number either, empty where the provider never says."""
    numbers: Mapping[str, Mapping[str, str]]
    """By entity and language, as they are written there."""

    def values(self, home: Installation) -> dict[str, str]:
        """Return the words by entity."""
        blocked = f"entity.binary_sensor.credit_blocked.state.{self.blocked}"
        numbers = {key: words[home.language] for key, words in self.numbers.items()}
        said = {"credit_blocked": home.text(blocked) if self.blocked else numbers["balance"]}
        return {
            "status": home.text(f"entity.sensor.status.state.{self.status}"),
            **(said if self.blocked != "" else {}),
            **numbers,
        }


EUROS = Sight(
    answer="healthy",
    status="fresh",
    blocked="off",
    numbers={"balance": {"en": "€1,250.50", "tr": "€1.250,50"}, "spent": {"en": "€0.00", "tr": "€0,00"}},
)
DOLLARS = Sight(
    answer="healthy_other_currency",
    status="fresh",
    blocked="off",
    numbers={"balance": {"en": "$1,250.50", "tr": "$1.250,50"}, "spent": {"en": "$0.00", "tr": "$0,00"}},
)
LIRA = Sight(
    answer="healthy",
    status="fresh",
    blocked="off",
    numbers={
        "balance": {"en": "TRY 10.58", "tr": "₺10,58"},
        "sms_quota": {"en": "67 SMS", "tr": "67 SMS"},
        "spent": {"en": "TRY 0.00", "tr": "₺0,00"},
    },
)
TWILIOS_DOLLARS = Sight(
    answer="healthy",
    status="fresh",
    blocked="",
    numbers={"balance": {"en": "$10.58", "tr": "$10,58"}, "spent": {"en": "$0.00", "tr": "$0,00"}},
)
LIVES = {
    "twilio": (
        TWILIOS_DOLLARS,
        Sight(
            answer="error_503_html",
            status="provider_error",
            blocked="",
            numbers={"balance": UNAVAILABLE, "spent": UNAVAILABLE},
        ),
        TWILIOS_DOLLARS,
    ),
    "shop-codes": (
        EUROS,
        Sight(
            answer="partial_zero_balance_blocked",
            status="partial",
            blocked="on",
            numbers={"balance": {"en": "€0.00", "tr": "€0,00"}, "spent": {"en": "€0.00", "tr": "€0,00"}},
        ),
        Sight(
            answer="unavailable_blocked",
            status="data_unavailable",
            blocked="on",
            numbers={"balance": {"en": "€0.00", "tr": "€0,00"}},
        ),
        Sight(
            answer="error_503_html",
            status="provider_error",
            blocked=None,
            numbers={"balance": UNAVAILABLE, "spent": UNAVAILABLE},
        ),
        Sight(
            answer="onboarding",
            status="onboarding",
            blocked=None,
            numbers={"balance": UNKNOWN, "spent": UNKNOWN},
        ),
        DOLLARS,
    ),
    "alarm-system": (
        LIRA,
        Sight(
            answer="zero_balance_blocked",
            status="fresh",
            blocked="on",
            numbers={
                "balance": {"en": "TRY 0.00", "tr": "₺0,00"},
                "sms_quota": {"en": "0 SMS", "tr": "0 SMS"},
                "spent": {"en": "TRY 10.58", "tr": "₺10,58"},
            },
        ),
        Sight(
            answer="sms_credit_account",
            status="fresh",
            blocked="off",
            numbers={"sms_quota": {"en": "18,343 SMS", "tr": "18.343 SMS"}},
        ),
    ),
}
"""What accounts answer in turn."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def installations(
    browser: Browser, tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, Installation]]:
    """Start a Home Assistant for each language, both at once."""
    hass = Path(tool("ha-develop/bin/hass"))
    async with AsyncExitStack() as stack:
        starting = {
            language: _install(stack, browser, hass, tmp_path_factory.mktemp(language), language)
            for language in ("en", "tr")
        }
        yield dict(zip(starting, await asyncio.gather(*starting.values()), strict=True))


async def _install(stack: AsyncExitStack, browser: Browser, hass: Path, folder: Path, language: str) -> Installation:
    providers = await stack.enter_async_context(simulated_providers())
    control = await stack.enter_async_context(controlling(providers))
    home_assistant = await stack.enter_async_context(
        running(folder, free_port(), providers.environment, language=language, hass=hass)
    )
    headers = {"Authorization": f"Bearer {home_assistant.token}"}
    api = httpx.AsyncClient(base_url=home_assistant.url, headers=headers, trust_env=False, timeout=30)
    installation = Installation(
        language=language,
        folder=folder,
        api=await stack.enter_async_context(api),
        context=await stack.enter_async_context(await browser.new_context(locale=language)),
        control=control,
        accounts=providers.accounts,
    )
    await installation.answers(BLOCKED, "zero_balance_blocked")
    await installation.answers(LOSING_ITS_KEY, "healthy")
    for account in (BLOCKED, LOSING_ITS_KEY):
        installation.polled[await installation.add(account)] = time.monotonic()
    page = await installation.context.new_page()
    await Interface(page, installation).log_in()
    await page.close()
    return installation


@pytest_asyncio.fixture(loop_scope="session", params=["en", "tr"])
async def home(
    request: pytest.FixtureRequest, installations: Mapping[str, Installation]
) -> AsyncIterator[Installation]:
    """Return the Home Assistant in one of the languages; what a test adds to it goes with the test.

    Whatever happened, its log has no secret, no traceback into the integration, and no complaint of it.
    """
    installation = installations[request.param]
    yield installation
    for entry in await installation.entries():
        if entry not in installation.polled:
            await installation.remove(entry.id)
    log = (installation.folder / "home-assistant.log").read_text()
    wrong = (f"custom_components/{DOMAIN}/", "Detected that custom integration", *secrets(installation))
    assert [words for words in wrong if words in log] == []


@pytest_asyncio.fixture(loop_scope="session")
async def ui(home: Installation) -> AsyncIterator[Interface]:
    """Return a page to act on."""
    page = await home.context.new_page()
    yield Interface(page, home)
    await page.close()


@pytest.mark.parametrize(
    ("account", "wrong", "error", "credit"),
    [
        pytest.param(
            "shop-codes", {"api_key": "sk_prod_wrong"}, "api_key_unknown", "1\u202f250.50 EUR", id="23 Telecom"
        ),
        pytest.param(
            "alarm-system",
            {"api_key": "wrong", "api_hash": "wrong"},
            "credentials_or_access",
            "10.5840 TRY · 67 SMS",
            id="iletiMerkezi",
        ),
        pytest.param(
            "twilio",
            {"account_sid": "AC0", "auth_token": "wrong"},
            "credentials_refused",
            "10.5840 USD",
            id="Twilio, whose account is no secret",
        ),
    ],
)
async def test_an_account_is_added(  # noqa: PLR0913, PLR0917 - fixtures and a table
    home: Installation, ui: Interface, account: str, wrong: dict[str, str], error: str, credit: str
) -> None:
    """A wrong key is refused with a reason; the right one brings a device with its name and what the provider says."""
    provider, sight = home.accounts[account].provider, LIVES[account][0]
    await home.answers(account, sight.answer)
    await ui.begin_to_add(provider, "Front desk")
    await ui.shows(*home.paragraphs(f"config.step.{provider}.description", panel_url=""))
    await ui.enter(wrong)
    await ui.shows(home.text(f"config.error.{error}"))
    await ui.enter(home.credentials(account))
    await ui.shows(*home.paragraphs("config.step.limits.description", account="Front desk", credit=credit))
    await ui.confirm()
    await ui.lacks(ui.form)
    await ui.confirm()
    await ui.lacks(ui.dialog)
    (entry,) = set(await home.entries()) - set(home.polled)
    assert entry.title == "Front desk"
    await ui.open_device(entry)
    await ui.tells(sight.values(home))


@pytest.mark.parametrize("account", LIVES)
async def test_an_open_page_follows_the_provider(home: Installation, ui: Interface, account: str) -> None:
    """Each answer shows on the device's page without opening it anew, and no number stays that is not known."""
    await home.answers(account, LIVES[account][0].answer)
    entry = await home.add(account)
    await ui.open_device(entry)
    for sight in LIVES[account]:
        await home.answers(account, sight.answer)
        await home.ask_again(entry)
        await ui.tells(sight.values(home))


async def test_the_dashboard_shows_every_account(home: Installation, ui: Interface, tmp_path: Path) -> None:
    """Home Assistant knows each card and each entity of it, and the table lists accounts that it does not name."""
    accounts = {name: PROVIDERS[home.accounts[name].provider] for name in ("shop-codes", "alarm-system")}
    for name in accounts:
        await home.answers(name, "healthy")
        await home.add(name, low_balance=5)
    made = await home.ask("lovelace/dashboards/create", url_path="sms-accounts", title="SMS", mode="storage")
    await home.ask("lovelace/config/save", url_path="sms-accounts", config=dashboard(accounts))
    await ui.open("/sms-accounts")
    await ui.shows(*accounts, "€1,250.50" if home.language == "en" else "€1.250,50")
    for name in (*accounts, BLOCKED):
        await expect(ui.page.locator("hui-markdown-card a").filter(has=ui.exactly(name))).to_be_visible()
    await expect(ui.page.locator("hui-statistics-graph-card")).to_have_count(len(accounts))
    await ui.lacks(ui.page.locator("hui-error-card, hui-warning, hui-error-entity-row"))
    await ui.page.set_viewport_size({"width": 1400, "height": 1500})
    await ui.page.screenshot(path=tmp_path / f"dashboard-{home.language}.png")
    await home.ask("lovelace/dashboards/delete", dashboard_id=made["id"])


async def test_a_trigger_is_shown_in_words(home: Installation, ui: Interface, tmp_path: Path) -> None:
    """The editor of automations knows it by its name and asks for accounts."""
    entry = await home.add("shop-codes", low_balance=5)
    await ui.open(await home.automate(entry, "credit_became_low"))
    await ui.shows(home.text("triggers.credit_became_low.name"))
    await ui.page.screenshot(path=tmp_path / f"trigger-{home.language}.png")


async def test_a_lost_key_is_asked_for(home: Installation, ui: Interface) -> None:
    """The account says why it has stopped, asks for a key, refuses a wrong one, and works again with the right one."""
    account, refused = "marketing", home.text("config.error.api_key_unknown")
    await home.answers(account, "healthy")
    entry = await home.add(account)
    await home.answers(account, "error_api_key_expired")
    await home.ask_again(entry)
    await ui.open_accounts()
    await ui.choose(entry, "reload")
    await ui.attention(entry).click()
    expired = home.text("config.error.api_key_expired")
    await ui.shows(*home.paragraphs("config.step.23telecom.description", panel_url=""), expired)
    await ui.enter({"api_key": "sk_prod_wrong"})
    await ui.shows(refused)
    await home.answers("warehouse", "healthy")
    await ui.enter(home.credentials("warehouse"))
    await ui.shows(home.text("config.abort.reauth_successful"))
    await ui.lacks(ui.attention(entry))
    await ui.open_device(entry)
    await ui.tells(EUROS.values(home))
    assert await home.flows() == []


async def test_an_account_is_reconfigured(home: Installation, ui: Interface) -> None:
    """It takes a new key, though not that of another account; its device shows the new account's balance."""
    await home.answers("reservations", "healthy")
    await home.answers("warehouse", "healthy_other_currency")
    entry = await home.add("reservations")
    await ui.open_accounts()
    await ui.choose(entry, "reconfigure")
    await ui.enter(home.credentials(BLOCKED))
    await ui.shows(home.text("config.abort.already_configured"))
    await ui.open_accounts()
    await ui.choose(entry, "reconfigure")
    await ui.enter(home.credentials("warehouse"))
    await ui.shows(home.text("config.abort.reconfigure_successful"))
    await ui.open_device(entry)
    await ui.tells(DOLLARS.values(home))


@pytest.mark.parametrize(
    ("account", "answer", "issue"),
    [
        pytest.param("shop-codes", "error_ip_not_allowed", "ip_not_allowed", id="IP address not allowed"),
        pytest.param("alarm-system", "zero_balance_blocked", "credit_blocked", id="credit blocked"),
    ],
)
async def test_a_repair_comes_and_goes(
    home: Installation, ui: Interface, account: str, answer: str, issue: str
) -> None:
    """It says what to do, does not ask a provider that has just been asked, and is gone once the cause is."""
    await home.answers(account, "healthy")
    entry = await home.add(account)
    await home.answers(account, answer)
    await home.ask_again(entry)
    placeholders = {"account": entry.title, "provider": PROVIDERS[home.accounts[account].provider].name}
    title = home.text(f"issues.{issue}.title", **placeholders)
    await ui.open("/config/repairs")
    await ui.exactly(title).click()
    fix = f"issues.{issue}.fix_flow"
    await ui.shows(*home.paragraphs(f"{fix}.step.confirm.description", **placeholders, panel_url=""))
    await ui.confirm()
    await ui.shows(home.text(f"{fix}.error.too_soon"))
    await home.answers(account, "healthy")
    await home.ask_again(entry)
    await ui.open("/config/repairs")
    await ui.shows(home.text("issues.credit_blocked.title", account=BLOCKED))
    await ui.lacks(ui.exactly(title))


async def test_diagnostics_hold_no_secret(home: Installation, ui: Interface, tmp_path: Path) -> None:
    """The file that is downloaded for a bug report tells how the account is doing, but no credential and no amount."""
    await home.answers("shop-codes", "healthy")
    entry = await home.add("shop-codes")
    await ui.open_accounts()
    async with ui.page.expect_download() as download:
        await ui.choose(entry, "diagnostics")
    file = tmp_path / "diagnostics.json"
    await (await download.value).save_as(file)
    content = file.read_text()
    assert json.loads(content)["data"]["reading"]["balance"] == "above zero"
    assert [secret for secret in secrets(home) if secret in content] == []
    assert "1250" not in content


async def test_nothing_is_left_of_an_account(home: Installation, ui: Interface) -> None:
    """Deleted from its menu, it takes its device, entities, states, repairs and its wish for a new key with it."""
    account = "warehouse"
    await home.answers(account, "zero_balance_blocked")
    entry = await home.add(account)
    entities = await home.entities(entry)
    before = await home.issues()
    await ui.open_accounts()
    await ui.choose(entry, "delete")
    await ui.confirm()
    await ui.lacks(ui.row(entry))
    assert entry not in await home.entries()
    assert await home.device(entry) is None
    assert await home.entities(entry) == []
    assert len(entities) == 8
    assert [(await home.api.get(f"/api/states/{entity}")).status_code for entity in entities] == [404] * 8
    assert list((home.folder / ".storage").glob(f"*{entry.id}*")) == []
    assert [issue for issue in before if entry.id in issue] != []
    assert [issue for issue in await home.issues() if entry.id in issue] == []
    assert await home.flows() == []


# --- from here on with the accounts that may be asked again -----------------------------------------------------------


async def test_a_top_up_is_seen_at_once(home: Installation, ui: Interface) -> None:
    """Sending the repair's form asks the provider again, and the repair is done."""
    entry = next(each for each in home.polled if each.title == BLOCKED)
    title = home.text("issues.credit_blocked.title", account=BLOCKED)
    await home.pause_is_over(entry)
    await ui.open("/config/repairs")
    await ui.exactly(title).click()
    await home.answers(BLOCKED, "healthy")
    await ui.confirm()
    await ui.lacks(ui.form)
    assert await home.issues() == []
    await ui.open_device(entry)
    await ui.tells(EUROS.values(home))


async def test_a_key_that_is_lost_on_the_way_is_asked_for(home: Installation, ui: Interface) -> None:
    """The device's page says so while it is open; with new credentials it shows numbers again."""
    entry = next(each for each in home.polled if each.title == LOSING_ITS_KEY)
    await home.pause_is_over(entry)
    await ui.open_device(entry)
    await ui.tells(LIRA.values(home))
    await home.answers(LOSING_ITS_KEY, "error_401")
    await home.update(entry)
    await ui.tells(
        {
            "status": home.text("entity.sensor.status.state.auth_failed"),
            **dict.fromkeys(("balance", "sms_quota", "credit_blocked"), UNAVAILABLE[home.language]),
        }
    )
    await home.answers(LOSING_ITS_KEY, "healthy")
    await ui.open_accounts()
    await ui.attention(entry).click()
    await ui.shows(home.text("config.error.credentials_or_access"))
    await ui.enter(home.credentials(LOSING_ITS_KEY))
    await ui.shows(home.text("config.abort.reauth_successful"))
    await ui.open_device(entry)
    await ui.tells(LIRA.values(home))
    log = (home.folder / "home-assistant.log").read_text()
    assert log.count(f"Error fetching {LOSING_ITS_KEY} data") == 1


def secrets(home: Installation) -> list[str]:
    """Return every credential that can have been entered."""
    return [value for account in home.accounts for value in home.credentials(account).values()]


# --- what scripts/develop has beside Home Assistant -------------------------------------------------------------------


async def test_a_person_chooses_what_an_account_answers(open_page: OpenPage, complaints: list[str]) -> None:
    """The page of the simulated accounts shows what each answers, and sets it."""
    choices = {
        "onboarding: The account is still being set up.": ("onboarding", Canned("onboarding")),
        "key_refused": ("scenario/key_refused", Canned("error_invalid_api_key")),
    }
    async with simulated_providers() as providers, controlling(providers) as url:
        account = providers.accounts["shop-codes"]
        page = await open_page(url)
        row = page.get_by_role("row", name="shop-codes")
        await expect(row).to_contain_text(account.credentials["api_key"])
        await expect(row.get_by_role("combobox")).to_have_value("scenario/steady")
        for label, (value, act) in choices.items():
            await row.get_by_role("combobox").select_option(label=label)
            await row.get_by_role("button").click()
            await expect(row.get_by_role("combobox")).to_have_value(value)
            assert account.act() == act
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_to_choose_on_is_for_everybody(open_page: OpenPage, scheme: Literal["light", "dark"]) -> None:
    """On a phone only the table scrolls to the side, and axe finds nothing."""
    async with simulated_providers() as providers, controlling(providers) as url:
        page = await open_page(url, viewport={"width": 360, "height": 800}, color_scheme=scheme)
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        found = await Axe().run(page, options=AXE)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(
    ("account", "answer", "status", "words"),
    [
        pytest.param("nobody", "healthy", 404, "'nobody'", id="an account that there is not"),
        pytest.param("shop-codes", "nonsense", 400, "only: balance_as_text,", id="an answer that there is not"),
        pytest.param("shop-codes", "scenario/nonsense", 400, "nonsense", id="a scenario that there is not"),
        pytest.param("shop-codes", "", 400, "only: balance_as_text,", id="no answer"),
        pytest.param("shop-codes", "error_503", 400, "only: balance_as_text,", id="another provider's answer"),
    ],
)
async def test_an_impossible_choice_is_refused(account: str, answer: str, status: int, words: str) -> None:
    """Who sets answers by script is told the mistake, and nothing changes."""
    async with (
        simulated_providers() as providers,
        controlling(providers) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        response = await http.post(account, data={"answer": answer})
        assert (response.status_code, words in response.text) == (status, True)
        assert "error" not in str(providers.accounts["shop-codes"].act())
