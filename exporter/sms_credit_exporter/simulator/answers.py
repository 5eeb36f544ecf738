"""The answer that goes over the wire: a payload as it is, or with an account's present numbers in it."""

import json
from dataclasses import replace

from .behaviour import Canned, Live
from .payloads import Payload, payload
from .providers import APIS


def answer(provider: str, act: Canned | Live | Payload, at: float) -> Payload:
    """Return what an account of the provider answers at this Unix time."""
    if isinstance(act, Payload):
        return act
    file = payload(provider, act.payload)
    if isinstance(act, Canned):
        return file
    members = APIS[provider].with_numbers(json.loads(file.body), act, at)
    return replace(file, body=json.dumps(members, ensure_ascii=False).encode())
