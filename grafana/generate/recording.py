"""The recording rules: what is known of each account, whoever watches it and even while nobody can be asked.

Each rule takes what is known now, or else what it recorded last. So none looks back for longer than an hour, and what
it costs does not grow with the time for which something is held.
"""

from sms_credit_core import Limit, Status

from .rules import Group, Recording
from .settings import DAY, HOUR, Legend, words

HOLD = DAY
"""How long the last known state counts while data is missing."""

GAP = HOUR
"""For how long Prometheus itself can be away without forgetting anything; `for` outlasts as much, unless configured."""

SOON = 3 * DAY
"""An account runs out soon if it lasts for no longer than this; it can have a limit of its own."""

VERY_SOON = 6 * HOUR

CRITICAL_SHARE = 0.5
"""A value at or below this share of its threshold is very low."""

LOW, VERY_LOW = 1, 2
"""The values of the series that say whether an account is low; 0 is neither."""


_HELD = """\
  last_over_time(<record>{<job>}[<gap>])
and
  account:sms_credit_last_reading_timestamp_seconds:last{<job>} > time() - <hold in seconds>"""
"""What was recorded last, for accounts that were read within the hold and that somebody still watches."""

_SET_UP_ANEW = '0 * max without (status) (account:sms_credit_status:last{<job>, status="<onboarding>"})'

_NOTHING_TO_TELL = """\
  0 * max without (status) (account:sms_credit_status:last{<job>, status="<fresh>"})
and
    min without (instance, pod) (sms_credit_polls_total{<job>} * sms_credit_poll_interval_seconds{<job>})
  >
    <hold in seconds>"""
"""0 for each account that is read in full, by an exporter that has polled it for a day."""


def _newest(series: str, own: str = "") -> str:
    """Return what each account has by its newest reading; `own` is the label that only these series have."""
    dropped, ignoring = (f", {own}", f" ignoring ({own})") if own else ("", "")
    return f"""\
max without (instance, pod{dropped}) (
    {series}
  and{ignoring}
    (
        sms_credit_last_reading_timestamp_seconds{{<job>}}
      == ignoring (instance, pod) group_left ()
        account:sms_credit_last_reading_timestamp_seconds:last{{<job>}}
    )
)"""


_WATCHED = Recording(
    record="account:sms_credit_up:time",
    why="When each account was last shown. Replicas of the exporter differ in instance (and pod) only: an account that "
    "two of them watch is one account. All rules leave these two labels out, so nothing fires twice, nothing starts "
    "anew when a pod is replaced, and labels of your own, such as team or cluster, stay. While an exporter cannot be "
    "asked, its accounts count as watched for another day: missing data ends no alert. When all exporters answer, an "
    "account that none of them shows has been taken out of the configuration, and everything about it ends at once.",
    expr="""
          time() + 0 * count without (instance, pod) (sms_credit_up{<job>})
        or
            last_over_time(account:sms_credit_up:time{<job>}[<gap>]) > time() - <hold in seconds>
          unless ignoring (provider, account)
            min without (instance, pod) (up{<job>}) == 1
        """,
)

_STATUS = Recording(
    record="account:sms_credit_status:last",
    why="The status that was seen last, and when. An exporter that has only just started knows nothing yet (pending), "
    "so it has no say here. Two replicas can see different ones at the same time; then the account has both.",
    expr="""
          time() * (max without (instance, pod) (sms_credit_status{<job>, status!="<pending>"}) == 1)
        or ignoring (status)
              last_over_time(account:sms_credit_status:last{<job>}[<gap>])
            == ignoring (status) group_left ()
              max without (status) (last_over_time(account:sms_credit_status:last{<job>}[<gap>]))
          and ignoring (status)
            account:sms_credit_up:time{<job>}
        """,
)

_READ_AT = Recording(
    record="account:sms_credit_last_reading_timestamp_seconds:last",
    why="0 means never. It is left out, so that a restart of the exporter does not make an account look unread.",
    expr="""
          max without (instance, pod) (sms_credit_last_reading_timestamp_seconds{<job>} > 0)
        or
            last_over_time(account:sms_credit_last_reading_timestamp_seconds:last{<job>}[<gap>])
          and
            account:sms_credit_up:time{<job>}
        """,
)

