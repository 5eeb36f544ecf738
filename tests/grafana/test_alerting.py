"""The shipped rules in a real Prometheus, the shipped inhibition rules in a real Alertmanager, 600 times as fast."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from operator import itemgetter
from pathlib import Path

import httpx
import pytest
import yaml

from grafana.demo import shipped_alertmanager
from grafana.generate.alerts import GROUPS
from grafana.generate.rules import as_rule_file
from grafana.generate.settings import HOUR, MINUTE, Settings
from sms_credit_exporter.simulator.behaviour import Live, NoAnswer
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator
from tests.exporter.running import PATIENCE, Providers, Running, running, until
from tests.grafana.servers import GENERATIONS, Webhook, alertmanager, prometheus

Tool = Callable[[str], str]

PACE = 600
"""A poll every second is what a poll every ten minutes is in life."""

WAITS = {"group_wait": "500ms", "group_interval": "500ms", "repeat_interval": "1h"}


class Life:
    """Two accounts at one provider, one at another, all in good health, and everything that watches them."""

    def __init__(self, stack: AsyncExitStack, http: httpx.AsyncClient, folder: Path, providers: Providers) -> None:
        """Open the accounts."""
        self._stack, self._http, self._folder = stack, http, folder
        self.otp, self.shop = providers.add("23telecom"), providers.add("23telecom")
        self.alarm = providers.add("iletimerkezi")
        accounts = [
            providers.configured("otp", self.otp, low_balance=100, low_quota=1000, message_price=0.1),
            providers.configured("shop", self.shop),
            providers.configured("alarm", self.alarm),
        ]
        (folder / "config.yml").write_text(yaml.safe_dump({"accounts": accounts}))
        self.exporter: Running
        self.webhooks: list[Webhook] = []
        self._address = "127.0.0.1:0"

    async def start_exporter(self) -> None:
        """Start the exporter, where it was before if it was started before."""
        listen = f"--web.listen-address={self._address}"
        self.exporter = await self._stack.enter_async_context(
            running(self._http, "serve", "--config.file=config.yml", listen, cwd=self._folder, env={})
        )
        self._address = self.exporter.urls[0].removeprefix("http://")

    async def start_watching(self, generation: str, tool: Tool) -> None:
        """Start one generation of Prometheus and Alertmanager."""
        programs = GENERATIONS[generation]
        folder = self._folder / generation
        folder.mkdir()
        webhook = await self._stack.enter_async_context(Webhook().serving())
        notified = await self._stack.enter_async_context(
            alertmanager(tool(f"{programs}prometheus-alertmanager"), folder, shipped_alertmanager(webhook.url, **WAITS))
        )
        rules = as_rule_file(GROUPS, Settings(pace=PACE))
        await self._stack.enter_async_context(
            prometheus(
                tool(f"{programs}prometheus"),
                folder,
                self._http,
                targets=[self._address],
                rules=rules,
                alertmanager=notified,
            )
        )
        self.webhooks.append(webhook)

    async def tells(self, *expected: tuple[str, str, str], then_silent_for: int = 40 * MINUTE) -> None:
        """Wait for these notifications; none other may have come by then, nor come soon after.

        Each receiver is told in this order; one receiver does not wait for the other.
        """

        async def all_there() -> bool:
            return all(len(webhook.told) >= len(expected) for webhook in self.webhooks)

        await until(all_there)
        await asyncio.sleep(then_silent_for / PACE)
        for webhook in self.webhooks:
            assert sorted(webhook.told, key=itemgetter(0)) == sorted(expected, key=itemgetter(0))
            webhook.told.clear()


@pytest.fixture
async def life(tool: Tool, tmp_path: Path) -> AsyncIterator[Life]:
    """Run everything, with both generations of Prometheus and Alertmanager looking on."""
    simulator = Simulator()
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http,
        simulator.serving() as base_urls,
        AsyncExitStack() as stack,
    ):
        made = Life(stack, http, tmp_path, Providers(simulator, base_urls))
        await made.start_exporter()
        for generation in GENERATIONS:
            await made.start_watching(generation, tool)
        await made.exporter.shows('sms_credit_up{account="alarm",provider="iletimerkezi"} 1.0')
        await made.tells()
        yield made


def balance(account: SimulatedAccount, amount: str) -> None:
    """Let an account have this balance."""
    account.answer_with(Live(balance=Decimal(amount)))


async def test_an_account_runs_dry_and_is_topped_up(life: Life) -> None:
    """Falling ever lower is told once for each worse state, and all of it is over with the top-up."""
    balance(life.otp, "90")
    await life.tells(("tickets", "firing", "BalanceLow otp"))

    balance(life.otp, "-1.20")
    await life.tells(("on-call", "firing", "Blocked otp"))
    for webhook in life.webhooks:
        assert webhook.last["alerts"][0]["annotations"]["description"] == (
            "23telecom sends nothing for account otp until it is topped up. Its balance was -1.20 EUR when it was last read."  # noqa: E501 - one sentence
        )

    balance(life.otp, "500")
    await life.tells(
        ("on-call", "resolved", "Blocked otp"),
        ("tickets", "resolved", "BalanceLow otp"),
    )


async def test_a_provider_is_away_and_an_account_is_blocked_meanwhile(life: Life) -> None:
    """Two accounts that cannot be read are one notification, and a block from before is not taken back."""
    balance(life.shop, "0")
    await life.tells(("on-call", "firing", "Blocked shop"))

    life.otp.answer_with(NoAnswer.CUT)
    life.shop.answer_with(NoAnswer.CUT)
    await life.tells(("tickets", "firing", "ProviderDown 23telecom"), then_silent_for=2 * HOUR)

    life.otp.answer_with("healthy")
    balance(life.shop, "0")
    await life.tells(("tickets", "resolved", "ProviderDown 23telecom"))

    balance(life.shop, "500")
    await life.tells(("on-call", "resolved", "Blocked shop"))


async def test_the_exporter_dies_and_is_started_again(life: Life) -> None:
    """Its absence is one notification, its return another, and what was known of the accounts outlasts both."""
    life.alarm.answer_with("error_401")
    await life.tells(("tickets", "firing", "AuthFailed alarm"))

    life.exporter.process.kill()
    await life.tells(("on-call", "firing", "ExporterAbsent sms-credit"), then_silent_for=2 * HOUR)

    await life.start_exporter()
    await life.tells(("on-call", "resolved", "ExporterAbsent sms-credit"))

    life.alarm.answer_with("healthy")
    await life.tells(("tickets", "resolved", "AuthFailed alarm"))
