"""The configuration file: what is taken over, every mistake in its exact words, and no credential in any of them."""

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sms_credit_core import PROVIDERS, Limits, Secret
from sms_credit_exporter.accounts import AccountConfig, Config
from sms_credit_exporter.config import ConfigError, Mistake, composer, keys, load
from sms_credit_exporter.config.credentials import Secrets
from sms_credit_exporter.config.document import Document
from sms_credit_exporter.config.keys import FILE_KEYS

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
                labels={"customer": "acme", "team": "growth"},
                base_url="https://gateway.example.com:8443/api/v2",
                poll_interval=600.0,
                timeout=4.5,
                limits=Limits(
                    low_balance=Decimal(50), low_quota=500, low_runway=259_200.0, message_price=Decimal("0.021")
                ),
            ),
            AccountConfig(
                name="otp",
                provider=ILETIMERKEZI,
                credentials={"api_key": Secret("made-up-ileti-key"), "api_hash": Secret("made-up-ileti-hash")},
                labels={"customer": "", "team": ""},
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
        pytest.param("!!str 4711", "4711", id="a number that is said to be text"),
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

TOP_KEYS = ", ".join(key.name for key in FILE_KEYS)
ACCOUNT_KEYS = ", ".join(key.name for key in keys.ACCOUNT_KEYS)
CREDENTIALS = ", ".join(each.name + way for each in TELECOM23.credentials for way in ("", "_file", "_env"))

LISTS = {
    "<keys of the file>": TOP_KEYS,
    "<keys of an account>": ACCOUNT_KEYS,
    "<keys of 23telecom's credentials>": CREDENTIALS,
    "<providers>": ", ".join(PROVIDERS),
}
"""What grows with the product, by what stands for it in the expected words."""


def expected(bad: Path) -> str:
    """Return what is to be said of a file; it stands beside it."""
    text = bad.with_suffix(".txt").read_text()
    for name, listed in LISTS.items():
        text = text.replace(name, listed)
    return text


@pytest.mark.parametrize("bad", [pytest.param(each, id=each.stem) for each in sorted(CONFIGS.glob("invalid-*.yml"))])
def test_a_mistake_is_told_in_exactly_these_words(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole text: file, line, path, what was found, what is allowed."""
    monkeypatch.chdir(bad.parent)
    with pytest.raises(ConfigError) as caught:
        load(Path(bad.name), ENVIRON)
    assert f"{caught.value}\n" == expected(bad)


def test_every_file_is_used() -> None:
    """A file that no test loads would be a mistake that nobody checks."""
    good = {"full", "minimal", "credentials", "aliases", "merged"}
    assert {path.stem for path in CONFIGS.glob("*.yml")} == good | {path.stem for path in CONFIGS.glob("*.txt")}


NO_CHARACTER = "is not valid YAML: it holds a character that is not allowed"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("name: Müşteri\n".encode("latin-1", "replace"), "is not text in UTF-8", id="Latin-1"),
        pytest.param("accounts: []\n".encode("utf-16"), "is not text in UTF-8", id="UTF-16"),
        pytest.param(b"accounts: \x00", NO_CHARACTER, id="a zero byte"),
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
        "accounts[0].credentials.api_key_file",
        "accounts[0].credentials.api_secret_env",
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
    assert f"the environment variable {variable} is not set, or empty" in str(caught.value)
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
    assert SECRET not in repr(Secrets({"MARKETING_KEY": SECRET}))


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
LABELS = st.dictionaries(
    st.one_of(st.sampled_from(("team", "account", "exported_x", "__x", "Team_2")), st.text(max_size=4), st.integers()),
    st.one_of(st.text(max_size=4), VALUES),
    max_size=4,
)
ACCOUNTS = st.fixed_dictionaries(
    {"name": VALUES, "provider": st.one_of(st.sampled_from(sorted(PROVIDERS)), VALUES)},
    optional=dict.fromkeys(ACCOUNT_KEYS.split(", ")[2:], VALUES) | {"labels": LABELS},
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
