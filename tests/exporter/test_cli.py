"""The commands that run to an end, as a shell or a monitoring script meets them."""

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from sms_credit_exporter.simulator.behaviour import NoAnswer
from tests.exporter.running import Providers, command

ConfigFile = Callable[..., Path]


async def test_check_accepts_a_good_file(config_file: ConfigFile, providers: Providers, tmp_path: Path) -> None:
    """It says so on standard output and ends with 0; no provider is asked."""
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
            "bad.yml:5: accounts[0].low_balence: is not a known key; did you mean low_balance? allowed are name, "
            "provider, credentials, low_balance, low_quota, message_price, poll_interval, timeout, base_url"
        ),
        "bad.yml:6: accounts[1].name: is also the name of accounts[0]; must be unique",
        "bad.yml:6: accounts[1].credentials: is missing",
        "bad.yml:7: accounts[1].provider: found “someone”; must be one of 23telecom, iletimerkezi",
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
        "ACCOUNT    PROVIDER      STATUS              BALANCE    QUOTA  CREDIT\n"
        "marketing  23telecom     fresh          1,250.50 EUR   25,010  low\n"
        "otp        iletimerkezi  fresh            10.584 TRY       67  ok\n"
        "overdrawn  23telecom     fresh             -3.21 EUR        -  blocked\n"
        "new        23telecom     onboarding          unknown  unknown  unknown\n"
        "locked     23telecom     access_denied       unknown  unknown  unknown\n"
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
    """0 if nothing needs a person, 1 otherwise."""
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
        "status": "fresh",
        "balance": 1250.5,
        "currency": "EUR",
        "quota_messages": None,
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
        "status": "auth_failed",
        "reason": second["reason"],
        "code": "401",
    }
    assert "Allow API access" in second["reason"]


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
    """The command knows which version it is."""
    assert (await command("--version", cwd=tmp_path))[1] == f"sms-credit-exporter {version('sms-credit-exporter')}\n"
