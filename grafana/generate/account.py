"""The page of one account: what it has, what it spends, and how well it can be read."""

from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, DashboardLink, QueryVariable
from grafana_foundation_sdk.models.common import BigValueTextMode, VisibilityMode
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardLinkType,
    DynamicConfigValue,
    VariableHide,
    VariableRefresh,
)

from sms_credit_core import Limit

from . import panels, shared
from .recording import SOON
from .settings import ACCOUNT_UID, OVERVIEW_UID, Settings
from .states import meanings, state, state_texts, status

SCOPE = panels.Scope(('provider="$provider"', 'account="$account"'))

_GAP = "1h"
"""How long a gap in the scrapes may be for a top-up in it to be marked."""

_DASHES = {"fill": "dash", "dash": [10, 10]}

_NOT_KNOWN = "unknown"
_NO_CURRENCY = 'label_replace(vector(NaN), "currency", "-", "", "")'
_NO_STATUS = 'label_replace(vector(1), "status", "-", "", "")'
_NOT_WATCHED = "The account was not watched in this time."
_NO_BALANCE = "The balance was not known in this time."


def account(settings: Settings) -> Dashboard:
    """Return the dashboard."""
    of_provider = 'sms_credit_up{job=~"$job", instance=~"$instance", provider="$provider"}'
    return panels.built(
        shared.dashboard(settings, "Account", ACCOUNT_UID)
        .description("History of one SMS-gateway account: balance, quota, spending, status and polls.")
        .time("now-7d", "now")
        .link(
            DashboardLink("All accounts")
            .type(DashboardLinkType.LINK)
            .url("/d/" + OVERVIEW_UID + "?${datasource:queryparam}&${job:queryparam}")
            .keep_time(True)
        )
        .link(
            DashboardLink("Top up at the provider")
            .type(DashboardLinkType.LINK)
            .url("${panel}")
            .icon("external link")
            .target_blank(True)
        )
        .with_variable(panels.label_variable("provider", shared.WATCHED, label="Provider", single=True))
        .with_variable(panels.label_variable("account", of_provider, label="Account", single=True))
        .with_variable(_panel(of_provider))
        .annotation(_top_ups())
        .annotation(_alerts())
        .with_panel(_state().span(4).height(5))
        .with_panel(_status().span(4).height(5))
        .with_panel(_balance().span(4).height(5))
        .with_panel(_quota().span(4).height(5))
        .with_panel(_lasts().span(4).height(5))
        .with_panel(_age().span(4).height(5))
        .with_panel(_balances().span(12).height(9))
        .with_panel(_quotas().span(12).height(9))
        .with_panel(shared.spent(SCOPE, "day").span(12).height(8))
        .with_panel(shared.spent(SCOPE, "hour").span(12).height(8))
        .with_panel(_forecasts().span(12).height(8))
        .with_panel(shared.last_month(SCOPE).span(12).height(8))
        .with_panel(_timeline().span(24).height(8))
        .with_panel(shared.firing_alerts(SCOPE.own).span(12).height(8))
        .with_panel(shared.polls(SCOPE, "1h").span(12).height(8))
        .with_panel(_ages().span(12).height(8))
        .with_panel(_durations().span(12).height(8))
    )


def _panel(watched: str) -> QueryVariable:
    """Return a variable that nobody sees: the address of the provider's own panel, where accounts are topped up."""
    return (
        QueryVariable("panel")
        .datasource(panels.DATA_SOURCE)
        .query(f"query_result({shared.with_panel_links(f'group by (provider) ({watched})')})")
        .regex('/panel="([^"]+)"/')
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .hide(VariableHide.HIDE_VARIABLE)
    )


def _top_ups() -> AnnotationQuery:
    """Mark each reading by which more has been topped up than by the one before, at the time of that reading."""
    counters = shared.TOPPED_UP.values()
    rises = " or ".join(f"{_last(counter)} > {_last(counter, offset=' offset 1m')}" for counter in counters)
    at = f"{SCOPE.each('sms_credit_last_reading_timestamp_seconds')} and ignoring (currency) ({rises})"
    return (
        AnnotationQuery()
        .name("Top-ups")
        .datasource(panels.DATA_SOURCE)
        .enable(True)
        .icon_color(panels.GREEN)
        .expr(f"1000 * max_over_time(({at})[$__interval:1m])")
        .use_value_for_time(True)
        .title_format("Top-up")
        .text_format("The balance rose.")
    )


