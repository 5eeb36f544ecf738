"""The configuration file: what is taken over, every mistake in its exact words, and no credential in any of them."""

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sms_credit_core import PROVIDERS, Limits, Secret
from sms_credit_exporter.accounts import AccountConfig, Config
from sms_credit_exporter.config import ConfigError, Mistake, composer, load
from sms_credit_exporter.config.credentials import Secrets
from sms_credit_exporter.config.document import Document

CONFIGS = Path(__file__).parent / "configs"

TELECOM23, ILETIMERKEZI = PROVIDERS["23telecom"], PROVIDERS["iletimerkezi"]

ENVIRON = {
    "ILETI_KEY": "made-up-ileti-key",
    "ILETI_HASH": "made-up-ileti-hash",
    "MARKETING_KEY": "made-up-key-from-the-environment",
    "PADDED_SECRET": " made-up-secret\n",
    "EMPTY": "",
    "SPACES": "  ",
    "TWO_WORDS": "made-up key",
}

SECRET = "sk_prod_8Jq2vXw7Lm"
"""Of the length and the characters of a real key."""

DIGITS = "902871645530"
"""A credential can be all digits."""


def account(name: str = "otp", provider: str = "iletimerkezi", **members: str) -> str:
    """Return one account of a list, in YAML; a member replaces the usual one."""
    usual = {"provider": provider, "credentials": "{api_key: made-up-key, api_hash: made-up-hash}"}
    return f"  - name: {name}\n" + "".join(f"    {key}: {value}\n" for key, value in (usual | members).items())


def credentials(text: str) -> str:
    """Return a whole file whose one account has these credentials, in YAML."""
    return f"accounts:\n{account(provider='23telecom', credentials=text)}"


@pytest.fixture(scope="module", autouse=True, params=[yaml.CSafeLoader, yaml.SafeLoader], ids=["libyaml", "Python"])
def parser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Parse with libyaml, and as where PyYAML was built without it: nothing that anybody sees may depend on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composer, "PARSER", request.param)
        yield


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a test may write a configuration file."""
    return tmp_path_factory.mktemp("config") / "config.yml"


# ---------------------------------------------------------------------------------------------------- good files


def test_the_full_example_is_taken_over_exactly() -> None:
    """Every key of the documented example, each value in its own unit and type."""
    config = load(CONFIGS / "full.yml", ENVIRON)
    assert config == Config(
        accounts=(
            AccountConfig(
                name="marketing",
                provider=TELECOM23,
                credentials={"api_key": Secret("made-up-key-of-marketing")},
                base_url="https://gateway.example.com:8443/api/v2",
                poll_interval=600.0,
                timeout=4.5,
                limits=Limits(low_balance=Decimal(50), low_quota=500, message_price=Decimal("0.021")),
            ),
            AccountConfig(
                name="otp",
                provider=ILETIMERKEZI,
                credentials={"api_key": Secret("made-up-ileti-key"), "api_hash": Secret("made-up-ileti-hash")},
                base_url="https://api.iletimerkezi.com",
                poll_interval=300.0,
                timeout=10.0,
                limits=Limits(),
            ),
        ),
        stale_after=3600.0,
    )


def test_what_is_not_said_has_its_default() -> None:
    """Five minutes, an hour, ten seconds, the provider's own address and no limits."""
    config = load(CONFIGS / "minimal.yml", {})
    (only,) = config.accounts
    assert config.stale_after == 3600.0
    assert (only.poll_interval, only.timeout, only.base_url) == (300.0, 10.0, "https://api.iletimerkezi.com")
    assert only.limits == Limits(low_balance=None, low_quota=None, message_price=None)


@pytest.mark.parametrize(
    ("index", "revealed"),
    [
        pytest.param(0, {"api_key": "made-up-key", "api_secret": "4711"}, id="in the file itself"),
        pytest.param(1, {"api_key": "made-up-key-of-marketing"}, id="in a file beside it, with a line end"),
        pytest.param(2, {"api_key": "made-up-key-of-windows"}, id="in a file with a Windows line end"),
        pytest.param(3, {"api_key": "made-up-key-amid-space"}, id="in a file with space around it"),
        pytest.param(4, {"api_key": "made-up-key-without-line-break"}, id="in a file without a line end"),
        pytest.param(
            5,
            {"api_key": "made-up-key-from-the-environment", "api_secret": "made-up-secret"},
            id="in the environment, with space around it",
        ),
        pytest.param(
            6, {"api_key": "0123456789", "api_hash": "made-up-key-of-marketing"}, id="partly here and partly there"
        ),
    ],
)
def test_where_a_credential_comes_from(index: int, revealed: dict[str, str]) -> None:
    """NAME, NAME_file and NAME_env give the same; paths are relative to the configuration file."""
    found = load(CONFIGS / "credentials.yml", ENVIRON).accounts[index].credentials
    assert {name: secret.reveal() for name, secret in found.items()} == revealed


def test_a_secret_file_may_be_named_by_its_whole_path(file: Path) -> None:
    """As in /run/secrets, where containers find theirs."""
    file.write_text(credentials(f"{{api_key_file: {CONFIGS / 'secrets' / 'marketing'}}}"))
    assert load(file, {}).accounts[0].credentials == {"api_key": Secret("made-up-key-of-marketing")}


