"""The simulated providers: as strict as the real ones, exact to the byte, and different over time."""

import asyncio
import hashlib
import hmac
import json
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from sms_credit_core import PROVIDERS, Account, Answer, Cause, Instant, NoReading, Problem, Reading, Secret, Status
from sms_credit_exporter import simulator as package
from sms_credit_exporter.demo import POLL_INTERVAL
from sms_credit_exporter.simulator.answers import answer
from sms_credit_exporter.simulator.behaviour import Act, Canned, Live, NoAnswer, Phase, Scenario
from sms_credit_exporter.simulator.payloads import Payload, payload, payloads, root_of
from sms_credit_exporter.simulator.providers import APIS
from sms_credit_exporter.simulator.scenarios import DEMO, SCENARIOS, DemoAccount
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator

TRUST = ssl.create_default_context()
NOW = 1_770_977_700
"""Seconds; 2026-02-13 10:15:00 UTC."""

BALANCE = "/api/v1/user/balance"
GET_BALANCE = "/v1/get-balance/json"
AT_23TELECOM, AT_ILETIMERKEZI = "/23telecom", "/iletimerkezi"
"""Where the simulator has them."""
KEY = {"api_key": "sk_prod_1"}
SIGNED = {"api_key": "sk_prod_2", "api_secret": "s3cret"}
PAIR = {"api_key": "a1b2", "api_hash": "c3d4"}


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float) -> None:
        """Set it."""
        self.now = now

    def __call__(self) -> float:
        """Read it."""
        return self.now


class Playground:
    """A simulator with one account of each kind, and a client that can reach it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Open the accounts."""
        self.client = client
        self.clock, self.unix_time = Clock(0), Clock(NOW)
        self.simulator = Simulator(clock=self.clock, unix_time=self.unix_time)
        self.telecom23 = self.simulator.add("23telecom", credentials=KEY)
        self.signed = self.simulator.add("23telecom", credentials=SIGNED)
        self.iletimerkezi = self.simulator.add("iletimerkezi", credentials=PAIR)
        self.base_urls: Mapping[str, str] = {}

    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> httpx.Response:
        """Send a request with these headers and no others that matter."""
        url = httpx.URL(self.base_urls["23telecom"]).join(path)
        return await self.client.request(method, url, headers=headers, content=body)

    async def ask(self, account: SimulatedAccount) -> httpx.Response:
        """Send the request that the core would send for an account."""
        provider = PROVIDERS[account.provider]
        base_url = self.base_urls[provider.key]
        credentials = {name: Secret(value) for name, value in account.credentials.items()}
        request = provider.request(base_url, credentials, int(self.unix_time()))
        return await self.client.request(
            request.method, request.address(), headers=request.headers, content=request.body
        )


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    """Serve the accounts."""
    async with httpx.AsyncClient(trust_env=False, verify=TRUST) as client:
        playground = Playground(client)
        async with playground.simulator.serving() as base_urls:
            playground.base_urls = base_urls
            yield playground


def as_sent(response: httpx.Response) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return status, headers and body, without the two headers that every HTTP server adds."""
    lines = tuple((name.decode(), value.decode()) for name, value in response.headers.raw)
    added = {"content-length", "date"}
    return response.status_code, tuple(line for line in lines if line[0].lower() not in added), response.content


def as_filed(file: Payload) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return the same three of a payload file."""
    return file.status, file.headers, file.body


def read(written: Payload) -> Reading | Problem:
    """Read an answer as `poll` would."""
    headers = {name.lower(): value for name, value in written.headers}
    try:
        return PROVIDERS[written.provider].read(Answer(written.status, headers, written.body))
    except NoReading as reason:
        return reason.problem


