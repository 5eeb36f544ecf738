"""The last week of an account: what is remembered of it, how it outlives restarts, and how it is drawn."""

import json
import math
import re
import sqlite3
import zlib
from array import array
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sms_credit_core import Account, Instant, Limits, Owner, Quality, Reading, Secret
from sms_credit_exporter.accounts import AccountConfig
from sms_credit_exporter.page.sparkline import HEIGHT, WIDTH, sparkline
from sms_credit_exporter.simulator.behaviour import Live
from sms_credit_exporter.storage import Memory, Storage
from sms_credit_exporter.trend import HOURS, Trend, exact
from tests.e2e.gallery import NOW, lira, listing, reading, view
from tests.exporter.running import LISTEN, Providers, Running, as_an_older_exporter_had_it, until

HOUR = 3600.0
DAWN = 500_000 * HOUR
OWNER = Owner(provider="23telecom", base_url="https://example.com", credentials={"api_key": Secret("made-up-key")})


def lived(*readings: tuple[float, Reading], speed: float = 1.0) -> Trend:
    """Return the trend after readings so many hours after a dawn."""
    account, trend = Account(speed=speed), Trend()
    for hours, outcome in readings:
        at = Instant(DAWN + hours * HOUR, 1e6 + hours * HOUR)
        account = account.after(outcome, at, 0.1)
        trend = trend.after(account.ledger)
    return trend


def known(trend: Trend, after: float) -> list[str]:
    """Return the amounts of the week so many hours after the dawn, from the first known one on."""
    _, amounts = trend.week(DAWN + after * HOUR)
    return ["-" if amount is None else str(exact(amount)) for amount in amounts]


@pytest.mark.parametrize(
    ("readings", "amounts"),
    [
        pytest.param([], [], id="nothing was read"),
        pytest.param([(0, reading("5"))], ["5"], id="one reading"),
        pytest.param([(0.1, reading("5")), (0.9, reading("4.25"))], ["4.25"], id="the last of an hour counts"),
        pytest.param([(0.9, reading("5")), (1.1, reading("4"))], ["5", "4"], id="hours are those of the clock"),
        pytest.param([(0, reading("5")), (3, reading("4"))], ["5", "-", "-", "4"], id="nothing is made up in between"),
        pytest.param(
            [(0, reading("5")), (1, reading("4", quality=Quality.PARTIAL)), (2, reading("3"))],
            ["5", "-", "3"],
            id="a partial reading is none",
        ),
        pytest.param([(0, reading("5")), (1, reading("7", currency="USD"))], ["7"], id="another currency begins anew"),
        pytest.param([(0, lira("5", 90)), (1, lira("0", 80))], ["80"], id="and so do messages"),
        pytest.param([(0, reading("0")), (1, reading("-3.5"))], ["0", "-3.5"], id="zero and debts are amounts"),
        pytest.param(
            [(0, reading("1")), (9, reading("2")), (4, reading("3"))],
            ["1", "-", "-", "-", "3"],
            id="the clock is set back: what lies ahead never was",
        ),
        pytest.param([(900, reading("1")), (0, reading("2"))], ["2"], id="the clock is set back by far"),
        pytest.param([(0, reading("1")), (900, reading("2"))], ["2"], id="nothing was read for weeks"),
    ],
)
def test_remembers_an_amount_for_each_hour(readings: Sequence[tuple[float, Reading]], amounts: list[str]) -> None:
    """In what the account pays with."""
    after = readings[-1][0] if readings else 0
    assert known(lived(*readings), after) == amounts


def test_a_week_is_enough() -> None:
    """The oldest hours go, also while nothing new is read."""
    trend = lived(*((hour, reading(str(hour))) for hour in range(400)))
    assert known(trend, 399) == [str(hour) for hour in range(400 - HOURS, 400)]
    assert known(trend, 399 + 100)[0] == str(400 - HOURS + 100)
    assert known(trend, 399 + 900) == []
    assert known(trend, 350)[-1] == "350"  # the clock was set back, and nothing was read since
    assert known(trend, 100) == []