def test_the_environment_is_that_of_the_process_if_none_is_given(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what `serve` runs with, and it is read at each load."""
    file.write_text(credentials("{api_key_env: SMS_CREDIT_TEST_KEY}"))
    monkeypatch.setenv("SMS_CREDIT_TEST_KEY", "made-up-first")
    assert load(file).accounts[0].credentials == {"api_key": Secret("made-up-first")}
    monkeypatch.setenv("SMS_CREDIT_TEST_KEY", "made-up-second")
    assert load(file).accounts[0].credentials == {"api_key": Secret("made-up-second")}


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("http://localhost", "http://localhost"),
        ("http://LOCALHOST:8000/Api", "http://localhost:8000/Api"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.2", "http://127.0.0.2"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://localhost:8443", "https://localhost:8443"),
    ],
)
def test_this_very_machine_may_be_asked_in_clear_and_each_second(file: Path, written: str, url: str) -> None:
    """A simulated provider costs nobody anything."""
    file.write_text(f"accounts:\n{account(base_url=written, poll_interval='1s')}")
    (only,) = load(file, {}).accounts
    assert (only.base_url, only.poll_interval) == (url, 1.0)


def test_a_slash_at_the_end_of_an_address_makes_no_other_address(file: Path) -> None:
    """Otherwise the request would go to //user/balance."""
    file.write_text(f"accounts:\n{account(base_url='https://example.com/api/')}")
    assert load(file, {}).accounts[0].base_url == "https://example.com/api"


@pytest.mark.parametrize("written", ["0.021", "0.10", "50", "1250.50", "0.000000000000000001", "123456789012345678"])
def test_money_is_exact(file: Path, written: str) -> None:
    """What was written is what is held, to the digit."""
    file.write_text(f"accounts:\n{account(message_price=written)}")
    assert f"{load(file, {}).accounts[0].limits.message_price:f}" == written


def test_a_limit_of_zero_is_a_limit(file: Path) -> None:
    """Zero is a value: low is then what is at or below nothing."""
    file.write_text(f"accounts:\n{account(low_balance='0', low_quota='0')}")
    assert load(file, {}).accounts[0].limits == Limits(low_balance=Decimal(0), low_quota=0)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        pytest.param('"4711"', "4711", id="a number in quotes"),
        pytest.param("'2026-10-01'", "2026-10-01", id="a date in quotes"),
        pytest.param("'yes'", "yes", id="a yes in quotes"),
        pytest.param("0007", "0007", id="a number with leading zeros, which is no number"),
        pytest.param("Pazarlama İstanbul", "Pazarlama İstanbul", id="letters beyond ASCII"),
        pytest.param("a" * 64, "a" * 64, id="64 characters"),
    ],
)
def test_a_name_is_text_as_it_was_written(file: Path, written: str, name: str) -> None:
    """It is the account's identity in every label."""
    file.write_text(f"accounts:\n{account(name=written)}")
    assert load(file, {}).accounts[0].name == name


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param({}, 600.0, id="the interval of the file holds for it"),
        pytest.param({"poll_interval": "2m"}, 120.0, id="its own comes first"),
    ],
)
def test_the_poll_interval_of_an_account(file: Path, own: dict[str, str], expected: float) -> None:
    """One interval for all, and exceptions."""
    file.write_text(f"poll_interval: 10m\naccounts:\n{account(**own)}")
    assert load(file, {}).accounts[0].poll_interval == expected


def test_an_interval_as_long_as_the_patience_is_fine(file: Path) -> None:
    """A value read an hour ago is shown for an hour, so there is always one."""
    file.write_text(f"poll_interval: 1h\naccounts:\n{account()}")
    assert load(file, {}).stale_after == 3600.0


def test_two_accounts_of_a_provider_differ_by_their_credentials(file: Path) -> None:
    """Also where it is an optional one, or the place that is asked."""
    one = account("one", "23telecom", credentials="{api_key: k}")
    two = account("two", "23telecom", credentials="{api_key: k, api_secret: s}")
    three = account("three", "23telecom", credentials="{api_key: k}", base_url="https://example.com")
    file.write_text(f"accounts:\n{one}{two}{three}")
    assert [each.name for each in load(file, {}).accounts] == ["one", "two", "three"]


def test_aliases_stand_for_what_they_name() -> None:
    """YAML's own way to write a value once."""
    first, second = load(CONFIGS / "aliases.yml", {}).accounts
    assert second.provider is first.provider
    assert second.limits == first.limits
    assert second.credentials["api_secret"] == first.credentials["api_key"]


def test_a_merge_key_gives_what_the_account_does_not_say_itself() -> None:
    """YAML's own way to write defaults once: a key of the account's own comes before the merged one."""
    first, second = load(CONFIGS / "merged.yml", {}).accounts
    assert (second.name, second.provider, second.limits) == ("second", TELECOM23, first.limits)
    assert second.credentials == {"api_key": Secret("other-made-up-key")}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["Unix", "Windows"])
def test_a_file_of_any_editor_is_read(file: Path, encoding: str, line_end: str) -> None:
    """A byte order mark and Windows line ends say nothing about the content."""
    text = f"accounts:\n{account(name='Müşteri')}"
    file.write_bytes(text.replace("\n", line_end).encode(encoding))
    assert load(file, {}).accounts[0].name == "Müşteri"


# ------------------------------------------------------------------------------------------------------ mistakes

TOP_KEYS = "poll_interval, stale_after, accounts"
ACCOUNT_KEYS = "name, provider, credentials, low_balance, low_quota, message_price, poll_interval, timeout, base_url"
CREDENTIALS = "api_key, api_key_file, api_key_env, api_secret, api_secret_file, api_secret_env"

NO_TOP = f"must be a mapping with the keys {TOP_KEYS}"
NO_ACCOUNT = f"must be a mapping with the keys {ACCOUNT_KEYS}"
NO_CREDENTIALS = f"must be a mapping with the keys {CREDENTIALS}"
NO_ACCOUNTS = "must be a list of at least one account"
NO_NAME = "must be 1 to 64 printable characters without a space at either end"
NO_DURATION = "must be a duration such as 90s, 5m or 1h30m"
NO_NUMBER = "must be a plain number such as 50 or 0.021"
NO_MESSAGES = "must be a whole number of messages, zero or above"
NO_PROVIDER = "must be one of 23telecom, iletimerkezi"
NO_VARIABLE = "must be the name of an environment variable"
ODD_TAG = "a tag (!) stands here that means nothing in this file"
NO_SUBSTITUTION = "variables are not substituted; "
NO_FILE = "the file cannot be read: No such file or directory"
NO_URL = "must be a URL such as https://example.com/api, without user, password, query or fragment"
IN_CLEAR = "must begin with https:// (http:// is allowed towards this machine itself only)"
NO_TEXT = "must be text (put it in quotes)"
NO_YAML = "is not valid YAML: "
ODD = "holds a space, a line break or another character that no credential has"
NOT_KNOWN = "is not a known key; "
UNKNOWN_BETWEEN = "its values would be unknown between two polls"

ITS_INTERVAL = "accounts[0].poll_interval: "
ITS_NAME = "accounts[0].name: "
ITS_PROVIDER = "accounts[0].provider: "
ITS_CREDENTIALS = "accounts[0].credentials"
ITS_BALANCE = "accounts[0].low_balance: "
ITS_QUOTA = "accounts[0].low_quota: "
ITS_PRICE = "accounts[0].message_price: "
ITS_TIMEOUT = "accounts[0].timeout: "
ITS_URL = "accounts[0].base_url: "


