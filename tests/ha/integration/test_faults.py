"""The whole fault matrix inside Home Assistant: each fault is an account, all are polled at once, over real sockets.

The clock stands still but for the steps that are taken here, so a provider that never answers costs no time.
"""

import asyncio
import logging
import re
import socket
import ssl
import time
from base64 import b64decode
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, override

import httpx
import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_STATE_CHANGED, MAJOR_VERSION, MINOR_VERSION
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.httpx_client import get_async_client
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib import sms_credit_core as core
from tests.faults import names
from tests.faults.driving import (
    FIRST,
    SECOND,
    SECRET,
    TABLE,
    Numbers,
    Servers,
    clock_steps,
    credentials,
    in_fault,
    in_health,
    named,
    nothing_of,
    parts,
    publish,
    serving,
)
from tests.faults.table import Case, Name

from .conftest import Providers, account, pass_time, set_up, spending, states

_CASES = [case for case in TABLE if case.fault.name is not Name.UNROUTABLE]
"""The harness lets nothing out but to 127.0.0.1, to which there is always a way."""

PARTS = parts(_CASES, 600)
"""One Home Assistant with thousands of accounts would log more than the harness can keep."""

PATIENCE = 600.0
"""Seconds of real time until a test gives up waiting."""

INTERVAL, TIMEOUT = 300, core.DEFAULT_TIMEOUT + 0.1
SETUP_PATIENCE = 2
"""Seconds that setting up waits for an answer."""

REFUSED = 3600
"""Seconds after which every account is polled again, whatever has happened to it."""

KEYS = {"balance": "balance", "sms_quota": "quota_messages", "credits": "credits", "credit_blocked": "blocked"}
"""The entities with numbers, and what the matrix calls these."""

AWAY = {"unavailable", "unknown"}
"""The states of an entity that shows no number."""


class Detour(httpx.AsyncBaseTransport):
    """Another transport, led to the server of whichever account asks."""

    def __init__(self, transport: httpx.AsyncBaseTransport, ports: Mapping[str, int]) -> None:
        """Take the ports of the accounts."""
        self._transport, self._ports = transport, ports
        self._cases = {case.key: case for case in TABLE}

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; it is told by its credentials who asks."""
        case = self._cases[_asked_by(request)]
        url = request.url.copy_with(
            host="localhost" if case.fault.name else "127.0.0.1",
            port=self._ports[case.key],
            raw_path=f"/{case.key}".encode() + request.url.raw_path,
        )
        return await self._transport.handle_async_request(
            httpx.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=dict(request.extensions),
            )
        )

    @override
    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


def _asked_by(request: httpx.Request) -> str:
    """Return whose credentials are in a request: in its address, its headers, in Base64 there, or in its body."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    basic = b64decode(encoded).decode() if scheme == "Basic" else ""
    text = f"{request.url.raw_path!r} {request.headers.raw!r} {basic} {request.read()!r}"
    found = re.search(rf"(\d{{4}}-[a-z0-9]+)-\w+-{SECRET}", text)
    assert found, "a request with no account's credentials"
    return found[1]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Run the servers."""
    with serving(tmp_path, tls=True) as servers:
        yield servers


@pytest.fixture
def trust(tmp_path: Path, servers: Servers) -> ssl.SSLContext:  # noqa: ARG001 - they have written the file
    """Trust the servers' authority, and what Home Assistant trusts."""
    return ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))


