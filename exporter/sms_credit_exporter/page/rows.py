"""What the page says of each account: an entry in the words and shapes of the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sms_credit_core import Value

from .. import words
from ..entry import LOOKS, Entry, Unknown
from .sparkline import Sparkline, sparkline


class Mark(NamedTuple):
    """One word about an account's state."""

    key: str
    look: str
    """The shape and the colour of all words that are as urgent."""

    @property
    def word(self) -> str:
        """The key as people read it."""
        return self.key.replace("_", " ")


MARKS: Mapping[str, Mark] = {key: Mark(key, look) for key, look in LOOKS.items()}


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


class Nothing(NamedTuple):
    """What is said in the place of a value: a word or two, and why in a sentence."""

    text: str
    why: str


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
    """When the last good reading arrived, with the words before it and those after."""

    before: str
    when: Moment
    after: str


class Link(NamedTuple):
    """A link, as people read it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One account in the words of the page."""

    anchor: str
    """An id that stays the account's own while the configuration stays."""
    name: str
    provider: str
    marks: tuple[Mark, ...]
    """At least one, worst first; the first stands for the account."""
    notes: tuple[str, ...]
    """What there is to say about the marks, in sentences; empty if all is well."""
    to_do: str | None
    code: str | None
    """The provider's own word for why there is no fresh reading."""
    links: tuple[Link, ...]
    balance: Amount | Nothing
    quota: Amount | Nothing
    quota_source: str | None
    """What the quota was worked out from, where the provider does not give one."""
    lasts: Lasts | Nothing
    sparkline: Sparkline | Nothing
    spent_today: Spent | Nothing
    limits: tuple[str, ...]
    held: bool
    """Whether the values are those of an earlier reading."""
    last_read: LastRead | None
    """None before the first."""
    news_of_reading: bool
    """Whether the last reading is not what one expects it to be: that of the last poll."""
    provider_updated: Moment | Nothing
    polled: Moment | None
    interval: str
    next_poll: Moment


_SAYS_MORE = {
    Unknown.NOT_GIVEN: "not given",
    Unknown.TOO_EARLY: "too early to tell",
    Unknown.NOTHING_SPENT: "nothing is spent",
    Unknown.NO_LIMIT: "none",
}
"""The reasons that are words of their own; all others are notes beside a value that is just unknown."""


def row(entry: Entry, as_of: datetime) -> Row:
    """Return an account in words, as of a moment."""
    return Row(
        anchor=f"account-{entry.number}",
        name=entry.account,
        provider=entry.provider_name,
        marks=tuple(MARKS[state] for state in entry.states),
        notes=entry.notes,
        to_do=entry.to_do,
        code=entry.code,
        links=tuple(Link(_LINKS[kind].format(entry.provider_name), url) for kind, url in entry.links.items()),
        balance=_balance(entry),
        quota=_quota(entry),
        quota_source=_quota_source(entry),
        lasts=_lasts(entry, as_of),
        sparkline=sparkline(entry, entry.last_week, as_of) if entry.last_week else _nothing(entry, "last_week"),
        spent_today=_spent_today(entry),
        limits=tuple(limit.text for limit in entry.limits),
        held=entry.held,
        last_read=_last_read(entry, as_of),
        news_of_reading=entry.held or not {"balance", "credits", "quota_messages"} - entry.unknown.keys(),
        provider_updated=moment(entry.provider_updated, as_of)
        if entry.provider_updated
        else _nothing(entry, "provider_updated"),
        polled=moment(entry.last_poll, as_of) if entry.last_poll else None,
        interval=words.interval(entry.poll_interval_seconds),
        next_poll=_next_poll(entry, as_of),
    )


_LINKS = {"panel": "{} panel", "runbook": "Runbook", "dashboard": "Dashboard"}


def moment(at: datetime, as_of: datetime) -> Moment:
    """Name a moment by how long ago it was."""
    return _moment(at, words.ago((as_of - at).total_seconds()))


def _moment(at: datetime, shown: str) -> Moment:
    return Moment(f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d %H:%M:%S} UTC", shown)


def _nothing(entry: Entry, value: str) -> Nothing:
    why = entry.unknown[value]
    return Nothing(_SAYS_MORE.get(why, words.UNKNOWN), why.text)


def _money(amount: Decimal, currency: str | None) -> Amount:
    return Amount(words.money(amount), currency or "", f"{amount:f}")


def _messages(count: Decimal | int) -> Amount:
    return Amount(f"{count:,}", words.UNITS[Value.QUOTA], f"{count}")


def _balance(entry: Entry) -> Amount | Nothing:
    """Return the money of an account, or else its credits."""
    if entry.balance is not None:
        return _money(entry.balance, entry.currency)
    if entry.credits is not None:
        return _money(entry.credits, words.UNITS[Value.CREDITS])
    return _nothing(entry, "credits" if entry.unknown["balance"] is Unknown.NOT_GIVEN else "balance")


def _quota(entry: Entry) -> Amount | Nothing:
    count = entry.quota_messages
    return _nothing(entry, "quota_messages") if count is None else _messages(count)._replace(unit="")


def _quota_source(entry: Entry) -> str | None:
    if entry.message_price is None:
        return None
    unit = words.UNITS[Value.CREDITS] if entry.balance is None else entry.currency or ""
    return f"at {entry.message_price:f} {unit}".rstrip() + " each"


def _lasts(entry: Entry, as_of: datetime) -> Lasts | Nothing:
    if entry.runway_seconds is None:
        return _nothing(entry, "runway_seconds")
    if entry.empty_at is None:
        return Lasts("for years", None)
    left = (entry.empty_at - as_of).total_seconds()
    if left <= 0:
        return Lasts("about to end" if entry.runway_seconds else "nothing left", None)
    until = words.date(entry.empty_at.timestamp(), as_of.timestamp())
    return Lasts(words.span(left), _moment(entry.empty_at, until))


def _spent_today(entry: Entry) -> Spent | Nothing:
    spent = entry.spent_today
    if spent is None:
        return _nothing(entry, "spent_today")
    is_whole = spent.unit == words.UNITS[Value.QUOTA]
    amount = _messages(spent.amount) if is_whole else _money(spent.amount, spent.unit)
    return Spent(amount, _moment(spent.since, "").exact)


def _last_read(entry: Entry, as_of: datetime) -> LastRead | None:
    if entry.last_reading is None:
        return None
    when = moment(entry.last_reading, as_of)
    if entry.held:
        return LastRead("held, read ", when, "")
    is_too_old = Unknown.TOO_OLD in entry.unknown.values()
    return LastRead("last read ", when, ", too old to show" if is_too_old else "")


def _next_poll(entry: Entry, as_of: datetime) -> Moment:
    left = (entry.next_poll - as_of).total_seconds()
    return _moment(entry.next_poll, f"in {words.span(left)}" if left >= 1 else "due now")