def not_set(variable: str) -> str:
    """Return what is said of a variable."""
    return f"the environment variable {variable} is not set, or empty"


MISTAKES: dict[str, Sequence[str]] = {
    # The file as a whole.
    "empty": [f": {NO_TOP}"],
    "only-a-comment": [f": {NO_TOP}"],
    "list-at-the-top": [f":1: {NO_TOP}"],
    "text-at-the-top": [f":1: {NO_TOP}"],
    "two-documents": [f":5: {NO_YAML}another document begins here"],
    "unclosed-mapping": [f":4: {NO_YAML}a comma or a closing bracket is missing"],
    "unclosed-quote": [f":5: {NO_YAML}a quote is opened here and never closed"],
    "indented-by-tabs": [f":3: {NO_YAML}a tab character cannot be used for indentation"],
    "indented-by-a-tab-in-a-list": [f":2: {NO_YAML}a tab character cannot be used for indentation"],
    "indented-unevenly": [f":3: {NO_YAML}this does not fit what stands above it; check indentation and quotes"],
    "key-twice": [f":5: {NO_YAML}a key stands here twice"],
    "key-twice-in-an-account": [f":2: {NO_YAML}a key stands here twice"],
    "key-twice-in-credentials": [f":5: {NO_YAML}a key stands here twice"],
    "list-as-key": [f":1: {NO_YAML}a key must be text; this is a list, a mapping or an alias"],
    "alias-of-nothing": [f":2: {NO_YAML}an alias names nothing that stands above it"],
    "alias-of-itself": [f":2: {NO_YAML}an alias names nothing that stands above it"],
    "alias-bomb": [f":{index + 2}: accounts[{index}]: {NO_ACCOUNT}" for index in range(8)],
    "tag-unknown": [f":2: {NO_YAML}{ODD_TAG}"],
    "tag-of-python": [f":2: {NO_YAML}{ODD_TAG}"],
    "control-character": [f": {NO_YAML}it holds a character that is not allowed"],
    "merge-of-text": [f":2: {NO_YAML}a merge key (<<) must name a mapping or a list of mappings"],
    # Keys.
    "accounts-missing": [":1: accounts: is missing"],
    "accounts-null": [f":1: accounts: {NO_ACCOUNTS}"],
    "accounts-empty": [f":1: accounts: {NO_ACCOUNTS}"],
    "accounts-mapping": [f":1: accounts: {NO_ACCOUNTS}"],
    "account-text": [f":2: accounts[0]: {NO_ACCOUNT}"],
    "unknown-key": [f":5: pol_interval: {NOT_KNOWN}did you mean poll_interval? allowed are {TOP_KEYS}"],
    "unknown-key-like-no-other": [f":5: tls: {NOT_KNOWN}allowed are {TOP_KEYS}"],
    "unknown-key-in-an-account": [f":5: accounts[0].api_key: {NOT_KNOWN}it belongs under credentials"],
    "unknown-key-of-digits": [f":5: accounts[0].…: {NOT_KNOWN}allowed are {ACCOUNT_KEYS}"],
    # Durations.
    "poll-interval-number": [f":5: {ITS_INTERVAL}found 300; {NO_DURATION}; a unit is missing: 300s?"],
    "poll-interval-sexagesimal": [f":5: {ITS_INTERVAL}found “5:30”; {NO_DURATION}"],
    "poll-interval-yes": [f":5: {ITS_INTERVAL}found true or false; {NO_DURATION}"],
    "poll-interval-null": [f":5: {ITS_INTERVAL}found nothing; {NO_DURATION}"],
    "poll-interval-list": [f":5: {ITS_INTERVAL}found a list; {NO_DURATION}"],
    "poll-interval-in-words": [f":5: {ITS_INTERVAL}found text; {NO_DURATION}"],
    "poll-interval-reversed": [f":5: {ITS_INTERVAL}found “30m1h”; {NO_DURATION}"],
    "poll-interval-impolite": [f":5: {ITS_INTERVAL}found “119s”; must be at least 2m towards iletimerkezi"],
    "poll-interval-impolite-to-23telecom": [f":5: {ITS_INTERVAL}found “1m”; must be at least 2m towards 23telecom"],
    "poll-interval-impolite-for-all": [f":2: {ITS_INTERVAL}found “1m”; must be at least 2m towards iletimerkezi"],
    "poll-interval-below-a-second": [f":6: {ITS_INTERVAL}found “999ms”; must be at least 1s"],
    "poll-interval-wrong-for-all": [f":5: poll_interval: found 5; {NO_DURATION}; a unit is missing: 5s?"],
    "stale-after-number": [f":5: stale_after: found 3600; {NO_DURATION}; a unit is missing: 3600s?"],
    "stale-after-zero": [":5: stale_after: found “0s”; must be at least 1s"],
    "stale-after-shorter-than-the-interval": [
        f":6: stale_after: is 59m, shorter than the poll_interval of otp (1h): {UNKNOWN_BETWEEN}"
    ],
    "stale-after-default-shorter-than-the-interval": [
        f":1: stale_after: is 1h, shorter than the poll_interval of otp (2h): {UNKNOWN_BETWEEN}"
    ],
    "timeout-number": [f":5: {ITS_TIMEOUT}found 10; {NO_DURATION}; a unit is missing: 10s?"],
    "timeout-too-short": [f":5: {ITS_TIMEOUT}found “99ms”; must be at least 100ms and at most 1m"],
    "timeout-too-long": [f":5: {ITS_TIMEOUT}found “61s”; must be at least 100ms and at most 1m"],
    # Names and providers.
    "name-missing": [f":2: {ITS_NAME}is missing"],
    "name-number": [f":2: {ITS_NAME}found 4711; {NO_TEXT}"],
    "name-decimal": [f":2: {ITS_NAME}found 1.50; {NO_TEXT}"],
    "name-yes": [f":2: {ITS_NAME}found true or false; {NO_TEXT}"],
    "name-null": [f":2: {ITS_NAME}found nothing; {NO_TEXT}"],
    "name-list": [f":2: {ITS_NAME}found a list; {NO_TEXT}"],
    "name-empty": [f":2: {ITS_NAME}{NO_NAME}"],
    "name-of-spaces": [f":2: {ITS_NAME}{NO_NAME}"],
    "name-padded": [f":2: {ITS_NAME}{NO_NAME}"],
    "name-of-two-lines": [f":2: {ITS_NAME}{NO_NAME}"],
    "name-too-long": [f":2: {ITS_NAME}{NO_NAME}"],
    "name-twice": [":5: accounts[1].name: is also the name of accounts[0]; must be unique"],
    "provider-missing": [f":2: {ITS_PROVIDER}is missing"],
    "provider-unknown": [f":3: {ITS_PROVIDER}found “ilettimerkezi”; {NO_PROVIDER}"],
    "provider-by-display-name": [f":3: {ITS_PROVIDER}found “23 Telecom”; {NO_PROVIDER}"],
    "provider-number": [f":3: {ITS_PROVIDER}found 23; {NO_PROVIDER}"],
    "provider-not-ascii": [f":3: {ITS_PROVIDER}found text; {NO_PROVIDER}"],
    "provider-list": [f":3: {ITS_PROVIDER}found a list; {NO_PROVIDER}"],
    # Credentials.
    "credentials-missing": [f":2: {ITS_CREDENTIALS}: is missing"],
    "credentials-null": [f":4: {ITS_CREDENTIALS}: {NO_CREDENTIALS}"],
    "credentials-text": [f":4: {ITS_CREDENTIALS}: {NO_CREDENTIALS}"],
    "credentials-list": [f":4: {ITS_CREDENTIALS}: {NO_CREDENTIALS}"],
    "credentials-empty": [f":4: {ITS_CREDENTIALS}: needs one of api_key, api_key_file, api_key_env"],
    "credentials-one-missing": [f":4: {ITS_CREDENTIALS}: needs one of api_hash, api_hash_file, api_hash_env"],
    "credentials-required-missing": [f":4: {ITS_CREDENTIALS}: needs one of api_key, api_key_file, api_key_env"],
    "credentials-of-another-provider": [f":6: {ITS_CREDENTIALS}.api_hash: {NOT_KNOWN}allowed are {CREDENTIALS}"],
    "credentials-text-and-provider-unknown": [
        f":3: {ITS_PROVIDER}found “32telecom”; {NO_PROVIDER}",
        f":4: {ITS_CREDENTIALS}: must be a mapping",
    ],
    "credential-given-twice": [f":4: {ITS_CREDENTIALS}: api_key and api_key_file are given; must be one of them"],
    "credential-given-three-times": [
        f":4: {ITS_CREDENTIALS}: api_key and api_key_file and api_key_env are given; must be one of them"
    ],
    "credential-number": [f":5: {ITS_CREDENTIALS}.api_key: {NO_TEXT}"],
    "credential-null": [f":5: {ITS_CREDENTIALS}.api_key: {NO_TEXT}"],
    "credential-yes": [f":5: {ITS_CREDENTIALS}.api_key: {NO_TEXT}"],
    "credential-list": [f":5: {ITS_CREDENTIALS}.api_key: {NO_TEXT}"],
    "credential-empty": [f":5: {ITS_CREDENTIALS}.api_key: it is empty"],
    "credential-with-space": [f":5: {ITS_CREDENTIALS}.api_key: it {ODD}"],
    "credential-with-line-break": [f":5: {ITS_CREDENTIALS}.api_key: it {ODD}"],
    "credential-not-ascii": [f":5: {ITS_CREDENTIALS}.api_key: it {ODD}"],
    "credential-too-long": [f":5: {ITS_CREDENTIALS}.api_key: it is longer than 512 characters"],
    "credential-of-a-variable": [
        f":5: {ITS_CREDENTIALS}.api_key: {NO_SUBSTITUTION}write api_key_env: MARKETING_KEY",
        f":6: {ITS_CREDENTIALS}.api_secret: {NO_SUBSTITUTION}write api_secret_env: SECRET",
    ],
    "credential-of-a-variable-that-may-be-a-secret": [
        f":5: {ITS_CREDENTIALS}.api_key: {NO_SUBSTITUTION}write api_key_env and the variable's name"
    ],
    "credential-file-of-a-variable": [
        f":5: {ITS_CREDENTIALS}.api_key_file: {NO_FILE} (~ and $ stand for themselves in it)",
        f":6: {ITS_CREDENTIALS}.api_secret_file: {NO_FILE} (~ and $ stand for themselves in it)",
    ],
    "credentials-one-level-too-high": [
        f":2: {ITS_CREDENTIALS}: is missing",
        f":4: accounts[0].api_key_file: {NOT_KNOWN}it belongs under credentials",
        f":5: accounts[0].api_hash_env: {NOT_KNOWN}it belongs under credentials",
    ],
    "credential-file-missing": [
        f":5: {ITS_CREDENTIALS}.api_key_file: the file cannot be read: No such file or directory"
    ],
    "credential-file-is-a-folder": [f":5: {ITS_CREDENTIALS}.api_key_file: the file cannot be read: Is a directory"],
    "credential-file-not-named": [f":5: {ITS_CREDENTIALS}.api_key_file: must be the path of a file"],
    "credential-file-impossible": [f":5: {ITS_CREDENTIALS}.api_key_file: the file cannot be read: not a path"],
    "credential-file-empty": [f":5: {ITS_CREDENTIALS}.api_key_file: the file is empty"],
    "credential-file-of-two-lines": [f":5: {ITS_CREDENTIALS}.api_key_file: the file {ODD}"],
    "credential-variable-unset": [f":5: {ITS_CREDENTIALS}.api_key_env: {not_set('NOT_SET')}"],
    "credential-variable-empty": [f":5: {ITS_CREDENTIALS}.api_key_env: {not_set('EMPTY')}"],
    "credential-variable-of-spaces": [f":5: {ITS_CREDENTIALS}.api_key_env: the environment variable is empty"],
    "credential-variable-with-space": [f":5: {ITS_CREDENTIALS}.api_key_env: the environment variable {ODD}"],
    "credential-variable-misnamed": [f":5: {ITS_CREDENTIALS}.api_key_env: {NO_VARIABLE}, without $ and braces"],
    "credential-variable-number": [f":5: {ITS_CREDENTIALS}.api_key_env: {NO_VARIABLE}"],
    # Money and messages.
    "low-balance-text": [f":5: {ITS_BALANCE}found “fifty”; {NO_NUMBER}"],
    "low-balance-in-quotes": [f":5: {ITS_BALANCE}found “50”; {NO_NUMBER}"],
    "low-balance-with-currency": [f":5: {ITS_BALANCE}found “50 TRY”; {NO_NUMBER}"],
    "low-balance-with-comma": [f":5: {ITS_BALANCE}found “50,5”; {NO_NUMBER}"],
    "low-balance-with-underscore": [f":5: {ITS_BALANCE}found “1_000”; {NO_NUMBER}"],
    "low-balance-octal": [f":5: {ITS_BALANCE}found “010”; {NO_NUMBER}"],
    "low-balance-hexadecimal": [f":5: {ITS_BALANCE}found “0x50”; {NO_NUMBER}"],
    "low-balance-sexagesimal": [f":5: {ITS_BALANCE}found “5:30”; {NO_NUMBER}"],
    "low-balance-exponent": [f":5: {ITS_BALANCE}found “5.0e+1”; {NO_NUMBER}"],
    "low-balance-nan": [f":5: {ITS_BALANCE}found “.nan”; {NO_NUMBER}"],
    "low-balance-infinite": [f":5: {ITS_BALANCE}found “-.inf”; {NO_NUMBER}"],
    "low-balance-huge": [f":5: {ITS_BALANCE}found text; {NO_NUMBER}"],
    "low-balance-endless": [f":5: {ITS_BALANCE}found text; {NO_NUMBER}"],
    "low-balance-null": [f":5: {ITS_BALANCE}found nothing; {NO_NUMBER}"],
    "low-balance-no": [f":5: {ITS_BALANCE}found true or false; {NO_NUMBER}"],
    "low-balance-mapping": [f":5: {ITS_BALANCE}found a mapping; {NO_NUMBER}"],
    "low-balance-negative": [f":5: {ITS_BALANCE}found -0.01; must be zero or above zero"],
    "low-quota-negative": [f":5: {ITS_QUOTA}found -1; {NO_MESSAGES}"],
    "low-quota-fraction": [f":5: {ITS_QUOTA}found 500.0; {NO_MESSAGES}"],
    "low-quota-text": [f":5: {ITS_QUOTA}found “many”; {NO_MESSAGES}"],
    "low-quota-yes": [f":5: {ITS_QUOTA}found true or false; {NO_MESSAGES}"],
    "low-quota-unreachable": [
        f":5: {ITS_QUOTA}23telecom gives no quota, so this needs message_price too (or use low_balance)"
    ],
    "message-price-zero": [f":5: {ITS_PRICE}found 0.00; must be above zero"],
    "message-price-negative": [f":5: {ITS_PRICE}found -0.021; must be above zero"],
    "message-price-beyond-18-decimals": [f":5: {ITS_PRICE}found text; {NO_NUMBER}"],
    "message-price-text": [f":5: {ITS_PRICE}found “cheap”; {NO_NUMBER}"],
    # Addresses.
    "base-url-text": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-number": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-with-space": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-not-ascii": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-without-host": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-port-zero": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-port-too-large": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-bracket-open": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-impossible-ipv4": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-impossible-ipv6": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-impossible-name": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-with-user": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-with-password": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-with-query": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-with-fragment": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-with-empty-query": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-with-empty-fragment": [f":5: {ITS_URL}{NO_URL}"],
    "base-url-in-clear": [f":5: {ITS_URL}{IN_CLEAR}"],
    "base-url-in-clear-to-a-neighbour": [f":5: {ITS_URL}{IN_CLEAR}"],
    "base-url-in-clear-to-every-address": [f":5: {ITS_URL}{IN_CLEAR}"],
    "base-url-in-clear-to-a-lookalike": [f":5: {ITS_URL}{IN_CLEAR}"],
    "base-url-in-clear-to-a-lookalike-address": [f":5: {ITS_URL}{IN_CLEAR}"],
    "base-url-of-files": [f":5: {ITS_URL}{IN_CLEAR}"],
    # Several accounts, and several mistakes.
    "account-twice": [":5: accounts[1]: is the same account as accounts[0]; it would be polled twice"],
    "account-twice-by-slash": [":5: accounts[1]: is the same account as accounts[0]; it would be polled twice"],
    "many": [
        f":2: poll_interval: found 90; {NO_DURATION}; a unit is missing: 90s?",
        f":3: stale_afer: {NOT_KNOWN}did you mean stale_after? allowed are {TOP_KEYS}",
        f":7: {ITS_CREDENTIALS}: api_key and api_key_env are given; must be one of them",
        f":9: {ITS_CREDENTIALS}.api_key_env: {not_set('NOT_SET')}",
        f":10: {ITS_CREDENTIALS}.api_token: {NOT_KNOWN}did you mean api_key? allowed are {CREDENTIALS}",
        f":11: {ITS_BALANCE}found “1,000”; {NO_NUMBER}",
        f":12: {ITS_QUOTA}23telecom gives no quota, so this needs message_price too (or use low_balance)",
        f":13: {ITS_INTERVAL}found “30s”; must be at least 2m towards 23telecom",
        ":14: accounts[1].name: is also the name of accounts[0]; must be unique",
        ":16: accounts[1].credentials: needs one of api_hash, api_hash_file, api_hash_env",
        ":17: accounts[1].credentials.api_key_file: the file cannot be read: No such file or directory",
        ":18: accounts[1].timeout: found “2m”; must be at least 100ms and at most 1m",
        f":19: accounts[1].base_url: {IN_CLEAR}",
        f":20: accounts[2]: {NO_ACCOUNT}",
        f":21: accounts[3].name: found true or false; {NO_TEXT}",
        f":22: accounts[3].provider: found “vonage”; {NO_PROVIDER}",
        ":24: accounts[3].message_price: found 0; must be above zero",
    ],
    "cross-checks-beside-another-mistake": [
        ":5: accounts[1]: is the same account as accounts[0]; it would be polled twice",
        f":11: accounts[2].timeout: found 5; {NO_DURATION}; a unit is missing: 5s?",
        f":12: stale_after: is 1m, shorter than the poll_interval of one (5m): {UNKNOWN_BETWEEN}",
    ],
}
"""By the name of the file under `configs`: each line of the error, from the colon after the file's own path."""


