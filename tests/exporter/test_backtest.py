"""The `backtest` command: what a recorded history comes to, and what is wrong with a file."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms_credit_core import Limit, NoReading
from sms_credit_core.answer import Fields
from sms_credit_exporter.backtest import WARNINGS
from sms_credit_exporter.cli import main
from sms_credit_exporter.history import ALIASES, READERS
from tests.conftest import ROOT
from tests.documentation import named, rows
from tests.exporter.running import PATIENCE, command

HEAD = "time,balance,quota,currency\n"
HISTORIES = Path(__file__).parent / "histories"
DRAINED_OVERNIGHT = HISTORIES / "drained-overnight.csv"


def replay(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> tuple[int, str, str]:
    """Run the command on a file; returns its exit code and what it printed."""
    file = tmp_path / "history.csv"
    file.write_text(text, encoding="utf-8", newline="")
    code = main(["backtest", str(file), *options])
    out, err = capsys.readouterr()
    return code, out, err.replace(f"{file}", "history.csv")


def found(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> dict[str, Any]:
    """Return what the command prints as JSON."""
    code, out, err = replay(tmp_path, capsys, text, "--json", *options)
    assert (code, err) == (0, "")
    whole: dict[str, Any] = json.loads(out)
    return whole


def shell(script: str, *arguments: str, folder: Path | None = None) -> tuple[str, str]:
    """Run a script where the documentation's commands work; a folder's programs come first."""
    places = [str(folder or ""), str(Path(sys.executable).parent), os.environ["PATH"]]
    done = subprocess.run(
        ["bash", "-c", script, "bash", *arguments],  # noqa: S607 - whichever bash there is
        cwd=ROOT,
        env={**os.environ, "PATH": ":".join(filter(None, places))},
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    return done.stdout, done.stderr


# ------------------------------------------------------------------------------------------- what it comes to


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        pytest.param(f"{HEAD}0,10,,EUR\n300,9.5,,EUR\n", ("0.5", "0", "EUR"), id="money"),
        pytest.param("time,balance\n0,10\n300,60\n600,58\n", ("2", "50", None), id="no currency, and a top-up"),
        pytest.param(f"{HEAD}0,0,500,TRY\n300,0,420,TRY\n", ("80", "0", None), id="messages"),
        pytest.param(
            "balance,other,time\n10,x,0\n\n9,y,300\n", ("1", "0", None), id="columns in another order, and more"
        ),
        pytest.param(
            "time,balance,state,value\n0,10,on,7\n300,8,off,7\n", ("2", "0", None), id="a balance beside other values"
        ),
        pytest.param("time,balance,\n0,10,\n300,8,\n", ("2", "0", None), id="an empty column without a name"),
        pytest.param("time,balance\n0,10\n300,9\n300,8\n", ("2", "0", None), id="two readings at one time"),
    ],
)
def test_what_was_spent_and_topped_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sums: tuple[str, str, str | None]
) -> None:
    """To the last digit."""
    whole = found(tmp_path, capsys, text)
    assert (whole["spent"], whole["topped_up"], whole["currency"]) == sums


@pytest.mark.parametrize(
    ("name", "sums"),
    [
        pytest.param("home-assistant", ("2.00", "0", None), id="Home Assistant"),
        pytest.param("prometheus", ("0.25", "20.00", "EUR"), id="Prometheus"),
        pytest.param("grafana", ("1.915999999999999", "0", None), id="Grafana, one series"),
        pytest.param("grafana-table", ("0.5", "0", "EUR"), id="Grafana, a table"),
        pytest.param("spreadsheet", ("3", "0", None), id="a spreadsheet"),
        pytest.param("messages", ("81", "0", None), id="an account that pays with messages"),
    ],
)
def test_what_other_programs_export_is_read(
    capsys: pytest.CaptureFixture[str], name: str, sums: tuple[str, str, str | None]
) -> None:
    """As it is."""
    assert main(["backtest", "--json", str(HISTORIES / f"{name}.csv")]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert (whole["spent"], whole["topped_up"], whole["currency"]) == sums


def test_every_reading_has_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not known is null; the time is as it was given; a poll without a reading has none."""
    text = f"{HEAD}1760000000,10,,EUR\n1760000300,,,\n1760000600,0,,EUR\n"
    assert found(tmp_path, capsys, text, "--low-balance=5") == {
        "readings": [
            {
                "time": 1760000000,
                "spent": "0",
                "topped_up": "0",
                "runway_seconds": None,
                "unusual": None,
                "low": False,
            },
            {"time": 1760000600, "spent": "10", "topped_up": "0", "runway_seconds": 0.0, "unusual": None, "low": True},
        ],
        "spent": "10",
        "topped_up": "0",
        "currency": "EUR",
        "warnings": [
            {
                "time": 1760000600,
                "reason": "balance",
                "text": "The balance is low.",
                "seconds_before_empty": 0.0,
            }
        ],
    }


