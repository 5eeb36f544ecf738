"""Thousands of accounts, good and bad: twice as many take twice as long, to load, to recall and to take over."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from sms_credit_core import Account, Instant, Owner, Secret, recalled, remembered
from sms_credit_exporter.config import ConfigError, load
from sms_credit_exporter.watch import Watch
from tests.core.readings import READING
from tests.exporter.running import command

MANY = 10_000
PATIENCE = 6.0
"""Seconds of this process's own time for so many accounts, on a slow machine."""


def accounts(each: Callable[[int], str], count: int = MANY) -> str:
    """Return a configuration in YAML."""
    return "accounts:\n" + "".join(map(each, range(count)))


def keys(count: int) -> str:
    """Return as many keys that nobody knows."""
    return "".join(f"key-{number}: x\n" for number in range(count))


def sound(number: int) -> str:
    """Return an account without mistakes."""
    return (
        f"  - name: account-{number}\n"
        "    provider: iletimerkezi\n"
        f"    credentials: {{api_key: made-up-key-{number}, api_hash: made-up-hash-{number}}}\n"
        "    low_balance: 50\n"
        "    poll_interval: 10m\n"
    )


def of_files(number: int) -> str:
    """Return an account whose credentials are in files."""
    return f"  - name: account-{number}\n    provider: 23telecom\n    credentials: {{api_key_file: secrets/{number}}}\n"


def wrong(number: int) -> str:
    """Return an account with four mistakes."""
    return (
        f"  - name: ' account-{number}'\n"
        "    provider: 23telecom\n"
        f"    credentials: {{api_key_env: {number}}}\n"
        f"    low_balence: {number}\n"
        "    poll_interval: 1s\n"
    )


def unknown(number: int) -> str:
    """Return an account of an unknown provider."""
    return f"  - {{name: account-{number}, provider: someone-{number}, credentials: {{}}}}\n"


def the_same(_: int) -> str:
    """Return an account that is in the file already."""
    return "  - {name: otp, provider: 23telecom, credentials: {api_key: made-up-key}}\n"


@pytest.fixture
def seconds() -> Callable[[], float]:
    """Return a function that gives the processor time that this process has used since now."""
    gc.collect()
    begun = time.process_time()
    return lambda: time.process_time() - begun


def test_good_accounts_load_soon(tmp_path: Path, seconds: Callable[[], float]) -> None:
    """While accounts load, every series has a gap."""
    (tmp_path / "config.yml").write_text(accounts(sound))
    assert len(load(tmp_path / "config.yml", {}).accounts) == MANY
    assert seconds() < PATIENCE


def test_accounts_with_a_secret_file_each_load_soon(tmp_path: Path, seconds: Callable[[], float]) -> None:
    """Mounted secrets are one file for each."""
    (tmp_path / "secrets").mkdir()
    for number in range(MANY):
        (tmp_path / "secrets" / str(number)).write_text(f"made-up-key-{number}\n")
    (tmp_path / "config.yml").write_text(accounts(of_files))
    config = load(tmp_path / "config.yml", {})
    assert config.accounts[-1].credentials["api_key"].reveal() == f"made-up-key-{MANY - 1}"
    assert seconds() < PATIENCE


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda number: f"all/{number}.yml", id="one folder"),
        pytest.param(lambda number: f"{number}/accounts.yml", id="a folder for each"),
    ],
)
def test_accounts_with_a_file_each_load_soon(
    tmp_path: Path, seconds: Callable[[], float], place: Callable[[int], str]
) -> None:
    """As one template for each customer gives them, with labels and a secret beside each."""
    for number in range(MANY):
        file = tmp_path / place(number)
        file.parent.mkdir(exist_ok=True)
        account = of_files(number).replace(f"secrets/{number}", f"{number}.key")
        file.write_text(f"{account}    labels: {{team: t{number % 100}, customer: c{number}}}\n")
        (file.parent / f"{number}.key").write_text(f"made-up-key-{number}\n")
    (tmp_path / "config.yml").write_text("accounts_files: ['*/*.yml']\n")
    assert len(load(tmp_path / "config.yml", {}).accounts) == MANY
    assert seconds() < 2 * PATIENCE


