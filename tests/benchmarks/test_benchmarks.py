"""`scripts/benchmark` in short: every figure is there, and nothing fails. What they come to depends on the machine."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.__main__ import BENCHMARKS, main
from tests.benchmarks.figures import Row, as_markdown, as_text, p99
from tests.benchmarks.processes import Answers
from tests.benchmarks.short import PATIENCE, benchmark
from tests.benchmarks.waits import longest
from tests.conftest import ROOT
from tests.exporter.running import DEBIAN_TESTING, NGINX

Rows = Mapping[str, Mapping[str, Any]]
Tool = Callable[[str], str]


def failing(rows: Rows) -> dict[str, float]:
    """Return how often something failed that must not fail once."""
    return {name: row["value"] for name, row in rows.items() if row["limit"] == 0 and row["value"]}


def missing(rows: Rows) -> list[str]:
    """Return the rows without a figure."""
    return [name for name, row in rows.items() if row["value"] is None]


@pytest.mark.timeout(240)
async def test_the_targets_are_held_against_every_peer(tool: Tool) -> None:
    """For three accounts each target has its figure, and each peer its ratio."""
    for peer in (NGINX, "prometheus-pushgateway"):
        tool(peer)
    rows = await benchmark("targets", "--accounts=3", "--poll-interval=20", "--seconds=2", "--repetitions=1")
    assert missing(rows) == []
    assert failing(rows) == {}
    for form in ("plain", "gzip"):
        for peer in ("nginx", "Pushgateway", "prometheus-client"):
            ours, others = (
                rows[name]["value"] for name in (f"scrape, {form}: median", f"scrape, {form}: median, {peer}")
            )
            assert rows[f"scrape, {form}: median, {peer}"]["ratio"] == pytest.approx(ours / others)
    measured = {name.partition(":")[0].partition(",")[0] for name, row in rows.items() if row["limit"] is not None}
    assert measured == {
        "cold start to first scrape",
        "scrape",
        "longest wait beside a scrape",
        "wait while only polls go on",
        "status page",
        "JSON of the accounts",
        "CPU for polling",
        "polls that failed",
        "poll behind schedule",
        "resident memory",
    }


SHORT = {
    "growth": ["--accounts=20", "--poll-interval=8"],
    "stop": ["--accounts=20", "--poll-interval=2", "--stop=2"],
    "shards": ["--accounts=50", "--poll-interval=5", "--evaluations=1"],
}


@pytest.mark.parametrize("name", SHORT)
async def test_the_others_fail_nothing(tool: Tool, name: str) -> None:
    """Those of the crowd and of the rules have tests where they belong."""
    rows = await benchmark(name, "--seconds=2", f"--prometheus={tool(DEBIAN_TESTING)}", *SHORT[name])
    assert [each for each in missing(rows) if "behind schedule" not in each] == []  # too short to tell
    assert failing(rows) == {}


async def test_what_is_stopped_leaves_nothing_running(tmp_path: Path) -> None:
    """Neither exporters nor providers, nor a folder."""
    command = (sys.executable, "-m", "tests.benchmarks", "polls", "--accounts=3")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=asyncio.subprocess.DEVNULL
    )

    def running() -> list[str]:
        """Return the processes that were given a path below this folder."""
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                found += [file.parent.name] if str(tmp_path).encode() in file.read_bytes() else []
        return found

    async with asyncio.timeout(PATIENCE):
        while len(running()) < 2:
            await asyncio.sleep(0.1)
    process.terminate()
    assert await process.wait() == 1
    assert running() == []
    assert [*tmp_path.iterdir()] == []


def test_the_command_alone_tells_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Each benchmark has a line, by which a person chooses."""
    assert main([]) == 0
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert set(BENCHMARKS) < set(told)
    assert all(told[name] == (module.__doc__ or "").splitlines()[0] for name, module in BENCHMARKS.items())


def test_a_table_tells_what_is_met() -> None:
    """A peer that is not installed is told of, and so is what could not be measured."""
    rows = [
        Row(name="scrape", value=3.0, unit="ms", limit=2.0),
        Row(name="scrape", peer="nginx", value=1.5, unit="ms", ratio=2.0),
        Row(name="scrape", peer="Pushgateway", value=None, unit="ms"),
        Row(name="start", value=0.5, unit="s", limit=3.0),
        Row(name="late", value=None, unit="s", limit=1.0),
        Row(name="samples", value=276678.0),
    ]
    assert as_text({3: rows}).splitlines() == [
        "3 accounts            figure  ratio  target",
        "scrape                  3 ms            ≤ 2  missed",
        "… nginx               1.5 ms    2 \N{MULTIPLICATION SIGN}",
        "… Pushgateway  not installed",
        "start                  0.5 s            ≤ 3     met",
        "late                       \N{EN DASH}            ≤ 1",
        "samples              276,678",
    ]


def test_several_numbers_of_accounts_stand_side_by_side() -> None:
    """What grows is read from left to right."""
    results = {accounts: [Row(name="scrape", value=accounts / 1000, unit="ms")] for accounts in (100, 1000, 10_000)}
    assert as_text(results).splitlines() == [
        "accounts     100  1,000  10,000",
        "scrape    0.1 ms   1 ms   10 ms",
    ]
    assert as_markdown(results).splitlines() == [
        "| accounts | 100 | 1,000 | 10,000 |",
        "| --- | ---: | ---: | ---: |",
        "| scrape | 0.1 ms | 1 ms | 10 ms |",
    ]


@pytest.mark.parametrize(
    ("healths", "waits"),
    [
        pytest.param([(0.0, 2.5), (2.5, 7.5)], [5000.0], id="the longest of those beside it"),
        pytest.param([(0.0, 0.5), (4.0, 4.25), (4.25, 9.0)], [250.0], id="the next one, where nobody asked beside it"),
        pytest.param([(0.0, 0.5)], [], id="nothing, where nobody asked any more"),
    ],
)
def test_a_wait_beside_a_scrape(healths: list[tuple[float, float]], waits: list[float]) -> None:
    """A scrape that is over in a moment still leaves its mark on whoever asks next."""
    asked = Answers([(begun, last, last) for begun, last in healths])
    assert longest(asked, Answers([(2.0, 3.0, 3.0)])) == waits


@pytest.mark.parametrize(("count", "value"), [(1, 1), (99, 99), (100, 99), (200, 198), (1000, 990)])
def test_ninety_nine_of_a_hundred_are_within(count: int, value: int) -> None:
    """Of fewer than a hundred values it is the largest."""
    assert p99([*map(float, range(1, count + 1))]) == value
