"""What documents take from the code, and what else docs/exporter.md says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import reference
from sms_credit_exporter.cli import main
from sms_credit_exporter.command_line import command_line
from sms_credit_exporter.config import labels, load_variables
from tests.conftest import ROOT

FILE = ROOT / "docs/exporter.md"
DOCUMENT = FILE.read_text()


def check(root: Path) -> subprocess.CompletedProcess[str]:
    """Have the script look at the documents of a checkout."""
    return subprocess.run(
        [sys.executable, "-m", "scripts.reference", "--check"], cwd=root, capture_output=True, text=True, check=False
    )


def test_its_tables_are_written_from_the_code(tmp_path: Path) -> None:
    """A table that somebody changed by hand is named, and written anew."""
    assert check(ROOT).returncode == 0
    for folder in ("scripts", "docs", "custom_components/sms_credit/translations"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for readme in ("README.md", "README.tr.md"):
        shutil.copy(ROOT / readme, tmp_path)
    copy = tmp_path / "docs/exporter.md"
    copy.write_text(DOCUMENT.replace("| `stale_after` | `1h` |", "| `stale_after` | `2h` |"))
    outcome = check(tmp_path)
    assert (outcome.returncode, outcome.stderr) == (1, f"{copy}: not as scripts/generate writes it\n")
    subprocess.run([sys.executable, "-m", "scripts.reference"], cwd=tmp_path, check=True)
    assert copy.read_text() == DOCUMENT


def test_all_that_can_be_written_is() -> None:
    """Each block stands in one English document, once."""
    text = "".join(file.read_text() for file, blocks in reference.FILES.items() if blocks is reference.BLOCKS)
    assert sorted(re.findall(r"<!-- generated: ([a-z-]+) -->", text)) == sorted(reference.BLOCKS)


def test_its_numbers_are_those_of_the_code() -> None:
    """They stand in sentences, which nothing writes anew."""
    assert f"{labels.MOST} different ones" in DOCUMENT


def examples(language: str) -> list[str]:
    """Return the examples of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_its_account_from_the_environment_loads(tmp_path: Path) -> None:
    """With a key where the example has it."""
    secret = tmp_path / "otp"
    secret.write_text("made-up-key")
    [example] = [text for text in examples("console") if "export SMS" in text]
    variables = dict(re.findall(r"(SMS_CREDIT_\w+)=(\S+)", example))
    [account] = load_variables(variables | {"SMS_CREDIT_API_KEY_FILE": str(secret)}).accounts
    assert (account.name, account.labels) == ("otp", {"team": "payments"})


@pytest.mark.parametrize("name", reference.parsers())
def test_help_has_every_option_with_its_default_and_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is required, and what prints something else, has none. The example is taken by the command line itself."""
    parser = reference.parsers()[name]
    with pytest.raises(SystemExit):
        main([name, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to list them
        for option in action.option_strings:
            assert option in text
        if action.option_strings and not action.required and action.dest != "help":
            assert "default" in str(action.help) or "the same as" in str(action.help)
    assert "exit codes: 0 " in text
    example = text.partition("example: sms-credit-exporter ")[2]
    command_line().parse_args(example.partition(" >")[0].split())
