"""What is known of the accounts, kept over restarts in one SQLite file.

Its one table holds, by the name of each account, the text that the core makes and reads (state.py), and the last week
(trend.py). The file belongs to one exporter at a time: two of them would ask the providers twice, and each would
overwrite what the other knows.
"""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Never, TypeVar

import structlog

from sms_credit_core import Account, Instant, SetAside, recalled, remembered

from .accounts import AccountConfig
from .mistakes import StorageMistake
from .sharing import Shared, Worker
from .trend import Trend

_APPLICATION = int.from_bytes(b"SMSc", "big")
"""Marks the file as one of ours, in SQLite's own field for that."""

_VERSION = 1
"""Of the table; what is in it has versions of its own. Raised with each change that an older exporter would misread,
which one more column is not."""

_PATIENCE = 3.0
"""Seconds to wait for a file that another exporter is about to let go of, and for a disk that does not answer."""

_KEPT = 30 * 86400.0
"""Seconds for which an account is kept that is no longer in the configuration: it may come back."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TEXTS = {
    **dict.fromkeys(_DAMAGED, "the file is damaged"),
    sqlite3.SQLITE_BUSY: "another exporter is using the file",
    sqlite3.SQLITE_FULL: "no space is left",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_READONLY: "the file is read-only",
    sqlite3.SQLITE_CANTOPEN: "the file or its folder cannot be written",
}
"""SQLite's errors in our words."""

_FOREIGN = "foreign"

_CREATE = "CREATE TABLE accounts (name TEXT PRIMARY KEY, state TEXT NOT NULL, written REAL NOT NULL)"
_ADD_TREND = "ALTER TABLE accounts ADD COLUMN trend BLOB"
_WRITE = """
    INSERT INTO accounts (name, state, trend, written) VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET state = excluded.state, trend = excluded.trend, written = excluded.written
"""

T = TypeVar("T")
_READ_AT_ONCE = 500
"""Accounts; a poll that wants to write waits for no more than these."""

_Batch = Mapping[str, tuple[AccountConfig, Account, Trend]]
"""Accounts to be written, by their names."""

_log = structlog.stdlib.get_logger()


