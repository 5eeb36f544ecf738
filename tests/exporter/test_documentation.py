"""What documents say of the exporter by hand: complete, and as the code has it. The rest is written from the code."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sms_credit_core import PROVIDERS, Provider, Status
from tests.conftest import ROOT
from tests.documentation import mistakes, named, rows

README = ROOT / "README.md"

NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905 - one is a provider


def number(count: int) -> str:
    """Write a number as the documents do."""
    return NUMBERS[count] if count < len(NUMBERS) else f"{count}"


def test_the_readme_counts_right() -> None:
    """What it says of how many there are."""
    text = " ".join(README.read_text().split())
    assert f"at [{number(len(PROVIDERS))} SMS gateways]" in text
    assert f"one of {number(len(Status))} statuses" in text


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_of_every_provider_stands_where_its_credentials_come_from(provider: Provider) -> None:
    """By its name, with a link to where one finds them."""
    _, _, section = (ROOT / "docs/providers.md").read_text().partition("## Where the credentials come from")
    assert f"\n- *{provider.name}*: [" in section


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


@pytest.mark.parametrize("runbook", ["grafana/runbook.md", "grafana/runbook.tr.md"])
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_every_provider_is_in_the_runbooks(runbook: str, provider: Provider) -> None:
    """With the panel in which things are put right."""
    assert f"{provider.name} (`{provider.key}`) | <{provider.panel_url}>" in (ROOT / runbook).read_text()
