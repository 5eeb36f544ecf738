"""The `balance` command: one poll of each account, as a table or as JSON; nagios.py has the third form."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from httpx import AsyncClient

from sms_credit_core import Account, Instant, Problem, Reading, Status, Value

from .accounts import AccountConfig, Config, View, Views
from .output import Colour, uncoloured
from .slots import Slots
from .watch import http_client, poll_once
from .words import UNKNOWN, absent, money, owned

Progress = Callable[[int, int], None]
"""Told how many accounts have been asked, and how many there are."""


async def views_of(
    config: Config, names: Iterable[str] = (), progress: Progress = lambda _done, _of: None
) -> tuple[View, ...]:
    """Poll every account once, or those of these names; return what came of it, in the order of the configuration."""
    chosen = frozenset(names) or config.names
    accounts = [account for account in config.accounts if account.name in chosen]
    slots = Slots(account.place for account in accounts)
    done = 0

    async def polled(client: AsyncClient, account: AccountConfig) -> Account:
        nonlocal done
        async with slots.one(account.place):
            outcome = await poll_once(client, account, Account())
        done += 1
        progress(done, len(accounts))
        return outcome

    progress(0, len(accounts))
    async with http_client() as client:
        outcomes = await asyncio.gather(*(polled(client, account) for account in accounts))
    moment = Instant.now()
    pairs = zip(accounts, outcomes, strict=True)
    return tuple(View.of(account, outcome, moment, config.stale_after) for account, outcome in pairs)


def all_well(views: Views) -> bool:
    """Whether nothing needs a person: each account was read, or is still being set up, and has credit left."""
    return all(
        (view.known is not None or view.status is Status.ONBOARDING) and not view.blocked and not view.low
        for view in views
    )


def as_json(views: Views, *, ensure_ascii: bool = False) -> str:
    """Return a JSON array with an object for each account; what is not known is null."""
    members = [{member.name: member.value(view) for member in MEMBERS} for view in views]
    return json.dumps(members, indent=2, ensure_ascii=ensure_ascii)


class Member(NamedTuple):
    """One member of an account's JSON object."""

    name: str
    meaning: str
    value: Callable[[View], object]


def _known(value: Callable[[Reading], object]) -> Callable[[View], object]:
    return lambda view: value(view.known) if view.known else None


def _problem(value: Callable[[Problem], object]) -> Callable[[View], object]:
    return lambda view: value(view.account.problem) if view.account.problem else None


MEMBERS = (
    Member("account", "text: its name", lambda view: view.config.name),
    Member("provider", "text: its provider's key", lambda view: view.config.provider.key),
    Member(
        "labels",
        "object: its labels, as text by name",
        lambda view: view.config.own_labels,
    ),
    Member("status", "text: what the poll came to, one of eleven words", lambda view: view.status.value),
    Member(
        "balance",
        "number",
        # A double, as any reader of JSON makes of it; its shortest form is what the provider wrote.
        _known(lambda known: None if known.balance is None else float(known.balance)),
    ),
    Member("currency", "text: ISO 4217 code of the balance", _known(lambda known: known.currency)),
    Member("quota_messages", "number: messages that the balance can pay for", _known(lambda known: known.quota)),
    Member(
        "credits",
        "number: what is left in a unit of the provider's own, which is neither money nor whole messages",
        _known(lambda known: None if known.credits is None else float(known.credits)),
    ),
    Member(
        "credit_blocked", "boolean: whether the provider refuses to send for lack of credit", lambda view: view.blocked
    ),
    Member("low", "boolean: whether any limit is reached", lambda view: view.low),
    Member(
        "provider_updated",
        "text: when the provider itself last refreshed the balance, in ISO 8601",
        _known(lambda known: known.provider_updated.isoformat() if known.provider_updated else None),
    ),
    Member("reason", "text: why there is no reading, in a sentence", _problem(lambda problem: problem.text)),
    Member("code", "text: the provider's own code for that", _problem(lambda problem: problem.code)),
)
"""All members, in their order; each is null where it is not known."""


def as_table(views: Views, paint: Callable[[str, Colour], str] = uncoloured) -> str:
    """Return a table for people, with the reason below each account that could not be read."""
    views = tuple(views)
    cells = [[cell(view) for _, cell, _, _ in _COLUMNS] for view in views]
    widths = [max(map(len, column)) for column in zip([title for title, *_ in _COLUMNS], *cells, strict=True)]
    colours = [[colour(view) for *_, colour in _COLUMNS] for view in views]
    heading = _line([title for title, *_ in _COLUMNS], [Colour.BOLD] * len(_COLUMNS), widths, paint)
    rows = [_line(row, colour, widths, paint) for row, colour in zip(cells, colours, strict=True)]
    reasons = [f"{view.config.name}: {view.account.problem.text}" for view in views if view.account.problem]
    return "\n".join([heading, *rows, *([""] if reasons else []), *reasons])


def _line(
    row: Sequence[str], colours: Sequence[Colour], widths: Sequence[int], paint: Callable[[str, Colour], str]
) -> str:
    """Put the cells of a row side by side; colour goes to the words, not to the room around them."""
    cells = []
    for text, colour, width, (_, _, right, _) in zip(row, colours, widths, _COLUMNS, strict=True):
        room = " " * (width - len(text))
        cells.append(room + paint(text, colour) if right else paint(text, colour) + room)
    return "  ".join(cells).rstrip()


def _balance(view: View) -> str:
    found = owned(view.known)
    return money(*found) if found else absent(view, Value.BALANCE, Value.CREDITS)


def _quota(view: View) -> str:
    known = view.known
    return absent(view, Value.QUOTA) if known is None or known.quota is None else f"{known.quota:,}"


def _credit(view: View) -> str:
    return ", ".join(_credit_words(view)) or UNKNOWN


def _credit_words(view: View) -> Iterator[str]:
    if view.blocked:
        yield "blocked"
    if view.low:
        yield "low"
    if not (view.blocked or view.low) and False in {view.blocked, view.low}:
        yield "enough"


def _plain(_: View) -> Colour:
    return Colour.NONE


def _status_colour(view: View) -> Colour:
    return Colour.NONE if view.status.up else Colour.RED


def _credit_colour(view: View) -> Colour:
    if view.blocked:
        return Colour.RED
    return Colour.YELLOW if view.low else Colour.GREEN if _credit(view) != UNKNOWN else Colour.NONE


_COLUMNS: tuple[tuple[str, Callable[[View], str], bool, Callable[[View], Colour]], ...] = (
    ("ACCOUNT", lambda view: view.config.name, False, _plain),
    ("PROVIDER", lambda view: view.config.provider.key, False, _plain),
    ("STATUS", lambda view: view.status.value, False, _status_colour),
    ("BALANCE", _balance, True, _plain),
    ("QUOTA", _quota, True, _plain),
    ("CREDIT", _credit, False, _credit_colour),
)
"""Title, content, whether it stands to the right, and colour."""
