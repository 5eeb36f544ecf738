"""Credentials: whatever is printed, logged or copied, the value stays out of it."""

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from sms_credit_core import MASK, PROVIDERS, Answer, Secret
from sms_credit_exporter.accounts import AccountConfig

VALUE = "sk_test_0f3a9c"
SECRET = Secret(VALUE)
CREDENTIALS = {field.name: SECRET for provider in PROVIDERS.values() for field in provider.credentials}


REQUESTS = [provider.request(provider.base_url, CREDENTIALS, 1_760_000_000) for provider in PROVIDERS.values()]
CONFIGS = [
    AccountConfig(name="otp", provider=provider, credentials=CREDENTIALS, base_url=provider.base_url)
    for provider in PROVIDERS.values()
]
ECHO = Answer(200, {"set-cookie": VALUE}, VALUE.encode())


def logged(thing: object) -> str:
    """Return the line that the standard library's logging writes."""
    record = logging.LogRecord("exporter", logging.INFO, __file__, 1, "polling %s with %r", (thing, thing), None)
    return logging.Formatter().format(record)


def traced(thing: object) -> str:
    """Return a traceback with the local variables, as error trackers collect it."""
    try:
        [object()].index(thing)
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    raise AssertionError


EXITS: dict[str, Callable[[Any], str]] = {
    "repr()": repr,
    "str()": str,
    "format()": format,
    "an f-string": lambda thing: f"{thing} {thing!r} {thing!s} {thing!a}",
    "str.format": "{0} {0!r}".format,
    "percent formatting": lambda thing: "%s %r" % (thing, thing),  # noqa: UP031 - logging still formats so
    "a list": lambda thing: str([thing]),
    "a mapping": lambda thing: str({"thing": thing}),
    "pprint": pprint.pformat,
    "JSON with a fallback to text": lambda thing: json.dumps([thing], default=str),
    "logging": logged,
    "a traceback with local variables": traced,
}

REFUSALS: dict[str, Callable[[Any], object]] = {
    "JSON": json.dumps,
    "pickle": pickle.dumps,
    "the oldest pickle": lambda secret: pickle.dumps(secret, 0),
    "bytes": bytes,
    "vars": vars,
    "concatenation": lambda secret: "Bearer " + secret,
    "iteration": list,
    "padding": lambda secret: f"{secret:>40}",
}


@pytest.mark.parametrize("show", EXITS.values(), ids=EXITS)
def test_a_secret_as_text_is_the_mask(show: Callable[[object], str]) -> None:
    """Every way to text gives the mask, so that a reader sees that there is a credential, and not which."""
    assert MASK in show(SECRET)
    assert VALUE not in show(SECRET)


@pytest.mark.parametrize("use", REFUSALS.values(), ids=REFUSALS)
def test_a_secret_refuses_what_would_need_its_value(use: Callable[[object], object]) -> None:
    """What cannot show a mask fails, and the error does not show the value either."""
    with pytest.raises(TypeError) as refusal:
        use(SECRET)
    assert VALUE not in str(refusal.value)


@pytest.mark.parametrize("show", EXITS.values(), ids=EXITS)
@pytest.mark.parametrize("holder", [*REQUESTS, *CONFIGS, ECHO], ids=lambda holder: type(holder).__name__)
def test_what_holds_a_secret_does_not_show_it(holder: object, show: Callable[[object], str]) -> None:
    """A request has the plain values in it, an answer may echo them, a configuration has the secrets."""
    assert type(holder).__name__ in show(holder)
    assert VALUE not in show(holder)


@pytest.mark.parametrize("config", CONFIGS, ids=PROVIDERS)
def test_a_configuration_can_be_taken_apart_and_stays_masked(config: AccountConfig) -> None:
    """Diagnostics are made so: the credentials are there by name, as masks."""
    taken_apart = str(dataclasses.asdict(config))
    assert f"'api_key': {MASK}" in taken_apart
    assert VALUE not in taken_apart


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, dataclasses.replace])
@pytest.mark.parametrize("config", CONFIGS, ids=PROVIDERS)
def test_a_copied_configuration_still_works_and_stays_masked(
    config: AccountConfig, duplicate: Callable[[AccountConfig], AccountConfig]
) -> None:
    """A copy holds the same secrets, no plain ones."""
    credentials = duplicate(config).credentials
    assert credentials == CREDENTIALS
    assert VALUE not in str(credentials)


def test_a_configuration_cannot_be_pickled() -> None:
    """A pickle would carry the value out of the process."""
    with pytest.raises(TypeError, match="cannot be serialised"):
        pickle.dumps(CONFIGS[0])


def test_only_reveal_gives_the_value() -> None:
    """The request needs the value, and asks for it by this name."""
    assert SECRET.reveal() == VALUE


def test_equal_secrets_are_equal_and_hash_alike() -> None:
    """A reload compares secrets to tell which accounts changed."""
    assert Secret("a") == Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("\udcff") == Secret("\udcff") != Secret("\udcfe")  # a byte of the environment that is no UTF-8


@pytest.mark.parametrize(
    "other", [Secret("b"), Secret("A"), Secret("a "), Secret(""), Secret("ä"), "a", b"a", None, MASK], ids=repr
)
def test_a_secret_differs_from_everything_else(other: object) -> None:
    """Plain text is no secret, even where the letters are the same."""
    assert Secret("a") != other
