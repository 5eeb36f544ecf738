"""Every query of the dashboards, asked of a real Prometheus that scrapes a real exporter."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from itertools import starmap
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from grafana.generate.alerts import GROUPS
from grafana.generate.overview import GROUPS as COUNTED
from grafana.generate.overview import SCOPE
from grafana.generate.rules import as_rule_file
from grafana.generate.settings import DAY, HOUR, MINUTE, Settings
from grafana.generate.states import states
from sms_credit_core import PROVIDERS, Status, Value
from sms_credit_exporter.simulator.behaviour import Act, Behaviour, Live, NoAnswer, Phase, Scenario
from sms_credit_exporter.simulator.loopback import serving
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator
from tests.exporter.running import PATIENCE, Providers, running, until
from tests.grafana.dashboards import QUERIES, VARIABLES, Query, panels, query_of
from tests.grafana.servers import GENERATIONS, Prometheus, prometheus
from tests.grafana.views import exporter, exposition, view

pytestmark = pytest.mark.asyncio(loop_scope="module")

Tool = Callable[[str], str]

PACE = 3600
"""The quarter of an hour that an alert waits takes a quarter of a second."""

STATUSES: dict[Status, str | Act] = {
    Status.PENDING: NoAnswer.SILENT,
    Status.FRESH: "healthy",
    Status.PARTIAL: "partial",
    Status.UNAVAILABLE: "unavailable_flag_only",
    Status.ONBOARDING: "onboarding",
    Status.AUTH_FAILED: "error_invalid_api_key",
    Status.ACCESS_DENIED: "error_ip_not_allowed",
    Status.RATE_LIMITED: "error_rate_limited_html",
    Status.UNREACHABLE: NoAnswer.CUT,
    Status.PROVIDER_ERROR: "error_503_html",
    Status.INVALID_RESPONSE: "balance_as_text",
}
"""What a provider does for an account to have each status; the account is called like it."""

SPENDING = 'at & (20%) of "otp"'
"""Names may have anything in them that people type."""
MESSAGES = "messages"
CREDITS = "credits"
IN_CREDITS = next(key for key, provider in PROVIDERS.items() if Value.CREDITS in provider.gives)
DRAINED = "drained"
"""It has spent a euro in each five minutes for ten days, and sixty in each of the last half hour."""
SHORT = "short"
"""It has spent a euro in each five minutes for ten days, and lasts for two more."""
PAST: dict[str, tuple[int, ...]] = {
    DRAINED: (*range(12_880, 10_000, -1), *range(10_000, 9_600, -60)),
    SHORT: tuple(range(3456, 576, -1)),
}
"""Balances of accounts that another exporter, which has been running for long, has seen."""
HUNG = "hung"
"""Its next poll goes on for so long that the last good reading gets too old."""
OTHERS: dict[str, tuple[str, str | Act | Behaviour]] = {
    SPENDING: ("23telecom", Scenario(Phase(600, Live(balance=Decimal(400)), Live(balance=Decimal(40))))),
    MESSAGES: ("iletimerkezi", Live(balance=Decimal(0), quota=400)),
    CREDITS: (IN_CREDITS, "healthy"),
    "blocked": ("23telecom", Live(balance=Decimal(0))),
    "low": ("23telecom", Live(balance=Decimal(90))),
    "very low": ("23telecom", Live(balance=Decimal(50))),
    HUNG: ("23telecom", "healthy"),
}
PROVIDER_OF = {name: provider for name, (provider, _) in OTHERS.items()}
LIMITS: dict[str, dict[str, object]] = {
    "23telecom": {"low_balance": 100, "low_quota": 1000, "low_runway": "3d", "message_price": 0.01},
    "iletimerkezi": {"low_quota": 1000},
    IN_CREDITS: {},
}


def history(instance: str) -> Iterator[str]:
    """Tell of two days in which one account spent an euro every five minutes, but for one top-up, and one messages."""
    now = int(time.time())
    spending = f'instance="{instance}",job="sms-credit",provider="23telecom",account="{SPENDING}"'.replace(
        SPENDING, SPENDING.replace('"', r"\"")
    )
    messages = f'instance="{instance}",job="sms-credit",provider="iletimerkezi",account="{MESSAGES}"'
    credit = f'instance="{instance}",job="sms-credit",provider="{IN_CREDITS}",account="{CREDITS}"'
    for number, moment in enumerate(range(now - 2 * DAY, now - 10 * MINUTE, 2 * MINUTE)):
        ago, spent = now - moment, number * 2 // 5
        yield f'sms_credit_balance{{{spending},currency="EUR"}} {800 - spent + (300 if ago < DAY else 0)} {moment}'
        yield f"sms_credit_last_reading_timestamp_seconds{{{spending}}} {moment} {moment}"
        yield f'sms_credit_spent_total{{{spending},currency="EUR"}} {spent} {moment}'
        yield f'sms_credit_topped_up_total{{{spending},currency="EUR"}} {300 if ago < DAY else 0} {moment}'
        yield f"sms_credit_messages_spent_total{{{messages}}} {2 * spent} {moment}"
        yield f"sms_credit_messages_topped_up_total{{{messages}}} 0 {moment}"
        yield f"sms_credit_credits_spent_total{{{credit}}} {spent / 2} {moment}"
        yield f"sms_credit_credits_topped_up_total{{{credit}}} 0 {moment}"
        yield f'sms_credit_balance{{{messages},currency="TRY"}} 0 {moment}'
        yield f"sms_credit_quota_messages{{{messages}}} {5000 - 2 * spent} {moment}"
        yield f"sms_credit_runway_seconds{{{spending}}} {3000 * (800 - spent)} {moment}"
        yield f"sms_credit_spending_unusual{{{spending}}} {int(HOUR < ago < 2 * HOUR)} {moment}"
    yield "# EOF\n"


async def _backfill(promtool: str, folder: Path, instance: str) -> None:
    """Put the history into the storage of a Prometheus that does not run yet."""
    file = folder / "history.txt"
    file.write_text("\n".join(sorted(history(instance), key=lambda line: (line.startswith("#"), line.split("{")[0]))))
    process = await asyncio.create_subprocess_exec(
        *(promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(file), str(folder / "data"))
    )
    assert await process.wait() == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=GENERATIONS.values(), ids=GENERATIONS)
async def watched(
    request: pytest.FixtureRequest, tool: Tool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Prometheus]:
    """Run an exporter with an account in each status, and a Prometheus that has been looking on for a while."""
    folder = tmp_path_factory.mktemp("watched")
    binary, promtool = tool(f"{request.param}prometheus"), tool(f"{request.param}promtool")
    simulator = Simulator()
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http,
        simulator.serving() as base_urls,
        AsyncExitStack() as stack,
    ):
        providers = Providers(simulator, base_urls)

        opened: dict[str, SimulatedAccount] = {}

        def configured(name: str, provider: str, what: str | Act | Behaviour) -> dict[str, object]:
            opened[name] = providers.add(provider, what)
            limits = {} if name == Status.FRESH else LIMITS[provider]
            return providers.configured(name, opened[name], timeout="60s", **limits)

        accounts = [configured(status.value, "23telecom", what) for status, what in STATUSES.items()]
        accounts += [configured(name, *what) for name, what in OTHERS.items()]
        (folder / "config.yml").write_text(yaml.safe_dump({"accounts": accounts, "stale_after": "10s"}))
        running_exporter = await stack.enter_async_context(
            running(http, "serve", "--config.file=config.yml", "--web.listen-address=127.0.0.1:0", cwd=folder, env={})
        )
        target = running_exporter.urls[0].removeprefix("http://")
        await _backfill(promtool, folder, target)
        other = await stack.enter_async_context(serving(exporter(exposition(*starmap(view, PAST.items())))))
        made = await stack.enter_async_context(
            prometheus(
                binary,
                folder,
                http,
                targets=[target, other.removeprefix("http://")],
                rules=as_rule_file(GROUPS, Settings(pace=PACE)),
            )
        )

        async def seen() -> bool:
            spending = await made.labels("sms_credit_spending_unusual == 1", "account")
            down = await made.labels('ALERTS{alertname="SmsCreditAuthFailed", alertstate="firing"}', "account")
            return bool(spending and down)

        await until(seen)
        opened[HUNG].answer_with(NoAnswer.SILENT)

        async def too_old() -> bool:
            return HUNG not in await made.labels("sms_credit_balance", "account")

        await until(too_old)
        yield made


async def ask(prometheus: Prometheus, query: Query, **values: str) -> list[dict[str, Any]]:
    """Ask as Grafana would, and return the series."""
    expr = query.filled_in(**values)
    if query.at_once:
        return await prometheus.query(expr)
    step = {"1m": MINUTE, "15m": 15 * MINUTE, "1h": HOUR, "1d": DAY}[query.interval]
    end = int(time.time())  # a whole number, or rounding can cost the last point
    answer = await prometheus.get("query_range", query=expr, start=str(end - 2 * DAY), end=str(end), step=str(step))
    assert answer.status_code == httpx.codes.OK, answer.text
    return list(answer.json()["data"]["result"])


ACCOUNTS = (
    (SPENDING, "23telecom"),
    (MESSAGES, "iletimerkezi"),
    (CREDITS, IN_CREDITS),
    ("blocked", "23telecom"),
    (SHORT, "23telecom"),
    (Status.AUTH_FAILED.value, "23telecom"),
)
"""Accounts that together have everything that the page of an account can show."""


def escaped(name: str) -> str:
    """Escape a value as Grafana does for Prometheus."""
    return name.replace("\\", "\\\\").replace('"', '\\"')


@pytest.mark.parametrize("query", [query for query in QUERIES if query.dashboard == "overview"], ids=str)
async def test_every_query_of_the_overview_gives_data(watched: Prometheus, query: Query) -> None:
    """With all variables at All, no panel is empty."""
    assert await ask(watched, query)


@pytest.mark.parametrize("query", [query for query in QUERIES if query.dashboard == "account"], ids=str)
async def test_every_query_of_the_account_page_gives_data(watched: Prometheus, query: Query) -> None:
    """Each shows something for some account, and none fails for any."""
    found = [await ask(watched, query, account=escaped(account), provider=provider) for account, provider in ACCOUNTS]
    assert any(found)


@pytest.mark.parametrize(
    ("dashboard", "variable"),
    [pytest.param(name, variable, id=f"{name}, {variable['name']}") for name, variable in VARIABLES],
)
async def test_every_variable_has_values(watched: Prometheus, dashboard: str, variable: dict[str, str]) -> None:
    """A list to choose from is never empty."""
    filled = Query(dashboard, "variable", variable["name"], query_of(variable), at_once=True, interval="1m").filled_in(
        provider="23telecom"
    )
    if variable["query"].startswith("query_result("):
        [found] = await watched.query(filled)
        assert found["metric"]["panel"] == PROVIDERS["23telecom"].panel_url
        return
    label = variable["query"].removesuffix(")").rpartition(", ")[2]
    answer = await watched.get(f"label/{label}/values", **{"match[]": filled})
    assert answer.json()["data"]


STATES = {
    Status.PENDING: ("Being set up", False),
    Status.FRESH: ("Fresh", True),
    Status.PARTIAL: ("Degraded", True),
    Status.UNAVAILABLE: ("Degraded", False),
    Status.ONBOARDING: ("Being set up", False),
    Status.AUTH_FAILED: ("No access", False),
    Status.ACCESS_DENIED: ("No access", False),
    Status.RATE_LIMITED: ("Not read", False),
    Status.UNREACHABLE: ("Not read", False),
    Status.PROVIDER_ERROR: ("Not read", False),
    Status.INVALID_RESPONSE: ("Not read", False),
}
"""What the dashboards say of an account in each status, and whether a balance is known."""

WORST = {
    "blocked": "Blocked",
    "very low": "Very low",
    "low": "Low",
    SPENDING: "Fresh",
    DRAINED: "Unusual spending",
    SHORT: "Runs out soon",
    MESSAGES: "Very low",
    CREDITS: "Fresh",
    HUNG: "Not read",
    **{status.value: text for status, (text, _) in STATES.items()},
}


def the(panel: str, ref: str = "A", *, dashboard: str = "overview") -> Query:
    """Return a query by its place."""
    [query] = [query for query in QUERIES if (query.dashboard, query.panel, query.ref) == (dashboard, panel, ref)]
    return query


def state_text(dashboard: str, rank: str) -> str:
    """Return the text that a dashboard shows for the rank of a state."""
    mapped = [
        mapping["options"]
        for panel in panels(dashboard)
        for properties in ([panel["fieldConfig"]["defaults"]], *_overrides(panel))
        for mapping in next((each["mappings"] for each in properties if "mappings" in each), [])
    ]
    return next(str(options[rank]["text"]) for options in mapped if str(len(states(SCOPE)) - 1) in options)


def _overrides(panel: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for override in panel["fieldConfig"]["overrides"]:
        yield [{each["id"]: each["value"]} for each in override["properties"]]


@pytest.mark.parametrize("account", WORST)
async def test_the_state_of_an_account_is_the_worst_that_holds(watched: Prometheus, account: str) -> None:
    """The overview and the account's own page say the same of it, in one word."""
    provider = PROVIDER_OF.get(account, "23telecom")
    [on_page] = await ask(watched, the("State", dashboard="account"), account=escaped(account), provider=provider)
    listed = await ask(watched, the("Accounts, the worst first", "state"))
    [in_table] = [row["value"][1] for row in listed if row["metric"]["account"] == account]
    assert state_text("account", on_page["value"][1]) == state_text("overview", in_table) == WORST[account]