def test_takes_little_room() -> None:
    """At most 1.5 KB in memory, and in the file little more."""
    usual = lived(*((hour, reading(f"{1000 - hour * 1.37:.2f}")) for hour in range(HOURS)))
    assert len(usual.amounts) * usual.amounts.itemsize < 1500
    assert len(usual.packed(OWNER)) < 1600


@pytest.mark.parametrize(
    "trend",
    [
        Trend(),
        lived((0, reading("0.1")), (2, reading("9999999999999999"))),
        lived((0, lira("0", 12_500))),
        lived((0, reading("3")), (0.1, reading("2")), speed=150.0),
    ],
    ids=["empty", "with a gap", "in messages", "of a demonstration"],
)
def test_is_the_same_after_a_restart(trend: Trend) -> None:
    """To the last digit; for another owner there is none."""
    packed = trend.packed(OWNER)
    again = Trend.unpacked(packed, OWNER)
    assert (again.unit, again.step, again.first) == (trend.unit, trend.step, trend.first)
    assert again.amounts.tobytes() == trend.amounts.tobytes()
    assert Trend.unpacked(packed, replace(OWNER, credentials={"api_key": Secret("another")})) == Trend()
    assert b"made-up-key" not in zlib.decompress(packed)


def changed(packed: bytes, amounts: bytes | None = None, **head: object) -> bytes:
    """Return a packed trend of which something else was written."""
    line, _, before = zlib.decompress(packed).partition(b"\n")
    return zlib.compress(json.dumps({**json.loads(line), **head}).encode() + b"\n" + (amounts or before))


def flipped(packed: bytes, place: int) -> bytes:
    """Return it with one bit changed."""
    return packed[:place] + bytes([packed[place] ^ 1]) + packed[place + 1 :]


