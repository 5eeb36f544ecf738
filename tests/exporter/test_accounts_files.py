"""Accounts in files of their own: found by patterns, told with their file, and taken in anew when one changes."""

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import yaml

from sms_credit_exporter.config import ConfigError, load
from sms_credit_exporter.config.files import noted
from sms_credit_exporter.config.keys import ACCOUNT_KEYS
from tests.exporter.running import LISTEN, Providers, Running, command

Start = Callable[..., AbstractAsyncContextManager[Running]]


def account(name: str, **more: str) -> str:
    """Return a list of one account, in YAML."""
    members = {"provider": "23telecom", "credentials": f"{{api_key: made-up-key-of-{name}}}", **more}
    return f"- name: {name}\n" + "".join(f"  {key}: {value}\n" for key, value in members.items())


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files, those of folders too; return the configuration among them."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "config.yml"


def names(file: Path) -> list[str]:
    """Return the names of the accounts that a configuration comes to."""
    return [each.name for each in load(file, {}).accounts]


# ----------------------------------------------------------------------------------------------------- what is found


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        pytest.param("[teams/*.yml]", ["b", "a"], id="a pattern gives its files by their names"),
        pytest.param("[teams/2.yml]", ["a"], id="a plain name is one file"),
        pytest.param("[teams/2.yml, teams/*.yml]", ["a", "b"], id="a file that two patterns give is read once"),
        pytest.param("['*/?.yml']", ["b", "a"], id="a pattern for folders"),
        pytest.param("['teams/[13].yml']", ["b"], id="a pattern of letters"),
        pytest.param("['**/*.yml']", ["b", "a"], id="two stars are one, as in Prometheus"),
        pytest.param("['none/*.yml']", [], id="a pattern in a folder that is not there yet gives nothing"),
        pytest.param("['teams/*.yaml']", [], id="a pattern that matches nothing gives nothing"),
        pytest.param("['teams/empty.txt']", [], id="a list without accounts gives none"),
    ],
)
def test_what_patterns_find(tmp_path: Path, patterns: str, found: list[str]) -> None:
    """They start at the configuration's folder; `accounts` itself may be missing."""
    file = written(
        tmp_path,
        {
            "config.yml": f"accounts_files: {patterns}\n",
            "teams/1.yml": account("b"),
            "teams/2.yml": account("a"),
            "teams/.3.yml": account("hidden"),
            "teams/deeper/er/4.yml": account("deep"),
            "teams/empty.txt": "[]\n",
        },
    )
    assert names(file) == found


def test_accounts_of_the_file_itself_come_first(tmp_path: Path) -> None:
    """Both may be given, and what the file says for all accounts holds for those of other files too."""
    file = written(
        tmp_path,
        {
            "config.yml": "poll_interval: 10m\naccounts_files: ['*/a.yml']\naccounts:\n" + account("z"),
            "x/a.yml": account("a"),
        },
    )
    config = load(file, {})
    assert [(each.name, each.poll_interval) for each in config.accounts] == [("z", 600), ("a", 600)]


def test_paths_in_a_file_start_at_that_file(tmp_path: Path) -> None:
    """As in Prometheus: a team's folder can be moved as a whole."""
    file = written(
        tmp_path,
        {
            "config.yml": "accounts_files: [teams/*/accounts.yml]\n",
            "teams/a/accounts.yml": account("a", credentials="{api_key_file: key}"),
            "teams/a/key": "made-up-key-a\n",
            "teams/b/accounts.yml": account("b", credentials="{api_key_file: key}"),
            "teams/b/key": "made-up-key-b\n",
        },
    )
    assert [each.credentials["api_key"].reveal() for each in load(file, {}).accounts] == [
        "made-up-key-a",
        "made-up-key-b",
    ]


# ---------------------------------------------------------------------------------------------------------- mistakes

