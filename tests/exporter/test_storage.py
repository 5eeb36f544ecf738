"""`--storage.path` as its users meet it: restarts of every kind, and files that fail in every way."""

import asyncio
import re
import resource
import shutil
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from sms_credit_core import PROVIDERS, Account, Instant, Limits, Quality, Reading, Secret
from sms_credit_exporter.accounts import AccountConfig
from sms_credit_exporter.config import load
from sms_credit_exporter.simulator.behaviour import Live, NoAnswer
from sms_credit_exporter.simulator.server import SimulatedAccount
from sms_credit_exporter.storage import Storage
from tests.exporter.running import (
    DEBIAN_STABLE,
    DEBIAN_TESTING,
    LISTEN,
    Providers,
    Running,
    as_an_older_exporter_had_it,
    command,
    free_port,
    prometheus,
    running,
    until,
)

Start = Callable[..., AbstractAsyncContextManager[Running]]
ConfigFile = Callable[..., Path]

OF_A = 'account="a",provider="23telecom"'
WORKS = "sms_credit_exporter_storage_last_write_successful"


def left(balance: float) -> Live:
    """Answer with this balance."""
    return Live(balance=Decimal(str(balance)))


async def values(exporter: Running, *names: str) -> dict[str, float]:
    """Scrape, and return the values of account a's metrics of these names."""
    samples = [re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line) for line in await exporter.metrics()]
    found = [sample for sample in samples if sample and 'account="a"' in sample[2]]
    return {sample[1].removeprefix("sms_credit_"): float(sample[3]) for sample in found if sample[1][11:] in names}


async def read(exporter: Running, balance: float) -> None:
    """Wait until account a has this balance."""
    await exporter.shows(f'sms_credit_balance{{account="a",currency="EUR",provider="23telecom"}} {float(balance)}')


async def stop(exporter: Running, number: signal.Signals = signal.SIGTERM) -> None:
    """End an exporter."""
    exporter.process.send_signal(number)
    await exporter.exit_code()


class Installed:
    """An exporter's installation: its configuration, its storage, and the simulated accounts."""

    def __init__(self, start: Start, config_file: ConfigFile, providers: Providers, folder: Path) -> None:
        """Have one account, a."""
        self._start, self._config_file, self._providers = start, config_file, providers
        self.arguments: tuple[str, ...] = ()
        self.simulated: SimulatedAccount = providers.add("23telecom", left(100))
        self.file = folder / "state" / "storage.db"
        self.file.parent.mkdir()
        self.config = folder
        self.configure()

    def configure(self, *, poll_interval: str = "5m", stale_after: str = "1h", **more: object) -> None:
        """Write the configuration."""
        account = self._providers.configured("a", self.simulated, poll_interval=poll_interval, **more)
        self.config = self._config_file(account, stale_after=stale_after)
        self.arguments = ("serve", f"--config.file={self.config}", f"--storage.path={self.file}", LISTEN)

    def content(self) -> str:
        """Return the configuration."""
        return self.config.read_text()

    def running(self) -> AbstractAsyncContextManager[Running]:
        """Start the exporter."""
        return self._start(*self.arguments)

    async def refuses_to_start(self) -> str:
        """Start the exporter, and return what it says before it ends."""
        code, _, complaint = await command(*self.arguments, cwd=self.config.parent)
        assert code == 1
        return complaint.strip().replace(str(self.file), "FILE")


@pytest.fixture
def installed(start: Start, config_file: ConfigFile, providers: Providers, tmp_path: Path) -> Installed:
    """Install an exporter."""
    return Installed(start, config_file, providers, tmp_path)


