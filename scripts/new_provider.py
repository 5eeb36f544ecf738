"""Write the skeletons of a new provider; `scripts/new-provider KEY NAME HEALTHY PLACE` runs this."""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from operator import getitem
from pathlib import Path
from textwrap import indent

ROOT = Path(__file__).parent.parent
CORE = ROOT / "custom_components/sms_credit/lib/sms_credit_core/providers"
SIMULATOR = ROOT / "exporter/sms_credit_exporter/simulator/providers"
PAYLOADS = ROOT / "tests/payloads"

_MODULE = '''"""NAME: `GET /PATH` with an API key.

Sources: https://example.com/docs (request, answer, codes).
"""

from http import HTTPStatus

from ..answer import Answer, Fields
from ..problem import Cause
from ..provider import CredentialField, Request, opened, refusal
from ..reading import Quality, Reading, Value
from ..secret import Credentials

_CAUSE_BY_CODE = {
    "401": Cause.CREDENTIALS_REFUSED,
}


class CLASS:
    """NAME."""

    key = "KEY"
    name = "NAME"
    credentials: tuple[CredentialField, ...] = (CredentialField(name="api_key", identity=True),)
    gives = frozenset({Value.BALANCE})
    panel_url = "https://example.com"
    base_url = "https://api.example.com"
    min_poll_interval = 120.0  # they name none
    currency: str | None = "EUR"

    def request(self, base_url: str, credentials: Credentials, timestamp: int) -> Request:  # noqa: ARG002 - not signed
        """Word the request."""
        return Request(method="GET", url=f"{base_url}/PATH", headers={"X-Api-Key": credentials["api_key"].reveal()})

    def read(self, answer: Answer) -> Reading:
        """Read an answer."""
        fields, unreadable = opened(answer)
        code = fields.get("code")
        if code is not None or answer.status != HTTPStatus.OK:
            raise refusal(answer, code, _CAUSE_BY_CODE)
        if unreadable:
            raise unreadable
        return Reading(
            balance=fieldsFIELDS.number("MEMBER"),
            currency=self.currency,
            quota=None,
            credits=None,
            credit_blocked=None,
            provider_updated=None,
            quality=Quality.COMPLETE,
        )
'''

_SIMULATED = '''"""NAME, simulated: an API key in a header.

The core's module of the same name links their pages.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..apis import Received
from ..behaviour import Live, Scenario, money


class CLASS:
    """Their API."""

    key: ClassVar[str] = "KEY"
    base_url: ClassVar[str] = "https://api.example.com"
    required: ClassVar[tuple[str, ...]] = ("api_key",)
    unknown: ClassVar[str] = "error_401"
    scenarios: ClassVar[Mapping[str, Scenario]] = {"steady": Scenario(money(600, "96.20", "81.50"))}

    def named(self, request: Received) -> dict[str, str]:
        """Return the API key."""
        key = request.headers.get("X-Api-Key")
        return {"api_key": key} if key else {}

    def refusal(self, request: Received, credentials: Mapping[str, str]) -> str | None:  # noqa: ARG002 - `named` did
        """Check path and method."""
        if request.path != "/PATH":
            return "error_404_html"
        return None if request.method == "GET" else "error_405_html"

    @staticmethod
    def with_numbers(members: Mapping[str, Any], live: Live, at: float) -> dict[str, Any]:  # noqa: ARG004 - no time
        """Return a balance of this moment."""
        return {**members, "MEMBER": float(live.balance)}
'''

_NUMBERS = {
    "infinity": "Infinity",
    "nan": "NaN",
    "leading_zero": "007",
}
"""What JSON does not have, by what it is."""

_TYPES = {
    "true": "true",
    "false": "false",
    "list": "[]",
    "object": "{}",
    "huge": "1e16",
    "tiny": "1e-65",
}
"""What is JSON, but no number that an account can have."""

_PAGES = {
    403: ("access_denied", "access_refused", "Forbidden"),
    404: ("invalid_response", "status_unexpected", "Not Found"),
    405: ("invalid_response", "status_unexpected", "Method Not Allowed"),
    429: ("rate_limited", "rate_limited", "Too Many Requests"),
    500: ("provider_error", "provider_error", "Internal Server Error"),
    502: ("provider_error", "provider_error", "Bad Gateway"),
    503: ("provider_error", "provider_error", "Service Unavailable"),
    504: ("provider_error", "provider_error", "Gateway Timeout"),
}
"""HTTP statuses as proxies and firewalls answer them: the status and the cause that they mean, and their words."""


_TABLE = "# A table: each line of `each` is a payload of its own, and fills in what has a $.\n"
_CHANGED = '"derived: the healthy answer"'
_NOT_JSON = {"status": "invalid_response", "cause": "not_json"}
_NOT_AN_OBJECT = {"status": "invalid_response", "cause": "not_an_object"}


class Healthy:
    """A healthy answer, and where its balance stands."""

    def __init__(self, text: str, place: str) -> None:
        """Take the JSON, and the path to the number in it."""
        self.text, self.place = text, place
        number = reduce(getitem, place.split("."), json.loads(text, parse_float=Decimal))
        self.written = json.dumps(number) if isinstance(number, str) else str(number)
        self.balance = str(number)
        if text.count(self.written) != 1:
            sys.exit(f"{self.written} must stand in the answer just once, so that others can take its place.")

    def with_number(self, written: str) -> str:
        """Return the answer with another value in its place."""
        return self.text.replace(self.written, written)

    def of_table(self) -> str:
        """Return the answer with the value that a line of a table has."""
        return self.text.replace("$", "$$").replace(self.written, "$value")


