"""The alerts: what is worth somebody's time, and how soon."""

from sms_credit_core import OUTAGES

from .recording import CRITICAL_SHARE, FAST, FASTEST, HOLD, RECORDING_RULES, SLOW, SOON, runway
from .rules import Alert, Group, Severity
from .settings import DAY, HOUR, MINUTE
from .statuses import ANSWERED, AWAY, DEGRADED, any_of


def _looked_up(series: str, text: str) -> str:
    """Return a template for what the alert's account has in another series; it is empty if there is no sample."""
    template = (
        '{{ with printf "SERIES{job=%q,provider=%q,account=%q}" $labels.job $labels.provider $labels.account | query }}'
        "TEXT{{ end }}"
    )
    return template.replace("SERIES", series).replace("TEXT", text)


_LAST_STATUS = _looked_up("account:sms_credit_status:last", '{{ . | first | label "status" }}')

_EXPORTER = (
    Alert(
        name="SmsCreditExporterAbsent",
        severity=Severity.CRITICAL,
        summary="No SMS Credit exporter answers, so no account is watched.",
        description='Prometheus reaches no target of the job "{{ $labels.job }}". '
        "An account that runs dry now does so unnoticed.",
        why="absent() sees a job that service discovery no longer has; the other half sees that all targets are down.",
        expr="""
              absent(up{<job>})
            or
              max without (instance, pod) (up{<job>}) == 0
            """,
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditExporterDown",
        severity=Severity.WARNING,
        summary="An SMS Credit exporter cannot be scraped.",
        description="The exporter {{ $labels.instance }} has not answered Prometheus for <lasting>.",
        expr="up{<job>} == 0",
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditNoAccounts",
        severity=Severity.WARNING,
        summary="An SMS Credit exporter is running but shows no account.",
        description="The exporter {{ $labels.instance }} answers Prometheus without any account; perhaps something "
        "else listens there.",
        expr="""
              up{<job>} == 1
            unless ignoring (provider, account)
              sms_credit_up{<job>}
            """,
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditConfigReloadFailed",
        severity=Severity.WARNING,
        summary="An SMS Credit exporter runs on an outdated configuration.",
        description="The exporter {{ $labels.instance }} could not take over its configuration file and goes on with "
        "the old one. It will not start again with this file.",
        expr="""
              last_over_time(sms_credit_exporter_config_last_reload_successful{<job>}[<hold>]) == 0
            and
              up{<job>}
            """,
        lasting=10 * MINUTE,
    ),
)

