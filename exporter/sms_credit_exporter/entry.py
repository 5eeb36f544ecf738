"""What is said of one account, by the status page and by /api/v1/accounts alike; the names are those of the API.

What is not known is None, and `unknown` has the reason. Nothing is decided here that the core decides.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Self

from sms_credit_core import URGENCY, Instant, Limit, Status, Value, Worded

from . import words
from .accounts import View
from .advice import Links, advice
from .trend import Trend

_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()

LOOKS: Mapping[str, str] = {word: look for look, alike in URGENCY.items() for word in alike}
"""The shape and the colour of each word that can stand for an account; all that are as urgent have the same."""

_NOTES = {
    "blocked": "The provider refuses to send for lack of credit.",
    "unusual": "It spends far faster than it ever has. If nobody of yours is sending, somebody may be draining it.",
    "stale": "The last reading is too old to show.",
    Status.PENDING: "Not polled yet.",
    Status.PARTIAL: "The provider flags this reading as partial.",
}
"""What a word means, where neither a problem nor a limit tells."""


class Unknown(Worded):
    """Why a value is not known, in one word and in a sentence."""

    NOT_GIVEN = "not_given", "The provider never says."
    NOT_READ = "not_read", "There has been no reading yet."
    NOT_POLLED = "not_polled", "There has been no poll yet."
    DROPPED = "dropped", "The provider sets the account up anew; what was read before says nothing any more."
    TOO_OLD = "too_old", "The last reading is too old to show."
    NOT_SAID = "not_said", "The last reading does not have it."
    NO_LIMIT = "no_limit", "No limit is configured."
    TOO_EARLY = "too_early", "There are too few readings yet."
    NOTHING_SPENT = "nothing_spent", "Nothing is spent."
    TOO_FAR = "too_far", "It lies beyond the calendar."


class Spent(NamedTuple):
    """What was spent today, and since when that is counted."""

    amount: Decimal
    unit: str
    """A currency, messages or credits; empty where the provider names no currency."""
    since: datetime


class LimitEntry(NamedTuple):
    """A limit that is configured."""

    limit: Limit
    threshold: Decimal
    unit: str | None
    """The currency, `messages` or `seconds`; None where the currency is not known."""
    reached: bool | None
    """None where that could never be told."""

    @property
    def text(self) -> str:
        """The limit as people read it."""
        if self.limit is Limit.RUNWAY:
            return f"{words.interval(float(self.threshold))} left"
        if self.limit is Limit.QUOTA:
            return f"{self.threshold:,} messages"
        return words.money(self.threshold, self.unit)


class Week(NamedTuple):
    """What there was in the last week, hour by hour."""

    unit: str
    """As above."""
    begins: datetime
    """The beginning of the first hour."""
    step_seconds: float
    """How long an hour is; less in demonstrations only."""
    amounts: Sequence[float | None]
    """By the last reading of each hour; None where there was none. As doubles, since there are many of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One account at a moment."""

    number: int
    """Its place in the configuration, from 1 on."""
    account: str
    provider: str
    provider_name: str
    labels: Mapping[str, str]
    """The user's own, by name."""
    state: str
    """The most urgent of the states."""
    states: tuple[str, ...]
    """Every word that stands for the account, worst first."""
    status: Status
    notes: tuple[str, ...]
    """What there is to say about the states, in sentences; empty if all is well."""
    reason: str | None
    """Why the last poll gave no reading."""
    code: str | None
    """The provider's own word for that."""
    to_do: str | None
    """What the reader has to do about the state; None where that is nothing."""
    balance: Decimal | None
    currency: str | None
    quota_messages: int | None
    credits: Decimal | None
    """In the provider's own unit, where that is neither money nor messages."""
    message_price: Decimal | None
    """What the quota was worked out from, where the provider does not give one."""
    credit_blocked: bool | None
    low: bool | None
    unusual: bool | None
    limits: tuple[LimitEntry, ...]
    runway_seconds: float | None
    """From the last reading on."""
    empty_at: datetime | None
    spent_today: Spent | None
    held: bool
    """Whether the values are those of an earlier reading."""
    last_reading: datetime | None
    provider_updated: datetime | None
    last_poll: datetime | None
    next_poll: datetime
    """The earliest; each wait is up to a twentieth longer."""
    poll_interval_seconds: float
    last_week: Week | None
    links: Mapping[str, str]
    unknown: Mapping[str, Unknown]
    """Why each value that could be known is not."""

    @classmethod
    def of(cls, number: int, view: View, states: tuple[str, ...], trend: Trend, links: Links) -> Self:
        """Tell what is known of an account that is in these states."""
        config, account, known = view.config, view.account, view.known
        priced = known is not None and known.quota is not None and Value.QUOTA not in view.provider.gives
        values = {name: value(view) for name, (value, _) in _VALUES.items()}
        week, what_to_do = _week(view, trend), advice(view, states)
        unknown = {name: why(view) for name, (_, why) in _VALUES.items() if values[name] is None}
        if week is None:
            unknown["last_week"] = Unknown.TOO_EARLY if account.read_at else Unknown.NOT_READ
        return cls(
            number=number,
            account=config.name,
            provider=config.provider.key,
            provider_name=config.provider.name,
            labels=config.own_labels,
            state=states[0],
            states=states,
            status=view.status,
            notes=tuple(_notes(view, states)),
            reason=account.problem.text if account.problem else None,
            code=account.problem.code if account.problem else None,
            to_do=what_to_do.to_do if what_to_do else None,
            currency=view.currency,
            message_price=view.limits.message_price if priced else None,
            limits=tuple(_limits(view)),
            held=view.held,
            next_poll=_utc(view.now.unix + account.due_in(config.poll_interval, view.now)),
            poll_interval_seconds=config.poll_interval,
            last_week=week,
            links=links.of(view, what_to_do),
            unknown=unknown,
            **values,
        )


