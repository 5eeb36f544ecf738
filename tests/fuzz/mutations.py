"""Bytes that are nearly what somebody meant: examples that a seeded generator has damaged."""

import random
from collections.abc import Callable, Iterator, Sequence

WORDS = (
    *(b"null", b"true", b"-0", b"1e999999999", b"NaN", b"Infinity", b'"1"', b"{}", b"[]", b"[[[[", b"\\ud800"),
    *(b"\xef\xbb\xbf", b"\0", b"\xff", b"\n\n", b"\r\n", b"\t", b",", b":", b'"', b"0" * 30, b"9" * 30, b"%00"),
    *(b"&a ", b"*a ", b"<<: ", b"!!", b"- ", b"'", b"=", b";q="),
)
"""What readers of JSON, YAML, CSV and headers are known to trip over."""

Damage = Callable[[random.Random, bytes], bytes]


def _place(chance: random.Random, data: bytes) -> int:
    return chance.randint(0, len(data))


def _flip(chance: random.Random, data: bytes) -> bytes:
    place = _place(chance, data)
    return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]


def _drop(chance: random.Random, data: bytes) -> bytes:
    place = _place(chance, data)
    return data[:place] + data[place + chance.randint(1, 20) :]


def _cut(chance: random.Random, data: bytes) -> bytes:
    return data[: _place(chance, data)]


def _insert(chance: random.Random, data: bytes) -> bytes:
    place = _place(chance, data)
    return data[:place] + chance.choice(WORDS) + data[place:]


def _repeat(chance: random.Random, data: bytes) -> bytes:
    place, length = _place(chance, data), chance.randint(1, 40)
    return data[:place] + data[place : place + length] * chance.randint(2, 5) + data[place:]


def _replace_token(chance: random.Random, data: bytes) -> bytes:
    """Put a word in the place of what stands between two marks."""
    marks = [place for place, byte in enumerate(data) if byte in b',:{}[]"\n ']
    if len(marks) < 2:
        return _insert(chance, data)
    first = chance.randrange(len(marks) - 1)
    return data[: marks[first] + 1] + chance.choice(WORDS) + data[marks[first + 1] :]


_DAMAGES: Sequence[Damage] = (_flip, _drop, _cut, _insert, _repeat, _replace_token)


def damaged(examples: Sequence[bytes], count: int, seed: int = 0) -> Iterator[bytes]:
    """Yield so many damaged examples, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret about it
    for _ in range(count):
        data = chance.choice(examples)
        for _ in range(chance.randint(1, 4)):
            data = chance.choice(_DAMAGES)(chance, data)
        yield data
