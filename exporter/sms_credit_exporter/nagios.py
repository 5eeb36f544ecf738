"""The `balance` command for Nagios, Icinga and whatever else runs monitoring plugins.

The form is that of https://github.com/monitoring-plugins/monitoring-plugin-guidelines: the exit code is the worst
state, text for people comes first, numbers for graphs stand behind a bar.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import IntEnum

from sms_credit_core import Status

from .accounts import View, Views
from .history import counted
from .words import UNKNOWN, money, owned

_SERVICE = "SMS CREDIT"


class State(IntEnum):
    """The state of a service, and the exit code that says so."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_WORST_FIRST = (State.CRITICAL, State.WARNING, State.UNKNOWN, State.OK)
"""What is known to be wrong comes before what is not known, as in the plugins' own library."""


def state_of(view: View) -> State:
    """Return the state of one account.

    Refused credentials are unknown: the credit may be fine, and the guidelines name missing permissions as a reason.
    """
    if view.blocked or view.runway == 0:
        return State.CRITICAL
    if view.low:
        return State.WARNING
    return State.OK if view.known or view.status is Status.ONBOARDING else State.UNKNOWN


def worst(views: Views) -> State:
    """Return the worst state of all accounts; without accounts nothing is known."""
    states = {state_of(view) for view in views}
    return next((state for state in _WORST_FIRST if state in states), State.UNKNOWN)


def failed(text: str) -> str:
    """Return what to print if nothing could be asked at all; a service keeps the first line."""
    return f"{_SERVICE} {State.UNKNOWN.name} - " + _plain(text)


def as_plugin(views: Views) -> str:
    """Return a line for all accounts, a line for each if there are several, and the numbers of all."""
    views = sorted(views, key=lambda view: _WORST_FIRST.index(state_of(view)))
    lines = [f"{state_of(view).name}: {_sentence(view)}" for view in views] if len(views) > 1 else []
    summary = _sentence(views[0]) if len(views) == 1 else _summary(views)
    text = "\n".join([f"{_SERVICE} {worst(views).name} - {summary}", *lines])
    return " | ".join(filter(None, [text, " ".join(number for view in views for number in _numbers(view))]))


def _summary(views: list[View]) -> str:
    """Say of how many accounts the worst is true, or that all is well."""
    if not views:
        return "no accounts"
    state = worst(views)
    names = [_plain(view.config.name) for view in views if state_of(view) is state]
    if state is State.OK:
        return counted(len(views), "account")
    return f"{len(names)} of {counted(len(views), 'account')}: {', '.join(names)}"


def _sentence(view: View) -> str:
    """Say what is known of an account, and why nothing more."""
    known, problem = view.known, view.account.problem
    words = [
        word for word, holds in (("blocked", view.blocked), ("empty", view.runway == 0), ("low", view.low)) if holds
    ]
    if credit := owned(known):
        words.append(money(*credit))
    if known and known.quota is not None:
        words.append(counted(known.quota, "message"))
    if problem:
        words.append(f"{view.status}: {problem.text}")
    return _plain(f"{view.config.name}: {', '.join(words) or UNKNOWN}")


def _numbers(view: View) -> Iterator[str]:
    """Yield each number that is known, with the range in which it is a warning: at or below its limit."""
    known, limits = view.known, view.limits
    if known is None:
        return
    for what, value, limit in (
        ("balance", known.balance, limits.low_balance),
        ("quota", known.quota, limits.low_quota),
        ("credits", known.credits, None),
    ):
        if value is not None:
            name = view.config.name.translate(_NOT_IN_LABELS)
            warning = "" if limit is None else f";@~:{Decimal(limit):f}"
            yield f"'{name} {what}'={Decimal(value):f}{warning}"


_NOT_IN_LABELS = str.maketrans("'=|", "___")


def _plain(text: str) -> str:
    """Return text for one line; behind a bar there would be numbers."""
    return text.replace("|", "/").partition("\n")[0]
