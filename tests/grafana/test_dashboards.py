"""The dashboards as files: what Grafana accepts, what dashboard-linter asks for, and what a person can read."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from itertools import combinations, pairwise
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.generate.overview import SCOPE
from grafana.generate.shared import STATUS_COLORS
from grafana.generate.states import states
from sms_credit_core import PROVIDERS, Provider, Status
from tests.grafana.dashboards import DASHBOARDS, FOLDER, QUERIES, VARIABLES, Query, panels, query_of, selectors

PANELS = [pytest.param(panel, id=f"{name}, {panel['title']}") for name in DASHBOARDS for panel in panels(name)]
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
UNITS = {"none", "locale", "s", "bytes", "dateTimeFromNow", "percentunit"}
"""Those that are used, all from Grafana's own list."""

WITHOUT_INSTANCE = re.compile(r"ALERTS|ALERTS_FOR_STATE|account:\w+:\w+")
"""Series that have no instance: rules and alerts are about accounts, whoever watches them."""


@pytest.mark.parametrize("name", DASHBOARDS)
def test_grafanas_own_models_read_and_write_it_without_a_loss(name: str) -> None:
    """Nothing in it is unknown to the schema that Grafana publishes."""
    register_default_plugins()
    text = (FOLDER / f"{name}.json").read_text()
    assert JSONEncoder(sort_keys=True, indent=2).encode(Dashboard.from_json(json.loads(text))) + "\n" == text


@pytest.mark.parametrize("name", DASHBOARDS)
def test_it_is_a_dashboard_for_files_and_for_import(name: str) -> None:
    """It is of the classic model, with nothing that only one way of loading would fill in, and is changed in code."""
    dashboard = DASHBOARDS[name]
    assert dashboard["schemaVersion"] >= 39
    assert dashboard["editable"] is False
    assert dashboard["uid"] == f"sms-credit-{name}"
    assert not {"__inputs", "__requires", "id", "apiVersion", "spec"} & set(dashboard)
    assert "${DS_" not in json.dumps(dashboard)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_data_source_is_a_variable(name: str) -> None:
    """It works with whatever the user's data source is called."""
    [variable] = [each for each in DASHBOARDS[name]["templating"]["list"] if each["type"] == "datasource"]
    assert (variable["name"], variable["label"], variable["query"]) == ("datasource", "Data source", "prometheus")


@pytest.mark.parametrize("name", DASHBOARDS)
@pytest.mark.parametrize(("variable", "label"), [("job", "Job"), ("instance", "Instance")])
def test_job_and_instance_can_be_chosen(name: str, variable: str, label: str) -> None:
    """Several or all of them, as everywhere in the Prometheus world."""
    [found] = [each for dashboard, each in VARIABLES if dashboard == name and each["name"] == variable]
    assert (found["label"], found["multi"], found["includeAll"], found["allValue"]) == (label, True, True, ".+")


@pytest.mark.parametrize("variable", [pytest.param(each, id=f"{name}, {each['name']}") for name, each in VARIABLES])
def test_variables_are_up_to_date(variable: Mapping[str, Any]) -> None:
    """They ask the chosen data source, and ask again when the time range changes."""
    assert variable["datasource"] == DATA_SOURCE
    assert variable["refresh"] == 2


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_says_what_it_shows(panel: Mapping[str, Any]) -> None:
    """It has a title, a description, a unit, queries, and words for when there is nothing to show."""
    assert panel["title"]
    assert re.fullmatch(r"[A-Z].+\.", panel["description"], re.DOTALL)
    assert panel["datasource"] == DATA_SOURCE
    assert panel["targets"]
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in UNITS
    assert defaults["noValue"]


