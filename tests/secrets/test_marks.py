"""The search itself: it finds a credential in every form in which one could come out."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

import pytest

from sms_credit_core import PROVIDERS
from tests.secrets.marks import ODD, PLAIN, Search, credentials, marked

VALUE = marked("some", "credential")

LEAKS: Mapping[str, Callable[[str], object]] = {
    "as it is": str,
    "by its first characters": lambda value: f"{value[:10]}…",
    "by its last characters": lambda value: f"…{value[-10:]}",
    "as Python writes it": repr,
    "in JSON": json.dumps,
    "in HTML": html.escape,
    "in a URL": lambda value: quote(value, safe=""),
    "in a form": quote_plus,
    "in hexadecimal": lambda value: value.encode().hex(),
    "as a dump": lambda value: value.encode().hex(" "),
    "backwards": lambda value: value[::-1],
    "as bytes": lambda value: b"\0\xff" + value.encode() + b"\xff",
    "in UTF-16": lambda value: value.encode("utf-16"),
    "percent-encoded to the last letter": lambda value: "".join(f"%{letter:02X}" for letter in value.encode()),
    **{
        f"as the password of a user of {len(user)} letters": lambda value, user=user: b64encode(  # type: ignore[misc]
            f"{user}:{value}".encode()
        )
        for user in ("k", "ke", "key")
    },
    "in the other Base64": lambda value: urlsafe_b64encode(value.encode()),
}


@pytest.mark.parametrize("between", [ODD, PLAIN], ids=["odd characters", "none"])
@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_is_found(leak: Callable[[str], str | bytes], between: str) -> None:
    """So its silence says something."""
    value = marked("some", "credential", between=between)
    told = leak(value)
    text = told if isinstance(told, bytes) else told.encode()
    assert Search.of([value]).found(b"level=info reason=" + text + b" and more")


def test_nothing_is_found_where_nothing_is() -> None:
    """Neither other credentials, nor the mask, nor what a digest looks like."""
    other = marked("another", "credential")
    assert Search.of([VALUE]).found(f"{other} <secret> {'0123456789abcdef' * 20}") == []


def test_no_two_credentials_are_alike() -> None:
    """What is found says whose it is."""
    values = [value for provider in PROVIDERS.values() for value in credentials(provider).values()]
    assert len({value[:10] for value in values} | {value[-10:] for value in values}) == 2 * len(values)
