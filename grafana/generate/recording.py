"""The recording rules: what is known of each account, whoever watches it and even while nobody can be asked.

Each rule takes what is known now, or else what it recorded last, so that it need not look back for as long as something
is held. Of an account in good health little is recorded: what is rare is cheap.
"""

from sms_credit_core import Limit, Status

from .rules import Group, Recording
from .settings import DAY, HOUR, words

HOLD = DAY
"""How long the last known state counts while data is missing."""

GAP = HOUR
"""For how long Prometheus itself can be away without forgetting anything; `for` outlasts as much, unless configured."""

SOON = 3 * DAY
"""An account runs out soon if it lasts for no longer than this; it can have a limit of its own."""

VERY_SOON = 6 * HOUR

CRITICAL_SHARE = 0.5
"""A value at or below this share of its threshold is very low."""

_WATCHED = Recording(
    record="account:sms_credit_up:time",
    why="When each account was last shown. Replicas of the exporter differ in instance (and pod) only: an account that "
    "two of them watch is one account. All rules leave these two labels out, so nothing fires twice, nothing starts "
    "anew when a pod is replaced, and labels of your own, such as team or cluster, stay. While an exporter cannot be "
    "asked, its accounts count as watched for another day: missing data ends no alert. When all exporters answer, an "
    "account that none of them shows has been taken out of the configuration, and everything about it ends at once. "
    "Series of exporters lack the labels that the configuration gives to accounts, so the two meet by the job.",
    expr="""
          time() + 0 * count without (instance, pod) (sms_credit_up{<job>})
        or
            last_over_time(account:sms_credit_up:time{<job>}[<gap>]) > time() - <hold in seconds>
          unless on (job)
            min by (job) (up{<job>}) == 1
        """,
)

_STATUS = Recording(
    record="account:sms_credit_status:last",
    why="The status that was seen last, and when. An exporter that has only just started knows nothing yet (pending), "
    "so it has no say here. Two replicas can see different ones at the same time; then the account has both.",
    expr="""
          time() * (max without (instance, pod) (sms_credit_status{<job>, status!="<pending>"}) == 1)
        or ignoring (status)
            (
              <unseen>
            )
          == ignoring (status) group_left ()
            max without (status) (
              <unseen>
            )
        """,
    legend={
        "unseen": """\
  last_over_time(account:sms_credit_status:last{<job>}[<gap>])
and ignoring (status)
  (
      account:sms_credit_up:time{<job>} < time()
    or
      max without (instance, pod, status) (sms_credit_status{<job>, status="<pending>"}) == 1
  )""",
    },
)

_BEHIND = Recording(
    record="instance:sms_credit_last_reading_timestamp_seconds:behind",
    why="Of two replicas, the one that has read the account last is right; the other may hold an older value.",
    expr="""
          sms_credit_last_reading_timestamp_seconds{<job>}
        < ignoring (instance, pod) group_left ()
          max without (instance, pod) (sms_credit_last_reading_timestamp_seconds{<job>})
        """,
)


def _seen(record: str, now: str, held: str, why: str = "", own: str = "") -> Recording:
    """Record when something was last seen of an account; `own` is a label of it.

    `now` are the accounts of which it is seen, with any value. `held` are those that were in the record last, and of
    which nothing else is known. An account that goes back to onboarding loses what was seen before.
    """
    return Recording(
        record=record,
        why=why,
        expr="""
              (
                  time() + 0 * (
                    <now>
                  )
                or
                  <held>
              )
            unless ignoring (<ignored>)
              account:sms_credit_status:last{<job>, status="<onboarding>"}
            or
              0 * (<last> > 0)
            """,
        legend={
            "record": record,
            "now": now,
            "held": held,
            "ignored": f"{own}, status" if own else "status",
        },
    )


_BLOCKED = _seen(
    "account:sms_credit_blocked:time",
    now="""\
max without (instance, pod) (
  sms_credit_blocked{<job>} == 1 unless <behind>
)""",
    held="""\
  <last> > <day_ago>
and
  account:sms_credit_up:time{<job>}
unless ignoring (instance, pod)
  sms_credit_blocked{<job>}""",
    why="When each account was last seen to be blocked, for those that are. While nothing is known this counts for "
    "another day. It is 0 once when it ends, so that nothing older is taken for the last word.",
)