@pytest.mark.parametrize(("status", "known"), [(status, known) for status, (_, known) in STATES.items()], ids=str)
async def test_an_account_in_any_status_has_its_row(watched: Prometheus, status: Status, known: bool) -> None:  # noqa: FBT001 - a row  # noqa: E501 - one sentence
    """It is listed with its status, and with a balance only if one is known."""

    async def cells(ref: str) -> list[dict[str, str]]:
        listed = await ask(watched, the("Accounts, the worst first", ref))
        return [row["metric"] for row in listed if row["metric"]["account"] == status]

    assert [row["status"] for row in await cells("status")] == [status]
    assert len(await cells("balance")) == known
    [shown] = await ask(watched, the("Status", dashboard="account"), account=status, provider="23telecom")
    assert shown["metric"]["status"] == status


@pytest.mark.parametrize("account", WORST)
async def test_only_what_is_fresh_in_every_way_is_called_so(watched: Prometheus, account: str) -> None:
    """A status stands in the row and on the account's own page, but for a fresh one beside a worse state."""
    provider = PROVIDER_OF.get(account, "23telecom")
    listed = await ask(watched, the("Accounts, the worst first", "status"))
    on_page = await ask(watched, the("Status", dashboard="account"), account=escaped(account), provider=provider)
    [status] = await watched.labels(f"sms_credit_status{{account={json.dumps(account)}}} == 1", "status")
    expected = [status] if status != Status.FRESH or WORST[account] == "Fresh" else []
    assert [sample["metric"]["status"] for sample in on_page] == (expected or ["-"])
    assert [row["metric"]["status"] for row in listed if row["metric"]["account"] == account] == expected


