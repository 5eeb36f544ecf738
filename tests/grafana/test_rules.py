"""The rules as Prometheus' own tool judges them, and the generated files against what generates them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grafana.generate.__main__ import files
from grafana.generate.settings import Settings
from sms_credit_exporter.exporter import VERSION
from sms_credit_exporter.metrics import AccountCollector, ExporterCollector, registry
from tests.conftest import ROOT

PROMETHEUS = ROOT / "grafana" / "prometheus"
SCENARIOS = sorted((PROMETHEUS / "tests").glob("*.yml"))


def promtool(tool: Callable[[str], str], *arguments: str, folder: Path = PROMETHEUS) -> str:
    """Run promtool and return what it says; a complaint fails the test."""
    command = [tool("promtool"), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_rules(tool: Callable[[str], str]) -> None:
    """Every rule parses, and none stands there twice."""
    assert "SUCCESS" in promtool(tool, "check", "rules", "rules.yml")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda file: file.stem)
def test_what_fires_and_what_does_not(tool: Callable[[str], str], scenario: Path) -> None:
    """Each alert fires when it should, with the right words, and stays silent when it should."""
    assert "SUCCESS" in promtool(tool, "test", "rules", scenario.name, folder=scenario.parent)


def test_the_committed_files_are_the_generated_ones() -> None:
    """A change by hand would be lost at the next generation."""
    for path, content in files(Settings()).items():
        assert (ROOT / "grafana" / path).read_text() == content, path


def test_every_metric_that_is_used_is_one_that_the_exporter_has() -> None:
    """A misspelt metric would be an alert that never fires."""
    own = registry(AccountCollector(tuple), ExporterCollector(VERSION))
    names = {
        f"{metric.name}{suffix}"
        for metric in own.collect()
        for suffix in {"counter": ("_total",), "info": ("_info",)}.get(metric.type, ("",))
    }
    text = (PROMETHEUS / "rules.yml").read_text() + "".join(
        file.read_text() for file in (ROOT / "grafana" / "dashboards").glob("*.json")
    )
    used = set(re.findall(r"(?<![a-z0-9_:])sms_credit_\w+(?!:)\b(?![:])", text))

    assert used
    assert used <= names