# --- payload files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_payload_is_served_byte_for_byte(playground: Playground, provider: str) -> None:
    """Status, headers with their case, order and repetitions, and the body are those of the file."""
    account = playground.simulator.add(provider)
    files = tuple(payloads(provider))
    served = []
    for file in files:
        account.answer_with(file.name)
        served.append(as_sent(await playground.ask(account)))
    assert len(files) >= 30
    assert served == [as_filed(file) for file in files]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="none at all"),
        pytest.param((("content-TYPE", "Text/HTML; charset=ISO-8859-9"),), id="a type in its own spelling"),
        pytest.param((("Content-Encoding", "gzip"), ("Server", "nginx")), id="an encoding and a server"),
        pytest.param((("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Vary", "*"), ("Vary", "X")), id="repeated ones"),
        pytest.param((("Date", "Fri, 13 Feb 2026 10:15:00 GMT"),), id="a date of its own"),
    ],
)
async def test_headers_leave_as_they_are_written(playground: Playground, headers: tuple[tuple[str, str], ...]) -> None:
    """What aiohttp would add or change is not the provider's."""
    written = Payload("23telecom", "made_up", "", "", 200, headers, b"{}", {})
    playground.telecom23.answer_with(written)
    async with playground.client.stream(
        "GET", playground.base_urls["23telecom"] + "/user/balance", headers={"X-API-Key": "sk_prod_1"}
    ) as got:
        lines = [(name.decode(), value.decode()) for name, value in got.headers.raw]
        body = b"".join([chunk async for chunk in got.aiter_raw()])
    assert [line for line in lines if line in headers] == list(headers)
    assert {name.lower() for name, _ in lines} == {name.lower() for name, _ in headers} | {"content-length", "date"}
    assert body == b"{}"


def test_an_unknown_payload_is_named_with_those_that_exist() -> None:
    """A misspelt name must not pass for a situation."""
    account = Simulator().add("23telecom")
    with pytest.raises(LookupError, match=r"23telecom has no payload 'helthy', only: .*healthy"):
        account.answer_with("helthy")
    with pytest.raises(LookupError, match="none at all"):
        payload("acme", "healthy")


def test_the_payloads_are_found_in_a_checkout() -> None:
    """The tests and the simulator share one folder."""
    assert root_of(Path(package.__file__).with_name("payloads.py")) == Path(__file__).parents[1] / "payloads"


def test_the_payloads_are_found_in_a_wheel(tmp_path: Path) -> None:
    """They lie beside the module of the same name there; reading them needs no server."""
    installed = shutil.copytree(Path(package.__file__).parent, tmp_path / "simulator")
    shutil.copytree(Path(__file__).parents[1] / "payloads", installed / "payloads")
    code = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "from simulator import payloads\n"
        "print(payloads.ROOT, payloads.payload('iletimerkezi', 'healthy').status)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"{installed / 'payloads'} 200"


# --- whose API is asked -------------------------------------------------------------------------------------------


def test_every_provider_is_simulated_as_the_core_declares_it() -> None:
    """One that is not could be shown to nobody, and one elsewhere would be another."""
    declared = {
        key: (provider.base_url, tuple(field.name for field in provider.credentials if field.required))
        for key, provider in PROVIDERS.items()
    }
    assert {key: (api.base_url, api.required) for key, api in APIS.items()} == declared


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_is_below_a_path_of_its_own_and_under_its_real_host(
    playground: Playground, provider: str
) -> None:
    """The same request is accepted at both, signed or not; the path is told as the provider documents it."""
    credentials = {"23telecom": SIGNED}.get(provider)
    account = playground.simulator.add(provider, credentials=credentials)
    declared = PROVIDERS[provider]
    secrets = {name: Secret(value) for name, value in account.credentials.items()}
    real = declared.request(declared.base_url, secrets, NOW + 1)
    path, host = httpx.URL(real.address()).path, httpx.URL(real.address()).host
    there = [
        await playground.ask(account),
        await playground.send(real.method, path, {**real.headers, "Host": host}, real.body),
        await playground.send(real.method, path, {**real.headers, "Host": f"{host.upper()}:443"}, real.body),
    ]
    assert [request.path for request in playground.simulator.requests] == [path] * 3
    assert [request.full_path for request in playground.simulator.requests] == [f"/{provider}{path}", path, path]
    assert [response.status_code for response in there[:2]] == [200, 200]
    assert there[2].status_code == (401 if credentials else 200)  # it was the same signature again


