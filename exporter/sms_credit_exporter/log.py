"""Logging to standard error: one event a line, in logfmt or JSON, from the exporter and its libraries alike."""

import logging
import sys
from collections.abc import Mapping

import structlog
from structlog.typing import Processor

LEVELS = ("debug", "info", "warn", "error")
FORMATS: Mapping[str, Processor] = {
    "logfmt": structlog.processors.LogfmtRenderer(key_order=["ts", "level", "event"], bool_as_flag=False),
    "json": structlog.processors.JSONRenderer(),
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
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, FORMATS[renderer]],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING if level == "warn" else level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
