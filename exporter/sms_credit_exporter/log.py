"""Logging to standard error: one event a line, in logfmt or JSON, from the exporter and its libraries alike."""

import logging
import os
import re
import select
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # structlog takes a while, and not every command logs
    from structlog.typing import EventDict, Processor

LEVELS = ("debug", "info", "warn", "error")
FORMATS = ("logfmt", "json")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
"""All but the line feed, which the renderer escapes itself."""


def _one_line(_logger: object, _method: str, event: "EventDict") -> "EventDict":
    """Write control characters as escapes: a carriage return would hide the line, others would colour a terminal."""
    return {
        key: _CONTROL.sub(lambda match: repr(match[0])[1:-1], value) if isinstance(value, str) else value
        for key, value in event.items()
    }


def _rendering(form: str) -> "Sequence[Processor]":
    """Return what makes a line of an event, in one of the formats."""
    import structlog  # noqa: PLC0415 - as above

    if form == "json":
        return (structlog.processors.JSONRenderer(ensure_ascii=False),)
    return (_one_line, structlog.processors.LogfmtRenderer(key_order=["ts", "level", "event"], bool_as_flag=False))


_CHATTY = ("httpx", "httpcore")
"""They log URLs and headers, which can hold credentials."""


_MOST_WAITING = 10_000
"""Lines."""

_PATIENCE = 1.0
"""Seconds that the end of the process waits for what reads the log."""


class _Background(logging.Handler):
    """Writes in a thread of its own, so that a log that nobody reads holds up nothing but itself.

    It writes to the descriptor: Python's own stream would be locked by a write that hangs, and then the process could
    not end. Lines for which there is no room are left out, and a line says how many.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._waiting: deque[str] = deque()
        self._left_out = 0
        self._is_writing = False
        self._changed = threading.Condition()
        threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def createLock(self) -> None:  # noqa: N802 - logging's name for it
        """Make no lock. The condition is enough, and whoever logs must not wait while lines are written."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line down."""
        try:
            line = self.format(record) + "\n"
        except Exception:  # noqa: BLE001 - as every handler of the standard library
            self.handleError(record)
            return
        with self._changed:
            if self._left_out or len(self._waiting) >= _MOST_WAITING:
                self._left_out += 1
            else:
                self._waiting.append(line)
                self._changed.notify_all()

    def flush(self) -> None:
        """Wait until all is written, but not long."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._waiting or self._is_writing), _PATIENCE)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting)
                self._is_writing = True
                line = self._waiting.popleft()
            _write(self._descriptor, line.encode(errors="backslashreplace"))
            self._tell_left_out()

    def _tell_left_out(self) -> None:
        with self._changed:
            if not self._left_out or len(self._waiting) > _MOST_WAITING // 2:
                return
            left_out, self._left_out = self._left_out, 0
        import structlog  # noqa: PLC0415 - as above

        structlog.stdlib.get_logger().warning("lines of the log left out, it was not read", lines=left_out)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # somebody else made it non-blocking
            select.select([], [descriptor], [])
        except OSError:  # nobody will ever read it
            return


def set_up(level: str, renderer: str) -> None:
    """Send every event of at least this level to standard error."""
    import structlog  # noqa: PLC0415 - as above

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
    ]
    handler = _Background(sys.stderr.fileno() if sys.stderr else os.open(os.devnull, os.O_WRONLY))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(renderer)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING if level == "warn" else level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(root.level),  # what is not logged costs next to nothing
        cache_logger_on_first_use=False,
    )