@pytest.mark.parametrize(("name", "lines"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_told_in_exactly_these_words(name: str, lines: Sequence[str]) -> None:
    """The whole text: file, line, path, what was found, what is allowed."""
    bad = CONFIGS / f"invalid-{name}.yml"
    with pytest.raises(ConfigError) as caught:
        load(bad, ENVIRON)
    assert str(caught.value) == "\n".join(f"{bad}{line}" for line in lines)


def test_every_file_is_used() -> None:
    """A file that no test loads would be a mistake that nobody checks."""
    good = {"full", "minimal", "credentials", "aliases", "merged"}
    assert {path.stem for path in CONFIGS.glob("*.yml")} == good | {f"invalid-{name}" for name in MISTAKES}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("name: Müşteri\n".encode("latin-1", "replace"), "is not text in UTF-8", id="Latin-1"),
        pytest.param("accounts: []\n".encode("utf-16"), "is not text in UTF-8", id="UTF-16"),
        pytest.param(b"accounts: \x00", f"{NO_YAML}it holds a character that is not allowed", id="a zero byte"),
        pytest.param(b"\xed\xa0\x80", "is not text in UTF-8", id="half of a surrogate pair"),
    ],
)
def test_a_file_that_is_no_text_is_one_mistake(file: Path, content: bytes, text: str) -> None:
    """An editor's wrong setting is told, and once it is right the file loads."""
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert str(caught.value) == f"{file}: {text}"
    file.write_text(f"accounts:\n{account()}")
    assert load(file, {}).accounts[0].name == "otp"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("nowhere.yml", "No such file or directory", id="there is none"),
        pytest.param("", "Is a directory", id="it is a folder"),
        pytest.param("endless.yml", "Too many levels of symbolic links", id="it links to itself"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_mistake(tmp_path: Path, path: str, reason: str) -> None:
    """The operating system knows why."""
    (tmp_path / "endless.yml").symlink_to(tmp_path / "endless.yml")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / path, {})
    assert str(caught.value) == f"{tmp_path / path}: cannot be read: {reason}"


