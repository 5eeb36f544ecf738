"""The integration in Home Assistant, with simulated providers that speak real HTTP; nothing else is replaced."""

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, override

import httpx
import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant import bootstrap, loader
from homeassistant.components.homeassistant import DOMAIN as HOMEASSISTANT_DOMAIN
from homeassistant.components.homeassistant import SERVICE_UPDATE_ENTITY
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.httpx_client import get_async_client
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_restore_state_shutdown_restart,
    async_test_home_assistant,
)
from pytest_homeassistant_custom_component.patch_time import HAFakeDatetime

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS, Secret, state
from sms_credit_exporter.simulator.apis import Received
from sms_credit_exporter.simulator.behaviour import NoAnswer
from sms_credit_exporter.simulator.payloads import Payload, payloads
from sms_credit_exporter.simulator.server import Simulator

CHECKOUT = Path(__file__).parents[3]
COMPONENT = CHECKOUT / "custom_components" / DOMAIN

CREDENTIALS = {
    key: {field.name: f"{key}_{field.name}_never_print_me" for field in provider.credentials if field.required}
    for key, provider in PROVIDERS.items()
}
"""What every account in the tests has, unless a test says otherwise."""

NAMES = {key: provider.name for key, provider in PROVIDERS.items()}


def _request_of(provider: str) -> tuple[str, str]:
    """Return method and address of a provider's request; credentials in it are shown by their names."""
    declared = PROVIDERS[provider]
    credentials = {name: Secret(value) for name, value in CREDENTIALS[provider].items()}
    request = declared.request(declared.base_url, credentials, 0)
    return request.method, request.url


_PROVIDER_AT = {_request_of(provider): provider for provider in PROVIDERS}


def texts(language: str) -> dict[str, Any]:
    """Return the integration's texts in a language."""
    content: dict[str, Any] = json.loads((COMPONENT / "translations" / f"{language}.json").read_text())
    return content


ALL_PAYLOADS = list(payloads())
"""Read before any event loop runs, which must not wait for files."""


def raw(status: int, body: bytes = b"", **headers: str) -> Payload:
    """Return an answer that no file has; header names are written with underscores."""
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Payload("", "made_up", "", "", status, lines, body, {})


class NoConnection(Enum):
    """What can happen to a request before anybody is there to answer."""

    REFUSED = "nobody listens at the provider's address"
    WAITED_FOR = "the provider is silent, and somebody waits for it all the same"


Answer = str | Payload | NoAnswer | NoConnection
"""A payload by its name, an answer that no file has, or what happens in place of an answer."""


class Providers:
    """All providers, simulated. They know the accounts of CREDENTIALS, and refuse all others until told of them."""

    base_urls: Mapping[str, str]
    """Where each is to be had by whoever does not ask for the provider's own host."""

    def __init__(self, simulator: Simulator) -> None:
        """Answer in good health."""
        self.answers: dict[str, Answer] = dict.fromkeys(CREDENTIALS, "healthy")
        self._simulator = simulator
        self._accounts = [simulator.add(provider, credentials=each) for provider, each in CREDENTIALS.items()]

    @property
    def requests(self) -> list[Received]:
        """The requests that arrived, as they came off the wire."""
        return list(self._simulator.requests)

    def taken(self) -> Counter[str]:
        """Return how often each provider was asked since this was called last, and forget what it was asked."""
        asked = Counter({each.provider: len(each.requests) for each in self._accounts})
        for known in (self._simulator, *self._accounts):
            known.requests.clear()
        return asked

    async def asked(self, times: int) -> None:
        """Wait for the request that makes it so many."""
        while len(self.requests) < times:  # noqa: ASYNC110 - the request comes over a real socket, which sets no event
            await asyncio.sleep(0)

    def know(self, provider: str, **credentials: str) -> None:
        """Accept these credentials too."""
        self._accounts.append(self._simulator.add(provider, credentials=credentials))
        self.answer(provider, self.answers[provider])

    def answer(self, provider: str, answer: Answer) -> None:
        """Answer for every account like this from now on."""
        self.answers[provider] = answer
        for account in self._accounts:
            if account.provider == provider and answer is not NoConnection.REFUSED:
                account.answer_with(NoAnswer.SILENT if isinstance(answer, NoConnection) else answer)


class Detour(httpx.AsyncBaseTransport):
    """Another transport, led to this machine. The request, and what comes of it, is real but for the address."""

    def __init__(self, transport: httpx.AsyncBaseTransport, providers: Providers, port: int, nobodys_port: int) -> None:
        """Take the simulator's port, and one where nobody listens."""
        self._transport, self._providers = transport, providers
        self._port, self._nobodys_port = port, nobodys_port

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. What is not exactly one of the documented requests fails the test, but for addresses here."""
        if request.url.host == "127.0.0.1":
            return await self._transport.handle_async_request(request)
        answer = self._providers.answers[_PROVIDER_AT[request.method, str(request.url)]]
        port = self._nobodys_port if answer is NoConnection.REFUSED else self._port
        # Silence needs no waiting for; and a frozen clock would never end it.
        patience = {"read": 0} if answer is NoAnswer.SILENT else {}
        return await self._transport.handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_with(scheme="http", host="127.0.0.1", port=port),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions | {"timeout": request.extensions["timeout"] | patience},
            )
        )

    @override
    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


@pytest.fixture(autouse=True)
def _frozen_times_are_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the core write down the time of a frozen clock too, whose class it cannot know."""
    monkeypatch.setitem(state._WRITERS, HAFakeDatetime, HAFakeDatetime.isoformat)  # type: ignore[arg-type] # noqa: SLF001


