"""The alerts: what is worth somebody's time, and how soon."""

from sms_credit_core import Status

from .recording import (
    BALANCE,
    BLOCKED,
    CRITICAL_SHARE,
    FAST,
    FASTEST,
    FUNDS,
    HOLD,
    LOW_BALANCE,
    LOW_QUOTA,
    POLL_INTERVAL,
    QUOTA,
    READ_AT,
    SLOW,
    SOON,
    STATUS,
    STILL_WATCHED,
    recording_rules,
    runway,
)
from .rules import Alert, Group, Severity
from .settings import DAY, HOUR, MINUTE, Settings

_ANSWERED = tuple(status for status in Status if status.up)
_FAILED = (Status.RATE_LIMITED, Status.UNREACHABLE, Status.PROVIDER_ERROR, Status.INVALID_RESPONSE)
"""Nobody but the provider can help, or time."""
_DOWN = (Status.UNREACHABLE, Status.PROVIDER_ERROR, Status.INVALID_RESPONSE)
"""As in _FAILED, and no answer to any one account in particular."""
_DEGRADED = (Status.PARTIAL, Status.UNAVAILABLE)

# Pieces of the descriptions, in Prometheus' template language.
_JOB, _INSTANCE, _PROVIDER, _ACCOUNT, _CURRENCY = (
    f"{{{{ $labels.{label} }}}}" for label in ("job", "instance", "provider", "account", "currency")
)
_NAMED = f"{_ACCOUNT} ({_PROVIDER})"
_MONEY, _WHOLE = 'printf "%.2f"', 'printf "%.0f"'
_END = "{{ end }}"


def _with(series: str) -> str:
    """Begin the part of a template that is there if the alert's account has a sample in this series."""
    matchers = "{job=%q,provider=%q,account=%q}"
    return f'{{{{ with printf "{series}{matchers}" $labels.job $labels.provider $labels.account | query }}}}'


def _looked_up(series: str, what: str) -> str:
    """Return a template for the value, or a label, that the alert's account has in another series."""
    return f"{_with(series)}{{{{ . | first | {what} }}}}{_END}"


_LAST_STATUS = _looked_up(STATUS, 'label "status"')


def groups(settings: Settings) -> tuple[Group, ...]:
    """Return all groups of rules in the order in which they build on each other."""
    return (
        recording_rules(settings),
        Group("sms-credit.exporter", _exporter(settings)),
        Group("sms-credit.polling", _polling(settings)),
        Group("sms-credit.credit", _credit(settings)),
    )


def _exporter(s: Settings) -> tuple[Alert, ...]:
    up = s.series("up")
    reloaded = s.series("sms_credit_exporter_config_last_reload_successful")
    return (
        Alert(
            name="SmsCreditExporterAbsent",
            severity=Severity.CRITICAL,
            summary="No SMS Credit exporter answers, so no account is watched.",
            description=f'Prometheus reaches no target of the job "{_JOB}". '
            "An account that runs dry now does so unnoticed.",
            why="absent() sees that the job has left service discovery, the other half that all its targets are down.",
            expr=f"""
                  absent({up})
                or
                  max without (instance, pod) ({up}) == 0
                """,
            lasting=s.span(15 * MINUTE),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditExporterDown",
            severity=Severity.WARNING,
            summary="An SMS Credit exporter cannot be scraped.",
            description=f"The exporter {_INSTANCE} has not answered Prometheus for {s.words(15 * MINUTE)}.",
            expr=f"{up} == 0",
            lasting=s.span(15 * MINUTE),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditNoAccounts",
            severity=Severity.WARNING,
            summary="An SMS Credit exporter is running but shows no account.",
            description=f"The exporter {_INSTANCE} answers Prometheus without any account; perhaps something else "
            "listens there.",
            expr=f"""
                  {up} == 1
                unless ignoring (provider, account)
                  {s.series("sms_credit_up")}
                """,
            lasting=s.span(15 * MINUTE),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditConfigReloadFailed",
            severity=Severity.WARNING,
            summary="An SMS Credit exporter runs on an outdated configuration.",
            description=f"The exporter {_INSTANCE} could not take over its configuration file and goes on with the old "
            "one. It will not start again with this file.",
            expr=f"""
                  last_over_time({reloaded}[{s.span(HOLD)}]) == 0
                and
                  {up}
                """,
            lasting=s.span(10 * MINUTE),
            runbook=s.runbook,
        ),
    )