def test_mistakes_on_one_line_come_in_the_same_order_at_each_run(file: Path) -> None:
    """Otherwise the same file would be reported differently from one start to the next."""
    file.write_text("accounts: [{}]")
    code = (
        "import pathlib, sys\n"
        "from sms_credit_exporter.config import ConfigError, load\n"
        "try:\n"
        "    load(pathlib.Path(sys.argv[1]), {})\n"
        "except ConfigError as error:\n"
        "    print(error)\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, str(file)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "3")
    ]
    assert runs[0].count(b"is missing") == 3
    assert runs[0] == runs[1]


# ------------------------------------------------------------------------------------------------------- secrets


def said(error: ConfigError) -> str:
    """Return everything that could be shown of an error."""
    return "\n".join((str(error), repr(error), repr(error.mistakes), *traceback.format_exception(error)))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(credentials(f"{{api_key: {SECRET} again}}"), id="with a space in it"),
        pytest.param(credentials(f"{{api_key: [{SECRET}]}}"), id="in a list"),
        pytest.param(credentials(f"{{api_key: {{value: {SECRET}}}}}"), id="in a mapping"),
        pytest.param(credentials(f"{{api_key: {{{SECRET}: }}}}"), id="as a key where its value should be"),
        pytest.param(credentials(f"{{api_key: {DIGITS}}}"), id="all digits, without quotes"),
        pytest.param(credentials(f"{{api_key: {DIGITS}.0}}"), id="all digits, with a point"),
        pytest.param(credentials(f"{{api_key: !{SECRET} }}"), id="as a tag"),
        pytest.param(credentials(f"{{api_key: !<{SECRET}> x}}"), id="as a verbatim tag"),
        pytest.param(credentials(f"{{api_key: !a!{SECRET} x}}"), id="as a tag with a handle"),
        pytest.param(credentials(f"{{api_key: &{SECRET} }}"), id="as an anchor"),
        pytest.param(credentials(f"{{api_key: *{SECRET} }}"), id="as an alias"),
        pytest.param(credentials(f"{{api_key: %{SECRET}}}"), id="after a per cent sign"),
        pytest.param(credentials(f"{{api_key: @{SECRET}}}"), id="after an at sign"),
        pytest.param(credentials(f"{{api_key: `{SECRET}`}}"), id="in back-ticks"),
        pytest.param(credentials(f"{{api_key: '{SECRET}}}"), id="in a quote that never ends"),
        pytest.param(credentials(f'{{api_key: "a\\{SECRET}"}}'), id="after a backslash in quotes"),
        pytest.param(credentials(f"{{api_key: 'a'{SECRET}}}"), id="after a quote that ended early"),
        pytest.param(credentials(f"{{api_key: a: {SECRET}}}"), id="after one colon too many"),
        pytest.param(credentials(f"{{api_key={SECRET}}}"), id="after an equals sign"),
        pytest.param(credentials(f"\n      api_key:{SECRET}"), id="after a colon without a space"),
        pytest.param(credentials(f"\n      api_key: x\n     {SECRET}"), id="on a line of its own"),
        pytest.param(credentials(f"{{api_key: x, api_kye: {SECRET}}}"), id="at a misspelt key"),
        pytest.param(credentials(f"{{api_key: x, api_hash: {SECRET}}}"), id="at another provider's key"),
        pytest.param(credentials(f"{{api_key_file: {SECRET}}}"), id="as the path of a file"),
        pytest.param(credentials(f"{{api_key_env: {SECRET}}}"), id="as the name of a variable"),
        pytest.param(credentials(f"{{api_key_env: {DIGITS}}}"), id="as the number of a variable"),
        pytest.param(credentials(f"{{api_key: x, {SECRET}: }}"), id="as a key"),
        pytest.param(credentials(f"{{api_key: x, {DIGITS}: }}"), id="as a key, all digits"),
        pytest.param(credentials(f"{{{SECRET}: , {SECRET}: }}"), id="as a key, twice"),
        pytest.param(credentials(SECRET), id="in place of the credentials"),
        pytest.param(credentials(f"[{SECRET}]"), id="as a list of credentials"),
        pytest.param(f"accounts:\n{account()}    {SECRET}: x\n", id="as a key of the account"),
        pytest.param(f"accounts:\n{account()}{SECRET}: x\n", id="as a key of the file"),
        pytest.param(f"accounts:\n{account()}    api_key: {SECRET}\n", id="one level too high"),
        pytest.param(f"accounts:\n  - {SECRET}\n", id="in place of an account"),
        pytest.param(f"accounts: {SECRET}\n", id="in place of all accounts"),
        pytest.param(SECRET, id="in place of the file"),
        pytest.param(f"%{SECRET}\n---\naccounts: []\n", id="as a directive"),
        pytest.param(f"accounts:\n{account(name=f'{SECRET} ' * 2 + 'x' * 64)}", id="in a name"),
        pytest.param(f"accounts:\n{account(provider=SECRET)}", id="as the provider"),
        pytest.param(f"accounts:\n{account(poll_interval=SECRET)}", id="as an interval"),
        pytest.param(f"accounts:\n{account(low_balance=SECRET)}", id="as a limit"),
        pytest.param(f"accounts:\n{account(base_url=SECRET)}", id="as the address"),
        pytest.param(f"accounts:\n{account(base_url=f'https://{SECRET}@example.com')}", id="as the address' user"),
        pytest.param(f"accounts:\n{account(base_url=f'https://x:{SECRET}@example.com')}", id="as its password"),
        pytest.param(f"accounts:\n{account(base_url=f'https://example.com/?key={SECRET}')}", id="in its query"),
        pytest.param(f"accounts:\n{account(base_url=f'https://example.com/#{SECRET}')}", id="in its fragment"),
        pytest.param(f"accounts:\n{account(base_url=f'https://example.com:{SECRET}')}", id="as its port"),
        pytest.param(f"accounts:\n{account(base_url=f'http://example.com/{SECRET}')}", id="in an address in clear"),
    ],
)
def test_a_credential_in_the_wrong_place_is_not_repeated(file: Path, text: str) -> None:
    """What is shown of a mistake ends up in terminals, logs and bug reports."""
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert SECRET not in said(caught.value)
    assert SECRET.removeprefix("sk_prod_") not in said(caught.value)
    assert DIGITS not in said(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{SECRET} {SECRET}", id="two in a line"),
        pytest.param(f"{SECRET}\n{SECRET}\n", id="two lines"),
        pytest.param(f"API_KEY={SECRET}\nAPI_SECRET=x\n", id="variables"),
        pytest.param(SECRET * 300, id="very long"),
    ],
)
def test_what_a_secret_file_or_variable_holds_is_not_repeated(tmp_path: Path, content: str) -> None:
    """Only what is wrong with it is said."""
    (tmp_path / "secret").write_text(content)
    (tmp_path / "config.yml").write_text(credentials("{api_key_file: secret, api_secret_env: SECRET}"))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.yml", {"SECRET": content})
    assert [mistake.path for mistake in caught.value.mistakes] == [
        f"{ITS_CREDENTIALS}.api_key_file",
        f"{ITS_CREDENTIALS}.api_secret_env",
    ]
    assert SECRET not in said(caught.value)


