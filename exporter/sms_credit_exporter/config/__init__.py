"""The configuration file: read, checked as a whole, and turned into what the exporter runs on.

    document.py       the file as YAML, and the line of each value
    values.py         what each value may be
    credentials.py    where credentials come from
    web.py            the other file: TLS and users of the exporter's own web server

Every mistake is reported at once, each with its line, its path, what was found and what is allowed. What stands
under `credentials` is never repeated, nor is any key that might be one.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import voluptuous as vol

from sms_credit_core import PROVIDERS, Limits, Provider, Value

from ..accounts import DEFAULT_STALE_AFTER, AccountConfig, Config
from ..durations import duration_text
from . import values
from .credentials import Secrets
from .document import ConfigError, Document, Mistake

__all__ = ["ConfigError", "Mistake", "load"]

_MIN_INTERVAL = 1.0
_MIN_TIMEOUT = 0.1
_MAX_TIMEOUT = 60.0
_LIMITS = ("low_balance", "low_quota", "message_price")


def load(file: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration file, and the secrets that it names.

    Raises ConfigError with every mistake; a file that cannot be read or is not YAML is one mistake.
    """
    document = Document.read(file)
    try:
        return _config(document.values, Secrets(file.parent, environ))
    except vol.Invalid as invalid:
        mistakes = [document.mistake(error.path, error.msg) for error in values.every(invalid)]
        raise ConfigError(file, mistakes) from None


def _config(raw: object, secrets: Secrets) -> Config:
    given = raw if isinstance(raw, dict) else {}
    sound: dict[int, AccountConfig] = {}
    errors: list[vol.Invalid] = []
    try:
        values.mapping(
            {
                vol.Optional("poll_interval"): values.duration(_MIN_INTERVAL),
                vol.Optional("stale_after"): values.duration(_MIN_INTERVAL),
                vol.Required("accounts"): _accounts(secrets, given.get("poll_interval"), sound),
            }
        )(raw)
    except vol.Invalid as invalid:
        errors += values.every(invalid)
    stale_after = values.seconds(given.get("stale_after")) or DEFAULT_STALE_AFTER
    errors += [*_repeated_accounts(sound), *_outlived(sound, stale_after)]
    if errors:
        raise vol.MultipleInvalid(errors)
    return Config(accounts=tuple(sound.values()), stale_after=stale_after)


def _accounts(secrets: Secrets, poll_interval: object, sound: dict[int, AccountConfig]) -> Callable[[object], None]:
    """Accept a list of accounts, and keep the sound ones by their index; `poll_interval` is for those without one."""
    default = {} if values.seconds(poll_interval) is None else {"poll_interval": poll_interval}

    def validate(value: object) -> None:
        if not isinstance(value, list) or not value:
            values.mistake("must be a list of at least one account")
        errors = list(_repeated_names(value))
        for index, raw in enumerate(value):
            try:
                sound[index] = _account({**default, **raw} if isinstance(raw, dict) else raw, secrets)
            except vol.Invalid as invalid:
                invalid.prepend([index])
                errors += values.every(invalid)
        if errors:
            raise vol.MultipleInvalid(errors)

    return validate


def _account(raw: object, secrets: Secrets) -> AccountConfig:
    """Check one account; what is allowed depends on its provider."""
    given = raw if isinstance(raw, dict) else {}
    provider = PROVIDERS.get(str(given.get("provider")))
    checked = values.mapping(
        {
            vol.Required("name"): values.name,
            vol.Required("provider"): values.provider,
            vol.Required("credentials"): secrets.credentials(provider) if provider else values.any_mapping,
            vol.Optional("low_balance"): values.money(zero=True),
            vol.Optional("low_quota"): _low_quota(provider, given),
            vol.Optional("message_price"): values.money(zero=False),
            vol.Optional("poll_interval"): _poll_interval(provider, given),
            vol.Optional("timeout"): values.duration(_MIN_TIMEOUT, _MAX_TIMEOUT),
            vol.Optional("base_url"): values.base_url,
        }
    )(raw)
    limits = Limits(**{limit: checked.pop(limit) for limit in _LIMITS if limit in checked})
    return AccountConfig(**{"base_url": checked["provider"].base_url, **checked}, limits=limits)


def _low_quota(provider: Provider | None, given: Mapping[str, object]) -> Callable[[object], int]:
    """Refuse a limit that could never be reached."""
    if provider is None or Value.QUOTA in provider.gives or "message_price" in given:
        return values.messages
    text = f"{provider.key} gives no quota, so this needs message_price too (or use low_balance)"
    return lambda _: values.mistake(text)


def _poll_interval(provider: Provider | None, given: Mapping[str, object]) -> Callable[[object], float]:
    """Accept what is polite to the provider; a simulated one on this machine does not mind."""
    if provider is None or values.is_loopback(given.get("base_url")):
        return values.duration(_MIN_INTERVAL)
    return values.duration(provider.min_poll_interval, whose=f" towards {provider.key}")


def _repeated_names(accounts: Sequence[object]) -> Iterable[vol.Invalid]:
    names = [account.get("name") if isinstance(account, dict) else None for account in accounts]
    for index, name in enumerate(names):
        if isinstance(name, str) and name in names[:index]:
            yield vol.Invalid(f"is also the name of accounts[{names.index(name)}]; must be unique", [index, "name"])


def _repeated_accounts(accounts: Mapping[int, AccountConfig]) -> Iterable[vol.Invalid]:
    for (first, one), (second, other) in combinations(accounts.items(), 2):
        if one.question == other.question:
            text = f"is the same account as accounts[{first}]; it would be polled twice"
            yield vol.Invalid(text, ["accounts", second])


def _outlived(accounts: Mapping[int, AccountConfig], stale_after: float) -> Iterable[vol.Invalid]:
    """Refuse values that would come and go between two polls."""
    slowest = max(accounts.values(), key=lambda account: account.poll_interval, default=None)
    if slowest and slowest.poll_interval > stale_after:
        text = (
            f"is {duration_text(stale_after)}, shorter than the poll_interval of {slowest.name} "
            f"({duration_text(slowest.poll_interval)}): its values would be unknown between two polls"
        )
        yield vol.Invalid(text, ["stale_after"])
