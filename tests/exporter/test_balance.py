"""`balance` on a terminal, as a monitoring plugin, and for some accounts only; test_cli.py has table and JSON."""

import asyncio
import os
import pty
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sms_credit_exporter.simulator.behaviour import NoAnswer
from tests.e2e.gallery import IN_CREDITS
from tests.exporter.running import PATIENCE, Providers, command

ConfigFile = Callable[..., Path]

ERASE = "\x1b[K"


async def on_a_terminal(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, piped: bool = False
) -> tuple[int, str, str]:
    """Run a command with standard error, and standard output unless that is piped, on a terminal.

    Return the exit code, what the terminal got, and what the pipe got.
    """
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sms_credit_exporter", *arguments),
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE if piped else theirs,
        stderr=theirs,
        cwd=cwd,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **(env or {})},
    )
    os.close(theirs)
    shown = asyncio.create_task(asyncio.to_thread(_drained, ours))
    async with asyncio.timeout(PATIENCE):
        out = await process.stdout.read() if process.stdout else b""
        code, seen = await process.wait(), await shown
    os.close(ours)
    return code, seen.decode().replace("\r\n", "\n"), out.decode()


def _drained(terminal: int) -> bytes:
    data = b""
    try:
        while more := os.read(terminal, 4096):
            data += more
    except OSError:  # how Linux says that nobody has the other end any more
        pass
    return data


def table_of(seen: str) -> str:
    """Return what stands on a terminal below the progress line, which has been erased."""
    *_, table = seen.rpartition(f"\r{ERASE}")
    return table


# --------------------------------------------------------------------------------------------------------- a terminal

HEADING = "ACCOUNT  PROVIDER   STATUS"


