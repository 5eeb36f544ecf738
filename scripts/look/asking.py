"""The panels' own queries, asked of a Prometheus as Grafana asks them: the same steps, the same variables filled in."""

import re
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .running import Prometheus

WIDTH = 1600
"""Pixels from edge to edge of a dashboard."""
_COLUMNS = 24

_SCRAPE_INTERVAL = 60
"""Seconds, as the provisioned data source says."""

_NICE = {
    75: 60, 210: 120, 450: 300, 750: 600, 1050: 900, 1500: 1200, 2700: 1800, 5400: 3600, 9000: 7200, 16200: 10800,
    32400: 21600, 86400: 43200, 604800: 86400,
}  # fmt: skip
"""Grafana's steps: below each number of seconds a step becomes this long."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Panel = Mapping[str, Any]


def seconds(duration: str) -> int:
    """Return a duration such as `24h`, `7d` or `1m` in seconds."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


def panels_of(dashboard: Mapping[str, Any]) -> Iterator[Panel]:
    """Return every panel, those of collapsed rows after their row."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", ())


async def asked(prometheus: Prometheus, dashboard: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, Any]:
    """Return a dashboard together with what Prometheus answers to each panel. Raises RuntimeError for a bad query."""
    end = time.time()
    variables = dict(chosen)
    for variable in dashboard["templating"]["list"]:
        if variable["name"] not in variables:
            variables[variable["name"]] = await _value(prometheus, variable, variables, end)
    answered = []
    for panel in panels_of(dashboard):
        length = seconds(panel.get("timeFrom") or dashboard["time"]["from"].removeprefix("now-"))
        answers = [
            await _answer(prometheus, panel, target, variables, (end - length, end))
            for target in panel.get("targets", ())
        ]
        answered.append({**panel, "answers": answers, "start": end - length, "end": end})
    return {**dashboard, "panels": answered, "variables": variables}


async def _value(prometheus: Prometheus, variable: Mapping[str, Any], others: Mapping[str, str], end: float) -> str:
    """Return what a variable has when nobody has chosen anything."""
    if variable["type"] == "custom":
        return str(variable["current"]["value"])
    if variable["type"] != "query":
        return ""
    found = re.fullmatch(r"query_result\((.*)\)", variable["query"], re.DOTALL)
    if not found:
        return str(variable.get("allValue") or "")
    result = await prometheus.ask("query", query=_filled(found[1], others), time=end)
    texts = ("{" + ",".join(f'{label}="{value}"' for label, value in each["metric"].items()) + "}" for each in result)
    matches = (re.search(variable["regex"].strip("/"), text) for text in texts)
    return next((match[1] for match in matches if match), "")


async def _answer(
    prometheus: Prometheus,
    panel: Panel,
    target: Mapping[str, Any],
    variables: Mapping[str, str],
    time_range: tuple[float, float],
) -> dict[str, Any]:
    """Return what Prometheus answers to one query of a panel, with what is needed to draw it."""
    shown = {"refId": target["refId"], "legend": target.get("legendFormat", ""), "format": target.get("format")}
    start, end = time_range
    step = _step(panel, target, end - start)
    built_in = {
        "__range": f"{end - start:.0f}s",
        "__interval": f"{step}s",
        "__rate_interval": f"{max(step + _SCRAPE_INTERVAL, 4 * _SCRAPE_INTERVAL)}s",
    }
    filled = _filled(target["expr"], {**variables, **built_in})
    if target.get("instant"):
        return {**shown, "instant": True, "result": await prometheus.ask("query", query=filled, time=end)}
    aligned = {"start": start // step * step, "end": end // step * step, "step": step}
    return {**shown, "step": step, "result": await prometheus.ask("query_range", query=filled, **aligned)}


def _step(panel: Panel, target: Mapping[str, Any], length: float) -> int:
    """Return how far apart points are: about one for each pixel, but never nearer than panel and query allow."""
    points = panel.get("maxDataPoints") or WIDTH * panel["gridPos"]["w"] / _COLUMNS
    least = [seconds(given["interval"]) for given in (panel, target) if given.get("interval")]
    return int(max(_nice(length / points), _SCRAPE_INTERVAL, *least))


def _nice(step: float) -> int:
    bounds: Sequence[int] = tuple(_NICE)
    return _NICE[bounds[min(bisect_right(bounds, step), len(bounds) - 1)]]


def _filled(expr: str, variables: Mapping[str, str]) -> str:
    """Put in the values of variables. Raises KeyError for a variable that the dashboard does not have."""
    return re.sub(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))", lambda match: variables[match[1] or match[2]], expr)
