"""The whole fault matrix at one exporter, a process of its own: each fault is an account, all are watched at once."""

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest

import sms_credit_core
from sms_credit_core import FAILURES, Cause, Status
from tests.exporter.running import LISTEN, Running, running
from tests.exporter.test_load import idlers
from tests.faults.driving import (
    FIRST,
    PARTS,
    SCALE,
    SECOND,
    Numbers,
    Servers,
    credentials,
    in_fault,
    in_health,
    named,
    nothing_of,
    publish,
    revealed,
    serving,
)
from tests.faults.names import lead
from tests.faults.table import HEALTHY, Case, Layer, Name

PATIENCE = 240.0 * SCALE
"""Seconds until a phase is given up; a busy machine takes a while for a thousand accounts."""

TIMEOUT, SHORT_TIMEOUT = 30.0, 10.0
"""Seconds that an account waits for its provider: so long that no busy machine is taken for a fault, and not as long
where waiting is all that happens."""

LATE = 5.0
"""Seconds by which a poll may be late, or take longer than its timeout, beside what others have of the processor."""

ROUNDING = 2.0
"""Seconds; what is held against each other here is two moments in whole seconds, and what the exporter worked out of
two looks at its clock, between which another process may have had the processor."""

JITTER = 1.05
"""How much longer than asked for a pause may be, so that accounts drift apart."""

LONG_WAIT = 900.0 * SCALE
"""Seconds that the whole of a test may take; whoever asks to be left alone for longer is asked once."""

MORE_MEMORY = 96 * 1024
"""KiB by which the process may grow while all this happens."""

STATUSES: Mapping[str, Status] = {status.value: status for status in Status}
CAUSES: Mapping[str, Cause] = {cause.value: cause for cause in Cause}

NUMBERS = ("balance", "quota_messages", "credits", "blocked")
"""What is a number of the account's, without `sms_credit_`."""


@dataclass
class Shown:
    """What a scrape shows of an account."""

    status: str = ""
    up: float = -1
    numbers: dict[str, float] = field(default_factory=dict)
    polls: float = 0
    failures: float = 0
    seconds: float = 0
    """That the last poll took."""


_SAMPLE = re.compile(
    r'^sms_credit_(\w+)\{account="([^"]+)",(?:[^}]*?(?:status|reason)="(\w+)")?[^}]*\} (\S+)$', re.MULTILINE
)
"""Reading thousands of lines with prometheus-client's parser would take the machine's time from what is tested."""


async def scrape(exporter: Running) -> dict[str, Shown]:
    """Return what is shown of every account."""
    shown: dict[str, Shown] = defaultdict(Shown)
    text = (await exporter.get("/metrics")).raise_for_status().text
    assert revealed(text) == []
    for name, account, word, value in _SAMPLE.findall(text):
        _take(shown[account], name, word, float(value))
    return shown


def _take(shown: Shown, name: str, word: str, value: float) -> None:
    if name == "status" and value:
        assert not shown.status
        shown.status = word
    elif name in NUMBERS:
        shown.numbers[name] = value
    elif name in {"up", "polls_total", "poll_duration_seconds"}:
        setattr(shown, {"polls_total": "polls", "poll_duration_seconds": "seconds"}.get(name, name), value)
    elif name == "poll_failures_total":
        shown.failures += value


async def entries(exporter: Running) -> dict[str, Any]:
    """Return what the status page's JSON says of every account."""
    found: dict[str, Any] = {}
    page, pages = 1, 1
    while page <= pages:
        text = (await exporter.get(f"/api/v1/accounts?per_page=500&page={page}")).raise_for_status().text
        assert revealed(text) == []
        said = json.loads(text)
        found |= {entry["account"]: entry for entry in said["accounts"]}
        page, pages = page + 1, said["pages"]
    return found