def _polling(s: Settings) -> tuple[Alert, ...]:
    failed = f"max without (status) ({_in(s, *_FAILED)})"
    answered = f"max without (status) ({_in(s, *_ANSWERED)})"
    provider_failed = f"max without (account, status) ({_in(s, *_DOWN)})"
    provider_answered = f"max without (account, status) ({_in(s, *_ANSWERED)})"
    return (
        Alert(
            name="SmsCreditProviderDown",
            severity=Severity.WARNING,
            summary="No account of an SMS provider can be read.",
            description=f"{_PROVIDER} has given no readable answer about any account for "
            f"{s.words(15 * MINUTE)}. Balances are those from before, and sending may be affected too.",
            expr=f"""
                  {provider_failed}
                unless
                  {provider_answered}
                """,
            lasting=s.span(15 * MINUTE),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditAccountFailing",
            severity=Severity.WARNING,
            summary="An SMS account cannot be read.",
            description=f"Account {_NAMED} has not been read for {s.words(30 * MINUTE)}; "
            f"the last poll came to {_LAST_STATUS}.",
            why="After an outage each account is asked again in its own time, at the latest after four intervals. "
            "Until then its failure is one from before.",
            expr=f"""
                      {failed}
                    unless
                      {answered}
                  unless ignoring (account)
                    (
                        {provider_failed}
                      unless
                        {provider_answered}
                    )
                unless on (job, provider)
                  last_over_time({_firing(s, "ProviderDown")}[{s.span(30 * MINUTE)}])
                """,
            lasting=s.span(30 * MINUTE),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditAuthFailed",
            severity=Severity.WARNING,
            summary="An SMS provider refuses the credentials of an account.",
            description=f"{_PROVIDER} refuses the credentials of account {_ACCOUNT}. "
            "Its balance stays unknown until they are put right.",
            expr=f"max without (status) ({_in(s, Status.AUTH_FAILED)})",
            lasting=s.span(15 * MINUTE),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditAccessDenied",
            severity=Severity.WARNING,
            summary="An SMS provider knows the credentials of an account but refuses access.",
            description=f"{_PROVIDER} refuses access to account {_ACCOUNT}. "
            "Its balance stays unknown until the access is granted.",
            expr=f"max without (status) ({_in(s, Status.ACCESS_DENIED)})",
            lasting=s.span(15 * MINUTE),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditDegraded",
            severity=Severity.WARNING,
            summary="An SMS provider has had only partial data, or none, on an account for long.",
            description=f"{_PROVIDER} has answered without full data on account "
            f"{_ACCOUNT} for {s.words(HOUR)}; the last poll came to "
            f"{_LAST_STATUS}.",
            expr=f"""
                  max without (status) ({_in(s, *_DEGRADED)})
                unless
                  max without (status) ({_in(s, Status.FRESH)})
                """,
            lasting=s.span(HOUR),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditOnboardingStuck",
            severity=Severity.WARNING,
            summary="An SMS provider has not finished setting up an account.",
            description=f"Account {_NAMED} has been in onboarding for {s.words(3 * DAY)}.",
            expr=f"max without (status) ({_in(s, Status.ONBOARDING)})",
            lasting=s.span(3 * DAY),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditDataStale",
            severity=Severity.WARNING,
            summary="An SMS account has not been read for long.",
            description=f"Account {_NAMED} {{{{ if gt $value 1e9 }}}}has not been read since its exporter started"
            f"{{{{ else }}}}was last read {{{{ $value | humanizeDuration }}}} ago{_END}.",
            why="Catches what no other alert sees: failures that change too often for any of them, and polling that "
            "has come to a halt with everything frozen as it was. While another alert tells why, this one waits.",
            expr=f"""
                          time()
                        -
                          (
                              {s.series(READ_AT)}
                            or
                              0 * {s.series(STILL_WATCHED)}
                          )
                      >
                        3 * {s.series(POLL_INTERVAL)}
                    unless ignoring (status)
                      {_in(s, Status.ONBOARDING)}
                  unless on (job, provider, account)
                    {_firing(s, "AccountFailing", "AuthFailed", "AccessDenied", "Degraded")}
                unless on (job, provider)
                  {_firing(s, "ProviderDown")}
                unless on (job)
                  {_firing(s, "ExporterAbsent", "ExporterDown")}
                """,
            lasting=s.span(HOUR),
            runbook=s.runbook,
        ),
    )


