"""The alerts: what is worth somebody's time, and how soon."""

from sms_credit_core import OUTAGES, Limit, Status

from .recording import GAP, HOLD, RECORDING_RULES
from .rules import Alert, Group, Severity
from .settings import ACCOUNT_UID, DAY, HOUR, MINUTE, OVERVIEW_UID, Legend
from .statuses import ANSWERED, AWAY, DEGRADED, any_of

_OF_ACCOUNT = "{job=%[1]q,provider=%[2]q,account=%[3]q}"

_JOB = "?var-job={{ $labels.job | urlquery }}"
_PROVIDER = _JOB + "&var-provider={{ $labels.provider | urlquery }}"
_ALL_ACCOUNTS = f"/d/{OVERVIEW_UID}{_JOB}"
_ACCOUNTS_OF_PROVIDER = f"/d/{OVERVIEW_UID}{_PROVIDER}"
_ACCOUNT = f"/d/{ACCOUNT_UID}{_PROVIDER}" + "&var-account={{ $labels.account | urlquery }}"


def _looked_up(query: str, text: str, otherwise: str = "") -> str:
    """Return a template for what a query about the alert's account gives, and for when it gives nothing."""
    found = '{{ with printf "QUERY" $labels.job $labels.provider $labels.account | query }}'.replace("QUERY", query)
    return found + text + ("{{ else }}" + otherwise if otherwise else "") + "{{ end }}"


def _now(series: str) -> str:
    """Return a query for what is known now; of two exporters, the one that has read the account last is asked."""
    newest = f"topk(1, sms_credit_last_reading_timestamp_seconds{_OF_ACCOUNT})"
    return f"{series}{_OF_ACCOUNT} and ignoring (currency) {newest}"


_LASTS = f"min(sms_credit_runway_seconds{_OF_ACCOUNT})"
_LAST_STATUS = _looked_up(f"account:sms_credit_status:last{_OF_ACCOUNT}", '{{ . | first | label "status" }}')

_MONEY = '{{ . | first | value | printf "%.2f" }}'
_CURRENCY = '{{ with . | first | label "currency" }} {{ . }}{{ end }}'
_MESSAGES = '{{ . | first | value | printf "%.0f" }} messages'
_DURATION = "{{ . | first | value | humanizeDuration }}"