# --- restarts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_after_a_restart_everything_goes_on(installed: Installed, how: signal.Signals) -> None:
    """The numbers with their true age, the counters, the low credit and the schedule; no provider is asked."""
    shown = ("balance", "spent_total", "topped_up_total", "polls_total", "low", "last_reading_timestamp_seconds")
    installed.configure(poll_interval="1s", low_balance=60)
    async with installed.running() as exporter:
        for balance in (100.0, 90.0, 190.0, 50.0):
            installed.simulated.answer_with(left(balance))
            await read(exporter, balance)
        installed.configure(poll_interval="5m", low_balance=60)
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.logged("configuration reloaded")
        await asyncio.sleep(1.5)
        before = await values(exporter, *shown)
        await stop(exporter, how)
    assert (before["balance"], before["spent_total"], before["topped_up_total"], before["low"]) == (50, 150, 100, 1)

    asked = len(installed.simulated.requests)
    installed.simulated.answer_with("error_invalid_api_key")
    async with installed.running() as exporter:
        assert await values(exporter, *shown) == before
        assert (await exporter.get("/-/ready")).status_code == 200
        assert f"{WORKS} 1.0" in await exporter.metrics()
        assert len(installed.simulated.requests) == asked


async def test_the_first_scrape_after_a_restart_knows_very_many_accounts(
    start: Start, config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """All counters and statuses; a series that begins anew would be a reset. Only whoever is due is polled."""
    simulated = providers.add("23telecom", left(100))
    due, *others = names = [f"a{number}" for number in range(1200)]
    configured = {name: providers.configured(name, simulated, poll_interval="1h") for name in names}
    for name in others:
        configured[name]["credentials"] = {"api_key": f"made-up-key-of-{name}"}
    file = config_file(*configured.values(), stale_after="2h")
    storage = Storage(tmp_path / "s.db")
    accounts = [(config, polled(3601 if config.name == due else 60)) for config in load(file).accounts]
    await asyncio.gather(*(storage.remember(config, known) for config, known in accounts))
    await storage.close()

    def polls(samples: Sequence[str]) -> dict[str, float]:
        found = [re.fullmatch(r'sms_credit_polls_total\{.*account="(\w+)".*\} (\S+)', line) for line in samples]
        return {sample[1]: float(sample[2]) for sample in found if sample}

    async with start("serve", f"--config.file={file}", f"--storage.path={tmp_path / 's.db'}", LISTEN) as exporter:
        first = await exporter.metrics()
        assert polls(first) == dict.fromkeys(names, 1) | {due: polls(first)[due]}
        assert len([line for line in first if line.startswith("sms_credit_balance{")]) == len(names)
        assert (await exporter.get("/-/ready")).status_code == 200

        async def due_is_polled() -> bool:
            return polls(await exporter.metrics())[due] == 2

        await until(due_is_polled)
        assert polls(await exporter.metrics()) == dict.fromkeys(names, 1) | {due: 2}
    assert len(simulated.requests) == 1


@pytest.mark.timeout(600)  # fifty processes are started; on a busy machine each takes seconds
async def test_fifty_restarts_ask_no_more_than_the_interval_allows(installed: Installed) -> None:
    """However the process ends, and at whatever moment; a poll that was begun and never ended was one too."""
    installed.configure(poll_interval="1h")
    async with installed.running() as exporter:
        await read(exporter, 100)
    for restart in range(50):
        async with installed.running() as exporter:
            await stop(exporter, (signal.SIGKILL, signal.SIGTERM)[restart % 2])
    assert len(installed.simulated.requests) == 1


async def test_a_poll_that_a_crash_cut_off_is_not_made_again(installed: Installed) -> None:
    """The provider was asked. The next poll comes when it is due, and nothing is missing then."""
    installed.configure(poll_interval="4s")
    installed.simulated.answer_with(NoAnswer.SILENT)
    async with installed.running() as exporter:

        async def asked() -> bool:
            return bool(installed.simulated.requests)

        await until(asked)
        await stop(exporter, signal.SIGKILL)

    installed.simulated.answer_with(left(100))
    async with installed.running() as exporter:
        await read(exporter, 100)
    first, *later = (request.at for request in installed.simulated.requests)
    assert later[0] - first > 3  # the wait counts from before the request left


@pytest.mark.parametrize("binary", [DEBIAN_STABLE, DEBIAN_TESTING])
async def test_a_real_prometheus_counts_as_the_core_does(
    installed: Installed, http: httpx.AsyncClient, tool: Callable[[str], str], tmp_path: Path, binary: str
) -> None:
    """Top-ups and a crash in between: spent less topped up is the fall of the balance, and no counter begins anew."""
    port = free_port()
    installed.configure(poll_interval="1s")
    installed.arguments = (*installed.arguments[:-1], f"--web.listen-address=127.0.0.1:{port}")
    async with prometheus(tool(binary), f"127.0.0.1:{port}", tmp_path) as url:

        async def results(query: str) -> list[float]:
            answer = await http.get(f"{url}/api/v1/query", params={"query": query})
            return [float(sample["value"][1]) for sample in answer.raise_for_status().json()["data"]["result"]]

        async def result(query: str) -> float:
            [value] = await results(query)
            return value

        async def scraped(amount: float) -> None:
            async def shown() -> bool:
                return await results("sms_credit_balance") == [amount]

            await until(shown)

        for amounts in ((100, 97.5, 94), (90.25, 150, 149.99)):
            async with installed.running() as exporter:
                for amount in amounts:
                    installed.simulated.answer_with(left(amount))
                    await scraped(amount)
                await stop(exporter, signal.SIGKILL)
        constant = (
            "(sms_credit_balance + on (account, currency) sms_credit_spent_total"
            " - on (account, currency) sms_credit_topped_up_total)[5m:1s]"
        )
        assert await result(f"min_over_time({constant})") == pytest.approx(100)
        assert await result(f"max_over_time({constant})") == pytest.approx(100)
        assert await result("resets(sms_credit_spent_total[5m])") == 0
        assert await result("resets(sms_credit_polls_total[5m])") == 0
        assert await result("last_over_time(sms_credit_spent_total[5m])") == pytest.approx(9.76)
        assert await result("last_over_time(sms_credit_topped_up_total[5m])") == pytest.approx(59.75)
        spent = "increase(sms_credit_spent_total[5m])"
        assert await result(spent) == pytest.approx(9.76, rel=0.3)  # it adds at most the distance of two samples


async def test_held_values_end_when_they_are_stale_whoever_read_them(installed: Installed) -> None:
    """What is too old when the exporter comes back is unknown, and the next reading is shown again."""
    installed.configure(poll_interval="2s", stale_after="2s")
    async with installed.running() as exporter:
        await read(exporter, 100)
        await stop(exporter)
    installed.simulated.answer_with(NoAnswer.CUT)
    await asyncio.sleep(2)
    async with installed.running() as exporter:
        assert list(await values(exporter, "balance", "polls_total")) == ["polls_total"]
        installed.simulated.answer_with(left(99))
        await read(exporter, 99)


async def test_other_credentials_begin_anew(installed: Installed) -> None:
    """What is known belongs to who asked for it, and to nobody else."""
    async with installed.running() as exporter:
        await read(exporter, 100)
        await stop(exporter)
    installed.simulated = installed._providers.add("23telecom", left(7))  # noqa: SLF001 - another customer's account
    installed.configure()
    async with installed.running() as exporter:
        await exporter.logged(r'account=a .*reason="What was remembered belongs to other credentials\.')
        await read(exporter, 7)
        assert (await values(exporter, "polls_total", "spent_total")) == {"polls_total": 1, "spent_total": 0}


async def test_an_account_that_comes_back_goes_on(
    start: Start, config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """It was commented out, say, and reloaded both times."""
    one, other = (providers.configured(name, providers.add("23telecom"), poll_interval="1h") for name in ("a", "b"))
    file = config_file(one, other)
    async with start("serve", f"--config.file={file}", f"--storage.path={tmp_path / 's.db'}", LISTEN) as exporter:
        await read(exporter, 1250.5)
        for turn, accounts in enumerate(([other], [one, other]), 1):
            config_file(*accounts)
            exporter.process.send_signal(signal.SIGHUP)
            await exporter.logged("configuration reloaded", turn)
        assert (await values(exporter, "polls_total", "balance")) == {"polls_total": 1, "balance": 1250.5}


# --- files that fail ----------------------------------------------------------------------------------------------


async def test_a_second_exporter_is_refused_while_the_first_runs(installed: Installed) -> None:
    """In words, before it has asked any provider; it starts once the first has ended."""
    async with installed.running() as exporter:
        await read(exporter, 100)
        assert await installed.refuses_to_start() == "--storage.path: FILE: another exporter is using the file"
        await stop(exporter, signal.SIGKILL)
    async with installed.running() as exporter:
        await read(exporter, 100)
    assert len(installed.simulated.requests) == 1


def of_another_program(file: Path) -> None:
    """Make a database that has nothing to do with the exporter."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE dashboards (id INTEGER)")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        pytest.param(lambda file: file.parent.rmdir(), "is no file in a folder that exists", id="no such folder"),
        pytest.param(lambda file: file.mkdir(), "is no file in a folder that exists", id="a folder"),
        pytest.param(of_another_program, "belongs to another program", id="a database of others"),
    ],
)
async def test_what_somebody_has_to_see_to_is_told_at_the_start(
    installed: Installed, spoil: Callable[[Path], None], complaint: str
) -> None:
    """Nothing is touched."""
    spoil(installed.file)
    assert await installed.refuses_to_start() == f"--storage.path: FILE: {complaint}"
    assert not installed.simulated.requests


async def test_the_configuration_is_no_storage(installed: Installed) -> None:
    """A slip on the command line costs nobody his configuration."""
    before = installed.content()
    installed.file = installed.config
    installed.configure()
    assert await installed.refuses_to_start() == "--storage.path: FILE: is the configuration file"
    assert installed.content() == before


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _overwrite(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)


def _change_a_text(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE accounts SET state = replace(state, '100', '999')")


def _newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA user_version = 2")


@pytest.mark.parametrize(
    ("spoil", "said", "aside"),
    [
        pytest.param(lambda file: file.write_text("no database\n"), "the file is damaged", "damaged", id="text"),
        pytest.param(_cut, "the file is damaged", "damaged", id="cut off"),
        pytest.param(_overwrite, "the file is damaged", "damaged", id="overwritten"),
        pytest.param(_newer, "the file is newer", "newer", id="of a newer version"),
        pytest.param(lambda file: file.write_bytes(b""), "", None, id="emptied"),
        pytest.param(_change_a_text, "What was remembered of the account is damaged", None, id="one account damaged"),
    ],
)
async def test_what_cannot_be_used_is_set_aside_in_words(
    installed: Installed, spoil: Callable[[Path], None], said: str, aside: str | None
) -> None:
    """The account begins anew with true numbers, and is remembered again."""
    async with installed.running() as exporter:
        await read(exporter, 100)
        await stop(exporter)
    spoil(installed.file)
    spoilt = installed.file.read_bytes()
    installed.simulated.answer_with(left(80))
    async with installed.running() as exporter:
        await read(exporter, 80)
        assert (await values(exporter, "spent_total")) == {"spent_total": 0}
        assert not said or exporter.matching(said)
        await stop(exporter)
    set_aside = [each for each in installed.file.parent.iterdir() if each != installed.file]
    assert [each.name for each in set_aside] == ([f"storage.db.{aside}"] if aside else [])
    assert all(each.read_bytes() == spoilt for each in set_aside)
    async with installed.running() as exporter:
        assert (await values(exporter, "balance")) == {"balance": 80}


async def test_a_full_disk_ends_nothing_and_is_told_once(installed: Installed) -> None:
    """Numbers go on from memory; once there is room again, nothing is missing in the file."""
    installed.configure(poll_interval="1s")
    async with installed.running() as exporter:
        await read(exporter, 100)
        _, most = resource.prlimit(exporter.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(exporter.process.pid, resource.RLIMIT_FSIZE, (0, most))
        installed.simulated.answer_with(left(90))
        await read(exporter, 90)
        await exporter.shows(f"{WORKS} 0.0")
        installed.simulated.answer_with(left(85))
        await read(exporter, 85)
        assert len(exporter.matching("what is known is not stored")) == 1
        resource.prlimit(exporter.process.pid, resource.RLIMIT_FSIZE, (most, most))
        await exporter.logged("what is known is stored again")
        await exporter.shows(f"{WORKS} 1.0")
        await stop(exporter, signal.SIGKILL)
    installed.configure(poll_interval="5m")
    async with installed.running() as exporter:
        assert (await values(exporter, "balance", "spent_total")) == {"balance": 85, "spent_total": 15}


@asynccontextmanager
async def without_privileges(http: httpx.AsyncClient, *arguments: str, cwd: Path) -> AsyncIterator[Running]:
    """Start an exporter for whom a file's mode counts, even if it is root that tests."""
    drop = shutil.which("setpriv")
    assert drop, "setpriv of util-linux is needed"
    program = ("-c", PLAIN_USER, drop, "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override")
    async with running(http, *arguments, cwd=cwd, env={}, program=program) as exporter:
        yield exporter


PLAIN_USER = """
import os, sys
drop = [] if os.geteuid() else sys.argv[1:4]
os.execvp((drop or [sys.executable])[0], [*drop, sys.executable, "-m", "sms_credit_exporter", *sys.argv[4:]])
"""


@pytest.mark.parametrize(
    ("how", "spoil"),
    [
        pytest.param(signal.SIGTERM, lambda _: None, id="after a clean end"),
        pytest.param(signal.SIGKILL, lambda _: None, id="after a crash"),
        pytest.param(signal.SIGTERM, as_an_older_exporter_had_it, id="of an older exporter"),
    ],
)
async def test_a_file_that_is_read_only_is_read(
    installed: Installed, http: httpx.AsyncClient, how: signal.Signals, spoil: Callable[[Path], None]
) -> None:
    """A disk that turned read-only keeps nobody from watching; once it can be written, everything is stored."""
    installed.configure(poll_interval="1s")
    async with installed.running() as exporter:
        await read(exporter, 100)
        installed.simulated.answer_with(left(93))
        await read(exporter, 93)
        await asyncio.sleep(0.5)
        await stop(exporter, how)
    spoil(installed.file)
    files = [installed.file.parent, *installed.file.parent.iterdir()]
    modes = [each.stat().st_mode for each in files]
    for each in files:
        each.chmod(0o555)
    installed.simulated.answer_with(NoAnswer.CUT)
    async with without_privileges(http, *installed.arguments, cwd=installed.file.parent) as exporter:
        await exporter.logged('what is known is not stored.*reason="Permission denied"')
        found = await values(exporter, "balance", "spent_total")
        assert found == {"balance": 93, "spent_total": 7}
        assert f"{WORKS} 0.0" in await exporter.metrics()
        for each, mode in zip(files, modes, strict=True):
            each.chmod(mode)
        await exporter.logged("what is known is stored again")


async def test_without_the_option_nothing_is_written(installed: Installed) -> None:
    """Nor is there a metric about it."""
    installed.arguments = tuple(each for each in installed.arguments if not each.startswith("--storage"))
    async with installed.running() as exporter:
        await read(exporter, 100)
        assert not [line for line in await exporter.metrics() if line.startswith(WORKS)]
        await stop(exporter)
    assert not list(installed.file.parent.iterdir())


# --- the file itself ----------------------------------------------------------------------------------------------

TELECOM = PROVIDERS["23telecom"]
READING = Reading(
    balance=Decimal(100),
    currency="EUR",
    quota=None,
    credits=None,
    credit_blocked=False,
    provider_updated=None,
    quality=Quality.COMPLETE,
)


def account(name: str = "a") -> AccountConfig:
    """Configure an account."""
    credentials = {"api_key": Secret("sk_prod_0123456789")}
    return AccountConfig(
        name=name, provider=TELECOM, credentials=credentials, base_url=TELECOM.base_url, limits=Limits()
    )


def polled(seconds_ago: float = 0) -> Account:
    """Return an account that was polled so long ago."""
    at = Instant.recorded(time.time() - seconds_ago, Instant.now())
    return Account().asking(at).after(READING, at, 0.2)


def test_only_its_user_can_read_the_file_and_no_credential_is_in_it(tmp_path: Path) -> None:
    """Beside it there is nothing once the exporter has ended."""
    storage = Storage(tmp_path / "s.db")
    asyncio.run(storage.remember(account(), polled()))
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}
    asyncio.run(storage.close())
    assert [each.name for each in tmp_path.iterdir()] == ["s.db"]
    assert b"sk_prod" not in (tmp_path / "s.db").read_bytes()


async def test_an_account_is_forgotten_a_month_after_it_was_taken_out(tmp_path: Path) -> None:
    """Not before, and not while it is configured, however long the exporter did not run."""
    storage = Storage(tmp_path / "s.db")
    for name in ("configured", "gone", "just gone"):
        await storage.remember(account(name), polled())
    await storage.close()
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        connection.execute("UPDATE accounts SET written = written - 31 * 86400 WHERE name != 'just gone'")
    storage = Storage(tmp_path / "s.db")
    storage.keep({"configured"})
    known = storage.recall([account(name) for name in ("configured", "gone", "just gone")])
    assert {name: each.account.polls for name, each in known.items()} == {"configured": 1, "gone": 0, "just gone": 1}
    await storage.close()


@pytest.mark.parametrize("hours", [2, 24 * 400])
async def test_a_clock_that_was_set_back_neither_hurries_nor_stops_the_polls(
    hours: int, start: Start, config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """What was read at a time that has not come yet is not shown, and the next poll is an interval away at most."""
    simulated = providers.add("23telecom")
    configured = providers.configured("a", simulated, poll_interval="2s")
    storage = Storage(tmp_path / "s.db")
    config = replace(
        account(),
        credentials={name: Secret(value) for name, value in simulated.credentials.items()},
        base_url=str(configured["base_url"]),
    )
    await storage.remember(config, polled(-3600 * hours))
    await storage.close()
    begun = time.monotonic()
    async with start(
        "serve", f"--config.file={config_file(configured)}", f"--storage.path={tmp_path / 's.db'}", LISTEN
    ) as exporter:
        assert not await values(exporter, "balance")
        await read(exporter, 1250.5)
        assert (await values(exporter, "polls_total"))["polls_total"] >= 2
    assert time.monotonic() - begun < 10


async def test_what_many_accounts_write_at_once_is_one_transaction(tmp_path: Path) -> None:
    """All of them are safe when their call returns, and all come back."""
    storage = Storage(tmp_path / "s.db")
    names = [f"a{number}" for number in range(1200)]
    commits: list[str] = []
    assert storage._connection  # noqa: SLF001 - SQLite says what reaches it
    storage._connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)  # noqa: SLF001
    await asyncio.gather(*(storage.remember(account(name), polled()) for name in names))
    assert len(commits) == 1
    await storage.close()
    storage = Storage(tmp_path / "s.db")
    known = storage.recall([account(name) for name in names])
    assert {name: each.account.polls for name, each in known.items()} == dict.fromkeys(names, 1)
    await storage.close()
