"""Changes that no test can notice, each with the reason."""

from collections.abc import Mapping

EQUIVALENT: Mapping[tuple[str, tuple[str, ...]], str] = {}
"""The reason, by the function and its changed lines."""