_BLOCKED = Recording(
    record="account:sms_credit_blocked:last",
    why="Of two replicas, the one that has read the account last is right; the other may hold an older value. While "
    "nothing is known, what was known counts for a day after it was read. An account that goes back to onboarding "
    "loses it.",
    expr="""
          <blocked>
        or
          <set_up_anew>
        or
          <held>
        """,
    legend={
        "record": "account:sms_credit_blocked:last",
        "blocked": _newest("sms_credit_blocked{<job>}"),
    },
)


def _low(record: str, limit: Limit, value: str, threshold: str, why: str = "") -> Recording:
    """Record whether an account has reached a limit of its balance or quota, or is far below it."""
    return Recording(
        record=record,
        why=why,
        expr="""
                <by_reading>
              *
                (
                    1
                  +
                    (
                        <value>
                      <= bool
                        <share> * max without (instance, pod) (<threshold>)
                    )
                )
            or
              <set_up_anew>
            or
              <by_exporter> == 0
            or
                0 * max without (instance, pod) (sms_credit_up{<job>})
              unless
                max without (instance, pod) (<threshold>)
            or
                last_over_time(<record>{<job>}[<gap>])
              and
                account:sms_credit_up:time{<job>}
            or
              <by_exporter>
            """,
        legend={**_reached(limit), "record": record, "value": value, "threshold": threshold},
    )


def _reached(limit: Limit) -> Legend:
    """Return what tells whether a limit is reached: by the newest reading, and by what an exporter remembers."""
    reached = f'sms_credit_low{{<job>, reason="{limit}"}}'
    return {
        "by_reading": _newest(reached, "reason"),
        "by_exporter": f"max without (instance, pod, reason) ({reached})",
        "share": str(CRITICAL_SHARE),
    }


_LOW_RUNWAY = Recording(
    record="account:sms_credit_low_runway:last",
    why=f"The same for how long the credit lasts; an account without a limit of its own is low at {words(SOON)}, and "
    f"very low is {words(VERY_SOON)}. An exporter that has started without a memory cannot tell for some hours: the "
    "worst that any replica tells counts, and what was told before counts for another day. An exporter that has polled "
    "for a day, and tells nothing by a fresh reading, has nothing to tell.",
    expr="""
            (<by_exporter> or <runway> <= bool <soon in seconds>)
          *
            (1 + (<runway> <= bool <very_soon in seconds>))
        or
          <set_up_anew>
        or
          <by_exporter> == 0
        or
            <nothing_to_tell>
          unless
            <by_exporter>
        or
          <held>
        or
          <by_exporter>
        """,
    legend={
        **_reached(Limit.RUNWAY),
        "record": "account:sms_credit_low_runway:last",
        "runway": "min without (instance, pod) (sms_credit_runway_seconds{<job>})",
        "soon": SOON,
        "very_soon": VERY_SOON,
    },
)

_UNUSUAL = Recording(
    record="account:sms_credit_spending_unusual:last",
    expr="""
          max without (instance, pod) (sms_credit_spending_unusual{<job>})
        or
          <set_up_anew>
        or
          <nothing_to_tell>
        or
          <held>
        """,
    legend={"record": "account:sms_credit_spending_unusual:last"},
)

RECORDING_RULES = Group(
    "sms-credit.rules",
    (
        _WATCHED,
        _STATUS,
        _READ_AT,
        _BLOCKED,
        _low(
            "account:sms_credit_low_balance:last",
            Limit.BALANCE,
            _newest("sms_credit_balance{<job>}", "currency"),
            "sms_credit_low_balance_threshold{<job>}",
            "1 is low, 2 is very low: at or below half of the threshold. The exporter says what is low, and remembers "
            "it while nothing is known. After an onboarding it is not believed before the next reading, and a "
            "threshold that is taken out of the configuration ends it at once.",
        ),
        _low(
            "account:sms_credit_low_quota:last",
            Limit.QUOTA,
            _newest("sms_credit_quota_messages{<job>}"),
            "sms_credit_low_quota_threshold_messages{<job>}",
        ),
        _LOW_RUNWAY,
        _UNUSUAL,
    ),
    {
        "gap": GAP,
        "hold": HOLD,
        "pending": Status.PENDING,
        "fresh": Status.FRESH,
        "onboarding": Status.ONBOARDING,
        "held": _HELD,
        "set_up_anew": _SET_UP_ANEW,
        "nothing_to_tell": _NOTHING_TO_TELL,
    },
)
