"""Every key of the configuration file: its name, what it means, and what counts without it.

The checks, the environment variables and the reference in docs/exporter.md follow from these tables.
"""

from dataclasses import dataclass

from sms_credit_core import DEFAULT_POLL_INTERVAL, DEFAULT_STALE_AFTER, DEFAULT_TIMEOUT

from ..durations import duration_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a mapping."""

    name: str
    meaning: str
    """For people: the rest of a sentence."""
    default: str = ""
    """As it would be written; empty if there is none."""
    required: bool = False
    text: bool = False
    """Whether its value is text even where it looks like a number."""
    nested: bool = False
    """Whether its value is a list or a mapping."""


FILE_KEYS = (
    Key(
        name="poll_interval",
        meaning="time between two polls of an account",
        default=duration_text(DEFAULT_POLL_INTERVAL),
    ),
    Key(
        name="stale_after",
        meaning="how long the last good values are shown while polls bring no new ones",
        default=duration_text(DEFAULT_STALE_AFTER),
    ),
    Key(name="accounts", meaning="a list of accounts; may be missing if there are `accounts_files`", nested=True),
    Key(
        name="accounts_files",
        meaning="a list of patterns such as `teams/*.yml`; each file holds a list of accounts",
        nested=True,
    ),
)

ACCOUNT_KEYS = (
    Key(name="name", meaning="identity in labels; unique", required=True, text=True),
    Key(name="provider", meaning="one of the providers, by its key", required=True, text=True),
    Key(
        name="credentials",
        meaning="each credential as `NAME`, as `NAME_file` (a file that holds it) or as `NAME_env` (an environment "
        "variable)",
        required=True,
        nested=True,
    ),
    Key(name="labels", meaning="labels of your own for all series of the account, such as `team`", nested=True),
    Key(name="low_balance", meaning="at or below it the credit is low; in the account's currency"),
    Key(name="low_quota", meaning="the same in messages"),
    Key(name="low_runway", meaning="the same in time: how long the credit lasts, such as `3d`"),
    Key(
        name="message_price",
        meaning="what a message costs, in money or credits; gives the quota where the provider does not",
    ),
    Key(name="poll_interval", meaning="for this account", default="that of the file"),
    Key(
        name="timeout",
        meaning="for one whole exchange with the provider",
        default=duration_text(DEFAULT_TIMEOUT),
    ),
    Key(
        name="base_url",
        meaning="`https://…`, or `http://` towards this machine itself",
        default="the provider's",
        text=True,
    ),
)
