"""What can differ between one set of rules and another: the job's name, addresses, and the pace of time."""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

OVERVIEW_UID, ACCOUNT_UID = "sms-credit-overview", "sms-credit-account"
"""Names of the dashboards in addresses."""

_UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second"))

_PLACEHOLDER = re.compile(r"(^ *|)<(\w+)( in seconds)?>", re.MULTILINE)

Legend = Mapping[str, int | str]
"""What placeholders stand for: a number is a duration in seconds, a text is a template of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices that rules and dashboards are generated from."""

    job: str = "sms-credit"
    """Name of the scrape job."""
    runbook: str = "https://github.com/sms-credit/sms-credit/blob/main/grafana/runbook.md"
    grafana: str = "http://localhost:3000"
    """Where people find their Grafana: notifications lead to its dashboards."""
    pace: int = 1
    """How many times faster than life everything passes; above 1 for rehearsals only."""

    def promql(self, template: str, legend: Legend) -> str:
        """Fill in the placeholders of an expression.

        `<hold>` is what the legend has under this name, a duration as in `1d`; `<hold in seconds>` is the number.
        `<job>` is always there: the matcher of the job. A text of several lines is indented as its first line is.
        """
        known = {**legend, "job": f'job="{self.job}"'}

        def filled(found: re.Match[str]) -> str:
            value = known[found[2]]
            if isinstance(value, str):
                return textwrap.indent(self.promql(value, legend), found[1])
            return found[1] + (f"{value / self.pace:g}" if found[3] else self.span(value))

        return _PLACEHOLDER.sub(filled, template)

    def span(self, seconds: int) -> str:
        """Write a duration as Prometheus does."""
        if self.pace > 1:
            return f"{seconds * 1000 // self.pace}ms"
        count, unit = _counted(seconds)
        return f"{count}{unit[0]}"


def words(seconds: int) -> str:
    """Write a duration as people do."""
    count, unit = _counted(seconds)
    return f"{count} {unit}{'s' * (count > 1)}"


def _counted(seconds: int) -> tuple[int, str]:
    """Return a duration in the largest unit that it is a whole number of."""
    return next((seconds // size, unit) for size, unit in _UNITS if seconds % size == 0)
