"""A Home Assistant to test in: its interface as a person uses it, and its API for what a person does not see."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import BrowserContext, Locator, Page, expect

from scripts.development.client import DOMAIN, Client, Entry
from scripts.development.home_assistant import CHECKOUT
from sms_credit_core import PROVIDERS
from sms_credit_exporter.simulator.server import SimulatedAccount

PATIENCE = 30.0
"""Seconds that anything on a page may take; a machine may be slow."""

PAUSE = 1 + max(provider.min_poll_interval for provider in PROVIDERS.values())
"""Seconds after which every provider may be asked again."""


@dataclass(frozen=True, kw_only=True)
class Installation(Client):
    """A Home Assistant in one language, with simulated providers of its own."""

    language: str
    folder: Path
    context: BrowserContext
    """A browser profile in which the owner is logged in."""
    control: str
    """The URL at which the simulated accounts are told what to answer."""
    accounts: Mapping[str, SimulatedAccount]
    """The simulated accounts by name."""
    polled: dict[Entry, float] = field(default_factory=dict)
    """Accounts that have been there from the beginning, and when they were last polled."""

    # --- what is to be read ---

    def text(self, path: str, **placeholders: str) -> str:
        """Return a text of the integration by its place in the translation file."""
        file = CHECKOUT / "custom_components" / DOMAIN / "translations" / f"{self.language}.json"
        found: Any = json.loads(file.read_text())
        for name in path.split("."):
            found = found[name]
        return str(found).format(**placeholders)

    def paragraphs(self, path: str, **placeholders: str) -> list[str]:
        """Return the paragraphs of a text in Markdown as they are shown."""
        plain = re.sub(r"\[(.*?)\]\(.*?\)|\*\*(.*?)\*\*", r"\1\2", self.text(path, **placeholders))
        return plain.split("\n\n")

    # --- the providers' side ---

    def credentials(self, account: str) -> dict[str, str]:
        """Return what is typed into the form for a simulated account."""
        return dict(self.accounts[account].credentials)

    async def answers(self, account: str, answer: str) -> None:
        """Have a simulated account answer with this payload from now on."""
        async with httpx.AsyncClient(trust_env=False) as http:
            response = await http.post(f"{self.control}/{account}", data={"answer": answer}, follow_redirects=True)
        response.raise_for_status()

    # --- by API ---

    async def add(self, account: str, **limits: float) -> Entry:
        """Add a simulated account as the forms do, under its own name."""
        return await self.add_account(self.accounts[account].provider, account, self.credentials(account), limits)

    async def ask_again(self, entry: Entry) -> None:
        """Reconfigure an account with the credentials that it has, which asks its provider at once."""
        flow = await self.post("config/config_entries/flow", {"handler": DOMAIN, "entry_id": entry.id})
        path = f"config/config_entries/flow/{flow['flow_id']}"
        flow = await self.post(path, self.credentials(entry.title))
        if flow["type"] == "form":  # it says why that failed
            (await self.api.delete(f"/api/{path}")).raise_for_status()

    async def update(self, entry: Entry) -> None:
        """Have an account polled now, which its provider must allow."""
        await self.post("services/homeassistant/update_entity", {"entity_id": next(iter(await self.entities(entry)))})

    async def automate(self, entry: Entry, trigger: str) -> str:
        """Save an automation with a trigger of the integration; return where its editor is."""
        triggers = [{"trigger": f"{DOMAIN}.{trigger}", "options": {"device_id": [await self.device(entry)]}}]
        automation = {"alias": trigger, "triggers": triggers, "actions": []}
        await self.post(f"config/automation/config/{trigger}", automation)
        return f"/config/automation/edit/{trigger}"

    async def remove(self, entry_id: str) -> None:
        """Remove an account."""
        (await self.api.delete(f"/api/config/config_entries/entry/{entry_id}")).raise_for_status()

    async def issues(self) -> list[str]:
        """Return the integration's issues."""
        found = await self.ask("repairs/list_issues")
        return [each["issue_id"] for each in found["issues"] if each["domain"] == DOMAIN]

    async def flows(self) -> list[str]:
        """Return the accounts by their entries' ids that wait for new credentials."""
        found = await self.ask("config_entries/flow/progress")
        return [each["context"]["entry_id"] for each in found if each["handler"] == DOMAIN]

    async def pause_is_over(self, entry: Entry) -> None:
        """Wait until the account's provider may be asked again."""
        await asyncio.sleep(max(0.0, self.polled[entry] + PAUSE - time.monotonic()))


