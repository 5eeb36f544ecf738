"""Which exposition format and compression a scraper gets.

prometheus_client's own chooser takes the first format of the header that it knows, whatever its weight, and labels its
OpenMetrics 1.0 text with any later version that was asked for.
"""

import gzip
from collections.abc import Iterator, Mapping
from enum import Enum


class Format(Enum):
    """The formats that there are; the value is the content type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


_OFFERS = {
    ("application/openmetrics-text", "1.0.0"): Format.OPENMETRICS,
    ("application/openmetrics-text", ""): Format.OPENMETRICS,
    ("text/plain", "0.0.4"): Format.TEXT,
    ("text/plain", ""): Format.TEXT,
    ("text/*", ""): Format.TEXT,
    ("*/*", ""): Format.TEXT,
}

_GZIP_LEVEL = 4  # nearly as small as 9, several times as fast


def negotiated(accept: str) -> tuple[Format, str]:
    """Return the format that the Accept header likes best, the oldest if in doubt, and the content type to name it."""
    best, best_weight, escaping = Format.TEXT, 0.0, ""
    for kind, parameters in _items(accept):
        offer = _OFFERS.get((kind, parameters.get("version", "")))
        weight = _weight(parameters)
        if offer and weight > best_weight:
            # The names are plain words, which no escaping changes; a scraper that asked for one expects an answer.
            escaping = "; escaping=underscores" if "escaping" in parameters else ""
            best, best_weight = offer, weight
    return best, best.value + escaping


def takes_gzip(accept_encoding: str) -> bool:
    """Whether the Accept-Encoding header allows gzip."""
    weights = {kind: _weight(parameters) for kind, parameters in _items(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def compressed(body: bytes) -> bytes:
    """Return the body as gzip, always the same for the same body."""
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


def _items(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    for item in header.lower().split(","):
        kind, *rest = (part.strip() for part in item.split(";"))
        pairs = (part.partition("=") for part in rest)
        yield kind, {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _weight(parameters: Mapping[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
