"""Durations as Prometheus writes them: 90s, 5m, 1h30m."""

import re

_SECONDS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _SECONDS))


def parse_duration(text: str) -> float | None:
    """Return seconds, or None if the text is not a duration. Units go from large to small, each once."""
    match = _DURATION.fullmatch(text) if text else None
    return (
        sum(int(count) * size for count, size in zip(match.groups("0"), _SECONDS.values(), strict=True))
        if match
        else None
    )


def duration_text(seconds: float) -> str:
    """Return seconds as a duration in the fewest units."""
    milliseconds, parts = round(seconds * 1000), []
    for unit, size in _SECONDS.items():
        count, milliseconds = divmod(milliseconds, round(size * 1000))
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
