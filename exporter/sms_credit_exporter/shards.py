"""Which accounts are a shard's, where several exporters share one configuration.

The number of shards and an account's name decide it, by a hash that never changes: the first eight bytes of SHA-256 of
the name in UTF-8 as a number, and of that the jump consistent hash by Lamping and Veach (arXiv:1406.2294). One shard
more takes an equal part from each of the others and moves nothing between them, which is the least that can move.
Rendezvous hashing does the same for shards that come and go anywhere, in time that grows with their number; these come
and go at the end only, as the pods of a StatefulSet do.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

_MOST = 1000
"""Shards; 100,000 accounts are far fewer for each than one exporter can poll."""

_BITS = 64
_STEP = 2862933555777941757
"""The multiplier of the generator of random numbers, as the paper has it."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several equal parts of all accounts."""

    index: int
    """From 0."""
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `I/N`. Raises ValueError with what is wrong."""
        match = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
        shard = cls(int(match[1]), int(match[2])) if match else None
        if shard is None or not shard.index < shard.count <= _MOST:
            message = (
                f"“{text}” is no shard; must be I/N with I from 0 to N-1, such as 0/3, and at most {_MOST} of them"
            )
            raise ValueError(message)
        return shard

    def __str__(self) -> str:
        """Write it as it is parsed."""
        return f"{self.index}/{self.count}"

    def has(self, name: str) -> bool:
        """Whether the account of this name is in this shard."""
        return jump(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"), self.count) == self.index


WHOLE = Shard(0, 1)
"""The only shard: all accounts."""


def jump(key: int, count: int) -> int:
    """Return which of so many shards a key of 64 bits belongs to, from 0."""
    here, there = -1, 0
    while there < count:
        here = there
        key = (key * _STEP + 1) % 2**_BITS
        there = int((here + 1) * (2**31 / ((key >> 33) + 1)))
    return here
