"""The `demo` command: the exporter at work on simulated providers, with what takes hours passing in a minute."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sms_credit_core import DEFAULT_POLL_INTERVAL, PROVIDERS, Account, Answer, Instant, Provider, Reading, Secret

from .accounts import AccountConfig, Config
from .exporter import Exporter
from .simulator.answers import answer
from .simulator.behaviour import Behaviour, Live
from .simulator.scenarios import DEMO, SCENARIOS, DemoAccount
from .simulator.server import Simulator
from .storage import Known, Memory
from .trend import Trend
from .web import Place

POLL_INTERVAL = 2.0
SPEED = DEFAULT_POLL_INTERVAL / POLL_INTERVAL
"""How many times faster than in life everything passes."""

_PAST = 4 * 86400 / SPEED
_STEP = 5.0
"""Seconds of each account's made-up past, and between two readings in it: enough to know how fast it spends."""

_TIMEOUT = 2.0
_STALE_AFTER = 20.0
_REFRESH = 2.0


async def run(places: Sequence[Place]) -> None:
    """Serve the demo until a signal ends it. Raises OSError if an address cannot be listened on."""
    simulator = Simulator()
    async with simulator.serving() as base_urls:
        accounts = tuple(_account(simulator, base_urls, account) for account in DEMO)
        config = Config(accounts=accounts, stale_after=_STALE_AFTER)
        exporter = Exporter(lambda: config, memory=_MadeUp, refresh=_REFRESH, demo=True)
        await exporter.run(places, _greet)


class _MadeUp(Memory):
    """What would be known of the accounts, had the demo begun long ago."""

    _behaviours: Mapping[str, Behaviour] = {
        account.name: SCENARIOS[account.provider][account.past or account.scenario] for account in DEMO
    }

    def recall(self, configs: Collection[AccountConfig]) -> Mapping[str, Known]:
        """Return accounts as they have lived until now."""
        return {config.name: self._known(config) for config in configs}

    def _known(self, config: AccountConfig) -> Known:
        trend = Trend()
        for account in lived(config.provider, self._behaviours[config.name], Instant.now()):
            trend = trend.after(account.ledger)
        return Known(account, trend)


def lived(provider: Provider, behaviour: Behaviour, now: Instant) -> Iterator[Account]:
    """Yield an account as it was at first and after each reading until now.

    Its behaviour begins now, and went on before.
    """
    account = Account(speed=SPEED)
    yield account
    for step in range(int(_PAST / _STEP), 0, -1):
        ago = step * _STEP
        act = behaviour(-ago)
        if isinstance(act, Live):
            at = Instant(now.unix - ago, now.monotonic - ago)
            account = account.after(reading_of(provider, act, at), at, 0.0)
            yield account


def reading_of(provider: Provider, act: Live, at: Instant) -> Reading:
    """Return what is read of an account that has these numbers."""
    told = answer(provider.key, act, at.unix)
    headers = {name.lower(): value for name, value in told.headers}
    return provider.read(Answer(told.status, headers, told.body))


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
