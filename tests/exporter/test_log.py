"""The log as it arrives on standard error: one event a line, whoever logs it."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache

import pytest

SET_UP = """
import logging, sys
import structlog
from sms_credit_exporter import log

log.set_up(sys.argv[1], sys.argv[2])
own = structlog.stdlib.get_logger()
"""

EVERYTHING = """
own.debug("made up")
own.info("made up", account="marketing", number=5, amount=1.5, nothing=None, flag=True, empty="")
own.warning("made up", quoted='say "hi"', path="C:\\\\made up", pair="a=b", letters="Müşteri ok")
own.error("made up", lines="one\\ntwo", spaced="one \\n two")
own.error("made\\nup")
try:
    raise ValueError("made\\nup")
except ValueError:
    own.exception("failed")

for name in ("asyncio", "aiohttp.server", "made.up"):
    foreign = logging.getLogger(name)
    foreign.debug("foreign %s at debug", name)
    foreign.info("foreign %s at info", name)
    foreign.warning("foreign %s\\nat warning", name)
    try:
        raise ValueError("made\\nup")
    except ValueError:
        foreign.exception("foreign %s failed", name)

for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection"):
    chatty = logging.getLogger(name)
    chatty.debug("GET https://made-up-password@example.com")
    chatty.info("GET https://made-up-password@example.com")
    chatty.warning("warning of %s", name)
    chatty.error("error of %s", name)
"""
"""Logs at every level, from the exporter's own logger and from those of libraries."""

LOGFMT = re.compile(r'([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s="]*)(?: |$)')
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

CARRIAGE_RETURNS = r"""
own.info("one\r\ntwo", lines="one\r\ntwo\rthree")
logging.getLogger("asyncio").warning("one\r\ntwo")
"""

LEVELS = ("debug", "info", "warning", "error")
CHATTY = ("httpx", "httpcore", "httpcore.http11", "httpcore.connection")


@cache
def output(level: str, renderer: str, program: str = EVERYTHING) -> str:
    """Return what a program writes to standard error."""
    done = subprocess.run([sys.executable, "-c", SET_UP + program, level, renderer], capture_output=True, check=True)
    assert done.stdout == b""
    return done.stderr.decode()


def from_logfmt(line: str) -> dict[str, object]:
    """Return the pairs of a line."""
    assert "".join(match[0] for match in LOGFMT.finditer(line)) == line
    return {key: value.removeprefix('"').removesuffix('"') for key, value in LOGFMT.findall(line)}


READ: Mapping[str, Callable[[str], dict[str, object]]] = {"logfmt": from_logfmt, "json": json.loads}
"""How a line is read, by what it was written as."""


def events(level: str, renderer: str) -> list[dict[str, object]]:
    """Return the events of the output, one for each line."""
    return [READ[renderer](line) for line in output(level, renderer).removesuffix("\n").split("\n")]


each_format = pytest.mark.parametrize("renderer", ["logfmt", "json"])
each_level = pytest.mark.parametrize("level", ["debug", "info", "warn", "error"])


def test_logfmt_as_a_person_reads_it() -> None:
    """Time, level and event first, then what else is known in the order in which it was given."""
    lines = [TIME.sub("TIME", line) for line in output("debug", "logfmt").split("\n")]
    assert lines[:3] == [
        'ts=TIME level=debug event="made up"',
        'ts=TIME level=info event="made up" account=marketing number=5 amount=1.5 nothing= flag=true empty=',
        r'ts=TIME level=warning event="made up" quoted="say \"hi\"" path="C:\\made up" pair="a=b" letters="Müşteri ok"',
    ]


def test_json_as_a_machine_reads_it() -> None:
    """Every value keeps its type."""
    first, second, third, fourth = events("debug", "json")[:4]
    assert TIME.fullmatch(str(first.pop("ts")))
    assert first == {"level": "debug", "event": "made up"}
    assert {**second, "ts": ""} == {
        "ts": "",
        "level": "info",
        "event": "made up",
        "account": "marketing",
        "number": 5,
        "amount": 1.5,
        "nothing": None,
        "flag": True,
        "empty": "",
    }
    assert (third["quoted"], third["letters"]) == ('say "hi"', "Müşteri ok")
    assert (fourth["lines"], fourth["spaced"]) == ("one\ntwo", "one \n two")


@each_format
def test_every_event_is_one_line(renderer: str) -> None:
    """Also an exception with its traceback, and values with line breaks: what reads the log reads lines."""
    assert output("debug", renderer).endswith("\n")
    assert len(events("debug", renderer)) == 6 + 3 * 4 + 4 * 2