_EXPORTER = (
    Alert(
        name="SmsCreditExporterAbsent",
        severity=Severity.CRITICAL,
        dashboard=_ALL_ACCOUNTS,
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
        dashboard=_ALL_ACCOUNTS,
        summary="An SMS Credit exporter cannot be scraped.",
        description="The exporter {{ $labels.instance }} has not answered Prometheus for <lasting>.",
        expr="up{<job>} == 0",
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditNoAccounts",
        severity=Severity.WARNING,
        dashboard=_ALL_ACCOUNTS,
        summary="An SMS Credit exporter is running but shows no account.",
        description="The exporter {{ $labels.instance }} answers Prometheus without any account; perhaps something "
        "else listens there.",
        why="An exporter that shares accounts with others may have none of its own; it knows of theirs.",
        expr="""
              up{<job>} == 1
            unless
              sms_credit_exporter_configured_accounts{<job>} > 0
            """,
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditShardsMissing",
        severity=Severity.CRITICAL,
        dashboard=_ALL_ACCOUNTS,
        summary="Some SMS accounts are watched by no exporter.",
        description='The exporters of the job "{{ $labels.job }}" share the accounts, and only {{ $value }} '
        "of the shards are there. An account of another shard that runs dry now does so unnoticed.",
        expr="""
              count without (shard) (max without (instance, pod) (sms_credit_exporter_shards{<job>}))
            <
              max without (instance, pod, shard) (sms_credit_exporter_shards{<job>})
            """,
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditConfigReloadFailed",
        severity=Severity.WARNING,
        dashboard=_ALL_ACCOUNTS,
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
        dashboard=_ACCOUNTS_OF_PROVIDER,
        summary="No account of an SMS provider can be read.",
        description="{{ $labels.provider }} has given no readable answer about any account for <lasting>. "
        "Balances are those from before, and sending may be affected too.",
        expr="""
              max without (account, status) (account:sms_credit_status:last{<job>, status=~"<away>"})
            unless on (job, provider)
              account:sms_credit_status:last{<job>, status=~"<answered>"}
            """,
        why="Accounts with other labels are told apart, so that each team hears of it; whether the provider is away is "
        "a matter of all accounts.",
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditAccountFailing",
        severity=Severity.WARNING,
        dashboard=_ACCOUNT,
        summary="An SMS account cannot be read.",
        description="Account {{ $labels.account }} ({{ $labels.provider }}) has not been read for <lasting>; "
        f"the last poll came to {_LAST_STATUS}.",
        why="After an outage each account is asked again within four poll intervals. Until then its failure is still "
        "that of the outage.",
        expr="""
                  max without (status) (account:sms_credit_status:last{<job>, status=~"<outages>"})
                unless
                  max without (status) (account:sms_credit_status:last{<job>, status=~"<answered>"})
              unless on (job, provider)
                (
                    max by (job, provider) (account:sms_credit_status:last{<job>, status=~"<away>"})
                  unless
                    max by (job, provider) (account:sms_credit_status:last{<job>, status=~"<answered>"})
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
        dashboard=_ACCOUNT,
        summary="An SMS provider refuses the credentials of an account.",
        description="{{ $labels.provider }} refuses the credentials of account {{ $labels.account }}. "
        f"{Status.AUTH_FAILED.to_do} Until then its balance stays unknown.",
        expr='max without (status) (account:sms_credit_status:last{<job>, status="auth_failed"})',
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditAccessDenied",
        severity=Severity.WARNING,
        dashboard=_ACCOUNT,
        summary="An SMS provider knows the credentials of an account but refuses access.",
        description="{{ $labels.provider }} refuses access to account {{ $labels.account }}. "
        f"{Status.ACCESS_DENIED.to_do} Until then its balance stays unknown.",
        expr='max without (status) (account:sms_credit_status:last{<job>, status="access_denied"})',
        lasting=15 * MINUTE,
    ),
    Alert(
        name="SmsCreditDegraded",
        severity=Severity.WARNING,
        dashboard=_ACCOUNT,
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
        dashboard=_ACCOUNT,
        summary="An SMS provider has not finished setting up an account.",
        description="Account {{ $labels.account }} ({{ $labels.provider }}) has been in onboarding for <lasting>.",
        expr='max without (status) (account:sms_credit_status:last{<job>, status="onboarding"})',
        lasting=3 * DAY,
    ),
    Alert(
        name="SmsCreditDataStale",
        severity=Severity.WARNING,
        dashboard=_ACCOUNT,
        summary="An SMS account has not been read for long.",
        description="Account {{ $labels.account }} ({{ $labels.provider }}) "
        "{{ if gt $value 1e9 }}has not been read since its exporter started"
        "{{ else }}was last read {{ $value | humanizeDuration }} ago{{ end }}.",
        why="This alert sees what no other sees: failures that change too often for any of them, and polling that has "
        "stopped, with every value as it was. While another alert gives the reason, this one waits.",
        expr="""
                      time()
                    -
                      max without (instance, pod) (
                        max_over_time(sms_credit_last_reading_timestamp_seconds{<job>}[<gap>])
                      )
                  >
                    3 * max without (instance, pod) (last_over_time(sms_credit_poll_interval_seconds{<job>}[<gap>]))
                and
                  account:sms_credit_up:time{<job>}
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
            "gap": GAP,
            "with_reasons": "SmsCreditAccountFailing|SmsCreditAuthFailed|SmsCreditAccessDenied|SmsCreditDegraded",
        },
    ),
)


_VERY_LOW = 'max without (reason) (account:sms_credit_very_low:time{<job>, reason="<reason>"} > 0)'

_LOW = """
      max without (reason) (account:sms_credit_low:time{<job>, reason="<reason>"} > 0)
    or
      <very_low>
    """

_LEVELS = {
    Severity.WARNING: (_LOW, "", "low"),
    Severity.CRITICAL: (_VERY_LOW, "half of ", "very low"),
}
"""What is low enough for each severity, what it says of the threshold, and how low that is in words."""


def _by(limit: Limit) -> Legend:
    return {"reason": limit, "very_low": _VERY_LOW}


