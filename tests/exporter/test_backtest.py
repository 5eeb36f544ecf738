"""The `backtest` command: what a recorded history comes to, and what is wrong with a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from sms_credit_exporter.cli import main

HEAD = "time,balance,quota,currency\n"


def replay(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> tuple[int, str, str]:
    """Run the command on a file; returns its exit code and what it printed."""
    file = tmp_path / "history.csv"
    file.write_text(text, encoding="utf-8")
    code = main(["backtest", str(file), *options])
    out, err = capsys.readouterr()
    return code, out, err.replace(f"{file}", "history.csv")


def found(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> dict[str, Any]:
    """Return what the command prints as JSON."""
    code, out, err = replay(tmp_path, capsys, text, "--json", *options)
    assert (code, err) == (0, "")
    whole: dict[str, Any] = json.loads(out)
    return whole


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
            "\ufefftime,balance\r\n0,10\r\n300,\r\n600,7\r\n", ("3", "0", None), id="as spreadsheets write it"
        ),
        pytest.param(
            "entity_id,state,last_changed\nsensor.a,10,2026-01-01T00:00:00Z\nsensor.a,unavailable,2026-01-01T01:00:00Z\n"
            "sensor.a,8,2026-01-01T05:00:00+03:00\n",
            ("2", "0", None),
            id="as Home Assistant exports it",
        ),
    ],
)
def test_what_was_spent_and_topped_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sums: tuple[str, str, str | None]
) -> None:
    """To the last digit."""
    whole = found(tmp_path, capsys, text)
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


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        pytest.param(
            "time,balance\n2026-01-01T00:00:00,5\n7,abc\n5,1\n3,1\n",
            "history.csv:2: time: found “2026-01-01T00:00:00”, which has no offset such as Z or +03:00; "
            "in Grafana, switch off “Formatted data”\n"
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
            "history.csv:1: has no column time and no column balance; a header such as "
            "time,balance,quota,currency is needed\n",
            id="no commas",
        ),
        pytest.param(
            "time,balance\n,5\n",
            "history.csv:2: time: found “”; must be ISO 8601 such as 2026-11-25T10:00:00Z, or Unix seconds\n",
            id="no time",
        ),
    ],
)
def test_mistakes_are_told_with_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, mistakes: str
) -> None:
    """All of them at once, and nothing is replayed."""
    assert replay(tmp_path, capsys, text) == (1, "", mistakes)
    assert replay(tmp_path, capsys, "time,balance\n0,5\n")[0] == 0


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a mistake like any other."""
    assert main(["backtest", str(tmp_path / "none.csv")]) == 1
    assert "No such file or directory" in capsys.readouterr().err
