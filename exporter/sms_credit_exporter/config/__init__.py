"""The configuration: read, checked as a whole, and turned into what the exporter runs on.

    files.py         what is read at all
    composer.py      YAML
    document.py      a file as YAML, and the line of each value
    keys.py          the keys that there are
    values.py        what each value may be
    labels.py        labels that a user gives to accounts
    credentials.py   where credentials come from
    variables.py     one account from the environment, instead of a file
    web.py           the other file: TLS and users of the exporter's own web server

Every mistake is reported at once, each with its file, line and path, what was found and what is allowed. What stands
under `credentials` is never repeated, nor is any key that might be one. All of it takes time that grows with the
number of accounts and no faster.
"""

import dataclasses
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import voluptuous as vol

from sms_credit_core import DEFAULT_STALE_AFTER, PROVIDERS, Limits, Provider, Value, can_give

from ..accounts import MIN_LOOPBACK_INTERVAL, AccountConfig, Config
from ..durations import duration_text
from ..mistakes import Mistake
from . import labels, values
from .credentials import Secrets, ways
from .document import ConfigError, Document, Source, Steps, path_text
from .files import UnusableFile, matching
from .keys import ACCOUNT_KEYS, FILE_KEYS, Key
from .variables import SecretVariables, Variables

__all__ = ["ConfigError", "Mistake", "load", "load_variables"]

_MIN_TIMEOUT = 0.1
_MAX_TIMEOUT = 60.0
_MAX_ACCOUNTS = 100_000
"""Far more than one process can poll; whatever is longer is no list of accounts."""
_MIN_RUNWAY = 1.0
_LIMITS = ("low_balance", "low_quota", "low_runway", "message_price")

_MISPLACED = {
    key: "it belongs under credentials"
    for provider in PROVIDERS.values()
    for field_ in provider.credentials
    for key in ways(field_)
}
"""By the keys that people put beside the name of an account."""