def _balance_low(severity: Severity) -> Alert:
    expr, share, degree = _LEVELS[severity]
    return Alert(
        name="SmsCreditBalanceLow",
        severity=severity,
        dashboard=_ACCOUNT,
        summary=f"The balance of an SMS account is {degree}.",
        description="The balance of account {{ $labels.account }} ({{ $labels.provider }}) is at or below "
        f"{share}its threshold"
        + _looked_up(_now("sms_credit_low_balance_threshold"), f" of {_MONEY}")
        + _looked_up(_now("sms_credit_balance"), f"; it was {_MONEY}{_CURRENCY} when it was last read")
        + ".",
        expr=expr,
        lasting=10 * MINUTE,
        legend=_by(Limit.BALANCE),
    )


def _quota_low(severity: Severity) -> Alert:
    expr, share, degree = _LEVELS[severity]
    return Alert(
        name="SmsCreditQuotaLow",
        severity=severity,
        dashboard=_ACCOUNT,
        summary=f"The quota of an SMS account is {degree}.",
        description="The quota of account {{ $labels.account }} ({{ $labels.provider }}) is at or below "
        f"{share}its threshold"
        + _looked_up(_now("sms_credit_low_quota_threshold_messages"), f" of {_MESSAGES}")
        + _looked_up(_now("sms_credit_quota_messages"), f"; it was {_MESSAGES} when it was last read")
        + ".",
        expr=expr,
        lasting=10 * MINUTE,
        legend=_by(Limit.QUOTA),
    )


_ENDS = {
    Severity.WARNING: "The credit of an SMS account does not last for long.",
    Severity.CRITICAL: "The credit of an SMS account is about to end.",
}


def _depletes_soon(severity: Severity, lasting: int) -> Alert:
    expr, *_ = _LEVELS[severity]
    return Alert(
        name="SmsCreditDepletesSoon",
        severity=severity,
        dashboard=_ACCOUNT,
        summary=_ENDS[severity],
        description="Account {{ $labels.account }} ({{ $labels.provider }}) "
        + _looked_up(
            _LASTS,
            f"lasts for {_DURATION} from when it was last read",
            "lasts only for a short while by what was last known",
        )
        + ".",
        expr=expr,
        lasting=lasting,
        legend=_by(Limit.RUNWAY),
    )


_UNUSUAL = "account:sms_credit_spending_unusual:time{<job>} > 0"


_FAR_FASTER = {
    Severity.WARNING: "An SMS account spends far faster than it ever has.",
    Severity.CRITICAL: "An SMS account spends far faster than it ever has, and its credit is about to end.",
}


def _spending_unusual(severity: Severity, expr: str) -> Alert:
    return Alert(
        name="SmsCreditSpendingUnusual",
        severity=severity,
        dashboard=_ACCOUNT,
        summary=_FAR_FASTER[severity],
        description="Account {{ $labels.account }} ({{ $labels.provider }}) spends far faster than it ever has"
        + _looked_up(_LASTS, f", and lasts for {_DURATION} from when it was last read")
        + ". Find out what sends; if nobody has ordered it, stop it before anything else, and top up only then.",
        expr=expr,
        lasting=5 * MINUTE,
        legend={"unusual": _UNUSUAL, **_by(Limit.RUNWAY)},
    )


_CREDIT = (
    Alert(
        name="SmsCreditBlocked",
        severity=Severity.CRITICAL,
        dashboard=_ACCOUNT,
        summary="An SMS account is blocked for lack of credit.",
        description="{{ $labels.provider }} sends nothing for account {{ $labels.account }} until it is topped up."
        + _looked_up(_now("sms_credit_balance"), f" Its balance was {_MONEY}{_CURRENCY} when it was last read."),
        expr="account:sms_credit_blocked:time{<job>} > 0",
    ),
    _balance_low(Severity.WARNING),
    _balance_low(Severity.CRITICAL),
    _quota_low(Severity.WARNING),
    _quota_low(Severity.CRITICAL),
    _depletes_soon(Severity.WARNING, HOUR),
    _depletes_soon(Severity.CRITICAL, 30 * MINUTE),
    _spending_unusual(Severity.WARNING, "<unusual>"),
    _spending_unusual(
        Severity.CRITICAL,
        """
              <unusual>
            and
              <very_low>
            """,
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