@pytest.mark.parametrize(
    ("panel", "number"),
    [
        ("Accounts", len(STATUSES) + len(OTHERS) + len(PAST)),
        ("Blocked", 1),
        ("Low", 4),
        ("Unusual spending", 1),
        ("No access", 2),
        ("Not read", 5),
        ("Balance unknown", 10),
    ],
)
async def test_the_overview_counts(watched: Prometheus, panel: str, number: int) -> None:
    """The numbers at the top are those of the accounts below."""
    [count] = await ask(watched, the(panel, "now"))
    assert int(count["value"][1]) == number


@pytest.mark.parametrize("show", range(len(COUNTED)), ids=[group.title for group in COUNTED])
async def test_a_count_is_the_number_of_rows_that_it_leads_to(watched: Prometheus, show: int) -> None:
    """Whoever clicks a number sees as many accounts, each with its state."""
    [count] = await ask(watched, the(COUNTED[show].title, "now"))
    listed = await ask(watched, the("Accounts, the worst first", "state"), show=str(show))
    assert len(listed) == int(count["value"][1]) > 0


@pytest.mark.parametrize("query", [query for query in QUERIES if query.ref == "now"], ids=str)
async def test_what_is_not_known_now_is_no_number(watched: Prometheus, query: Query) -> None:
    """There is one value whatever happens, so that none of the past is taken for it; nobody's is not a number."""
    [nobody] = await ask(watched, query, job="nobody", account="nobody", provider="nobody")
    assert nobody["value"][1] == "NaN"


