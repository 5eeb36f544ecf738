"""Work that is done once for many, and work that may take its time."""

import asyncio
import threading

import pytest

from sms_credit_exporter.sharing import Shared, Worker, in_thread
from tests.exporter.running import until


class Work:
    """Work that goes on for as long as a test wants it to."""

    def __init__(self) -> None:
        """Begin with nothing done."""
        self.begun: list[str] = []
        self.may_end = asyncio.Event()

    async def __call__(self, asked: str) -> str:
        """Do one piece, and tell which one it was."""
        self.begun.append(asked)
        await self.may_end.wait()
        return f"{asked} {len(self.begun)}"


async def asked(shared: Shared[str, str], *what: str) -> list[asyncio.Task[str]]:
    """Ask, and let every caller get as far as waiting."""
    tasks = [asyncio.create_task(shared(one)) for one in what]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_who_asks_together_is_answered_together() -> None:
    """A hundred questions, one piece of work; afterwards it is done anew."""
    shared = Shared(work := Work())
    work.may_end.set()
    assert set(await asyncio.gather(*(shared("a") for _ in range(100)))) == {"a 1"}
    assert await shared("a") == "a 2"


async def test_nobody_is_given_what_was_begun_before_he_asked() -> None:
    """Whoever asks late waits for the next run, together with others who came late."""
    shared = Shared(work := Work())
    first = await asked(shared, "a")
    late = await asked(shared, "a", "a")
    assert work.begun == ["a"]
    work.may_end.set()
    assert await asyncio.gather(*first, *late) == ["a 1", "a 2", "a 2"]


async def test_one_piece_is_done_at_a_time() -> None:
    """Different work runs one after the other too, in the order in which it was asked for."""
    shared = Shared(work := Work())
    tasks = await asked(shared, "a", "b", "a", "c")
    assert work.begun == ["a"]
    work.may_end.set()
    assert await asyncio.gather(*tasks) == ["a 1", "b 2", "a 1", "c 3"]


async def test_who_goes_takes_it_from_nobody() -> None:
    """A scraper that hangs up does not end what others wait for."""
    shared = Shared(work := Work())
    gone, waits = await asked(shared, "a", "a")
    gone.cancel()
    await asyncio.wait([gone])
    work.may_end.set()
    assert await waits == "a 1"


async def test_a_failure_is_everybodys_and_not_for_ever() -> None:
    """The next run may succeed."""
    broken = True

    async def work(_: str) -> str:
        if broken:
            raise ValueError
        return "done"

    shared = Shared(work)
    failures = await asyncio.gather(shared("a"), shared("a"), return_exceptions=True)
    assert [type(failure) for failure in failures] == [ValueError, ValueError]
    broken = False
    assert await shared("a") == "done"


async def test_all_can_be_given_up() -> None:
    """Giving up ends what is running and what waits for it."""
    shared = Shared(work := Work())
    tasks = [*await asked(shared, "a", "b"), *await asked(shared, "a")]
    shared.cancel()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [True] * 3
    assert work.begun == ["a"]


@pytest.mark.parametrize("own", [True, False], ids=["a thread for each", "one thread"])
async def test_a_thread_returns_or_raises(*, own: bool) -> None:
    """A thread's result or exception is that of the function, and the next piece of work is done all the same."""
    do = in_thread if own else Worker()
    with pytest.raises(ZeroDivisionError):
        await do(lambda: 1 // 0)
    assert await do(lambda: 1) == 1


async def test_a_thread_that_hangs_holds_up_nothing() -> None:
    """A thread that hangs stops neither the loop nor those who no longer wait for it."""
    may_end = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await in_thread(may_end.wait)
    assert await in_thread(lambda: 1) == 1
    may_end.set()


async def test_a_worker_does_one_piece_after_the_other_in_a_single_thread() -> None:
    """Who no longer waits for what was not begun has it left undone; once all else is done, the thread ends."""
    worker, may_end, done = Worker(), threading.Event(), list[str]()
    first = asyncio.create_task(worker(may_end.wait))
    given_up = asyncio.create_task(worker(lambda: done.append("given up")))
    last = asyncio.create_task(worker(lambda: done.append(threading.current_thread().name)))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    worker.end()
    may_end.set()
    await asyncio.gather(first, last)
    [name] = done

    async def ended() -> bool:
        return name not in {thread.name for thread in threading.enumerate()}

    await until(ended)
