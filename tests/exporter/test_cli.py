"""The commands that run to an end, as a shell or a monitoring script meets them."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest

from sms_credit_core import PROVIDERS
from sms_credit_exporter.config.keys import ACCOUNT_KEYS
from sms_credit_exporter.simulator.behaviour import NoAnswer
from tests.exporter.running import LISTEN, PATIENCE, Providers, command, free_port

ConfigFile = Callable[..., Path]


async def test_check_accepts_a_good_file(config_file: ConfigFile, providers: Providers, tmp_path: Path) -> None:
    """The command says so on standard output and ends with 0. No provider is asked."""
    account = providers.add("23telecom")
    file = config_file(providers.configured("a", account))

    assert await command("check", f"--config.file={file}", cwd=tmp_path) == (
        0,
        f"{file}: no mistakes, 1 account.\n",
        "",
    )
    assert not account.requests


BAD = """\
accounts:
  - name: a
    provider: 23telecom
    credentials: {api_key: "sk_prod secret"}
    low_balence: 5
  - name: a
    provider: someone
"""


@pytest.mark.parametrize("name", ["check", "balance", "serve"])
async def test_every_mistake_is_told_in_one_run(name: str, tmp_path: Path) -> None:
    """Whatever the command, a bad file ends it with 1 and all mistakes, none of which repeats a credential."""
    (tmp_path / "bad.yml").write_text(BAD)
    code, out, err = await command(name, "--config.file=bad.yml", cwd=tmp_path)

    assert (code, out) == (1, "")
    assert err.splitlines() == [
        (
            "bad.yml:4: accounts[0].credentials.api_key: it holds a space, a line break or another character that no "
            "credential has"
        ),
        (
            "bad.yml:5: accounts[0].low_balence: is not a known key; did you mean low_balance? allowed are "
            + ", ".join(key.name for key in ACCOUNT_KEYS)
        ),
        "bad.yml:6: accounts[1].name: is also the name of accounts[0]; must be unique",
        "bad.yml:6: accounts[1].credentials: is missing",
        f"bad.yml:7: accounts[1].provider: found “someone”; must be one of {', '.join(PROVIDERS)}",
        "5 mistakes in the configuration.",
    ]


async def test_balance_prints_a_table(config_file: ConfigFile, providers: Providers, tmp_path: Path) -> None:
    """One poll of each account, side by side, and the reason of each that could not be read below."""
    accounts = {
        "marketing": (providers.add("23telecom"), {"low_balance": 2000, "message_price": 0.05}),
        "otp": (providers.add("iletimerkezi"), {}),
        "overdrawn": (providers.add("23telecom", "negative_balance_blocked"), {}),
        "new": (providers.add("23telecom", "onboarding"), {}),
        "locked": (providers.add("23telecom", "error_ip_not_allowed"), {}),
    }
    file = config_file(*(providers.configured(name, account, **more) for name, (account, more) in accounts.items()))
    code, out, err = await command("balance", f"--config.file={file}", cwd=tmp_path)

    assert (code, err) == (1, "")
    assert out == (
        "ACCOUNT    PROVIDER      STATUS              BALANCE      QUOTA  CREDIT\n"
        "marketing  23telecom     fresh          1,250.50 EUR     25,010  low\n"
        "otp        iletimerkezi  fresh            10.584 TRY         67  enough\n"
        "overdrawn  23telecom     fresh             -3.21 EUR  not given  blocked\n"
        "new        23telecom     onboarding          unknown  not given  unknown\n"
        "locked     23telecom     access_denied       unknown  not given  unknown\n"
        "\n"
        "new: The provider is still setting up this account.\n"
        "locked: The API key may not be used from this machine's IP address. Allow the address in the provider's panel."
        "\n"
    )
    assert [len(account.requests) for account, _ in accounts.values()] == [1] * 5


@pytest.mark.parametrize(
    ("provider", "answer", "limits", "code"),
    [
        pytest.param("23telecom", "healthy", {}, 0, id="healthy"),
        pytest.param("23telecom", "partial", {}, 0, id="partial"),
        pytest.param("23telecom", "healthy", {"low_balance": 1250.4}, 0, id="above its limit"),
        pytest.param("23telecom", "healthy", {"low_balance": 1250.5}, 1, id="at its limit"),
        pytest.param("23telecom", "zero_balance_blocked", {}, 1, id="blocked"),
        pytest.param("23telecom", "onboarding", {}, 0, id="in onboarding, which is no error"),
        pytest.param("23telecom", "unavailable_cache_disabled", {}, 1, id="without data"),
        pytest.param("23telecom", "error_forbidden", {}, 1, id="refused"),
        pytest.param("23telecom", NoAnswer.CUT, {}, 1, id="unreachable"),
        pytest.param("iletimerkezi", "sms_credit_account", {}, 0, id="no money but messages"),
        pytest.param("iletimerkezi", "healthy", {"low_quota": 67}, 1, id="at its limit of messages"),
    ],
)
async def test_the_exit_code_is_a_monitoring_scripts(  # noqa: PLR0913, PLR0917 - a row, and what it needs
    config_file: ConfigFile,
    providers: Providers,
    tmp_path: Path,
    provider: str,
    answer: str,
    limits: dict[str, object],
    code: int,
) -> None:
    """The exit code is 0 if nothing needs a person, and 1 otherwise."""
    file = config_file(providers.configured("a", providers.add(provider, answer), **limits))

    assert (await command("balance", f"--config.file={file}", cwd=tmp_path))[0] == code


async def test_balance_as_json(config_file: ConfigFile, providers: Providers, tmp_path: Path) -> None:
    """Numbers are numbers, what is not known is null, and every account has every member."""
    good, bad = providers.add("23telecom"), providers.add("iletimerkezi", "error_401")
    file = config_file(providers.configured("a", good, low_balance=5), providers.configured("b", bad))
    _, out, _ = await command("balance", "--json", f"--config.file={file}", cwd=tmp_path)
    first, second = json.loads(out)

    assert '"balance": 1250.5,' in out
    assert first == {
        "account": "a",
        "provider": "23telecom",
        "labels": {},
        "status": "fresh",
        "balance": 1250.5,
        "currency": "EUR",
        "quota_messages": None,
        "credits": None,
        "credit_blocked": False,
        "low": False,
        "provider_updated": "2026-02-13T10:15:00+00:00",
        "reason": None,
        "code": None,
    }
    assert first.keys() == second.keys()
    assert {name: value for name, value in second.items() if value is not None} == {
        "account": "b",
        "provider": "iletimerkezi",
        "labels": {},
        "status": "auth_failed",
        "reason": second["reason"],
        "code": "401",
    }
    assert "Allow API access" in second["reason"]


async def test_a_blocked_account_looks_fine_nowhere(
    config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """The reading is fresh and above the limit, and still only a top-up helps."""
    account = providers.add("23telecom", "negative_balance_blocked")
    file = config_file(providers.configured("a", account, low_balance=0, message_price=1, low_quota=0))

    code, out, _ = await command("balance", f"--config.file={file}", cwd=tmp_path)
    assert (code, out.splitlines()[1].split()[-2:]) == (1, ["blocked,", "low"])
    code, out, _ = await command("balance", "--json", f"--config.file={file}", cwd=tmp_path)
    assert (code, json.loads(out)[0]["credit_blocked"]) == (1, True)

    account.answer_with("healthy")
    code, out, _ = await command("balance", f"--config.file={file}", cwd=tmp_path)
    assert (code, out.splitlines()[1].split()[-1]) == (0, "enough")


# ------------------------------------------------------------------------------------------- where output goes


@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("arguments", [["check"], ["balance"], ["balance", "--json"]], ids=" ".join)
@pytest.mark.parametrize(
    ("redirection", "reason"),
    [
        pytest.param("> /dev/full", "No space left on device", id="a full disk"),
        pytest.param("| true", "Broken pipe", id="a reader that has ended"),
        pytest.param(">&-", "it is closed", id="nowhere"),
    ],
)
async def test_what_cannot_be_printed_is_told(  # noqa: PLR0913, PLR0917 - two fixtures, and three things that vary
    config_file: ConfigFile, tmp_path: Path, arguments: Sequence[str], redirection: str, reason: str, buffered: str
) -> None:
    """The command writes one line to standard error and ends with 1: to a script, no output is not a good answer."""
    file = config_file(UNREACHABLE)
    shell = f'set -o pipefail; "$@" {redirection}'
    program = (sys.executable, "-m", "sms_credit_exporter", *arguments, f"--config.file={file}")
    env = {"PYTHONUNBUFFERED": buffered}

    assert await run("bash", "-c", shell, "bash", *program, cwd=tmp_path, env=env) == (
        1,
        "",
        f"cannot write to standard output: {reason}\n",
    )


@pytest.mark.parametrize("redirection", ["> /dev/full 2> /dev/full", ">&- 2>&-"], ids=["a full disk", "nowhere"])
async def test_where_nobody_can_be_told_the_exit_code_remains(tmp_path: Path, redirection: str) -> None:
    """A mistake in the configuration ends the command with 1 even if nobody can read about it."""
    program = (sys.executable, "-m", "sms_credit_exporter", "check", "--config.file=nowhere.yml")

    assert await run("bash", "-c", f'"$@" {redirection}', "bash", *program, cwd=tmp_path) == (1, "", "")


async def test_help_into_a_full_disk(tmp_path: Path) -> None:
    """Argparse prints the help, but the failure reads as with every other output."""
    program = (sys.executable, "-m", "sms_credit_exporter", "--help")
    outcome = await run("bash", "-c", '"$@" > /dev/full', "bash", *program, cwd=tmp_path, env={"PYTHONUNBUFFERED": ""})

    assert outcome == (1, "", "cannot write to standard output: No space left on device\n")


@pytest.mark.parametrize(
    "env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}], ids=str
)
async def test_a_terminal_of_few_letters_gets_escapes(
    config_file: ConfigFile, tmp_path: Path, env: dict[str, str]
) -> None:
    """The table stays readable, the JSON means the same as elsewhere, and mistakes are reported."""
    file = config_file(UNREACHABLE | {"name": "Müşteri"})

    code, out, err = await command("balance", f"--config.file={file}", cwd=tmp_path, env=env)
    assert (code, out.count("M\\xfc\\u015fteri"), err) == (1, 2, "")
    code, out, err = await command("balance", "--json", f"--config.file={file}", cwd=tmp_path, env=env)
    assert (code, json.loads(out)[0]["account"], err) == (1, "Müşteri", "")

    folder = tmp_path / "Müşteri"
    folder.mkdir()
    code, _, err = await command("check", f"--config.file={folder}/nowhere.yml", cwd=tmp_path, env=env)
    assert (code, "cannot be read: No such file" in err, "Traceback" in err) == (1, True, False)


UNREACHABLE = {
    "name": "a",
    "provider": "23telecom",
    "credentials": {"api_key": "made-up-key"},
    "base_url": "http://127.0.0.1:9",
}
"""An account whose provider cannot be reached, which shows at once."""


async def run(*program: str, cwd: Path, env: dict[str, str] | None = None) -> tuple[int | None, str, str]:
    """Run a program to its end; return exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        *program,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env=os.environ | (env or {}),
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