def _notes(view: View, states: tuple[str, ...]) -> Iterator[str]:
    yield from (_NOTES[word] for word in states if word in _NOTES)
    if view.low:
        reached = (limit.text for limit in _limits(view) if limit.reached)
        yield f"At or below {' and '.join(reached)}."
    if view.account.problem:
        yield view.account.problem.text


def _limits(view: View) -> Iterator[LimitEntry]:
    for limit, threshold in view.limits.thresholds.items():
        exact = Decimal(f"{threshold}".removesuffix(".0"))  # a double's shortest form is what was configured
        yield LimitEntry(limit, exact, _UNITS.get(limit, view.currency), view.reached.get(limit))


_UNITS = {Limit.QUOTA: words.UNITS[Value.QUOTA], Limit.RUNWAY: "seconds"}
"""What each limit is in, if not in the account's currency."""


def _week(view: View, trend: Trend) -> Week | None:
    """Return the last week; None where fewer than two hours of it are known."""
    first, amounts = trend.week(view.now.unix)
    if len(amounts) - amounts.count(None) < _FEWEST:
        return None
    return Week(trend.unit, _utc(first * trend.step), trend.step, amounts)


_FEWEST = 2


def _spent_today(view: View) -> Spent | None:
    spent, ledger = view.spent_today, view.account.ledger
    return Spent(spent, words.unit(ledger), _utc(ledger.day.since.unix)) if spent is not None and ledger else None


def _empty_at(view: View) -> datetime | None:
    at = view.empty_at
    return None if at is None or at > _LATEST else _utc(at)


def _moment(at: Instant | None) -> datetime | None:
    return _utc(at.unix) if at else None


def _utc(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)


def _why_no(value: Value) -> Callable[[View], Unknown]:
    """Return what tells why a value of the reading is not known."""
    return lambda view: (_why_no_reading(view) or Unknown.NOT_SAID) if view.gives(value) else Unknown.NOT_GIVEN


def _why_no_reading(view: View) -> Unknown | None:
    if view.account.reading is None:
        return Unknown.DROPPED if view.account.read_at else Unknown.NOT_READ
    return Unknown.TOO_OLD if view.known is None else None


def _why_no_forecast(view: View) -> Unknown:
    """Tell why the ledger does not foretell anything."""
    ledger, (is_known, foretells) = view.account.ledger, view.freshness
    if not is_known or ledger is None:
        return _why_no_reading(view) or Unknown.NOT_SAID
    if not foretells:
        return Unknown.TOO_OLD
    return Unknown.NOTHING_SPENT if ledger.lasts == math.inf else Unknown.TOO_EARLY


_VALUES: Mapping[str, tuple[Callable[[View], Any], Callable[[View], Unknown]]] = {
    "balance": (lambda view: view.known.balance if view.known else None, _why_no(Value.BALANCE)),
    "quota_messages": (lambda view: view.known.quota if view.known else None, _why_no(Value.QUOTA)),
    "credits": (lambda view: view.known.credits if view.known else None, _why_no(Value.CREDITS)),
    "credit_blocked": (lambda view: view.blocked, _why_no(Value.CREDIT_BLOCKED)),
    "low": (
        lambda view: view.low,
        lambda view: _why_no_forecast(view) if view.limits.thresholds else Unknown.NO_LIMIT,
    ),
    "unusual": (lambda view: view.unusual, _why_no_forecast),
    "runway_seconds": (lambda view: view.runway, _why_no_forecast),
    "empty_at": (_empty_at, lambda view: Unknown.TOO_FAR if view.empty_at else _why_no_forecast(view)),
    "spent_today": (_spent_today, _why_no_forecast),
    "last_reading": (lambda view: _moment(view.account.read_at), lambda _: Unknown.NOT_READ),
    "provider_updated": (
        lambda view: view.known.provider_updated if view.known else None,
        _why_no(Value.PROVIDER_UPDATED),
    ),
    "last_poll": (lambda view: _moment(view.account.polled_at), lambda _: Unknown.NOT_POLLED),
}
"""Each value that may not be known, and what tells why not."""