@pytest.mark.parametrize("panel", PANELS)
def test_what_was_not_known_is_not_drawn(panel: Mapping[str, Any]) -> None:
    """No line runs across a gap."""
    assert not panel["fieldConfig"]["defaults"].get("custom", {}).get("spanNulls")


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_every_query_keeps_to_the_chosen_job_and_instance(query: Query) -> None:
    """Nobody else's series are mixed in."""
    for metric, matchers in selectors(query.expr):
        assert 'job=~"$job"' in matchers, metric
        assert ('instance=~"$instance"' in matchers) != bool(WITHOUT_INSTANCE.fullmatch(metric)), metric


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_counters_are_only_looked_at_as_increases(query: Query) -> None:
    """And these by the interval that Grafana works out, unless they are of the moment; a mark needs the time itself."""
    looked_at = re.findall(r"(\w+)\(sms_credit_\w+_total\{[^}]*\}\[(\S+?)\]", query.expr)
    assert len(looked_at) == query.expr.count("_total{")
    ways = {"annotation": ("last_over_time", "1h")}
    assert set(looked_at) <= {ways.get(query.panel, ("increase", "30d" if query.at_once else "$__rate_interval"))}


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_money_is_never_added_up_across_currencies(query: Query) -> None:
    """Whatever sums balances keeps the currency."""
    sums = re.findall(r"(?<!\w)(?:sum|avg)( by \([^)]*\))? ?\((?:max by \([^)]*\) \()?sms_credit_balance", query.expr)
    assert all("currency" in by for by in sums)


@pytest.mark.parametrize("query", [query for query in QUERIES if query.ref == "past"], ids=str)
def test_a_value_with_a_past_is_that_of_the_moment(query: Query) -> None:
    """It is asked for by itself, comes last, and is there even if nothing is known: no old one can pass for it."""
    [panel] = [panel for panel in panels(query.dashboard) if (panel["title"], panel["type"]) == (query.panel, "stat")]
    last = panel["targets"][-1]
    assert (last["refId"], last["instant"]) == ("now", True)
    assert re.search(r"\nor on \(\)\n.*vector\(NaN\)", last["expr"])
    assert panel["options"]["reduceOptions"]["calcs"] == ["last"]
    assert [each["id"] for each in panel["transformations"]] == ["merge"]
    [unknown] = [each["options"] for each in panel["fieldConfig"]["defaults"]["mappings"]]
    assert (unknown["match"], unknown["result"]["text"]) == ("null+nan", panel["fieldConfig"]["defaults"]["noValue"])


@pytest.mark.parametrize("query", [query for query in QUERIES if not query.at_once], ids=str)
def test_the_first_few_are_the_same_at_each_point(query: Query) -> None:
    """Chosen anew at each step, ten lines would be forty, each of them in pieces."""
    for chosen in re.findall(r"(?:top|bottom)k[^(]*\(10.*", query.expr, re.DOTALL):
        assert "@ end()" in chosen


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_fill_lines_of_24_columns(name: str) -> None:
    """They neither overlap nor leave holes."""
    for line in _lines(DASHBOARDS[name]["panels"]):
        assert [(left["x"] + left["w"], left["h"]) for left, _ in pairwise(line)] == [
            (right["x"], right["h"]) for _, right in pairwise(line)
        ]
        assert (line[0]["x"], line[-1]["x"] + line[-1]["w"]) in {(0, 24), (0, 12)}


def _lines(found: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, int]]]:
    places: list[Mapping[str, int]] = []
    for panel in found:
        places.append(panel["gridPos"])
        places.extend(inner["gridPos"] for inner in panel.get("panels", ()))
    for top in sorted({place["y"] for place in places}):
        yield sorted((place for place in places if place["y"] == top), key=lambda place: place["x"])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_numbers_of_their_own(name: str) -> None:
    """Grafana knows them by these."""
    numbers = [panel["id"] for panel in panels(name)]
    assert len(set(numbers)) == len(numbers)