@each_format
def test_a_carriage_return_is_written_out(renderer: str) -> None:
    """On a terminal, a carriage return would hide what precedes it; many readers take it for the end of a line."""
    text = output("info", renderer, CARRIAGE_RETURNS)
    assert "\r" not in text
    assert text.count("\n") == 2


@each_format
def test_every_event_has_time_level_and_event(renderer: str) -> None:
    """The time is in UTC, and the level is one of four words."""
    for event in events("debug", renderer):
        assert TIME.fullmatch(str(event["ts"]))
        assert event["level"] in LEVELS
        assert event["event"]


@each_format
def test_an_exception_brings_its_traceback(renderer: str) -> None:
    """The traceback is one field, whoever logs it."""
    failed = [event for event in events("info", renderer) if "failed" in str(event["event"])]
    assert len(failed) == 4
    assert all(event["level"] == "error" for event in failed)
    assert all(str(event["exception"]).startswith("Traceback (most recent call last):") for event in failed)
    assert all("ValueError: made" in str(event["exception"]) for event in failed)


@each_format
@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        pytest.param("debug", {"debug", "info", "warning", "error"}, id="debug"),
        pytest.param("info", {"info", "warning", "error"}, id="info"),
        pytest.param("warn", {"warning", "error"}, id="warn"),
        pytest.param("error", {"error"}, id="error"),
    ],
)
def test_the_level_holds_for_everybody(renderer: str, level: str, allowed: set[str]) -> None:
    """Events below the level are not logged, those at or above it are, from the exporter and libraries alike."""
    assert {event["level"] for event in events(level, renderer)} == allowed


@each_format
@pytest.mark.parametrize("name", ["asyncio", "aiohttp.server", "made.up"])
def test_libraries_log_in_the_same_format(renderer: str, name: str) -> None:
    """Their messages are filled in, and read like the exporter's own."""
    logged = [(event["level"], event["event"]) for event in events("debug", renderer) if name in str(event["event"])]
    line_break = {"logfmt": r"\n", "json": "\n"}[renderer]
    assert logged == [
        ("debug", f"foreign {name} at debug"),
        ("info", f"foreign {name} at info"),
        ("warning", f"foreign {name}{line_break}at warning"),
        ("error", f"foreign {name} failed"),
    ]


@each_format
@each_level
def test_the_http_library_never_logs_a_request(renderer: str, level: str) -> None:
    """Its URLs and headers can hold credentials; its warnings and errors are its own business and stay."""
    assert "made-up-password" not in output(level, renderer)
    assert all(f"error of {name}" in output(level, renderer) for name in CHATTY)


FLOOD = r"""
for number in range(int(sys.argv[3])):
    own.info("made up", number=number)
print("all said", flush=True)
sys.stdin.readline()
own.error("last words")
"""


def flooded(lines: int, *, read: bool) -> tuple[float, list[str]]:
    """Log many lines to a pipe that is read only afterwards; return how long the process took to end, and the lines."""
    process = subprocess.Popen(
        [sys.executable, "-c", SET_UP + FLOOD, "info", "logfmt", str(lines)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"all said\n"
        begun = time.monotonic()
        process.stdin.close()
        if not read:
            process.wait(timeout=20)
        log = process.stderr.read().decode()
        process.wait(timeout=20)
        took = time.monotonic() - begun
    assert process.returncode == 0
    return took, log.splitlines()


def test_a_log_that_is_read_late_is_whole() -> None:
    """Nothing is lost of more lines than a pipe holds, nor of the last ones before the end."""
    _, lines = flooded(5000, read=True)
    assert [line.partition("number=")[2] for line in lines[:-1]] == [str(number) for number in range(5000)]
    assert lines[-1].endswith('level=error event="last words"')


def test_what_there_was_no_room_for_is_counted() -> None:
    """The lines left out are consecutive, and the log says how many they are."""
    _, lines = flooded(50_000, read=True)
    numbers = [int(match[1]) for line in lines if (match := re.search("number=(.*)", line))]
    told = [int(match[1]) for line in lines if (match := re.search("left out.* lines=(.*)", line))]
    assert numbers == list(range(len(numbers)))
    assert sum(told) in {50_000 - len(numbers), 50_001 - len(numbers)}  # perhaps with the last words
    assert len(numbers) >= 10_000


def test_a_log_that_is_never_read_does_not_delay_the_end_for_long() -> None:
    """The process ends, and what the pipe could hold is there to read."""
    took, lines = flooded(50_000, read=False)
    assert took < 10
    assert lines
    assert "number=0" in lines[0]
