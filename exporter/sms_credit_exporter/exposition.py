"""The text of a scrape.

It is put together from what the board shows, metric by metric as the formats want it: the head of a metric, then its
samples of every account. No account is looked at but those that time alone may have changed.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from sms_credit_core import Instant

from .accounts import View
from .board import Board
from .member import Compressing, Part, member
from .metrics import FAMILIES
from .negotiation import Format
from .sharing import Slices

RENDERERS: Mapping[Format, Callable[[Collector], bytes]] = {
    Format.TEXT: generate_latest,
    Format.OPENMETRICS: generate_openmetrics,
}
"""The two differ in heads and ends; samples such as ours, without time stamps and exemplars, read the same in both."""

_COMPRESSED_TOGETHER = 500
"""Accounts times metrics that are compressed as one at least. Much shorter texts would hardly get shorter."""

Text = Sequence[bytes]
"""A text in pieces, most of which are kept, and shared by all who are sent it."""


@dataclass(frozen=True, slots=True)
class _Section:
    """Some metrics that are compressed as one."""

    changes: int
    """How often any of them has changed: as long as it is the same, so is the text."""
    text: Text


class Exposition:
    """Everything that a scrape gives, from memory only."""

    def __init__(self, own: CollectorRegistry) -> None:
        """Take the exporter's own metrics, which follow those of the accounts. There are no accounts yet."""
        self._own = own
        self._board = Board()
        self._parts: dict[tuple[Format, int], tuple[int, Part]] = {}
        """What was compressed of the board's sections, and how often each had changed by then."""
        self._meanwhile: dict[str, View] | None = None
        """What was shown since another board is being made; None while none is."""
        self._latest = Instant(unix=-math.inf, monotonic=-math.inf)
        """The latest moment, on each clock, of which anything is shown."""

    async def follow(self, views: Iterable[View]) -> None:
        """Show these accounts and no others from now on; one call at a time."""
        accounts, slices = [], Slices()
        self._meanwhile = {}
        for view in views:
            accounts.append((view, self._board.samples(view)))
            await slices()
        meanwhile, self._meanwhile = self._meanwhile, None
        self._board, self._parts = Board(accounts), {}
        for view in meanwhile.values():
            self.show(view)

    def show(self, view: View) -> None:
        """Show an account as it is now, if it is one of those that are shown."""
        self._latest = self._latest.or_later(view.now)
        self._board.show(view)
        if self._meanwhile is not None:
            self._meanwhile[view.config.name] = view

    async def text(self, form: Format, now: Instant) -> Text:
        """Return the text at this moment."""
        await self._look(now)
        return [*chain.from_iterable(section.text for section in self._sections(form)), RENDERERS[form](self._own)]

    async def compressed(self, form: Format, now: Instant) -> Text:
        """Return the same as one gzip member; one call at a time."""
        await self._look(now)
        sections, own, kept = self._sections(form), RENDERERS[form](self._own), self._parts
        compressing, slices, parts = Compressing(), Slices(), []
        for number, section in enumerate(sections):
            changes, part = kept.get((form, number)) or (None, None)
            if part is None or changes != section.changes:
                for text in section.text:
                    compressing.add(text)
                    await slices()
                part = compressing.part()
                kept[form, number] = section.changes, part
            parts.append(part)
        compressing.add(own)
        return [*member([*parts, compressing.part()])]

    async def _look(self, now: Instant) -> None:
        """Show what time alone has changed. Where a clock was set back, it may have changed anything."""
        latest, self._latest = self._latest, now
        await self._board.look(now, at_all=now.unix < latest.unix or now.monotonic < latest.monotonic)

    def _sections(self, form: Format) -> Sequence[_Section]:
        """Return the text of all accounts as it is at this moment."""
        heads, board = _heads(form), self._board
        size = math.ceil(_COMPRESSED_TOGETHER / max(1, len(board)))
        return [
            _Section(
                changes=sum(board.changes[start : start + size]),
                text=[
                    text
                    for metric, head in enumerate(heads[start : start + size], start)
                    for text in (head, *board.texts(metric))
                ],
            )
            for start in range(0, len(heads), size)
        ]


class _Only(Collector):
    """Just one metric, for a renderer that wants a registry."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Sequence[Metric]:
        return (self._metric,)


@cache
def _heads(form: Format) -> Sequence[bytes]:
    return [RENDERERS[form](_Only(family.metric(()))).removesuffix(b"# EOF\n") for family in FAMILIES]
