"""Panels and pieces that both dashboards have."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.common import TableSortByFieldState
from grafana_foundation_sdk.builders.dashboard import Dashboard as DashboardBuilder
from grafana_foundation_sdk.builders.dashboard import DashboardLink, DatasourceVariable
from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueTextMode, VizOrientation
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from sms_credit_core import FAILURES, Status

from . import panels
from .recording import SOON
from .rules import Severity
from .settings import DAY, Settings

_PanelT = TypeVar("_PanelT", stat.Panel, timeseries.Panel)

OVERVIEW_UID, ACCOUNT_UID = "sms-credit-overview", "sms-credit-account"

WATCHED = 'sms_credit_up{job=~"$job", instance=~"$instance"}'
NOT_SCRAPED = "No exporter is scraped under this job."
DARK_RED, DARK_VIOLET, VIOLET = "#7A0019", "#600060", "#7818E4"

STATUS_COLORS = {
    Status.FRESH: panels.BLUE,
    Status.PARTIAL: panels.SKY,
    Status.UNAVAILABLE: panels.GREY,
    Status.ONBOARDING: panels.GREEN,
    Status.PENDING: "#555555",
    Status.AUTH_FAILED: panels.VERMILION,
    Status.ACCESS_DENIED: panels.ORANGE,
    Status.RATE_LIMITED: panels.YELLOW,
    Status.UNREACHABLE: panels.PURPLE,
    Status.PROVIDER_ERROR: "#882255",
    Status.INVALID_RESPONSE: "#661100",
}

LEFT = ((None, panels.VERMILION), (DAY, panels.ORANGE), (SOON, panels.BLUE))
"""Colours by the seconds until the credit ends."""


def dashboard(settings: Settings, title: str, uid: str) -> DashboardBuilder:
    """Begin a dashboard, with the variables that say where its data are from."""
    return (
        DashboardBuilder(f"SMS Credit / {title}")
        .uid(uid)
        .tags(["sms-credit"])
        .readonly()
        .refresh("1m")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(DashboardLink("Runbook").type(DashboardLinkType.LINK).url(settings.runbook).target_blank(True))
        .with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(panels.label_variable("job", "sms_credit_up", label="Job"))
        .with_variable(panels.label_variable("instance", 'sms_credit_up{job=~"$job"}', label="Instance"))
    )


def in_status_colors(panel: _PanelT, statuses: Iterable[Status] = STATUS_COLORS) -> _PanelT:
    """Give each series that is named by a status the colour of that status."""
    for status in statuses:
        panel.override_by_name(status.value, panels.set_to(color=panels.fixed(STATUS_COLORS[status])))
    return panel


def alert_selector(series: str, matchers: Sequence[str], *more: str) -> str:
    """Return a selector of the alerts of some accounts."""
    return panels.selector(series, 'job=~"$job"', 'alertname=~"SmsCredit.+"', *matchers, *more)


def firing_alerts(matchers: Sequence[str]) -> table.Panel:
    """Return the table of the alerts that fire."""
    firing = alert_selector("ALERTS", matchers, 'alertstate="firing"')
    since = f"(time() - {alert_selector('ALERTS_FOR_STATE', matchers)}) and ignoring (alertstate) {firing}"
    colors = panels.texts(
        {Severity.CRITICAL: ("critical", panels.VERMILION), Severity.WARNING: ("warning", panels.ORANGE)}
    )
    return (
        panels.listing(
            "Firing alerts",
            "Alerts that fire, even if Alertmanager holds them back, the most urgent first. Needs the alerting rules.",
            [panels.rows(since)],
            unit=panels.SECONDS,
            nothing="No alert is firing, or the rules are not loaded.",
        )
        .with_transformation(
            panels.columns(
                ("severity", "Severity"),
                ("alertname", "Alert"),
                ("account", "Account"),
                ("provider", "Provider"),
                ("instance", "Exporter"),
                ("Value", "Since"),
                hidden=("Time", "job", "currency"),
            )
        )
        .sort_by([TableSortByFieldState().display_name("Severity").desc(False)])
        .override_by_name(
            "Severity", panels.set_to(mappings=[colors], custom__cellOptions=panels.COLORED, custom__width=90)
        )
        .override_by_name("Since", panels.set_to(decimals=0, custom__width=100))
    )


_SPENT = (
    ("sms_credit_spent_total", "{{currency}}", "spent_money"),
    ("sms_credit_messages_spent_total", "messages", "spent_messages"),
    ("sms_credit_credits_spent_total", "credits", "spent_credits"),
)
TOPPED_UP = (
    ("sms_credit_topped_up_total", "topped up {{currency}}", "topped_up_money"),
    ("sms_credit_messages_topped_up_total", "topped up messages", "topped_up_messages"),
    ("sms_credit_credits_topped_up_total", "topped up credits", "topped_up_credits"),
)
"""The exporter's counters, each with its legend and its name among a panel's queries."""

_FROM_ITS_TIME_ON = "[$__rate_interval] offset -$__interval"
_INTERVALS = {"hour": "1h", "day": "1d"}

_NOTHING_SPENT = "Nothing was seen to be spent in this time."


def spent(scope: panels.Scope, each: str) -> timeseries.Panel:
    """Return what was spent in each hour or day, from its beginning on."""
    panel = panels.chart(
        f"Spent by the {each}",
        f"What was spent in each {each}, in each currency, in messages and in credits, to within a minute at both "
        "ends. A top-up hides none of it. The last level still grows.",
        [
            panels.query(scope.gained(counter, _FROM_ITS_TIME_ON, by="currency"), legend, ref=ref)
            for counter, legend, ref in _SPENT
        ],
        unit=panels.MONEY,
        nothing=_NOTHING_SPENT,
    )
    return panels.stairs(panel).decimals(2).interval(_INTERVALS[each])


def last_month(scope: panels.Scope) -> stat.Panel:
    """Return what was spent and topped up in the last thirty days."""
    spent = tuple((counter, f"spent {legend}", ref) for counter, legend, ref in _SPENT)
    panel = panels.number(
        "The last 30 days",
        "What was spent and topped up, in each currency, in messages and in credits. A small rise of the balance can "
        "be a refund.",
        *(
            panels.now(scope.gained(counter, "[30d]", by="currency"), legend, ref=ref)
            for counter, legend, ref in (*spent, *TOPPED_UP)
        ),
        unit=panels.MONEY,
        nothing=_NOTHING_SPENT,
    )
    return as_list(panel.decimals(2))


def as_list(panel: stat.Panel) -> stat.Panel:
    """Show several values with their names, one below the other."""
    return (
        panel.color_mode(BigValueColorMode.VALUE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .orientation(VizOrientation.HORIZONTAL)
    )


def polls(scope: panels.Scope, interval: str) -> timeseries.Panel:
    """Return bars of the polls by their result."""
    failed = f"sum by (reason) (increase({scope.series('sms_credit_poll_failures_total')}[$__rate_interval]))"
    all_of_them = f"sum(increase({scope.series('sms_credit_polls_total')}[$__rate_interval]))"
    panel = panels.chart(
        "Polls",
        "Polls by their result.",
        [
            panels.query(f"{all_of_them} - sum({failed})", "answered", ref="answered"),
            panels.query(failed, "{{reason}}", ref="failed"),
        ],
        unit=panels.COUNT,
        nothing=NOT_SCRAPED,
    )
    panel = (
        panels.bars(panel)
        .decimals(0)
        .interval(interval)
        .override_by_name("answered", panels.set_to(color=panels.fixed(panels.BLUE)))
    )
    return in_status_colors(panel, FAILURES)