def check_no_other_file(path: Path | None, others: Mapping[str, Path | None]) -> None:
    """See to it that no slip makes one of the user's other files the storage. Raises StorageMistake."""
    for name, other in others.items():
        if path and other and path.exists() and other.exists() and path.samefile(other):
            _refuse(path, f"is the {name} file")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an account from before; of a new one nothing is."""

    account: Account = field(default_factory=Account)
    trend: Trend = field(default_factory=Trend)


class Memory:
    """What keeps in mind what is known of the accounts. This one keeps nothing over a restart."""

    healthy: bool | None = None
    """Whether the last attempt to write succeeded; None where nothing is written."""

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._trends: dict[str, Trend] = {}

    def recall(self, configs: Collection[AccountConfig]) -> Mapping[str, Known]:
        """Return what is known of accounts from before, by their names. May be called in any thread."""
        return dict.fromkeys((config.name for config in configs), Known())

    def begin(self, known: Mapping[str, Known]) -> None:
        """Go on with what was recalled."""
        self._trends |= {name: each.trend for name, each in known.items()}

    async def remember(self, config: AccountConfig, account: Account) -> None:
        """Keep what is known of an account. Returns when it is safe, or when that cannot be."""
        self._trends[config.name] = self.trend(config.name).after(account.ledger)

    def trend(self, name: str) -> Trend:
        """Return the last week of an account; an empty one where nothing is known of it."""
        return self._trends.get(name) or Trend()

    def keep(self, names: Collection[str]) -> None:
        """Forget those accounts that have not been among these names for long."""
        for name in self._trends.keys() - set(names):
            del self._trends[name]

    async def close(self) -> None:
        """Keep what is known by now, and nothing from then on."""


class Storage(Memory):
    """The file, for as long as the exporter runs. What happens to it meanwhile is logged, and ends no polling."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises StorageMistake.

        A file that cannot be written keeps nobody from watching accounts: what is in it is read, if that is possible.
        """
        super().__init__()
        self._path = path
        self._waiting: dict[str, tuple[AccountConfig, Account, Trend]] = {}
        """What is not written yet."""
        self._writes = Shared(self._write_waiting)
        self._lock = threading.Lock()
        """Held by whoever uses the connection."""
        self._connection: sqlite3.Connection | None = None
        self.healthy = True
        if not path.parent.is_dir() or (path.exists() and not path.is_file()):
            _refuse(path, "is no file in a folder that exists")
        try:
            self._connection = _opened(path)
        except (OSError, sqlite3.Error) as error:
            if _code(error) == sqlite3.SQLITE_BUSY:
                _refuse(path, _text(error))
            self._connection = _copied(path)
            self._tell(_text(error))
        self._in_thread = Worker()

    def recall(self, configs: Collection[AccountConfig]) -> Mapping[str, Known]:
        """Return what is known of accounts from before, by their names; what cannot be used is set aside in words."""
        known = dict(super().recall(configs))
        waiting = iter(configs)
        while some := {config.name: config for config in islice(waiting, _READ_AT_ONCE)}:
            now = Instant.now()
            for row in self._do(partial(_rows, names=list(some))) or ():
                account = recalled(row.state, some[row.name].owner, now)
                if isinstance(account, SetAside):
                    _log.warning("account begins anew", account=row.name, reason=account.text)
                else:
                    known[row.name] = Known(account, _trend(row, some[row.name]))
        return known

    async def remember(self, config: AccountConfig, account: Account) -> None:
        """Write what is known of an account, together with all others that wait. A failure is logged."""
        await super().remember(config, account)
        self._waiting[config.name] = (config, account, self.trend(config.name))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._writes(None)

    def keep(self, names: Collection[str]) -> None:
        """Forget those accounts that have not been among these names for long."""
        super().keep(names)
        self._do(lambda connection: _forget(connection, names))

    async def close(self) -> None:
        """Write what still waits, and let go of the file."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._writes(None)
                await self._in_thread(self._close)
        self._in_thread.end()

    def _close(self) -> None:
        with self._lock:
            if self._connection:
                self._connection.close()

    async def _write_waiting(self, _: None) -> None:
        batch, self._waiting = self._waiting, {}
        if not await self._in_thread(lambda: self._write(batch)):
            self._waiting = {**batch, **self._waiting}

    def _write(self, batch: _Batch) -> bool:
        """Write a batch. Returns whether it is safe now."""
        now = time.time()
        rows = [
            (name, remembered(account, config.owner), trend.packed(config.owner), now)
            for name, (config, account, trend) in batch.items()
        ]
        written = self._do(lambda connection: _written(connection, rows))
        if written:
            self._tell("")
        return bool(written)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file, opened again after a failure. What fails is told, and comes to None."""
        with self._lock:
            try:
                self._connection = self._connection or _opened(self._path)
                return work(self._connection)
            except (OSError, sqlite3.Error, StorageMistake) as error:
                if self._connection:
                    self._connection.close()
                    self._connection = None
                self._tell(_text(error))
                return None

    def _tell(self, trouble: str) -> None:
        """Log that the file fails, or no longer does."""
        if trouble and self.healthy:
            _log.error("what is known is not stored", path=str(self._path), reason=trouble)
        elif not trouble and not self.healthy:
            _log.info("what is known is stored again", path=str(self._path))
        self.healthy = not trouble


def _opened(path: Path) -> sqlite3.Connection:
    """Open the file for this exporter alone. What cannot be used is set aside, and the file begins anew.

    Raises OSError, sqlite3.Error, and StorageMistake for what belongs to another program.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would make it readable by everybody
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        unusable = _prepare(connection)
    except sqlite3.Error as error:
        unusable = "damaged"
        if _code(error) not in _DAMAGED:
            connection.close()
            raise
    if unusable is None:
        return connection
    connection.close()
    if unusable == _FOREIGN:
        _refuse(path, "belongs to another program")
    return _anew(path, unusable)