@pytest.mark.parametrize(
    ("path", "host"),
    [
        pytest.param(BALANCE, "127.0.0.1", id="a path of one provider's, but no provider"),
        pytest.param(GET_BALANCE, "127.0.0.1", id="a path of the other's"),
        pytest.param("/acme/balance", "127.0.0.1", id="a provider that there is not"),
        pytest.param("/", "127.0.0.1", id="the root"),
        pytest.param(BALANCE, "api.restlink23telecom.com", id="a host that there is not"),
        pytest.param(BALANCE, "[::1]:80", id="an address in brackets"),
    ],
)
async def test_nobody_answers_where_no_provider_is(playground: Playground, path: str, host: str) -> None:
    """A wrong address must not look like a provider's refusal; the right one is served."""
    response = await playground.send("GET", path, {"X-API-Key": "sk_prod_1", "Host": host})
    assert (response.status_code, response.text) == (
        404,
        "No provider is here, but below " + ", ".join(f"/{provider}" for provider in PROVIDERS) + ".\n",
    )
    assert [request.path for request in playground.simulator.requests] == [path]
    assert not playground.telecom23.requests
    assert (await playground.ask(playground.telecom23)).status_code == 200


async def test_one_providers_path_is_unknown_at_the_other(playground: Playground) -> None:
    """Each answers for itself, in its own way."""
    sent = [
        as_sent(await playground.send("GET", AT_ILETIMERKEZI + BALANCE, {"X-API-Key": "sk_prod_1"})),
        as_sent(await playground.send("POST", AT_23TELECOM + GET_BALANCE, JSON, envelope())),
    ]
    assert sent == [as_filed(payload("iletimerkezi", "error_404")), as_filed(payload("23telecom", "error_404_html"))]


# --- what the APIs demand -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "headers", "name"),
    [
        pytest.param("GET", BALANCE, {"X-API-Key": "sk_prod_1"}, "healthy", id="in order"),
        pytest.param("GET", BALANCE, {"x-api-key": "sk_prod_1"}, "healthy", id="in lower case"),
        pytest.param("GET", BALANCE, {}, "error_unauthorized", id="no key"),
        pytest.param("GET", BALANCE, {"X-API-Key": ""}, "error_unauthorized", id="an empty key"),
        pytest.param("GET", BALANCE, {"Authorization": "Bearer sk_prod_1"}, "error_unauthorized", id="another header"),
        pytest.param("GET", BALANCE, {"X-API-Key": "sk_prod_9"}, "error_invalid_api_key", id="an unknown key"),
        pytest.param("GET", BALANCE, {"X-API-Key": "a1b2"}, "error_invalid_api_key", id="the other provider's key"),
        pytest.param("POST", BALANCE, {"X-API-Key": "sk_prod_1"}, "error_405_html", id="another method"),
        pytest.param("GET", BALANCE + "/", {"X-API-Key": "sk_prod_1"}, "error_404_html", id="another path"),
        pytest.param("GET", "/api/v2/user/balance", {"X-API-Key": "sk_prod_1"}, "error_404_html", id="another version"),
    ],
)
async def test_23telecom_wants_a_get_with_a_known_key(
    playground: Playground, method: str, path: str, headers: dict[str, str], name: str
) -> None:
    """Whoever asks in another way gets the answer that their documentation has for it."""
    assert as_sent(await playground.send(method, AT_23TELECOM + path, headers)) == as_filed(payload("23telecom", name))


def signature(
    timestamp: object, *, signed_with: str = "s3cret", path: str = AT_23TELECOM + BALANCE, body: str = ""
) -> dict[str, str]:
    """Sign as their documentation says, and not as our core does."""
    message = f"GET|{path}|{timestamp}|{body}"
    signed = hmac.new(signed_with.encode(), message.encode(), hashlib.sha256).hexdigest()
    return {"X-API-Key": "sk_prod_2", "X-Timestamp": str(timestamp), "X-Signature": signed}


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        pytest.param(signature(NOW), "healthy", id="in order"),
        pytest.param(signature(NOW - 300), "healthy", id="five minutes old"),
        pytest.param(signature(NOW + 300), "healthy", id="five minutes ahead"),
        pytest.param(signature(NOW - 301), "error_invalid_signature", id="older"),
        pytest.param(signature(NOW + 301), "error_invalid_signature", id="further ahead"),
        pytest.param(signature("now"), "error_invalid_signature", id="no timestamp"),
        pytest.param(signature(f"{NOW}.5"), "error_invalid_signature", id="not whole seconds"),
        pytest.param(signature(NOW, signed_with="other"), "error_invalid_signature", id="another secret"),
        pytest.param(signature(NOW, path="/user/balance"), "error_invalid_signature", id="another path"),
        pytest.param(signature(NOW, path=BALANCE), "error_invalid_signature", id="a path that was not asked for"),
        pytest.param(signature(NOW, body="{}"), "error_invalid_signature", id="another body"),
        pytest.param(signature(NOW) | {"X-Timestamp": str(NOW + 1)}, "error_invalid_signature", id="another time"),
        pytest.param({"X-API-Key": "sk_prod_2"}, "error_signature_required", id="not signed"),
        pytest.param(signature(NOW) | {"X-Timestamp": ""}, "error_signature_required", id="without a timestamp"),
        pytest.param(signature(NOW) | {"X-Signature": ""}, "error_signature_required", id="without a signature"),
    ],
)
async def test_an_account_with_a_secret_wants_a_signature(
    playground: Playground, headers: dict[str, str], name: str
) -> None:
    """The signature covers method, path, time and body; after a refusal a good one is accepted."""
    assert as_sent(await playground.send("GET", AT_23TELECOM + BALANCE, headers)) == as_filed(
        payload("23telecom", name)
    )
    playground.unix_time.now += 1
    assert as_sent(await playground.ask(playground.signed)) == as_filed(payload("23telecom", "healthy"))


