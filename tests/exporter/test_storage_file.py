"""Which files are refused as storage, what is told of those that are not, and in which words."""

import asyncio
import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from sms_credit_core import PROVIDERS, Account, Instant, Limits, Secret
from sms_credit_exporter.accounts import AccountConfig
from sms_credit_exporter.mistakes import StorageMistake
from sms_credit_exporter.storage import Storage, check_no_other_file
from sms_credit_exporter.trend import Trend
from tests.core.readings import READING

TELECOM = PROVIDERS["23telecom"]
ACCOUNT = AccountConfig(
    name="a",
    provider=TELECOM,
    credentials={"api_key": Secret("made-up-key")},
    base_url=TELECOM.base_url,
    limits=Limits(),
)


def polled() -> Account:
    """Return an account that was polled just now."""
    at = Instant.now()
    return Account().asking(at).after(READING, at, 0.2)


def written(path: Path) -> None:
    """Make a storage that knows an account."""

    async def write() -> None:
        storage = Storage(path)
        await storage.remember(ACCOUNT, polled())
        await storage.close()

    asyncio.run(write())


def changed(statement: str) -> Callable[[Path], None]:
    """Return what does something to the database."""

    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)

    return change


def polls(path: Path) -> int:
    """Open a storage; return how many polls it knows of the account."""

    async def ask() -> int:
        storage = Storage(path)
        known = storage.recall([ACCOUNT])["a"]
        await storage.close()
        return known.account.polls

    return asyncio.run(ask())


def of_another_program(path: Path) -> None:
    """Make a database that is somebody else's."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE made_up (x)")


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        pytest.param("missing/s.db", lambda _: None, "is no file in a folder that exists", id="no such folder"),
        pytest.param("s.db", Path.mkdir, "is no file in a folder that exists", id="a folder"),
        pytest.param("s.db", of_another_program, "belongs to another program", id="another program's"),
    ],
)
def test_a_file_that_cannot_be_the_storage(
    tmp_path: Path, name: str, make: Callable[[Path], None], reason: str
) -> None:
    """The start fails with its name and the reason, and whatever is there stays as it is."""
    path = tmp_path / name
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StorageMistake) as raised:
        Storage(path)
    assert str(path) in str(raised.value)
    assert reason in str(raised.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_slip_makes_no_other_file_the_storage(tmp_path: Path) -> None:
    """Not under another name either; files that are missing are none of the user's."""
    config, link, missing = tmp_path / "config.yml", tmp_path / "link", tmp_path / "missing"
    config.write_text("accounts: []")
    link.symlink_to(config)
    with pytest.raises(StorageMistake) as raised:
        check_no_other_file(link, {"configuration": config})
    assert str(raised.value) == f"--storage.path: {link}: is the configuration file"
    for path, other in ((None, config), (config, None), (missing, config), (config, missing), (config, tmp_path)):
        check_no_other_file(path, {"configuration": other})


def begins_anew(path: Path, why: str) -> Mapping[str, Any]:
    """Return the line that says so of the file."""
    return {
        "event": "the storage begins anew",
        "path": str(path),
        "reason": f"the file is {why}",
        "set_aside": f"{path}.{why}",
        "log_level": "warning",
    }


NOT_STORED, STORED_AGAIN = "what is known is not stored", "what is known is stored again"

TREND_ANEW = {
    "event": "the account's last week begins anew",
    "account": "a",
    "reason": "What was remembered of it is damaged, or was written by a newer version.",
    "log_level": "warning",
}

ACCOUNT_ANEW = {
    "event": "account begins anew",
    "account": "a",
    "reason": "What was remembered of the account is damaged. It begins anew.",
    "log_level": "warning",
}


@pytest.mark.parametrize(
    ("spoil", "told", "known"),
    [
        pytest.param(lambda _: None, lambda _: [], 1, id="nothing"),
        pytest.param(
            lambda path: path.write_text("no database\n"),
            lambda path: [begins_anew(path, "damaged")],
            0,
            id="other text",
        ),
        pytest.param(
            changed("PRAGMA user_version = 2"), lambda path: [begins_anew(path, "newer")], 0, id="a newer version"
        ),
        pytest.param(changed("UPDATE accounts SET state = '{}'"), lambda _: [ACCOUNT_ANEW], 0, id="an account"),
        pytest.param(changed("UPDATE accounts SET trend = x'00'"), lambda _: [TREND_ANEW], 1, id="a last week"),
        pytest.param(changed("UPDATE accounts SET trend = NULL"), lambda _: [], 1, id="a last week that is missing"),
        pytest.param(changed("ALTER TABLE accounts DROP COLUMN trend"), lambda _: [], 1, id="an older table"),
    ],
)
def test_what_was_spoilt_is_told(
    tmp_path: Path, spoil: Callable[[Path], None], told: Callable[[Path], list[Mapping[str, Any]]], known: int
) -> None:
    """Once; what can be used of it is, and from then on all is remembered again."""
    path = tmp_path / "s.db"
    written(path)
    spoil(path)
    with capture_logs() as logged:
        assert polls(path) == known
    assert logged == told(path)
    written(path)
    with capture_logs() as logged:
        assert polls(path) == 1
    assert logged == []


