"""The number of polls under way at once is bounded, in all and for each place that is asked."""

import asyncio
import resource
from collections.abc import AsyncIterator, Hashable, Iterable, Mapping
from contextlib import asynccontextmanager

_AT_ONCE = 256
"""Polls in all: nearly all of them only wait. If more had their answers at once, some would find their time over."""

_MOST = 64
"""What a place has even if there is no other: a provider is not to be flooded."""

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
        share = min(_AT_ONCE, limit // _DESCRIPTORS_EACH) // max(1, len(different))
        each = max(_LEAST, min(_MOST, share))
        self._of: Mapping[Hashable, asyncio.Semaphore] = {place: asyncio.Semaphore(each) for place in different}

    @asynccontextmanager
    async def one(self, place: Hashable) -> AsyncIterator[None]:
        """Wait for a slot of this place, and hold it."""
        async with self._of[place]:
            yield