async def test_a_signature_is_good_for_one_request(playground: Playground) -> None:
    """Whoever has overheard a request cannot send it again."""
    answers = [as_sent(await playground.ask(playground.signed)) for _ in range(2)]
    playground.unix_time.now += 1
    answers.append(as_sent(await playground.ask(playground.signed)))
    names = ("healthy", "error_invalid_signature", "healthy")
    assert answers == [as_filed(payload("23telecom", name)) for name in names]


POST = f"POST {GET_BALANCE}"
JSON = {"Content-Type": "application/json"}


def envelope(*, rest: dict[str, Any] | None = None, **authentication: object) -> bytes:
    """Write a request of iletiMerkezi's down, by default in order."""
    members = {"key": "a1b2", "hash": "c3d4"} | authentication
    return json.dumps({"request": {"authentication": members} | (rest or {})}).encode()


@pytest.mark.parametrize(
    ("line", "headers", "body", "name"),
    [
        pytest.param(POST, JSON, envelope(), "healthy", id="in order"),
        pytest.param(
            POST,
            {"Content-Type": "Application/JSON; charset=utf-8"},
            envelope(),
            "healthy",
            id="charset",
        ),
        pytest.param(POST, JSON, envelope(key="a1b3"), "error_401", id="an unknown key"),
        pytest.param(POST, JSON, envelope(hash="c3d5"), "error_401", id="a wrong hash"),
        pytest.param(POST, {}, envelope(), "error_400", id="no content type"),
        pytest.param(POST, {"Content-Type": "text/xml"}, envelope(), "error_400", id="another type"),
        pytest.param(POST, JSON, b"", "error_400", id="no body"),
        pytest.param(POST, JSON, envelope()[:-1], "error_400", id="half a body"),
        pytest.param(POST, JSON, b"\xff" + envelope(), "error_400", id="not UTF-8"),
        pytest.param(POST, JSON, b"[" * 100_000, "error_400", id="nested without end"),
        pytest.param(POST, JSON, b"[1]", "error_400", id="a list"),
        pytest.param(POST, JSON, b'{"request": {"authentication": null}}', "error_400", id="a null"),
        pytest.param(POST, JSON, b'{"key": "a1b2", "hash": "c3d4"}', "error_400", id="no envelope"),
        pytest.param(POST, JSON, envelope(user="me"), "error_400", id="a member too many"),
        pytest.param(POST, JSON, envelope(rest={"order": {}}), "error_400", id="another call's member"),
        pytest.param(f"GET {GET_BALANCE}", JSON, envelope(), "error_404", id="another method"),
        pytest.param("POST /v1/get-balance", JSON, envelope(), "error_404", id="the XML path"),
        pytest.param("POST /", JSON, envelope(), "error_404", id="the root"),
    ],
)
async def test_iletimerkezi_wants_a_post_with_a_known_pair(
    playground: Playground, line: str, headers: dict[str, str], body: bytes, name: str
) -> None:
    """Whoever asks in another way gets the answer that their documentation has for it."""
    method, path = line.split()
    sent = as_sent(await playground.send(method, AT_ILETIMERKEZI + path, headers, body))
    assert sent == as_filed(payload("iletimerkezi", name))


