"""How many polls are under way at once: enough for any number of accounts, too few to choke on."""

import asyncio
import resource
from collections.abc import AsyncIterator, Hashable, Iterable, Mapping
from contextlib import asynccontextmanager

_AT_ONCE = 64
"""In all. More would wait for one another inside the HTTP client, and time out there."""

_DESCRIPTORS_EACH = 4
"""A poll holds one open file; the others are for scrapers and everything else."""

_LEAST = 2
"""What a place has even if there are very many."""


class Slots:
    """A share for each place that is asked, so that one that hangs takes no slot from another."""

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