_POLLING = (
    Alert(
        name="SmsCreditProviderDown",
        severity=Severity.WARNING,
        summary="No account of an SMS provider can be read.",
        description="{{ $labels.provider }} has given no readable answer about any account for <lasting>. "
        "Balances are those from before, and sending may be affected too.",
        expr="""
              max without (account, status) (account:sms_credit_status:last{<job>, status=~"<away>"})
            unless
              max without (account, status) (account:sms_credit_status:last{<job>, status=~"<answered>"})
            """,
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditAccountFailing",
        severity=Severity.WARNING,
        summary="An SMS account cannot be read.",
        description="Account {{ $labels.account }} ({{ $labels.provider }}) has not been read for <lasting>; "
        f"the last poll came to {_LAST_STATUS}.",
        why="After an outage each account is asked again within four poll intervals. Until then its failure is still "
        "that of the outage.",
        expr="""
                  max without (status) (account:sms_credit_status:last{<job>, status=~"<outages>"})
                unless
                  max without (status) (account:sms_credit_status:last{<job>, status=~"<answered>"})
              unless ignoring (account)
                (
                    max without (account, status) (account:sms_credit_status:last{<job>, status=~"<away>"})
                  unless
                    max without (account, status) (account:sms_credit_status:last{<job>, status=~"<answered>"})
                )
            unless on (job, provider)
              last_over_time(ALERTS{<job>, alertname="SmsCreditProviderDown", alertstate="firing"}[<recovery>])
            """,
        lasting=30 * MINUTE,
        legend={"recovery": 30 * MINUTE},
    ),
    Alert(
        name="SmsCreditAuthFailed",
        severity=Severity.WARNING,
        summary="An SMS provider refuses the credentials of an account.",
        description="{{ $labels.provider }} refuses the credentials of account {{ $labels.account }}. "
        "Its balance stays unknown until they are put right.",
        expr='max without (status) (account:sms_credit_status:last{<job>, status="auth_failed"})',
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditAccessDenied",
        severity=Severity.WARNING,
        summary="An SMS provider knows the credentials of an account but refuses access.",
        description="{{ $labels.provider }} refuses access to account {{ $labels.account }}. "
        "Its balance stays unknown until the access is granted.",
        expr='max without (status) (account:sms_credit_status:last{<job>, status="access_denied"})',
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditDegraded",
        severity=Severity.WARNING,
        summary="An SMS provider has had only partial data, or none, on an account for long.",
        description="{{ $labels.provider }} has answered without full data on account {{ $labels.account }} "
        f"for <lasting>; the last poll came to {_LAST_STATUS}.",
        expr="""
              max without (status) (account:sms_credit_status:last{<job>, status=~"<degraded>"})
            unless
              max without (status) (account:sms_credit_status:last{<job>, status="fresh"})
            """,
        lasting=HOUR,
    ),
    Alert(
        name="SmsCreditOnboardingStuck",
        severity=Severity.WARNING,
        summary="An SMS provider has not finished setting up an account.",
        description="Account {{ $labels.account }} ({{ $labels.provider }}) has been in onboarding for <lasting>.",
        expr='max without (status) (account:sms_credit_status:last{<job>, status="onboarding"})',
        lasting=3 * DAY,
    ),
    Alert(
        name="SmsCreditDataStale",
        severity=Severity.WARNING,
        summary="An SMS account has not been read for long.",
        description="Account {{ $labels.account }} ({{ $labels.provider }}) "
        "{{ if gt $value 1e9 }}has not been read since its exporter started"
        "{{ else }}was last read {{ $value | humanizeDuration }} ago{{ end }}.",
        why="This alert sees what no other sees: failures that change too often for any of them, and polling that has "
        "stopped, with every value as it was. While another alert gives the reason, this one waits.",
        expr="""
                      time()
                    -
                      (
                          account:sms_credit_last_reading_timestamp_seconds:last{<job>}
                        or
                          0 * account:sms_credit_up:last_count{<job>}
                      )
                  >
                    3 * account:sms_credit_poll_interval_seconds:last{<job>}
                unless ignoring (status)
                  account:sms_credit_status:last{<job>, status="onboarding"}
              unless on (job, provider, account)
                ALERTS{<job>, alertname=~"<with_reasons>", alertstate="firing"}
            unless on (job, provider)
              ALERTS{<job>, alertname="SmsCreditProviderDown", alertstate="firing"}
            unless on (job)
              ALERTS{<job>, alertname=~"SmsCreditExporterAbsent|SmsCreditExporterDown", alertstate="firing"}
            """,
        lasting=HOUR,
        legend={
            "with_reasons": "SmsCreditAccountFailing|SmsCreditAuthFailed|SmsCreditAccessDenied|SmsCreditDegraded",
        },
    ),
)


def _balance_low(severity: Severity, share: str = "") -> Alert:
    return Alert(
        name="SmsCreditBalanceLow",
        severity=severity,
        summary="The balance of an SMS account is low.",
        description="Account {{ $labels.account }} ({{ $labels.provider }}) had "
        '{{ $value | printf "%.2f" }} {{ $labels.currency }} left when it was last read; its threshold is '
        + _looked_up("account:sms_credit_low_balance_threshold:last", '{{ . | first | value | printf "%.2f" }}')
        + ".",
        expr="""
              account:sms_credit_balance:last{<job>}
            <= ignoring (currency) group_left ()
              <share>account:sms_credit_low_balance_threshold:last{<job>}
            """,
        lasting=10 * MINUTE,
        legend={"share": share},
    )


