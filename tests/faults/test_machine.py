"""What can happen to the machine itself, and to whoever changes his mind: clocks that are set, answers that flip."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from sms_credit_exporter.simulator.behaviour import Act, Canned, NoAnswer
from sms_credit_exporter.simulator.payloads import payload
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator
from tests.conftest import ROOT
from tests.exporter.running import LISTEN, PATIENCE, Providers, Running, running, until
from tests.faults.driving import clock_steps
from tests.faults.machine import MACHINE

PROVIDER = "23telecom"
ACCOUNT = f'account="a",provider="{PROVIDER}"'
IN_EUROS = f'account="a",currency="EUR",provider="{PROVIDER}"'

WITH_ANOTHER_CLOCK = """
import sys, time
from pathlib import Path
told = time.time
time.time = lambda: told() + float(Path("step").read_text())
from sms_credit_exporter import cli
sys.exit(cli.main())
"""
"""The exporter on a machine whose clock somebody sets: the file `step` holds by how many seconds it is wrong."""


EXPORTER = ("-m", "sms_credit_exporter")


@asynccontextmanager
async def watched(folder: Path, *program: str, **env: str) -> AsyncIterator[tuple[Running, SimulatedAccount]]:
    """Run an exporter with one account that is polled every second."""
    simulator = Simulator()
    async with simulator.serving() as base_urls, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        providers = Providers(simulator, base_urls)
        account = providers.add(PROVIDER)
        file = folder / "config.yml"
        file.write_text(json.dumps({"accounts": [providers.configured("a", account)]}))
        arguments = ("serve", f"--config.file={file}", LISTEN)
        async with running(
            http, *arguments, cwd=folder, env=env, program=program or ("-m", "sms_credit_exporter")
        ) as it:
            yield it, account


def set_clock(folder: Path, step: float) -> None:
    """Have the clock be wrong by so many seconds from now on."""
    (folder / "new").write_text(str(step))
    (folder / "new").rename(folder / "step")


CLOCKS = clock_steps(before=1.5)


async def test_a_clock_that_is_set_neither_hurries_nor_stops_a_poll_and_invents_nothing(tmp_path: Path) -> None:
    """Ahead, back and over both days of daylight saving; the balance stands, nothing is spent, nothing is logged."""
    set_clock(tmp_path, 0)
    async with watched(tmp_path, "-c", WITH_ANOTHER_CLOCK, TZ="Europe/Berlin") as (exporter, account):
        await exporter.logged("status changed")
        lines = len(exporter.log)
        for step in CLOCKS.values():
            set_clock(tmp_path, step())
            before, began = len(account.requests), time.monotonic()

            async def three_more(before: int = before) -> bool:
                return len(account.requests) >= before + 3

            await until(three_more)
            assert time.monotonic() - began > 1.5  # one that was under way, and two that waited
            await exporter.shows(
                f"sms_credit_balance{{{IN_EUROS}}} 1250.5",
                f'sms_credit_status{{{ACCOUNT},status="fresh"}} 1.0',
                f"sms_credit_spent_total{{{IN_EUROS}}} 0.0",
            )
        assert exporter.log[lines:] == []


WITHOUT_DESCRIPTORS = """
import os, sys, threading, time
from pathlib import Path
def take():
    taken = []
    while True:
        if Path("take").exists():
            try:
                while True:
                    taken.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                pass
        while taken and not os.path.exists("take"):
            os.close(taken.pop())
        time.sleep(0.02)
threading.Thread(target=take, daemon=True).start()
from sms_credit_exporter import cli
sys.exit(cli.main())
"""
"""The exporter with a neighbour in its own process that takes every descriptor while there is a file named `take`."""


async def test_without_a_descriptor_left_the_last_numbers_stand_and_the_next_free_one_ends_it(tmp_path: Path) -> None:
    """Nobody can be asked, which is nobody's fault but ours; whoever is connected is told so."""
    async with watched(tmp_path, "-c", WITHOUT_DESCRIPTORS) as (exporter, account):
        await exporter.shows(f'sms_credit_status{{{ACCOUNT},status="fresh"}} 1.0')
        (tmp_path / "take").touch()
        await exporter.shows(
            f'sms_credit_status{{{ACCOUNT},status="unreachable"}} 1.0', f"sms_credit_balance{{{IN_EUROS}}} 1250.5"
        )
        asked = len(account.requests)
        await exporter.logged("unreachable")
        (tmp_path / "take").unlink()
        await exporter.shows(
            f'sms_credit_status{{{ACCOUNT},status="fresh"}} 1.0', f"sms_credit_balance{{{IN_EUROS}}} 1250.5"
        )
        assert len(account.requests) > asked
    changes = [found[1] for line in exporter.log if (found := re.search(r'"status changed".* status=(\w+)', line))]
    assert changes == ["fresh", "unreachable", "fresh"]
    assert exporter.matching("level=(warning|error)|Traceback") == []


FLIPPING: tuple[Act, ...] = (
    Canned("healthy"),
    Canned("error_503_html"),
    Canned("body_html"),
    Canned("healthy"),
    Canned("unavailable_flag_only"),
    NoAnswer.CUT,
    NoAnswer.CUT,  # the second attempt of the same poll
    Canned("onboarding"),
)


async def test_answers_that_flip_are_one_line_each_and_never_a_wrong_number(tmp_path: Path) -> None:
    """From poll to poll another answer, three rounds of them; the balance is the good one, or there is none."""
    acts = cycle(FLIPPING)
    async with watched(tmp_path) as (exporter, account):
        account.answer_with(lambda _seconds: next(acts))
        expected = [_status_of(act) for act in FLIPPING if act is not NoAnswer.CUT]
        expected.insert(5, "unreachable")
        shown: set[str] = set()

        for rounds in (1, 2, 3):

            async def done(rounds: int = rounds) -> bool:
                shown.update(line for line in await exporter.metrics() if line.startswith("sms_credit_balance{"))
                return len(exporter.matching("status changed")) > rounds * len(expected)

            await until(done)
        said = [found[1] for line in exporter.log if (found := re.search(r'"status changed".* status=(\w+)', line))]
        first = said.index("provider_error") - 1
        assert _repeats(said[first:], expected)
        assert shown == {f"sms_credit_balance{{{IN_EUROS}}} 1250.5"}


def _status_of(act: Act) -> str:
    assert isinstance(act, Canned)
    return str(payload(PROVIDER, act.payload).outcome["status"])


def _repeats(said: list[str], expected: list[str]) -> bool:
    rounds: Iterator[str] = cycle(expected)
    return all(word == next(rounds) for word in said)


@pytest.mark.parametrize("proof", sorted({proof for row in MACHINE for proof in row.proofs}))
def test_what_the_page_says_of_the_machine_has_its_test(proof: str) -> None:
    """These faults have tests of their own, among those of whatever they strike."""
    file, _, name = proof.partition("::")
    assert f"def {name}(" in (ROOT / "tests" / file).read_text()
