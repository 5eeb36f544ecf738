"""The configuration file: read, checked as a whole, and turned into what the exporter runs on.

    files.py         what is read at all
    composer.py      YAML
    document.py      the file as YAML, and the line of each value
    values.py        what each value may be
    credentials.py   where credentials come from
    web.py           the other file: TLS and users of the exporter's own web server

Every mistake is reported at once, each with its line, its path, what was found and what is allowed. What stands
under `credentials` is never repeated, nor is any key that might be one. All of it takes time that grows with the
number of accounts and no faster.
"""

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import voluptuous as vol

from sms_credit_core import DEFAULT_STALE_AFTER, PROVIDERS, Limits, Provider, Value, can_give

from ..accounts import MIN_LOOPBACK_INTERVAL, AccountConfig, Config
from ..durations import duration_text
from ..mistakes import Mistake
from . import values
from .credentials import Secrets, ways
from .document import ConfigError, Document

__all__ = ["ConfigError", "Mistake", "load"]

_MIN_TIMEOUT = 0.1
_MAX_TIMEOUT = 60.0
_MAX_ACCOUNTS = 100_000
"""Far more than one process can poll; whatever is longer is no list of accounts."""
_MIN_RUNWAY = 1.0
_LIMITS = ("low_balance", "low_quota", "low_runway", "message_price")

_MISPLACED = {
    key: "it belongs under credentials"
    for provider in PROVIDERS.values()
    for field in provider.credentials
    for key in ways(field)
}
"""By the keys that people put beside the name of an account."""