def load(file: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration file, the files that it names, and their secrets. May be called in any thread.

    Raises ConfigError with every mistake; a file that cannot be read or is not YAML is one mistake.
    """
    return _config(Document.read(file), Secrets(environ))


def load_variables(environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check the one account that environment variables describe, as `load` does a file."""
    source = Variables(environ)
    mistakes = sorted(source.unknown(), key=lambda mistake: mistake.path)
    try:
        config = _config(source, SecretVariables())
    except ConfigError as error:
        raise ConfigError(source.file, [*error.mistakes, *mistakes]) from None
    if mistakes:
        raise ConfigError(source.file, mistakes)
    return config


@dataclass(slots=True, eq=False)
class _Entry:
    """An account as it stands in one of the files."""

    source: Source
    steps: Steps
    raw: object = field(repr=False)

    def taken(self) -> object:
        """Return what stands there, and hold it no longer: of many accounts it is most of what loading takes."""
        raw, self.raw = self.raw, None
        return raw

    def mistake(self, error: vol.Invalid) -> Mistake:
        return self.source.mistake([*self.steps, *error.path], error.msg)

    def seen_from(self, other: "_Entry") -> str:
        """Say where it stands, to a reader of another account."""
        elsewhere = "" if self.source is other.source else f" in {self.source.file}"
        return path_text(self.steps) + elsewhere


_Accounts = Mapping[int, AccountConfig]
"""The sound accounts, by the number of their entry."""


def _config(source: Source, secrets: Secrets) -> Config:
    _, errors = values.judged(_top, source.values)
    given = source.values if isinstance(source.values, dict) else {}
    if not given.keys() & {"accounts", "accounts_files"} and all(error.path for error in errors):
        errors.append(vol.Invalid("is missing", ["accounts"]))
    entries, mistakes = _entries(source, given)
    repeated = list(_repeated_names(entries))
    accounts, wrong = _accounts(entries, given.get("poll_interval"), secrets)
    stale_after = values.seconds(given.get("stale_after")) or DEFAULT_STALE_AFTER
    accounts, too_many = _labelled(entries, accounts)
    mistakes = [source.mistake(error.path, error.msg) for error in errors] + mistakes
    mistakes += [*repeated, *wrong, *_repeated_accounts(entries, accounts), *too_many]
    mistakes += [source.mistake(error.path, error.msg) for error in _outlived(accounts, stale_after)]
    if mistakes:
        raise ConfigError(source.file, mistakes)
    return Config(accounts=tuple(accounts.values()), stale_after=stale_after)


def _entries(source: Source, given: Mapping[str, object]) -> tuple[list[_Entry], list[Mistake]]:
    """Return the accounts of all files, and what is wrong with the files as such."""
    files, mistakes = _files(source, given.get("accounts_files"))
    entries = [_Entry(source, ("accounts", index), raw) for index, raw in enumerate(_taken(given.get("accounts")))]
    for file in files:
        try:
            document = Document.read(file)
        except ConfigError as error:
            mistakes += error.mistakes
            continue
        _, errors = values.judged(_list_of_accounts, document.values)
        mistakes += [document.mistake(error.path, error.msg) for error in errors]
        entries += [_Entry(document, (index,), raw) for index, raw in enumerate(_taken(document.values))]
    if len(entries) > _MAX_ACCOUNTS:
        text = f"bring the accounts to {len(entries):,}; must be at most {_MAX_ACCOUNTS:,}"
        return [], [*mistakes, source.mistake(["accounts_files"], text)]
    return entries, mistakes


def _files(source: Source, patterns: object) -> tuple[Iterable[Path], list[Mistake]]:
    """Return the files that patterns name, each once, and the mistakes in the patterns."""
    files: dict[Path, None] = {}
    mistakes = []
    for index, pattern in enumerate(patterns if isinstance(patterns, list) else []):
        try:
            files |= dict.fromkeys(matching(source.file.parent, pattern) if values.is_path(pattern) else ())
        except UnusableFile as unusable:
            mistakes.append(source.mistake(["accounts_files", index], f"the folder {unusable}"))
    return files, mistakes


def _taken(value: object) -> Sequence[object]:
    """Return the accounts of a list, which then holds them no longer."""
    if not isinstance(value, list) or len(value) > _MAX_ACCOUNTS:
        return []
    accounts = value.copy()
    value.clear()
    return accounts


def _accounts(
    entries: Sequence[_Entry], poll_interval: object, secrets: Secrets
) -> tuple[_Accounts, Sequence[Mistake]]:
    """Return the sound accounts, and the mistakes; `poll_interval` is for accounts without one."""
    default = {} if values.seconds(poll_interval) is None else {"poll_interval": poll_interval}
    check = _account_check(secrets)
    sound: dict[int, AccountConfig] = {}
    mistakes: list[Mistake] = []
    for number, entry in enumerate(entries):
        raw = entry.taken()
        secrets.folder = entry.source.file.parent
        account, errors = values.judged(check, {**default, **raw} if isinstance(raw, dict) else raw)
        if account is not None:
            sound[number] = account
        mistakes += map(entry.mistake, errors)
    return sound, mistakes


def _account_check(secrets: Secrets) -> Callable[[object], AccountConfig]:
    """Return what checks one account. Accounts that are alike in these three things share their compiled rules."""

    @cache
    def rules(key: str | None, *, local: bool, priced: bool) -> Callable[[object], dict[str, Any]]:
        provider = PROVIDERS[key] if key else None
        checks: Mapping[str, Callable[[Any], object]] = {
            "name": values.name,
            "provider": values.provider,
            "credentials": secrets.credentials(provider) if provider else values.any_mapping,
            "labels": labels.check,
            "low_balance": _low_balance(provider),
            "low_quota": _low_quota(provider, priced=priced),
            "low_runway": values.duration(_MIN_RUNWAY),
            "message_price": values.money(zero=False),
            "poll_interval": _poll_interval(provider, local=local),
            "timeout": values.duration(_MIN_TIMEOUT, _MAX_TIMEOUT),
            "base_url": values.base_url,
        }
        return values.mapping(_members(ACCOUNT_KEYS, checks), _MISPLACED)

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


def _members(keys: Iterable[Key], checks: Mapping[str, Callable[[Any], object]]) -> Mapping[vol.Marker, Any]:
    """Put the keys of a mapping and what checks their values together; a key without a check is an error of ours."""
    return {(vol.Required if key.required else vol.Optional)(key.name): checks[key.name] for key in keys}


_list_of_accounts = values.some("account", _MAX_ACCOUNTS, least=0)

_top = values.mapping(
    _members(
        FILE_KEYS,
        {
            "poll_interval": values.duration(MIN_LOOPBACK_INTERVAL),
            "stale_after": values.duration(MIN_LOOPBACK_INTERVAL),
            "accounts": values.some("account", _MAX_ACCOUNTS),
            "accounts_files": values.patterns,
        },
    )
)


def _labelled(entries: Sequence[_Entry], accounts: _Accounts) -> tuple[_Accounts, Iterable[Mistake]]:
    """Give all accounts the same label names: an empty label says as much as none."""
    names: dict[str, int] = {}
    for number, account in accounts.items():
        names |= {name: number for name in account.labels if name not in names}
    if len(names) > labels.MOST:
        _, last = list(names.items())[labels.MOST]
        text = f"bring the different labels of all accounts to {len(names)}; must be at most {labels.MOST}"
        return accounts, [entries[last].mistake(vol.Invalid(text, ["labels"]))]
    if not names:
        return accounts, []
    return {
        number: dataclasses.replace(account, labels={name: account.labels.get(name, "") for name in sorted(names)})
        for number, account in accounts.items()
    }, []


def _repeated_names(entries: Sequence[_Entry]) -> Iterator[Mistake]:
    names = [entry.raw.get("name") if isinstance(entry.raw, dict) else None for entry in entries]
    for number, first in _repetitions((number, name) for number, name in enumerate(names) if isinstance(name, str)):
        text = f"is also the name of {entries[first].seen_from(entries[number])}; must be unique"
        yield entries[number].mistake(vol.Invalid(text, ["name"]))


def _repeated_accounts(entries: Sequence[_Entry], accounts: _Accounts) -> Iterator[Mistake]:
    for number, first in _repetitions((number, account.question) for number, account in accounts.items()):
        text = f"is the same account as {entries[first].seen_from(entries[number])}; it would be polled twice"
        yield entries[number].mistake(vol.Invalid(text))


def _repetitions(keys: Iterable[tuple[int, Hashable]]) -> Iterable[tuple[int, int]]:
    """Yield each number whose key has been there before, with the number of its first time."""
    first: dict[Hashable, int] = {}
    for number, key in keys:
        if first.setdefault(key, number) != number:
            yield number, first[key]


def _outlived(accounts: _Accounts, stale_after: float) -> Iterable[vol.Invalid]:
    """Refuse values that would come and go between two polls."""
    slowest = max(accounts.values(), key=lambda account: account.poll_interval, default=None)
    if slowest and slowest.poll_interval > stale_after:
        text = (
            f"is {duration_text(stale_after)}, shorter than the poll_interval of {slowest.name} "
            f"({duration_text(slowest.poll_interval)}): its values would be unknown between two polls"
        )
        yield vol.Invalid(text, ["stale_after"])