async def test_credentials_are_made_up_as_the_provider_requires(playground: Playground) -> None:
    """Two accounts never share them, and what the core would send is accepted."""
    made_up = [playground.simulator.add(provider) for provider in [*PROVIDERS, *PROVIDERS]]
    statuses = [(await playground.ask(account)).status_code for account in made_up]
    required = [{field.name for field in PROVIDERS[each.provider].credentials if field.required} for each in made_up]
    assert statuses == [200] * len(made_up)
    assert [set(account.credentials) for account in made_up] == required
    assert len({secret for account in made_up for secret in account.credentials.values()}) == sum(map(len, required))


async def test_requests_are_kept_with_the_account_that_they_name(playground: Playground) -> None:
    """A test looks there for what has left, refused requests included; nothing shows in a log."""
    await playground.send("GET", AT_23TELECOM + BALANCE, {"X-API-Key": "sk_prod_1", "X-Trace": "7"})
    playground.unix_time.now += 5
    await playground.send("POST", AT_ILETIMERKEZI + GET_BALANCE, JSON, envelope())
    await playground.send("GET", AT_23TELECOM + BALANCE, {"X-API-Key": "sk_prod_2"})
    await playground.send("GET", AT_23TELECOM + BALANCE, {"X-API-Key": "sk_prod_9"})
    (first,), (second,), (third,) = (
        account.requests for account in (playground.telecom23, playground.iletimerkezi, playground.signed)
    )
    assert (first.at, first.method, first.path, first.headers["x-trace"]) == (NOW, "GET", BALANCE, "7")
    assert (second.at, second.method, second.path, second.body) == (NOW + 5, "POST", GET_BALANCE, envelope())
    assert (third.at, third.method) == (NOW + 5, "GET")
    assert [request.at for request in playground.simulator.requests] == [NOW, NOW + 5, NOW + 5, NOW + 5]
    assert "sk_prod_1" not in repr(first)
    assert "c3d4" not in repr(second)


# --- no answer, and the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "error"),
    [
        pytest.param(NoAnswer.CUT, httpx.RemoteProtocolError, id="cut"),
        pytest.param(NoAnswer.SILENT, httpx.ReadTimeout, id="silent"),
    ],
)
async def test_an_account_can_withhold_its_answer(
    playground: Playground, act: Act, error: type[httpx.HTTPError]
) -> None:
    """The request arrives, and nothing comes back; others are answered, and so is this one later on."""
    playground.client.timeout = 0.2
    playground.telecom23.answer_with(act)
    with pytest.raises(error):
        await playground.ask(playground.telecom23)
    assert len(playground.telecom23.requests) == 1
    assert (await playground.ask(playground.iletimerkezi)).status_code == 200
    playground.telecom23.answer_with("healthy")
    assert (await playground.ask(playground.telecom23)).status_code == 200


async def test_silence_does_not_hold_up_the_end(playground: Playground) -> None:
    """A test suite ends hundreds of simulators; none may wait for somebody who waits for it."""
    simulator = Simulator()
    account = simulator.add("23telecom", NoAnswer.SILENT)
    async with simulator.serving() as base_urls:
        url, headers = base_urls["23telecom"] + "/user/balance", {"X-API-Key": account.credentials["api_key"]}
        waiting = [asyncio.create_task(playground.client.get(url, headers=headers)) for _ in range(5)]
        async with asyncio.timeout(5):
            while len(account.requests) < len(waiting):  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(end) for end in ends} == {httpx.RemoteProtocolError}


async def test_it_serves_over_tls_too() -> None:
    """The providers do; whoever tests certificates brings them."""
    authority = trustme.CA()
    server, trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(trust)
    async with (
        httpx.AsyncClient(trust_env=False, verify=trust) as client,
        Simulator().serving(ssl_context=server) as base_urls,
    ):
        response = await client.get(base_urls["23telecom"] + "/user/balance")
    assert base_urls["23telecom"].startswith("https://127.0.0.1:")
    assert response.status_code == 401