async def test_a_terminal_has_colours_and_progress(
    config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """What is bad is red, what is low yellow, what is enough green; a line counts the accounts, and goes away."""
    file = config_file(
        providers.configured("a", providers.add("23telecom"), low_balance=1),
        providers.configured("b", providers.add("23telecom"), low_balance=2000),
        providers.configured("c", providers.add("23telecom", "negative_balance_blocked")),
        providers.configured("d", providers.add("23telecom", "error_forbidden")),
    )
    code, seen, _ = await on_a_terminal("balance", f"--config.file={file}", cwd=tmp_path)

    counted = re.findall(rf"\r(\d) of 4 accounts asked{re.escape(ERASE)}", seen)
    assert (code, counted) == (1, ["0", "1", "2", "3", "4"])
    heading, *rows = table_of(seen).splitlines()
    assert heading.startswith("\x1b[1mACCOUNT\x1b[0m")
    assert [re.findall(r"\x1b\[(\d+)m([a-z_]+)\x1b\[0m", row) for row in rows[:4]] == [
        [("32", "enough")],
        [("33", "low")],
        [("31", "blocked")],
        [("31", "access_denied")],
    ]
    _, plain, _ = await on_a_terminal("balance", f"--config.file={file}", "--color=never", cwd=tmp_path)
    assert re.sub(r"\x1b\[\d+m", "", table_of(seen)) == table_of(plain)


@pytest.mark.parametrize(
    ("arguments", "env", "coloured"),
    [
        pytest.param([], {}, True, id="by default"),
        pytest.param([], {"NO_COLOR": "1"}, False, id="but not with NO_COLOR"),
        pytest.param([], {"TERM": "dumb"}, False, id="nor on a terminal that cannot"),
        pytest.param(["--color=never"], {}, False, id="nor if told not to"),
        pytest.param(["--color=always"], {"NO_COLOR": "1"}, True, id="what is asked for comes before NO_COLOR"),
    ],
)
async def test_when_a_terminal_has_colours(  # noqa: PLR0913, PLR0917 - a row, and what it needs
    config_file: ConfigFile,
    providers: Providers,
    tmp_path: Path,
    arguments: list[str],
    env: dict[str, str],
    coloured: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """It is a matter of the terminal, of the environment and of the option, in this order."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    _, seen, _ = await on_a_terminal("balance", f"--config.file={file}", *arguments, cwd=tmp_path, env=env)
    assert ("\x1b[1m" in seen) == coloured


async def test_what_is_piped_has_none_of_it(config_file: ConfigFile, providers: Providers, tmp_path: Path) -> None:
    """Progress still goes to the terminal; `--color=always` is for pagers."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    _, seen, out = await on_a_terminal("balance", f"--config.file={file}", cwd=tmp_path, piped=True)
    assert out.startswith(HEADING)
    assert seen.endswith(f"\r1 of 1 account asked{ERASE}\r{ERASE}")
    _, _, out = await on_a_terminal("balance", f"--config.file={file}", "--color=always", cwd=tmp_path, piped=True)
    assert out.startswith("\x1b[1mACCOUNT")
    code, out, err = await command("balance", f"--config.file={file}", cwd=tmp_path)
    assert (code, out[: len(HEADING)], err) == (0, HEADING, "")


# ------------------------------------------------------------------------------------------------------ some accounts


async def test_only_some_accounts_are_asked(config_file: ConfigFile, providers: Providers, tmp_path: Path) -> None:
    """Others have no request and no row; a name that is not there is told before anybody is asked."""
    accounts = {name: providers.add("23telecom") for name in ("a", "b", "c")}
    file = config_file(*(providers.configured(name, account) for name, account in accounts.items()))
    code, out, _ = await command("balance", f"--config.file={file}", "--account=c", "--account=a", cwd=tmp_path)
    assert (code, [line.split()[0] for line in out.splitlines()]) == (0, ["ACCOUNT", "a", "c"])

    code, out, err = await command("balance", f"--config.file={file}", "--account=x", "--account=a", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "error: --account: there is no account “x”\n" in err
    assert [len(account.requests) for account in accounts.values()] == [1, 0, 1]


async def test_many_accounts_at_one_place_take_turns(
    config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """All of them are asked, at most as many at once as `serve` would."""
    accounts = [providers.add("23telecom") for _ in range(200)]
    file = config_file(*(providers.configured(f"a{number}", account) for number, account in enumerate(accounts)))
    code, out, err = await command("balance", f"--config.file={file}", cwd=tmp_path)
    assert (code, len(out.splitlines()), err) == (0, 201, "")
    assert {len(account.requests) for account in accounts} == {1}


# -------------------------------------------------------------------------------------------------- monitoring plugins

OK, WARNING, CRITICAL, UNKNOWN = range(4)

PERFDATA = re.compile(r"'[^'=]+'=-?[0-9]+(\.[0-9]+)?(;@~:[0-9]+(\.[0-9]+)?)?( '[^'=]+'=-?[0-9.]+(;@~:[0-9.]+)?)*")
"""'label'=value;warn as the guidelines have them: @ is a range that is bad inside, ~ is negative infinity."""


@pytest.mark.parametrize(
    ("provider", "answer", "limits", "code", "text"),
    [
        pytest.param("23telecom", "healthy", {}, OK, "OK - a: 1,250.50 EUR | 'a balance'=1250.50", id="healthy"),
        pytest.param(
            "23telecom",
            "healthy",
            {"low_balance": 1250.5},
            WARNING,
            "WARNING - a: low, 1,250.50 EUR | 'a balance'=1250.50;@~:1250.5",
            id="at its limit",
        ),
        pytest.param(
            "iletimerkezi",
            "healthy",
            {"low_quota": 67},
            WARNING,
            "WARNING - a: low, 10.584 TRY, 67 messages | 'a balance'=10.584 'a quota'=67;@~:67",
            id="at its limit of messages",
        ),
        pytest.param(
            "iletimerkezi",
            "sms_credit_account",
            {},
            OK,
            "OK - a: 0.00 TRY, 18,343 messages | 'a balance'=0 'a quota'=18343",
            id="no money but messages",
        ),
        pytest.param(
            IN_CREDITS,
            "whole",
            {"message_price": 2},
            OK,
            "OK - a: 500.00 credits, 250 messages | 'a quota'=250 'a credits'=500",
            id="credits",
        ),
        pytest.param(
            "23telecom",
            "negative_balance_blocked",
            {"low_balance": 5},
            CRITICAL,
            "CRITICAL - a: blocked, empty, low, -3.21 EUR | 'a balance'=-3.21;@~:5",
            id="blocked",
        ),
        pytest.param(
            "twilio",
            "zero",
            {},
            CRITICAL,
            "CRITICAL - a: empty, 0.00 USD | 'a balance'=0<zeros>",
            id="empty, at a provider that does not say blocked",
        ),
        pytest.param(
            "23telecom",
            "onboarding",
            {},
            OK,
            "OK - a: onboarding: The provider is still setting up this account.",
            id="in onboarding, which is no error",
        ),
        pytest.param("23telecom", "error_forbidden", {}, UNKNOWN, "UNKNOWN - a: access_denied: ", id="refused"),
        pytest.param(
            "23telecom", "unavailable_cache_disabled", {}, UNKNOWN, "UNKNOWN - a: unavailable: ", id="no data"
        ),
        pytest.param("23telecom", NoAnswer.CUT, {}, UNKNOWN, "UNKNOWN - a: unreachable: ", id="unreachable"),
    ],
)
async def test_an_account_as_a_service(  # noqa: PLR0913, PLR0917 - a row, and what it needs
    config_file: ConfigFile,
    providers: Providers,
    tmp_path: Path,
    provider: str,
    answer: str,
    limits: dict[str, object],
    code: int,
    text: str,
) -> None:
    """One line, numbers behind a bar, and the state as the exit code."""
    file = config_file(providers.configured("a", providers.add(provider, answer), **limits))
    outcome = await command("balance", "--output=nagios", f"--config.file={file}", cwd=tmp_path)
    pattern = re.escape(f"SMS CREDIT {text}").replace("<zeros>", r"(\.0+)?")
    assert outcome[0] == code
    assert re.match(pattern, outcome[1])
    assert outcome[2] == ""
    assert outcome[1].count("\n") == 1
    _, bar, numbers = outcome[1].strip().partition(" | ")
    assert not bar or PERFDATA.fullmatch(numbers)


async def test_several_accounts_as_one_service(config_file: ConfigFile, providers: Providers, tmp_path: Path) -> None:
    """The worst comes first and is the exit code; a name cannot break the format, and a top-up ends it all."""
    accounts = {
        "fine": (providers.add("23telecom"), {}),
        "o'=|tp": (providers.add("23telecom"), {"low_balance": 2000}),
        "away": (providers.add("23telecom", NoAnswer.CUT), {}),
    }
    file = config_file(*(providers.configured(name, account, **more) for name, (account, more) in accounts.items()))
    arguments = ("balance", "--output=nagios", f"--config.file={file}")
    code, out, _ = await command(*arguments, cwd=tmp_path)
    summary, low, away, fine = out.splitlines()
    assert (code, summary) == (WARNING, "SMS CREDIT WARNING - 1 of 3 accounts: o'=/tp")
    assert low == "WARNING: o'=/tp: low, 1,250.50 EUR"
    assert away.startswith("UNKNOWN: away: unreachable: ")
    assert fine == "OK: fine: 1,250.50 EUR | 'o___tp balance'=1250.50;@~:2000 'fine balance'=1250.50"

    accounts["away"][0].answer_with("negative_balance_blocked")
    code, out, _ = await command(*arguments, cwd=tmp_path)
    assert (code, out.splitlines()[0]) == (CRITICAL, "SMS CREDIT CRITICAL - 1 of 3 accounts: away")

    accounts["away"][0].answer_with("healthy")
    code, out, _ = await command(*arguments, "--account=away", "--account=fine", cwd=tmp_path)
    assert (code, out.splitlines()[0]) == (OK, "SMS CREDIT OK - 2 accounts")


@pytest.mark.parametrize(
    ("text", "env", "told"),
    [
        pytest.param(
            "accounts: []", {}, "config.yml:1: accounts: must be a list of at least one account", id="mistake"
        ),
        pytest.param(
            "accounts_files: ['*.yaml']", {"SSL_CERT_FILE": "no"}, "SSL_CERT_FILE: the file cannot be", id="environment"
        ),
        pytest.param("accounts_files: ['*.yaml']", {}, "no accounts", id="nothing to ask for"),
    ],
)
async def test_what_cannot_be_asked_is_unknown(tmp_path: Path, text: str, env: dict[str, str], told: str) -> None:
    """Told on standard output, which is all that a monitoring system reads; exit code 1 would be a warning."""
    (tmp_path / "config.yml").write_text(text)
    code, out, err = await command("balance", "--output=nagios", "--config.file=config.yml", cwd=tmp_path, env=env)
    assert (code, err) == (UNKNOWN, "")
    assert out.startswith(f"SMS CREDIT UNKNOWN - {told}")
    assert out.count("\n") == 1
