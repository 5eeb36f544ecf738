"""The body of an answer in pieces, which are sent as they are."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from aiohttp import payload
from aiohttp.abc import AbstractStreamWriter

from .sharing import Slices

_LEAST, _MOST = 64 * 1024, 256 * 1024
"""Bytes to send at once. Whatever the connection cannot take yet is copied, and each time costs something."""


class Pieces(payload.Payload):
    """Texts that are sent one after the other, and may be sent to others at the same time."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        """Take the pieces."""
        super().__init__(pieces)
        self._pieces, self._size = pieces, sum(map(len, pieces))

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return all of it as text."""
        return b"".join(self._pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send it, and let others have the event loop meanwhile."""
        slices = Slices()
        for piece in _handy(self._pieces):
            await writer.write(piece)
            await slices()


def _handy(pieces: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """Yield the same bytes in pieces of a handy size: small ones together, large ones in slices."""
    for are_large, some in groupby(pieces, lambda piece: len(piece) >= _LEAST):
        handy = _sliced if are_large else _together
        yield from handy(some)


def _sliced(large: Iterable[bytes]) -> Iterator[memoryview]:
    return (memoryview(piece)[start : start + _MOST] for piece in large for start in range(0, len(piece), _MOST))


def _together(small: Iterable[bytes]) -> Iterator[bytes]:
    joined: list[bytes] = []
    length = 0
    for piece in small:
        joined.append(piece)
        length += len(piece)
        if length >= _LEAST:
            yield b"".join(joined)
            joined, length = [], 0
    if joined:
        yield b"".join(joined)
