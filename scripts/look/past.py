"""What the exporter would have shown of the accounts for days: real readings, real metrics, made-up times."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from sms_credit_core import Account, Answer, Cause, Instant, NoReading, Problem, Provider, Reading
from sms_credit_exporter.accounts import AccountConfig, View
from sms_credit_exporter.metrics import AccountCollector
from sms_credit_exporter.simulator.answers import answer
from sms_credit_exporter.simulator.behaviour import Act, Behaviour, NoAnswer
from sms_credit_exporter.trend import Trend

from .accounts import DAY, HOUR, MINUTE

_STEP = 280
"""Seconds between two readings, each of them scraped: Prometheus forgets a series after five minutes."""

_OF_ONE, _OF_MANY = 40 * DAY, 8 * DAY
"""How far back the past goes; many accounts cannot be given as much of it in a minute."""
_DENSE_OF_ONE, _DENSE_OF_MANY = 8 * DAY, 25 * HOUR
"""How much of it is read as often as in life; before that there is a reading each hour, or each six."""
_MANY = 50
"""More accounts than this are many."""


@dataclass
class Lived:
    """An account and what it does."""

    config: AccountConfig
    behaviour: Behaviour
    account: Account = field(default_factory=Account)
    trend: Trend = field(default_factory=Trend)

    def poll(self, at: Instant, seconds: float) -> None:
        """Ask the provider at a moment, so many seconds from now."""
        outcome = _outcome(self.config.provider, self.behaviour(seconds), at)
        self.account = self.account.after(outcome, at, _duration(self.config, at)).judged(self.config.limits)
        self.trend = self.trend.after(self.account.ledger)

    def view(self, now: Instant) -> View:
        """Return what is known at a moment."""
        return View.of(self.config, self.account, now, stale_after=HOUR)


def _duration(config: AccountConfig, at: Instant) -> float:
    """Return how long a poll took: some providers are slower than others, and none is always as fast."""
    return 0.08 + len(config.provider.key) / 60 + crc32(f"{config.name}{at.unix}".encode()) % 100 / 400


def _outcome(provider: Provider, act: Act, at: Instant) -> Reading | Problem:
    if isinstance(act, NoAnswer):
        return NoReading(Cause.CONNECTION_CUT).problem
    told = answer(provider.key, act, at.unix)
    try:
        return provider.read(Answer(told.status, {name.lower(): value for name, value in told.headers}, told.body))
    except NoReading as no_reading:
        return no_reading.problem


def moments(number: int) -> Sequence[float]:
    """Return when everything is read and scraped, in seconds from now, the oldest first."""
    past, dense, sparse = (_OF_MANY, _DENSE_OF_MANY, 6 * HOUR) if number > _MANY else (_OF_ONE, _DENSE_OF_ONE, HOUR)
    return (*range(-past, -dense, sparse), *range(-dense, -MINUTE, _STEP))


def lived(accounts: Sequence[Lived], now: Instant, labels: Mapping[str, str], file: Path) -> None:
    """Let the accounts live until now, and write what a Prometheus would have scraped of them, as OpenMetrics."""
    current = now

    def views() -> Iterable[View]:
        return [each.view(current) for each in accounts]

    collector = AccountCollector(views)
    write = _writer(labels)
    with file.open("w") as out:
        for seconds in moments(len(accounts)):
            current = Instant(now.unix + seconds, now.monotonic + seconds)
            for each in accounts:
                each.poll(current, seconds)
            moment = f" {current.unix:.0f}\n"
            out.writelines(line + moment for line in write(collector))
            out.writelines(line + moment for line in _of_exporter(labels, current))
        out.write("# EOF\n")


def _writer(labels: Mapping[str, str]) -> Callable[[AccountCollector], Iterator[str]]:
    """Return what writes samples without their times; it writes the labels of each series only once."""
    written: dict[object, str] = {}

    def write(collector: AccountCollector) -> Iterator[str]:
        for metric in collector.collect():
            for sample in metric.samples:
                key = sample.name, *sample.labels.values()
                series = written.get(key) or written.setdefault(key, _series(sample.name, {**sample.labels, **labels}))
                yield f"{series} {sample.value}"

    return write


def _of_exporter(labels: Mapping[str, str], at: Instant) -> Iterator[str]:
    yield f"{_series('up', labels)} 1"
    yield f"{_series('process_resident_memory_bytes', labels)} {48e6 + at.unix % HOUR * 400:.0f}"


def _series(name: str, labels: Mapping[str, str]) -> str:
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"
