"""A provider that sends credentials back."""

import time

import httpx
import pytest

from sms_credit_core import PROVIDERS, Provider, Secret, poll
from sms_credit_exporter.simulator.server import Simulator
from tests.secrets.echoes import echoes
from tests.secrets.marks import PLAIN, Search, credentials


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
    assert len(account.requests) == len(outcomes) > 5
    assert Search.of(values.values()).found(str(outcomes)) == []
