"""The number of polls under way at once is bounded, in all and for each place that is asked."""

import asyncio
import resource
from collections.abc import AsyncIterator, Hashable, Iterable, Mapping
from contextlib import asynccontextmanager

_AT_ONCE = 64
"""Polls in all. If there were more, they would hold up one another until their time is over."""

_DESCRIPTORS_EACH = 4
"""A poll holds one open file; the others are for scrapers and everything else."""

_LEAST = 2
"""What a place has even if there are very many."""


class Slots:
    """Each place has its own share of the slots. A place that hangs takes no slot from another."""

    def __init__(self, places: Iterable[Hashable]) -> None:
        """Share out the slots."""
        different = set(places)
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        share = max(_LEAST, min(_AT_ONCE, limit // _DESCRIPTORS_EACH) // max(1, len(different)))
        self._of: Mapping[Hashable, asyncio.Semaphore] = {place: asyncio.Semaphore(share) for place in different}

    @asynccontextmanager
    async def one(self, place: Hashable) -> AsyncIterator[None]:
        """Wait for a slot of this place, and hold it."""
        async with self._of[place]:
            yield