# --- over time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "live", "expected"),
    [
        pytest.param("23telecom", Live(balance=Decimal("0.01")), ("0.01", "EUR", None, False), id="the last cent"),
        pytest.param("23telecom", Live(balance=Decimal("0.00")), ("0", "EUR", None, True), id="nothing left"),
        pytest.param("23telecom", Live(balance=Decimal("-7.35")), ("-7.35", "EUR", None, True), id="overdrawn"),
        pytest.param(
            "23telecom", Live(balance=Decimal("1.10"), currency="USD"), ("1.1", "USD", None, False), id="in dollars"
        ),
        pytest.param(
            "iletimerkezi", Live(balance=Decimal("10.58"), quota=66), ("10.58", "TRY", 66, False), id="in lira"
        ),
        pytest.param("iletimerkezi", Live(balance=Decimal(0), quota=9), ("0", "TRY", 9, False), id="in messages"),
        pytest.param("iletimerkezi", Live(balance=Decimal(0), quota=0), ("0", "TRY", 0, True), id="in neither"),
        pytest.param("iletimerkezi", Live(balance=Decimal(5)), ("5", "TRY", 67, False), id="messages as in the file"),
    ],
)
def test_live_numbers_are_read_as_they_were_meant(provider: str, live: Live, expected: tuple[object, ...]) -> None:
    """They stand where the healthy answer has them, exact to the cent."""
    reading = read(answer(provider, live, NOW))
    assert isinstance(reading, Reading)
    assert reading.balance is not None
    balance = format(reading.balance.normalize(), "f")
    assert (balance, reading.currency, reading.quota, reading.credit_blocked) == expected


def test_23telecom_flags_a_block_only_while_there_is_one_and_says_when_it_looked() -> None:
    """The seed never shows the flag as false; its time has its own notation."""
    live, blocked = (answer("23telecom", Live(balance=Decimal(balance)), NOW).body for balance in (5, 0))
    assert json.loads(live) == {"balance": 5.0, "currency": "EUR", "updated": "2026.02.13 10:15:00"}
    assert json.loads(blocked)["credit_blocked"] is True


def live(balance: str, **more: Any) -> Live:  # noqa: ANN401 - Live's own
    """Return a live act."""
    return Live(balance=Decimal(balance), **more)


LIFE = Scenario(
    Phase(10, live("1.00", quota=10), live("0.00", quota=0)),
    Phase(5, Canned("onboarding")),
    Phase(3, live("9.99", payload="partial"), live("9.97", payload="partial")),
    Phase(2, NoAnswer.CUT),
)


@pytest.mark.parametrize(
    ("seconds", "act"),
    [
        (0, live("1.00", quota=10)),
        (0.04, live("1.00", quota=10)),
        (2.5, live("0.75", quota=8)),
        (9.99, live("0.00", quota=1)),
        (10, Canned("onboarding")),
        (14.999, Canned("onboarding")),
        (15, live("9.99", payload="partial")),
        (16.5, live("9.98", payload="partial")),
        (18, NoAnswer.CUT),
        (19.999, NoAnswer.CUT),
        (20, live("1.00", quota=10)),
        (2_000_002.5, live("0.75", quota=8)),
    ],
)
def test_a_scenario_is_in_the_phase_of_its_second(seconds: float, act: Act) -> None:
    """Numbers run in a straight line, in whole cents and messages, and after the last phase comes the first."""
    assert LIFE(seconds) == act


async def test_a_scenario_plays_by_the_clock_that_it_was_given(playground: Playground) -> None:
    """Time passes as fast as a test likes; a scenario begins when the account takes it up."""
    playground.clock.now = 1000
    playground.telecom23.answer_with(SCENARIOS["23telecom"]["runs_dry"])
    seen = []
    for second in (0, 10, 35, 45, 75, 80):
        playground.clock.now = 1000 + second
        members = (await playground.ask(playground.telecom23)).json()
        seen.append((members["balance"], members.get("credit_blocked")))
    assert seen == [(-0.4, True), (58.8, None), (42.0, None), (27.0, None), (0.0, True), (-0.4, True)]


async def test_an_account_can_change_its_mind_at_any_moment(playground: Playground) -> None:
    """Tests and demos drive it from outside while it is being asked."""
    outcomes = []
    for what in ("error_ip_not_allowed", LIFE, live("3.21"), Canned("onboarding"), "healthy"):
        playground.telecom23.answer_with(what)
        outcomes.append((await playground.ask(playground.telecom23)).json())
        playground.clock.now += 11
    assert [outcome.get("error_code", outcome.get("balance")) for outcome in outcomes] == [
        "IP_NOT_ALLOWED",
        1.0,
        3.21,
        None,
        1250.5,
    ]


