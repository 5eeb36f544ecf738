"""`demo`, and a real Prometheus that scrapes it."""

import asyncio
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sms_credit_core import PROVIDERS, Instant, Ledger
from sms_credit_exporter.demo import POLL_INTERVAL, lived, reading_of
from sms_credit_exporter.simulator.behaviour import Live
from sms_credit_exporter.simulator.scenarios import DEMO, SCENARIOS, DemoAccount
from tests.conftest import ROOT
from tests.exporter.running import DEBIAN_STABLE, DEBIAN_TESTING, LISTEN, PATIENCE, Running, prometheus, until

Start = Callable[..., AbstractAsyncContextManager[Running]]
Tool = Callable[[str], str]


def statuses(samples: list[str]) -> set[str]:
    """Return the statuses that some account has, from the lines of a scrape."""
    return {match[1] for line in samples if (match := re.search(r'^sms_credit_status.*status="(\w+)"\} 1\.0', line))}


async def test_the_demo_shows_much_and_changes(start: Start) -> None:
    """Within seconds there are accounts of all providers in five statuses, and what they show moves."""
    async with start("demo", LISTEN) as exporter:

        async def ready() -> bool:
            return (await exporter.get("/-/ready")).status_code == 200

        await until(ready)
        first = await exporter.metrics()
        assert len(statuses(first)) >= 5
        assert {match for line in first for match in re.findall(r'provider="(\w+)"', line)} == {*PROVIDERS}
        page = (await exporter.get("/")).text
        assert "Demo." in page

        def balances(samples: list[str]) -> list[str]:
            return [line for line in samples if line.startswith("sms_credit_balance")]

        async def moved() -> bool:
            return balances(await exporter.metrics()) != balances(first)

        await until(moved)


async def test_the_first_look_shows_what_it_is_all_about(start: Start) -> None:
    """As soon as every account has been polled, one is blocked, one low, one refused."""
    async with start("demo", LISTEN) as exporter:

        async def ready() -> bool:
            return (await exporter.get("/-/ready")).status_code == 200

        await until(ready)
        page = (await exporter.get("/")).text

    first_marks = set(re.findall(r'<ul class="marks">\s*<li[^>]*data-mark="(\w+)"', page))
    assert {"blocked", "low", "auth_failed", "access_denied", "invalid_response", "onboarding", "fresh"} <= first_marks


def played(account: DemoAccount, seconds: int) -> Iterator[tuple[float, Ledger]]:
    """Poll an account of the demo for so many seconds; gives each moment with a reading, and the ledger then."""
    provider, begun = PROVIDERS[account.provider], Instant.now()
    behaviour = SCENARIOS[account.provider][account.scenario]
    *_, known = lived(provider, SCENARIOS[account.provider][account.past or account.scenario], begun)
    for second in range(0, seconds, int(POLL_INTERVAL)):
        if isinstance(act := behaviour(second), Live):
            at = Instant(begun.unix + second, begun.monotonic + second)
            known = known.after(reading_of(provider, act, at), at, 0.0)
            assert known.ledger
            yield second, known.ledger


def runs_dry(account: DemoAccount) -> bool:
    """Whether nothing is left of an account at some moment."""
    return any(ledger.amount is not None and ledger.amount <= 0 for _, ledger in played(account, 160))


DRAINING = [account for account in DEMO if runs_dry(account)]


@pytest.mark.parametrize("account", DRAINING, ids=lambda account: account.name)
def test_what_the_demo_foretells_comes_true(account: DemoAccount) -> None:
    """From the first moment on: never much too late, and not far too early. `pytest -s` shows it side by side."""
    seen = list(played(account, 400))
    judged = 0
    for second, ledger in seen:
        empty = next((later for later, then in seen if later >= second and then.amount and then.amount <= 0), None)
        assert ledger.amount is not None
        if ledger.amount > 0 and empty is not None:
            assert ledger.lasts is not None
            lasts, real = ledger.lasts, empty - second
            print(f"{account.name} at {second:3.0f} s: foretold {second + lasts:5.1f} s, real {empty:3.0f} s")  # noqa: T201
            assert 0.5 * real - POLL_INTERVAL < lasts < 1.1 * real + POLL_INTERVAL
            judged += 1
    assert judged > 60