class Interface:
    """Home Assistant's pages. Its own words differ by language, so its parts are found by what they are."""

    def __init__(self, page: Page, installation: Installation) -> None:
        """Take the page to act on."""
        self.page, self._installation = page, installation
        page.set_default_timeout(PATIENCE * 1000)
        self.dialog = page.locator("ha-dialog-footer")
        self.form = page.locator("step-flow-form")

    async def log_in(self) -> None:
        """Log in through the form."""
        await self._installation.log_in(self.page)

    async def open(self, path: str) -> None:
        """Open one of Home Assistant's pages."""
        await self.page.goto(str(self._installation.api.base_url.join(path)))

    async def open_accounts(self) -> None:
        """Open the integration's page."""
        await self.open(f"/config/integrations/integration/{DOMAIN}")

    async def open_device(self, entry: Entry) -> None:
        """Open the page of an account's device."""
        await self.open(f"/config/devices/device/{await self._installation.device(entry)}")

    async def begin_to_add(self, provider: str, name: str) -> None:
        """Go as far as the form of the provider's credentials."""
        await self.open(f"/config/integrations/dashboard/add?domain={DOMAIN}")
        await self.confirm()
        await self.page.get_by_role("radio", name=PROVIDERS[provider].name).click()
        await self.enter({"name": name})

    async def enter(self, values: dict[str, str]) -> None:
        """Fill in a form and send it."""
        for name, value in values.items():
            await self.page.locator(f"input[name={name}]").fill(value)
        await self.confirm()

    async def confirm(self) -> None:
        """Press the button of a dialog that takes one further."""
        await self.page.locator("ha-dialog-footer ha-button[slot=primaryAction]:visible").click()

    def row(self, entry: Entry) -> Locator:
        """Return an account's part of the integration's page."""
        return self.page.locator("ha-config-entry-row").filter(has=self.exactly(entry.title))

    async def choose(self, entry: Entry, action: str) -> None:
        """Choose an action from an account's menu."""
        await self.row(entry).locator("ha-dropdown > ha-icon-button").first.click()
        await self.row(entry).locator(f"ha-dropdown-item[value={action}]").click()

    def attention(self, entry: Entry) -> Locator:
        """Return the button on the integration's page that asks for new credentials."""
        return self.page.locator("ha-list-item-base").filter(has_text=entry.title).locator("ha-button")

    def value(self, key: str) -> Locator:
        """Return the value on the device's page that belongs to an entity by its key."""
        binary = {"credit_blocked", "low_credit", "unusual_spending"}
        platform = "binary_sensor" if key in binary else "event" if key == "topped_up" else "sensor"
        name = self._installation.text(f"entity.{platform}.{key}.name")
        return self.page.locator("ha-device-entities-card hui-generic-entity-row").filter(has=self.exactly(name))

    def exactly(self, words: str) -> Locator:
        """Return what shows these words and no others."""
        return self.page.get_by_text(words, exact=True)

    async def shows(self, *texts: str) -> None:
        """Wait until all of these texts are to be read."""
        for text in texts:
            await expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE * 1000)

    async def tells(self, values: dict[str, str]) -> None:
        """Wait until the device's page shows these values."""
        for key, words in values.items():
            await expect(self.value(key)).to_have_text(words, use_inner_text=True, timeout=PATIENCE * 1000)

    async def lacks(self, locator: Locator) -> None:
        """Wait until something is gone."""
        await expect(locator).to_have_count(0, timeout=PATIENCE * 1000)
