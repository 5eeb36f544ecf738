"""The integration in Home Assistant, with both providers' APIs answered here and nowhere else replaced by anything."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.httpx_client import get_async_client
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.sms_credit.const import DOMAIN

CHECKOUT = Path(__file__).parents[3]
COMPONENT = CHECKOUT / "custom_components" / DOMAIN
PAYLOADS = CHECKOUT / "tests" / "payloads"

CREDENTIALS = {
    "23telecom": {"api_key": "sk_test_23_never_print_me"},
    "iletimerkezi": {"api_key": "1e7_never_print_me", "api_hash": "ha54_never_print_me"},
}
"""What every account in the tests has, unless a test says otherwise."""

NAMES = {"23telecom": "23 Telecom", "iletimerkezi": "iletiMerkezi"}

_PROVIDER_AT = {
    ("GET", "https://restlink23telecom.com/api/v1/user/balance"): "23telecom",
    ("POST", "https://api.iletimerkezi.com/v1/get-balance/json"): "iletimerkezi",
}


def texts(language: str) -> dict[str, Any]:
    """Return the integration's texts in a language."""
    content: dict[str, Any] = json.loads((COMPONENT / "translations" / f"{language}.json").read_text())
    return content


@dataclass(frozen=True)
class Payload:
    """One answer of a provider, and what it comes to."""

    provider: str
    name: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    outcome: dict[str, Any] = field(hash=False)

    @property
    def response(self) -> httpx.Response:
        """The answer as it comes off the wire."""
        return httpx.Response(self.status, headers=list(self.headers), stream=httpx.ByteStream(self.body))


@cache
def payload(provider: str, name: str) -> Payload:
    """Return one payload by its name."""
    content = yaml.safe_load((PAYLOADS / provider / f"{name}.yaml").read_text())
    answer = content["answer"]
    lines = [(key, value if isinstance(value, list) else [value]) for key, value in answer["headers"].items()]
    return Payload(
        provider=provider,
        name=name,
        status=answer["status"],
        headers=tuple((key, each) for key, values in lines for each in values),
        body=answer["body"] if isinstance(answer["body"], bytes) else answer["body"].encode(),
        outcome=content["outcome"],
    )


ALL_PAYLOADS = [payload(file.parent.name, file.stem) for file in sorted(PAYLOADS.glob("*/*.yaml"))]
"""Read before any event loop runs, which must not wait for files."""


def raw(status: int, body: bytes = b"", **headers: str) -> Payload:
    """Return an answer that no file has; header names are written with underscores."""
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Payload(provider="", name="", status=status, headers=lines, body=body, outcome={})


Answer = str | Payload | Exception
"""A payload by its name, an answer that no file has, or what happens in place of an answer."""


class Providers:
    """Both providers' APIs at their real addresses. They keep what they were asked."""

    def __init__(self) -> None:
        """Answer in good health."""
        self.requests: list[httpx.Request] = []
        self._answers: dict[str, Answer] = dict.fromkeys(CREDENTIALS, "healthy")

    def answer(self, provider: str, answer: Answer) -> None:
        """Answer like this from now on."""
        self._answers[provider] = answer

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Take a request. What is not exactly one of the two documented requests fails the test."""
        provider = _PROVIDER_AT[request.method, str(request.url)]
        self.requests.append(request)
        answer = self._answers[provider]
        if isinstance(answer, Exception):
            raise answer
        return (payload(provider, answer) if isinstance(answer, str) else answer).response


@pytest.fixture
def providers(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Providers:
    """Answer for the providers on Home Assistant's own HTTP client; a request to anywhere else is an error."""
    simulated = Providers()
    monkeypatch.setattr(get_async_client(hass), "_transport", httpx.MockTransport(simulated.respond))
    return simulated


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


async def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float = 300) -> None:
    """Let time pass, by default until the next regular poll."""
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


def states(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the states of an account's entities by their keys."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {
        each.unique_id.removeprefix(f"{entry.entry_id}_"): hass.states.get(each.entity_id).state for each in entities
    }


def entity_id(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> str:
    """Return the id of one of an account's entities."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return next(each.entity_id for each in entities if each.unique_id == f"{entry.entry_id}_{key}")
