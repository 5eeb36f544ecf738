"""Who is polled next: one heap and one timer for all accounts. A task that waits for each costs four kilobytes."""

import heapq
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Agenda(Generic[T]):
    """What is to be done when, the earliest first. Times are monotonic."""

    def __init__(self, entries: Iterable[tuple[float, T]] = ()) -> None:
        """Begin with what is to be done."""
        self._numbers = itertools.count()
        """Decide between two at the same time, which cannot be compared themselves."""
        self._entries = [(due, next(self._numbers), what) for due, what in entries]
        heapq.heapify(self._entries)

    def add(self, due: float, what: T) -> None:
        """Put one more down."""
        heapq.heappush(self._entries, (due, next(self._numbers), what))

    def due(self, now: float) -> Iterator[T]:
        """Take out what is due, in its order."""
        while self._entries and self.next_at <= now:
            yield heapq.heappop(self._entries)[2]

    @property
    def next_at(self) -> float:
        """When the next one is due; infinite if there is none."""
        return self._entries[0][0] if self._entries else math.inf
