"""The samples of all accounts as text, always up to date.

They are kept joined, metric by metric, some hundred accounts together. So a scrape takes them as they are, and one
account that changes has only some short texts copied.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from sms_credit_core import Instant

from .accounts import View
from .metrics import FAMILIES
from .samples import samples
from .sharing import Slices

_TOGETHER = 200
"""Accounts in a block. With more of them, to change one copies more; with fewer, a scrape has more texts to send."""


class Board:
    """The samples of some accounts, in blocks."""

    def __init__(self, accounts: Sequence[tuple[View, Sequence[bytes]]] = ()) -> None:
        """Take the accounts, each with its samples."""
        starts = range(0, len(accounts), _TOGETHER)
        self._blocks = [_Block(accounts[start : start + _TOGETHER]) for start in starts]
        self._places = {
            view.config.name: (block, row) for block in self._blocks for row, view in enumerate(block.views)
        }
        self.changes = [0] * len(FAMILIES)
        """How often the samples of a metric have changed."""

    def __len__(self) -> int:
        """Return the number of accounts."""
        return len(self._places)

    def texts(self, metric: int) -> Iterable[bytes]:
        """Return the samples that a metric has now, by its number, in pieces."""
        return [block.texts[metric] for block in self._blocks]

    def samples(self, view: View) -> Sequence[bytes]:
        """Return an account's samples: those that are shown, if nothing has changed that they depend on."""
        block, row = self._places.get(view.config.name) or (None, 0)
        return block.samples(row) if block and view.is_as(block.views[row]) else samples(view)

    def show(self, view: View) -> None:
        """Show an account as it is now, if it is one of these."""
        block, row = self._places.get(view.config.name) or (None, 0)
        if block:
            for metric in block.put(row, view, self.samples(view)):
                self.changes[metric] += 1

    async def look(self, now: Instant, *, at_all: bool) -> None:
        """Show what time has changed since accounts were looked at last. A clock that was set back may change all."""
        slices = Slices()
        for block in self._blocks:
            if at_all or block.unchanged_until.reached(now):
                for row in range(len(block.views)):
                    self.show(replace(block.views[row], now=now))
                    await slices()
                block.look()


class _Block:
    """Accounts whose samples are joined."""

    def __init__(self, accounts: Sequence[tuple[View, Sequence[bytes]]]) -> None:
        self.views = [view for view, _ in accounts]
        columns = list(zip(*(samples for _, samples in accounts), strict=True))
        self.texts = [b"".join(column) for column in columns]
        self._ends = [array("L", accumulate(map(len, column))) for column in columns]
        self.look()

    def look(self) -> None:
        """See until when time alone changes nothing. Once accounts are polled, it is later than is noted here."""
        self.unchanged_until = Instant.earliest(view.unchanged_until for view in self.views)

    def put(self, row: int, view: View, samples: Sequence[bytes]) -> Iterator[int]:
        """Replace an account; yield the numbers of the metrics that now read differently."""
        self.views[row] = view
        self.unchanged_until = Instant.earliest((self.unchanged_until, view.unchanged_until))
        for metric, (new, (start, end)) in enumerate(zip(samples, self._places(row), strict=True)):
            text = self.texts[metric]
            if text[start:end] != new:
                self.texts[metric] = b"".join((memoryview(text)[:start], new, memoryview(text)[end:]))
                self._move(metric, row, len(new) - (end - start))
                yield metric

    def samples(self, row: int) -> Sequence[bytes]:
        return [text[start:end] for text, (start, end) in zip(self.texts, self._places(row), strict=True)]

    def _places(self, row: int) -> Iterator[tuple[int, int]]:
        return ((ends[row - 1] if row else 0, ends[row]) for ends in self._ends)

    def _move(self, metric: int, row: int, distance: int) -> None:
        if distance:
            ends = self._ends[metric]
            ends[row:] = array("L", [end + distance for end in ends[row:]])
