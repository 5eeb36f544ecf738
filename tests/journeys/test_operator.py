"""An operator's way, from the wheel in an empty environment to an alert that ends once somebody has topped up."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import yaml

from sms_credit_exporter.simulator.behaviour import Live
from tests.conftest import ROOT
from tests.exporter.running import LISTEN, Providers, listening, until
from tests.grafana.servers import Webhook, server
from tests.grafana.test_alerting import Tool

RELEASED = ROOT / "packaging/distributions"
"""What `packaging/release` builds distributions with."""


@pytest.fixture(scope="module")
def installed(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, and install it into an environment that has nothing else; return the program."""
    folder, uv = tmp_path_factory.mktemp("installed"), tool("uv")
    path = f"{Path(uv).parent}:/usr/local/bin:/usr/bin:/bin"
    subprocess.run([RELEASED, folder, "--wheel"], env={"PATH": path, "HOME": str(Path.home())}, check=True)
    [wheel] = folder.glob("*.whl")
    environment = folder / "environment"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", environment, wheel], check=True)
    return environment / "bin/sms-credit-exporter"


class Ended(NamedTuple):
    """What a command has come to."""

    code: int | None
    output: str


async def ran(*command: str | Path, cwd: Path) -> Ended:
    """Run a command to its end; return what it said on both of its outputs."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return Ended(process.returncode, output.decode())


def edited(file: Path, changes: Mapping[str, str]) -> str:
    """Return a file as a person has edited it; each change finds something to change."""
    text = file.read_text()
    for pattern, new in changes.items():
        text, count = re.subn(pattern, new, text)
        assert count, pattern
    return text


FOR_A_TEST = {r"\b(for|group_wait|group_interval): \d+[smhd]\b": r"\1: 1s"}
"""Nothing else is shortened: how long a condition must hold, and how long notifications are held back."""


def balance(amount: str) -> Live:
    """Return an answer with this balance."""
    return Live(balance=Decimal(amount))


@pytest.mark.timeout(300)  # it builds and installs before it begins
async def test_from_the_wheel_to_an_alert_that_ends_after_a_top_up(
    installed: Path, tool: Tool, http: httpx.AsyncClient, providers: Providers, tmp_path: Path
) -> None:
    """Check, ask, serve, take the rules along, be told, top up, be told."""
    account = providers.add("23telecom", balance("142.70"))
    configuration = {"accounts": [providers.configured("otp", account, low_balance=50)]}
    (tmp_path / "config.yml").write_text(yaml.safe_dump(configuration).replace("low_balance", "low_balanse"))
    mistaken = await ran(installed, "check", "--config.file=config.yml", cwd=tmp_path)
    assert mistaken.code == 1
    assert "did you mean low_balance?" in mistaken.output
    (tmp_path / "config.yml").write_text(yaml.safe_dump(configuration))
    checked = await ran(installed, "check", "--config.file=config.yml", cwd=tmp_path)
    assert checked == (0, "config.yml: no mistakes, 1 account.\n")
    asked = await ran(installed, "balance", "--config.file=config.yml", cwd=tmp_path)
    assert (asked.code, asked.output.split()[6:]) == (
        0,
        ["otp", "23telecom", "fresh", "142.70", "EUR", "not", "given", "enough"],
    )

    written = await ran(installed, "monitoring", "--output=grafana", cwd=tmp_path)
    assert written.code == 0, written.output
    shipped = tmp_path / "grafana/prometheus"
    serving = listening(http, str(installed), "serve", "--config.file=config.yml", LISTEN, cwd=tmp_path, env={})
    async with Webhook().serving() as webhook, serving as exporter:
        (tmp_path / "rules.yml").write_text(edited(shipped / "rules.yml", FOR_A_TEST))
        (tmp_path / "alertmanager.yml").write_text(
            edited(shipped / "alertmanager.yml", {"http://localhost:9094": webhook.url, **FOR_A_TEST})
        )
        notifying = server(
            tool("prometheus-alertmanager"),
            f"--config.file={tmp_path / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'notified'}",
            "--cluster.listen-address=",
        )
        async with notifying as alertmanager:
            changes = {
                r"localhost:10767": exporter.origin.removeprefix("http://"),
                r"localhost:9093": alertmanager.removeprefix("http://"),
                r"_interval: 1m": "_interval: 1s",
            }
            (tmp_path / "prometheus.yml").write_text(edited(shipped / "prometheus.yml", changes))
            checked = await ran(tool("promtool"), "check", "config", "prometheus.yml", cwd=tmp_path)
            assert checked.code == 0, checked.output
            watching = server(
                tool("prometheus"),
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
            )
            async with watching:
                told = []
                for amount, expected in (
                    ("30", {("tickets", "firing", "BalanceLow otp")}),
                    ("-1.20", {("on-call", "firing", "Blocked otp")}),
                    ("500", {("tickets", "resolved", "BalanceLow otp"), ("on-call", "resolved", "Blocked otp")}),
                ):
                    account.answer_with(balance(amount))

                    async def is_told(expected: set[tuple[str, str, str]] = expected) -> bool:
                        return expected <= set(webhook.told)

                    await until(is_told)
                    told += sorted(expected)
                assert sorted(webhook.told) == sorted(told)