async def test_the_last_week_goes_on_after_a_restart(tmp_path: Path) -> None:
    """It is the account's own, and not empty."""
    first = Storage(tmp_path / "s.db")
    await first.remember(ACCOUNT, polled())
    kept = first.trend(ACCOUNT.name)
    await first.close()

    second = Storage(tmp_path / "s.db")
    assert kept != Trend()
    assert second.recall([ACCOUNT])[ACCOUNT.name].trend == kept
    await second.close()


def test_a_second_exporter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, after a while in which the first may end; once it has, the file is to be had."""
    monkeypatch.setattr("sms_credit_exporter.storage._PATIENCE", 0.2)
    first = Storage(tmp_path / "s.db")
    with pytest.raises(StorageMistake) as raised:
        Storage(tmp_path / "s.db")
    assert str(raised.value) == f"--storage.path: {tmp_path / 's.db'}: another exporter is using the file"
    asyncio.run(first.close())
    written(tmp_path / "s.db")


async def test_a_full_disk_is_told_once_until_there_is_space(tmp_path: Path) -> None:
    """Nothing that was to be written meanwhile is lost."""
    path = tmp_path / "s.db"
    storage = Storage(path)
    assert storage._connection  # noqa: SLF001 - SQLite itself is told how much there is
    storage._connection.execute("PRAGMA max_page_count = 1")  # noqa: SLF001
    with capture_logs() as logged:
        await storage.remember(ACCOUNT, polled())
        assert storage.healthy is False
        await storage.remember(ACCOUNT, polled())
        assert storage.healthy is True
    assert logged == [
        {"event": NOT_STORED, "path": str(path), "reason": "no space is left", "log_level": "error"},
        {"event": STORED_AGAIN, "path": str(path), "log_level": "info"},
    ]
    assert storage.recall([ACCOUNT])["a"].account.polls == 1
    await storage.close()


async def test_a_disk_that_hangs_holds_up_neither_a_poll_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known is safe later, or lost; the account is watched all the same."""
    monkeypatch.setattr("sms_credit_exporter.storage._PATIENCE", 0.2)
    storage = Storage(tmp_path / "s.db")
    with storage._lock:  # noqa: SLF001 - whoever uses the file waits, as for a disk that does not answer
        async with asyncio.timeout(10):
            await storage.remember(ACCOUNT, polled())
            await storage.close()


def refusing(path: Path, error: Exception) -> Callable[..., int]:
    """Return what opens every file but this one."""
    really = os.open

    def refuse(name: Any, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401 - as the original
        if name == path:
            raise error
        return really(name, *args, **kwargs)

    return refuse


def test_what_a_kill_left_beside_a_file_that_cannot_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last exporter had no time to put it into the file."""
    killed, storage = tmp_path / "killed", Storage(tmp_path / "s.db")
    asyncio.run(storage.remember(ACCOUNT, polled()))
    killed.mkdir()
    for file in tmp_path.glob("s.db*"):
        shutil.copy(file, killed)
    asyncio.run(storage.close())
    assert (killed / "s.db-wal").stat().st_size

    monkeypatch.setattr(os, "open", refusing(killed / "s.db", OSError(errno.EROFS, "Read-only file system")))
    assert polls(killed / "s.db") == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(OSError(errno.EACCES, "Permission denied"), "Permission denied", id="by the system"),
        pytest.param(OSError(), "it cannot be opened", id="by the system, without a word"),
        pytest.param(sqlite3.OperationalError("made up"), "made up", id="by SQLite, in its own words"),
    ],
)
async def test_a_file_that_cannot_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    """As long as that is so; then the same file is written."""
    path = tmp_path / "s.db"
    await asyncio.to_thread(written, path)

    with capture_logs() as logged, monkeypatch.context() as patch:
        patch.setattr(os, "open", refusing(path, error))
        storage = Storage(path)
        assert storage.recall([ACCOUNT])["a"].account.polls == 1
    assert logged == [{"event": NOT_STORED, "path": str(path), "reason": reason, "log_level": "error"}]
    with capture_logs() as logged:
        await storage.remember(ACCOUNT, polled())  # what was read is no file that could be written
        await storage.remember(ACCOUNT, replace(polled(), polls=2))
    assert [told["event"] for told in logged] == [STORED_AGAIN]
    await storage.close()
    assert await asyncio.to_thread(polls, path) == 2


@pytest.mark.parametrize(
    ("age", "known"),
    [
        pytest.param("UPDATE accounts SET written = written - 29.9 * 86400", 1, id="a month"),
        pytest.param("UPDATE accounts SET written = written - 30.1 * 86400", 0, id="and a day"),
    ],
)
def test_an_account_that_is_left_out_is_kept_for_a_month(tmp_path: Path, age: str, known: int) -> None:
    """It may come back."""
    path = tmp_path / "s.db"
    written(path)
    changed(age)(path)
    storage = Storage(path)
    storage.keep(())
    asyncio.run(storage.close())
    assert polls(path) == known