def links(panel: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return the links of a panel's values and columns."""
    for override in panel["fieldConfig"]["overrides"]:
        for each in override["properties"]:
            if each["id"] == "links":
                yield from each["value"]


TO_ACCOUNTS = [
    pytest.param(panel, id=f"{name}, {panel['title']}")
    for name in DASHBOARDS
    for panel in panels(name)
    if any(DASHBOARDS["account"]["uid"] in link["url"] for link in links(panel))
]


@pytest.mark.parametrize("panel", TO_ACCOUNTS)
def test_tables_lead_to_each_account(panel: Mapping[str, Any]) -> None:
    """The link carries data source, job, account and time range along, and goes to a dashboard that exists."""
    [link] = [link for link in links(panel) if DASHBOARDS["account"]["uid"] in link["url"]]
    path, _, parameters = link["url"].partition("?")
    assert path == f"/d/{DASHBOARDS['account']['uid']}"
    carried = {kept or named for kept, named in re.findall(r"\$\{(\w+):queryparam\}|var-(\w+)=", parameters)}
    shown = {each["name"] for each in DASHBOARDS["account"]["templating"]["list"] if each.get("hide") != 2}
    assert carried == shown
    assert parameters.endswith("${__url_time_range}")


def test_each_count_leads_to_its_accounts() -> None:
    """A click limits the table to them, and leaves every other choice as it is."""
    [show] = [each for each in DASHBOARDS["overview"]["templating"]["list"] if each["name"] == "show"]
    chosen = dict(option.rsplit(" : ", 1) for option in show["query"].split(", "))
    counts = {
        panel["title"]: link["url"] for panel in panels("overview") if panel["type"] == "stat" for link in links(panel)
    }
    assert counts.keys() == chosen.keys()
    others = {each["name"] for each in DASHBOARDS["overview"]["templating"]["list"]} - {"show"}
    for title, url in counts.items():
        path, _, parameters = url.partition("?")
        assert path == f"/d/{DASHBOARDS['overview']['uid']}"
        assert re.findall(r"var-show=(\d+)&", parameters) == [chosen[title]]
        assert set(re.findall(r"\$\{(\w+):queryparam\}", parameters)) == others
        assert parameters.endswith("${__url_time_range}")


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_there_is_a_way_to_top_up_at_every_provider(provider: Provider) -> None:
    """From the list of all accounts, and from the page of one."""
    [panel] = [query.expr for query in QUERIES if query.ref == "panel"]
    [variable] = [query_of(each) for name, each in VARIABLES if (name, each["name"]) == ("account", "panel")]
    for expr in (panel, variable):
        assert f'"panel", "{provider.panel_url}", "provider", "{provider.key}")' in expr
    assert "${panel}" in [link["url"] for link in DASHBOARDS["account"]["links"]]


# How a colour looks to people who lack one of the three kinds of cones (Viénot, Brettel and Mollon 1999; Machado et al.
# 2009 for the third), as matrices on linear RGB.
VISIONS = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no L cones": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "no M cones": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
    "no S cones": ((1.25553, -0.07675, -0.17878), (-0.07841, 0.93081, 0.14760), (0.00473, 0.69137, 0.30390)),
}


def _seen(color: str, vision: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """Return a colour as lightness and two hues (CIELAB), as this eye sees it."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    red, green, blue = (min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in vision)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (math.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("vision", VISIONS.values(), ids=VISIONS)
def test_the_colours_of_states_can_be_told_apart(vision: tuple[tuple[float, ...], ...]) -> None:
    """Whoever looks at them: 14 is many times the least difference that people see."""
    colors = [state.color for state in states(SCOPE)]
    nearest = min(math.dist(_seen(one, vision), _seen(other, vision)) for one, other in combinations(colors, 2))
    assert nearest > 14


def test_every_status_has_a_colour() -> None:
    """A status that is added to the core is not forgotten here."""
    assert set(STATUS_COLORS) == set(Status)
    assert len(set(STATUS_COLORS.values())) == len(Status)
