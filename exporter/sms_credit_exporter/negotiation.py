"""Which exposition format and compression a scraper gets.

prometheus_client's own chooser takes the first format of the header that it knows, whatever its weight, and labels its
OpenMetrics 1.0 text with any later version that was asked for.
"""

import gzip
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_RENDERERS: Mapping[str, Callable[[CollectorRegistry], bytes]] = {
    _TEXT: generate_latest,
    _OPENMETRICS: generate_openmetrics,
}

_OFFERS = {
    ("application/openmetrics-text", "1.0.0"): _OPENMETRICS,
    ("application/openmetrics-text", ""): _OPENMETRICS,
    ("text/plain", "0.0.4"): _TEXT,
    ("text/plain", ""): _TEXT,
    ("text/*", ""): _TEXT,
    ("*/*", ""): _TEXT,
}

_GZIP_LEVEL = 4  # nearly as small as 9, several times as fast


def exposition(registry: CollectorRegistry, accept: str) -> tuple[str, bytes]:
    """Return content type and body in the format that the Accept header likes best, the oldest if in doubt."""
    best, best_weight, escaping = _TEXT, 0.0, ""
    for kind, parameters in _items(accept):
        offer = _OFFERS.get((kind, parameters.get("version", "")))
        weight = _weight(parameters)
        if offer and weight > best_weight:
            # The names are plain words, which no escaping changes; a scraper that asked for one expects an answer.
            escaping = "; escaping=underscores" if "escaping" in parameters else ""
            best, best_weight = offer, weight
    return best + escaping, _RENDERERS[best](registry)


def compressed(body: bytes, accept_encoding: str) -> tuple[dict[str, str], bytes]:
    """Return headers and body, compressed with gzip where the Accept-Encoding header allows it."""
    weights = {kind: _weight(parameters) for kind, parameters in _items(accept_encoding)}
    if weights.get("gzip", weights.get("*", 0.0)) > 0:
        return {"Content-Encoding": "gzip"}, gzip.compress(body, _GZIP_LEVEL, mtime=0)
    return {}, body


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