@pytest.mark.parametrize(
    ("text", "time"),
    [
        pytest.param("0", 0, id="the beginning of Unix time"),
        pytest.param("1760000000.5", 1760000000.5, id="half a second"),
        pytest.param("1.76e9", 1.76e9, id="an exponent"),
        pytest.param("1760000000000", 1760000000000, id="milliseconds"),
        pytest.param(" 2025-10-09T08:53:20Z ", "2025-10-09T08:53:20Z", id="text, and spaces around it"),
        pytest.param("2025-10-09 11:53:20+03:00", "2025-10-09 11:53:20+03:00", id="another offset"),
    ],
)
def test_a_time_comes_back_as_it_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, time: str | float
) -> None:
    """A number stays one and text stays text; whichever it is, it is told in UTC."""
    [reading] = found(tmp_path, capsys, f"time,balance\n{text},5\n")["readings"]
    assert (reading["time"], type(reading["time"])) == (time, type(time))
    assert replay(tmp_path, capsys, f"time,balance\n{text},5\n")[1].startswith(
        "1 reading from 1970-01-01 00:00 UTC" if time == 0 else "1 reading from 2025-10-09 08:53 UTC"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("time,balance\n", "0 polls, and not one reading.", id="no row"),
        pytest.param("time,balance\n0,\n", "1 poll, and not one reading.", id="one poll"),
        pytest.param("time,balance\n0,\n1,\n", "2 polls, and not one reading.", id="two polls"),
        pytest.param(
            "time,balance\n0,5\n",
            "1 reading from 1970-01-01 00:00 UTC to 1970-01-01 00:00 UTC.",
            id="one reading",
        ),
        pytest.param(f"{HEAD}0,0,5,\n9,0,4,\n", "Spent 1 message, topped up 0 messages.", id="one message"),
        pytest.param("time,balance\n0,5\n9,0\n", "At the end, nothing is left.", id="used up"),
        pytest.param("time,balance\n0,5\n9,4\n", "It would not have warned. Limits: none.", id="no limits"),
    ],
)
def test_a_summary_is_plain_english(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, line: str) -> None:
    """One of a thing is not many."""
    assert line in replay(tmp_path, capsys, text)[1].splitlines()


DRAINED = "time,balance,currency\n" + "".join(f"{hour * 3600},{1000 - hour},EUR\n" for hour in range(1001))


def test_a_warning_says_how_long_before_the_credit_was_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An account that spends one in each hour is low at a hundred, a hundred hours before its end."""
    whole = found(tmp_path, capsys, DRAINED, "--low-balance=100", "--low-runway=3d")
    before = {warning["reason"]: warning["seconds_before_empty"] / 3600 for warning in whole["warnings"]}
    assert before["balance"] == 100
    assert 72 <= before["runway"] <= 90
    code, out, _ = replay(tmp_path, capsys, DRAINED, "--low-balance=100")
    assert code == 0
    assert "The balance is low; gone 4 days later." in out
    code, out, _ = replay(tmp_path, capsys, DRAINED)
    assert "It would not have warned. Limits: none." in out


def test_each_kind_of_warning_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An attack is unusual before anything is low; messages have a limit of their own."""
    limits = ("--low-balance=100", "--low-runway=2d")
    assert main(["backtest", "--json", str(DRAINED_OVERNIGHT), *limits]) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert [warning["reason"] for warning in warnings] == ["unusual", "runway", "balance"]
    assert [warning["seconds_before_empty"] / 3600 for warning in warnings] == [13.5, 11.0, 2.5]
    [quota] = found(tmp_path, capsys, f"{HEAD}0,0,9,\n60,0,5,\n90,0,0,\n", "--low-quota=5")["warnings"]
    assert (quota["reason"], quota["seconds_before_empty"]) == ("quota", 30.0)
    assert {warning["reason"] for warning in (*warnings, quota)} == {*Limit, "unusual"}


