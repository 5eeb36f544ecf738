"""How many polls there may be at once, of each place and in all."""

import asyncio
import resource
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from sms_credit_exporter.slots import Slots


@pytest.fixture
def allow() -> Iterator[Callable[[int], None]]:
    """Set how many files this process may open, until the test ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda files: resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def held(slots: Slots, place: str) -> int:
    """Take all slots of a place that are free; return how many there were."""
    async with AsyncExitStack() as stack:
        for number in range(1000):
            taking = asyncio.ensure_future(stack.enter_async_context(slots.one(place)))
            await asyncio.sleep(0)
            if not taking.done():
                taking.cancel()
                await asyncio.wait([taking])
                return number
    pytest.fail("there is no bound")


@pytest.mark.parametrize(
    ("files", "places", "each"),
    [
        pytest.param(1024, 1, 64, id="one provider is not flooded, though there is room for more"),
        pytest.param(1024, 4, 64, id="four share all that there is"),
        pytest.param(1024, 5, 51, id="five have a little less, and a rest stays unused"),
        pytest.param(1024, 8, 32, id="eight halve it"),
        pytest.param(4096, 8, 32, id="more files make no more slots"),
        pytest.param(256, 1, 64, id="a quarter of few files"),
        pytest.param(254, 1, 63, id="a file less is a slot less"),
        pytest.param(256, 3, 21, id="a quarter of few files, shared by three"),
        pytest.param(1024, 500, 2, id="a place always has two"),
    ],
)
async def test_each_place_has_its_share(allow: Callable[[int], None], files: int, places: int, each: int) -> None:
    """However many accounts are asked at it. One that hangs takes none of another's, and what is free again serves."""
    allow(files)
    slots = Slots(f"place-{number % places}" for number in range(3 * places))
    assert await held(slots, "place-0") == each
    assert await held(slots, "place-0") == each
    async with slots.one("place-0"):
        assert await held(slots, f"place-{places - 1}") == each - (places == 1)
