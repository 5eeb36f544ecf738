"""One account from environment variables, as a container without a configuration file has it."""

import json
import signal
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from pathlib import Path

import pytest

from sms_credit_core import PROVIDERS, Limits, Secret
from sms_credit_exporter.accounts import AccountConfig, Config
from sms_credit_exporter.config import ConfigError, load_variables
from sms_credit_exporter.config.keys import ACCOUNT_KEYS, FILE_KEYS
from sms_credit_exporter.config.variables import KEYS, PREFIX, credential_variables, variable
from tests.exporter.running import LISTEN, Providers, Running, command

Start = Callable[..., AbstractAsyncContextManager[Running]]

SOUND = {"SMS_CREDIT_NAME": "otp", "SMS_CREDIT_PROVIDER": "23telecom", "SMS_CREDIT_API_KEY": "made-up-key"}


def test_every_value_may_come_from_the_environment() -> None:
    """Each in the same form as in the file, and a name is text also where it looks like a number."""
    config = load_variables(
        {
            "SMS_CREDIT_NAME": "4711",
            "SMS_CREDIT_PROVIDER": "23telecom",
            "SMS_CREDIT_API_KEY": "made-up-key\n",
            "SMS_CREDIT_API_SECRET": "4711",
            "SMS_CREDIT_LABEL_TEAM": "payments",
            "SMS_CREDIT_LOW_BALANCE": "50.10",
            "SMS_CREDIT_LOW_QUOTA": "500",
            "SMS_CREDIT_LOW_RUNWAY": "3d",
            "SMS_CREDIT_MESSAGE_PRICE": "0.021",
            "SMS_CREDIT_POLL_INTERVAL": "10m",
            "SMS_CREDIT_TIMEOUT": "5s",
            "SMS_CREDIT_BASE_URL": "https://example.com/api",
            "SMS_CREDIT_STALE_AFTER": "2h",
        }
    )
    assert config == Config(
        accounts=(
            AccountConfig(
                name="4711",
                provider=PROVIDERS["23telecom"],
                credentials={"api_key": Secret("made-up-key"), "api_secret": Secret("4711")},
                labels={"team": "payments"},
                base_url="https://example.com/api",
                poll_interval=600.0,
                timeout=5.0,
                limits=Limits(
                    low_balance=Decimal("50.10"),
                    low_quota=500,
                    low_runway=259_200.0,
                    message_price=Decimal("0.021"),
                ),
            ),
        ),
        stale_after=7200.0,
    )


def test_every_key_has_a_variable_of_its_own() -> None:
    """No credential of any provider, and no label, has the name of a key."""
    plain = [key.name for key in (*FILE_KEYS, *ACCOUNT_KEYS) if not key.nested]
    assert set(KEYS) == {variable(name) for name in plain}
    credentials = {
        name
        for provider in PROVIDERS.values()
        for field in provider.credentials
        for name in credential_variables(field)
    }
    assert not credentials & set(KEYS)
    assert not [name for name in credentials | set(KEYS) if name.startswith(f"{PREFIX}LABEL_")]


MISTAKES: Mapping[str, tuple[dict[str, str], list[str]]] = {
    "no name": ({"SMS_CREDIT_NAME": ""}, ["SMS_CREDIT_NAME: is missing"]),
    "no provider": ({"SMS_CREDIT_PROVIDER": ""}, ["SMS_CREDIT_PROVIDER: is missing"]),
    "no credential": ({"SMS_CREDIT_API_KEY": ""}, ["needs one of SMS_CREDIT_API_KEY, SMS_CREDIT_API_KEY_FILE"]),
    "a credential twice": (
        {"SMS_CREDIT_API_KEY_FILE": "key"},
        [
            "SMS_CREDIT_API_KEY_FILE: the file cannot be read: No such file or directory",
            "SMS_CREDIT_API_KEY and SMS_CREDIT_API_KEY_FILE are given; must be one of them",
        ],
    ),
    "a credential of another provider": (
        {"SMS_CREDIT_AUTH_TOKEN": "made-up-token"},
        [
            (
                "SMS_CREDIT_AUTH_TOKEN: is not a known key; did you mean SMS_CREDIT_API_KEY? allowed are "
                "SMS_CREDIT_API_KEY, SMS_CREDIT_API_KEY_FILE, SMS_CREDIT_API_SECRET, SMS_CREDIT_API_SECRET_FILE"
            )
        ],
    ),
    "a credential with a space": (
        {"SMS_CREDIT_API_KEY": "made-up key"},
        ["SMS_CREDIT_API_KEY: it holds a space, a line break or another character that no credential has"],
    ),
    "an impossible limit": (
        {"SMS_CREDIT_LOW_BALANCE": "much"},
        ["SMS_CREDIT_LOW_BALANCE: found “much”; must be a plain number such as 50 or 0.021"],
    ),
    "a duration without a unit": (
        {"SMS_CREDIT_STALE_AFTER": "300"},
        ["SMS_CREDIT_STALE_AFTER: found 300; must be a duration such as 90s, 5m or 1h30m; a unit is missing: 300s?"],
    ),
    "a label that is taken": (
        {"SMS_CREDIT_LABEL_STATUS": "x"},
        ["SMS_CREDIT_LABEL_STATUS: cannot be used: the metrics have one of that name"],
    ),
    "a variable that nobody knows": (
        {"SMS_CREDIT_LOW_BALENCE": "5", "SMS_CREDIT_WHATEVER": "x"},
        [
            "SMS_CREDIT_LOW_BALENCE: is not a known variable; did you mean SMS_CREDIT_LOW_BALANCE?",
            "SMS_CREDIT_WHATEVER: is not a known variable",
        ],
    ),
}


