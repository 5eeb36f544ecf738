"""The rules as files: checked and tested by promtool, and in the style of the monitoring mixins."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana.generate.rules import Severity
from tests.conftest import ROOT
from tests.grafana.dashboards import DASHBOARDS, selectors
from tests.grafana.rules import ALERTS, FOLDER, GROUPS, RECORDED, RULES
from tests.grafana.servers import GENERATIONS

Tool = Callable[[str], str]

TESTS = sorted((FOLDER / "tests").glob("*.yml"))
EACH_ALERT = [pytest.param(rule, id=f"{rule['alert']}, {rule['labels']['severity']}") for rule in ALERTS]

generations = pytest.mark.parametrize("programs", GENERATIONS.values(), ids=GENERATIONS)


async def run(*command: str | Path) -> str:
    """Run a program that must succeed, and return what it says."""
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=-1, stderr=asyncio.subprocess.STDOUT)
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


@generations
async def test_promtool_reads_the_rules(tool: Tool, programs: str) -> None:
    """Every rule is one that this Prometheus can evaluate, and lint has nothing to say."""
    out = await run(tool(f"{programs}promtool"), "check", "rules", "--lint=all", "--lint-fatal", FOLDER / "rules.yml")
    assert f"{len(RULES)} rules found" in out


@generations
@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
async def test_promtool_runs_the_tests_of_the_rules(tool: Tool, programs: str, file: Path) -> None:
    """Each alert fires when it must, says what it must, and is silent otherwise."""
    assert "SUCCESS" in await run(tool(f"{programs}promtool"), "test", "rules", file)


def labelled(document: Any) -> Any:  # noqa: ANN401 - YAML
    """Return a file of tests in which every account has a label of the user's own, and so has what is said of it."""
    if isinstance(document, list):
        return [labelled(each) for each in document]
    if not isinstance(document, dict):
        return document
    labelled_members = {key: labelled(value) for key, value in document.items()}
    if "account=" in document.get("series", "") and "team=" not in document["series"]:
        labelled_members["series"] = document["series"].replace("account=", 'team="payments",account=')
    if "provider" in document.get("exp_labels", {}):
        labelled_members["exp_labels"] = {"team": "payments", **document["exp_labels"]}
    return labelled_members


def labelled_copy(file: Path, folder: Path) -> Path:
    """Write a file of tests with labels to a folder."""
    document = labelled(yaml.safe_load(file.read_text())) | {"rule_files": [str(FOLDER / "rules.yml")]}
    assert "payments" in str(document)
    copy = folder / file.name
    copy.write_text(yaml.safe_dump(document))
    return copy


@generations
@pytest.mark.parametrize("file", [file for file in TESTS if file.stem != "labels"], ids=lambda file: file.stem)
async def test_labels_of_accounts_change_no_alert(tool: Tool, programs: str, file: Path, tmp_path: Path) -> None:
    """Whatever fires for an account, or does not, is the same where the account has a team, and says which."""
    copy = labelled_copy(file, tmp_path)
    assert "SUCCESS" in await run(tool(f"{programs}promtool"), "test", "rules", copy)


@generations
async def test_the_example_configurations_are_valid(tool: Tool, programs: str) -> None:
    """What the user copies is taken by the servers."""
    assert "SUCCESS" in await run(tool(f"{programs}promtool"), "check", "config", FOLDER / "prometheus.yml")
    assert "SUCCESS" in await run(tool(f"{programs}amtool"), "check-config", FOLDER / "alertmanager.yml")


def _named(rule: Mapping[str, Any]) -> str:
    return f"{rule['alert']}, {rule['labels']['severity']}"


