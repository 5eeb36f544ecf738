"""The recording rules: what is known of each account, whoever watches it and even while nobody can be asked."""

from sms_credit_core import Status

from .rules import Group, Recording
from .settings import DAY, HOUR, MINUTE, Legend, Settings

HOLD = DAY
"""How long the last known state counts while data is missing."""

STEP = 5 * MINUTE
"""Time between two looks at what an account pays with. A rise and a fall within one step cancel each other out."""

SLOW, FAST, FASTEST = DAY, HOUR, 15 * MINUTE
"""The windows over which the pace of spending is measured."""

SOON = 3 * DAY
"""An account runs out soon if its credit lasts for less than this, at the pace of the slow window."""

CRITICAL_SHARE = 0.5
"""A value at or below this share of its threshold is very low."""

_HISTORY = 6 * HOUR
"""The slow window says nothing until the readings are this far apart."""


def spent(window: int) -> str:
    """Return the name of the series that holds what was spent in the window."""
    return f"account:sms_credit_funds:spent{Settings().span(window)}"


def runway(window: int) -> str:
    """Return the name of the series that holds the seconds until nothing is left, at the pace of the window."""
    return f"account:sms_credit_runway_seconds:spent{Settings().span(window)}"


_WATCHED = (
    Recording(
        record="account:sms_credit_up:count",
        why="Replicas of the exporter differ in instance (and pod) only: an account that two of them watch is one "
        "account. All further rules leave these two labels out, so nothing fires twice, nothing starts anew when a "
        "pod is replaced, and labels of your own, such as team or cluster, stay.",
        expr="count without (instance, pod) (sms_credit_up{<job>})",
    ),
    Recording(
        record="account:sms_credit_up:last_count",
        why="While an exporter cannot be asked, its accounts count as watched for another day: missing data ends "
        "no alert. When all exporters answer, an account that none of them shows has been taken out of the "
        "configuration, and everything about it ends at once.",
        expr="""
              account:sms_credit_up:count{<job>}
            or
                last_over_time(account:sms_credit_up:count{<job>}[<hold>])
              unless ignoring (provider, account)
                min without (instance, pod) (up{<job>}) == 1
            """,
    ),
)

_STATUS = (
    Recording(
        record="account:sms_credit_status:time",
        why="When each status was last seen. An exporter that has only just started knows nothing yet (pending), "
        "so it has no say here.",
        expr="""
            time() * (
              max without (instance, pod) (
                  sms_credit_status{<job>}
                unless ignoring (status)
                  sms_credit_status{<job>, status="<pending>"} == 1
              ) == 1
            )
            """,
    ),
    Recording(
        record="account:sms_credit_status:last",
        why="The status that was seen last. Two replicas can see different ones at the same time; then the account has "
        "both.",
        expr="""
                last_over_time(account:sms_credit_status:time{<job>}[<hold>])
              == ignoring (status) group_left ()
                max without (status) (last_over_time(account:sms_credit_status:time{<job>}[<hold>]))
            and ignoring (status)
              account:sms_credit_up:last_count{<job>}
            """,
    ),
)


def _configured(metric: str) -> tuple[Recording, ...]:
    """Record a value of the configuration, for as long as the account is watched and the value is configured."""
    legend: Legend = {"metric": metric}
    return (
        Recording(
            record=f"account:{metric}:max",
            expr="max without (instance, pod) (<metric>{<job>})",
            legend=legend,
        ),
        Recording(
            record=f"account:{metric}:last",
            expr="""
                  account:<metric>:max{<job>}
                or
                      last_over_time(account:<metric>:max{<job>}[<hold>])
                    and
                      account:sms_credit_up:last_count{<job>}
                  unless
                    account:sms_credit_up:count{<job>}
                """,
            legend=legend,
        ),
    )


_READ_AT = (
    Recording(
        record="account:sms_credit_last_reading_timestamp_seconds:max",
        why="0 means never. It is left out, so that a restart of the exporter does not make an account look unread.",
        expr="max without (instance, pod) (sms_credit_last_reading_timestamp_seconds{<job>} > 0)",
    ),
    Recording(
        record="account:sms_credit_last_reading_timestamp_seconds:last",
        expr="""
              account:sms_credit_last_reading_timestamp_seconds:max{<job>}
            or
                last_over_time(account:sms_credit_last_reading_timestamp_seconds:max{<job>}[<hold>])
              and
                account:sms_credit_up:last_count{<job>}
            """,
    ),
)