def _prepare(connection: sqlite3.Connection) -> str | None:
    """Lock the file and make sure of its table. Returns why the file cannot be used, if it cannot."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    application, version, tables = (
        int(_pragma(connection, name)) for name in ("application_id", "user_version", "schema_version")
    )
    if tables and application != _APPLICATION:
        return _FOREIGN
    if version > _VERSION:
        return "newer"
    if _pragma(connection, "quick_check(1)") != "ok":
        return "damaged"
    # A transaction is then one write to the end of a log. That survives the end of the process at any moment; a power
    # cut can cost the last few, but not the file.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    with _transaction(connection):
        if not tables:
            connection.execute(_CREATE)
        _take_up(connection)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    return None


def _take_up(connection: sqlite3.Connection) -> None:
    """Give an older exporter's table the column that it lacks. Such an exporter can go on with it all the same."""
    if "trend" not in {column[1] for column in connection.execute("PRAGMA table_info(accounts)")}:
        connection.execute(_ADD_TREND)


def _anew(path: Path, why: str) -> sqlite3.Connection:
    """Put the file out of the way, and begin another."""
    aside = path.with_name(f"{path.name}.{why}")
    for suffix in ("-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").replace(f"{aside}{suffix}")
    _log.warning("the storage begins anew", path=str(path), reason=f"the file is {why}", set_aside=str(aside))
    return _opened(path)


def _copied(path: Path) -> sqlite3.Connection | None:
    """Return what is in a file that cannot be written, if that can be read.

    SQLite needs to write beside the file if the last exporter was killed, so it gets a copy.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ("", "-wal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(f"{path}{suffix}", f"{folder}/copy{suffix}")
            memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            with contextlib.closing(sqlite3.connect(f"{folder}/copy")) as copy:
                copy.backup(memory)
        _take_up(memory)
        memory.execute("PRAGMA query_only = 1")
    except (OSError, sqlite3.Error):
        return None
    return memory


class _Row(NamedTuple):
    name: str
    state: str
    trend: bytes | None


def _trend(row: _Row, config: AccountConfig) -> Trend:
    if row.trend is None:
        return Trend()
    try:
        return Trend.unpacked(row.trend, config.owner)
    except ValueError:
        reason = "What was remembered of it is damaged, or was written by a newer version."
        _log.warning("the account's last week begins anew", account=config.name, reason=reason)
        return Trend()


def _rows(connection: sqlite3.Connection, names: Sequence[str]) -> Sequence[_Row]:
    marks = ",".join("?" * len(names))
    rows = connection.execute(f"SELECT name, state, trend FROM accounts WHERE name IN ({marks})", names)  # noqa: S608 - nothing but marks
    return [_Row(name, str(state), trend if isinstance(trend, bytes) else None) for name, state, trend in rows]


def _written(connection: sqlite3.Connection, rows: Collection[tuple[str, str, bytes, float]]) -> bool:
    with _transaction(connection):
        connection.executemany(_WRITE, rows)
    return True


def _forget(connection: sqlite3.Connection, names: Collection[str]) -> None:
    old = connection.execute("SELECT name FROM accounts WHERE written < ?", (time.time() - _KEPT,)).fetchall()
    with _transaction(connection):
        connection.executemany("DELETE FROM accounts WHERE name = ?", [each for each in old if each[0] not in names])


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int | str:
    value: int | str = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _refuse(path: Path, text: str) -> Never:
    message = f"--storage.path: {path}: {text}"
    raise StorageMistake(message)


def _code(error: Exception) -> int | None:
    """Return what kind of error SQLite reports; None if it is not from SQLite."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _text(error: Exception) -> str:
    """Return in words why the file cannot be used."""
    if isinstance(error, OSError):
        return error.strerror or "it cannot be opened"
    return _TEXTS.get(_code(error) or 0, str(error))