def _last(counter: str, *, offset: str = "") -> str:
    return SCOPE.last_value(counter, window=_GAP, when=offset, by=panels.ACCOUNT_AND_CURRENCY)


def _alerts() -> AnnotationQuery:
    firing = shared.alert_selector("ALERTS", SCOPE.own, 'alertstate="firing"')
    return (
        AnnotationQuery()
        .name("Alerts")
        .datasource(panels.DATA_SOURCE)
        .enable(True)
        .icon_color(panels.VERMILION)
        .expr(f"max_over_time({firing}[$__interval])")
        .title_format("{{alertname}}")
        .text_format("{{severity}}")
    )


def _state() -> stat.Panel:
    return panels.number(
        "State",
        f"The worst that holds of these: {meanings(SCOPE)}.",
        panels.now(state(SCOPE)),
        nothing="not watched",
    ).mappings([panels.texts(state_texts(SCOPE)), panels.unknown("not watched")])


def _status() -> stat.Panel:
    panel = panels.number(
        "Status",
        "The result of the last poll; “fresh” is left out beside a worse state. Two exporters of one account can "
        "differ.",
        panels.now(f"{status(SCOPE)}\nor on ()\n{_NO_STATUS}", "{{status}}"),
        nothing="-",
        colors=((None, panels.GREY),),
    )
    return shared.in_status_colors(panel.text_mode(BigValueTextMode.NAME))


def _balance() -> stat.Panel:
    panel = panels.number(
        "Balance",
        "The balance that the provider last reported, or its own credits where it counts in those. Unknown once there "
        "has been no reading for long.",
        unit=panels.MONEY,
        nothing=_NOT_KNOWN,
    )
    in_its_currency = f"({_has()}) and ({_has(panels.AT_THE_END)})"
    return (
        panels.with_past(panel, _has(), "{{currency}}", past=in_its_currency, otherwise=_NO_CURRENCY)
        .decimals(2)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .wide_layout(False)
    )


def _has(when: str = "") -> str:
    """Return what the account has in its currency, or in credits as if these were one."""
    balance, own = (
        SCOPE.each(metric, by="currency", when=when) for metric in ("sms_credit_balance", "sms_credit_credits")
    )
    return f'{balance} or label_replace({own}, "currency", "credits", "", "")'


def _quota() -> stat.Panel:
    panel = panels.number(
        "Messages",
        "Messages that the balance can pay for, by the provider or by message_price in the exporter's configuration.",
        unit=panels.MONEY,
        nothing=_NOT_KNOWN,
    )
    return panels.with_past(panel, SCOPE.each("sms_credit_quota_messages", by="account")).decimals(0)


def _lasts() -> stat.Panel:
    panel = panels.number(
        "Lasts for",
        "Time from the last reading until nothing is left, as the exporter expects it. Unknown in the first hours, and "
        "for an account that spends nothing.",
        unit=panels.SECONDS,
        nothing=_NOT_KNOWN,
        colors=(*shared.SHORT, (SOON, panels.BLUE)),
    )
    return panels.with_past(panel, SCOPE.lasts(by="account")).decimals(1)


def _age() -> stat.Panel:
    return panels.number(
        "Age of the reading",
        "Time since the last good reading. Orange from 15 minutes on: three polls at the usual interval. Red from an "
        "hour on, for which values are usually held.",
        panels.now(f"min({SCOPE.age()})"),
        unit=panels.SECONDS,
        nothing="never",
        colors=((None, panels.BLUE), *panels.AGES[1:]),
    ).decimals(0)


def _balances() -> timeseries.Panel:
    return _against_its_limit(
        "Balance",
        "The balance, or the provider's own credits where it counts in those, and the threshold at or below which the "
        "balance is low.",
        panels.query(SCOPE.each("sms_credit_balance", by="currency"), "{{currency}}", ref="balance"),
        panels.query(SCOPE.each("sms_credit_credits", by="account"), "credits", ref="credits"),
        threshold="sms_credit_low_balance_threshold",
        unit=panels.MONEY,
        nothing=_NO_BALANCE,
        decimals=2,
    )