def cases() -> Iterator[tuple[str, bool]]:
    """Return the alerts that the tests look at, and whether they are to fire."""
    for file in TESTS:
        for test in yaml.safe_load(file.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                fires = case["exp_alerts"]
                yield from ((f"{case['alertname']}, {alert['exp_labels']['severity']}", True) for alert in fires)
                if not fires:
                    yield case["alertname"], False


def test_each_alert_is_tested_both_ways() -> None:
    """There is a case in which it fires, of each severity, and a case in which it does not."""
    tested = set(cases())
    assert {_named(rule) for rule in ALERTS} == {name for name, fires in tested if fires}
    assert {rule["alert"] for rule in ALERTS} == {name for name, fires in tested if not fires}


def test_groups_are_tested_in_the_order_in_which_they_build_on_each_other() -> None:
    """Promtool runs them in random order otherwise."""
    names = [group["name"] for group in GROUPS]
    assert [yaml.safe_load(file.read_text())["group_eval_order"] for file in TESTS] == [names] * len(TESTS)


_ABOUT = {
    "SmsCreditExporterAbsent": {"job"},
    "SmsCreditExporterDown": {"instance"},
    "SmsCreditNoAccounts": {"instance"},
    "SmsCreditShardsMissing": {"job"},
    "SmsCreditConfigReloadFailed": {"instance"},
    "SmsCreditProviderDown": {"provider"},
}
"""The labels that the description names, where they are not provider and account."""


@pytest.mark.parametrize("rule", EACH_ALERT)
def test_an_alert_is_written_as_mixins_are(rule: Mapping[str, Any]) -> None:
    """It has a severity, a sentence that is always the same, one that names its subject, and a place to read on."""
    assert re.fullmatch(r"SmsCredit([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in set(Severity)
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url", "dashboard_url"}
    assert re.fullmatch(r"[A-Z][^{}]+\.", rule["annotations"]["summary"])
    named = set(re.findall(r"\{\{ \$labels\.(\w+) \}\}", rule["annotations"]["description"]))
    assert named >= _ABOUT.get(rule["alert"], {"provider", "account"})


@pytest.mark.parametrize("language", ["runbook.md", "runbook.tr.md"])
def test_the_runbook_has_a_place_for_each_alert(language: str) -> None:
    """And none for alerts that do not exist, in the order of the rules."""
    text = (ROOT / "grafana" / language).read_text()
    ordered = list(dict.fromkeys(rule["alert"] for rule in ALERTS))
    assert re.findall(r"^## (SmsCredit\w+)$", text, re.MULTILINE) == ordered


@pytest.mark.parametrize("rule", EACH_ALERT)
def test_its_link_leads_there(rule: Mapping[str, Any]) -> None:
    """The anchor is the one that the heading gets."""
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert (ROOT / page.rpartition("/main/")[2]).is_file()
    assert anchor == rule["alert"].lower()


@pytest.mark.parametrize("rule", EACH_ALERT)
def test_its_dashboard_exists(rule: Mapping[str, Any]) -> None:
    """The link is to one that is shipped, and sets only variables that this one has."""
    found = re.fullmatch(r"http://localhost:3000/d/([\w-]+)\?(.+)", rule["annotations"]["dashboard_url"])
    assert found
    [dashboard] = [each for each in DASHBOARDS.values() if each["uid"] == found[1]]
    given = re.findall(r"var-(\w+)=\{\{ \$labels\.(\w+) \| urlquery \}\}", found[2])
    assert [name for name, label in given if name != label] == []
    assert {name for name, _ in given} <= {variable["name"] for variable in dashboard["templating"]["list"]}


def test_summaries_tell_severities_apart() -> None:
    """A notification's headline alone says how bad it is."""
    summaries = [rule["annotations"]["summary"] for rule in ALERTS]
    assert len(set(summaries)) == len(summaries)


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.get("alert") or rule["record"]) for rule in RULES])
def test_every_series_is_of_the_job(rule: Mapping[str, Any]) -> None:
    """Rules that are loaded beside others mix nothing in."""
    assert all('job="sms-credit"' in matchers for _, matchers in selectors(rule["expr"]))
    followed_by = re.findall(r"(?<![\w:])(?:account:)?sms_credit_\w+(?::\w+)?(?![\w:])(\{?)", rule["expr"])
    assert all(followed_by)


def test_recorded_series_are_recorded_before_they_are_used() -> None:
    """And by one rule each."""
    assert len(set(RECORDED)) == len(RECORDED)
    known: set[str] = set()
    for rule in RULES:
        known.add(rule.get("record", ""))  # a rule looks at what it recorded last
        assert {metric for metric, _ in selectors(rule["expr"]) if ":" in metric} <= known


def test_the_operators_resource_has_the_same_rules() -> None:
    """Kubernetes or not makes no difference."""
    resource = yaml.safe_load((FOLDER / "prometheus-rule.yaml").read_text())
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert resource["spec"] == {"groups": GROUPS}


INHIBITIONS = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())["inhibit_rules"]


def _matched(matchers: list[str]) -> set[tuple[str, str]]:
    """Return the alerts, by name and severity, that the matchers of an inhibition rule match."""
    wanted = dict(re.findall(r'(\w+) =~? "(.+)"', "\n".join(matchers)))
    severities: dict[str, set[str]] = defaultdict(set)
    for rule in ALERTS:
        severities[rule["alert"]].add(rule["labels"]["severity"])
    return {
        (name, severity)
        for name in wanted["alertname"].split("|")
        for severity in severities[name]
        if severity == wanted.get("severity", severity)
    }


def test_inhibition_is_about_alerts_that_exist() -> None:
    """A misspelt name would silence nothing, and nobody would notice."""
    for rule in INHIBITIONS:
        for matchers in (rule["source_matchers"], rule["target_matchers"]):
            named = {name for matcher in matchers for name in re.findall(r"SmsCredit\w+", matcher)}
            assert named == {name for name, _ in _matched(matchers)}


def test_no_two_alerts_silence_each_other() -> None:
    """Whatever fires together, the worst of it is told."""
    pairs = {
        (source, target)
        for rule in INHIBITIONS
        for source in _matched(rule["source_matchers"])
        for target in _matched(rule["target_matchers"])
        if source != target
    }
    rest = {alert for pair in pairs for alert in pair}
    while told := {alert for alert in rest if not any((source, alert) in pairs for source in rest)}:
        rest -= told
    assert not rest
