"""The README's reference tables: complete, and as the code has it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from prometheus_client import Metric

from sms_credit_core import PROVIDERS, Provider, Quality, Status, Value
from sms_credit_exporter.cli import main
from sms_credit_exporter.config import ConfigError, load
from sms_credit_exporter.durations import duration_text
from sms_credit_exporter.metrics import AccountCollector, ExporterCollector
from tests.conftest import ROOT
from tests.documentation import Facts, check, mistakes, named, rows

README = ROOT / "README.md"

SUFFIXES = {"counter": "_total", "info": "_info"}


def exposed(metric: Metric) -> str:
    """Return the name that a scraper sees."""
    return metric.name + SUFFIXES.get(metric.type, "")


def metrics_told() -> Iterator[tuple[str, Facts]]:
    """Return what the README says of each metric; some share a row."""
    for names, kind, *_ in rows(README, "metric"):
        for name in named(names):
            metric, _, labels = name.rstrip("}").partition("{")
            yield metric, {"type": re.split(r"\W", kind)[0].removesuffix("s"), "labels": labels}


def test_every_metric_of_an_account_is_told() -> None:
    """With its type, and with its labels beside provider and account."""
    true = {}
    for metric in AccountCollector(lambda: ()).describe():
        # Nothing but this attribute of a family tells its labels without samples.
        provider, account, *labels = vars(metric)["_labelnames"]
        assert (provider, account) == ("provider", "account")
        true[exposed(metric)] = {"type": metric.type, "labels": ",".join(labels)}
    check(README, "metric", metrics_told(), true)


def test_every_metric_of_the_exporter_is_told() -> None:
    """They stand in the sentence below the table."""
    _, _, below = README.read_text().partition("Without those labels:")
    told = named(below.partition("\n\n")[0])
    assert [exposed(each) for each in ExporterCollector("1").describe() if exposed(each) not in told] == []
    assert {"process_*", "python_info"} < set(told)


KEPT = {"replaced", "held"}
"""What becomes of the last good values, where they are not dropped or never were any."""


def test_every_status_is_told() -> None:
    """With what it means for `sms_credit_up` and for the last good values."""
    fresh = {quality.status for quality in Quality}
    told = (
        (named(status)[0], {"up": up, "last good values": values if values in KEPT else "dropped"})
        for status, up, _, values in rows(README, "status")
    )
    true = {
        status.value: {
            "up": str(int(status.up)),
            "last good values": "replaced" if status in fresh else "held" if status.holds else "dropped",
        }
        for status in Status
    }
    check(README, "status", told, true)


def allowed(text: str, tmp_path: Path) -> list[str]:
    """Return the keys that are allowed beside the one in this configuration that nobody knows."""
    file = tmp_path / "config.yml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(file, {})
    [keys] = [
        mistake.text.partition("allowed are ")[2] for mistake in error.value.mistakes if "allowed are " in mistake.text
    ]
    return keys.split(", ")


SOUND = "accounts: [{name: otp, provider: 23telecom, credentials: {api_key: made-up-key}}]"


def defaults(tmp_path: Path) -> Mapping[str, str]:
    """Return the durations that count where the configuration does not say."""
    file = tmp_path / "config.yml"
    file.write_text(SOUND)
    config = load(file, {})
    [account] = config.accounts
    return {
        "stale_after": duration_text(config.stale_after),
        "poll_interval": duration_text(account.poll_interval),
        "accounts[].timeout": duration_text(account.timeout),
    }


def test_every_configuration_key_is_told(tmp_path: Path) -> None:
    """With its default, where that is a duration."""
    keys = allowed("unheard_of: 1\n" + SOUND, tmp_path)
    keys += [f"accounts[].{key}" for key in allowed(SOUND.replace("name:", "unheard_of: 1, name:"), tmp_path)]
    default = defaults(tmp_path)
    told = ((named(key)[0], {"default": "".join(named(value))}) for key, value, _ in rows(README, "key"))
    true = {key: {"default": default.get(key, "")} for key in keys}
    check(README, "key", told, true)


OPTION = r"--[a-z][\w.-]*"


def help_of(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    """Return what a command says of itself."""
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    return capsys.readouterr().out


def test_every_command_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the options that it needs; all others stand there or in the text below the table."""
    monkeypatch.setenv("COLUMNS", "300")
    commands = re.findall(r"^    ([a-z]+)(?: |$)", help_of(capsys), re.MULTILINE)
    usages = {name: help_of(capsys, name).partition("\n\n")[0] for name in commands}
    needed = {name: re.findall(OPTION, re.sub(r"\[.*?\]", "", usage)) for name, usage in usages.items()}
    told = list(rows(README, "command"))
    lines = [named(command)[0] for command, *_ in told]
    needed_by_readme = (
        (line.split()[0], {"options": " ".join(re.findall(OPTION, re.sub(r"\[.*?\]", "", line)))}) for line in lines
    )
    true = {name: {"options": " ".join(options)} for name, options in needed.items()}
    check(README, "command", needed_by_readme, true)

    section = README.read_text().partition("### Command line\n")[2].partition("\n### ")[0]
    there_are = {option for usage in usages.values() for option in re.findall(OPTION, usage)}
    assert set(re.findall(OPTION, section)) == there_are