def _credit(s: Settings) -> tuple[Alert, ...]:
    return (
        Alert(
            name="SmsCreditBlocked",
            severity=Severity.CRITICAL,
            summary="An SMS account is blocked for lack of credit.",
            description=f"{_PROVIDER} sends nothing for account {_ACCOUNT} until it is topped up.{_balance_if_known()}",
            expr=f"{s.series(BLOCKED)} == 1",
            runbook=s.runbook,
        ),
        _balance_low(s, Severity.WARNING),
        _balance_low(s, Severity.CRITICAL),
        _quota_low(s, Severity.WARNING),
        _quota_low(s, Severity.CRITICAL),
        Alert(
            name="SmsCreditDepletesSoon",
            severity=Severity.WARNING,
            summary="An SMS account runs out soon at its present pace.",
            description=_runs_out("the last day"),
            expr=f"{s.as_in_life(s.series(runway(SLOW)))} < {SOON}",
            lasting=s.span(HOUR),
            runbook=s.runbook,
        ),
        Alert(
            name="SmsCreditDepletesSoon",
            severity=Severity.CRITICAL,
            summary="An SMS account runs out soon at its present pace.",
            description=_runs_out("the last hour"),
            why="The short window ends the alert soon after the spending; the wait is longer than that window, so "
            "that a campaign of a few minutes wakes nobody up.",
            expr=f"""
                  {s.as_in_life(s.series(runway(FAST)))} < {6 * HOUR}
                and
                  {s.as_in_life(s.series(runway(FASTEST)))} < {6 * HOUR}
                """,
            lasting=s.span(30 * MINUTE),
            runbook=s.runbook,
        ),
    )


_SHARE = {Severity.WARNING: "", Severity.CRITICAL: f"{CRITICAL_SHARE} * "}
"""What of a threshold each severity waits for."""


def _balance_low(s: Settings, severity: Severity) -> Alert:
    share = _SHARE[severity]
    return Alert(
        name="SmsCreditBalanceLow",
        severity=severity,
        summary="The balance of an SMS account is low.",
        description=f"Account {_NAMED} had {{{{ $value | {_MONEY} }}}} {_CURRENCY} left when it was last read; "
        f"its threshold is {_looked_up(LOW_BALANCE, f'value | {_MONEY}')}.",
        expr=f"""
              {s.series(BALANCE)}
            <= ignoring (currency) group_left ()
              {share}{s.series(LOW_BALANCE)}
            """,
        lasting=s.span(10 * MINUTE),
        runbook=s.runbook,
    )


def _quota_low(s: Settings, severity: Severity) -> Alert:
    share = _SHARE[severity]
    return Alert(
        name="SmsCreditQuotaLow",
        severity=severity,
        summary="The SMS quota of an account is low.",
        description=f"Account {_NAMED} could send {{{{ $value | {_WHOLE} }}}} messages when it was last read; "
        f"its threshold is {_looked_up(LOW_QUOTA, f'value | {_WHOLE}')}.",
        expr=f"""
              {s.series(QUOTA)}
            <=
              {share}{s.series(LOW_QUOTA)}
            """,
        lasting=s.span(10 * MINUTE),
        runbook=s.runbook,
    )


def _firing(s: Settings, *alerts: str) -> str:
    """Return a selector of these alerts while they fire; the names are those without the prefix."""
    names = "|".join(alerts)
    return s.series("ALERTS", f'alertname=~"SmsCredit({names})"', 'alertstate="firing"')


def _in(s: Settings, *statuses: Status) -> str:
    """Return a selector of the accounts that are in one of these statuses."""
    operator = "=~" if len(statuses) > 1 else "="
    wanted = "|".join(statuses)
    return s.series(STATUS, f'status{operator}"{wanted}"')


def _balance_if_known() -> str:
    return (
        f"{_with(BALANCE)} Its balance was {{{{ . | first | value | {_MONEY} }}}} "
        f'{{{{ . | first | label "currency" }}}} when it was last read.{_END}'
    )


def _runs_out(window: str) -> str:
    money = f"{{{{ . | first | value | {_MONEY} }}}} {_CURRENCY}"
    messages = f"{{{{ . | first | value | {_WHOLE} }}}} messages"
    return (
        f"At the pace of {window}, account {_NAMED} runs out of its last "
        f"{_with(FUNDS)}{{{{ if $labels.currency }}}}{money}{{{{ else }}}}{messages}{_END}{_END} "
        "in {{ $value | humanizeDuration }}."
    )
