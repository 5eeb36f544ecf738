"""The accounts as JSON, as docs/openapi.yaml has it; and that file itself.

Amounts are decimal text, moments are RFC 3339 in UTC. What is not known is null, and has its reason in `unknown`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from .entry import Unknown, Week
from .listing import Listing, QueryError
from .trend import exact


def as_json(listing: Listing) -> str:
    """Return the accounts that were asked for."""
    query = listing.query
    return _text(
        {
            "as_of": listing.as_of,
            "total": listing.total,
            "states": listing.states,
            "matching": listing.matching,
            "page": query.page,
            "pages": listing.pages,
            "per_page": query.per_page,
            "accounts": listing.accounts,
        }
    )


def refusal(error: QueryError) -> str:
    """Say what is wrong with a question."""
    return _text({"error": str(error)})


@cache
def specification() -> bytes:
    """Return the description of all this in OpenAPI: it lies beside this module in a wheel, in docs/ in a checkout."""
    beside = Path(__file__).resolve().with_name("openapi.yaml")
    return (beside if beside.exists() else beside.parents[2] / "docs" / beside.name).read_bytes()


def _text(value: object) -> str:
    return json.dumps(_written(value), ensure_ascii=False, separators=(",", ":")) + "\n"


def _written(value: Any) -> Any:  # noqa: ANN401 - everything that an entry is made of
    """Return a value as JSON has it."""
    if write := _WRITERS.get(type(value)):
        return write(value)
    if is_dataclass(value):
        return {each.name: _written(getattr(value, each.name)) for each in fields(value)}
    if hasattr(value, "_asdict"):  # a named tuple
        return _written(value._asdict())
    return value


def _week(week: Week) -> object:
    amounts = [None if amount is None else exact(amount) for amount in week.amounts]
    return _written({**week._asdict(), "amounts": amounts})


_WRITERS: Mapping[type, Callable[[Any], Any]] = {
    Decimal: "{:f}".format,
    datetime: "{:%Y-%m-%dT%H:%M:%SZ}".format,
    Unknown: lambda unknown: {"reason": unknown.value, "text": unknown.text},
    Week: _week,
    dict: lambda mapping: {key: _written(each) for key, each in mapping.items()},
    tuple: lambda sequence: [_written(each) for each in sequence],
    list: lambda sequence: [_written(each) for each in sequence],
}
