"""Logging to standard error: one event a line, in logfmt or JSON, from the exporter and its libraries alike."""

import logging
import re
import sys
from collections.abc import Mapping, Sequence

import structlog
from structlog.typing import EventDict, Processor

LEVELS = ("debug", "info", "warn", "error")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
"""All but the line feed, which the renderer escapes itself."""


def _one_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Write control characters as escapes: a carriage return would hide the line, others would colour a terminal."""
    return {
        key: _CONTROL.sub(lambda match: repr(match[0])[1:-1], value) if isinstance(value, str) else value
        for key, value in event.items()
    }


FORMATS: Mapping[str, Sequence[Processor]] = {
    "logfmt": (_one_line, structlog.processors.LogfmtRenderer(key_order=["ts", "level", "event"], bool_as_flag=False)),
    "json": (structlog.processors.JSONRenderer(ensure_ascii=False),),
}

_CHATTY = ("httpx", "httpcore")
"""They log URLs and headers, which can hold credentials."""


def set_up(level: str, renderer: str) -> None:
    """Send every event of at least this level to standard error."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *FORMATS[renderer]],
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
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
