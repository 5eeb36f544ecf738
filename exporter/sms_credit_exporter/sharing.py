"""Work that many ask for at once is done once for all of them, and nothing that takes long holds up the event loop."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

_SLICE = 0.004
"""Seconds."""

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Shared(Generic[K, T]):
    """Work of which one piece is done at a time.

    Whoever asks while a piece is under way gets the result of the next one, together with all others who have asked
    for the same by then. So nobody gets an answer that is older than the question.
    """

    def __init__(self, work: Callable[[K], Awaitable[T]]) -> None:
        """Take what does the work, given what is asked for."""
        self._work = work
        self._one_at_a_time = asyncio.Lock()
        self._next: dict[K, asyncio.Task[T]] = {}
        self._unfinished: set[asyncio.Task[T]] = set()

    async def __call__(self, asked: K) -> T:
        """Return the result of the work. A caller that no longer waits does not end it for the others."""
        return await asyncio.shield(self.begin(asked))

    def begin(self, asked: K) -> asyncio.Task[T]:
        """See to it that the work is done, whether or not anybody waits for it."""
        task = self._next.get(asked)
        if task is None:
            task = self._next[asked] = asyncio.create_task(self._do(asked))
            self._unfinished.add(task)
            task.add_done_callback(self._unfinished.discard)
        return task

    def cancel(self) -> None:
        """Give up everything, also what others wait for."""
        for task in self._unfinished:
            task.cancel()

    async def _do(self, asked: K) -> T:
        async with self._one_at_a_time:
            del self._next[asked]
            return await self._work(asked)


class Slices:
    """Work in slices of time, between which the event loop may do something else."""

    def __init__(self) -> None:
        """Begin with the first slice."""
        self._until = time.monotonic() + _SLICE

    async def __call__(self) -> None:
        """Let others have their turn, if this slice is over."""
        if time.monotonic() > self._until:
            await asyncio.sleep(0)
            self._until = time.monotonic() + _SLICE


async def in_thread(work: Callable[[], T]) -> T:
    """Do blocking work in a thread of its own.

    asyncio.to_thread would have it queue with the look-ups of host names, which take long just when providers are out
    of reach, and the process could not end before it.
    """
    done: Future[T] = Future()
    threading.Thread(target=_do, args=(work, done), daemon=True).start()
    return await asyncio.wrap_future(done)


class Worker:
    """A thread that does one piece of blocking work after the other: to begin a thread costs more than many a piece."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._pieces: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    async def __call__(self, work: Callable[[], T]) -> T:
        """Do a piece of work once those before it are done."""
        done: Future[T] = Future()
        self._pieces.put((work, done))
        return await asyncio.wrap_future(done)

    def end(self) -> None:
        """End once all work is done."""
        self._pieces.put(None)

    def _work(self) -> None:
        while piece := self._pieces.get():
            _do(*piece)


def _do(work: Callable[[], T], done: "Future[T]") -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised where it is waited for
        done.set_exception(error)
