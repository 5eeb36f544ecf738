"""The `balance` command: one poll of each account, as a table or as JSON."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence

from sms_credit_core import Account, Instant, Status, Value

from .accounts import Config, View, Views
from .watch import http_client, poll_once
from .words import UNKNOWN, absent, money, owned

_AT_ONCE = 10
"""Accounts polled at the same time."""


async def views_of(config: Config) -> tuple[View, ...]:
    """Poll every account once, and return what came of it, in the order of the configuration."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async with http_client() as client:

        async def polled(index: int) -> Account:
            async with slots:
                return await poll_once(client, config.accounts[index], Account())

        accounts = await asyncio.gather(*map(polled, range(len(config.accounts))))
    moment = Instant.now()
    pairs = zip(config.accounts, accounts, strict=True)
    return tuple(View.of(account_config, account, moment, config.stale_after) for account_config, account in pairs)


def all_well(views: Views) -> bool:
    """Whether nothing needs a person: each account was read, or is still being set up, and has credit left."""
    return all(
        (view.known is not None or view.status is Status.ONBOARDING) and not view.blocked and not view.low
        for view in views
    )


def as_json(views: Views, *, ensure_ascii: bool = False) -> str:
    """Return a JSON array with an object for each account; what is not known is null."""
    return json.dumps([_members(view) for view in views], indent=2, ensure_ascii=ensure_ascii)


def _members(view: View) -> dict[str, object]:
    known, problem = view.known, view.account.problem
    return {
        "account": view.config.name,
        "provider": view.config.provider.key,
        "status": view.status.value,
        # A double, as any reader of JSON makes of it; its shortest form is what the provider wrote.
        "balance": float(known.balance) if known and known.balance is not None else None,
        "currency": known.currency if known else None,
        "quota_messages": known.quota if known else None,
        "credits": float(known.credits) if known and known.credits is not None else None,
        "credit_blocked": view.blocked,
        "low": view.low,
        "provider_updated": known.provider_updated.isoformat() if known and known.provider_updated else None,
        "reason": problem.text if problem else None,
        "code": problem.code if problem else None,
    }


def as_table(views: Views) -> str:
    """Return a table for people, with the reason below each account that could not be read."""
    views = tuple(views)
    cells = [[title for title, _, _ in _COLUMNS], *([cell(view) for _, cell, _ in _COLUMNS] for view in views)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(row, widths) for row in cells]
    reasons = [f"{view.config.name}: {view.account.problem.text}" for view in views if view.account.problem]
    return "\n".join([*lines, *([""] if reasons else []), *reasons])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        text.rjust(width) if right else text.ljust(width)
        for text, width, (_, _, right) in zip(row, widths, _COLUMNS, strict=True)
    )
    return "  ".join(padded).rstrip()


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


_COLUMNS: tuple[tuple[str, Callable[[View], str], bool], ...] = (
    ("ACCOUNT", lambda view: view.config.name, False),
    ("PROVIDER", lambda view: view.config.provider.key, False),
    ("STATUS", lambda view: view.status.value, False),
    ("BALANCE", _balance, True),
    ("QUOTA", _quota, True),
    ("CREDIT", _credit, False),
)
"""Title, content, and whether it stands to the right."""