# ------------------------------------------------------------------------------------------ the environment

NO_PROXY = "must be the address of an HTTP proxy such as http://proxy.example.com:3128; SOCKS is not supported"
NO_HOSTS = "must list host names or IP addresses, with commas between them"


@pytest.mark.parametrize("arguments", [["balance"], ["serve", LISTEN]], ids=["balance", "serve"])
@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        pytest.param(
            "SSL_CERT_FILE", "nowhere.pem", "the file cannot be read: No such file or directory", id="no authorities"
        ),
        pytest.param("SSL_CERT_FILE", ".", "the file cannot be read: Is a directory", id="a folder for authorities"),
        pytest.param("SSL_CERT_FILE", "config.yml", "the file holds no certificate in PEM", id="text for authorities"),
        pytest.param("SSL_CERT_FILE", "/dev/zero", "the file is not a regular file", id="an endless authority"),
        pytest.param("SSL_CERT_DIR", "nowhere", "is not a folder that can be read", id="no folder of authorities"),
        pytest.param("HTTPS_PROXY", "socks5://127.0.0.1:9", NO_PROXY, id="a SOCKS proxy"),
        pytest.param("https_proxy", "made-up://user:made-up-password@x", NO_PROXY, id="a proxy of an unknown kind"),
        pytest.param("ALL_PROXY", "http://user:made-up-password@x:y", NO_PROXY, id="a proxy on no port"),
        pytest.param("HTTP_PROXY", "http://[::1", NO_PROXY, id="a proxy at no address"),
        pytest.param("NO_PROXY", "127.0.0.1,fe80::/10", NO_HOSTS, id="a network where a host must be"),
    ],
)
async def test_a_bad_variable_is_told_before_anything_is_done(  # noqa: PLR0913, PLR0917 - a row, and what it needs
    config_file: ConfigFile, tmp_path: Path, arguments: Sequence[str], variable: str, value: str, problem: str
) -> None:
    """The error is one line with the variable's name but not its value; without the variable everything works."""
    file = config_file(UNREACHABLE)
    env = {"SSL_CERT_FILE": "", variable: value}

    assert await command(*arguments, f"--config.file={file}", cwd=tmp_path, env=env) == (
        1,
        "",
        f"{variable}: {problem}\n",
    )
    assert (await command("check", f"--config.file={file}", cwd=tmp_path, env=env))[0] == 0