@pytest.fixture
def resolver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a file say what becomes of a name."""
    file = tmp_path / "names.json"
    look_up = socket.getaddrinfo

    def here(_host: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        return look_up("127.0.0.1", *args, **kwargs)  # the harness refuses all names

    monkeypatch.setattr(socket, "getaddrinfo", names.led_astray(file, here))
    return file


class Home:
    """A Home Assistant with an account for each case."""

    def __init__(
        self,
        hass: HomeAssistant,
        freezer: FrozenDateTimeFactory,
        servers: Servers,
        resolver: Path,
        table: Sequence[Case],
    ) -> None:
        """Make the accounts; Home Assistant does not know of them yet."""
        self.table = table
        self._hass, self._freezer, self._servers, self._resolver = hass, freezer, servers, resolver
        self.entries = {
            case.key: MockConfigEntry(
                domain=DOMAIN,
                title=case.key,
                data={"provider": case.provider, **credentials(case.key, case.provider)},
            )
            for case in self.table
        }
        self.known: dict[str, Numbers] = {case.key: {} for case in self.table}
        self.seconds: dict[str, float] = {}
        self.due = 0
        """How often an account that answers well was to be polled so far."""
        self._since = real_time()
        self.ever_shown: dict[str, set[str]] = defaultdict(set)
        """Every state that an entity ever had, by its id."""
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)

    def be_bad(self) -> None:
        """Bring all faults about."""
        self._servers.be_bad()
        names.lead(
            self._resolver, {self._servers.ports[case.key]: case.fault.name for case in self.table if case.fault.name}
        )

    def be_good(self, balance: Decimal) -> None:
        """End all faults."""
        self._servers.be_good(str(balance))
        names.lead(self._resolver, {})

    @asynccontextmanager
    async def in_the_end_well(self) -> AsyncIterator[None]:
        """End all faults, whatever happens: Home Assistant's own end waits for whoever still looks a name up."""
        try:
            yield
        finally:
            self.be_good(SECOND)

    async def set_up(self) -> None:
        """Set all accounts up as Home Assistant does when it starts. Providers that hang keep nobody from starting."""
        for entry in self.entries.values():
            entry.add_to_hass(self._hass)
        setting_up = asyncio.ensure_future(async_setup_component(self._hass, DOMAIN, {}))
        await until(
            lambda: all(case.fault.hangs or self._is_polled(case) for case in self.table),
            lambda: {named(case): "not polled" for case in self.table if not self._is_polled(case)},
        )
        self.due += 1
        self.pass_time(SETUP_PATIENCE)
        await until(setting_up.done)

    def _is_polled(self, case: Case) -> bool:
        entry = self.entries[case.key]
        return hasattr(entry, "runtime_data") and entry.runtime_data.data.status is not core.Status.PENDING

    def in_fault(self, case: Case) -> Numbers:
        """Return what is to be seen of an account during its fault: nothing, if that is a failure."""
        if core.Status(case.fault.status) in core.FAILURES:
            return {}
        seen = in_fault(core, case)
        return self.known[case.key] if seen is None else seen

    def until_due(self, seconds: float = INTERVAL) -> None:
        """Let time pass until every account is polled, or as many of them as wait for no more than this."""
        self.due += 1
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self._freezer.tick(seconds)
        async_fire_time_changed(self._hass)

    async def come_to(
        self, phase: str, status: Callable[[Case], str], numbers: Callable[[Case], Numbers], *, waited: float = 0
    ) -> None:
        """Wait until every account shows what it must; those that hang, until their patience is at its end.

        It may have waited for some seconds of it already.
        """
        after = {case.key: numbers(case) for case in self.table}

        def wrong() -> dict[str, object]:
            seen = {case: self.shown(case) for case in self.table}
            return {named(case): shown for case, shown in seen.items() if shown != (status(case), after[case.key])}

        hanging = {named(case) for case in self.table if case.fault.hangs}
        await until(lambda: wrong().keys() <= hanging, wrong)
        self.pass_time(TIMEOUT - waited)
        await until(lambda: not wrong(), wrong)
        self.known |= after
        self.seconds[phase], self._since = real_time() - self._since, real_time()

    @callback
    def _note(self, event: Event[EventStateChangedData]) -> None:
        if state := event.data["new_state"]:
            self.ever_shown[state.entity_id].add(state.state)

    def wrong_numbers(self) -> dict[str, object]:
        """Return what was ever shown of an account that it never was."""
        wrong: dict[str, object] = {}
        for case in self.table:
            right = [in_health(core, case, FIRST), in_health(core, case, SECOND), in_fault(core, case) or {}]
            for key, name in KEYS.items():
                shown = self._ever_shown(case, key)
                if surplus := shown - {numbers[name] for numbers in right if name in numbers}:
                    wrong[f"{named(case)} {name}"] = surplus
        return wrong

    def _ever_shown(self, case: Case, key: str) -> set[float]:
        unique_id = f"{self.entries[case.key].entry_id}_{key}"
        registry = er.async_get(self._hass)
        ids = [registry.async_get_entity_id(platform, DOMAIN, unique_id) for platform in ("sensor", "binary_sensor")]
        return {number(state) for id_ in ids if id_ for state in self.ever_shown[id_] if state not in AWAY}

    def shown(self, case: Case) -> tuple[str, Numbers]:
        """Return status and numbers that an account shows."""
        seen = states(self._hass, self.entries[case.key])
        found = {KEYS[key]: number(state) for key, state in seen.items() if key in KEYS and state not in AWAY}
        return seen["status"], found