@pytest.mark.parametrize("panel", ["Lowest balances", "Oldest readings"])
async def test_the_first_few_stay_the_same(watched: Prometheus, panel: str) -> None:
    """At no point in two days there is another account among them."""
    [query] = [query for query in QUERIES if (query.dashboard, query.panel) == ("overview", panel)]
    series = await ask(watched, query)
    currencies = {each["metric"].get("currency") for each in series}
    assert len(currencies) <= len(series) <= 10 * len(currencies)


async def test_no_sum_runs_across_currencies(watched: Prometheus) -> None:
    """There is one total for each currency, and it is that of the accounts."""
    listed = await ask(watched, the("Total by currency", "total"))
    totals = {row["metric"]["currency"]: row["value"][1] for row in listed}
    assert set(totals) == {"EUR", "TRY"}
    assert float(totals["TRY"]) == 0


async def test_top_ups_are_marked_when_they_were_read(watched: Prometheus) -> None:
    """The one rise in two days is one mark, at the time of the reading that was higher."""
    query = the("annotation", "Top-ups", dashboard="account")
    [series] = await ask(watched, query, account=escaped(SPENDING), provider="23telecom")
    marks = {float(value) / 1000 for _, value in series["values"]}
    day_ago = time.time() - DAY
    [mark] = [mark for mark in marks if abs(mark - day_ago) < HOUR]
    assert abs(mark - day_ago) < 10 * MINUTE
    assert len(marks) <= 2  # the account is not topped up when the simulated provider takes over, or once


@pytest.mark.parametrize(("length", "spent"), [("day", 288), ("hour", 12)])
async def test_spending_is_summed_up_in_spite_of_a_top_up(watched: Prometheus, length: str, spent: int) -> None:
    """Whole days and hours before the present one show what was spent in them."""
    query = the(f"Spent by the {length}", "spent_money", dashboard="account")
    [series] = await ask(watched, query, account=escaped(SPENDING), provider="23telecom")
    most = max(float(value) for _, value in series["values"][:-2])
    assert most == pytest.approx(spent, abs=2)
