"""The provider core: what an SMS account's provider says, and what is known of the account over time.

    status.py, problem.py    the closed vocabulary: account statuses, and why a poll gave no reading
    reading.py, account.py   one reading; an account over time, with its held values and its schedule
    provider.py, providers/  what a provider declares and does; one file for each
    answer.py                strict reading of an answer's JSON
    exchange.py, secret.py   one poll over HTTP; credentials that cannot be printed

It needs httpx and the standard library, and knows neither Home Assistant nor Prometheus.
"""

from .account import Account, Instant
from .answer import Answer
from .exchange import DEFAULT_TIMEOUT, MAX_BODY, poll
from .problem import Cause, NoReading, Problem
from .provider import CredentialField, Provider, Request, Value
from .providers import PROVIDERS
from .reading import Limits, Quality, Reading
from .secret import MASK, Credentials, Secret
from .status import FAILURES, OUTAGES, REFUSALS, Actor, Status

__all__ = [
    "DEFAULT_TIMEOUT",
    "FAILURES",
    "MASK",
    "MAX_BODY",
    "OUTAGES",
    "PROVIDERS",
    "REFUSALS",
    "Account",
    "Actor",
    "Answer",
    "Cause",
    "CredentialField",
    "Credentials",
    "Instant",
    "Limits",
    "NoReading",
    "Problem",
    "Provider",
    "Quality",
    "Reading",
    "Request",
    "Secret",
    "Status",
    "Value",
    "poll",
]