def _quota_low(severity: Severity, share: str = "") -> Alert:
    return Alert(
        name="SmsCreditQuotaLow",
        severity=severity,
        summary="The SMS quota of an account is low.",
        description="Account {{ $labels.account }} ({{ $labels.provider }}) could send "
        '{{ $value | printf "%.0f" }} messages when it was last read; its threshold is '
        + _looked_up("account:sms_credit_low_quota_threshold_messages:last", '{{ . | first | value | printf "%.0f" }}')
        + ".",
        expr="""
              account:sms_credit_quota_messages:last{<job>}
            <=
              <share>account:sms_credit_low_quota_threshold_messages:last{<job>}
            """,
        lasting=10 * MINUTE,
        legend={"share": share},
    )


def _runs_out(window: str) -> str:
    """Return the description of an account that runs out soon by the pace of a window."""
    left = (
        '{{ if $labels.currency }}{{ . | first | value | printf "%.2f" }} {{ $labels.currency }}'
        '{{ else }}{{ . | first | value | printf "%.0f" }} messages{{ end }}'
    )
    return (
        f"At the pace of {window}, account "
        "{{ $labels.account }} ({{ $labels.provider }}) runs out of its last "
        + _looked_up("account:sms_credit_funds:last", left)
        + " in {{ $value | humanizeDuration }}."
    )


_CRITICAL_SHARE = f"{CRITICAL_SHARE} * "

_CREDIT = (
    Alert(
        name="SmsCreditBlocked",
        severity=Severity.CRITICAL,
        summary="An SMS account is blocked for lack of credit.",
        description="{{ $labels.provider }} sends nothing for account {{ $labels.account }} until it is topped up."
        + _looked_up(
            "account:sms_credit_balance:last",
            ' Its balance was {{ . | first | value | printf "%.2f" }} {{ . | first | label "currency" }} '
            "when it was last read.",
        ),
        expr="account:sms_credit_blocked:last{<job>} == 1",
    ),
    _balance_low(Severity.WARNING),
    _balance_low(Severity.CRITICAL, _CRITICAL_SHARE),
    _quota_low(Severity.WARNING),
    _quota_low(Severity.CRITICAL, _CRITICAL_SHARE),
    Alert(
        name="SmsCreditDepletesSoon",
        severity=Severity.WARNING,
        summary="An SMS account runs out soon at its present pace.",
        description=_runs_out("the last day"),
        expr="<in_life><runway>{<job>} < <soon>",
        lasting=HOUR,
        legend={"runway": runway(SLOW), "soon": str(SOON)},
    ),
    Alert(
        name="SmsCreditDepletesSoon",
        severity=Severity.CRITICAL,
        summary="An SMS account runs out soon at its present pace.",
        description=_runs_out("the last hour"),
        why="The short window ends the alert soon after the spending ends. The alert waits for longer than that "
        "window, so that a campaign of a few minutes wakes nobody up.",
        expr="""
              <in_life><fast_runway>{<job>} < <very_soon>
            and
              <in_life><fastest_runway>{<job>} < <very_soon>
            """,
        lasting=30 * MINUTE,
        legend={"fast_runway": runway(FAST), "fastest_runway": runway(FASTEST), "very_soon": str(6 * HOUR)},
    ),
)

GROUPS = (
    RECORDING_RULES,
    Group("sms-credit.exporter", _EXPORTER, {"hold": HOLD}),
    Group(
        "sms-credit.polling",
        _POLLING,
        {
            "answered": any_of(ANSWERED),
            "away": any_of(AWAY),
            "degraded": any_of(DEGRADED),
            "outages": any_of(OUTAGES),
        },
    ),
    Group("sms-credit.credit", _CREDIT),
)
"""All groups of rules, in the order in which they build on each other."""
