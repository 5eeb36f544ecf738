"""What the page says of each account, and in which order: the worst first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from sms_credit_core import Instant, Quality, Reading, Status, Value

from .. import words
from ..accounts import View, Views

_UNKNOWN = "unknown"
_NOT_GIVEN = "not given"
_BLOCKED = "blocked"
_LOW = "low"
_STALE = "stale"

_NOTES = {
    _BLOCKED: "The provider refuses to send for lack of credit.",
    _STALE: "The last reading is too old to show.",
    Status.PENDING: "Not polled yet.",
    Status.PARTIAL: "The provider flags this reading as partial.",
}
"""What a mark means, where neither a problem nor a limit tells."""

_MARKS_BY_LOOK: dict[str, tuple[str, ...]] = {
    "blocked": (_BLOCKED,),
    "user": (Status.AUTH_FAILED, Status.ACCESS_DENIED),
    "low": (_LOW,),
    "failing": (Status.RATE_LIMITED, Status.UNREACHABLE, Status.PROVIDER_ERROR, Status.INVALID_RESPONSE),
    "waiting": (_STALE, Status.UNAVAILABLE, Status.ONBOARDING, Status.PENDING),
    "partial": (Status.PARTIAL,),
    "fresh": (Status.FRESH,),
}
"""Everything that an account can be marked with, worst first. Each look is a shape and a colour, and one rank."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One word about an account's state."""

    key: str
    look: str

    @property
    def word(self) -> str:
        """The key as people read it."""
        return self.key.replace("_", " ")


_MARKS = {key: Mark(key, look) for look, keys in _MARKS_BY_LOOK.items() for key in keys}
_RANK_BY_LOOK = {look: rank for rank, look in enumerate(_MARKS_BY_LOOK)}


class Moment(NamedTuple):
    """A point in time: for machines, for people who want to know exactly, and as an age."""

    iso: str
    exact: str
    ago: str


class Amount(NamedTuple):
    """Money: as people read it, its currency if it has one, and every digit of it."""

    text: str
    currency: str
    exact: str


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
    utc = datetime.fromtimestamp(at, UTC)
    return Moment(f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M:%S} UTC", words.ago(age))


def _row(number: int, view: View) -> Row:
    config, account = view.config, view.account
    marks = _marks(view)
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
        held=view.known is not None and account.problem is not None,
        last_read=_last_read(view),
        provider_updated=_provider_updated(view),
        polled=_since(account.polled_at, view.now),
        interval=words.interval(config.poll_interval),
        waits=_waits(view),
    )


def _marks(view: View) -> tuple[Mark, ...]:
    status = view.account.status
    fresh_once = status in {quality.status for quality in Quality}
    marks = []
    if view.known and view.known.credit_blocked:
        marks.append(_MARKS[_BLOCKED])
    if view.low:
        marks.append(_MARKS[_LOW])
    # Beside bad news of the credit, a fresh reading is no news.
    if not marks or status is not Status.FRESH:
        # A reading that has grown old says nothing of the account any more, however good it was.
        marks.append(_MARKS[_STALE if fresh_once and view.known is None else status])
    return tuple(sorted(marks, key=lambda mark: _RANK_BY_LOOK[mark.look]))


def _notes(view: View, marks: tuple[Mark, ...]) -> Iterator[str]:
    yield from (_NOTES[mark.key] for mark in marks if mark.key in _NOTES)
    if view.known and view.low:
        yield f"At or below {' and '.join(_reached(view, view.known))}."
    if view.account.problem:
        yield view.account.problem.text


def _reached(view: View, known: Reading) -> Iterator[str]:
    limits = view.config.limits
    if limits.low_balance is not None and replace(limits, low_quota=None).low(known):
        yield f"{words.money(limits.low_balance)} {known.currency or ''}".rstrip()
    if limits.low_quota is not None and replace(limits, low_balance=None).low(known):
        yield f"{limits.low_quota:,} messages"


def _balance(view: View) -> Amount | str:
    known = view.known
    if known is None or known.balance is None:
        return _absent(view, Value.BALANCE)
    return Amount(words.money(known.balance), known.currency or "", f"{known.balance:f}")


def _quota(view: View) -> int | str:
    known = view.known
    if known is None or known.quota is None:
        return _UNKNOWN if view.config.limits.message_price is not None else _absent(view, Value.QUOTA)
    return known.quota


def _quota_source(view: View) -> str | None:
    known, price = view.known, view.config.limits.message_price
    if price is None or known is None or known.quota is None or Value.QUOTA in view.config.provider.gives:
        return None
    return f"at {price:f} {known.currency or ''}".rstrip() + " each"


def _absent(view: View, value: Value) -> str:
    """Tell what is not known now from what this provider never says."""
    return _UNKNOWN if value in view.config.provider.gives else _NOT_GIVEN


def _last_read(view: View) -> LastRead | None:
    account = view.account
    when = _since(account.read_at, view.now)
    if when is None:
        return None
    if view.known is None:
        return LastRead("last read ", when, "too old to show" if account.reading else "")
    return LastRead("held, read ", when, "") if account.problem else LastRead("", when, "")


def _provider_updated(view: View) -> Moment | str | None:
    if view.known is None or Value.PROVIDER_UPDATED not in view.config.provider.gives:
        return None
    updated = view.known.provider_updated
    return moment(updated.timestamp(), view.now.unix - updated.timestamp()) if updated else _UNKNOWN


def _waits(view: View) -> str | None:
    wait = view.account.next_poll_in(view.config.poll_interval)
    return words.span(wait) if wait > view.config.poll_interval else None


def _since(at: Instant | None, now: Instant) -> Moment | None:
    return moment(at.unix, at.age(now)) if at else None
