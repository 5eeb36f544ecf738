"""The committed dashboards, taken apart: panels, queries, variables, selectors."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.conftest import ROOT

FOLDER = ROOT / "grafana/dashboards"
DASHBOARDS: Mapping[str, Mapping[str, Any]] = {
    file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))
}


def panels(dashboard: str) -> Iterator[Mapping[str, Any]]:
    """Return all panels but rows."""
    for panel in DASHBOARDS[dashboard]["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


_RATE_INTERVALS = {"1m": "4m", "15m": "16m", "1h": "61m", "1d": "1441m"}
"""What Grafana makes of the least time between two points: a scrape of a minute longer, and four of these at least."""


@dataclass(frozen=True)
class Query:
    """One query of a dashboard."""

    dashboard: str
    panel: str
    ref: str
    expr: str
    at_once: bool
    """Whether it is of the moment."""
    interval: str
    """The least time between two points."""

    def __str__(self) -> str:
        """Name it in test ids."""
        return f"{self.dashboard}, {self.panel}, {self.ref}"

    def filled_in(self, **values: str) -> str:
        """Return its PromQL as Grafana sends it, with these values of variables, and the usual ones of the others."""
        filled = {
            "__rate_interval": _RATE_INTERVALS[self.interval],
            "__interval": self.interval,
            "__range": "1d",
            "show": "0",
            "job": "sms-credit",
            "instance": ".+",
            "provider": ".+",
            "account": ".+",
            "currency": ".+",
        } | values
        return re.sub(r"\$(\w+)", lambda match: filled[match[1]], self.expr)


def _queries() -> Iterator[Query]:
    for name, dashboard in DASHBOARDS.items():
        for panel in panels(name):
            for target in panel["targets"]:
                interval = target.get("interval") or panel.get("interval", "1m")
                yield Query(name, panel["title"], target["refId"], target["expr"], "instant" in target, interval)
        for annotation in dashboard["annotations"].get("list", ()):
            yield Query(name, "annotation", annotation["name"], annotation["expr"], at_once=False, interval="1h")


QUERIES = tuple(_queries())
"""Every query of every panel and annotation."""

VARIABLES = tuple(
    (name, variable)
    for name, dashboard in DASHBOARDS.items()
    for variable in dashboard["templating"]["list"]
    if variable["type"] == "query"
)
"""Every variable that asks Prometheus, with the name of its dashboard."""


def query_of(variable: Mapping[str, Any]) -> str:
    """Return what a variable asks: a selector, or an expression."""
    found = re.fullmatch(r"label_values\((.*), \w+\)|query_result\((.*)\)", variable["query"], re.DOTALL)
    assert found
    return found[1] or found[2]


def selectors(expr: str) -> list[tuple[str, str]]:
    """Return the metrics in an expression with their matchers; whatever looks like a metric has some."""
    return re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", expr)