MISTAKES = {
    "a name that stands in two files": (
        {
            "config.yml": "accounts_files: ['*.yaml']",
            "1.yaml": account("a"),
            "2.yaml": "\n" + account("a", credentials="{api_key: other}"),
        },
        [
            "2.yaml:2: [0].name: is also the name of [0] in 1.yaml; must be unique",
        ],
    ),
    "a name that the configuration itself has": (
        {
            "config.yml": "accounts_files: [1.yaml]\naccounts:\n" + account("a"),
            "1.yaml": account("a", credentials="{api_key: other}"),
        },
        [
            "1.yaml:1: [0].name: is also the name of accounts[0] in config.yml; must be unique",
        ],
    ),
    "an account that stands in two files": (
        {
            "config.yml": "accounts_files: [1.yaml, 2.yaml]",
            "1.yaml": account("a"),
            "2.yaml": account("b", credentials="{api_key: made-up-key-of-a}"),
        },
        ["2.yaml:1: [0]: is the same account as [0] in 1.yaml; it would be polled twice"],
    ),
    "mistakes in several files": (
        {
            "config.yml": "accounts_files: ['*.yaml']\naccounts:\n" + account("z", low_balance="-1"),
            "1.yaml": account("a", low_balence="5"),
            "2.yaml": "accounts: []",
            "3.yaml": "- [",
        },
        [
            "config.yml:6: accounts[0].low_balance: found -1; must be zero or above zero",
            "1.yaml:4: [0].low_balence: is not a known key; did you mean low_balance? allowed are <keys>",
            "2.yaml:1: must be a list of accounts",
            "3.yaml:1: is not valid YAML: a value is missing",
        ],
    ),
    "a plain name without a file": (
        {"config.yml": "accounts_files: [nowhere.yml]"},
        ["nowhere.yml: cannot be read: No such file or directory"],
    ),
    "a folder among the files": (
        {"config.yml": "accounts_files: ['*']", "teams/a.yml": account("a")},
        ["config.yml:1: must be a list of accounts", "teams: cannot be read: Is a directory"],
    ),
    "a file without anything": (
        {"config.yml": "accounts_files: [1.yaml]", "1.yaml": ""},
        ["1.yaml: must be a list of accounts"],
    ),
    "a file where a folder must be": (
        {"config.yml": "accounts_files: ['config.yml/*.yml']"},
        ["config.yml:1: accounts_files[0]: the folder cannot be looked into: Not a directory"],
    ),
    "no list of patterns": (
        {"config.yml": "accounts_files: teams/*.yml"},
        ["config.yml:1: accounts_files: must be a list of at least one pattern such as teams/*.yml"],
    ),
    "a pattern that is none": (
        {"config.yml": "accounts_files: [4711, '', 'a\\0*']"},
        [
            "config.yml:1: accounts_files[0]: found 4711; must be a path or a pattern such as teams/*.yml",
            "config.yml:1: accounts_files[1]: found text; must be a path or a pattern such as teams/*.yml",
        ],
    ),
}
"""The files, and what is to be said of them."""


