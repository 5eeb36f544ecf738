"""The recording rules: what is known of each account, whoever watches it and even while nobody can be asked."""

from .rules import Group, Recording
from .settings import DAY, HOUR, MINUTE, Settings

HOLD = DAY
"""How long the last known state counts while data is missing."""

STEP = 5 * MINUTE
"""Between two looks at what an account pays with; a rise and a fall within one step cancel out."""

SLOW, FAST, FASTEST = DAY, HOUR, 15 * MINUTE
"""The windows over which the pace of spending is measured."""

SOON = 3 * DAY
"""An account that lasts less long than this, by the slow window, runs out soon."""

CRITICAL_SHARE = 0.5
"""What of a threshold an account must have left for low not to be very low."""

HISTORY = 6 * HOUR
"""How far apart the readings must be before the slow window says anything."""

GROUP = "sms-credit.rules"

WATCHED = "account:sms_credit_up:count"
STILL_WATCHED = "account:sms_credit_up:last_count"
STATUS = "account:sms_credit_status:last"
_STATUS_SEEN = "account:sms_credit_status:time"
READ_AT = "account:sms_credit_last_reading_timestamp_seconds:last"
BALANCE = "account:sms_credit_balance:last"
QUOTA = "account:sms_credit_quota_messages:last"
BLOCKED = "account:sms_credit_blocked:last"
LOW_BALANCE = "account:sms_credit_low_balance_threshold:last"
LOW_QUOTA = "account:sms_credit_low_quota_threshold_messages:last"
POLL_INTERVAL = "account:sms_credit_poll_interval_seconds:last"
FUNDS = "account:sms_credit_funds:last"


def spent(window: int) -> str:
    """Return the name of the series that holds what was spent in the window."""
    return f"account:sms_credit_funds:spent{Settings().span(window)}"


def runway(window: int) -> str:
    """Return the name of the series that holds the seconds until nothing is left, at the pace of the window."""
    return f"account:sms_credit_runway_seconds:spent{Settings().span(window)}"


def recording_rules(s: Settings) -> Group:
    """Return the recording rules."""
    return Group(
        GROUP,
        (
            *_watched(s),
            *_status(s),
            *_configured(s, "poll_interval_seconds"),
            *_configured(s, "low_balance_threshold"),
            *_configured(s, "low_quota_threshold_messages"),
            *_read_at(s),
            *_readings(s, "balance", "currency"),
            *_readings(s, "quota_messages"),
            *_readings(s, "blocked"),
            *_runway(s),
        ),
    )


def _watched(s: Settings) -> tuple[Recording, ...]:
    return (
        Recording(
            record=WATCHED,
            why="Replicas of the exporter differ in instance (and pod) only: an account that two of them watch is one "
            "account. All further rules leave these two labels out, so nothing fires twice, nothing starts anew when a "
            "pod is replaced, and labels of your own, such as team or cluster, stay.",
            expr=f"count without (instance, pod) ({s.series('sms_credit_up')})",
        ),
        Recording(
            record=STILL_WATCHED,
            why="While an exporter cannot be asked, its accounts count as watched for another day: missing data ends "
            "no alert. When all exporters answer, an account that none of them shows has been taken out of the "
            "configuration, and everything about it ends at once.",
            expr=f"""
                  {s.series(WATCHED)}
                or
                    last_over_time({s.series(WATCHED)}[{s.span(HOLD)}])
                  unless ignoring (provider, account)
                    min without (instance, pod) ({s.series("up")}) == 1
                """,
        ),
    )


def _status(s: Settings) -> tuple[Recording, ...]:
    pending = s.series("sms_credit_status", 'status="pending"')
    last_seen = f"last_over_time({s.series(_STATUS_SEEN)}[{s.span(HOLD)}])"
    return (
        Recording(
            record=_STATUS_SEEN,
            why="When each status was last seen. An exporter that has only just started knows nothing yet (pending), "
            "so it has no say here.",
            expr=f"""
                time() * (
                  max without (instance, pod) (
                      {s.series("sms_credit_status")}
                    unless ignoring (status)
                      {pending} == 1
                  ) == 1
                )
                """,
        ),
        Recording(
            record=STATUS,
            why="The status that was seen last. Two replicas can see different ones at the same time; then it is both.",
            expr=f"""
                    {last_seen}
                  == ignoring (status) group_left ()
                    max without (status) ({last_seen})
                and ignoring (status)
                  {s.series(STILL_WATCHED)}
                """,
        ),
    )