PACKED = lived((0, reading("5"))).packed(OWNER)
DAMAGED_OR_NEWER = {
    "nothing": b"",
    "zeros": b"\0" * 99,
    "the end is missing": PACKED[:-9],
    **{
        f"a bit is another after {part} % of it": flipped(PACKED, len(PACKED) * part // 100)
        for part in range(0, 100, 4)
    },
    "no head": zlib.compress(b"[]"),
    "a head that is no object": zlib.compress(b"5\n"),
    "a newer version": changed(PACKED, version=2),
    "too many hours": changed(PACKED, array("d", [5.0] * (HOURS + 1)).tobytes()),
    "an amount without end": changed(PACKED, array("d", [math.inf]).tobytes()),
    "a part of an amount": changed(PACKED, b"\0" * 9),
    "hours of no length": changed(PACKED, step=0),
    "hours of a length in words": changed(PACKED, step="x"),
    "hours of a length that no number holds": changed(PACKED, step=10**400),
    "a first hour in parts": changed(PACKED, first=1.5),
    "a unit that is a number": changed(PACKED, unit=7),
    "a key that is no key": changed(PACKED, key="zz"),
}


@pytest.mark.parametrize("packed", DAMAGED_OR_NEWER.values(), ids=DAMAGED_OR_NEWER)
def test_what_is_damaged_or_newer_is_not_taken_over(packed: bytes) -> None:
    """It is told, and nothing worse comes of it."""
    with pytest.raises(ValueError):  # noqa: PT011 - it has no text of its own
        Trend.unpacked(packed, OWNER)


# --- in the storage -----------------------------------------------------------------------------------------------

CONFIG = view("a").config


def two_hours() -> tuple[Account, Account]:
    """Return an account after a reading, and after another an hour later."""
    now = Instant.now()
    first = Account().after(reading("5"), Instant(now.unix - HOUR, now.monotonic - HOUR), 0.1)
    return first, first.after(reading("4"), now, 0.1)


async def amounts(memory: Memory, *accounts: Account) -> list[float | None]:
    """Return an account's week once it has gone through these."""
    for account in accounts:
        await memory.remember(CONFIG, account)
    _, week = memory.trend(CONFIG.name).week(Instant.now().unix)
    return list(week)


def begin(memory: Memory, config: AccountConfig = CONFIG) -> Account:
    """Go on with what is known of an account, as a start does."""
    known = memory.recall([config])
    memory.begin(known)
    return known[config.name].account


async def test_without_a_storage_it_lives_as_long_as_the_process() -> None:
    """And ends with the account."""
    memory = Memory()
    begin(memory)
    assert await amounts(memory, *two_hours()) == [5, 4]
    memory.keep({"a"})
    assert await amounts(memory) == [5, 4]
    memory.keep({"b"})
    assert await amounts(memory) == []


async def test_with_a_storage_it_goes_on(tmp_path: Path) -> None:
    """A gap and all."""
    storage = Storage(tmp_path / "storage.db")
    first, second = two_hours()
    assert await amounts(storage, first) == [5]
    await storage.close()
    storage = Storage(tmp_path / "storage.db")
    begin(storage)
    assert await amounts(storage, second) == [5, 4]
    await storage.close()


async def test_other_credentials_begin_anew(tmp_path: Path) -> None:
    """Nobody sees what somebody else's account had."""
    storage = Storage(tmp_path / "storage.db")
    assert await amounts(storage, *two_hours()) == [5, 4]
    await storage.close()
    storage = Storage(tmp_path / "storage.db")
    begin(storage, replace(CONFIG, credentials={"api_key": Secret("another")}))
    assert await amounts(storage) == []
    begin(storage)
    assert await amounts(storage) == [5, 4]
    await storage.close()


async def test_the_file_of_an_older_exporter_is_taken_up(tmp_path: Path) -> None:
    """All that it knows is kept, and the week begins; the older exporter can go on with the file."""
    file = tmp_path / "storage.db"
    storage = Storage(file)
    first, second = two_hours()
    await amounts(storage, first)
    await storage.close()
    as_an_older_exporter_had_it(file)
    storage = Storage(file)
    assert begin(storage).polls == first.polls
    assert await amounts(storage, second) == [4]
    await storage.close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO accounts (name, state, written) VALUES ('b', '{}', 0)")
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


async def test_a_damaged_week_costs_nothing_but_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The account goes on, and a line of the log says why its week does not."""
    file = tmp_path / "storage.db"
    storage = Storage(file)
    first, second = two_hours()
    await amounts(storage, first)
    await storage.close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE accounts SET trend = x'00'")
    storage = Storage(file)
    assert begin(storage).polls == first.polls
    assert "the account's last week begins anew" in "".join(capsys.readouterr())
    assert await amounts(storage, second) == [4]
    await storage.close()


async def test_a_restart_keeps_the_week_on_the_page(
    start: Callable[..., AbstractAsyncContextManager[Running]],
    config_file: Callable[..., Path],
    providers: Providers,
    tmp_path: Path,
) -> None:
    """As it is run: what an earlier process had read is drawn by the next, though its provider is silent."""
    simulated = providers.add("23telecom", Live(balance=Decimal(100)))
    file = config_file(providers.configured("a", simulated))
    arguments = ("serve", f"--config.file={file}", f"--storage.path={tmp_path / 'storage.db'}", LISTEN)

    async def week(exporter: Running) -> object:
        [account] = (await exporter.get("/api/v1/accounts")).json()["accounts"]
        return account["last_week"]

    async with start(*arguments) as exporter:
        await exporter.shows('sms_credit_balance{account="a",currency="EUR",provider="23telecom"} 100.0')
        assert await week(exporter) is None
        exporter.process.kill()
        await exporter.exit_code()
    one_hour_older(tmp_path / "storage.db")
    async with start(*arguments) as exporter:

        async def drawn() -> bool:
            return bool(await week(exporter))

        await until(drawn)
        assert 'class="sparkline"' in (await exporter.get("/")).text


def one_hour_older(file: Path) -> None:
    """Have a stored week be of an hour before."""
    with closing(sqlite3.connect(file)) as connection, connection:
        [(packed,)] = connection.execute("SELECT trend FROM accounts")
        hour = json.loads(zlib.decompress(packed).partition(b"\n")[0])["first"]
        connection.execute("UPDATE accounts SET trend = ?", (changed(packed, first=hour - 1),))


# --- the picture --------------------------------------------------------------------------------------------------


def drawn(*hours_ago: tuple[float, str], limits: Limits | None = None, poll_interval: float = 300.0) -> tuple[str, str]:
    """Return the picture's path, and what it says, of an account that had these amounts so many hours ago."""
    polls = ((60 + HOUR * hours, reading(amount)) for hours, amount in hours_ago)
    [entry] = listing([view("a", *polls, limits=limits, poll_interval=poll_interval)]).accounts
    assert entry.last_week
    picture = sparkline(entry, entry.last_week, datetime.fromtimestamp(NOW.unix, UTC))
    return picture.line, picture.text


@pytest.mark.parametrize(
    ("hours_ago", "line"),
    [
        pytest.param([(2, "10"), (1, "5"), (0, "0")], "M165 2L166 20L167 38", id="down to zero"),
        pytest.param([(2, "0"), (1, "0"), (0, "0")], "M165 38L167 38", id="nothing at all"),
        pytest.param([(3, "9"), (2, "9"), (1, "9"), (0, "9")], "M164 2L167 2", id="a level line needs two points"),
        pytest.param([(1, "5"), (0, "-5")], "M166 2L167 38", id="into debt: zero is in the middle"),
        pytest.param([(9, "4"), (1, "4"), (0, "4")], "M158 2h0M166 2L167 2", id="a gap, and a dot before it"),
        pytest.param([(167, "4"), (0, "4")], "M0 2h0M167 2h0", id="from edge to edge"),
    ],
)
def test_draws(hours_ago: Sequence[tuple[float, str]], line: str) -> None:
    """The right edge is now, the left one a week ago, and zero is always within."""
    assert drawn(*hours_ago)[0] == line


def test_an_account_that_is_polled_rarely_has_a_line_too() -> None:
    """What lies between two polls is no gap."""
    assert drawn((24, "8"), (12, "4"), (0, "0"), poll_interval=12 * HOUR)[0] == "M143 2L155 20L167 38"


@pytest.mark.parametrize(
    ("limits", "y"),
    [(Limits(), None), (Limits(low_balance=Decimal(5)), 20), (Limits(low_quota=5), None)],
    ids=["none", "in money", "in messages, which is another scale"],
)
def test_draws_the_limit(limits: Limits, y: int | None) -> None:
    """Where it is a limit to what is drawn."""
    [entry] = listing([view("a", (3660, reading("10")), (60, reading("8")), limits=limits)]).accounts
    assert entry.last_week
    assert sparkline(entry, entry.last_week, datetime.fromtimestamp(NOW.unix, UTC)).limit == y


def test_says_what_it_shows() -> None:
    """For whoever does not see it."""
    _, text = drawn((47, "100"), (30, "3.5"), (2, "120"), (0, "80"))
    assert text == "Over 47 h: from 100.00 EUR to 80.00 EUR; at most 120.00 EUR, at least 3.50 EUR"


def test_stays_within_its_frame() -> None:
    """Whatever an account had."""
    line, _ = drawn(*((hour, str(10**15 * (-1) ** hour)) for hour in range(HOURS - 1, -1, -1)))
    places = [(int(x), int(y)) for x, y in re.findall(r"(\d+) (\d+)", line)]
    assert len(places) == HOURS
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