def load(file: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration file, and the secrets that it names. May be called in any thread.

    Raises ConfigError with every mistake; a file that cannot be read or is not YAML is one mistake.
    """
    document = Document.read(file)
    try:
        return _config(document.values, Secrets(file.parent, environ))
    except vol.Invalid as invalid:
        mistakes = [document.mistake(error.path, error.msg) for error in values.every(invalid)]
        raise ConfigError(file, mistakes) from None


def _config(raw: object, secrets: Secrets) -> Config:
    _, errors = values.judged(_top, raw)
    given = raw if isinstance(raw, dict) else {}
    listed = given.get("accounts")
    if not isinstance(listed, list) or len(listed) > _MAX_ACCOUNTS:
        listed = []
    accounts, account_errors = _accounts(listed, given.get("poll_interval"), secrets)
    stale_after = values.seconds(given.get("stale_after")) or DEFAULT_STALE_AFTER
    errors += [*_repeated_names(listed), *account_errors]
    errors += [*_repeated_accounts(accounts), *_outlived(accounts, stale_after)]
    if errors:
        raise vol.MultipleInvalid(errors)
    return Config(accounts=tuple(accounts.values()), stale_after=stale_after)


def _accounts(
    listed: Sequence[object], poll_interval: object, secrets: Secrets
) -> tuple[Mapping[int, AccountConfig], Sequence[vol.Invalid]]:
    """Return the sound accounts by their index, and the mistakes; `poll_interval` is for accounts without one."""
    default = {} if values.seconds(poll_interval) is None else {"poll_interval": poll_interval}
    check = _account_check(secrets)
    sound: dict[int, AccountConfig] = {}
    errors: list[vol.Invalid] = []
    for index, raw in enumerate(listed):
        account, mistakes = values.judged(check, {**default, **raw} if isinstance(raw, dict) else raw)
        if account is not None:
            sound[index] = account
        for mistake in mistakes:
            mistake.prepend(["accounts", index])
        errors += mistakes
    return sound, errors


def _account_check(secrets: Secrets) -> Callable[[object], AccountConfig]:
    """Return what checks one account. Accounts that are alike in these three things share their compiled rules."""

    @cache
    def rules(key: str | None, *, local: bool, priced: bool) -> Callable[[object], dict[str, Any]]:
        provider = PROVIDERS[key] if key else None
        return values.mapping(
            {
                vol.Required("name"): values.name,
                vol.Required("provider"): values.provider,
                vol.Required("credentials"): secrets.credentials(provider) if provider else values.any_mapping,
                vol.Optional("low_balance"): _low_balance(provider),
                vol.Optional("low_quota"): _low_quota(provider, priced=priced),
                vol.Optional("low_runway"): values.duration(_MIN_RUNWAY),
                vol.Optional("message_price"): values.money(zero=False),
                vol.Optional("poll_interval"): _poll_interval(provider, local=local),
                vol.Optional("timeout"): values.duration(_MIN_TIMEOUT, _MAX_TIMEOUT),
                vol.Optional("base_url"): values.base_url,
            },
            _MISPLACED,
        )

    def check(raw: object) -> AccountConfig:
        given = raw if isinstance(raw, dict) else {}
        key = given.get("provider")
        known = isinstance(key, str) and key in PROVIDERS
        local = values.leads_here(given.get("base_url"))
        checked = rules(key if known else None, local=local, priced="message_price" in given)(raw)
        limits = Limits(**{limit: checked.pop(limit) for limit in _LIMITS if limit in checked})
        return AccountConfig(**{"base_url": checked["provider"].base_url, **checked}, limits=limits)

    return check


def _low_balance(provider: Provider | None) -> Callable[[object], Decimal]:
    """Refuse a limit that could never be reached."""
    if provider is None or Value.BALANCE in provider.gives:
        return values.money(zero=True)
    text = f"{provider.key} gives no balance (use low_quota with message_price, in credits, or low_runway)"
    return lambda _: values.refuse(text)


def _low_quota(provider: Provider | None, *, priced: bool) -> Callable[[object], int]:
    """Refuse a limit that could never be reached."""
    if provider is None or can_give(provider, Value.QUOTA, priced=priced):
        return values.messages
    instead = "low_balance" if Value.BALANCE in provider.gives else "low_runway"
    text = f"{provider.key} gives no quota, so this needs message_price too (or use {instead})"
    return lambda _: values.refuse(text)


def _poll_interval(provider: Provider | None, *, local: bool) -> Callable[[object], float]:
    """Accept what is polite to the provider; a simulated one on this machine does not mind."""
    if provider is None or local:
        return values.duration(MIN_LOOPBACK_INTERVAL)
    return values.duration(provider.min_poll_interval, whose=f" towards {provider.key}")


_top = values.mapping(
    {
        vol.Optional("poll_interval"): values.duration(MIN_LOOPBACK_INTERVAL),
        vol.Optional("stale_after"): values.duration(MIN_LOOPBACK_INTERVAL),
        vol.Required("accounts"): values.some("account", _MAX_ACCOUNTS),
    }
)


def _repeated_names(accounts: Sequence[object]) -> Iterable[vol.Invalid]:
    names = [account.get("name") if isinstance(account, dict) else None for account in accounts]
    for index, first in _repetitions((index, name) for index, name in enumerate(names) if isinstance(name, str)):
        yield vol.Invalid(f"is also the name of accounts[{first}]; must be unique", ["accounts", index, "name"])


def _repeated_accounts(accounts: Mapping[int, AccountConfig]) -> Iterable[vol.Invalid]:
    for index, first in _repetitions((index, account.question) for index, account in accounts.items()):
        text = f"is the same account as accounts[{first}]; it would be polled twice"
        yield vol.Invalid(text, ["accounts", index])


def _repetitions(keys: Iterable[tuple[int, Hashable]]) -> Iterable[tuple[int, int]]:
    """Yield each index whose key has been there before, with the index of its first time."""
    first: dict[Hashable, int] = {}
    for index, key in keys:
        if first.setdefault(key, index) != index:
            yield index, first[key]


def _outlived(accounts: Mapping[int, AccountConfig], stale_after: float) -> Iterable[vol.Invalid]:
    """Refuse values that would come and go between two polls."""
    slowest = max(accounts.values(), key=lambda account: account.poll_interval, default=None)
    if slowest and slowest.poll_interval > stale_after:
        text = (
            f"is {duration_text(stale_after)}, shorter than the poll_interval of {slowest.name} "
            f"({duration_text(slowest.poll_interval)}): its values would be unknown between two polls"
        )
        yield vol.Invalid(text, ["stale_after"])