TABLE = """
# Fruit

| fruit | colour |
| --- | --- |
| `apple` | red |
| `pear`, `plum` | blue |
"""


@pytest.mark.parametrize(
    ("true", "sentence"),
    [
        pytest.param({"cherry": "red"}, "there is no row for cherry.", id="a row is missing"),
        pytest.param({"plum": None}, "the row for plum is about something that does not exist.", id="a row is surplus"),
        pytest.param(
            {"pear": "green"}, "the row for pear says “blue” of its colour; right is “green”.", id="a row is wrong"
        ),
    ],
)
def test_a_table_that_is_not_right_is_told_in_a_sentence(
    tmp_path: Path, true: dict[str, str | None], sentence: str
) -> None:
    """It names the file and the row; once it is put right, there is none."""
    file = tmp_path / "fruit.md"
    file.write_text(TABLE)
    colours = {"apple": "red", "pear": "blue", "plum": "blue"}

    def found(fruit: Mapping[str, str | None]) -> list[str]:
        told = ((name, {"colour": colour}) for names, colour in rows(file, "fruit") for name in named(names))
        return mistakes(file, "fruit", told, {name: {"colour": colour} for name, colour in fruit.items() if colour})

    assert found(colours | true) == [f"fruit.md, table “fruit”: {sentence}"]
    assert found(colours) == []


NONE = "\N{EN DASH}"


def given(provider: Provider) -> dict[str, str]:
    """Return what README's table says of a provider."""
    names = [(field.name, field.required) for field in provider.credentials]
    return {
        "balance": _balance(provider),
        "quota": "yes" if Value.QUOTA in provider.gives else "with message_price",
        "credit block": "yes" if Value.CREDIT_BLOCKED in provider.gives else NONE,
        "time stamp": "yes" if Value.PROVIDER_UPDATED in provider.gives else NONE,
        "credentials": " ".join(name for name, _ in names),
    }


def _balance(provider: Provider) -> str:
    if Value.BALANCE not in provider.gives:
        return "in credits"
    return f"yes, in {provider.currency}" if provider.currency else "yes"


def test_every_provider_is_told() -> None:
    """With what it gives, and the credentials that it asks for."""
    told = (
        (
            named(provider)[0],
            {
                "balance": balance,
                "quota": quota.replace("`", ""),
                "credit block": block,
                "time stamp": stamp,
                "credentials": " ".join(named(credentials)),
            },
        )
        for provider, balance, quota, block, stamp, credentials in rows(README, "provider")
    )
    check(README, "provider", told, {key: given(provider) for key, provider in PROVIDERS.items()})


@pytest.mark.parametrize("runbook", ["grafana/runbook.md", "grafana/runbook.tr.md"])
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_every_provider_is_in_the_runbooks(runbook: str, provider: Provider) -> None:
    """With the panel in which things are put right."""
    assert f"{provider.name} (`{provider.key}`) | <{provider.panel_url}>" in (ROOT / runbook).read_text()
