"""Panels and pieces that both dashboards have."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.common import TableSortByFieldState
from grafana_foundation_sdk.builders.dashboard import Dashboard as DashboardBuilder
from grafana_foundation_sdk.builders.dashboard import DashboardLink, DatasourceVariable
from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueTextMode, VizOrientation
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from sms_credit_core import FAILURES, PROVIDERS, Status

from . import panels
from .rules import Severity
from .settings import ACCOUNT_UID, DAY, Settings

_PanelT = TypeVar("_PanelT", stat.Panel, timeseries.Panel)

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

SHORT = ((None, panels.VERMILION), (DAY, panels.ORANGE))
"""Colours by the seconds until the credit ends; from `SOON` on there is time."""


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


def with_panel_links(expr: str) -> str:
    """Return series that have the label `provider` with one more, the address of that provider's own panel."""
    for key, provider in PROVIDERS.items():
        expr = f'label_replace({expr}, "panel", "{provider.panel_url}", "provider", "{key}")'
    return expr


def account_link(text: str) -> dict[str, str]:
    """Return a link from a row of a table to the page of its account."""
    return {
        "title": text,
        "url": (
            f"/d/{ACCOUNT_UID}?"
            "${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
            "&var-provider=${__data.fields.provider:percentencode}&var-account=${__data.fields.account:percentencode}"
            "&${__url_time_range}"
        ),
    }


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
    panel = (
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
        .override_by_name("Severity", panels.set_to(mappings=[colors], custom__cellOptions=panels.COLORED))
        .override_by_name("Account", panels.set_to(links=[account_link("All about ${__data.fields.account}")]))
        .override_by_name("Since", panels.set_to(decimals=0))
    )
    return panels.in_pages(panels.widths(panel, Severity=80, Alert=220, Provider=110, Since=80))


_SPENT = {
    "money": "sms_credit_spent_total",
    "messages": "sms_credit_messages_spent_total",
    "credits": "sms_credit_credits_spent_total",
}
TOPPED_UP = {
    "money": "sms_credit_topped_up_total",
    "messages": "sms_credit_messages_topped_up_total",
    "credits": "sms_credit_credits_topped_up_total",
}
"""The exporter's counters by what they count."""

_LEGENDS = {"money": "{{currency}}"}
"""Where it is not the word itself."""

_FROM_ITS_TIME_ON = "[$__rate_interval] offset -$__interval"
_INTERVALS = {"hour": "1h", "day": "1d"}

_NOTHING_SPENT = "Nothing was seen to be spent in this time."


def spent(scope: panels.Scope, each: str) -> timeseries.Panel:
    """Return what was spent in each hour or day, from its beginning on."""
    panel = panels.chart(
        f"Spent by the {each}",
        f"What was spent in each {each}, in each currency, in messages and in credits, to within a minute at both "
        "ends. A top-up hides none of it. The last bar still grows.",
        [
            panels.query(
                scope.gained(counter, _FROM_ITS_TIME_ON, by="currency"), _LEGENDS.get(what, what), ref=f"spent_{what}"
            )
            for what, counter in _SPENT.items()
        ],
        unit=panels.MONEY,
        nothing=_NOTHING_SPENT,
    )
    return panels.overlaid(panel).decimals(2).interval(_INTERVALS[each])


def last_month(scope: panels.Scope) -> table.Panel:
    """Return what was spent and topped up in the last thirty days."""
    return (
        panels.listing(
            "The last 30 days",
            "What was spent and topped up, in each currency, in messages and in credits. A small rise can be a refund.",
            [
                panels.rows(_month(scope, _SPENT), ref="spent"),
                panels.rows(_month(scope, TOPPED_UP), ref="topped_up"),
            ],
            unit=panels.MONEY,
            nothing=_NOTHING_SPENT,
        )
        .with_transformation(panels.merged())
        .with_transformation(
            panels.columns(
                ("currency", "In"),
                ("Value #spent", "Spent"),
                ("Value #topped_up", "Topped up"),
                hidden=("Time",),
            )
        )
        .decimals(2)
    )


def _month(scope: panels.Scope, counters: Mapping[str, str]) -> str:
    """Return what counters gained; messages and credits are told as if they were currencies."""
    gained = {what: scope.gained(counter, "[30d]", by="currency") for what, counter in counters.items()}
    others = (
        f'label_replace({gain}, "currency", "{what}", "", "")' for what, gain in gained.items() if what != "money"
    )
    return "\nor\n".join((gained["money"], *others))


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
            panels.query(f"{failed} > 0", "{{reason}}", ref="failed"),
        ],
        unit=panels.COUNT,
        nothing=NOT_SCRAPED,
    )
    panel = (
        panels.bars(panel)
        .decimals(0)
        .min(0)
        .interval(interval)
        .override_by_name("answered", panels.set_to(color=panels.fixed(panels.BLUE)))
    )
    return in_status_colors(panel, FAILURES)