@pytest.fixture
async def providers(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    socket_enabled: None,  # noqa: ARG001 - on 127.0.0.1
) -> AsyncIterator[Providers]:
    """Serve the simulated providers, and lead Home Assistant's own HTTP client to them."""
    client = get_async_client(hass)
    transport = client._transport  # noqa: SLF001 - a client that there is already can be given no other in public
    simulator = Simulator(unix_time=lambda: time.time())  # noqa: PLW0108 - a frozen clock takes another's place
    simulated = Providers(simulator)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and it never listens
        async with simulator.serving() as base_urls:
            ports = (httpx.URL(next(iter(base_urls.values()))).port, nobody.getsockname()[1])
            simulated.base_urls = base_urls
            async with Detour(transport, simulated, *ports) as detour:
                monkeypatch.setattr(client, "_transport", detour)
                monkeypatch.setattr(client, "_mounts", {})  # the proxies of this machine's environment
                yield simulated


@pytest.fixture
def every_entity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable from the start what is disabled until a user wants it."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


def account(provider: str, *, title: str | None = None, entry_id: str | None = None, **options: str) -> MockConfigEntry:
    """Return a configured account that Home Assistant does not know of yet."""
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=entry_id,
        title=title or NAMES[provider],
        data={"provider": provider, **CREDENTIALS[provider]},
        options=options,
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set up an account as Home Assistant does when it starts."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def restart(hass: HomeAssistant, freezer: FrozenDateTimeFactory, entry: MockConfigEntry) -> None:
    """Restart Home Assistant as far as an account is concerned; it takes as long as until the next poll."""
    await hass.config_entries.async_unload(entry.entry_id)
    await async_mock_restore_state_shutdown_restart(hass)
    freezer.tick(timedelta(seconds=300))
    await set_up_again(hass, entry)


async def another(hass: HomeAssistant, stack: AsyncExitStack) -> HomeAssistant:
    """Make another Home Assistant, with the folder, the storage and the way to the providers of one that has ended."""
    hass.loop.__dict__.pop("_shutdown_run_callback_threadsafe", None)  # in life, the loop ends with its Home Assistant
    home = async_test_home_assistant(
        load_registries=False, config_dir=hass.config.config_dir, initial_state=CoreState.not_running
    )
    new = await stack.enter_async_context(home)
    await new.config.async_set_time_zone(hass.config.time_zone)
    new.data.pop(loader.DATA_CUSTOM_COMPONENTS)
    assert await bootstrap.async_load_base_functionality(new)
    client, before = get_async_client(new), get_async_client(hass)
    client._transport, client._mounts = before._transport, {}  # noqa: SLF001 - see the fixture `providers`
    return new


async def set_up_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set up an account that Home Assistant knows of."""
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def update_now(hass: HomeAssistant, *entity_ids: str) -> None:
    """Ask for an update, and wait until everything has happened that comes of it."""
    await begin_update(hass, *entity_ids)
    await hass.async_block_till_done()


async def begin_update(hass: HomeAssistant, *entity_ids: str) -> None:
    """Ask for an update, as an automation of the user's may do."""
    assert await async_setup_component(hass, HOMEASSISTANT_DOMAIN, {})
    await hass.services.async_call(
        HOMEASSISTANT_DOMAIN, SERVICE_UPDATE_ENTITY, {ATTR_ENTITY_ID: list(entity_ids)}, blocking=True
    )


async def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float = 300) -> None:
    """Let time pass, by default until the next regular poll."""
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


_OF_SEVERAL_READINGS = {"runway", "spent", "topped_up", "unusual_spending"}


def states(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return what an account's entities say of its last reading, by their keys; those that are disabled say nothing."""
    return {key: state for key, state in _states(hass, entry).items() if key not in _OF_SEVERAL_READINGS}


def spending(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return what an account's entities say of what has happened to its credit from reading to reading."""
    return {key: state for key, state in _states(hass, entry).items() if key in _OF_SEVERAL_READINGS}


def _states(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {
        each.unique_id.removeprefix(f"{entry.entry_id}_"): hass.states.get(each.entity_id).state
        for each in entities
        if not each.disabled
    }


def entity_id(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> str:
    """Return the id of one of an account's entities."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return next(each.entity_id for each in entities if each.unique_id == f"{entry.entry_id}_{key}")


@pytest.fixture
async def home(  # noqa: PLR0913, PLR0917 - fixtures
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[Any]:
    """Give a home with a folder of its own, in which the clock stands."""
    from .home import Home  # noqa: PLC0415 - it is built on what stands here

    # The harness in place of Home Assistant's storage logs all that it holds.
    caplog.set_level("INFO", "pytest_homeassistant_custom_component.common")
    hass.config.config_dir = str(tmp_path)
    async with AsyncExitStack() as stack:
        home = Home(hass, hass_storage, providers, freezer, stack)
        yield home
        await home.end()
