"""A provider that sends credentials back: in error codes, in texts for people, in headers."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import cycle
from typing import Any

import httpx
import pytest

from sms_credit_core import PROVIDERS, Provider, Secret, poll
from sms_credit_exporter.simulator.payloads import Payload, payloads
from sms_credit_exporter.simulator.server import Simulator
from tests.secrets.marks import PLAIN, Search, credentials


def echoing(value: Any, said: str) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON with this in place of each text."""
    if isinstance(value, dict):
        return {name: echoing(member, said) for name, member in value.items()}
    if isinstance(value, list):
        return [echoing(member, said) for member in value]
    return said if isinstance(value, str) else value


def echoes(provider: Provider, values: Mapping[str, str]) -> Iterator[Payload]:
    """Yield every answer of the provider, with a credential, or all of them, in place of whatever is text in it."""
    said = cycle([*values.values(), "-".join(values.values())])
    for payload in payloads(provider.key):
        try:
            body = json.loads(payload.body)
        except ValueError:
            body = ""
        # The type stays, so that JSON is read as such.
        headers = {name: next(said) for name, _ in payload.headers if not name.lower().startswith("content-")}
        yield replace(payload, body=json.dumps(echoing(body, next(said))).encode(), headers=tuple(headers.items()))


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
async def test_what_a_provider_sends_back_is_not_repeated(provider: Provider) -> None:
    """A code of theirs is shown because it helps; what holds a credential is no code."""
    values = credentials(provider, between=PLAIN, optional=False)
    secrets = {name: Secret(value) for name, value in values.items()}
    simulator = Simulator()
    account = simulator.add(provider.key, credentials=values)
    outcomes = []
    async with simulator.serving() as base_urls, httpx.AsyncClient(trust_env=False) as client:
        for payload in echoes(provider, values):
            account.answer_with(payload)
            outcomes.append(
                await poll(client, provider, secrets, unix_time=time.time, base_url=base_urls[provider.key])
            )
    assert len(account.requests) > 30
    assert Search.of(values.values()).found(str(outcomes)) == []