async def test_a_good_variable_is_obeyed(config_file: ConfigFile, tmp_path: Path) -> None:
    """Providers are asked through the proxy, with the authorities that are named."""
    requests = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readline())
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1") as proxy:
        port = proxy.sockets[0].getsockname()[1]
        account = {name: value for name, value in UNREACHABLE.items() if name != "base_url"}
        file = config_file({**account, "timeout": "2s"})
        env = {"HTTPS_PROXY": f"127.0.0.1:{port}", "NO_PROXY": "localhost,::1,.example.com"}
        code, out, err = await command("balance", f"--config.file={file}", cwd=tmp_path, env=env)

    assert (code, "unreachable" in out, err) == (1, True, "")
    assert set(requests) == {b"CONNECT restlink23telecom.com:443 HTTP/1.1\r\n"}


# --------------------------------------------------------------------------------------------------- SIGHUP


@asynccontextmanager
async def starting(
    *arguments: str, cwd: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Callable[[str], Awaitable[None]]]]:
    """Start a command that lists what it imports; give the process, and a function that waits for a line of its log."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "sms_credit_exporter", *arguments),
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        # Whoever runs the tests may ignore the signal, as nohup does, and the process would inherit that.
        preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),
    )
    assert process.stderr
    stderr = process.stderr

    async def says(text: str) -> None:
        async with asyncio.timeout(PATIENCE * 3):
            while text not in (line := (await stderr.readline()).decode()):
                assert line, f"it ended before it said {text}"

    try:
        yield process, says
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(" structlog\n", id="while it is being imported"),
        pytest.param(" sms_credit_exporter.cli\n", id="while it reads ten thousand accounts"),
    ],
)
async def test_a_reload_during_the_start_comes_after_it(config_file: ConfigFile, tmp_path: Path, moment: str) -> None:
    """SIGHUP during the start does not end the process, and the file as it is by then is taken over."""
    file = config_file(
        *(UNREACHABLE | {"name": f"a{n}", "credentials": {"api_key": f"key-{n}"}} for n in range(10_000))
    )

    async with starting("serve", f"--config.file={file}", LISTEN, cwd=tmp_path) as (process, says):
        await says(moment)
        await asyncio.sleep(0.2)
        config_file(UNREACHABLE)
        process.send_signal(signal.SIGHUP)
        await says("event=listening")
        await says('event="configuration reloaded" accounts=1')

        process.send_signal(signal.SIGHUP)
        await says('event="configuration reloaded" accounts=1')
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_what_listens_can_be_stopped_cleanly(config_file: ConfigFile, tmp_path: Path) -> None:
    """Who finds the port open takes it for running, and may stop it at once."""
    file, port = config_file(UNREACHABLE), free_port()
    addresses = (f"--web.listen-address=127.0.0.1:{port}", *["--web.listen-address=localhost:0"] * 50)

    async with starting("serve", f"--config.file={file}", *addresses, cwd=tmp_path) as (process, says):
        await says("event=starting")
        with socket.socket() as client:
            while client.connect_ex(("127.0.0.1", port)):
                pass  # the other addresses come soon
        process.send_signal(signal.SIGTERM)

        await says("event=stopping")
        assert await process.wait() == 0


@pytest.mark.parametrize("name", ["check", "balance"])
async def test_a_closed_terminal_ends_what_has_nothing_to_reload(
    config_file: ConfigFile, tmp_path: Path, name: str
) -> None:
    """SIGHUP ends it, as it ends any command."""
    file = config_file(
        *(UNREACHABLE | {"name": f"a{n}", "credentials": {"api_key": f"key-{n}"}} for n in range(10_000))
    )

    async with starting(name, f"--config.file={file}", cwd=tmp_path) as (process, says):
        await says(" sms_credit_exporter.cli\n")
        process.send_signal(signal.SIGHUP)
        assert await process.wait() == -signal.SIGHUP


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no command"),
        pytest.param(["fly"], id="unknown command"),
        pytest.param(["check"], id="no file"),
        pytest.param(["serve", "--config.fil=x"], id="abbreviated option"),
        pytest.param(["demo", "--web.listen-address=10767"], id="address without a colon"),
        pytest.param(["demo", "--web.listen-address=:99999"], id="port that is none"),
        pytest.param(["demo", "--log.level=loud"], id="unknown level"),
    ],
)
async def test_a_wrong_command_line_ends_with_2(arguments: list[str], tmp_path: Path) -> None:
    """The usage is shown and nothing is done."""
    code, out, err = await command(*arguments, cwd=tmp_path)

    assert (code, out) == (2, "")
    assert "usage: sms-credit-exporter" in err


async def test_the_version(tmp_path: Path) -> None:
    """The command prints the version that is installed."""
    assert (await command("--version", cwd=tmp_path))[1] == f"sms-credit-exporter {version('sms-credit-exporter')}\n"
