"""The simulated providers for a program that knows nothing of them: by proxy, under the real host names."""

import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import trustme

from sms_credit_core import PROVIDERS
from sms_credit_exporter.simulator.scenarios import DEMO, SCENARIOS, DemoAccount
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator

from .proxy import HOSTS, proxying

_SLOWDOWN = 30.0
"""The scenarios are made for the demo, which polls every two seconds; Home Assistant polls every five minutes."""


@dataclass(frozen=True, slots=True)
class SimulatedProviders:
    """The providers at work."""

    accounts: Mapping[str, SimulatedAccount]
    """By name; the accounts of the demo, each in its scenario."""
    environment: Mapping[str, str]
    """The environment that leads a program to them, and to nobody else."""


@asynccontextmanager
async def simulated_providers() -> AsyncIterator[SimulatedProviders]:
    """Serve them, with a certificate authority that exists as long as they do."""
    simulator = Simulator(clock=lambda: time.monotonic() / _SLOWDOWN)
    accounts = {account.name: _open(simulator, account) for account in DEMO}
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*HOSTS).configure_cert(tls)
    with TemporaryDirectory() as folder:
        trusted = Path(folder, "authority.pem")
        authority.cert_pem.write_to_path(str(trusted))
        async with simulator.serving(ssl_context=tls) as base_urls, proxying(_port(base_urls)) as proxy:
            environment = {
                "HTTPS_PROXY": proxy,
                "HTTP_PROXY": proxy,
                "NO_PROXY": "127.0.0.1,localhost",
                "REQUESTS_CA_BUNDLE": str(trusted),
            }
            yield SimulatedProviders(accounts, environment)


def _open(simulator: Simulator, account: DemoAccount) -> SimulatedAccount:
    """Open an account with credentials that are the same in every run, so that what was added stays valid."""
    name = account.name.replace("-", "_")
    fields = [field.name for field in PROVIDERS[account.provider].credentials if field.required]
    credentials = {field: f"{name}_{field}" for field in fields}
    return simulator.add(account.provider, SCENARIOS[account.provider][account.scenario], credentials=credentials)


def _port(base_urls: Mapping[str, str]) -> int:
    """Return the port that all of them are served on."""
    (port,) = {httpx.URL(url).port for url in base_urls.values()}
    assert port
    return port
