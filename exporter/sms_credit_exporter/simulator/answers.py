"""The answer that goes over the wire: a payload as it is, or with an account's present numbers in it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .behaviour import Canned, Live
from .payloads import Payload, payload


def answer(provider: str, act: Canned | Live | Payload, at: float) -> Payload:
    """Return what an account of the provider answers at this Unix time."""
    if isinstance(act, Payload):
        return act
    file = payload(provider, act.payload)
    if isinstance(act, Canned):
        return file
    members = _WITH_NUMBERS[provider](json.loads(file.body), act, at)
    return replace(file, body=json.dumps(members, ensure_ascii=False).encode())


def _telecom23(members: dict[str, Any], live: Live, at: float) -> dict[str, Any]:
    return {
        "balance": float(live.balance),
        "currency": live.currency or members["currency"],
        "updated": f"{datetime.fromtimestamp(at, UTC):%Y.%m.%d %H:%M:%S}",
        # They send the flag only while it is true.
        **({"credit_blocked": True} if live.balance <= 0 else {}),
    }


def _iletimerkezi(members: dict[str, Any], live: Live, _at: float) -> dict[str, Any]:
    response = members["response"]
    messages = response["balance"]["sms"] if live.quota is None else live.quota
    return {"response": {**response, "balance": {"amount": float(live.balance), "sms": messages}}}


_WITH_NUMBERS: Mapping[str, Callable[[dict[str, Any], Live, float], dict[str, Any]]] = {
    "23telecom": _telecom23,
    "iletimerkezi": _iletimerkezi,
}
