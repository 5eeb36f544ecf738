"""An answer in pieces: nothing is lost, and neither many small ones nor a few large ones are sent as they are."""

from typing import Any

import pytest

from sms_credit_exporter.pieces import Pieces


class Written:
    """Stands for a connection."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.pieces: list[bytes] = []

    async def write(self, piece: bytes) -> None:
        """Take a piece."""
        self.pieces.append(bytes(piece))


@pytest.mark.parametrize(
    ("pieces", "sent"),
    [
        pytest.param([1000] * 200, [66_000, 66_000, 66_000, 2000], id="small ones together"),
        pytest.param([600_000], [262_144, 262_144, 75_712], id="a large one in slices"),
        pytest.param([10, 65_536, 10, 10], [10, 65_536, 20], id="one that is large enough by itself"),
        pytest.param([], [], id="nothing"),
    ],
)
async def test_what_is_sent_at_once(pieces: list[int], sent: list[int]) -> None:
    """Each write costs something, and so does what the connection cannot take yet."""
    texts = [bytes([number % 251]) * size for number, size in enumerate(pieces)]
    connection: Any = Written()
    await Pieces(texts).write(connection)
    assert [len(piece) for piece in connection.pieces] == sent
    assert b"".join(connection.pieces) == b"".join(texts)