@pytest.mark.parametrize(
    ("provider", "name"), [(provider, name) for provider, named in SCENARIOS.items() for name in named]
)
def test_every_scenario_plays_through(provider: str, name: str) -> None:
    """A payload that does not exist would end a demo after some minutes, unseen by any other test."""
    scenario = SCENARIOS[provider][name]
    acts = [scenario(second) for second in range(scenario.seconds)]
    outcomes = [read(answer(provider, act, NOW)) for act in acts if not isinstance(act, NoAnswer)]
    assert outcomes


# --- the demo -----------------------------------------------------------------------------------------------------


def outcome_of(account: DemoAccount, second: float) -> Reading | Problem | None:
    """Return what a poll of a demo account comes to at this second; None where there is no answer."""
    act = SCENARIOS[account.provider][account.scenario](second)
    return None if isinstance(act, NoAnswer) else read(answer(account.provider, act, NOW))


def status_of(outcome: Reading | Problem | None) -> Status:
    """Return the status that an outcome means."""
    match outcome:
        case Reading():
            return outcome.quality.status
        case Problem():
            return outcome.status
    return Status.UNREACHABLE


MINUTE = range(60)


@pytest.mark.parametrize("second", range(120))
def test_the_demo_shows_five_statuses_at_any_moment(second: int) -> None:
    """Whoever looks for a moment sees what the exporter can tell apart."""
    assert len({status_of(outcome_of(account, second)) for account in DEMO}) >= 5


def test_the_demo_shows_every_status_within_a_minute() -> None:
    """Only `pending` is missing: it ends with an account's first poll."""
    seen = {status_of(outcome_of(account, second)) for account in DEMO for second in MINUTE}
    assert seen == set(Status) - {Status.PENDING}


def is_low(account: DemoAccount, reading: Reading) -> bool:
    """Whether an account is low by one reading."""
    moment = Instant(unix=1_760_000_000.0, monotonic=0.0)
    return any(Account().after(reading, moment, 0.2).judged(account.limits).low.values())


def test_the_demo_shows_low_and_blocked_accounts_within_a_minute() -> None:
    """These two are what it is all about."""
    readings = [(account, outcome_of(account, second)) for account in DEMO for second in MINUTE]
    known = [(account, reading) for account, reading in readings if isinstance(reading, Reading)]
    assert {account.name for account, reading in known if is_low(account, reading)} >= {
        "on-call",
        "alarm-system",
    }
    assert {account.name for account, reading in known if reading.credit_blocked} == {"on-call"}


def test_the_demo_uses_every_module() -> None:
    """What only tests and development use has no place in a package that is installed on servers."""
    folder = Path(package.__file__).parent
    written = {".".join(file.relative_to(folder).with_suffix("").parts) for file in folder.rglob("*.py")}
    code = "import sys, sms_credit_exporter.demo; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    prefix = f"{package.__name__}."
    used = {name.removeprefix(prefix) for name in run.stdout.split() if name.startswith(prefix)}
    assert {name.removesuffix(".__init__") for name in written} - {"__init__"} == used


def test_the_demo_never_stands_still() -> None:
    """Something visible changes from each second to the next."""
    scenes = [[outcome_of(account, second) for account in DEMO] for second in range(120)]
    assert [len([*same]) for _, same in groupby(scenes)] == [1] * 120


def test_the_demos_accounts_have_names_of_their_own_and_every_provider() -> None:
    """A name is the identity in labels."""
    assert len({account.name for account in DEMO}) == len(DEMO)
    assert {account.provider for account in DEMO} == set(PROVIDERS)


@pytest.mark.parametrize(
    ("provider", "name"), [(provider, name) for provider, named in SCENARIOS.items() for name in named]
)
def test_the_demo_sees_all_that_a_scenario_has_again_and_again(provider: str, name: str) -> None:
    """However long the exporter waits after a failure, no status passes unseen, and none stays for good."""
    scenario, played = SCENARIOS[provider][name], DemoAccount("any", provider, name)
    account, second = Account(), 0.0
    seen: list[set[Status]] = [set(), set(), set()]
    while second < 6 * scenario.seconds:
        outcome = outcome_of(played, second) or Problem(cause=Cause.CONNECTION_CUT)
        account = account.after(outcome, Instant(second, second), 0.0)
        seen[int(second / (2 * scenario.seconds))].add(account.status)
        second += account.next_poll_in(POLL_INTERVAL)
    assert seen == [{status_of(outcome_of(played, second)) for second in range(scenario.seconds)}] * 3
