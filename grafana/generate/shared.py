"""Panels and pieces that both dashboards have."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from grafana_foundation_sdk.builders import common as c
from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models import dashboard as m

from sms_credit_core import FAILURES, Status

from . import panels as p
from .recording import SOON
from .rules import Severity
from .settings import DAY, Settings

_PanelT = TypeVar("_PanelT", stat.Panel, timeseries.Panel)

OVERVIEW_UID, ACCOUNT_UID = "sms-credit-overview", "sms-credit-account"

WATCHED = 'sms_credit_up{job=~"$job", instance=~"$instance"}'
NOT_SCRAPED = "No exporter is scraped under this job."
DARK_RED = "#7A0019"

STATUS_COLORS = {
    Status.FRESH: p.BLUE,
    Status.PARTIAL: p.SKY,
    Status.UNAVAILABLE: p.GREY,
    Status.ONBOARDING: p.GREEN,
    Status.PENDING: "#555555",
    Status.AUTH_FAILED: p.VERMILION,
    Status.ACCESS_DENIED: p.ORANGE,
    Status.RATE_LIMITED: p.YELLOW,
    Status.UNREACHABLE: p.PURPLE,
    Status.PROVIDER_ERROR: "#882255",
    Status.INVALID_RESPONSE: "#661100",
}

LEFT = ((None, p.VERMILION), (DAY, p.ORANGE), (SOON, p.BLUE))
"""Colours by the seconds until the credit ends."""


def dashboard(settings: Settings, title: str, uid: str) -> d.Dashboard:
    """Begin a dashboard, with the variables that say where its data are from."""
    return (
        d.Dashboard(f"SMS Credit / {title}")
        .uid(uid)
        .tags(["sms-credit"])
        .readonly()
        .refresh("1m")
        .timezone("browser")
        .tooltip(m.DashboardCursorSync.CROSSHAIR)
        .link(d.DashboardLink("Runbook").type(m.DashboardLinkType.LINK).url(settings.runbook).target_blank(True))
        .with_variable(d.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(p.label_variable("job", "sms_credit_up", label="Job"))
        .with_variable(p.label_variable("instance", 'sms_credit_up{job=~"$job"}', label="Instance"))
    )


def in_status_colors(panel: _PanelT, statuses: Iterable[Status] = STATUS_COLORS) -> _PanelT:
    """Give each series that is named by a status the colour of that status."""
    for status in statuses:
        panel.override_by_name(status.value, p.set_to(color=p.fixed(STATUS_COLORS[status])))
    return panel


def alert_selector(series: str, matchers: Sequence[str], *more: str) -> str:
    """Return a selector of the alerts of some accounts."""
    return p.selector(series, 'job=~"$job"', 'alertname=~"SmsCredit.+"', *matchers, *more)


def firing_alerts(matchers: Sequence[str]) -> table.Panel:
    """Return the table of the alerts that fire."""
    firing = alert_selector("ALERTS", matchers, 'alertstate="firing"')
    since = f"(time() - {alert_selector('ALERTS_FOR_STATE', matchers)}) and ignoring (alertstate) {firing}"
    colors = p.texts({Severity.CRITICAL: ("critical", p.VERMILION), Severity.WARNING: ("warning", p.ORANGE)})
    return (
        p.listing(
            "Firing alerts",
            "What Prometheus fires, told or held back, the most urgent first. Needs the alerting rules.",
            [p.rows(since)],
            unit=p.SECONDS,
            nothing="No alert is firing, or the rules are not loaded.",
        )
        .with_transformation(
            p.columns(
                ("severity", "Severity"),
                ("alertname", "Alert"),
                ("account", "Account"),
                ("provider", "Provider"),
                ("instance", "Exporter"),
                ("Value", "Since"),
                hidden=("Time", "job", "currency"),
            )
        )
        .sort_by([c.TableSortByFieldState().display_name("Severity").desc(False)])
        .override_by_name("Severity", p.set_to(mappings=[colors], custom__cellOptions=p.COLORED, custom__width=90))
        .override_by_name("Since", p.set_to(decimals=0, custom__width=100))
    )


def polls(scope: p.Scope, interval: str) -> timeseries.Panel:
    """Return bars of the polls by what they came to."""
    failed = f"sum by (reason) (increase({scope.series('sms_credit_poll_failures_total')}[$__rate_interval]))"
    all_of_them = f"sum(increase({scope.series('sms_credit_polls_total')}[$__rate_interval]))"
    panel = p.chart(
        "Polls",
        "Polls by what they came to.",
        [
            p.query(f"{all_of_them} - sum({failed})", "answered", ref="answered"),
            p.query(failed, "{{reason}}", ref="failed"),
        ],
        unit=p.COUNT,
        nothing=NOT_SCRAPED,
    )
    panel = p.bars(panel).decimals(0).interval(interval).override_by_name("answered", p.set_to(color=p.fixed(p.BLUE)))
    return in_status_colors(panel, FAILURES)
