"""What an account had in the last week, an hour apart: enough to draw, and at most 1.5 KB in memory.

The last complete reading of each hour counts, in what the account pays with; an hour without one is a gap. Amounts are
doubles, whose shortest form is what the provider wrote, for up to fifteen digits.
"""

import json
import math
import secrets
import struct
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from sms_credit_core import Ledger, Owner

from . import words

_VERSION = 1
"""Of what is stored; raised with each change that an older version would misread."""

_HOUR = 3600.0
HOURS = 7 * 24

_GAP = math.nan


@dataclass(frozen=True, slots=True)
class Trend:
    """The amounts of the last week. Replaced at each poll, never changed."""

    unit: str = ""
    """What the account pays with: a currency, messages or credits; empty where the provider names no currency."""
    step: float = _HOUR
    """Seconds that pass as an hour; fewer in demonstrations only."""
    first: int = 0
    """The hour of the first amount, counted from 1970."""
    amounts: "array[float]" = field(default_factory=lambda: array("d"))
    """That of each hour from then on; not a number where nothing was read."""

    def after(self, ledger: Ledger | None) -> "Trend":
        """Return the trend after a poll, whatever came of it; another unit begins anew."""
        if ledger is None or ledger.amount is None:
            return self
        unit, step = words.unit(ledger), _HOUR / ledger.speed
        hour, now = int(ledger.at.unix // step), float(ledger.amount)
        if not self.amounts or (unit, step) != (self.unit, self.step):
            return Trend(unit, step, hour, array("d", [now]))
        if not self.first <= hour < self.first + len(self.amounts) + HOURS:  # a clock jumped, or a week went by
            return Trend(unit, step, hour, array("d", [now]))
        # What lies ahead, because the clock was set back, never was.
        before = self.amounts[: hour - self.first]
        gaps = array("d", [_GAP]) * (hour - self.first - len(before))
        kept = (before + gaps + array("d", [now]))[-HOURS:]
        return Trend(unit, step, hour - len(kept) + 1, kept)

    def week(self, now: float) -> tuple[int, Sequence[float | None]]:
        """Return what is known of the week before a moment in Unix seconds: its first hour, and the amounts from there.

        Hours are counted from 1970, and None is an hour without a reading.
        """
        last = int(now // self.step)
        begins = max(self.first, last - HOURS + 1)
        seen = self.amounts[begins - self.first : max(0, last - self.first + 1)].tolist()
        amounts = [amount if amount == amount else None for amount in seen]  # noqa: PLR0124 - not a number differs from itself
        known = next((place for place, amount in enumerate(amounts) if amount is not None), len(amounts))
        return begins + known, amounts[known:]

    def packed(self, owner: Owner) -> bytes:
        """Return it as it is stored: a line of JSON and the amounts, bound to its owner as the account's state is."""
        key = secrets.token_bytes(16)
        head = {
            "version": _VERSION,
            "key": key.hex(),
            "owner": owner.fingerprint(key),
            "unit": self.unit,
            "step": self.step,
            "first": self.first,
        }
        line = json.dumps(head).encode() + b"\n"
        # Written at each poll, so it is not compressed; zlib still adds the checksum.
        amounts = struct.pack(f"<{len(self.amounts)}d", *self.amounts)
        return zlib.compress(line + amounts, zlib.Z_NO_COMPRESSION)

    @classmethod
    def unpacked(cls, data: bytes, owner: Owner) -> Self:
        """Return what was packed; an empty one if it is another owner's. Raises ValueError if it cannot be read."""
        try:
            line, _, amounts = zlib.decompress(data).partition(b"\n")
            head = json.loads(line)
            unpacked = array("d", struct.unpack(f"<{len(amounts) // 8}d", amounts))
            return cls._read(head, unpacked) if _is_of(owner, head) else cls()
        except (zlib.error, struct.error, TypeError, KeyError, OverflowError) as error:
            raise ValueError from error

    @classmethod
    def _read(cls, head: Mapping[str, Any], amounts: "array[float]") -> Self:
        unit, step, first = head["unit"], float(head["step"]), head["first"]
        sound = isinstance(unit, str) and isinstance(first, int) and 0 < step <= _HOUR
        if not sound or len(amounts) > HOURS or any(map(math.isinf, amounts)):
            raise ValueError
        return cls(unit, step, first, amounts)


def exact(amount: float) -> Decimal:
    """Return an amount as the provider wrote it."""
    return Decimal(repr(amount).removesuffix(".0"))


def _is_of(owner: Owner, head: Mapping[str, Any]) -> bool:
    if head["version"] > _VERSION:
        raise ValueError
    return bool(owner.fingerprint(bytes.fromhex(head["key"])) == head["owner"])
