"""What CONTRIBUTING.md and .pre-commit-config.yaml name is there."""

import re
from pathlib import Path

import pytest
import yaml

from sms_credit_core import PROVIDERS, Provider
from tests.conftest import ROOT
from tests.documentation import named, rows

FOLDERS = ("blueprints", "custom_components", "docs", "exporter", "grafana", "scripts", "tests")
PATHS = {str(path) for folder in FOLDERS for path in (ROOT / folder).rglob("*")} | {
    str(path) for path in ROOT.glob("*")
}

NAMED = sorted(
    {
        path.rstrip("/")
        for path in re.findall(r"`([\w./-]+)`", (ROOT / "CONTRIBUTING.md").read_text())
        if re.search(r"./|\w\.(html|json|md|py|svg|yml)$", path)
    }
)
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]


@pytest.mark.parametrize("name", NAMED)
def test_a_recipe_leads_to_files_that_exist(name: str) -> None:
    """Some are named without their folder, which the line before has named."""
    assert (ROOT / name).exists() or any(path.endswith(f"/{name}") for path in PATHS)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_calls_a_script_of_the_project(hook: dict[str, str]) -> None:
    """The words of its name are the command, so that one can do by hand what it did."""
    assert hook["name"] == hook["entry"]
    assert Path(ROOT, hook["entry"].split()[0]).is_relative_to(ROOT / "scripts")
    assert Path(ROOT, hook["entry"].split()[0]).stat().st_mode & 0o111


PACKAGES = (
    "custom_components/sms_credit",
    "custom_components/sms_credit/lib/sms_credit_core",
    "exporter/sms_credit_exporter",
    "grafana/generate",
)
"""Whose first lines say where one finds what."""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_tells_where_one_finds_what(package: str) -> None:
    """Each module and each folder in it has its word there, apart from those that every Python package has."""
    [told] = re.findall('^"""(.*?)"""', (ROOT / package / "__init__.py").read_text(), re.DOTALL)
    modules = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__", "__main__"}
    folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert [name for name in sorted(modules | folders) if not re.search(rf"\b{name}\b", told)] == []


def test_every_folder_of_the_tests_is_explained() -> None:
    """In the table of those."""
    told = {name for [cell, _] in rows(ROOT / "CONTRIBUTING.md", "tests of") for name in named(cell)}
    there = {f"tests/{path.name}/" for path in (ROOT / "tests").iterdir() if path.is_dir() and "__" not in path.name}
    assert told == there


PLACES = (
    "README.md",
    "README.tr.md",
    "CHANGELOG.md",
    "docs/home-assistant.md",
    "docs/exporter.md",
    "docs/faults.md",
    "docs/providers.md",
    "docs/tr/home-assistant.md",
    "docs/tr/providers.md",
    "grafana/dashboards/",
    "grafana/runbook.md",
    "grafana/runbook.tr.md",
    ".github/ISSUE_TEMPLATE/bug.yml",
    "custom_components/sms_credit/lib/sms_credit_core/providers/",
    "custom_components/sms_credit/translations/",
    "exporter/sms_credit_exporter/simulator/providers/",
    "tests/payloads/",
    "tests/core/test_providers.py",
    "tests/faults/damage.py",
    "tests/ha/integration/snapshots/test_sensor.ambr",
)
"""Where a provider may occur: what the recipe says."""

EXAMPLES = ("23telecom", "iletimerkezi", "twilio")
"""The providers that tests and documents take for an example."""


@pytest.mark.parametrize(
    "provider", [each for key, each in PROVIDERS.items() if key not in EXAMPLES], ids=lambda each: each.key
)
def test_a_provider_occurs_nowhere_but_where_the_recipe_says(provider: Provider) -> None:
    """Whoever adds one has no other file to look for."""
    files = [
        file
        for folder in (".github", *FOLDERS)
        for file in (ROOT / folder).rglob("*.*")
        if "__pycache__" not in file.parts
    ]
    written = {
        file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8", errors="replace")
        for file in (*files, *ROOT.glob("*.md"))
        if file.is_file() and file.name != "CONTRIBUTING.md"
    }
    named = {name for name, text in written.items() if f'"{provider.key}"' in text or provider.name in text}
    assert named
    assert [name for name in named if not name.startswith(PLACES)] == []