@pytest.mark.parametrize(
    "variable",
    [
        "ILETI_KEY",
        "ILETIMERKEZI_API_HASH",
        "SMS_KEY_2",
        "TELECOM23_API_SECRET",
        "MARKETING2_KEY",
        "NO_SUCH_THING",
        "SMSKEY",
    ],
)
def test_a_variable_that_is_not_set_is_named(file: Path, variable: str) -> None:
    """Which of several it is, is what a person needs to know."""
    file.write_text(credentials(f"{{api_key_env: {variable}}}"))
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert not_set(variable) in str(caught.value)
    assert load(file, {variable: "made-up-key"}).accounts[0].credentials == {"api_key": Secret("made-up-key")}


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("DEADBEEFDEADBEEFDEADBEEFDEADBEEF", id="hexadecimal, and letters only"),
        pytest.param("FACADE", id="hexadecimal and short"),
        pytest.param("DEAD_BEEF_CAFE", id="hexadecimal in groups"),
        pytest.param("F00DF00D8BADF00D", id="hexadecimal with digits"),
        pytest.param("AKIAIOSFODNN7EXAMPLE", id="of capitals and digits"),
        pytest.param("JBSWYDPEHPKPXPAB", id="of capitals only"),
        pytest.param("SK_LIVE_QWZKXVPLMNRTBCDH", id="of capitals with a prefix"),
        pytest.param("SK_LIVE_8JQ2VXW7LM", id="of capitals and digits with a prefix"),
        pytest.param("A1B2_C3D4_E5F6_G7H8", id="of capitals and digits in groups"),
        pytest.param("sk_prod_abcdefgh", id="of small letters"),
        pytest.param("_".join(["KEY"] * 11), id="long"),
    ],
)
def test_a_credential_for_a_variable_is_not_repeated(file: Path, secret: str) -> None:
    """It is pasted where only the name of a variable belongs, and looks like one."""
    for text in (f"{{api_key_env: {secret}}}", f"{{api_key: '${{{secret}}}'}}", f"{{api_key_env: '${{{secret}}}'}}"):
        file.write_text(credentials(text))
        with pytest.raises(ConfigError) as caught:
            load(file, {})
        assert secret not in said(caught.value)


