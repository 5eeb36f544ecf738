"""One gzip member, put together from parts that are compressed apart, so that a part can be used again.

gzip allows several members in one file, but many clients read just the first. A part ends where deflate may begin anew
(zlib's Z_FULL_FLUSH); a checksum of the whole follows from those of the parts (crc32_combine in zlib, which Python's
module lacks).
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

_HEAD = b"\x1f\x8b\x08" + bytes(5) + b"\x04\xff"  # RFC 1952: deflate, no flags, no time, fastest, unknown system
_END = b"\x03\x00"  # RFC 1951: a last block, with nothing in it
_LEVEL = 1
_POLYNOMIAL = 0xEDB88320
"""Of CRC-32; here as elsewhere the highest bit is the lowest power."""
_ONE = 1 << 31


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text, compressed."""

    deflated: bytes = field(repr=False)
    crc: int
    length: int
    """Bytes before they were compressed."""


class Compressing:
    """Text that is being compressed into a part."""

    def __init__(self) -> None:
        """Begin with no text."""
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._deflated: list[bytes] = []
        self._crc = self._length = 0

    def add(self, text: bytes) -> None:
        """Go on with more text."""
        self._deflated.append(self._deflate.compress(text))
        self._crc, self._length = zlib.crc32(text, self._crc), self._length + len(text)

    def part(self) -> Part:
        """Return what was added since the last part."""
        part = Part(b"".join((*self._deflated, self._deflate.flush(zlib.Z_FULL_FLUSH))), self._crc, self._length)
        self._deflated, self._crc, self._length = [], 0, 0
        return part


def member(parts: Sequence[Part]) -> Iterator[bytes]:
    """Yield the gzip member that holds these parts one after the other."""
    yield _HEAD
    yield from (part.deflated for part in parts)
    yield _END
    yield struct.pack("<II", _crc(parts), sum(part.length for part in parts) & 0xFFFFFFFF)


def _crc(parts: Iterable[Part]) -> int:
    """Return the checksum of all parts together."""
    crc = 0
    for part in parts:
        crc = _shifted(crc, part.length) ^ part.crc
    return crc


def _shifted(crc: int, length: int) -> int:
    """Return what a checksum is once so many zero bytes follow: multiplied by x to the power of their bits."""
    place = 0
    while length >> place:
        if digit := length >> place & 0xFF:
            crc = _times(_power(digit << place), crc)
        place += 8
    return crc


@cache
def _power(length: int) -> int:
    """Return x to the power of so many bytes' bits. It is asked for few numbers: those with one digit to base 256."""
    power, square = _ONE, _ONE >> 8
    while length:
        power = _times(square, power) if length & 1 else power
        length, square = length >> 1, _times(square, square)
    return power


def _times(one: int, other: int) -> int:
    """Multiply two polynomials modulo CRC-32's."""
    product = 0
    while one:
        if one & _ONE:
            product ^= other
        one = one << 1 & 0xFFFFFFFF
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
    return product
