"""The provider core: what an SMS account's provider says, and what is known of the account over time.

    status.py, problem.py    the closed vocabulary: account statuses, and why a poll gave no reading
    reading.py, account.py   one reading; an account over time, with its held values and its schedule
    ledger.py, pace.py       what it spends and tops up; how long it lasts, and whether it spends unusually fast
    view.py, instant.py      the account as it is at a moment; moments
    state.py                 what is remembered of it over restarts
    provider.py, providers/  what a provider declares and does; one file for each
    answer.py, worded.py     strict reading of an answer's JSON; refusals that have a word and a sentence
    exchange.py, address.py  one poll over HTTP; where it goes
    secret.py                credentials that cannot be printed

It needs httpx and the standard library, and knows neither Home Assistant nor Prometheus.
"""

import typing

from .account import DEFAULT_POLL_INTERVAL, DEFAULT_STALE_AFTER, Account
from .answer import Answer
from .instant import Instant
from .ledger import Day, Ledger, TopUp
from .pace import Pace
from .problem import Cause, NoReading, Problem
from .provider import CredentialField, Provider, Request, can_give
from .providers import PROVIDERS
from .reading import Limit, Limits, Quality, Reading, Value
from .secret import MASK, Credentials, Secret
from .state import Owner, SetAside, recalled, remembered
from .status import FAILURES, OUTAGES, REFUSALS, Actor, Status
from .view import RANKS, URGENCY, AccountView
from .worded import Worded

if typing.TYPE_CHECKING:
    from .address import AddressMistake, is_loopback, mistake_in
    from .exchange import DEFAULT_TIMEOUT, MAX_BODY, poll, poll_account

__all__ = [
    "DEFAULT_POLL_INTERVAL",
    "DEFAULT_STALE_AFTER",
    "DEFAULT_TIMEOUT",
    "FAILURES",
    "MASK",
    "MAX_BODY",
    "OUTAGES",
    "PROVIDERS",
    "RANKS",
    "REFUSALS",
    "URGENCY",
    "Account",
    "AccountView",
    "Actor",
    "AddressMistake",
    "Answer",
    "Cause",
    "CredentialField",
    "Credentials",
    "Day",
    "Instant",
    "Ledger",
    "Limit",
    "Limits",
    "NoReading",
    "Owner",
    "Pace",
    "Problem",
    "Provider",
    "Quality",
    "Reading",
    "Request",
    "Secret",
    "SetAside",
    "Status",
    "TopUp",
    "Value",
    "Worded",
    "can_give",
    "is_loopback",
    "mistake_in",
    "poll",
    "poll_account",
    "recalled",
    "remembered",
]


if not typing.TYPE_CHECKING:  # else any name would do for a type checker

    def __getattr__(name: str) -> typing.Any:  # noqa: ANN401 - whatever the module has
        """Import what polls for those only who poll: it brings httpx along, which takes as long as all the rest."""
        if name not in __all__:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        from . import address, exchange  # noqa: PLC0415 - see above

        return getattr(address if hasattr(address, name) else exchange, name)