def test_loading_takes_little_more_memory_than_what_it_returns(tmp_path: Path) -> None:
    """Reloads come again and again, beside all that the exporter knows."""
    (tmp_path / "config.yml").write_text(accounts(sound, 1000))
    load(tmp_path / "config.yml", {})
    tracemalloc.start()
    try:
        config = load(tmp_path / "config.yml", {})
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(config.accounts) == 1000
    assert most < 2.5 * kept


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        pytest.param(accounts(wrong), 4 * MANY, id="four mistakes in each account"),
        pytest.param(accounts(unknown), MANY, id="as many providers that there are not"),
        pytest.param(accounts(the_same), 2 * (MANY - 1), id="the same account again and again"),
        pytest.param(accounts(lambda _: "  - x\n"), MANY, id="text for accounts"),
        pytest.param(accounts(lambda _: "  - x\n", 1_000_000), 1, id="a million pieces of text"),
        pytest.param(keys(200_000), 1, id="keys that nobody knows"),
        pytest.param(accounts(sound, 1) + keys(99), 99, id="a hundred keys, of which one is known"),
        pytest.param(accounts(sound, 1) + keys(100), 1, id="one key more, which is no configuration any more"),
        pytest.param(f"accounts: [{'[' * 100_000}", 1, id="lists in lists"),
        pytest.param(
            f"a: &a {{name: x}}\naccounts: [{'*a, ' * 99_999}]", 1 + 3 * 99_999 - 1, id="aliases of one account"
        ),
    ],
)
def test_bad_accounts_are_told_soon(tmp_path: Path, seconds: Callable[[], float], text: str, mistakes: int) -> None:
    """Every mistake is reported, in the order of the file."""
    (tmp_path / "config.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.yml", {})
    lines = [mistake.line or 0 for mistake in caught.value.mistakes]
    assert len(lines) == mistakes
    assert lines == sorted(lines)
    assert seconds() < 3 * PATIENCE


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        pytest.param("check", MANY, id="`check` tells each"),
        pytest.param("balance", 20, id="others tell the first twenty"),
        pytest.param("serve", 20, id="others tell the first twenty, also at the start of a service"),
    ],
)
async def test_how_many_mistakes_are_printed(tmp_path: Path, name: str, lines: int) -> None:
    """Nobody reads ten thousand lines, so some are left out; their number never is."""
    (tmp_path / "config.yml").write_text(accounts(unknown))
    code, _, err = await command(name, "--config.file=config.yml", cwd=tmp_path)

    *told, last = err.splitlines()
    assert (code, last) == (1, f"{MANY} mistakes in the configuration.")
    assert [line for line in told if line.startswith("config.yml:")] == told[:lines]
    assert told[lines:] == ([] if lines == MANY else [f"and {MANY - lines:,} more"])


def learned(days: int) -> Account:
    """Return an account that has been read each hour for so long."""
    now = Instant.now()
    account = Account()
    for hour in range(24 * days):
        ago = 3600.0 * (24 * days - hour)
        at = Instant(now.unix - ago, now.monotonic - ago)
        account = account.after(replace(READING, balance=Decimal(10_000 - hour % 50 - hour)), at, 0.1)
    return account


def test_what_was_learned_in_weeks_is_recalled_as_soon_as_what_was_learned_in_a_day(
    seconds: Callable[[], float],
) -> None:
    """Nothing listens before all accounts are recalled, so nothing is worked out again."""
    owner = Owner(provider="23telecom", base_url="https://example.com", credentials={"api_key": Secret("made-up-key")})

    def takes(text: str) -> float:
        begun = seconds()
        for _ in range(300):
            assert isinstance(recalled(text, owner, Instant.now()), Account)
        return seconds() - begun

    texts = [remembered(learned(days), owner) for days in (1, 21)]
    day, weeks = (min(takes(text) for _ in range(3)) for text in texts)
    assert weeks < 2.5 * day


def test_a_reload_is_worked_out_beside_the_scrapes(tmp_path: Path, seconds: Callable[[], float]) -> None:
    """What is left to do between two of them is little where little has changed, and nothing is held twice."""
    (tmp_path / "config.yml").write_text(accounts(sound))
    watch = Watch(load(tmp_path / "config.yml", {}))
    before = {view.config.name: view.config for view in watch.views()}
    (tmp_path / "config.yml").write_text(accounts(sound, MANY + 1))
    config = load(tmp_path / "config.yml", {})

    begun = seconds()
    plan = watch.planned(config)
    planned = seconds()
    watch.take_over(plan)
    assert seconds() - planned < (planned - begun) / 2
    assert [view.config.name for view in watch.views()] == [account.name for account in config.accounts]

    plan = watch.planned(load(tmp_path / "config.yml", {}))
    planned_again = seconds()
    watch.take_over(plan)
    assert seconds() - planned_again < (planned - begun) / 10
    assert all(view.config is before.get(view.config.name, view.config) for view in watch.views())
