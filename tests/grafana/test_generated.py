"""What is committed is what the code generates, and is about metrics that exist."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from prometheus_client.registry import Collector

from grafana.generate.__main__ import FOLDER, files, main
from grafana.generate.settings import Settings
from sms_credit_core import Status
from sms_credit_exporter.metrics import AccountCollector, ExporterCollector, registry
from tests.conftest import ROOT
from tests.grafana.dashboards import DASHBOARDS, QUERIES, VARIABLES, panels, query_of, selectors
from tests.grafana.rules import ALERTS, RECORDED, RULES

OF_PROMETHEUS = {"up", "ALERTS", "ALERTS_FOR_STATE"}
"""Series that Prometheus itself makes."""

_SUFFIX = {"counter": "_total", "info": "_info"}


@pytest.mark.parametrize(("path", "text"), files(Settings()).items(), ids=files(Settings()))
def test_the_committed_file_is_the_generated_one(path: str, text: str) -> None:
    """Byte for byte; `scripts/generate` makes it so."""
    assert (FOLDER / path).read_text() == text


def test_nothing_generated_is_left_over() -> None:
    """A dashboard that is no longer generated does not stay."""
    assert {f"dashboards/{file.name}" for file in (FOLDER / "dashboards").iterdir()} <= set(files(Settings()))


def test_another_job_can_be_generated_for(tmp_path: Path) -> None:
    """Whoever calls the job otherwise, or keeps runbook and Grafana elsewhere, generates rules of their own."""
    elsewhere = ("--runbook=https://example.org/runbook", "--grafana=https://example.org/grafana/")
    main(["--job=gateways", *elsewhere, f"--output={tmp_path}"])
    text = (tmp_path / "prometheus/rules.yml").read_text()
    assert 'job="sms-credit"' not in text
    assert "https://example.org/runbook#smscreditblocked" in text
    assert "localhost" not in text
    assert text.count("dashboard_url: https://example.org/grafana/d/sms-credit-") == len(ALERTS)
    assert "https://example.org/runbook" in (tmp_path / "dashboards/overview.json").read_text()


def test_what_is_outdated_can_be_found_without_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each file that would change is named; once they are written, all is well."""
    check = ["--check", f"--output={tmp_path}"]
    assert main(check) == 1
    assert [*tmp_path.iterdir()] == []
    assert main([f"--output={tmp_path}"]) == 0
    assert main(check) == 0

    capsys.readouterr()
    (tmp_path / "prometheus/rules.yml").write_text("groups: []\n")
    assert main(check) == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'prometheus/rules.yml'}: ")
    main([f"--output={tmp_path}"])
    assert main(check) == 0


@pytest.mark.parametrize(("option", "code"), [("--check", 0), ("--job=gateways", 1)])
def test_the_script_says_whether_what_is_committed_is_up_to_date(
    tool: Callable[[str], str], option: str, code: int
) -> None:
    """It brings what it needs by itself, and its exit code tells."""
    tool("uv")
    process = subprocess.run([tool("bash"), "scripts/generate", "--check", option], cwd=ROOT, check=False)
    assert process.returncode == code


def emitted(*collectors: Collector) -> set[str]:
    """Return the names of all samples that an exporter can show."""
    names = set()
    for metric in registry(*collectors).collect():
        names.add(metric.name + _SUFFIX.get(metric.type, ""))
    return names


def used() -> set[str]:
    """Return the names of all series in rules, panels, annotations and variables."""
    expressions = [rule["expr"] for rule in RULES] + [query.expr for query in QUERIES]
    in_selectors = {metric for expr in expressions for metric, _ in selectors(expr)}
    in_variables = {name for _, each in VARIABLES for name in re.findall(r"sms_credit_\w+", query_of(each))}
    return in_selectors | in_variables


def test_every_metric_exists() -> None:
    """No panel and no rule waits for a series that nobody makes."""
    exists = emitted(AccountCollector(lambda: ()), ExporterCollector("1")) | OF_PROMETHEUS | set(RECORDED)
    assert used() - exists == set()


def test_every_metric_of_an_account_is_looked_at() -> None:
    """What the exporter has to say is on some dashboard or in some rule."""
    assert emitted(AccountCollector(lambda: ())) - used() <= {
        "sms_credit_last_poll_timestamp_seconds",  # of use where something is wrong with the exporter itself
        *(name for name in emitted() if not name.startswith("sms_credit_")),
    }


@pytest.mark.parametrize("kind", ["datasources", "dashboards"])
def test_provisioning_files_are_of_grafanas_form(kind: str) -> None:
    """They are read, and the folder is the one that the README copies the dashboards to."""
    [file] = (FOLDER / "provisioning" / kind).iterdir()
    document = yaml.safe_load(file.read_text())
    assert document["apiVersion"] == 1
    [entry] = document[{"datasources": "datasources", "dashboards": "providers"}[kind]]
    readme = (FOLDER / "README.md").read_text()
    assert {"prometheus": entry.get("url"), "file": entry.get("options", {}).get("path")}[entry["type"]] in readme


def test_the_readmes_name_the_panels_that_the_runbook_sends_people_to() -> None:
    """A panel that is renamed is renamed there too."""
    titles = {panel["title"] for name in DASHBOARDS for panel in panels(name)}
    for runbook in ("runbook.md", "runbook.tr.md"):
        text = (FOLDER / runbook).read_text()
        assert {title for title in ("Status over time", "Polls", "Spent by the hour") if f"“{title}”" in text} <= titles


@pytest.mark.parametrize("file", sorted((FOLDER / "generate").glob("*.py")), ids=lambda file: file.name)
def test_what_is_generated_can_be_searched_for_in_the_code(file: Path) -> None:
    """No metric's name is put together from pieces, and templates are written as they are read."""
    text = file.read_text()
    assert re.findall(r".*sms_credit_(?![a-z]).*", text) == []
    assert re.findall(r".*(?:\{\{\{|\$\{\{).*", text) == []


def test_every_status_that_is_asked_for_exists() -> None:
    """A misspelt status would be one that no account ever has."""
    expressions = [rule["expr"] for rule in RULES] + [query.expr for query in QUERIES]
    asked = {
        word for expr in expressions for words in re.findall(r'status!?=~?"(.+?)"', expr) for word in words.split("|")
    }
    assert asked == set(Status)