def payload(situation: str, source: str, body: str, outcome: Mapping[str, str], *, status: str = "200") -> str:
    """Return a payload file."""
    said = "".join(f"  {name}: {value}\n" for name, value in outcome.items())
    return (
        f"situation: {situation}\nsource: {source}\nanswer:\n  status: {status}\n  headers:\n"
        f"    Content-Type: {'text/html' if '<html>' in body else 'application/json'}\n"
        f"  body: |-\n{indent(body, '    ')}\noutcome:\n{said}"
    )


def table(head: str, rows: Mapping[str, Mapping[str, object]]) -> str:
    """Return a payload file with a line for each of several answers."""
    lines = (f"  {name}: {json.dumps(words, ensure_ascii=False)}\n" for name, words in rows.items())
    return (
        "# A table: each line of `each` is a payload of its own, and fills in what has a $.\n"
        + head
        + "each:\n"
        + "".join(lines)
    )


def payloads(healthy: Healthy) -> Iterator[tuple[str, str]]:
    """Yield the files that every provider has, by name. Whatever the provider's pages say comes on top."""
    reading = {
        "status": "fresh",
        "balance": f'"{healthy.balance}"',
        "currency": "EUR",
        "quota": "null",
        "credit_blocked": "null",
        "provider_updated": "null",
    }
    page = "page https://example.com/docs"
    yield "healthy", payload("A healthy account.", page, healthy.text, reading)
    zero = healthy.with_number('"0.00"' if healthy.written.startswith('"') else "0.00")
    yield "zero", payload("Nothing is left.", _CHANGED, zero, reading | {"balance": '"0.00"'})
    unreadable = {"status": "invalid_response", "cause": "field_unreadable", "detail": healthy.place}
    yield (
        "number_of_another_type",
        table(
            payload(
                "'The balance is no number: $kind.'",
                _CHANGED,
                healthy.of_table(),
                unreadable,
            ),
            {f"number_{kind}": {"kind": kind, "value": value} for kind, value in _TYPES.items()},
        ),
    )
    yield (
        "number_not_json",
        table(
            payload(
                "'The balance is nothing that JSON has: $kind.'",
                _CHANGED,
                healthy.of_table(),
                {"status": "invalid_response", "cause": "not_json"},
            ),
            {f"number_{kind}": {"kind": kind, "value": value} for kind, value in _NUMBERS.items()},
        ),
    )
    missing = {"status": "invalid_response", "cause": "field_missing", "detail": healthy.place}
    yield (
        "number_null",
        payload("The balance is null.", _CHANGED, healthy.with_number("null"), missing),
    )
    bodies = {
        "body_empty": ("there is nothing", ""),
        "body_html": ("it is HTML", "<html><title>Maintenance</title></html>"),
        "body_truncated": ("it is cut off", healthy.text[:-2]),
        "body_twice": ("it stands there twice", healthy.text + healthy.text),
        "body_single_quotes": ("it is Python", healthy.text.replace('"', "'") + "'"),
        "body_text": ("it is a word", "OK"),
    }
    yield (
        "body_not_json",
        table(
            payload(
                "'The body is no JSON: $what.'",
                '"derived: what goes wrong on the way"',
                "$body",
                {"status": "invalid_response", "cause": "not_json"},
            ),
            {name: {"what": what, "body": body} for name, (what, body) in bodies.items()},
        ),
    )
    others = {
        "body_list": ("a list", f"[{healthy.text}]"),
        "body_null": ("null", "null"),
        "body_number": ("a number", "12.5"),
        "body_string": ("a text", '"12.5"'),
    }
    yield (
        "body_not_an_object",
        table(
            payload(
                "'The body is JSON, but $what.'",
                '"derived: JSON of another shape"',
                "$body",
                {"status": "invalid_response", "cause": "not_an_object"},
            ),
            {name: {"what": what, "body": body} for name, (what, body) in others.items()},
        ),
    )
    yield (
        "errors_html",
        table(
            payload(
                "'A page of HTML with HTTP status $code.'",
                '"derived: as proxies and firewalls answer"',
                "<html><head><title>$code $words</title></head><body>$words</body></html>",
                {"status": "$status", "cause": "$cause", "detail": '"$code"'},
                status="$code",
            ),
            {
                f"error_{code}_html": {"code": code, "words": words, "status": status, "cause": cause}
                for code, (status, cause, words) in _PAGES.items()
            },
        ),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; none that is there already is touched."""
    parser = argparse.ArgumentParser(prog="scripts/new-provider", description=__doc__)
    parser.add_argument("key", help="stable identity: small letters and digits")
    parser.add_argument("name", help="what people call it")
    parser.add_argument("healthy", help="a healthy answer, as the provider's own page has it")
    parser.add_argument("place", help="where the balance stands in it, such as data.balance")
    options = parser.parse_args(arguments)
    if not re.fullmatch("[a-z0-9]+", options.key):
        parser.error("the key must be small letters and digits")
    healthy = Healthy(options.healthy, options.place)
    for name, text in payloads(healthy):
        _write(PAYLOADS / options.key / f"{name}.yaml", text)
    *outer, member = options.place.split(".")
    words = {
        "KEY": options.key,
        "NAME": options.name,
        "CLASS": re.sub(r"\W", "", options.name).capitalize(),
        "MEMBER": member,
        "FIELDS": "".join(f'.object("{name}")' for name in outer),
    }
    for folder, template in ((CORE, _MODULE), (SIMULATOR, _SIMULATED)):
        _write(folder / f"{options.key}.py", re.sub("|".join(words), lambda word: words[word[0]], template))
    return 0


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        print(f"there already: {file.relative_to(ROOT)}")
        return
    file.write_text(text, encoding="utf-8")
    print(f"written: {file.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
