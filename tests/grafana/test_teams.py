"""Alerts go to the team that an account is labelled with: exporter, Prometheus and Alertmanager, all of them real."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import yaml

from grafana.demo import shipped_alertmanager
from grafana.generate.alerts import GROUPS
from grafana.generate.rules import as_rule_file
from grafana.generate.settings import Settings
from sms_credit_exporter.simulator.behaviour import Live, NoAnswer
from sms_credit_exporter.simulator.server import Simulator
from tests.exporter.running import PATIENCE, Providers, running, until
from tests.grafana.servers import GENERATIONS, Webhook, alertmanager, prometheus

Tool = Callable[[str], str]

PACE = 600
"""A poll every second is what a poll every ten minutes is in life."""

WAITS = {"group_wait": "500ms", "group_interval": "500ms", "repeat_interval": "1h"}


def routed(webhook: str) -> dict[str, object]:
    """Return the shipped Alertmanager configuration with a route for each team before the others."""
    config = shipped_alertmanager(webhook, **WAITS)
    for team in ("web", "app"):
        config["route"]["routes"].insert(0, {"matchers": [f"team = {team}"], "receiver": team})
        config["receivers"].append({"name": team, "webhook_configs": [{"url": f"{webhook}/{team}"}]})
    return config


@pytest.mark.parametrize("programs", GENERATIONS.values(), ids=GENERATIONS)
async def test_each_team_hears_of_its_own_accounts(tool: Tool, tmp_path: Path, programs: str) -> None:
    """A low balance, refused credentials and an absent provider go to whose account it is, and so does their end."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        http = await enter(httpx.AsyncClient(trust_env=False, timeout=PATIENCE))
        simulator = Simulator()
        providers = Providers(simulator, await enter(simulator.serving()))
        shop, otp, own = (providers.add("23telecom") for _ in range(3))
        accounts = [
            providers.configured("shop", shop, low_balance=100, labels={"team": "web", "site": "main"}),
            providers.configured("otp", otp, labels={"team": "app"}),
            providers.configured("own", own, low_balance=100),
        ]
        (tmp_path / "config.yml").write_text(yaml.safe_dump({"accounts": accounts}))
        listen = "--web.listen-address=127.0.0.1:0"
        exporter = await enter(running(http, "serve", "--config.file=config.yml", listen, cwd=tmp_path, env={}))
        webhook = await enter(Webhook().serving())
        notified = await enter(alertmanager(tool(f"{programs}prometheus-alertmanager"), tmp_path, routed(webhook.url)))
        watching = await enter(
            prometheus(
                tool(f"{programs}prometheus"),
                tmp_path,
                http,
                targets=[exporter.urls[0].removeprefix("http://")],
                rules=as_rule_file(GROUPS, Settings(pace=PACE)),
                alertmanager=notified,
            )
        )

        async def told(*expected: tuple[str, str, str]) -> None:
            async def all_there() -> bool:
                return sorted(webhook.told) == sorted(expected)

            await until(all_there)
            webhook.told.clear()

        await exporter.shows('sms_credit_up{account="otp",provider="23telecom",site="",team="app"} 1.0')
        await exporter.shows('sms_credit_up{account="own",provider="23telecom",site="",team=""} 1.0')

        async def scraped() -> bool:
            return len(await watching.query("sms_credit_balance")) == len(accounts)

        await until(scraped)
        assert await watching.labels("sms_credit_balance", "team") == {"web", "app", ""}
        assert [each["metric"]["account"] for each in await watching.query('sms_credit_balance{site=""}')] == [
            "otp",
            "own",
        ]

        shop.answer_with(Live(balance=Decimal(90)))
        otp.answer_with("error_forbidden")
        own.answer_with(Live(balance=Decimal(90)))
        await told(
            ("web", "firing", "BalanceLow shop"),
            ("app", "firing", "AccessDenied otp"),
            ("tickets", "firing", "BalanceLow own"),
        )

        shop.answer_with("healthy")
        otp.answer_with("healthy")
        own.answer_with("healthy")
        await told(
            ("web", "resolved", "BalanceLow shop"),
            ("app", "resolved", "AccessDenied otp"),
            ("tickets", "resolved", "BalanceLow own"),
        )

        for account in (shop, otp, own):
            account.answer_with(NoAnswer.CUT)
        await told(*((receiver, "firing", "ProviderDown 23telecom") for receiver in ("web", "app", "tickets")))