def _quotas() -> timeseries.Panel:
    return _against_its_limit(
        "Messages",
        "Messages that the balance can pay for, and the threshold at or below which they are few.",
        panels.query(SCOPE.each("sms_credit_quota_messages", by="account"), "messages", ref="quota"),
        threshold="sms_credit_low_quota_threshold_messages",
        unit=panels.MONEY,
        nothing="The provider does not count messages, and no message_price is configured.",
        decimals=0,
    )


def _forecasts() -> timeseries.Panel:
    return _against_its_limit(
        "How long it lasts",
        "Time from the last reading until nothing is left, as the exporter expects it, and the threshold at or below "
        "which that is low. Unknown in the first hours, and while nothing is spent.",
        panels.query(SCOPE.lasts(by="account"), "lasts for", ref="runway"),
        threshold="sms_credit_low_runway_threshold_seconds",
        unit=panels.SECONDS,
        nothing="It was not known in this time how long the credit lasts.",
        decimals=1,
    )


def _against_its_limit(  # noqa: PLR0913 - what a chart is made of, by name
    title: str,
    description: str,
    *values: prometheus.Dataquery,
    threshold: str,
    unit: str,
    nothing: str,
    decimals: int,
) -> timeseries.Panel:
    """Return a chart of a value and of the threshold at or below which it is low."""
    limit = panels.query(SCOPE.each(threshold, by="account"), "low at", ref="threshold")
    chart = panels.chart(title, description, [*values, limit], unit=unit, nothing=nothing)
    return chart.decimals(decimals).override_by_name("low at", _dashed())


def _dashed() -> list[DynamicConfigValue]:
    return panels.set_to(color=panels.fixed(panels.VERMILION), custom__lineStyle=_DASHES, custom__fillOpacity=0)


def _timeline() -> statetimeline.Panel:
    blocked, unusual = "credit blocked", "unusual spending"
    panel = (
        statetimeline.Panel()
        .title("Status over time")
        .description(
            "When the account had which status, and when it was blocked for lack of credit, was low (by its balance, "
            "its quota or its runway) or spent unusually fast. One row for each."
        )
        .datasource(panels.DATA_SOURCE)
        .with_target(panels.query(f"{SCOPE.each('sms_credit_status', by='status')} == 1", "{{status}}", ref="status"))
        .with_target(panels.query(f"{SCOPE.each('sms_credit_blocked', by='account')} == 1", blocked, ref="blocked"))
        .with_target(panels.query(f"{SCOPE.each('sms_credit_low', by='reason')} == 1", "low {{reason}}", ref="low"))
        .with_target(
            panels.query(f"{SCOPE.each('sms_credit_spending_unusual', by='account')} == 1", unusual, ref="unusual")
        )
        .unit(panels.COUNT)
        .no_value(_NOT_WATCHED)
        .span_nulls(False)
        .merge_values(True)
        .show_value(VisibilityMode.NEVER)
        .row_height(0.8)
        .fill_opacity(90)
    )
    low = {f"low {limit}": panels.ORANGE for limit in Limit}
    colors = {**shared.STATUS_COLORS, blocked: shared.DARK_RED, unusual: shared.VIOLET, **low}
    for name, color in colors.items():
        panel = panel.override_by_name(str(name), panels.set_to(mappings=[panels.texts({"1": (str(name), color)})]))
    return panel


def _ages() -> timeseries.Panel:
    updated = SCOPE.each("sms_credit_provider_updated_timestamp_seconds", by="account")
    return (
        panels.chart(
            "Age of the data",
            "Time since the last good reading; time since the provider itself last refreshed the balance, where it "
            "says so (read as UTC); and the time between two polls.",
            [
                panels.query(SCOPE.age(by="account"), "last reading", ref="reading"),
                panels.query(f"time() - {updated}", "provider's own refresh", ref="updated"),
                panels.query(
                    SCOPE.each("sms_credit_poll_interval_seconds", by="account"), "poll interval", ref="interval"
                ),
            ],
            unit=panels.SECONDS,
            nothing=_NOT_WATCHED,
        )
        .min(0)
        .override_by_name("poll interval", panels.set_to(custom__lineStyle=_DASHES))
    )


def _durations() -> timeseries.Panel:
    return panels.chart(
        "Duration of polls",
        "How long each poll took, until the answer or the timeout.",
        [panels.query(SCOPE.each("sms_credit_poll_duration_seconds", by="instance"), "{{instance}}")],
        unit=panels.SECONDS,
        nothing="The account has not been polled yet.",
    )