def test_a_dollar_sign_may_be_part_of_a_credential(file: Path) -> None:
    """Only what is plainly meant to be a variable is refused."""
    for written in ("$x8Jq2", "a$B", "$", "$$", "x$HOME", "$8JQ2VXW7LM"):
        file.write_text(credentials(f"{{api_key: '{written}'}}"))
        assert load(file, {}).accounts[0].credentials["api_key"].reveal() == written


def test_a_good_configuration_does_not_print_its_credentials(file: Path) -> None:
    """However it is turned into text."""
    file.write_text(credentials(f"{{api_key: {SECRET}}}"))
    config = load(file, {})
    assert config.accounts[0].credentials["api_key"].reveal() == SECRET
    printed = f"{config!r} {config} {config.accounts[0]!r} {config.accounts[0].credentials!r}"
    assert SECRET not in printed
    assert "<secret>" in printed


def test_what_the_loader_holds_on_its_way_does_not_print_credentials_either(file: Path) -> None:
    """A debugger's or an error reporter's view of local variables is text, too."""
    file.write_text(credentials(f"{{api_key: {SECRET}}}"))
    assert SECRET not in repr(Document.read(file))
    assert SECRET not in repr(Secrets(file.parent, {"MARKETING_KEY": SECRET}))


# ------------------------------------------------------------------------------------------------------ anything


