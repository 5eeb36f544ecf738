"""The text of a scrape.

An account's samples are rendered when something about it has changed, not for each scrape. A scrape joins what is kept,
metric by metric as the formats want it: the head of a metric, then its samples of every account.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from sms_credit_core import Account

from .accounts import AccountConfig, View, Views
from .metrics import AccountCollector
from .negotiation import Format

RENDERERS: Mapping[Format, Callable[[Collector], bytes]] = {
    Format.TEXT: generate_latest,
    Format.OPENMETRICS: generate_openmetrics,
}
"""The two differ in heads and ends; samples such as ours, without time stamps and exemplars, read the same in both."""

_AT_A_TIME = 0.005
"""Seconds of looking at accounts before the event loop may do something else."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """One account's samples, metric by metric, and all that they depend on."""

    config: AccountConfig
    account: Account
    known: tuple[bool, bool]
    samples: Sequence[bytes]

    def shows(self, view: View, known: tuple[bool, bool]) -> bool:
        """Whether the samples are those of this view: its parts are replaced when they change, never changed."""
        return self.account is view.account and self.config is view.config and self.known == known


class Exposition:
    """Everything that a scrape gives, from memory only."""

    def __init__(self, views: Callable[[], Views], own: CollectorRegistry) -> None:
        """Take what returns the accounts, and the exporter's own metrics, which follow theirs."""
        self._views, self._own = views, own
        self._kept: Mapping[str, _Kept] = {}

    async def text(self, form: Format) -> bytes:
        """Return the text as it is now; one call at a time."""
        return _joined(_heads(form), await self._samples()) + RENDERERS[form](self._own)

    async def _samples(self) -> Sequence[Sequence[bytes]]:
        """Return the samples of every account from one consistent view of them."""
        kept: dict[str, _Kept] = {}
        until = time.monotonic() + _AT_A_TIME
        for view in tuple(self._views()):
            known, before = view.freshness, self._kept.get(view.config.name)
            if before and before.shows(view, known):
                kept[view.config.name] = before
            else:
                kept[view.config.name] = _Kept(view.config, view.account, known, _account_samples(view))
            if time.monotonic() > until:
                await asyncio.sleep(0)
                until = time.monotonic() + _AT_A_TIME
        self._kept = kept
        return [account.samples for account in kept.values()]


class _Only(Collector):
    """Just one metric, for a renderer that wants a registry."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Sequence[Metric]:
        return (self._metric,)


def _account_samples(view: View) -> Sequence[bytes]:
    metrics = AccountCollector(lambda: (view,)).collect()
    return [generate_latest(_Only(metric)).split(b"\n", 2)[2] for metric in metrics]  # below HELP and TYPE


@cache
def _heads(form: Format) -> Sequence[bytes]:
    metrics = AccountCollector(tuple).collect()
    return [RENDERERS[form](_Only(metric)).removesuffix(b"# EOF\n") for metric in metrics]


def _joined(heads: Sequence[bytes], samples: Sequence[Sequence[bytes]]) -> bytes:
    columns = ((head, *(account[number] for account in samples)) for number, head in enumerate(heads))
    return b"".join(chain.from_iterable(columns))
