"""A clock that runs ahead: whenever nothing is under way, it is at once as late as the next timer wants it.

What runs on it is real, and so are its sockets and threads. Between two jumps the clock stands still, so that an
exchange over loopback takes no time at all. It jumps only when nothing can happen without it:

- no socket is ready, and no callback is;
- no piece of work is under way in a thread (the storage's, a reload's, the event loop's own);
- no connection is open but those on which a simulated provider is silent on purpose. What a socket was given on
  loopback is at its other end before the call returns, nearly always. Where a connection stays open for another reason,
  the clock waits for a moment of real time, and counts that.

So no timeout strikes because the machine is slow, and the outcome depends on the seed alone.
"""

import asyncio
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

from sms_credit_exporter import sharing
from sms_credit_exporter.loop import Loop

BEGIN = 1_773_532_800.0
"""2026-03-15, two weeks before the clocks of Europe are set."""

_GRACE = 0.05
"""Seconds of real time for what is on its way."""
_MOMENT = 0.001
"""Seconds of real time between two looks at work in threads. Its result comes before it is no longer counted."""

T = TypeVar("T")


class Clock:
    """What all clocks of the process show, and what may still happen before it goes on."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self.now = 1_000_000.0
        """Seconds, monotonic."""
        self.silent: Callable[[], int] = lambda: 0
        """Returns the number of requests that are not answered on purpose."""
        self.working = 0
        """Pieces of work under way in threads."""
        self._counting = threading.Lock()
        self.stalls = 0
        """How often a connection stayed open and nothing came."""

    def count(self, more: int) -> None:
        """Count what begins and ends in threads, which do so at the same time."""
        with self._counting:
            self.working += more

    def monotonic(self) -> float:
        """Return the time in seconds since some moment in the past."""
        return self.now

    def time(self) -> float:
        """Return the time in seconds since 1970."""
        return BEGIN - 1_000_000.0 + self.now

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show this time to everything that asks the process's clocks, and note what begins in threads."""
        clock = self

        class Noted(Future[T]):
            """The future of a piece of work in a thread; it is under way until its result is on its way to the loop."""

            def __init__(self) -> None:
                super().__init__()
                clock.count(1)

            def set_result(self, result: T) -> None:
                super().set_result(result)
                clock.count(-1)

            def set_exception(self, exception: BaseException | None) -> None:
                super().set_exception(exception)
                clock.count(-1)

        with (
            patch.object(time, "monotonic", self.monotonic),
            patch.object(time, "time", self.time),
            patch.object(sharing, "Future", Noted),
        ):
            yield


class SoakLoop(Loop):
    """The exporter's event loop on such a clock."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock."""
        super().__init__()
        self._clock = clock
        self._selector: Any = Jumping(self._selector, clock)

    def time(self) -> float:
        """Return what the clock shows."""
        return self._clock.now

    def run_in_executor(self, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # noqa: ANN401 - as asyncio's own
        """Note the work until it is done."""
        future: asyncio.Future[Any] = super().run_in_executor(*args)
        self._clock.count(1)
        future.add_done_callback(lambda _: self._done())
        return future

    def _done(self) -> None:
        self._clock.count(-1)


class Jumping:
    """A selector that lets the clock jump instead of waiting."""

    def __init__(self, real: selectors.BaseSelector, clock: Clock) -> None:
        """Take what looks at the sockets, and the clock."""
        self._real, self._clock = real, clock
        self._connections: set[int] = set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the selector has
        """Be the real one in all else."""
        return getattr(self._real, name)

    def register(self, descriptor: int, events: int, data: object = None) -> selectors.SelectorKey:
        """Take in a socket."""
        if _is_connection(descriptor):
            self._connections.add(descriptor)
        return self._real.register(descriptor, events, data)

    def unregister(self, descriptor: int) -> selectors.SelectorKey:
        """Let go of a socket."""
        self._connections.discard(descriptor)
        return self._real.unregister(descriptor)

    def select(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; where nothing is, and nothing can be, so many seconds have passed."""
        was_working = self._clock.working  # asked first: what ends from here on may have come too late for this look
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if was_working:
            return self._real.select(_MOMENT)
        if timeout is None:
            return self._real.select(_GRACE)
        if self._connections and len(self._connections) > 2 * self._clock.silent():  # each has two ends here
            if ready := self._real.select(_GRACE):
                return ready
            self._clock.stalls += 1
        self._clock.now += timeout
        return []


def _is_connection(descriptor: int | socket.socket) -> bool:
    number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
    try:
        opened = socket.socket(fileno=number)
    except OSError:
        return False  # no socket
    try:
        listens = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        return opened.family in (socket.AF_INET, socket.AF_INET6) and not listens
    finally:
        opened.detach()