def number(state: str) -> float:
    """Return a state as the matrix has it."""
    return float({"on": "1", "off": "0"}.get(state, state))


def real_time() -> float:
    """Return monotonic time, in seconds, of a clock that nobody freezes."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


async def until(condition: Callable[[], bool], wrong: Callable[[], Mapping[str, object]] = dict) -> None:
    """Wait for what comes over real sockets. The loop's own clock stands still, so nothing can be slept for."""
    deadline = real_time() + PATIENCE
    while not condition():
        if real_time() > deadline:
            nothing_of(wrong() or {"time": "over"}, "what is waited for")
        for _ in range(200):
            await asyncio.sleep(0)


def _status(case: Case) -> str:
    status = case.fault.status
    return "data_unavailable" if status == "unavailable" else status


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("table", PARTS, ids=lambda part: f"{len(part)} accounts")
@pytest.mark.usefixtures("every_entity", "socket_enabled")
async def test_every_fault_is_told_for_what_it_is_and_ends_with_the_first_good_answer(  # noqa: PLR0913, PLR0917 - fixtures
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    servers: Servers,
    trust: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    resolver: Path,
    table: Sequence[Case],
) -> None:
    """From the start, and again once there are numbers that could be shown.

    Who hangs does so until all others show what they must; and who answers well is polled whenever it is due.
    """
    client = get_async_client(hass)
    home = Home(hass, freezer, servers, resolver, table)

    transport = httpx.AsyncHTTPTransport(verify=trust, limits=httpx.Limits())
    async with Detour(transport, servers.ports) as detour, home.in_the_end_well():
        monkeypatch.setattr(client, "_transport", detour)
        monkeypatch.setattr(client, "_mounts", {})
        home.be_bad()
        await home.set_up()
        await home.come_to("faults from the start", _status, home.in_fault, waited=SETUP_PATIENCE)
        home.be_good(FIRST)
        home.until_due(REFUSED)
        await home.come_to("the first good answer", lambda _: "fresh", lambda case: in_health(core, case, FIRST))
        caplog.clear()
        home.be_bad()
        home.until_due()
        await home.come_to("faults after a reading", _status, home.in_fault)
        home.be_good(SECOND)
        home.until_due(REFUSED)
        await home.come_to("good answers again", lambda _: "fresh", lambda case: in_health(core, case, SECOND))
        await hass.async_block_till_done(wait_background_tasks=True)
    _each_change_has_one_line(caplog, table)
    report = servers.report()
    assert report["strays"] == {}
    asked = {case: report["asked"][case.key]["times"] for case in table if case.fault.reads}
    nothing_of({named(case): times for case, times in asked.items() if times != home.due}, f"not {home.due} polls")
    wrong = home.wrong_numbers()
    nothing_of(wrong, "numbers that were never read")
    requests = sum(each["times"] for each in report["asked"].values())
    figures = {"requests": requests, "wrong_numbers": len(wrong)}
    publish(f"Home Assistant {MAJOR_VERSION}.{MINOR_VERSION}", table, home.seconds, **figures)


