"""The overview: every account at a glance, the worst first."""

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.common import GraphThresholdsStyleConfig, TableFooterOptions, TableSortByFieldState
from grafana_foundation_sdk.builders.dashboard import Row
from grafana_foundation_sdk.models.common import (
    GraphThresholdsStyleMode,
)
from grafana_foundation_sdk.models.dashboard import Dashboard

from . import panels, shared
from .settings import Settings
from .states import known, low, meanings, not_read, refused, state, state_texts, status, unusual

SCOPE = panels.Scope(('provider=~"$provider"', 'account=~"$account"'))
_EXPORTERS = panels.Scope(())
_ALERTS = ('provider=~"$provider|"', 'account=~"$account|"')
"""Alerts about an exporter have no account; an empty alternative lets them through."""

_IN_CURRENCY = 'currency=~"$currency"'
_NO_EXPORTER = "no exporter"
_UNKNOWN = "unknown"
_OTHERWISE_NONE = f"or 0 * count({SCOPE.each('sms_credit_up')})"
"""Makes a count of nothing 0 where there are accounts, and leaves it unknown where there are none."""


def overview(settings: Settings) -> Dashboard:
    """Return the dashboard."""
    of_provider = 'sms_credit_up{job=~"$job", instance=~"$instance", provider=~"$provider"}'
    balances = 'sms_credit_balance{job=~"$job", instance=~"$instance", provider=~"$provider"}'
    return panels.built(
        shared.dashboard(settings, "Overview", shared.OVERVIEW_UID)
        .description("Balance, quota, credit block and status of every SMS-gateway account, the worst first.")
        .time("now-24h", "now")
        .with_variable(panels.label_variable("provider", shared.WATCHED, label="Provider"))
        .with_variable(panels.label_variable("account", of_provider, label="Account"))
        .with_variable(panels.label_variable("currency", balances, label="Currency"))
        .with_panel(_accounts().span(3).height(4))
        .with_panel(_blocked().span(3).height(4))
        .with_panel(_no_access().span(3).height(4))
        .with_panel(_low().span(2).height(4))
        .with_panel(_unusual().span(4).height(4))
        .with_panel(_not_read().span(3).height(4))
        .with_panel(_without_values().span(4).height(4))
        .with_panel(_alert_count().span(2).height(4))
        .with_panel(shared.firing_alerts(_ALERTS).span(12).height(8))
        .with_panel(_totals().span(6).height(8))
        .with_panel(_shortest().span(6).height(8))
        .with_panel(_table().span(24).height(13))
        .with_panel(shared.last_month(SCOPE).span(8).height(9))
        .with_panel(shared.spent(SCOPE, "day").span(8).height(9))
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


def _accounts() -> stat.Panel:
    return panels.number(
        "Accounts",
        "Accounts that an exporter watches. One that two exporters watch counts once.",
        panels.now(f"count({SCOPE.each('sms_credit_up')})"),
        nothing=_NO_EXPORTER,
    )


def _blocked() -> stat.Panel:
    return panels.number(
        "Blocked",
        "Accounts for which the provider sends nothing, for lack of credit.",
        panels.now(f"sum({SCOPE.each('sms_credit_blocked')})"),
        nothing=_UNKNOWN,
        colors=panels.ALARMING,
    )


def _no_access() -> stat.Panel:
    return panels.number(
        "No access",
        "Accounts whose credentials are refused, or whose access is denied. Somebody must act.",
        panels.now(f"count({refused(SCOPE)}) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=panels.ALARMING,
    )


def _low() -> stat.Panel:
    return panels.number(
        "Low",
        "Accounts whose balance, quota or runway is at or below its threshold in the exporter's configuration, or was "
        "when that could last be told.",
        panels.now(f"count({low(SCOPE)}) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=panels.ALARMING,
    )


def _unusual() -> stat.Panel:
    return panels.number(
        "Unusual spending",
        "Accounts that spend far faster than they ever have. Known after two days.",
        panels.now(f"count({unusual(SCOPE)}) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=panels.ALARMING,
    )


def _not_read() -> stat.Panel:
    return panels.number(
        "Not read",
        "Accounts without a readable answer, or with a reading that is too old. The provider must act, or time helps. "
        "Their last values are shown for a while.",
        panels.now(f"count({not_read(SCOPE)}) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=panels.WORTH_A_LOOK,
    )


def _without_values() -> stat.Panel:
    return panels.number(
        "Balance unknown",
        "Accounts of which nothing is known now: not read for long, or not set up yet. They are in no total.",
        panels.now(f"count({SCOPE.each('sms_credit_up')} unless ({known(SCOPE)})) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=panels.WORTH_A_LOOK,
    )


def _alert_count() -> stat.Panel:
    firing = shared.alert_selector("ALERTS", _ALERTS, 'alertstate="firing"')
    return panels.number(
        "Alerts",
        "Alerts that fire, of any severity. Needs the alerting rules.",
        panels.now(f"count({firing}) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=panels.ALARMING,
    )


def _totals() -> stat.Panel:
    balance = SCOPE.each("sms_credit_balance", _IN_CURRENCY, by=panels.ACCOUNT_AND_CURRENCY)
    return shared.as_list(
        panels.number(
            "Total by currency",
            "Sum of the balances that are known, of each currency by itself.",
            panels.now(f"sum by (currency) ({balance})", "{{currency}}"),
            unit=panels.MONEY,
            nothing="No balance is known.",
        ).decimals(2)
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
            colors=shared.LEFT,
        ).decimals(1)
    )


def _table() -> table.Panel:
    money = {"decimals": 2, "unit": panels.MONEY}
    messages = {"decimals": 0, "unit": panels.MONEY}
    account_link = {
        "title": "All about ${__data.fields.account}",
        "url": (
            f"/d/{shared.ACCOUNT_UID}?"
            "${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
            "&var-provider=${__data.fields.provider:percentencode}&var-account=${__data.fields.account:percentencode}"
            "&${__url_time_range}"
        ),
    }
    return (
        panels.listing(
            "Accounts, the worst first",
            f"State: the worst that holds of these: {meanings(SCOPE)}. Status: the result of the last poll; “fresh” is "
            "left out beside a worse state. A zero is a real zero: what is unknown shows no number. An account "
            "that is not read keeps its last values for as long as the exporter holds them.",
            [
                panels.rows(state(SCOPE), ref="state"),
                panels.rows(f"topk by ({panels.ACCOUNT}) (1, {status(SCOPE)})", ref="status"),
                panels.rows(SCOPE.each("sms_credit_balance", by=panels.ACCOUNT_AND_CURRENCY), ref="balance"),
                panels.rows(SCOPE.each("sms_credit_low_balance_threshold"), ref="low_balance"),
                panels.rows(SCOPE.each("sms_credit_credits"), ref="credits"),
                panels.rows(SCOPE.each("sms_credit_quota_messages"), ref="quota"),
                panels.rows(SCOPE.each("sms_credit_low_quota_threshold_messages"), ref="low_quota"),
                panels.rows(SCOPE.lasts(), ref="runway"),
                panels.rows(SCOPE.age(), ref="age"),
            ],
            unit=panels.COUNT,
            nothing=shared.NOT_SCRAPED,
        )
        .with_transformation(panels.merged())
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
                ("Value #low_quota", "Low at (messages)"),
                ("Value #runway", "Lasts for"),
                ("Value #age", "Age"),
                hidden=("Time", "job", "Value #status"),
            )
        )
        .sort_by(
            [
                TableSortByFieldState().display_name("State").desc(True),
                TableSortByFieldState().display_name("Lasts for").desc(False),
            ]
        )
        .footer(TableFooterOptions().show(False).enable_pagination(True))
        .filterable(True)
        .override_by_name(
            "State",
            panels.set_to(
                mappings=[panels.texts(state_texts(SCOPE))], custom__cellOptions=panels.COLORED, custom__width=130
            ),
        )
        .override_by_name("Account", panels.set_to(links=[account_link]))
        .override_by_name("Balance", panels.set_to(**money, noValue=_UNKNOWN))
        .override_by_name("Low at", panels.set_to(**money))
        .override_by_name("Credits", panels.set_to(**money))
        .override_by_name("Messages", panels.set_to(**messages, noValue=_UNKNOWN))
        .override_by_name("Low at (messages)", panels.set_to(**messages))
        .override_by_name("Lasts for", panels.set_to(decimals=1, unit=panels.SECONDS))
        .override_by_name("Age", panels.set_to(decimals=0, unit=panels.SECONDS, noValue="never"))
        .override_by_name("Currency", panels.set_to(custom__width=90))
    )


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


def _nearest_to_threshold() -> timeseries.Panel:
    pairs = (
        ("balance", "sms_credit_balance", "sms_credit_low_balance_threshold"),
        ("messages", "sms_credit_quota_messages", "sms_credit_low_quota_threshold_messages"),
    )
    return (
        panels.chart(
            "Nearest to their thresholds",
            "Balance or quota as a multiple of its own threshold, the ten lowest. At 1 an account is low, at 0.5 it is "
            "very low. One scale for all currencies.",
            [
                panels.query(
                    f"bottomk(10, {SCOPE.each(value)} / ({SCOPE.each(threshold)} > 0))",
                    "{{account}} (" + name + ")",
                    ref=name,
                )
                for name, value, threshold in pairs
            ],
            unit=panels.COUNT,
            nothing="No account has a low_balance or a low_quota in the exporter's configuration.",
        )
        .decimals(2)
        .thresholds(panels.steps((None, panels.VERMILION), (0.5, panels.ORANGE), (1, panels.BLUE)))
        .thresholds_style(GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    )


def _lowest() -> timeseries.Panel:
    balance = SCOPE.each("sms_credit_balance", _IN_CURRENCY, by=panels.ACCOUNT_AND_CURRENCY)
    return panels.chart(
        "Lowest balances",
        "The ten lowest balances of each currency. Different currencies share the axis but cannot be compared.",
        [panels.query(f"bottomk by (currency) (10, {balance})", "{{account}} ({{currency}})")],
        unit=panels.MONEY,
        nothing="No balance is known.",
    ).decimals(2)


def _ages() -> timeseries.Panel:
    return panels.chart(
        "Oldest readings",
        "Time since the last good reading, the ten oldest. Normal is up to the poll interval.",
        [panels.query(f"topk(10, {SCOPE.age()})", "{{account}}")],
        unit=panels.SECONDS,
        nothing="No account has been read yet.",
    )


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
    return (
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
                mappings=[panels.texts({"0": ("no", panels.VERMILION), "1": ("yes", panels.BLUE)})],
                custom__cellOptions={"type": "color-text"},
            ),
        )
        .override_by_name(
            "Configuration",
            panels.set_to(
                mappings=[
                    panels.texts(
                        {"0": ("refused, the old one is in force", panels.VERMILION), "1": ("in force", panels.BLUE)}
                    )
                ],
                custom__cellOptions={"type": "color-text"},
            ),
        )
        .override_by_name("Loaded", panels.set_to(unit="dateTimeFromNow"))
    )


def _memory() -> timeseries.Panel:
    return panels.chart(
        "Memory",
        "Resident memory of each exporter.",
        [panels.query('process_resident_memory_bytes{job=~"$job", instance=~"$instance"}', "{{instance}}")],
        unit="bytes",
        nothing=shared.NOT_SCRAPED,
    )
