"""A person's way with the integration, from the copied folder to a notification that is not said again.

All that a person does goes through Home Assistant's REST and WebSocket APIs, as its pages use them.
"""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS

from .conftest import COMPONENT, CREDENTIALS, texts
from .home import BLUEPRINT, NONE, NOON, OUTAGE, PLENTY, SOME, Home

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")

PROVIDER = "23telecom"
TITLE = "OTP"
BLUEPRINTS = {"en": BLUEPRINT, "tr": BLUEPRINT.with_name("credit_alert_tr.yaml")}

Step = dict[str, Any]


class Person:
    """Somebody who is logged in to a Home Assistant."""

    def __init__(self, hass: HomeAssistant, client: TestClient[Any, Any], language: str, seen: dict[str, str]) -> None:
        """Take the connection, and what has been seen so far: texts by their keys."""
        self.hass, self._client, self._language, self.seen = hass, client, language, seen

    async def _headers(self) -> dict[str, str]:
        user = await self.hass.auth.async_get_owner()
        assert user
        refresh = await self.hass.auth.async_create_refresh_token(user, "https://example.com/app")
        return {"Authorization": f"Bearer {self.hass.auth.async_create_access_token(refresh)}"}

    async def post(self, path: str, content: object) -> Any:  # noqa: ANN401 - any JSON
        """Send something to the REST API, and wait for all that comes of it."""
        response = await self._client.post(f"/api/{path}", json=content, headers=await self._headers())
        assert response.status == 200, await response.text()
        answer = await response.json()
        await self.hass.async_block_till_done()
        return answer

    async def ask(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 - any JSON
        """Send a command over the WebSocket API and return its result."""
        token = (await self._headers())["Authorization"].removeprefix("Bearer ")
        async with self._client.ws_connect("/api/websocket") as connection:
            await connection.receive_json()
            await connection.send_json({"type": "auth", "access_token": token})
            await connection.receive_json()
            await connection.send_json({"id": 1, "type": command, **arguments})
            answer = await connection.receive_json()
        assert answer["success"], answer
        return answer["result"]

    async def _note(self, category: str, *prefixes: str) -> None:
        shown = await async_get_translations(self.hass, self._language, category, {DOMAIN})
        component = f"component.{DOMAIN}.{category}."
        keys = [key for key in shown if any(key.startswith(component + prefix) for prefix in prefixes)]
        assert keys, prefixes
        self.seen |= {key: shown[key] for key in keys}

    async def fill_in(self, flow: str, begin: Step, *forms: Step, category: str) -> Step:
        """Go through a flow, form by form, and return how it ends."""
        step = await self.post(flow, begin)
        for form in forms:
            await self._note(category, f"step.{step['step_id']}.")
            step = await self.post(f"{flow}/{step['flow_id']}", form)
        return dict(step)

    async def add_account(self) -> str:
        """Add the account as the pages do; return its entry."""
        credentials = CREDENTIALS[PROVIDER]
        forms = ({"provider": PROVIDER, "name": TITLE, "advanced": {}}, credentials, {"low_balance": 20})
        step = await self.fill_in("config/config_entries/flow", {"handler": DOMAIN}, *forms, category="config")
        assert step["type"] == "create_entry", step
        return str(step["result"]["entry_id"])

    async def set_limit(self, entry_id: str, low_balance: int) -> None:
        """Choose Configure in the menu of the account, and set another limit."""
        path = "config/config_entries/options/flow"
        step = await self.fill_in(path, {"handler": entry_id}, {"low_balance": low_balance}, category="options")
        assert step["type"] == "create_entry", step

    async def automate(self) -> None:
        """Import the blueprint, and save an automation of it in the editor, with nothing changed."""
        file = BLUEPRINTS[self._language]
        text = await self.hass.async_add_executor_job(file.read_text)
        path = f"{DOMAIN}/{file.stem}"
        await self.ask("blueprint/save", domain="automation", path=path, yaml=text, allow_override=True)
        inputs = {"status": "sensor.otp_status"}
        automation = {"alias": "Alert", "use_blueprint": {"path": f"{path}.yaml", "input": inputs}}
        await self.post("config/automation/config/alert", automation)

    async def notifications(self) -> list[tuple[str, str]]:
        """Return title and first line of each notification that is to be seen."""
        found = await self.ask("persistent_notification/get")
        return [(each["title"], each["message"].splitlines()[0]) for each in found]

    async def states(self) -> dict[str, tuple[str, str]]:
        """Return name and state of each entity of the account."""
        found = await self.ask("get_states")
        ours = [each for each in found if each["entity_id"].partition(".")[2].startswith("otp_")]
        await self._note("entity", "")
        return {each["entity_id"]: (each["attributes"]["friendly_name"], each["state"]) for each in ours}


@asynccontextmanager
async def logged_in(home: Home, language: str, seen: dict[str, str]) -> AsyncIterator[Person]:
    """Log in to the Home Assistant that runs now."""
    hass = home.hass
    for component in ("http", "api", "websocket_api", "config"):
        config = {component: {"server_host": "127.0.0.1", "server_port": _free_port()}} if component == "http" else {}
        assert await async_setup_component(hass, component, config)
    MockUser(is_owner=True, groups=[await hass.auth.async_get_group("system-admin")]).add_to_hass(hass)
    async with TestClient(TestServer(hass.http.app)) as client:
        person = Person(hass, client, language, seen)
        if (await person.ask("http/config"))["pending"]:
            await person.ask("http/config/promote")  # or Home Assistant takes the address back, and stops
        yield person


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def names(language: str) -> dict[str, str]:
    """Return how the entities of the account are called, by their ids."""
    names = texts(language)["entity"]
    english = texts("en")["entity"]
    return {
        f"{platform}.otp_{words['name'].lower().replace(' ', '_')}": f"{TITLE} {names[platform][key]['name']}"
        for platform, entities in english.items()
        for key, words in entities.items()
    }


ALERTS = {
    "en": ("The credit is low.", "The credit is low. The provider has blocked sending for lack of credit."),
    "tr": ("Bakiye azaldı.", "Bakiye azaldı. Sağlayıcı, bakiye bittiği için gönderimi engelledi."),  # noqa: RUF001 - Turkish
}


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("language", ["en", "tr"])
async def test_from_nothing_to_a_notification_and_back(home: Home, language: str) -> None:
    """Credit falls, and it is told; a restart says nothing again; after a top-up all is well, and it can fall again."""
    low, blocked = ALERTS[language]
    seen: dict[str, str] = {}
    home.hass.config.language = language
    await home.open()
    async with logged_in(home, language, seen) as person:
        entry_id = await person.add_account()
        await person.set_limit(entry_id, 50)
        await person.automate()
        await home.pass_time()
        assert await person.notifications() == []

        home.answer(SOME)
        await home.pass_time()
        assert await person.notifications() == [(TITLE, low)]
        assert (await person.states())["binary_sensor.otp_low_credit"][1] == "on"

    await home.restart()
    async with logged_in(home, language, seen) as person:
        await home.pass_time()
        assert await person.notifications() == []  # notifications end with Home Assistant, and it is not said again
        assert (await person.states())["binary_sensor.otp_low_credit"][1] == "on"
        home.answer(OUTAGE)
        await home.pass_time(3900)
        assert await person.notifications() == []

        home.answer(PLENTY)
        await home.pass_time()
        states = await person.states()
        assert states["binary_sensor.otp_low_credit"][1] == "off"
        assert states["sensor.otp_balance"][1] == "100"
        assert await person.notifications() == []
        assert {entity_id: name for entity_id, (name, _) in states.items()}.items() <= names(language).items()

        home.answer(NONE)
        await home.pass_time()
        assert await person.notifications() == [(TITLE, blocked)]
    assert_in_language(language, seen)


def assert_in_language(language: str, seen: dict[str, str]) -> None:
    """Each text that was seen stands in the file of the language."""
    assert len(seen) > 40
    for key, text in seen.items():
        found: Any = texts(language)
        for name in key.removeprefix(f"component.{DOMAIN}.").split("."):
            found = found[name]
        assert found == text


def test_the_copied_folder_is_all_that_is_needed(tmp_path: Path) -> None:
    """Every file of it can be imported where nothing else of the project is."""
    folder = tmp_path / "custom_components" / DOMAIN
    shutil.copytree(COMPONENT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    modules = [f"custom_components.{DOMAIN}.{path.stem}" for path in folder.glob("*.py")]
    program = (
        "import homeassistant, importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"core = importlib.import_module('custom_components.{DOMAIN}.lib.sms_credit_core')\n"
        "print(json.dumps([core.__file__, list(core.PROVIDERS)]))"
    )
    answer = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    file, providers = json.loads(answer.stdout)
    assert Path(file).is_relative_to(folder)
    assert providers == list(PROVIDERS)