def _readings(metric: str, *labels: str) -> tuple[Recording, ...]:
    """Record a value that the provider gives; `labels` are the labels that only this value has."""
    legend: Legend = {
        "metric": metric,
        "own": f" ignoring ({', '.join(labels)})" if labels else "",
        "own_and_status": ", ".join((*labels, "status")),
    }
    return (
        Recording(
            record=f"account:{metric}:latest",
            why="Of two replicas, the one that has read the account last is right; the other may hold an older value.",
            expr="""
                max without (instance, pod) (
                    <metric>{<job>}
                  and<own>
                    (
                        sms_credit_last_reading_timestamp_seconds{<job>}
                      == ignoring (instance, pod) group_left ()
                        account:sms_credit_last_reading_timestamp_seconds:max{<job>}
                    )
                )
                """,
            legend=legend,
        ),
        Recording(
            record=f"account:{metric}:last",
            why="The last known value. An account that goes back to onboarding loses the value from before.",
            expr="""
                  account:<metric>:latest{<job>}
                or<own>
                      last_over_time(account:<metric>:latest{<job>}[<hold>])
                    and<own>
                      account:sms_credit_up:last_count{<job>}
                  unless ignoring (<own_and_status>)
                    last_over_time(account:sms_credit_status:time{<job>, status="<onboarding>"}[<hold>])
                """,
            legend=legend,
        ),
    )


_FUNDS = Recording(
    record="account:sms_credit_funds:last",
    why="What an account pays with: its money or, where it has none, the messages that it has bought.",
    expr="""
          account:sms_credit_balance:last{<job>} > 0
        or ignoring (currency)
          account:sms_credit_quota_messages:last{<job>} > 0
        """,
)


def _spent(window: int, why: str = "") -> Recording:
    return Recording(
        record=spent(window),
        why=why,
        expr="""
            sum_over_time(
              clamp_min(
                  account:sms_credit_funds:last{<job>} offset <step>
                -
                  account:sms_credit_funds:last{<job>},
                0
              )[<window>:<step>]
            )
            """,
        legend={"window": window, "step": STEP},
    )


def _until_empty(window: int, why: str = "", *, history: int = 0) -> Recording:
    """Record the runway; `history` is how far apart the readings must be at least."""
    return Recording(
        record=runway(window),
        why=why,
        expr="""
              account:sms_credit_funds:last{<job>}
            * ignoring (currency) group_left ()
              (
                  account:sms_credit_last_reading_timestamp_seconds:last{<job>}
                -
                  min_over_time(account:sms_credit_last_reading_timestamp_seconds:last{<job>}[<window_and_step>])
                > <history in seconds>
              )
            /
              (<spent>{<job>} > 0)
            """,
        legend={"window_and_step": window + STEP, "history": history, "spent": spent(window)},
    )


RECORDING_RULES = Group(
    "sms-credit.rules",
    (
        *_WATCHED,
        *_STATUS,
        *_configured("sms_credit_poll_interval_seconds"),
        *_configured("sms_credit_low_balance_threshold"),
        *_configured("sms_credit_low_quota_threshold_messages"),
        *_READ_AT,
        *_readings("sms_credit_balance", "currency"),
        *_readings("sms_credit_quota_messages"),
        *_readings("sms_credit_blocked"),
        _FUNDS,
        _spent(
            SLOW,
            "Only falls count, so that a top-up does not hide the spending, as it would with predict_linear() or "
            "deriv(). Offset and step must be equal; otherwise falls would count twice or not at all.",
        ),
        _spent(FAST),
        _spent(FASTEST),
        _until_empty(
            SLOW,
            "The pace is what was spent between the first and the last reading, divided by the time between these two "
            "and not by the length of the window. So it is right with a young history, and after an outage, when all "
            "that was spent meanwhile shows at once. An account that spends nothing has no series.",
            history=_HISTORY,
        ),
        _until_empty(FAST),
        _until_empty(FASTEST),
    ),
    {"hold": HOLD, "pending": Status.PENDING, "onboarding": Status.ONBOARDING},
)
