"""Answers that send credentials back: in error codes, in texts for people, in headers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

from sms_credit_exporter.simulator.payloads import Payload, payloads

if TYPE_CHECKING:  # inside Home Assistant the core has another name
    from sms_credit_core import Provider


def echoing(value: Any, said: str) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON with this in place of each text."""
    if isinstance(value, dict):
        return {name: echoing(member, said) for name, member in value.items()}
    if isinstance(value, list):
        return [echoing(member, said) for member in value]
    return said if isinstance(value, str) else value


def _shape(body: bytes) -> str:
    """Return what an answer is apart from its texts."""
    try:
        return json.dumps(echoing(json.loads(body), ""))
    except ValueError:
        return ""


def echoes(provider: "Provider", values: Mapping[str, str]) -> Iterator[Payload]:
    """Yield every answer of the provider that is no reading, with a credential, or all, in place of the text in it.

    Those that would then be the same come once.
    """
    said = cycle([*values.values(), "-".join(values.values())])
    refusals = [each for each in payloads(provider.key) if "cause" in each.outcome]
    for payload in {(each.status, each.headers, _shape(each.body)): each for each in refusals}.values():
        try:
            body = json.loads(payload.body)
        except ValueError:
            body = ""
        # The type stays, so that JSON is read as such.
        headers = {name: next(said) for name, _ in payload.headers if not name.lower().startswith("content-")}
        yield replace(payload, body=json.dumps(echoing(body, next(said))).encode(), headers=tuple(headers.items()))
