"""The overview: every account at a glance, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders.common import TableSortByFieldState
from grafana_foundation_sdk.builders.dashboard import CustomVariable, Row
from grafana_foundation_sdk.models.dashboard import Dashboard, VariableOption

from . import panels, shared
from .recording import CRITICAL_SHARE, SOON
from .settings import OVERVIEW_UID, Settings
from .states import known, low, meanings, not_read, refused, state, state_texts, status, unusual

SCOPE = panels.Scope(('provider=~"$provider"', 'account=~"$account"'))
_EXPORTERS = panels.Scope(())
_ALERTS = ('provider=~"$provider|"', 'account=~"$account|"')
"""Alerts about an exporter have no account; an empty alternative lets them through."""

_IN_CURRENCY = 'currency=~"$currency"'
_HERE = (
    f"/d/{OVERVIEW_UID}?"
    "${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
    "&${provider:queryparam}&${account:queryparam}&${currency:queryparam}"
)
"""The address of this dashboard with everything that is chosen, but for `show`."""
_AT_THIS_TIME = "${__url_time_range}"
_NO_EXPORTER = "no exporter"
_UNKNOWN = "unknown"
_OTHERWISE_NONE = f"or 0 * count({SCOPE.each('sms_credit_up')})"
"""Makes a count of nothing 0 where there are accounts, and leaves it unknown where there are none."""


def overview(settings: Settings) -> Dashboard:
    """Return the dashboard."""
    of_provider = 'sms_credit_up{job=~"$job", instance=~"$instance", provider=~"$provider"}'
    balances = 'sms_credit_balance{job=~"$job", instance=~"$instance", provider=~"$provider"}'
    dashboard = (
        shared.dashboard(settings, "Overview", OVERVIEW_UID)
        .description("Balance, quota, credit block and status of every SMS-gateway account, the worst first.")
        .time("now-24h", "now")
        .with_variable(panels.label_variable("provider", shared.WATCHED, label="Provider"))
        .with_variable(panels.label_variable("account", of_provider, label="Account"))
        .with_variable(panels.label_variable("currency", balances, label="Currency"))
        .with_variable(_show())
    )
    for group in GROUPS:
        dashboard = dashboard.with_panel(_counted(group).span(3).height(5))
    return panels.built(
        dashboard.with_panel(_alert_count().span(3).height(5))
        .with_panel(shared.firing_alerts(_ALERTS).span(12).height(9))
        .with_panel(_totals().span(6).height(9))
        .with_panel(_shortest().span(6).height(9))
        .with_panel(_table().span(24).height(13))
        .with_panel(shared.last_month(SCOPE).span(8).height(9))
        .with_panel(shared.spent(SCOPE, "day").time_from("7d").span(8).height(9))
        .with_panel(shared.spent(SCOPE, "hour").span(8).height(9))
        .with_panel(_statuses().span(8).height(9))
        .with_panel(_nearest_to_threshold().span(8).height(9))
        .with_panel(_lowest().span(8).height(9))
        .with_row(
            Row("Polling")
            .collapsed(True)
            .with_panel(shared.polls(SCOPE, "15m").span(8).height(8))
            .with_panel(_ages().span(8).height(8))
            .with_panel(_durations().span(8).height(8))
        )
        .with_row(
            Row("Exporters")
            .collapsed(True)
            .with_panel(_exporters().span(12).height(7))
            .with_panel(_memory().span(12).height(7))
        )
    )


def _counted(group: "_Group") -> stat.Panel:
    """Return the number of accounts in a group; a click lists them."""
    panel = panels.number(group.title, group.description, nothing=group.nothing, colors=group.colors)
    link = {"title": f"List them: {group.title}", "url": f"{_HERE}&var-show={GROUPS.index(group)}&{_AT_THIS_TIME}"}
    count = f"count({group.accounts}) or 0 * count({group.of})"
    return panels.with_past(panel, count).override_by_regexp("/.*/", panels.set_to(links=[link]))


@dataclass(frozen=True, slots=True)
class _Group:
    """Accounts that are counted at the top, and that the table can be limited to."""

    title: str
    description: str
    accounts: str
    """PromQL."""
    colors: Sequence[tuple[float | None, str]] = panels.ALARMING
    of: str = SCOPE.each("sms_credit_up")
    """PromQL of the accounts that could be in it: where there are none, their number is not 0 but unknown."""
    nothing: str = _NO_EXPORTER


GROUPS = (
    _Group(
        "Accounts",
        "Accounts that an exporter watches. One that two exporters watch counts once.",
        SCOPE.each("sms_credit_up"),
        colors=panels.PLAIN,
    ),
    _Group(
        "Blocked",
        "Accounts for which the provider sends nothing, for lack of credit.",
        f"{SCOPE.each('sms_credit_blocked')} == 1",
        of=SCOPE.each("sms_credit_blocked"),
        nothing=_UNKNOWN,
    ),
    _Group(
        "No access",
        "Accounts whose credentials are refused, or whose access is denied. Somebody must act.",
        refused(SCOPE),
    ),
    _Group(
        "Low",
        "Accounts whose balance, quota or runway is at or below its threshold in the exporter's configuration, or was "
        "when that could last be told.",
        low(SCOPE),
    ),
    _Group(
        "Unusual spending",
        "Accounts that spend far faster than they ever have. Known after two days.",
        unusual(SCOPE),
    ),
    _Group(
        "Not read",
        "Accounts without a readable answer, or with a reading that is too old. The provider must act, or time helps. "
        "Their last values are shown for a while.",
        not_read(SCOPE),
        colors=panels.WORTH_A_LOOK,
    ),
    _Group(
        "Balance unknown",
        "Accounts of which nothing is known now: not read for long, or not set up yet. They are in no total.",
        f"{SCOPE.each('sms_credit_up')} unless ({known(SCOPE)})",
        colors=panels.WORTH_A_LOOK,
    ),
)
"""All groups; the variable `show` has the place of one. The first is that of all accounts."""


def _show() -> CustomVariable:
    return (
        CustomVariable("show")
        .label("Show")
        .values(", ".join(f"{group.title} : {place}" for place, group in enumerate(GROUPS)))
        .current(VariableOption(selected=True, text=GROUPS[0].title, value="0"))
    )


def _shown(expr: str) -> str:
    """Limit an expression to the accounts of the group that is chosen."""
    either = "\n  or\n".join(
        f"  ({group.accounts}) and on () vector($show) == {place}" for place, group in enumerate(GROUPS)
    )
    return f"({expr})\nand on ({panels.ACCOUNT})\n(\n{either}\n)"


def _alert_count() -> stat.Panel:
    firing = shared.alert_selector("ALERTS", _ALERTS, 'alertstate="firing"')
    return panels.number(
        "Alerts",
        "Alerts that fire, of any severity. Needs the alerting rules.",
        panels.now(f"count({firing}) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=panels.ALARMING,
    )


def _totals() -> table.Panel:
    balance = SCOPE.each("sms_credit_balance", _IN_CURRENCY, by=panels.ACCOUNT_AND_CURRENCY)
    total = f"sum by (currency) ({balance})"
    return (
        panels.listing(
            "Total by currency",
            "Sum of the balances that are known, of each currency by itself. It falls when one becomes unknown.",
            [panels.rows(total, ref="total"), panels.query(total, "{{currency}}", ref="trend")],
            unit=panels.MONEY,
            nothing="No balance is known.",
        )
        .with_transformation(panels.trends("trend"))
        .with_transformation(panels.merged())
        .with_transformation(
            panels.columns(
                ("currency", "Currency"),
                ("Value #total", "Total"),
                ("Value", "Total"),
                *panels.trend("trend", "Trend"),
                hidden=("Time",),
            )
        )
        .decimals(2)
        .override_by_name("Currency", panels.set_to(custom__width=90))
        .override_by_name("Trend", panels.set_to(**panels.TREND))
    )


def _shortest() -> stat.Panel:
    return shared.as_list(
        panels.number(
            "Shortest runway",
            "The five accounts whose credit ends first, and how long they last from when they were last read. Unknown "
            "in the first hours, and for an account that spends nothing.",
            panels.now(f"bottomk(5, {SCOPE.lasts(by='provider, account')})", "{{account}}"),
            unit=panels.SECONDS,
            nothing=_UNKNOWN,
            colors=(*shared.SHORT, (SOON, panels.TEXT)),
        ).decimals(1)
    )


_WIDTHS = {
    "State": 140,
    "Provider": 110,
    "Status": 130,
    "Balance": 110,
    "Currency": 80,
    "Low at": 90,
    "Credits": 90,
    "Messages": 100,
    "Few at": 90,
    "Lasts for": 90,
    "Trend": 140,
    "Age": 80,
    "Top up": 80,
}


def _table() -> table.Panel:
    money = {"decimals": 2, "unit": panels.MONEY}
    messages = {"decimals": 0, "unit": panels.MONEY}
    panel_link = {"title": "${__data.fields.provider}", "url": "${__value.raw}", "targetBlank": True}
    panel = (
        panels.listing(
            "Accounts, the worst first",
            f"State: the worst that holds of these: {meanings(SCOPE)}. Status: the result of the last poll; “fresh” is "
            "left out beside a worse state. A zero is a real zero: what is unknown shows no number. An account "
            "that is not read keeps its last values for as long as the exporter holds them.",
            [
                panels.rows(_shown(state(SCOPE)), ref="state"),
                panels.rows(f"topk by ({panels.ACCOUNT}) (1, {status(SCOPE)})", ref="status"),
                panels.rows(SCOPE.each("sms_credit_balance", by=panels.ACCOUNT_AND_CURRENCY), ref="balance"),
                panels.rows(SCOPE.each("sms_credit_low_balance_threshold"), ref="low_balance"),
                panels.rows(SCOPE.each("sms_credit_credits"), ref="credits"),
                panels.rows(SCOPE.each("sms_credit_quota_messages"), ref="quota"),
                panels.rows(SCOPE.each("sms_credit_low_quota_threshold_messages"), ref="low_quota"),
                panels.rows(SCOPE.lasts(), ref="runway"),
                panels.rows(SCOPE.age(), ref="age"),
                panels.query(_paid_with(), ref="trend").interval("1h"),
                panels.rows(shared.with_panel_links(f"group by ({panels.ACCOUNT}) ({shared.WATCHED})"), ref="panel"),
            ],
            unit=panels.COUNT,
            nothing=shared.NOT_SCRAPED,
        )
        .with_transformation(panels.trends("trend"))
        .with_transformation(panels.merged())
        .with_transformation(panels.only_rows_with("Value #state"))
        .with_transformation(
            panels.columns(
                ("Value #state", "State"),
                ("account", "Account"),
                ("provider", "Provider"),
                ("status", "Status"),
                ("Value #balance", "Balance"),
                ("currency", "Currency"),
                ("Value #low_balance", "Low at"),
                ("Value #credits", "Credits"),
                ("Value #quota", "Messages"),
                ("Value #low_quota", "Few at"),
                ("Value #runway", "Lasts for"),
                *panels.trend("trend", "Trend"),
                ("Value #age", "Age"),
                ("panel", "Top up"),
                hidden=("Time", "job", "Value #status", "Value #panel"),
            )
        )
        .sort_by(
            [
                TableSortByFieldState().display_name("State").desc(True),
                TableSortByFieldState().display_name("Lasts for").desc(False),
            ]
        )
        .filterable(True)
        .override_by_name(
            "State",
            panels.set_to(
                mappings=[panels.texts(state_texts(SCOPE))],
                custom__cellOptions=panels.COLORED,
                custom__width=140,
                custom__align="left",
            ),
        )
        .override_by_name("Account", panels.set_to(links=[shared.account_link("All about ${__data.fields.account}")]))
        .override_by_name("Balance", panels.set_to(**money, noValue=_UNKNOWN))
        .override_by_name("Low at", panels.set_to(**money))
        .override_by_name("Credits", panels.set_to(**money))
        .override_by_name("Messages", panels.set_to(**messages, noValue=_UNKNOWN))
        .override_by_name("Few at", panels.set_to(**messages))
        .override_by_name("Lasts for", panels.set_to(decimals=1, unit=panels.SECONDS))
        .override_by_name(
            "Age",
            panels.set_to(
                decimals=0,
                unit=panels.SECONDS,
                noValue="never",
                thresholds=panels.steps(*panels.AGES).build(),
                custom__cellOptions=panels.COLORED_TEXT,
            ),
        )
        .override_by_name("Trend", panels.set_to(**panels.TREND))
        .override_by_name("Top up", panels.set_to(mappings=[panels.always("Top up")], links=[panel_link]))
    )
    return panels.in_pages(panels.widths(panel, **_WIDTHS))


def _paid_with() -> str:
    """Return what each account pays with: money, or messages or credits where it has none."""
    values = ("sms_credit_balance", "sms_credit_quota_messages", "sms_credit_credits")
    money, messages, own = map(SCOPE.each, values)
    return f"{money} > 0 or {messages} or {own} or {money}"


def _statuses() -> timeseries.Panel:
    each = SCOPE.each("sms_credit_status", by=f"{panels.ACCOUNT}, status")
    panel = panels.chart(
        "Accounts by status",
        "How many accounts are in each status: the results of their last polls. They say nothing about the credit.",
        [panels.query(f"count by (status) ({each} == 1)", "{{status}}")],
        unit=panels.COUNT,
        nothing=shared.NOT_SCRAPED,
    )
    return shared.in_status_colors(panels.bars(panel).decimals(0))


def _nearest_to_threshold() -> bargauge.Panel:
    pairs = (
        ("", "sms_credit_balance", "sms_credit_low_balance_threshold"),
        (" (messages)", "sms_credit_quota_messages", "sms_credit_low_quota_threshold_messages"),
    )
    ratios = "\nor\n".join(
        f'label_replace({SCOPE.each(value)} / ({SCOPE.each(threshold)} > 0), "of", "{of}", "", "")'
        for of, value, threshold in pairs
    )
    return panels.gauge(
        "Nearest to their thresholds",
        "Balance or quota as a share of its own threshold, the ten lowest. At 100 % an account is low, at 50 % it is "
        "very low; a full bar is three thresholds or more. One scale for all currencies.",
        panels.now(f"sort(bottomk(10, {ratios}))", "{{account}}{{of}}"),
        unit=panels.SHARE,
        nothing="No threshold is configured.",
        most=3,
        colors=((None, panels.VERMILION), (CRITICAL_SHARE, panels.ORANGE), (1, panels.BLUE)),
    ).decimals(0)


def _lowest() -> timeseries.Panel:
    balance = SCOPE.each("sms_credit_balance", _IN_CURRENCY, by=panels.ACCOUNT_AND_CURRENCY)
    last = SCOPE.last_value(
        "sms_credit_balance",
        _IN_CURRENCY,
        window="$__range",
        when=panels.AT_THE_END,
        by=panels.ACCOUNT_AND_CURRENCY,
    )
    return panels.chart(
        "Lowest balances",
        "The ten balances of each currency that are the lowest at the end of the time range, or were when last known. "
        "Different currencies share the axis but cannot be compared.",
        [panels.query(f"{balance}\nand\nbottomk by (currency) (10, {last})", "{{account}} ({{currency}})")],
        unit=panels.MONEY,
        nothing="No balance is known.",
    ).decimals(2)


def _ages() -> timeseries.Panel:
    oldest = f"topk(10, max_over_time(({SCOPE.age()})[$__range:15m]{panels.AT_THE_END}))"
    return panels.chart(
        "Oldest readings",
        "Time since the last good reading, for the ten accounts that had the oldest in the time range. Normal is up to "
        "the poll interval.",
        [panels.query(f"{SCOPE.age()}\nand\n{oldest}", "{{account}}")],
        unit=panels.SECONDS,
        nothing="No account has been read yet.",
    ).min(0)


def _durations() -> timeseries.Panel:
    return panels.chart(
        "Slowest polls",
        "Duration of the last poll, for the slowest account of each provider.",
        [panels.query(f"max by (provider) ({SCOPE.series('sms_credit_poll_duration_seconds')})", "{{provider}}")],
        unit=panels.SECONDS,
        nothing="No account has been polled yet.",
    )


def _exporters() -> table.Panel:
    build = _EXPORTERS.series("sms_credit_exporter_build_info")
    loaded = _EXPORTERS.series("sms_credit_exporter_config_last_reload_successful")
    loaded_at = _EXPORTERS.series("sms_credit_exporter_config_last_reload_success_timestamp_seconds")
    panel = (
        panels.listing(
            "Exporters",
            "Every exporter of the job: whether Prometheus reaches it, its version, and whether it runs on the "
            "configuration that is in its file.",
            [
                panels.rows(f"max by (instance) ({_EXPORTERS.series('up')})", ref="up"),
                panels.rows(f"max by (instance, version, python) ({build})", ref="build"),
                panels.rows(f"max by (instance) ({loaded})", ref="loaded"),
                panels.rows(f"1000 * max by (instance) ({loaded_at})", ref="loaded_at"),
                panels.rows(f"count by (instance) ({_EXPORTERS.series('sms_credit_up')})", ref="accounts"),
            ],
            unit=panels.COUNT,
            nothing=shared.NOT_SCRAPED,
        )
        .with_transformation(panels.merged())
        .with_transformation(
            panels.columns(
                ("instance", "Exporter"),
                ("Value #up", "Scraped"),
                ("Value", "Scraped"),  # its name where nothing else is known
                ("Value #loaded", "Configuration"),
                ("Value #loaded_at", "Loaded"),
                ("Value #accounts", "Accounts"),
                ("version", "Version"),
                ("python", "Python"),
                hidden=("Time", "Value #build"),
            )
        )
        .override_by_name(
            "Scraped",
            panels.set_to(
                mappings=[panels.texts({"0": ("no", panels.VERMILION), "1": ("yes", panels.TEXT)})],
                custom__cellOptions=panels.COLORED_TEXT,
            ),
        )
        .override_by_name(
            "Configuration",
            panels.set_to(
                mappings=[
                    panels.texts(
                        {"0": ("refused, the old one is in force", panels.VERMILION), "1": ("in force", panels.TEXT)}
                    )
                ],
                custom__cellOptions=panels.COLORED_TEXT,
            ),
        )
        .override_by_name("Loaded", panels.set_to(unit="dateTimeFromNow"))
    )
    return panels.widths(panel, Scraped=80, Loaded=150, Accounts=90, Version=80, Python=80)


def _memory() -> timeseries.Panel:
    return panels.chart(
        "Memory",
        "Resident memory of each exporter.",
        [panels.query('process_resident_memory_bytes{job=~"$job", instance=~"$instance"}', "{{instance}}")],
        unit="bytes",
        nothing=shared.NOT_SCRAPED,
    )