def test_the_demo_shows_one_account_that_is_drained_and_no_other() -> None:
    """Unusual spending is said of it soon after it begins, and of nobody else in ten minutes."""
    unusual = {account.name: [second for second, ledger in played(account, 600) if ledger.unusual] for account in DEMO}
    told = {name: seconds[0] for name, seconds in unusual.items() if seconds}
    assert told == {"password-resets": pytest.approx(12, abs=4)}


async def says_where_it_is(http: httpx.AsyncClient, *command: str) -> None:
    """Run the demo on a free port: what it says leads to the page, and nothing that it says leads elsewhere."""
    process = await asyncio.create_subprocess_exec(
        *command, LISTEN, "--log.level=error", cwd=ROOT, stdout=-1, stderr=asyncio.subprocess.STDOUT
    )
    said = ""
    try:
        assert process.stdout
        async with asyncio.timeout(PATIENCE):
            while "Open " not in said:
                line = (await process.stdout.readline()).decode()
                assert line, said
                said += line
        [address] = set(re.findall(r"\S+:\d+", said))
        assert "Demo." in (await http.get(address)).text
    finally:
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


async def test_the_demo_says_where_it_is(http: httpx.AsyncClient) -> None:
    """The log names the page's address, whatever address the demo was told to listen on."""
    await says_where_it_is(http, sys.executable, "-m", "sms_credit_exporter", "demo")


async def test_the_script_says_where_the_demo_is(http: httpx.AsyncClient, tool: Tool) -> None:
    """The first thing that a newcomer starts names no address but the right one."""
    tool("uv")
    await says_where_it_is(http, "bash", "scripts/demo")


@pytest.mark.parametrize("accept", ["text/plain;version=0.0.4", "*/*"])
async def test_promtool_finds_nothing_to_mend(start: Start, tool: Tool, accept: str) -> None:
    """Names, types and help of what the demo really serves are as Prometheus wants them."""
    promtool = tool("promtool")
    async with start("demo", LISTEN) as exporter:
        await exporter.shows('sms_credit_up{account="warehouse",provider="23telecom"} 0.0')
        exposition = (await exporter.get("/metrics", Accept=accept)).content
        process = await asyncio.create_subprocess_exec(
            *(promtool, "check", "metrics"), stdin=-1, stdout=-1, stderr=asyncio.subprocess.STDOUT
        )
        out, _ = await process.communicate(exposition)

    assert (process.returncode, out.decode()) == (0, "")


@pytest.mark.parametrize(
    ("binary", "protocols", "content_type"),
    [
        pytest.param(DEBIAN_STABLE, None, "application/openmetrics-text", id="2.42, OpenMetrics by default"),
        pytest.param(DEBIAN_TESTING, ["OpenMetricsText1.0.0"], "application/openmetrics-text", id="3.5, OpenMetrics"),
        pytest.param(DEBIAN_TESTING, ["PrometheusText0.0.4"], "text/plain", id="3.5, text"),
        pytest.param(DEBIAN_TESTING, None, "application/openmetrics-text", id="3.5, whatever it likes best"),
    ],
)
async def test_a_real_prometheus_scrapes_and_answers(  # noqa: PLR0913, PLR0917 - a row, and what it needs
    start: Start,
    tool: Tool,
    http: httpx.AsyncClient,
    tmp_path: Path,
    binary: str,
    protocols: list[str] | None,
    content_type: str,
) -> None:
    """Both formats are taken without a complaint, and a query gives what the exporter shows."""
    scrape = {"scrape_protocols": protocols} if protocols else {}
    program = tool(binary)
    async with start("demo", LISTEN) as exporter:
        target = exporter.urls[0].removeprefix("http://")
        async with prometheus(program, target, tmp_path, **scrape) as url:

            async def result(query: str) -> list[dict[str, Any]]:
                answer = await http.get(f"{url}/api/v1/query", params={"query": query})
                return list(answer.raise_for_status().json()["data"]["result"])

            async def scraped() -> bool:
                return len(await result("count by (account) (sms_credit_status == 1)")) == len(DEMO)

            await until(scraped)
            [up] = await result('up{job="sms-credit"}')
            assert up["value"][1] == "1"
            [total] = await result('sum by (currency) (sms_credit_balance{currency="EUR"})')
            assert float(total["value"][1]) > 0
            metadata = (await http.get(f"{url}/api/v1/targets/metadata", params={"metric": "sms_credit_polls"})).json()

    # Only OpenMetrics names a counter's family without its suffix.
    assert bool(metadata["data"]) == (content_type == "application/openmetrics-text")
