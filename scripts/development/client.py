"""What a person does with a Home Assistant, by its API and in a browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
from playwright.async_api import Page

from .home_assistant import PASSWORD, USER

DOMAIN = "sms_credit"

_PATIENCE = 30.0
"""Seconds that an answer may take; a machine may be slow."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An account that has been added."""

    id: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Client:
    """Its owner, by API."""

    api: httpx.AsyncClient
    """Authorized by the owner's token."""

    async def ask(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 - any JSON
        """Send a command over the WebSocket API and return its result."""
        url = str(self.api.base_url.join("/api/websocket"))
        token = self.api.headers["Authorization"].removeprefix("Bearer ")
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": token})
            await socket.receive_json()
            await socket.send_json({"id": 1, "type": command, **arguments})
            answer = await socket.receive_json(timeout=_PATIENCE)
        assert answer["success"], answer
        return answer["result"]

    async def post(self, path: str, content: object = None) -> Any:  # noqa: ANN401 - any JSON
        """Send something to the REST API and return the answer."""
        response = await self.api.post(f"/api/{path}", json=content)
        return response.raise_for_status().json()

    async def add_account(
        self, provider: str, name: str, credentials: Mapping[str, str], limits: Mapping[str, float]
    ) -> Entry:
        """Add an account as the forms do."""
        flow = await self.post("config/config_entries/flow", {"handler": DOMAIN})
        for step in ({"provider": provider, "name": name}, credentials, limits):
            flow = await self.post(f"config/config_entries/flow/{flow['flow_id']}", step)
        assert flow["type"] == "create_entry", flow
        return Entry(flow["result"]["entry_id"], flow["title"])

    async def entries(self) -> list[Entry]:
        """Return the accounts that there are."""
        found = await self.ask("config_entries/get", domain=DOMAIN)
        return [Entry(each["entry_id"], each["title"]) for each in found]

    async def device(self, entry: Entry) -> str | None:
        """Return the id of an account's device."""
        devices = await self.ask("config/device_registry/list")
        return next((each["id"] for each in devices if entry.id in each["config_entries"]), None)

    async def entities(self, entry: Entry) -> list[str]:
        """Return the ids of an account's entities."""
        entities = await self.ask("config/entity_registry/list")
        return [each["entity_id"] for each in entities if each["config_entry_id"] == entry.id]

    async def log_in(self, page: Page) -> None:
        """Log in through the form; from then on the page's browser profile is the owner's."""
        await page.goto(str(self.api.base_url))
        await page.locator("input[name=username]").fill(USER)
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.locator("home-assistant-main").wait_for()