def _each_change_has_one_line(caplog: pytest.LogCaptureFixture, table: Sequence[Case]) -> None:
    """Look for a line at each failure and at its end; what is no failure has none."""
    lines = defaultdict(list)
    for record in caplog.records:
        if record.name == "custom_components.sms_credit.coordinator" and record.levelno >= logging.INFO:
            message = record.getMessage()
            lines[next(case.key for case in table if case.key in message)].append(message)
    wrong = {}
    for case in table:
        failed = core.Status(case.fault.status) in core.FAILURES
        patterns = [f"Error fetching {case.key} data: .+", f"Fetching {case.key} data recovered"] if failed else []
        said = lines[case.key]
        if len(said) != len(patterns) or not all(map(re.fullmatch, patterns, said, strict=True)):
            wrong[named(case)] = said
    nothing_of(wrong, "lines of the log")


# --- the clock on the wall ----------------------------------------------------------------------------------------

SetClock = Callable[[float], None]

BALANCE = "1250.50"
"""What the simulated provider tells while it is well, as Home Assistant writes it."""


@pytest.fixture
def set_clock(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Iterator[SetClock]:
    """Return what sets the wall clock by some seconds, as a person or NTP does; nothing else goes by it."""

    def by(seconds: float) -> None:
        """Have the one clock be set; the other is where it was, and with it whatever Home Assistant waits for."""
        monotonic = time.monotonic
        freezer.tick(seconds)
        patch.setattr(time, "monotonic", lambda: monotonic() - seconds)
        async_fire_time_changed(hass)

    with pytest.MonkeyPatch.context() as patch:
        yield by


CLOCKS = clock_steps(before=INTERVAL / 2)


async def test_a_clock_that_is_set_neither_hurries_nor_stops_a_poll_and_invents_nothing(
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    set_clock: SetClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Ahead, back and over both days of daylight saving; the balance stands, nothing is spent, nothing is logged."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    entry = account("23telecom")
    await set_up(hass, entry)
    before, spent = states(hass, entry), spending(hass, entry)["spent"]
    assert (before["balance"], before["status"], float(spent)) == (BALANCE, "fresh", 0)
    caplog.clear()
    for step in CLOCKS.values():
        asked = len(providers.requests)
        set_clock(step())
        await pass_time(hass, freezer, INTERVAL - 2)
        assert (len(providers.requests), states(hass, entry)) == (asked, before)
        for times in (1, 2, 3):
            await pass_time(hass, freezer, INTERVAL if times > 1 else 3)
            assert (len(providers.requests), states(hass, entry)) == (asked + times, before)
        assert spending(hass, entry)["spent"] == spent
    ours = [record for record in caplog.records if record.name.startswith(f"custom_components.{DOMAIN}")]
    assert [record.getMessage() for record in ours if record.levelno >= logging.INFO] == []


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        pytest.param(3600, "unknown", id="an hour ahead: nobody can tell that it was not an hour"),
        pytest.param(-3600, BALANCE, id="an hour back"),
        pytest.param(-400 * 86400, BALANCE, id="four hundred days back"),
    ],
)
async def test_a_clock_that_is_set_makes_no_balance_younger(  # noqa: PLR0913, PLR0917 - fixtures, and two columns
    hass: HomeAssistant,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    set_clock: SetClock,
    step: float,
    shown: str,
) -> None:
    """What is held is unknown an hour after it was read, or sooner; the next reading is shown as any other."""
    entry = account("23telecom")
    await set_up(hass, entry)
    providers.answer("23telecom", "unavailable_cache_disabled")
    await pass_time(hass, freezer)
    assert states(hass, entry)["balance"] == BALANCE
    set_clock(step)
    await pass_time(hass, freezer)
    assert states(hass, entry)["balance"] == shown
    await pass_time(hass, freezer, 3600 - 2 * INTERVAL + 2)
    assert states(hass, entry)["balance"] == "unknown"
    providers.answer("23telecom", "healthy")
    await pass_time(hass, freezer)
    assert states(hass, entry)["balance"] == BALANCE