@pytest.mark.parametrize(("files", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], told: list[str]
) -> None:
    """All at once, the configuration's own first, and each as a line that an editor jumps from."""
    written(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load(Path("config.yml"), {})
    listed = ", ".join(key.name for key in ACCOUNT_KEYS)
    assert str(caught.value).splitlines() == [line.replace("<keys>", listed) for line in told]


# ------------------------------------------------------------------------------------------------------ what was read


def looked_at(file: Path) -> Mapping[Path, bytes]:
    """Load a configuration, and return what loading noted of all that it read."""
    with noted() as files, contextlib.suppress(ConfigError):
        load(file, {})
    return files


def test_all_that_is_read_is_noted(tmp_path: Path) -> None:
    """The configuration, the files that patterns gave, and the credentials' files: also where one cannot be read."""
    file = written(
        tmp_path,
        {
            "config.yml": "accounts_files: [teams/*.yml]\n",
            "teams/a.yml": account("a", credentials="{api_key_file: key}"),
        },
    )
    before = looked_at(file)
    assert before.keys() == {file, tmp_path / "teams/a.yml", tmp_path / "teams/key"}
    (tmp_path / "teams/key").write_text("made-up-key")
    assert looked_at(file) != before


def rotate(folder: Path) -> None:
    """Swap the folder that a link leads to, as Kubernetes does with a mounted secret."""
    (folder / "new").mkdir()
    (folder / "new" / "key").write_text("made-up-other-key")
    (folder / "link").symlink_to("new")
    (folder / "link").replace(folder / "secrets")


CHANGES: Mapping[str, Callable[[Path], object]] = {
    "another configuration": lambda folder: (folder / "config.yml").write_text("accounts_files: ['*/a.yml', b.yml]\n"),
    "another account in a file": lambda folder: (folder / "teams/a.yml").write_text(account("b")),
    "a file that a pattern gives now": lambda folder: written(folder, {"more/a.yml": account("c")}),
    "a file that is gone": lambda folder: (folder / "teams/a.yml").unlink(),
    "a secret behind a link": rotate,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_anything_that_was_read_shows(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """Content counts: touching a file, or writing the same again, is no change."""
    file = written(
        tmp_path,
        {
            "config.yml": "accounts_files: ['*/a.yml']\n",
            "teams/a.yml": account("a", credentials="{api_key_file: ../secrets/key}"),
            "old/key": "made-up-key",
        },
    )
    (tmp_path / "secrets").symlink_to("old")
    before = looked_at(file)
    file.write_text(file.read_text())
    os.utime(tmp_path / "teams/a.yml", (0, 0))
    assert looked_at(file) == before
    change(tmp_path)
    assert looked_at(file) != before


async def test_a_team_changes_its_file_and_then_makes_a_mistake(
    start: Start, providers: Providers, tmp_path: Path
) -> None:
    """A reload takes accounts of new and changed files in; with a mistake it keeps the old, and says in which file."""
    first, second = (providers.configured(name, providers.add("23telecom")) for name in ("a", "b"))
    file = written(tmp_path, {"config.yml": "accounts_files: [teams/*.yml]\n", "teams/a.yml": yaml.safe_dump([first])})
    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        await exporter.shows('sms_credit_up{account="a",provider="23telecom"} 1.0')
        written(tmp_path, {"teams/b.yml": yaml.safe_dump([second])})
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.shows('sms_credit_up{account="b",provider="23telecom"} 1.0')

        written(tmp_path, {"teams/b.yml": "- name: b\n"})
        exporter.process.send_signal(signal.SIGHUP)
        line = await exporter.logged("configuration not reloaded.*credentials")
        assert f"file={tmp_path}/teams/b.yml" in line
        await exporter.shows('sms_credit_up{account="b",provider="23telecom"} 1.0')

        (tmp_path / "teams/b.yml").unlink()
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.logged("configuration reloaded", 2)
        assert 'account="b"' not in (await exporter.get("/metrics")).text
        await exporter.shows('sms_credit_up{account="a",provider="23telecom"} 1.0')


@pytest.mark.parametrize("slip", ["teams/a.yml", "teams/key"])
async def test_no_slip_makes_one_of_its_files_the_storage(
    start: Start, providers: Providers, tmp_path: Path, slip: str
) -> None:
    """It would be taken for a damaged storage and set aside. With a file of its own, the exporter starts."""
    account = providers.configured("a", opened := providers.add("23telecom"))
    file = written(
        tmp_path,
        {
            "config.yml": "accounts_files: [teams/*.yml]\n",
            "teams/a.yml": yaml.safe_dump([{**account, "credentials": {"api_key_file": "key"}}]),
            "teams/key": opened.credentials["api_key"],
        },
    )
    before = (tmp_path / slip).read_text()
    outcome = await command("serve", f"--config.file={file}", f"--storage.path={slip}", LISTEN, cwd=tmp_path)
    assert outcome == (1, "", f"--storage.path: {slip}: is the accounts or credential file\n")
    assert (tmp_path / slip).read_text() == before
    async with start("serve", f"--config.file={file}", "--storage.path=state.db", LISTEN) as exporter:
        await exporter.shows('sms_credit_up{account="a",provider="23telecom"} 1.0')


async def test_no_file_matches_yet(start: Start, providers: Providers, tmp_path: Path) -> None:
    """`check` counts to none, `balance` prints a heading, and `serve` is healthy, ready, and takes what comes."""
    file = written(tmp_path, {"config.yml": "accounts_files: [teams/*.yml]\n"})
    assert await command("check", f"--config.file={file}", cwd=tmp_path) == (
        0,
        f"{file}: no mistakes, 0 accounts.\n",
        "",
    )
    code, out, err = await command("balance", f"--config.file={file}", cwd=tmp_path)
    assert (code, out.split(), err) == (0, ["ACCOUNT", "PROVIDER", "STATUS", "BALANCE", "QUOTA", "CREDIT"], "")
    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        for path in ("/-/healthy", "/-/ready", "/"):
            assert (await exporter.get(path)).status_code == 200
        await exporter.shows("sms_credit_exporter_configured_accounts 0.0")
        written(tmp_path, {"teams/a.yml": yaml.safe_dump([providers.configured("a", providers.add("23telecom"))])})
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.shows('sms_credit_up{account="a",provider="23telecom"} 1.0')
        await exporter.shows("sms_credit_exporter_configured_accounts 1.0")