_VERY_LOW = _seen(
    "account:sms_credit_very_low:time",
    own="reason",
    now="""\
  label_replace(
    max without (instance, pod, currency) (
        sms_credit_balance{<job>}
      <= ignoring (currency) group_left ()
        <share> * sms_credit_low_balance_threshold{<job>}
      unless ignoring (currency)
        <behind>
    ),
    "reason", "balance", "", ""
  )
or
  label_replace(
    max without (instance, pod) (
        sms_credit_quota_messages{<job>}
      <=
        <share> * sms_credit_low_quota_threshold_messages{<job>}
      unless
        <behind>
    ),
    "reason", "quota", "", ""
  )
or
  label_replace(
    max without (instance, pod) (
        (sms_credit_runway_seconds{<job>} > 0) <= <very_soon in seconds>
      unless ignoring (reason)
        sms_credit_low{<job>, reason="runway"} == 0
    ),
    "reason", "runway", "", ""
  )""",
    held="""\
(
    <last_balance> > <day_ago> unless ignoring (reason, instance, pod, currency) sms_credit_balance{<job>}
  or
    <last_quota> > <day_ago> unless ignoring (reason, instance, pod) sms_credit_quota_messages{<job>}
  or
    <last_runway> > <day_ago> unless ignoring (reason, instance, pod) sms_credit_runway_seconds{<job>}
)
and ignoring (reason)
  account:sms_credit_up:time{<job>}""",
    why=f"The same for accounts at or below half of a threshold, or with {words(VERY_SOON)} left at most; what is "
    "empty runs out no more. An exporter that has started without a memory cannot foretell anything for some hours, so "
    "the forecast of any replica counts.",
)

_LOW = _seen(
    "account:sms_credit_low:time",
    own="reason",
    now="""\
  (
      max without (instance, pod) (
          sms_credit_low{<job>, reason!="runway"} == 1 unless ignoring (reason) <behind>
        or
          sms_credit_low{<job>, reason="runway"} == 1
      )
    or
      label_replace(
        max without (instance, pod) (
            (sms_credit_runway_seconds{<job>} > 0) <= <soon in seconds>
          unless ignoring (reason)
            sms_credit_low{<job>, reason="runway"}
        ),
        "reason", "runway", "", ""
      )
  )
unless
  account:sms_credit_very_low:time{<job>} > 0
unless ignoring (reason)
  (
    <set_up_anew>
  )""",
    held="""\
(
      <last_but_runway> > <day_ago>
    unless ignoring (reason, instance, pod)
      sms_credit_last_reading_timestamp_seconds{<job>} > 0
  or
      <last_runway> > <day_ago>
    unless ignoring (reason, instance, pod)
      sms_credit_runway_seconds{<job>}
    unless ignoring (instance, pod)
      sms_credit_low{<job>, reason="runway"}
)
and ignoring (reason)
  account:sms_credit_up:time{<job>}""",
    why="And for accounts that are low, but not very low. The exporter says so once it has read an account, and "
    "remembers it while nothing is known; after an onboarding it is not believed before the next reading. By its "
    f"runway, an account without a limit of its own is low at {words(SOON)}.",
)

_UNUSUAL = _seen(
    "account:sms_credit_spending_unusual:time",
    now="max without (instance, pod) (sms_credit_spending_unusual{<job>}) == 1",
    held="""\
  <last> > <day_ago>
and
  account:sms_credit_up:time{<job>}
unless ignoring (instance, pod)
  sms_credit_spending_unusual{<job>}""",
)

RECORDING_RULES = Group(
    "sms-credit.rules",
    (_WATCHED, _STATUS, _BEHIND, _BLOCKED, _VERY_LOW, _LOW, _UNUSUAL),
    {
        "gap": GAP,
        "hold": HOLD,
        "soon": SOON,
        "very_soon": VERY_SOON,
        "share": str(CRITICAL_SHARE),
        "pending": Status.PENDING,
        "onboarding": Status.ONBOARDING,
        "day_ago": "time() - <hold in seconds>",
        "behind": "instance:sms_credit_last_reading_timestamp_seconds:behind{<job>}",
        "last": "last_over_time(<record>{<job>}[<gap>])",
        "last_but_runway": 'last_over_time(<record>{<job>, reason!="runway"}[<gap>])',
        **{f"last_{reason}": f'last_over_time(<record>{{<job>, reason="{reason}"}}[<gap>])' for reason in Limit},
        "set_up_anew": """\
  max without (status) (last_over_time(account:sms_credit_status:last{<job>, status="<onboarding>"}[<hold>]))
>=
  max without (instance, pod) (sms_credit_last_reading_timestamp_seconds{<job>})""",
    },
)