@dataclass
class Matrix:
    """One exporter that watches every case, and what was seen of it so far."""

    exporter: Running
    table: Sequence[Case]
    servers: Servers
    names: Path
    """What the resolver goes by."""
    wrong: list[str] = field(default_factory=list)
    """Numbers that were shown and never read."""
    scrapes: int = 0
    slowest: dict[str, float] = field(default_factory=dict)
    """Seconds that the longest poll of each account took."""
    starved: float = 0
    """Seconds that the exporter was ready to run and had no processor, the worst stretch of them."""
    longest_scrape: float = 0
    """Seconds."""
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self.cases = {case.key: case for case in self.table}
        self.known: dict[str, Numbers] = {case.key: {} for case in self.table}
        """What was read last of each account."""
        self._looks: list[tuple[float, float]] = []
        """When it was looked for starvation lately, and what there had been until then."""

    def be_bad(self) -> None:
        """Bring all faults about."""
        self.servers.be_bad()
        lead(self.names, led_astray(self.servers, self.table))

    def be_good(self, balance: Decimal) -> None:
        """End all faults."""
        self.servers.be_good(str(balance))
        lead(self.names, {})

    async def come_to(self, phase: str, status: Callable[[Case], str], numbers: Callable[[Case], Numbers]) -> None:
        """Wait until every account has the status and the numbers that it must have, and no others on the way."""
        began, waiting = time.monotonic(), self.cases
        before = dict(self.known)
        after = {case.key: numbers(case) for case in self.table}
        while waiting:
            begun = time.monotonic()
            shown = await scrape(self.exporter)
            self.longest_scrape = max(self.longest_scrape, time.monotonic() - begun)
            self.scrapes += 1
            self._note_starvation()
            for key, each in shown.items():
                self._judge(key, each, before[key], after[key])
            waiting = {
                key: case
                for key, case in waiting.items()
                if (shown[key].status, shown[key].numbers) != (status(case), after[key])
            }
            if time.monotonic() - began > PATIENCE:
                break
            await asyncio.sleep(0.7)
        nothing_of({named(case): (shown[key].status, shown[key].numbers) for key, case in waiting.items()}, phase)
        self.known |= after
        self.seconds[phase] = time.monotonic() - began

    def in_fault(self, case: Case) -> Numbers:
        """Return what is to be seen of an account during its fault."""
        seen = in_fault(sms_credit_core, case)
        return self.known[case.key] if seen is None else seen

    def _judge(self, key: str, shown: Shown, before: Numbers, after: Numbers) -> None:
        """Look whether an account shows what it may: what was known before, or what is to be known."""
        allowed: tuple[Numbers, ...] = (before, after, {})
        if shown.numbers not in allowed:
            self.wrong.append(f"{named(self.cases[key])}: {shown.numbers}")
        if (shown.up == 1) != STATUSES[shown.status].up:
            self.wrong.append(f"{named(self.cases[key])}: up {shown.up} while {shown.status}")
        self.slowest[key] = max(self.slowest.get(key, 0.0), shown.seconds)

    def _note_starvation(self) -> None:
        """Look for how long others had the processor while one poll lasted."""
        now, waited = time.monotonic(), waited_for_processor(self.exporter.process.pid)
        self._looks.append((now, waited))
        while self._looks[1:] and self._looks[1][0] < now - TIMEOUT - LATE:
            del self._looks[0]
        self.starved = max(self.starved, waited - self._looks[0][1])

    def memory(self) -> int:
        """Return the process's resident memory, in KiB."""
        status = Path(f"/proc/{self.exporter.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0])


def waited_for_processor(pid: int) -> float:
    """Return for how many seconds a process was ready to run so far while others did."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def _timeout(case: Case) -> float:
    return SHORT_TIMEOUT if case.fault.hangs else TIMEOUT


def _left_alone(case: Case) -> bool:
    """Whether a provider has asked for a longer wait than a test can last."""
    return (case.fault.wait or 0) > LONG_WAIT


def _interval(case: Case) -> float:
    """Return how often an account is polled: one that is refused waits for twelve intervals."""
    if case.fault is HEALTHY or case.fault.status == "auth_failed":
        return 1.0 * SCALE
    return 12.0 * SCALE


def configured(case: Case, port: int) -> Mapping[str, object]:
    """Return an account as it stands in a configuration file."""
    scheme = "https" if case.fault.tls else "http"
    host = "localhost" if case.fault.name else "127.0.0.1"
    return {
        "name": case.key,
        "provider": case.provider,
        "credentials": credentials(case.key, case.provider),
        "base_url": f"{scheme}://{host}:{port}/{case.key}",
        "poll_interval": f"{_interval(case) * 1000:.0f}ms",
        "timeout": f"{_timeout(case):g}s",
    }


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Run the servers."""
    with serving(tmp_path) as servers:
        yield servers


def led_astray(servers: Servers, table: Sequence[Case]) -> Mapping[int, Name]:
    """Return what becomes of the name, by the port of its server."""
    return {servers.ports[case.key]: case.fault.name for case in table if case.fault.name}


@asynccontextmanager
async def watching(servers: Servers, table: Sequence[Case], folder: Path, *runner: str) -> AsyncIterator[Matrix]:
    """Run an exporter that watches all cases of a table; `runner` is what Python is to run it by, if need be."""
    file, names = folder / "config.yml", folder / "names.json"
    file.write_text(json.dumps({"accounts": [configured(case, servers.ports[case.key]) for case in table]}))
    lead(names, led_astray(servers, table))
    program = (*runner, str(Path(__file__).with_name("names.py")), str(names))
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        arguments = ("serve", f"--config.file={file}", LISTEN)
        env = {"SSL_CERT_FILE": str(folder / "ca.pem")}
        async with running(http, *arguments, cwd=folder, env=env, program=program, patience=PATIENCE) as exporter:
            yield Matrix(exporter, table, servers, names)


@pytest.mark.timeout(LONG_WAIT)
@pytest.mark.parametrize("table", PARTS, ids=lambda part: f"{len(part)} accounts")
async def test_every_fault_is_told_for_what_it_is_and_ends_with_the_first_good_answer(
    servers: Servers, table: Sequence[Case], tmp_path: Path
) -> None:
    """From the start, and again once there are numbers that could be shown; meanwhile the healthy go on."""
    async with watching(servers, table, tmp_path) as matrix:
        await matrix.come_to("faults from the start", _badly, matrix.in_fault)
        await _reasons_are_given(matrix)
        await _waits_are_as_asked(matrix)
        memory = matrix.memory()
        matrix.be_good(FIRST)
        await matrix.come_to("the first good answer", *_well(FIRST))
        matrix.be_bad()
        await matrix.come_to("faults after a reading", _badly, matrix.in_fault)
        await _reasons_are_given(matrix)
        matrix.be_good(SECOND)
        await matrix.come_to("good answers again", *_well(SECOND))

        assert matrix.wrong == []
        _no_poll_took_too_long(matrix)
        assert matrix.memory() - memory < MORE_MEMORY
        await _good_answers_were_readings(matrix)
        _the_healthy_were_polled_in_time(matrix)
        await _the_page_shows_them_all(matrix)
        _each_change_has_one_line(matrix)
        report = servers.report()
        assert report["strays"] == {}
        requests = sum(asked["times"] for asked in report["asked"].values())
        figures = {"scrapes": matrix.scrapes, "requests": requests, "wrong_numbers": len(matrix.wrong)}
        figures |= {"starved": matrix.starved, "longest_scrape": matrix.longest_scrape}
        publish("exporter", table, matrix.seconds, **figures)


FEW_DESCRIPTORS = 256

WITH_FEW_DESCRIPTORS = f"""
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({FEW_DESCRIPTORS}, {FEW_DESCRIPTORS}))
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


@pytest.mark.timeout(LONG_WAIT)
async def test_while_idle_clients_take_the_descriptors_every_fault_is_told_for_what_it_is(
    servers: Servers, tmp_path: Path
) -> None:
    """Few files may be open, and more clients connect than that; each account has the reason that it has anyhow."""
    async with watching(servers, PARTS[0][::5], tmp_path, "-c", WITH_FEW_DESCRIPTORS) as matrix:
        with idlers(matrix.exporter, 2 * FEW_DESCRIPTORS):
            await matrix.come_to("faults from the start", _badly, matrix.in_fault)
            await _reasons_are_given(matrix)
            matrix.be_good(FIRST)
            await matrix.come_to("the first good answer", *_well(FIRST))
            await _good_answers_were_readings(matrix)
            _the_healthy_were_polled_in_time(matrix)
        assert matrix.wrong == []
        assert matrix.exporter.matching("too many connections")


def _badly(case: Case) -> str:
    """Return the status during the fault."""
    return case.fault.status


def _well(balance: Decimal) -> tuple[Callable[[Case], str], Callable[[Case], Numbers]]:
    """Return status and numbers once all servers answer well; who was asked to wait for long has not asked again."""
    return (
        lambda case: case.fault.status if _left_alone(case) else "fresh",
        lambda case: {} if _left_alone(case) else in_health(sms_credit_core, case, balance),
    )


async def _reasons_are_given(matrix: Matrix) -> None:
    """Each account says why, in the words of the cause, and each number that is not there has its reason."""
    wrong = {}
    for key, entry in (await entries(matrix.exporter)).items():
        case = matrix.cases[key]
        texts = [_text_of(cause, case.fault.detail) for cause in case.fault.causes]
        if case.fault.reads:
            good = entry["reason"] is None
        else:
            good = bool(entry["reason"]) and (not texts or any(re.fullmatch(text, entry["reason"]) for text in texts))
        good = good and (entry["balance"] is not None or "balance" in entry["unknown"])
        if case.fault.payload:
            good = good and entry["code"] == case.fault.payload.outcome.get("code")
        if not good or entry["status"] != case.fault.status:
            wrong[named(case)] = (entry["status"], entry["reason"], entry["code"])
    nothing_of(wrong, "reasons")


def _text_of(cause: str, detail: str | None) -> str:
    """Return a pattern of the text that a person is given."""
    text = re.escape(CAUSES[cause].text)
    return text.replace(re.escape("{detail}"), re.escape(detail) if detail else ".+")


async def _waits_are_as_asked(matrix: Matrix) -> None:
    """Each next poll is as late as was asked for; one that is polled just now is looked at again a moment later."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found, asked = await entries(matrix.exporter), matrix.servers.report()["asked"]
        wrong = {
            named(case): (found[case.key]["last_poll"], found[case.key]["next_poll"], asked[case.key])
            for case in matrix.table
            if case.fault.layer is Layer.RETRY_AFTER
            and not _waits_as_asked(case, found[case.key], asked[case.key]["told_at"])
        }
        if not wrong:
            return
        if time.monotonic() > deadline:
            nothing_of(wrong, "waits")
        await asyncio.sleep(0.7)


def _waits_as_asked(case: Case, entry: Mapping[str, Any], told_at: float) -> bool:
    """Whether the next poll is due when the provider wants, and after the exporter's own pauses at least.

    A number of seconds counts from the end of the poll. A date is what it is, however long the answer travelled.
    """
    last, following = (datetime.fromisoformat(entry[name]).timestamp() for name in ("last_poll", "next_poll"))
    wanted = (int(told_at) if case.fault.dated else last) + (case.fault.wait or 0)
    shortest, longest = max(wanted, last + _interval(case)), max(wanted, last + 4 * _interval(case))
    return shortest - ROUNDING <= following <= longest + ROUNDING


async def _good_answers_were_readings(matrix: Matrix) -> None:
    """Every good answer that a server gave was taken for one: no poll was lost in the recovery."""
    shown = await scrape(matrix.exporter)
    asked = matrix.servers.report()["asked"]
    lost = {}
    for case in matrix.table:
        if _left_alone(case):
            if asked[case.key]["times"] != 1:
                lost[named(case)] = ("requests", asked[case.key]["times"])
        elif STATUSES[case.fault.status] in FAILURES:
            readings, good = shown[case.key].polls - shown[case.key].failures, asked[case.key]["answered_well"]
            if not 0 <= good - readings <= 1:  # one may just be under way
                lost[named(case)] = (good, readings)
        elif shown[case.key].failures:
            lost[named(case)] = ("failures", shown[case.key].failures)
    nothing_of(lost, "good answers that were no readings")


def _no_poll_took_too_long(matrix: Matrix) -> None:
    """Hold the longest poll of each account against its timeout: who never answers, or never ends, costs no more."""
    longest = {case: _timeout(case) + LATE + matrix.starved for case in matrix.table}
    slowest = {case: matrix.slowest[case.key] for case in matrix.table}
    nothing_of({named(case): took for case, took in slowest.items() if took > longest[case]}, "seconds of a poll")


def _the_healthy_were_polled_in_time(matrix: Matrix) -> None:
    """Whatever happens to the others, who answers well is asked in time, from the first poll to the last."""
    asked = matrix.servers.report()["asked"]
    longest = {case: asked[case.key]["longest_pause"] for case in matrix.table if _is_beside(case)}
    late = LATE + matrix.starved
    wrong = {named(case): pause for case, pause in longest.items() if pause > JITTER * _interval(case) + late}
    nothing_of(wrong, f"pauses of the healthy, up to {late:.1f} s late")
    assert min(longest.values()) > 0


def _is_beside(case: Case) -> bool:
    """Whether an account answers well and shares its provider's server with none that does not."""
    return case.fault.reads and not case.fault.is_answer


async def _the_page_shows_them_all(matrix: Matrix) -> None:
    text = (await matrix.exporter.get("/")).raise_for_status().text
    assert revealed(text) == []
    assert f"{len(matrix.table):,}" in text or str(len(matrix.table)) in text


def _each_change_has_one_line(matrix: Matrix) -> None:
    """Pending, the fault, health, the fault, health; and nothing else is in the log but how it began."""
    log = matrix.exporter.log
    assert revealed("\n".join(log)) == []
    changes: dict[str, list[str]] = defaultdict(list)
    others = []
    for line in log:
        if found := re.search(r'event="status changed" account=(\S+) .*?\bstatus=(\w+)', line):
            changes[found[1]].append(found[2])
        elif not re.search(r"event=(starting|listening)|credit (no longer )?blocked", line):
            others.append(line)
    assert others == []
    wrong = {}
    for case in matrix.table:
        bad = case.fault.status
        expected = [bad] if bad == "fresh" or _left_alone(case) else [bad, "fresh", bad, "fresh"]
        one_or_the_other = len(case.fault.causes) > 1  # whose change is a line too
        seen = [status for status, _ in groupby(changes[case.key])] if one_or_the_other else changes[case.key]
        if seen != expected:
            wrong[named(case)] = changes[case.key]
    nothing_of(wrong, "changes in the log")
