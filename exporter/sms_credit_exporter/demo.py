"""The `demo` command: the exporter at work on simulated providers, with what takes hours passing in a minute."""

from collections.abc import Mapping, Sequence

from sms_credit_core import PROVIDERS, Secret

from .accounts import AccountConfig, Config
from .exporter import Exporter
from .simulator.scenarios import DEMO, SCENARIOS, DemoAccount
from .simulator.server import Simulator
from .web import Address

POLL_INTERVAL = 2.0
_TIMEOUT = 2.0
_STALE_AFTER = 20.0
_REFRESH = 2.0


async def run(addresses: Sequence[Address]) -> None:
    """Serve the demo until a signal ends it. Raises OSError if an address cannot be listened on."""
    simulator = Simulator()
    async with simulator.serving() as base_urls:
        accounts = tuple(_account(simulator, base_urls, account) for account in DEMO)
        config = Config(accounts=accounts, stale_after=_STALE_AFTER)
        await Exporter(lambda: config, refresh=_REFRESH, demo=True).run(addresses, _greet)


def _greet(urls: Sequence[str]) -> None:
    print(f"Open {' or '.join(urls)} in a browser; Ctrl-C ends the demo.", flush=True)


def _account(simulator: Simulator, base_urls: Mapping[str, str], account: DemoAccount) -> AccountConfig:
    """Open an account at the simulated provider and configure it."""
    opened = simulator.add(account.provider, SCENARIOS[account.provider][account.scenario])
    return AccountConfig(
        name=account.name,
        provider=PROVIDERS[account.provider],
        credentials={name: Secret(value) for name, value in opened.credentials.items()},
        base_url=base_urls[account.provider],
        poll_interval=POLL_INTERVAL,
        timeout=_TIMEOUT,
        limits=account.limits,
    )