@pytest.mark.parametrize(
    ("rows_after", "before"),
    [
        pytest.param("60,4,EUR\n120,0,EUR\n", [60.0], id="it is gone later"),
        pytest.param("60,0,EUR\n", [0.0], id="it is gone at once"),
        pytest.param("60,4,EUR\n120,3,EUR\n", [None], id="it is never gone"),
        pytest.param("60,4,EUR\n120,50,EUR\n180,0,EUR\n", [None, 0.0], id="it is topped up in between"),
        pytest.param("60,4,EUR\n120,0,USD\n", [None], id="it is another currency that is gone"),
    ],
)
def test_gone_is_the_credit_that_was_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows_after: str, before: list[float | None]
) -> None:
    """What comes after a top-up, or in another currency, is other credit."""
    whole = found(tmp_path, capsys, f"time,balance,currency\n0,10,EUR\n{rows_after}", "--low-balance=5")
    assert [warning["seconds_before_empty"] for warning in whole["warnings"]] == before


# ------------------------------------------------------------------------------------------- mistakes

NO_OFFSET = "which has no offset such as Z or +03:00; in Grafana, switch off “Formatted data”"
NO_TIME = "must be ISO 8601 such as 2026-11-25T10:00:00Z, or Unix seconds"
NO_HEADER = "a header such as time,balance,quota,currency is needed"


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        pytest.param(
            "time,balance\n2026-01-01T00:00:00,5\n7,abc\n5,1\n3,1\n",
            f"history.csv:2: time: found “2026-01-01T00:00:00”, {NO_OFFSET}\n"
            "history.csv:3: balance: found “abc”; must be a number such as 12.50\n"
            "history.csv:5: time: is earlier than that of the row before\n",
            id="several at once",
        ),
        pytest.param(
            f"{HEAD}0,1,1.5,EURO\n",
            "history.csv:2: quota: found “1.5”; must be a whole number\n"
            "history.csv:2: currency: found “EURO”; must be three letters such as EUR\n",
            id="two in one row",
        ),
        pytest.param(
            "time;balance\n0;1\n",
            f"history.csv:1: has no column time and no column balance; {NO_HEADER}\n",
            id="no commas",
        ),
        pytest.param("", f"history.csv:1: has no column time and no column balance; {NO_HEADER}\n", id="nothing"),
        pytest.param("time,quota\n0,5\n", f"history.csv:1: has no column balance; {NO_HEADER}\n", id="no balance"),
        pytest.param(
            "time,state,value\n0,5,6\n", "history.csv:1: has two columns for the balance\n", id="two balances"
        ),
        pytest.param("time,balance\n,5\n", f"history.csv:2: time: found “”; {NO_TIME}\n", id="no time"),
        pytest.param("time,balance\n0060,5\n", f"history.csv:2: time: found “0060”; {NO_TIME}\n", id="leading zeros"),
        pytest.param("time,balance\n+60,5\n", f"history.csv:2: time: found “+60”; {NO_TIME}\n", id="a plus sign"),
        pytest.param(
            "time,balance\n-1,5\n",
            "history.csv:2: time: found “-1”, which lies before 1970 or after 9999\n",
            id="before Unix time",
        ),
        pytest.param(
            "time,balance\n1e99,5\n",
            "history.csv:2: time: found “1e99”, which lies before 1970 or after 9999\n",
            id="a time without end",
        ),
        pytest.param(
            "time,balance\n0,1,234.50\n",
            "history.csv:2: has 3 values where the header has 2\n",
            id="a row longer than the header",
        ),
        pytest.param(
            f"{HEAD}0,10\n", "history.csv:2: has 2 values where the header has 4\n", id="a row shorter than the header"
        ),
        pytest.param("time,balance\n0\n", "history.csv:2: has 1 value where the header has 2\n", id="a single value"),
        pytest.param(
            "time,balance,\n0,1,234.50\n",
            "history.csv:2: found “234.50” in a column without a name\n",
            id="a value in a column without a name",
        ),
        pytest.param(
            "time,balance\n0,5 \x1b[31m€\n",
            "history.csv:2: balance: found “5 �[31m€”; must be a number such as 12.50\n",
            id="what would colour a terminal",
        ),
        pytest.param(
            'time,balance\n0,"5\n', "history.csv:2: is not CSV: unexpected end of data\n", id="an open quotation"
        ),
    ],
)
def test_mistakes_are_told_with_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, mistakes: str
) -> None:
    """All of them at once, and nothing is replayed."""
    for options in ((), ("--json",)):
        assert replay(tmp_path, capsys, text, *options) == (1, "", mistakes)
    assert replay(tmp_path, capsys, "time,balance\n0,5\n")[0] == 0


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        pytest.param(
            "home-assistant-two-entities",
            ":4: entity_id: found “sensor.otp_balance” after “sensor.marketing_balance”; leave one in the file",
            id="two entities of Home Assistant",
        ),
        pytest.param(
            "prometheus-two-accounts",
            ":4: account: found “marketing” after “otp”; leave one in the file",
            id="two accounts",
        ),
        pytest.param("grafana-formatted", f":2: time: found “2025-10-09 11:33:20”, {NO_OFFSET}", id="formatted times"),
        pytest.param(
            "grafana-formatted", ":2: balance: found “12.50 €”; must be a number such as 12.50", id="formatted amounts"
        ),
        pytest.param(
            "grafana-for-excel", f":1: has no column time and no column balance; {NO_HEADER}", id="a download for Excel"
        ),
        pytest.param("grafana-without-legend", f":1: has no column balance; {NO_HEADER}", id="a series without a name"),
        pytest.param(
            "thousands-separators", ":2: has 3 values where the header has 2", id="commas between the thousands"
        ),
        pytest.param("decimal-commas", ":2: has 3 values where the header has 2", id="a comma before the decimals"),
    ],
)
def test_an_export_that_is_not_certain_is_refused(capsys: pytest.CaptureFixture[str], name: str, mistake: str) -> None:
    """In words that say what to do: a wrong number would be worse than none."""
    file = HISTORIES / f"{name}.csv"
    assert main(["backtest", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{file}{mistake}" in err.splitlines()


NUMBERS = [
    "0", "-0", "-0.5", "12.50", "1e3", "1E-2", "9999999999999999", "10000000000000000", "1e15", "1e16", "1e99",
    "1e-64", "1e-65", "1e999999999999999999999", "1" * 40, "0." + "1" * 28, "0." + "1" * 29, "007", "+5", ".5", "5.",
    "0x10", "1_000", "١٢", "Infinity", "--5", "1e", "true", "5 5",
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_a_row_refuses_what_an_answer_would(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """A number is one in a file if it is one in a provider's answer, and it is the same."""
    try:
        amount = Fields.of(b'{"balance": %s}' % text.encode()).number("balance")
    except NoReading:
        code, out, err = replay(tmp_path, capsys, f"time,balance\n0,{text}\n")
        assert (code, out) == (1, "")
        assert err.startswith("history.csv:2: balance: found “")
    else:
        whole = found(tmp_path, capsys, f"time,balance\n0,{text}\n1,0\n")
        assert Decimal(whole["spent"]) - Decimal(whole["topped_up"]) == amount


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        pytest.param(None, "No such file or directory", id="there is none"),
        pytest.param(b"time,balance\n0,\xff\n", "is not UTF-8", id="other letters"),
        pytest.param("time,balance\n".encode("utf-16"), "is not UTF-8", id="UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, mistake: str
) -> None:
    """It is a mistake like any other."""
    file = tmp_path / "none.csv"
    if content is not None:
        file.write_bytes(content)
    assert main(["backtest", str(file)]) == 1
    assert capsys.readouterr().err == f"{file}: {mistake}\n"
    file.write_text("time,balance\n0,5\n")
    assert main(["backtest", str(file)]) == 0


CELLS = st.one_of(
    st.sampled_from(
        ["", "0", "60", "0060", "+60", "1e9", "1760000000000", "12.50", "-3", "nan", "1e99", "EUR", '"', "\0"]
    ),
    st.sampled_from(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01"]),
    st.decimals(-1000, 1000, places=2).map(str),
    st.text(max_size=8),
)
HEADERS = st.lists(st.sampled_from(["time", "balance", "quota", "currency", "state", "entity_id", "", "x"]), max_size=5)
FILES = st.one_of(
    st.text(),
    st.tuples(HEADERS, st.lists(st.lists(CELLS, max_size=5), max_size=5)).map(
        lambda table: "\n".join(",".join(cells) for cells in ([*table[0], "time", "balance"], *table[1]))
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(FILES, st.lists(st.sampled_from(["--json", "--low-balance=5", "--low-quota=5", "--low-runway=1d"]), unique=True))
def test_any_text_is_replayed_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, options: list[str]
) -> None:
    """There is never a traceback: what is wrong is told, and otherwise there is something to read."""
    code, out, err = replay(tmp_path, capsys, text, *options)
    assert (code, bool(out), bool(err)) in {(0, True, False), (1, False, True)}
    assert all(line.startswith("history.csv") for line in err.splitlines())
    if code == 0 and "--json" in options:
        assert json.loads(out)["readings"] is not None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.decimals(-1000, 1000, places=3)), min_size=1, max_size=30))
def test_spent_less_topped_up_is_the_fall(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], readings: list[tuple[int, Decimal]]
) -> None:
    """Exactly, at every reading, and neither sum ever falls."""
    at, lines = 0, ["time,balance,currency"]
    for gap, amount in readings:
        at += gap
        lines.append(f"{at},{amount:f},EUR")
    sums = [
        (Decimal(each["spent"]), Decimal(each["topped_up"]))
        for each in found(tmp_path, capsys, "\n".join(lines))["readings"]
    ]
    assert [spent - topped_up for spent, topped_up in sums] == [readings[0][1] - amount for _, amount in readings]
    assert sums == sorted(sums) == sorted(sums, key=lambda each: each[::-1])


# ------------------------------------------------------------------------------------------- as a process


async def test_what_would_have_warned_ends_with_0(tmp_path: Path) -> None:
    """And so does what would not: that is an answer, and no mistake."""
    code, out, err = await command(
        "backtest", str(DRAINED_OVERNIGHT), "--low-balance=100", "--low-runway=2d", cwd=tmp_path
    )
    assert (code, err) == (0, "")
    assert "The account spends far faster than it ever has; gone 13 h later." in out
    assert "The credit will not last long; gone 11 h later." in out
    code, out, err = await command("backtest", "--json", str(HISTORIES / "prometheus.csv"), cwd=tmp_path)
    assert (code, json.loads(out)["warnings"], err) == (0, [], "")


async def test_a_hundred_mistakes_are_told(tmp_path: Path) -> None:
    """And how many more there are; the exit code is 1."""
    (tmp_path / "bad.csv").write_text("time,balance\n" + "yesterday,5\n" * 1203)
    code, out, err = await command("backtest", "bad.csv", cwd=tmp_path)
    *told, more = err.splitlines()
    assert (code, out, len(told), more) == (1, "", 100, "and 1,103 more")
    assert told[-1] == f"bad.csv:101: time: found “yesterday”; {NO_TIME}"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["--low-balance=x"], "--low-balance: found “x”; must be a number such as 12.50", id="no number"),
        pytest.param(["--low-balance="], "--low-balance: found “”; must be a number such as 12.50", id="nothing"),
        pytest.param(["--low-balance=nan"], "--low-balance: found “nan”; must be a number such as 12.50", id="NaN"),
        pytest.param(
            ["--low-balance=inf"], "--low-balance: found “inf”; must be a number such as 12.50", id="infinity"
        ),
        pytest.param(["--low-balance=-5"], "--low-balance: found “-5”; must be zero or above", id="below zero"),
        pytest.param(
            ["--low-balance=1e99"],
            "--low-balance: found “1e99”, which is too large or has too many digits",
            id="far too much",
        ),
        pytest.param(["--low-quota=1.5"], "--low-quota: found “1.5”; must be a whole number", id="half a message"),
        pytest.param(["--low-quota=-1"], "--low-quota: found “-1”; must be zero or above", id="messages below zero"),
        pytest.param(["--low-runway=3"], "--low-runway: “3” is no duration such as 12h or 3d", id="no unit"),
        pytest.param(["--low-runway="], "--low-runway: “” is no duration such as 12h or 3d", id="no duration"),
        pytest.param(["more.csv"], "unrecognized arguments: more.csv", id="two histories"),
    ],
)
def test_a_wrong_command_line_ends_with_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    """A limit that is none is told in the words of the file's mistakes."""
    history = str(HISTORIES / "prometheus.csv")
    with pytest.raises(SystemExit) as ended:
        main(["backtest", history, *arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.rstrip().endswith(sentence)
    assert main(["backtest", history, "--low-balance=0", "--low-quota=0", "--low-runway=12h"]) == 0


async def test_a_wrong_limit_as_a_process(tmp_path: Path) -> None:
    """The usage is shown and nothing is read."""
    code, out, err = await command("backtest", "nowhere.csv", "--low-balance=x", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.endswith("error: argument --low-balance: found “x”; must be a number such as 12.50\n")


def test_a_history_can_be_piped() -> None:
    """`-` is standard input, and a mistake names it."""
    script = '"$@" backtest - < %s; printf "time,balance\\n0\\n" | "$@" backtest -; "$@" backtest - <&-'
    out, err = shell(script % (HISTORIES / "spreadsheet.csv"), sys.executable, "-m", "sms_credit_exporter")
    assert out.startswith("2 readings")
    assert err.splitlines() == [
        "standard input:2: has 1 value where the header has 2",
        f"standard input:1: has no column time and no column balance; {NO_HEADER}",
    ]


def test_it_starts_no_web_server() -> None:
    """What other commands need is not even imported, so that the answer is there at once."""
    history = str(HISTORIES / "prometheus.csv")
    python = (sys.executable, "-X", "importtime", "-m", "sms_credit_exporter")
    _, err = shell('"$@"', *python, "backtest", history)
    imported = {line.rpartition("|")[2].strip() for line in err.splitlines()}
    assert "sms_credit_exporter.backtest" in imported
    assert not imported & {"aiohttp", "prometheus_client", "jinja2", "voluptuous", "yaml", "bcrypt"}


# ------------------------------------------------------------------------------------------- its documentation

DOCUMENTATION = ROOT / "docs/backtest.md"


def example(language: str) -> str:
    """Return the first block of code in a language."""
    _, _, below = DOCUMENTATION.read_text().partition(f"```{language}\n")
    return below.partition("```")[0]


def test_the_example_prints_what_is_told() -> None:
    """Each of its commands, to the letter."""
    commands = re.split(r"^\$ ", example("console"), flags=re.MULTILINE)[1:]
    assert len(commands) == 2
    for line, told in (each.split("\n", 1) for each in commands):
        assert shell(line) == (told, "")


PROMETHEUS = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [
            {
                "metric": {"__name__": "sms_credit_balance", "account": "otp", "currency": "EUR"},
                "values": [[1760000000, "120.5"], [1760000300, "99.75"]],
            }
        ],
    },
}


def test_what_prometheus_answers_can_be_piped(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """By the documented commands, with an answer of its API in place of a server's."""
    tool("jq")
    curl = tmp_path / "curl"
    curl.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(PROMETHEUS)}\nEND\n")
    curl.chmod(0o755)
    out, err = shell(example("sh"), folder=tmp_path)
    assert err == ""
    assert out.startswith("2 readings from 2025-10-09 08:53 UTC to 2025-10-09 08:58 UTC.\nSpent 20.75 EUR,")
    assert out.endswith("It would have warned. Limits: balance 100.\n2025-10-09 08:58 UTC  The balance is low.\n")


def test_every_warning_is_told() -> None:
    """With its reason."""
    told = {text: named(reason) for text, reason, _ in rows(DOCUMENTATION, "warning")}
    assert told == {text: [reason] for reason, text in WARNINGS.items()}


def test_every_column_is_told() -> None:
    """And the names that other exports give it."""
    told = {name for names, _ in rows(DOCUMENTATION, "column") for name in named(names)}
    assert told == {name for name in (*READERS, *ALIASES) if name}


def members(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    """Yield the path of each member; those of a list's objects once."""
    for name, member in value.items() if isinstance(value, dict) else ():
        yield path + name
        yield from members(member[0], f"{path}{name}[].") if isinstance(member, list) else members(member)


def test_every_member_of_the_json_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """In the order in which they are printed."""
    assert main(["backtest", "--json", str(DRAINED_OVERNIGHT)]) == 0
    told = [name for names, _ in rows(DOCUMENTATION, "member") for name in named(names)]
    assert told == list(members(json.loads(capsys.readouterr().out)))