@pytest.mark.parametrize(("variables", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_names_its_variable(variables: dict[str, str], told: list[str]) -> None:
    """Never its value, where that may be a credential; without the mistake the account is there."""
    with pytest.raises(ConfigError) as caught:
        load_variables(SOUND | variables)
    assert str(caught.value).splitlines() == [f"environment: {line}" for line in told]
    assert [account.name for account in load_variables(SOUND).accounts] == ["otp"]


def test_what_kubernetes_sets_for_a_service_of_that_name_is_none_of_ours() -> None:
    """It does so in every pod of the namespace."""
    services = {
        "SMS_CREDIT_SERVICE_HOST": "10.0.0.1",
        "SMS_CREDIT_SERVICE_PORT": "10767",
        "SMS_CREDIT_SERVICE_PORT_METRICS": "10767",
        "SMS_CREDIT_PORT": "tcp://10.0.0.1:10767",
        "SMS_CREDIT_PORT_10767_TCP": "tcp://10.0.0.1:10767",
        "SMS_CREDIT_PORT_10767_TCP_ADDR": "10.0.0.1",
        "SMS_CREDIT_EXPORTER_SERVICE_HOST": "10.0.0.2",
        "SMS_CREDIT_EXPORTER_PORT_10767_TCP_PROTO": "tcp",
    }
    assert load_variables(SOUND | services) == load_variables(SOUND)


async def test_a_container_without_a_file(start: Start, providers: Providers, tmp_path: Path) -> None:
    """`check`, `balance` and `serve` work on the environment; a rotated secret file is taken in by a reload."""
    account = providers.add("23telecom")
    (tmp_path / "key").write_text("made-up-key\n")
    env = {
        "SMS_CREDIT_NAME": "otp",
        "SMS_CREDIT_PROVIDER": "23telecom",
        "SMS_CREDIT_API_KEY_FILE": "key",
        "SMS_CREDIT_BASE_URL": providers.base_urls["23telecom"],
        "SMS_CREDIT_POLL_INTERVAL": "1s",
        "SMS_CREDIT_LABEL_TEAM": "payments",
    }
    assert await command("check", cwd=tmp_path, env=env) == (0, "environment: no mistakes, 1 account.\n", "")
    code, out, _ = await command("balance", "--json", cwd=tmp_path, env=env)
    [told] = json.loads(out)
    assert (code, told["status"]) == (1, "auth_failed")

    async with start("serve", LISTEN, **env) as exporter:
        await exporter.shows(
            'sms_credit_status{account="otp",provider="23telecom",status="auth_failed",team="payments"} 1.0'
        )
        (tmp_path / "key").write_text(account.credentials["api_key"])
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.shows('sms_credit_up{account="otp",provider="23telecom",team="payments"} 1.0')


@pytest.mark.parametrize("name", ["check", "balance", "serve"])
async def test_neither_or_both_is_refused(name: str, tmp_path: Path) -> None:
    """As a command line that is wrong; a credential's variable alone is there for a file to name it."""
    (tmp_path / "config.yml").write_text(
        "accounts:\n  - {name: a, provider: 23telecom, credentials: {api_key_env: SMS_CREDIT_API_KEY}}\n"
    )
    code, out, err = await command(name, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "--config.file is needed, or an account in the environment (SMS_CREDIT_PROVIDER and others)\n" in err

    code, out, err = await command(name, "--config.file=config.yml", cwd=tmp_path, env=SOUND)
    assert (code, out) == (2, "")
    assert "--config.file and SMS_CREDIT_NAME in the environment are both given; must be one of them\n" in err

    env = {"SMS_CREDIT_API_KEY": "made-up-key"}
    assert (await command("check", "--config.file=config.yml", cwd=tmp_path, env=env))[0] == 0