def _configured(s: Settings, metric: str) -> tuple[Recording, ...]:
    """Record a value of the configuration: there while the account is, unless it is not configured."""
    now = f"account:sms_credit_{metric}:max"
    return (
        Recording(record=now, expr=f"max without (instance, pod) ({s.series(f'sms_credit_{metric}')})"),
        Recording(
            record=f"account:sms_credit_{metric}:last",
            expr=f"""
                  {s.series(now)}
                or
                      last_over_time({s.series(now)}[{s.span(HOLD)}])
                    and
                      {s.series(STILL_WATCHED)}
                  unless
                    {s.series(WATCHED)}
                """,
        ),
    )


def _read_at(s: Settings) -> tuple[Recording, ...]:
    now = "account:sms_credit_last_reading_timestamp_seconds:max"
    return (
        Recording(
            record=now,
            why="0 means never; without it, a restarted exporter does not make an account look unread.",
            expr=f"max without (instance, pod) ({s.series('sms_credit_last_reading_timestamp_seconds')} > 0)",
        ),
        Recording(
            record=READ_AT,
            expr=f"""
                  {s.series(now)}
                or
                    last_over_time({s.series(now)}[{s.span(HOLD)}])
                  and
                    {s.series(STILL_WATCHED)}
                """,
        ),
    )


def _readings(s: Settings, metric: str, *labels: str) -> tuple[Recording, ...]:
    """Record a value that the provider reads out; `labels` are those that it has and the others have not."""
    now = f"account:sms_credit_{metric}:latest"
    own = f" ignoring ({', '.join(labels)})" if labels else ""
    onboarding = s.series(_STATUS_SEEN, 'status="onboarding"')
    return (
        Recording(
            record=now,
            why="Of two replicas, the one that has read the account last is right; the other may hold an older value.",
            expr=f"""
                max without (instance, pod) (
                    {s.series(f"sms_credit_{metric}")}
                  and{own}
                    (
                        {s.series("sms_credit_last_reading_timestamp_seconds")}
                      == ignoring (instance, pod) group_left ()
                        {s.series("account:sms_credit_last_reading_timestamp_seconds:max")}
                    )
                )
                """,
        ),
        Recording(
            record=f"account:sms_credit_{metric}:last",
            why="The last known value. What was known before an account went back to onboarding counts no more.",
            expr=f"""
                  {s.series(now)}
                or{own}
                      last_over_time({s.series(now)}[{s.span(HOLD)}])
                    and{own}
                      {s.series(STILL_WATCHED)}
                  unless ignoring ({", ".join((*labels, "status"))})
                    last_over_time({onboarding}[{s.span(HOLD)}])
                """,
        ),
    )


def _runway(s: Settings) -> tuple[Recording, ...]:
    return (
        Recording(
            record=FUNDS,
            why="What an account pays with: its money, or the messages that it has bought where it holds no money.",
            expr=f"""
                  {s.series(BALANCE)} > 0
                or ignoring (currency)
                  {s.series(QUOTA)} > 0
                """,
        ),
        *(_spent(s, window) for window in (SLOW, FAST, FASTEST)),
        *(_until_empty(s, window) for window in (SLOW, FAST, FASTEST)),
    )


def _spent(s: Settings, window: int) -> Recording:
    step = s.span(STEP)
    return Recording(
        record=spent(window),
        why="Only falls are summed up, so that topping up cannot hide the spending, as it would from predict_linear() "
        "or deriv(). Offset and step must be equal, or falls would be counted twice or not at all."
        if window == SLOW
        else "",
        expr=f"""
            sum_over_time(
              clamp_min(
                  {s.series(FUNDS)} offset {step}
                -
                  {s.series(FUNDS)},
                0
              )[{s.span(window)}:{step}]
            )
            """,
    )


def _until_empty(s: Settings, window: int) -> Recording:
    enough = s.seconds(HISTORY) if window == SLOW else "0"
    return Recording(
        record=runway(window),
        why="The pace is what was spent between two readings by the time between these two readings, not by the length "
        "of the window: neither a young history nor an outage, after which all arrears show at once, falsifies it. "
        "Without any spending there is no series."
        if window == SLOW
        else "",
        expr=f"""
              {s.series(FUNDS)}
            * ignoring (currency) group_left ()
              (
                  {s.series(READ_AT)}
                -
                  min_over_time({s.series(READ_AT)}[{s.span(window + STEP)}])
                > {enough}
              )
            /
              ({s.series(spent(window))} > 0)
            """,
    )