def mistakes_of(file: Path) -> list[Mistake]:
    """Return the mistakes of a file; anything but a ConfigError is raised."""
    try:
        load(file, {})
    except ConfigError as error:
        return error.mistakes
    return []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("2026-02-30", id="a date that no calendar has"),
        pytest.param("2026-02-03 25:00:00", id="a time that no clock has"),
        pytest.param("2026-02-03 20:00:00 +99:00", id="a time zone of four days"),
        pytest.param("!!timestamp otp", id="text that is said to be a date"),
        pytest.param("!!bool otp", id="text that is said to be true or false"),
        pytest.param("!!int [otp]", id="a list that is said to be a number"),
        pytest.param("!!binary ä", id="text that is said to be binary"),
        pytest.param('"\\U00110000"', id="a character beyond the last one"),
        pytest.param('"\\UFFFFFFFF"', id="a character far beyond the last one"),
        pytest.param("{<<: {}, <<: {}}", id="two merge keys"),
        pytest.param("[" * 5000 + "]" * 5000, id="five thousand lists in each other"),
        pytest.param("[" * 5000, id="five thousand lists that never end"),
    ],
)
def test_odd_yaml_is_a_mistake_and_not_a_crash(file: Path, name: str) -> None:
    """A reload must survive whatever was saved, and take the next good file."""
    file.write_text(f"accounts:\n{account(name=name)}")
    assert all(mistake.text for mistake in mistakes_of(file))
    file.write_text(f"accounts:\n{account()}")
    assert load(file, {}).accounts[0].name == "otp"


LEVELS = range(1, 12)
NESTED_MERGES = "n0: &n0 {k0: 0, k1: 1}\n" + "".join(
    "".join(f"a{level}x{each}: &a{level}x{each} {{<<: *n{level - 1}}}\n" for each in range(8))
    + f"n{level}: &n{level} {{<<: [{', '.join(f'*a{level}x{each}' for each in range(8))}]}}\n"
    for level in LEVELS
)
"""Two keys, of which each level makes eight times as many."""


BOMB = "".join(f"b{level}: &b{level} [{f'*b{level - 1}, ' * 9 if level else 'x'}]\n" for level in range(10))
"""Lists that have little of their own, and in words would fill gigabytes."""


@pytest.mark.parametrize(
    "text",
    [
        *(
            pytest.param(f"{BOMB}accounts:\n{account(**{key: '*b9'})}", id=f"lists of lists for the {key}")
            for key in ACCOUNT_KEYS.split(", ")[1:]
        ),
        *(
            pytest.param(f"{BOMB}{credentials(f'{{{key}: *b9}}')}", id=f"lists of lists for the {key}")
            for key in CREDENTIALS.split(", ")
        ),
        pytest.param(f"{BOMB}accounts:\n{account(name='*b9')}", id="lists of lists for a name"),
        pytest.param(f"{BOMB}accounts: *b9\n", id="lists of lists for the accounts"),
        pytest.param(f"{NESTED_MERGES}accounts: [*n11]\n", id="merges of merges"),
        pytest.param(
            f"all: &all {{{', '.join(f'k{each}: 0' for each in range(5000))}}}\naccounts:\n" + "- {<<: *all}\n" * 5000,
            id="a large mapping, merged again and again",
        ),
        pytest.param(
            f"all: &all [{'{}, ' * 5000}]\naccounts:\n" + "- {<<: *all}\n" * 5000,
            id="a long list of nothing, merged again and again",
        ),
    ],
)
def test_what_grows_beyond_its_file_is_refused_soon(file: Path, text: str) -> None:
    """A kilobyte must not become minutes or gigabytes; the next good file loads."""
    file.write_text(text)
    begun = time.process_time()
    assert mistakes_of(file)
    assert time.process_time() - begun < 10
    file.write_text(f"accounts:\n{account()}")
    assert load(file, {}).accounts[0].name == "otp"


TOKENS = st.sampled_from(
    [
        *("accounts", "name", "provider", "23telecom", "credentials", "api_key", "poll_interval", "5m", "otp", "x"),
        *(": ", "\n", "\n  ", "\n  - ", "- ", ", ", "{", "}", "[", "]", "'", '"', "&a ", "*a", "<<: ", "? ", "| ", "#"),
        *(
            "!!str ",
            "!!int ",
            "!!bool ",
            "!!set ",
            "!!omap ",
            "---\n",
            "%YAML 1.1\n",
            "\\u0000",
            "\t",
            "null",
            "yes",
            "0x1",
            "1e9",
            "~",
        ),
    ]
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.binary(max_size=8),
        st.dates(),
        st.datetimes(),
        st.sampled_from(("23telecom", "iletimerkezi", "5m", "1s", "http://localhost", "https://[::1", "x")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from((*TOP_KEYS.split(", "), *ACCOUNT_KEYS.split(", "), *CREDENTIALS.split(", "))),
                st.text(max_size=4),
                st.integers(),
                st.booleans(),
                st.none(),
                st.dates(min_value=date(1900, 1, 1)),
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=15,
)
ACCOUNTS = st.fixed_dictionaries(
    {"name": VALUES, "provider": st.one_of(st.sampled_from(sorted(PROVIDERS)), VALUES)},
    optional=dict.fromkeys(ACCOUNT_KEYS.split(", ")[2:], VALUES),
)


@given(st.one_of(st.text(), st.lists(TOKENS).map("".join)))
def test_no_text_makes_it_raise_anything_else(file: Path, text: str) -> None:
    """A configuration, or a ConfigError that says something in each of its lines."""
    file.write_text(text, encoding="utf-8", errors="replace")
    assert all(mistake.text for mistake in mistakes_of(file))


@given(st.one_of(VALUES, st.fixed_dictionaries({"accounts": st.lists(ACCOUNTS, max_size=3)}, optional={"x": VALUES})))
def test_no_value_makes_it_raise_anything_else(file: Path, value: object) -> None:
    """Whatever YAML can hold may stand at any place."""
    file.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8", errors="replace")
    assert all(mistake.text for mistake in mistakes_of(file))
