"""The overview: every account at a glance, the worst first."""

from grafana_foundation_sdk.builders import common as c
from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as m

from . import panels as p
from . import shared as s
from .recording import SLOW, runway
from .settings import Settings
from .states import known, low, state, state_texts, status

SCOPE = p.Scope(('provider=~"$provider"', 'account=~"$account"'))
_ALERTS = ('provider=~"$provider|"', 'account=~"$account|"')
"""Alerts about an exporter have no account; an empty alternative lets them through."""

_IN_CURRENCY = 'currency=~"$currency"'
_NO_EXPORTER = "no exporter"
_UNKNOWN = "unknown"
_OTHERWISE_NONE = f"or 0 * count({SCOPE.each('sms_credit_up')})"
"""Makes a count of nothing 0 where there are accounts, and leaves it unknown where there are none."""


def overview(settings: Settings) -> m.Dashboard:
    """Return the dashboard."""
    of_provider = 'sms_credit_up{job=~"$job", instance=~"$instance", provider=~"$provider"}'
    balances = 'sms_credit_balance{job=~"$job", instance=~"$instance", provider=~"$provider"}'
    return p.built(
        s.dashboard(settings, "Overview", s.OVERVIEW_UID)
        .description("Balance, quota, credit block and status of every SMS-gateway account, the worst first.")
        .time("now-24h", "now")
        .with_variable(p.label_variable("provider", s.WATCHED, label="Provider"))
        .with_variable(p.label_variable("account", of_provider, label="Account"))
        .with_variable(p.label_variable("currency", balances, label="Currency"))
        .with_panel(_accounts().span(4).height(4))
        .with_panel(_blocked().span(4).height(4))
        .with_panel(_low().span(4).height(4))
        .with_panel(_not_read().span(4).height(4))
        .with_panel(_without_values().span(4).height(4))
        .with_panel(_alert_count().span(4).height(4))
        .with_panel(s.firing_alerts(_ALERTS).span(12).height(8))
        .with_panel(_totals().span(6).height(8))
        .with_panel(_first_to_run_out().span(6).height(8))
        .with_panel(_table().span(24).height(13))
        .with_panel(_statuses().span(8).height(9))
        .with_panel(_nearest_to_threshold().span(8).height(9))
        .with_panel(_lowest().span(8).height(9))
        .with_row(
            d.Row("Polling")
            .collapsed(True)
            .with_panel(s.polls(SCOPE, "15m").span(8).height(8))
            .with_panel(_ages().span(8).height(8))
            .with_panel(_durations().span(8).height(8))
        )
        .with_row(
            d.Row("Exporters")
            .collapsed(True)
            .with_panel(_exporters().span(12).height(7))
            .with_panel(_memory().span(12).height(7))
        )
    )


def _accounts() -> stat.Panel:
    return p.number(
        "Accounts",
        "Accounts that an exporter watches. One that two exporters watch counts once.",
        p.now(f"count({SCOPE.each('sms_credit_up')})"),
        nothing=_NO_EXPORTER,
    )


def _blocked() -> stat.Panel:
    return p.number(
        "Blocked",
        "Accounts for which the provider sends nothing, for lack of credit.",
        p.now(f"sum({SCOPE.each('sms_credit_blocked')})"),
        nothing=_UNKNOWN,
        colors=p.ALARMING,
    )


