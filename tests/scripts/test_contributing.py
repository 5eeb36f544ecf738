"""What CONTRIBUTING.md and .pre-commit-config.yaml name is there."""

import re
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

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
