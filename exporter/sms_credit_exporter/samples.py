"""The samples of one account as text: what prometheus-client writes of them, at a small part of its cost.

Its own writer escapes and checks every label of every sample anew. Here the labels of an account are written once.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from prometheus_client.utils import floatToGoString

from .accounts import View
from .metrics import FAMILIES, Family, account_labels


def samples(view: View) -> Sequence[bytes]:
    """Return the samples of an account, metric by metric; empty text where nothing is known."""
    labels = _Labels(account_labels(view))
    return [_lines(family, labels, view).encode() for family in FAMILIES]


def _lines(family: Family, labels: "_Labels", view: View) -> str:
    before, after = labels.around(family.label)
    start = f"{family.name}{{{before}"
    return "".join(
        f"{start}{_escaped(word)}{after}}} {_number(value)}\n" for word, value in family.rows(view) if value is not None
    )


class _Labels:
    """An account's labels, in the order of their names."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._written = {name: f'{name}="{_escaped(text)}"' for name, text in sorted(labels.items())}
        self._around: dict[str | None, tuple[str, str]] = {None: (",".join(self._written.values()), "")}

    def around(self, own: str | None) -> tuple[str, str]:
        """Return what stands before and after the text of a metric's own label; all of it before, if it has none."""
        if own is not None and own not in self._around:
            before = [text for name, text in self._written.items() if name < own]
            after = [text for name, text in self._written.items() if name > own]
            self._around[own] = ",".join([*before, f'{own}="']), ",".join(['"', *after])
        return self._around[own]


def _number(value: float | Decimal) -> str:
    if type(value) in _WHOLE_TYPES and value in _WRITTEN:
        return _WRITTEN[int(value)]
    return _as_go(value)


def _as_go(value: float | Decimal) -> str:
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call] # the library's own way to write numbers
    return text


_WHOLE_TYPES = frozenset({bool, int})
_WRITTEN = {number: _as_go(number) for number in (0, 1)}
"""Most samples are these two. A float is not looked up: minus zero is equal to zero, but not written so."""


@lru_cache(1024)
def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