def _low() -> stat.Panel:
    return p.number(
        "Low",
        "Accounts whose balance or quota is at or below the threshold in the exporter's configuration.",
        p.now(f"count({low(SCOPE)}) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=p.ALARMING,
    )


def _not_read() -> stat.Panel:
    return p.number(
        "Not read",
        "Accounts whose last poll failed, or that have not been polled yet. Their last values are shown for a while.",
        p.now(f"count({SCOPE.each('sms_credit_up')} == 0) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=p.WORTH_A_LOOK,
    )


def _without_values() -> stat.Panel:
    return p.number(
        "Balance unknown",
        "Accounts of which nothing is known now: not read for long, or not set up yet. They are in no total.",
        p.now(f"count({SCOPE.each('sms_credit_up')} unless ({known(SCOPE)})) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=p.WORTH_A_LOOK,
    )


def _alert_count() -> stat.Panel:
    firing = s.alert_selector("ALERTS", _ALERTS, 'alertstate="firing"')
    return p.number(
        "Alerts",
        "Alerts that fire, of any severity. Needs the alerting rules.",
        p.now(f"count({firing}) {_OTHERWISE_NONE}"),
        nothing=_NO_EXPORTER,
        colors=p.ALARMING,
    )


def _totals() -> stat.Panel:
    balance = SCOPE.each("sms_credit_balance", _IN_CURRENCY, by=p.ACCOUNT_AND_CURRENCY)
    return _as_list(
        p.number(
            "Total by currency",
            "Sum of the balances that are known, of each currency by itself.",
            p.now(f"sum by (currency) ({balance})", "{{currency}}"),
            unit=p.MONEY,
            nothing="No balance is known.",
        ).decimals(2)
    )


def _first_to_run_out() -> stat.Panel:
    left = f"max by (provider, account) ({SCOPE.recorded(runway(SLOW))})"
    return _as_list(
        p.number(
            "First to run out",
            "The five accounts whose credit ends first at the pace of the last day. An account that has spent nothing "
            "has no such time. Needs the recording rules, and six hours of history.",
            p.now(f"bottomk(5, {left})", "{{account}}"),
            unit=p.SECONDS,
            nothing="Nothing spent yet, or too little history.",
            colors=s.LEFT,
        ).decimals(1)
    )


def _as_list(panel: stat.Panel) -> stat.Panel:
    """Show several values with their names, one below the other."""
    return (
        panel.color_mode(cm.BigValueColorMode.VALUE)
        .text_mode(cm.BigValueTextMode.VALUE_AND_NAME)
        .orientation(cm.VizOrientation.HORIZONTAL)
    )


def _table() -> table.Panel:
    money = {"decimals": 2, "unit": p.MONEY}
    messages = {"decimals": 0, "unit": p.MONEY}
    account_link = {
        "title": "All about ${__data.fields.account}",
        "url": (
            f"/d/{s.ACCOUNT_UID}?${{datasource:queryparam}}&${{job:queryparam}}&${{instance:queryparam}}"
            "&var-provider=${__data.fields.provider:percentencode}&var-account=${__data.fields.account:percentencode}"
            "&${__url_time_range}"
        ),
    }
    return (
        p.listing(
            "Accounts, the worst first",
            "State: the worst that holds of blocked, at or below half of a threshold, at or below it, running out "
            "within three days, not read, degraded, being set up. Status: what the last poll came to; that it is fresh "
            "is left out beside a worse state. A zero is a real zero, never the unknown. "
            "Values of an account that is not read are those from before, for as long as the exporter holds them.",
            [
                p.rows(state(SCOPE), ref="state"),
                p.rows(f"topk by ({p.ACCOUNT}) (1, {status(SCOPE)})", ref="status"),
                p.rows(SCOPE.each("sms_credit_balance", by=p.ACCOUNT_AND_CURRENCY), ref="balance"),
                p.rows(SCOPE.each("sms_credit_low_balance_threshold"), ref="low_balance"),
                p.rows(SCOPE.each("sms_credit_quota_messages"), ref="quota"),
                p.rows(SCOPE.each("sms_credit_low_quota_threshold_messages"), ref="low_quota"),
                p.rows(f"max by ({p.ACCOUNT}) ({SCOPE.recorded(runway(SLOW))})", ref="runway"),
                p.rows(SCOPE.age(), ref="age"),
            ],
            unit=p.COUNT,
            nothing=s.NOT_SCRAPED,
        )
        .with_transformation(p.merged())
        .with_transformation(
            p.columns(
                ("Value #state", "State"),
                ("account", "Account"),
                ("provider", "Provider"),
                ("status", "Status"),
                ("Value #balance", "Balance"),
                ("currency", "Currency"),
                ("Value #low_balance", "Low at"),
                ("Value #quota", "Messages"),
                ("Value #low_quota", "Low at (messages)"),
                ("Value #runway", "Lasts for"),
                ("Value #age", "Age"),
                hidden=("Time", "job", "Value #status"),
            )
        )
        .sort_by(
            [
                c.TableSortByFieldState().display_name("State").desc(True),
                c.TableSortByFieldState().display_name("Lasts for").desc(False),
            ]
        )
        .footer(c.TableFooterOptions().show(False).enable_pagination(True))
        .filterable(True)
        .override_by_name(
            "State",
            p.set_to(mappings=[p.texts(state_texts(SCOPE))], custom__cellOptions=p.COLORED, custom__width=130),
        )
        .override_by_name("Account", p.set_to(links=[account_link]))
        .override_by_name("Balance", p.set_to(**money, noValue=_UNKNOWN))
        .override_by_name("Low at", p.set_to(**money))
        .override_by_name("Messages", p.set_to(**messages, noValue=_UNKNOWN))
        .override_by_name("Low at (messages)", p.set_to(**messages))
        .override_by_name("Lasts for", p.set_to(decimals=1, unit=p.SECONDS))
        .override_by_name("Age", p.set_to(decimals=0, unit=p.SECONDS, noValue="never"))
        .override_by_name("Currency", p.set_to(custom__width=90))
    )


def _statuses() -> timeseries.Panel:
    each = SCOPE.each("sms_credit_status", by=f"{p.ACCOUNT}, status")
    panel = p.chart(
        "Accounts by status",
        "How many accounts are in each status: what their last polls came to, whatever that says of the credit.",
        [p.query(f"count by (status) ({each} == 1)", "{{status}}")],
        unit=p.COUNT,
        nothing=s.NOT_SCRAPED,
    )
    return s.in_status_colors(p.bars(panel).decimals(0))


def _nearest_to_threshold() -> timeseries.Panel:
    pairs = (
        ("balance", "sms_credit_balance", "sms_credit_low_balance_threshold"),
        ("messages", "sms_credit_quota_messages", "sms_credit_low_quota_threshold_messages"),
    )
    return (
        p.chart(
            "Nearest to their thresholds",
            "Balance or quota as a multiple of its own threshold, the ten lowest. At 1 an account is low, at 0.5 it is "
            "critical. One scale for all currencies.",
            [
                p.query(
                    f"bottomk(10, {SCOPE.each(value)} / ({SCOPE.each(threshold)} > 0))",
                    f"{{{{account}}}} ({name})",
                    ref=name,
                )
                for name, value, threshold in pairs
            ],
            unit=p.COUNT,
            nothing="No account has a low_balance or a low_quota in the exporter's configuration.",
        )
        .decimals(2)
        .thresholds(p.steps((None, p.VERMILION), (0.5, p.ORANGE), (1, p.BLUE)))
        .thresholds_style(c.GraphThresholdsStyleConfig().mode(cm.GraphThresholdsStyleMode.DASHED))
    )


def _lowest() -> timeseries.Panel:
    balance = SCOPE.each("sms_credit_balance", _IN_CURRENCY, by=p.ACCOUNT_AND_CURRENCY)
    return p.chart(
        "Lowest balances",
        "The ten lowest balances of each currency. Different currencies share the axis but cannot be compared.",
        [p.query(f"bottomk by (currency) (10, {balance})", "{{account}} ({{currency}})")],
        unit=p.MONEY,
        nothing="No balance is known.",
    ).decimals(2)


def _ages() -> timeseries.Panel:
    return p.chart(
        "Oldest readings",
        "Time since the last good reading, the ten oldest. Normal is up to the poll interval.",
        [p.query(f"topk(10, {SCOPE.age()})", "{{account}}")],
        unit=p.SECONDS,
        nothing="No account has been read yet.",
    )


def _durations() -> timeseries.Panel:
    return p.chart(
        "Slowest polls",
        "Time that the last poll of an account took, the slowest account of each provider.",
        [p.query(f"max by (provider) ({SCOPE.series('sms_credit_poll_duration_seconds')})", "{{provider}}")],
        unit=p.SECONDS,
        nothing="No account has been polled yet.",
    )


def _exporters() -> table.Panel:
    exporter = 'job=~"$job", instance=~"$instance"'
    return (
        p.listing(
            "Exporters",
            "Every exporter of the job: whether Prometheus reaches it, its version, and whether it runs on the "
            "configuration that is in its file.",
            [
                p.rows(f"max by (instance) (up{{{exporter}}})", ref="up"),
                p.rows(
                    f"max by (instance, version, python) (sms_credit_exporter_build_info{{{exporter}}})", ref="build"
                ),
                p.rows(
                    f"max by (instance) (sms_credit_exporter_config_last_reload_successful{{{exporter}}})", ref="loaded"
                ),
                p.rows(
                    "1000 * max by (instance) "
                    f"(sms_credit_exporter_config_last_reload_success_timestamp_seconds{{{exporter}}})",
                    ref="loaded_at",
                ),
                p.rows(f"count by (instance) (sms_credit_up{{{exporter}}})", ref="accounts"),
            ],
            unit=p.COUNT,
            nothing=s.NOT_SCRAPED,
        )
        .with_transformation(p.merged())
        .with_transformation(
            p.columns(
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
            p.set_to(
                mappings=[p.texts({"0": ("no", p.VERMILION), "1": ("yes", p.BLUE)})],
                custom__cellOptions={"type": "color-text"},
            ),
        )
        .override_by_name(
            "Configuration",
            p.set_to(
                mappings=[p.texts({"0": ("refused, the old one is in force", p.VERMILION), "1": ("in force", p.BLUE)})],
                custom__cellOptions={"type": "color-text"},
            ),
        )
        .override_by_name("Loaded", p.set_to(unit="dateTimeFromNow"))
    )


def _memory() -> timeseries.Panel:
    return p.chart(
        "Memory",
        "Resident memory of each exporter.",
        [p.query('process_resident_memory_bytes{job=~"$job", instance=~"$instance"}', "{{instance}}")],
        unit="bytes",
        nothing=s.NOT_SCRAPED,
    )
