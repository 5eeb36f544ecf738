"""The event loop: asyncio's own, but for the lookup of host names."""

import asyncio
import contextlib
import socket
from threading import Thread
from typing import Any

Found = list[Any]
"""What `socket.getaddrinfo` returns."""


class Loop(asyncio.SelectorEventLoop):
    """Looks each name up in a thread of its own, once for all who ask at the same time.

    asyncio has a handful of threads for this. A few names whose servers are silent would keep all others from being
    looked up until the system's resolver gives up, and the process from ending.
    """

    def __init__(self) -> None:
        """Begin with nothing to look up."""
        super().__init__()
        self._lookups: dict[tuple[Any, ...], asyncio.Future[Found]] = {}

    async def getaddrinfo(self, *args: Any, **kwargs: Any) -> Found:  # noqa: ANN401 - as asyncio's own
        """Look a name up as `socket.getaddrinfo` does, and raise what it raises."""
        question = (*args, *sorted(kwargs.items()))
        if question not in self._lookups:
            lookup = self._lookups[question] = self.create_future()
            lookup.add_done_callback(lambda done: self._forget(question, done))
            Thread(target=self._look_up, args=(lookup, args, kwargs), daemon=True).start()
        return await asyncio.shield(self._lookups[question])

    def _forget(self, question: tuple[Any, ...], lookup: asyncio.Future[Found]) -> None:
        del self._lookups[question]
        lookup.exception()  # whoever asked may have given up, and asyncio logs what nobody looks at

    def _look_up(self, lookup: asyncio.Future[Found], args: Any, kwargs: Any) -> None:  # noqa: ANN401 - as above
        try:
            found = socket.getaddrinfo(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            self._tell(lookup.set_exception, error)
        else:
            self._tell(lookup.set_result, found)

    def _tell(self, tell: Any, what: object) -> None:  # noqa: ANN401 - one of the future's setters
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            self.call_soon_threadsafe(tell, what)
