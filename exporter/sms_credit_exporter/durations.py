"""Durations as Prometheus writes them: 90s, 5m, 1h30m."""

import re

_MILLISECONDS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _MILLISECONDS))


def parse_duration(text: str) -> float | None:
    """Return seconds, or None if the text is not a duration. Units go from large to small, each once."""
    match = _DURATION.fullmatch(text) if text else None
    if match is None:
        return None
    return sum(int(count) * size for count, size in zip(match.groups("0"), _MILLISECONDS.values(), strict=True)) / 1000


def duration_text(seconds: float) -> str:
    """Return seconds as a duration in the fewest units."""
    milliseconds, parts = round(seconds * 1000), []
    for unit, size in _MILLISECONDS.items():
        count, milliseconds = divmod(milliseconds, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
