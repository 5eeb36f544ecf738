"""Labels that a user gives to accounts: a team, a customer. All series of an account have them.

All accounts show the same label names, as OpenMetrics wants of a metric; one that an account was not given is empty,
which to Prometheus is the same as not there.
"""

import re
from collections.abc import Mapping
from functools import cache

from . import values

MOST = 20
"""Different label names in one configuration. Each takes room in every series of every account."""

_MAX_VALUE = 128
"""Characters."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
"""As Prometheus has them, without a leading underscore: those are OpenMetrics' own."""
_RENAMED = "exported_"
"""What Prometheus puts before a label that the target has too."""

_OF_OTHERS = {
    **dict.fromkeys(("job", "instance", "pod"), "Prometheus gives it to the exporter itself"),
    **dict.fromkeys(("alertname", "alertstate", "severity"), "it belongs to alerts"),
}


@cache
def _taken() -> Mapping[str, str]:
    """Return why a label name cannot be used, by name."""
    from ..metrics import LABELS  # noqa: PLC0415 - Prometheus' library takes long, and few configurations have labels

    return {**dict.fromkeys(LABELS, "the metrics have one of that name"), **_OF_OTHERS}


def check(value: object) -> Mapping[str, str]:
    """Accept the labels of one account."""
    if not isinstance(value, dict):
        values.refuse("must be a mapping of names to text, such as team: payments")
    if len(value) > MOST:
        values.refuse(f"has {len(value)} labels; must be at most {MOST}")
    return values.each(value, _label)


def _label(name: str, value: object) -> str:
    if not _NAME.fullmatch(name):
        values.refuse("is no label name; must be 1 to 64 letters, digits and underscores, a letter first")
    if why := _taken().get(name):
        values.refuse(f"cannot be used: {why}")
    if name.startswith(_RENAMED):
        values.refuse(f"cannot be used: with {_RENAMED} Prometheus renames labels that the exporter's target has too")
    return values.text(value, _MAX_VALUE)
