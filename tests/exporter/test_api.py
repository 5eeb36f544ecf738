"""/api/v1/accounts as scripts meet it: over real sockets, held against docs/openapi.yaml by a library."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx
import pytest
import yaml
from aiohttp import web
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from prometheus_client import CollectorRegistry

from sms_credit_core import MASK, Cause, Limit, Limits, Reading, Status
from sms_credit_exporter.accounts import View
from sms_credit_exporter.advice import RUNBOOK, Links, Template
from sms_credit_exporter.entry import LOOKS, Unknown
from sms_credit_exporter.exposition import Exposition
from sms_credit_exporter.listing import Listings, Query, Sort
from sms_credit_exporter.simulator.behaviour import Live
from sms_credit_exporter.web import Site, application
from tests.conftest import ROOT
from tests.documentation import check, named, rows
from tests.e2e.gallery import IN_CREDITS, NOW, SECRET, credits_, gallery, lira, problem, reading, trend_of, view
from tests.exporter.running import LISTEN, Providers, Running

MANUAL = ROOT / "docs" / "status-page.md"
SPECIFICATION = ROOT / "docs" / "openapi.yaml"
OPENAPI = OpenAPI.from_file_path(str(SPECIFICATION))
SCHEMAS: Mapping[str, Any] = yaml.safe_load(SPECIFICATION.read_text())["components"]["schemas"]
ACCOUNTS = "/api/v1/accounts"
DASHBOARD = Template.parse("https://grafana.example.com/d/uid?var-account={account}&var-provider={provider}")

Ask = Callable[..., Any]


@pytest.fixture
async def served(http: httpx.AsyncClient) -> AsyncIterator[Ask]:
    """Serve accounts, and return what asks about them and holds question and answer against the description."""
    runners: list[web.AppRunner] = []

    async def ask(views: Iterable[View], asked: str = "", status: int = 200) -> Any:  # noqa: ANN401 - JSON
        known = tuple(views)
        trends = {each.config.name: trend_of(each) for each in known}
        site = Site(
            exposition=Exposition(CollectorRegistry()),
            views=lambda: known,
            ready=lambda: True,
            reload=None,
            version="1.2.3",
            refresh=15.0,
            listings=Listings(trends.__getitem__, Links(DASHBOARD)),
        )
        runner = web.AppRunner(application(site))
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        answer = await http.get(f"http://{host}:{port}{ACCOUNTS}?{asked}")
        assert answer.status_code == status
        return described(answer, asked)

    yield ask
    for runner in runners:
        await runner.cleanup()


def described(answer: httpx.Response, asked: str = "") -> Any:  # noqa: ANN401 - JSON
    """Return what an answer holds, once that has been held against the description."""
    args: dict[str, list[str]] = {}
    for name, value in parse_qsl(asked):
        args.setdefault(name, []).append(value)
    request = MockRequest("http://127.0.0.1", "get", ACCOUNTS, args=args)
    if answer.status_code == 200:
        OPENAPI.validate_request(request)
    content_type = answer.headers["Content-Type"].partition(";")[0]
    OPENAPI.validate_response(request, MockResponse(answer.content, answer.status_code, content_type=content_type))
    return answer.json()


async def one(ask: Ask, account: View) -> Any:  # noqa: ANN401 - JSON
    """Return what is said of one account."""
    [said] = (await ask([account]))["accounts"]
    return said


async def test_says_everything_of_an_account(served: Ask) -> None:
    """Every member, as scripts get it."""
    polls = ((60 + 3600 * ago, reading(str(Decimal("47.5") + ago))) for ago in range(48, -1, -1))
    said = await one(served, view("ad & co", *polls, limits=Limits(low_balance=Decimal("47.50"))))
    week, runway = said.pop("last_week"), said.pop("runway_seconds")
    assert (week["unit"], week["begins"], week["step_seconds"]) == ("EUR", "2026-03-12T09:00:00Z", 3600.0)
    assert (week["amounts"][0], week["amounts"][-2:], len(week["amounts"])) == ("95.5", ["48.5", "47.5"], 49)
    assert said.pop("empty_at") == f"{datetime.fromtimestamp(int(NOW.unix - 60 + runway), UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert said.pop("spent_today")["unit"] == "EUR"
    assert said == {
        "number": 1,
        "account": "ad & co",
        "provider": "23telecom",
        "provider_name": "23 Telecom",
        "labels": {},
        "state": "low",
        "states": ["low"],
        "status": "fresh",
        "notes": ["At or below 47.50 EUR."],
        "reason": None,
        "code": None,
        "to_do": "Top up.",
        "balance": "47.5",
        "currency": "EUR",
        "quota_messages": None,
        "credits": None,
        "message_price": None,
        "credit_blocked": False,
        "low": True,
        "unusual": False,
        "limits": [{"limit": "balance", "threshold": "47.50", "unit": "EUR", "reached": True}],
        "held": False,
        "last_reading": "2026-03-14T09:25:53Z",
        "provider_updated": "2026-03-14T09:14:00Z",
        "last_poll": "2026-03-14T09:25:53Z",
        "next_poll": "2026-03-14T09:30:53Z",
        "poll_interval_seconds": 300.0,
        "links": {
            "panel": "https://restlink23telecom.com",
            "runbook": f"{RUNBOOK}#smscreditbalancelow",
            "dashboard": "https://grafana.example.com/d/uid?var-account=ad%20%26%20co&var-provider=23telecom",
        },
        "unknown": {
            name: {"reason": "not_given", "text": "The provider never says."} for name in ("quota_messages", "credits")
        },
    }


@pytest.mark.parametrize("account", list(gallery()), ids=lambda account: account.config.name[:20])
async def test_is_as_described(served: Ask, account: View) -> None:
    """For everything that an account can be; what is null for a time says why, and nothing else does."""
    said = await one(served, account)
    explained = set(SCHEMAS["Account"]["properties"]["unknown"]["propertyNames"]["enum"])
    assert set(said["unknown"]) == {name for name in explained if said[name] is None}


@pytest.mark.parametrize(
    ("account", "value", "why"),
    [
        pytest.param(view("a"), "balance", Unknown.NOT_READ, id="not polled yet"),
        pytest.param(view("a"), "last_poll", Unknown.NOT_POLLED, id="nor was there a poll"),
        pytest.param(view("a", (9, problem(Cause.TIMEOUT))), "balance", Unknown.NOT_READ, id="polled, but not read"),
        pytest.param(view("a", (9999, reading())), "balance", Unknown.TOO_OLD, id="read too long ago"),
        pytest.param(view("a", (9999, reading())), "runway_seconds", Unknown.TOO_OLD, id="and so the forecast"),
        pytest.param(
            view("a", (99, reading()), (9, problem(Cause.ONBOARDING))), "balance", Unknown.DROPPED, id="set up anew"
        ),
        pytest.param(view("a", (9, reading())), "quota_messages", Unknown.NOT_GIVEN, id="never given"),
        pytest.param(
            view("a", (9, reading(provider_updated=None))), "provider_updated", Unknown.NOT_SAID, id="not this time"
        ),
        pytest.param(view("a", (9, reading())), "low", Unknown.NO_LIMIT, id="no limit"),
        pytest.param(view("a", (9, reading())), "unusual", Unknown.TOO_EARLY, id="too few readings"),
        pytest.param(view("a", (9, reading())), "last_week", Unknown.TOO_EARLY, id="too few hours"),
        pytest.param(
            view("a", *((60 + 3600 * ago, reading("5")) for ago in range(24, -1, -1))),
            "runway_seconds",
            Unknown.NOTHING_SPENT,
            id="nothing is spent",
        ),
        pytest.param(
            view("a", *((60 + 3600 * ago, reading(str(10**15 + ago))) for ago in range(48, -1, -1))),
            "empty_at",
            Unknown.TOO_FAR,
            id="it lasts longer than the calendar",
        ),
    ],
)
async def test_says_why_a_value_is_unknown(served: Ask, account: View, value: str, why: Unknown) -> None:
    """A script need not guess what null means."""
    said = await one(served, account)
    assert said[value] is None
    assert said["unknown"][value] == {"reason": why.value, "text": why.text}


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "0"), ("1250.50", "1250.50"), ("-3.5", "-3.5"), ("1E+6", "1000000"), ("1234567890123456.789012345678",) * 2],
)
async def test_rounds_nothing(served: Ask, amount: str, text: str) -> None:
    """An amount is text, with every digit that was read."""
    said = await one(served, view("a", (9, reading(amount))))
    assert said["balance"] == text


async def test_answers_what_is_asked(served: Ask) -> None:
    """With the parameters of the page: what they find is tested there."""
    views = [*(view(f"well-{number}", (9, reading())) for number in range(7)), view("ill", (9, problem(Cause.TIMEOUT)))]
    said = await served(views, "state=fresh&provider=23telecom&search=WELL&sort=name&per_page=3&page=3")
    assert [account["account"] for account in said.pop("accounts")] == ["well-6"]
    assert said == {
        "as_of": "2026-03-14T09:26:53Z",
        "total": 8,
        "states": {"unreachable": 1, "fresh": 7},
        "matching": 7,
        "page": 3,
        "pages": 3,
        "per_page": 3,
    }


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("page=0", "“page” must be a whole number from 1 to 1000000."),
        ("acount=a", "“acount” is no parameter; there are search, state, provider, sort, page, per_page."),
    ],
)
async def test_a_wrong_question_is_refused(served: Ask, asked: str, why: str) -> None:
    """With a sentence; the right one is answered."""
    assert await served([view("a")], asked, status=400) == {"error": why}
    assert (await served([view("a")], "page=1"))["total"] == 1


async def test_no_accounts_are_an_answer_too(served: Ask) -> None:
    """An empty shard is no error."""
    said = await served([])
    assert (said["total"], said["pages"], said["states"], said["accounts"]) == (0, 1, {}, [])


async def test_holds_no_secret(served: Ask) -> None:
    """Neither a credential, nor the place of one, nor where the account is asked."""
    text = json.dumps(await served(gallery()), ensure_ascii=False)
    assert SECRET not in text
    assert MASK.strip("<>") not in text
    assert view("a").config.base_url not in text


def test_the_description_knows_every_word() -> None:
    """What the code has in its tables, the description lists, in the same order; parameters and defaults too."""
    assert SCHEMAS["Status"]["enum"] == [status.value for status in Status]
    assert SCHEMAS["State"]["enum"] == list(LOOKS)
    assert SCHEMAS["Unknown"]["enum"] == [unknown.value for unknown in Unknown]
    account = SCHEMAS["Account"]
    assert account["required"] == list(account["properties"])
    assert account["properties"]["limits"]["items"]["properties"]["limit"]["enum"] == [limit.value for limit in Limit]
    operation = yaml.safe_load(SPECIFICATION.read_text())["paths"][ACCOUNTS]["get"]
    schemas = {each["name"]: each["schema"] for each in operation["parameters"]}
    usual = Query()
    assert {name: schema["default"] for name, schema in schemas.items() if "default" in schema} == {
        name: getattr(usual, name) for name in schemas if not isinstance(getattr(usual, name), tuple)
    }
    assert list(schemas) == list(Query.__dataclass_fields__)
    assert schemas["sort"]["enum"] == [sort.value for sort in Sort]


def test_every_parameter_is_told() -> None:
    """With its default, as far as one question is not like another."""
    usual = Query()
    told = (
        (named(name)[0], {"default": "".join(named(default)) or default})
        for name, _, default in rows(MANUAL, "parameter")
    )
    true = {name: {"default": str(getattr(usual, name) or "all")} for name in Query.__dataclass_fields__}
    check(MANUAL, "parameter", told, true)


def test_the_description_fits_nothing_else() -> None:
    """A member more, a number for an amount, or a moment in another time zone is noticed."""
    sound = json.loads(
        '{"as_of":"2026-03-14T09:26:53Z","total":0,"states":{},"matching":0,"page":1,"pages":1,"per_page":50,"accounts":[]}'
    )
    request = MockRequest("http://127.0.0.1", "get", ACCOUNTS)

    def fits(**changes: object) -> bool:
        data = json.dumps({**sound, **changes}).encode()
        try:
            OPENAPI.validate_response(request, MockResponse(data, 200, content_type="application/json"))
        except OpenAPIError:
            return False
        return True

    assert fits()
    assert not fits(more=1)
    assert not fits(total="0")
    assert not fits(as_of="2026-03-14T09:26:53+01:00")
    assert not fits(as_of="yesterday, Z")
    assert not fits(states={"fine": 1})


async def test_the_exporter_answers_and_describes_itself(
    start: Callable[..., AbstractAsyncContextManager[Running]], config_file: Callable[..., Path], providers: Providers
) -> None:
    """As it is run: the account is there, then it is low, and no credential ever is."""
    simulated = providers.add("23telecom", Live(balance=Decimal("100.25")))
    file = config_file(providers.configured("otp", simulated, low_balance=50))
    async with start("serve", f"--config.file={file}", LISTEN, f"--web.dashboard-url={DASHBOARD.text}") as exporter:
        await said_of(exporter, state="fresh", balance="100.25")
        simulated.answer_with(Live(balance=Decimal("49.75")))
        said = await said_of(exporter, state="low", balance="49.75")
        assert said["links"]["dashboard"].endswith("?var-account=otp&var-provider=23telecom")
        answer = await exporter.get(f"{ACCOUNTS}?state=low")
        assert answer.headers["Cache-Control"] == "no-store"
        assert not [secret for secret in simulated.credentials.values() if secret in answer.text]
        served = await exporter.get("/api/v1/openapi.yaml")
        assert (served.headers["Content-Type"], served.content) == ("application/yaml", SPECIFICATION.read_bytes())


async def said_of(exporter: Running, **expected: object) -> Mapping[str, Any]:
    """Wait until this is said of the only account, and return all that is."""
    async with asyncio.timeout(20):
        while True:
            [said] = described(await exporter.get(ACCOUNTS))["accounts"]
            if expected.items() <= said.items():
                return cast("Mapping[str, Any]", said)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("outcome", "provider", "unit", "amount"),
    [
        pytest.param(reading("5"), "23telecom", "EUR", "5", id="money"),
        pytest.param(lira("0", 90), "iletimerkezi", "messages", "90", id="messages"),
        pytest.param(credits_("7.5"), IN_CREDITS, "credits", "7.5", id="credits"),
    ],
)
async def test_a_week_is_in_what_the_account_pays_with(
    served: Ask, outcome: Reading, provider: str, unit: str, amount: str
) -> None:
    """And so is what was spent."""
    said = await one(served, view("a", *((seconds, outcome) for seconds in (7300, 3700, 60)), provider=provider))
    assert said["last_week"]["unit"] == said["spent_today"]["unit"] == unit
    assert said["last_week"]["amounts"] == [amount] * 3
