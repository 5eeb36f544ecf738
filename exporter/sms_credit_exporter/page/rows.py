"""What the page says of each account, and in which order: the worst first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from sms_credit_core import URGENCY, Instant, Limit, Status, Value

from .. import words
from ..accounts import View, Views

_NOTES = {
    "blocked": "The provider refuses to send for lack of credit.",
    "unusual": "It spends far faster than it ever has. If nobody of yours is sending, somebody may be draining it.",
    "stale": "The last reading is too old to show.",
    Status.PENDING: "Not polled yet.",
    Status.PARTIAL: "The provider flags this reading as partial.",
}
"""What a mark means, where neither a problem nor a limit tells."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One word about an account's state."""

    key: str
    look: str
    """The shape and the colour of all words that are as urgent."""

    @property
    def word(self) -> str:
        """The key as people read it."""
        return self.key.replace("_", " ")


_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()

_MARKS = {key: Mark(key, look) for look, keys in URGENCY.items() for key in keys}
_RANK_BY_LOOK = {look: rank for rank, look in enumerate(URGENCY)}


class Moment(NamedTuple):
    """A point in time: for machines, for people who want to know exactly, and as it is shown."""

    iso: str
    exact: str
    shown: str


class Amount(NamedTuple):
    """Money or messages: as people read it, its unit if it has one, and every digit of it."""

    text: str
    unit: str
    exact: str


class Lasts(NamedTuple):
    """How long the credit lasts from now on, and when nothing is left."""

    left: str
    until: Moment | None
    """None where that was in the past."""


class Spent(NamedTuple):
    """What was spent today, and since when that is counted."""

    amount: Amount
    since: str


class LastRead(NamedTuple):
    """When the last good reading arrived, with the words before it and those below."""

    before: str
    when: Moment
    below: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One account in the words of the page."""

    anchor: str
    """An id that stays the account's own while the configuration stays."""
    name: str
    provider: str
    panel_url: str
    marks: tuple[Mark, ...]
    """At least one, worst first; the first stands for the account."""
    notes: tuple[str, ...]
    """What there is to say about the marks, in sentences; empty if all is well."""
    code: str | None
    """The provider's own word for why there is no fresh reading."""
    balance: Amount | str
    quota: int | str
    quota_source: str | None
    """What the quota was worked out from, where the provider does not give one."""
    lasts: Lasts | str
    spent_today: Spent | str
    held: bool
    """Whether the values are those of an earlier reading."""
    last_read: LastRead | None
    provider_updated: Moment | str | None
    polled: Moment | None
    interval: str
    waits: str | None
    """How long the next poll waits, if longer than the interval."""


def rows(views: Views) -> list[Row]:
    """Return the accounts, worst first and otherwise in their own order."""
    found = [_row(number, view) for number, view in enumerate(views, 1)]
    return sorted(found, key=lambda row: _RANK_BY_LOOK[row.marks[0].look])


def moment(at: float, age: float) -> Moment:
    """Name the moment that lies at this Unix time and is so many seconds old."""
    return _moment(at, words.ago(age))


def _moment(at: float, shown: str) -> Moment:
    utc = datetime.fromtimestamp(at, UTC)
    return Moment(f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M:%S} UTC", shown)


def _row(number: int, view: View) -> Row:
    config, account = view.config, view.account
    marks = tuple(_MARKS[word] for word in view.words)
    return Row(
        anchor=f"account-{number}",
        name=config.name,
        provider=config.provider.name,
        panel_url=config.provider.panel_url,
        marks=marks,
        notes=tuple(_notes(view, marks)),
        code=account.problem.code if account.problem else None,
        balance=_balance(view),
        quota=_quota(view),
        quota_source=_quota_source(view),
        lasts=_lasts(view),
        spent_today=_spent_today(view),
        held=view.held,
        last_read=_last_read(view),
        provider_updated=_provider_updated(view),
        polled=_since(account.polled_at, view.now),
        interval=words.interval(config.poll_interval),
        waits=_waits(view),
    )


def _notes(view: View, marks: tuple[Mark, ...]) -> Iterator[str]:
    yield from (_NOTES[mark.key] for mark in marks if mark.key in _NOTES)
    if view.low:
        reached = (_THRESHOLDS[limit](view) for limit, is_reached in view.reached.items() if is_reached)
        yield f"At or below {' and '.join(reached)}."
    if view.account.problem:
        yield view.account.problem.text


_THRESHOLDS: dict[Limit, Callable[[View], str]] = {
    Limit.BALANCE: lambda view: words.money(Decimal(view.limits.thresholds[Limit.BALANCE]), view.currency),
    Limit.QUOTA: lambda view: f"{view.limits.thresholds[Limit.QUOTA]:,} messages",
    Limit.RUNWAY: lambda view: f"{words.interval(float(view.limits.thresholds[Limit.RUNWAY]))} left",
}
"""Each limit as people read it."""


def _balance(view: View) -> Amount | str:
    owned = words.owned(view.known)
    if owned is None:
        return words.absent(view, Value.BALANCE, Value.CREDITS)
    amount, unit = owned
    return Amount(words.money(amount), unit, f"{amount:f}")


def _quota(view: View) -> int | str:
    known = view.known
    return words.absent(view, Value.QUOTA) if known is None or known.quota is None else known.quota


def _quota_source(view: View) -> str | None:
    owned, price = words.owned(view.known), view.limits.message_price
    if price is None or owned is None or Value.QUOTA in view.provider.gives:
        return None
    return f"at {price:f} {owned[1]}".rstrip() + " each"


def _lasts(view: View) -> Lasts | str:
    empty_at = view.empty_at
    if empty_at is None:
        return words.UNKNOWN
    left = empty_at - view.now.unix
    if left <= 0:
        return Lasts("nothing left" if view.runway == 0 else "about to end", None)
    if empty_at > _LATEST:
        return Lasts("for years", None)
    return Lasts(words.span(left), _moment(empty_at, words.date(empty_at, view.now.unix)))


def _spent_today(view: View) -> Spent | str:
    spent, ledger = view.spent_today, view.account.ledger
    if spent is None or ledger is None:
        return words.UNKNOWN
    shown = f"{spent:,}" if ledger.pays_with is Value.QUOTA else words.money(spent)
    amount = Amount(shown, words.unit(ledger), f"{spent:f}")
    return Spent(amount, _moment(ledger.day.since.unix, "").exact)


def _last_read(view: View) -> LastRead | None:
    account = view.account
    when = _since(account.read_at, view.now)
    if when is None:
        return None
    if view.known is None:
        return LastRead("last read ", when, "too old to show" if account.reading else "")
    return LastRead("held, read ", when, "") if view.held else LastRead("", when, "")


def _provider_updated(view: View) -> Moment | str | None:
    if view.known is None or not view.gives(Value.PROVIDER_UPDATED):
        return None
    updated = view.known.provider_updated
    return moment(updated.timestamp(), view.now.unix - updated.timestamp()) if updated else words.UNKNOWN


def _waits(view: View) -> str | None:
    wait = view.account.next_poll_in(view.config.poll_interval)
    return words.span(wait) if wait > view.config.poll_interval else None


def _since(at: Instant | None, now: Instant) -> Moment | None:
    return moment(at.unix, at.age(now)) if at else None
