"""Made-up histories of accounts, each wholly given by its kind and its seed, with the truth that no estimator sees."""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

MINUTE, HOUR, DAY, WEEK = 60.0, 3600.0, 86400.0, 604800.0
SLOT = 5 * MINUTE
"""Spending is made up for each of these; within one it flows evenly."""
SLOTS = int(DAY / SLOT)
TAIL = 35
"""Days after the last reading for which spending is made up, so that the truth is known; what lies beyond is taken to
go on as these days did."""
MONDAY = 1_767_571_200.0
"""Unix seconds of a Monday's midnight (UTC)."""

Demand = list[float]
"""Messages that somebody wants to send in each slot, whether or not the credit suffices."""
Shape = Callable[[float], float]
"""How busy an account is at a moment (Unix seconds), against its usual."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a poll read, and what was to come."""

    at: float
    """Unix seconds."""
    amount: float
    lasts: float
    """Seconds until the spending to come would have used the amount up."""


@dataclass(frozen=True, slots=True)
class History:
    """The readings of one account, and when it spent far more than ever before."""

    kind: str
    readings: tuple[Reading, ...]
    rushes: tuple[tuple[float, float], ...]
    """Begin and end, in Unix seconds, of what is to be seen."""
    doubtful: tuple[tuple[float, float], ...]
    """Likewise, of what may be seen as well as not."""


@dataclass(frozen=True, slots=True)
class Burst:
    """Spending beside the usual."""

    begin: float
    """Unix seconds."""
    hours: float
    size: float
    """How many times the messages of the busiest usual hour it adds in an hour."""
    seen: bool | None = True
    """Whether it is to be seen as unusual; None where either will do."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How the histories of a kind are made; what is left out is ordinary."""

    shape: Callable[[Random], Shape]
    messages: tuple[float, float] = (50, 20_000)
    """A day, from and to."""
    bursts: Callable[[Random, float], Iterable[Burst]] = lambda _random, _start: ()
    days: int = 28
    poll: float = 5 * MINUTE
    lasts: tuple[float, ...] = (4, 14, 45)
    """Days for which a top-up is about enough."""
    topped_up_at: float = 0.15
    """The share of that at which it is topped up."""
    refresh: float = 0.0
    """Seconds between two moments at which the provider updates the balance."""
    unit: float = 0.0
    """The amount in which the balance is shown, in messages; zero is exact."""
    fee: float = 0.0
    """What is charged each midnight, in days' spending."""
    refunds: float = 0.0
    """The share of what was spent that comes back, some hours later."""
    outages: tuple[float, ...] = ()
    """Hours that each of the outages lasts."""
    topped_up_in_outages: bool = False
    noise: float = 1.0
    """How much days and hours differ by chance."""
    demand: Callable[[Random], Demand] | None = None
    """Demand in place of what shape and messages give."""


def poisson(random: Random, mean: float) -> float:
    """Return a number of messages."""
    if mean > 50:
        return max(0.0, round(random.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, random.random()
    while product > limit:
        count += 1
        product *= random.random()
    return float(count)


def steady(_random: Random) -> Shape:
    """Round the clock, a little less at night."""
    return lambda at: 1.0 + 0.3 * math.sin(math.tau * (at % DAY / DAY - 0.4))


def office(random: Random) -> Shape:
    """Only in working hours, five days a week, and a trickle else."""
    begin, end, night = 5 + random.random() * 4, 15 + random.random() * 4, random.choice([0.0, 0.02, 0.05])
    return lambda at: 1.0 if at_work(at, begin, end) else night


def at_work(at: float, begin: float, end: float) -> bool:
    """Whether a moment is in working hours."""
    return (at - MONDAY) % WEEK < 5 * DAY and begin <= at % DAY / HOUR < end


def leisure(random: Random) -> Shape:
    """By day and in the evening, and most of all at weekends."""
    weekend = 2 + random.random() * 2
    return lambda at: (0.05 if at % DAY < 7 * HOUR else 1.0) * (weekend if (at - MONDAY) % WEEK >= 5 * DAY else 1.0)


def growing(daily: float) -> Callable[[Random], Shape]:
    """Return shapes that grow from day to day by a share."""

    def shape(random: Random) -> Shape:
        under = random.choice([steady, office])(random)
        begun = MONDAY + DAY * 7
        return lambda at: under(at) * (1 + daily) ** ((at - begun) / DAY)

    return shape


def stepping(factor: float) -> Callable[[Random], Shape]:
    """Return shapes that change for good, one day."""

    def shape(random: Random) -> Shape:
        under = random.choice([steady, office, leisure])(random)
        changes = MONDAY + DAY * random.uniform(17, 25)
        return lambda at: under(at) * (factor if at > changes else 1)

    return shape


def any_shape(random: Random) -> Shape:
    """One of the usual shapes."""
    return random.choice([steady, office, leisure])(random)


def one_campaign(random: Random, start: float) -> Iterator[Burst]:
    """Send to everybody, once, by day."""
    day = start // DAY * DAY + DAY * random.randrange(9, 24)
    yield Burst(day + random.uniform(7, 15) * HOUR, random.uniform(1, 5), random.uniform(6, 25))


def weekly_campaigns(random: Random, start: float) -> Iterator[Burst]:
    """Send to everybody each week at about the same time."""
    day = start // DAY * DAY + DAY * random.randrange(3, 7) + random.uniform(7, 15) * HOUR
    hours, size = random.uniform(1, 4), random.uniform(6, 25)
    for week in range(9):
        at = day + week * WEEK + random.uniform(-0.7, 0.7) * HOUR
        seen = True if week == 0 else None if week == 1 else False
        yield Burst(at, hours * random.uniform(0.8, 1.25), size * random.uniform(0.75, 1.3), seen)


def fraud(random: Random, start: float) -> Iterator[Burst]:
    """Somebody pumps messages, from some night on until the credit is gone, or until it is noticed."""
    day = start // DAY * DAY + DAY * random.randrange(9, 24)
    hours = random.choice([6, 10, 30, 60])
    yield Burst(day + random.uniform(0, 5) * HOUR, hours, random.uniform(6, 40))


def rare(random: Random) -> Demand:
    """About one message a week."""
    demand = [0.0] * (SLOTS * (28 + 14 + TAIL * 4))
    at = random.uniform(0.5, 5) * DAY
    while at < len(demand) * SLOT:
        demand[int(at / SLOT)] += 1
        at += WEEK + random.uniform(-1.5, 1.5) * DAY
    return demand


KINDS: Mapping[str, Kind] = {
    "steady": Kind(shape=steady),
    "steady, few messages": Kind(shape=steady, messages=(4, 30)),
    "working hours": Kind(shape=office),
    "working hours, few messages": Kind(shape=office, messages=(4, 30)),
    "weekends": Kind(shape=leisure),
    "one campaign": Kind(shape=any_shape, bursts=one_campaign),
    "weekly campaigns": Kind(shape=any_shape, bursts=weekly_campaigns),
    "growth of 2 % a day": Kind(shape=growing(0.02)),
    "growth of 5 % a day": Kind(shape=growing(0.05), lasts=(4, 14)),
    "shrinking by 3 % a day": Kind(shape=growing(-0.03), lasts=(4, 14)),
    "a step up": Kind(shape=stepping(2.0)),
    "a step down": Kind(shape=stepping(0.5)),
    "fraud": Kind(shape=any_shape, bursts=fraud, lasts=(14, 45)),
    "small top-ups": Kind(shape=any_shape, lasts=(0.6, 1.5, 3), topped_up_at=0.3),
    "large top-ups": Kind(shape=any_shape, lasts=(30, 60)),
    "runs dry": Kind(shape=any_shape, lasts=(4, 8), topped_up_at=-1.0),
    "outages": Kind(shape=any_shape, outages=(1, 5, 12, 26, 48)),
    "top-ups in outages": Kind(shape=any_shape, outages=(1, 3, 6, 12, 24, 30), topped_up_in_outages=True),
    "hourly refresh": Kind(shape=any_shape, refresh=HOUR),
    "whole units": Kind(shape=any_shape, messages=(50, 2000), unit=20.0),
    "daily fees": Kind(shape=any_shape, fee=0.5, messages=(20, 2000)),
    "refunds": Kind(shape=any_shape, refunds=0.05),
    "rare use": Kind(shape=steady, demand=rare, messages=(1 / 7, 1 / 7), lasts=(35, 70), days=42),
    "polled hourly": Kind(shape=any_shape, poll=HOUR),
    "polled hourly, fraud": Kind(shape=any_shape, poll=HOUR, bursts=fraud, lasts=(14, 45)),
    "SMS credits": Kind(shape=any_shape, messages=(200, 20_000), unit=1.0),
    "the first three days": Kind(shape=any_shape, days=3),
}


def history(name: str, seed: int, noise: float = 1.0) -> History:
    """Make one history, in which days and hours differ by so many times what they usually do."""
    kind, random = replace(KINDS[name], noise=noise), Random(f"{name}/{seed}")  # noqa: S311 - the same each time is what is wanted
    start = MONDAY + random.randrange(7 * 24) * HOUR
    slots = (kind.days + TAIL * (4 if kind.demand else 1)) * SLOTS
    messages = math.exp(random.uniform(*(math.log(limit) for limit in kind.messages)))
    demand, rushes, doubtful = _demand(kind, random, start, slots, messages)
    enough = messages * random.choice(kind.lasts)
    balances = _balances(kind, random, demand, enough, messages)
    spends = list(accumulate(demand, initial=0.0))
    return History(name, tuple(_readings(kind, random, start, spends, balances)), tuple(rushes), tuple(doubtful))


def _demand(
    kind: Kind, random: Random, start: float, slots: int, messages: float
) -> tuple[Demand, list[tuple[float, float]], list[tuple[float, float]]]:
    if kind.demand:
        return kind.demand(random)[:slots], [], []
    shape = kind.shape(random)
    week = [shape(MONDAY + 10 * DAY + slot * HOUR / 4) for slot in range(7 * 96)]
    unit = messages / SLOTS / (sum(week) / len(week))
    means, day, hour = [], 1.0, 1.0
    for slot in range(slots):
        if slot % SLOTS == 0:
            day = random.lognormvariate(-0.01, 0.15 * kind.noise)
        if slot % 12 == 0:
            hour = random.lognormvariate(-0.02, 0.2 * kind.noise)
        means.append(unit * shape(start + slot * SLOT) * day * hour)
    rushes: list[tuple[float, float]] = []
    doubtful: list[tuple[float, float]] = []
    for burst in kind.bursts(random, start):
        begin, end = int((burst.begin - start) / SLOT), int((burst.begin - start + burst.hours * HOUR) / SLOT) + 1
        for slot in range(begin, min(end, slots)):
            means[slot] += burst.size * unit * max(week)
        if end < kind.days * SLOTS and burst.seen is not False:
            (doubtful if burst.seen is None else rushes).append((start + begin * SLOT, start + end * SLOT))
    demand = [poisson(random, mean) for mean in means]
    if kind.fee:
        for slot in range(slots):
            demand[slot] += kind.fee * messages * ((start + slot * SLOT) % DAY == 0)
    return demand, rushes, doubtful


def _balances(kind: Kind, random: Random, demand: Demand, enough: float, messages: float) -> list[float]:
    """Return the true balance at the begin of each slot, in messages; top-ups and refunds included."""
    balance, balances, low = enough * random.uniform(0.4, 1.0), [], enough * kind.topped_up_at
    due, back = math.inf, dict[int, float]()
    for slot in range(kind.days * SLOTS + 1):
        balances.append(balance)
        wanted = demand[slot]
        sent = min(wanted, max(0.0, math.floor(balance)))
        balance -= sent
        if kind.refunds and random.random() < 0.01:
            back[slot + random.randrange(12, 72)] = kind.refunds * messages * random.uniform(0.5, 1.5)
        balance += back.pop(slot, 0.0)
        if due == math.inf and balance <= max(low, wanted):
            due = slot + random.randrange(1, 36)
        if slot >= due:
            balance += math.ceil(enough * random.uniform(0.8, 1.2))
            due = math.inf
    return balances


def _readings(
    kind: Kind, random: Random, start: float, spends: list[float], balances: list[float]
) -> Iterator[Reading]:
    price = random.choice([1.0]) if kind.unit == 1.0 else round(random.uniform(0.01, 0.06), 4)
    end = kind.days * DAY
    outages = [(random.uniform(2 * DAY, end - 3 * DAY), hours * HOUR) for hours in kind.outages]
    tail = (spends[-1] - spends[-28 * SLOTS - 1]) / (28 * DAY)
    phase = random.uniform(0, HOUR)
    added: list[tuple[float, float]] = []
    if kind.topped_up_in_outages:
        size = max(balances) / 2
        added = [(begin + length * random.random(), size) for begin, length in outages]
    polled = 0.0
    while polled < end:
        at = polled + random.uniform(0, 10)
        polled += kind.poll
        if random.random() < 0.01 or any(begin <= at < begin + length for begin, length in outages):
            continue
        shown = at if not kind.refresh else max(0.0, (at - phase) // kind.refresh * kind.refresh + phase)
        slot, part = divmod(shown / SLOT, 1)
        balance = balances[int(slot)] + part * (balances[min(int(slot) + 1, len(balances) - 1)] - balances[int(slot)])
        balance += sum(size for moment, size in added if moment <= shown)
        amount = math.floor(balance / kind.unit) * kind.unit if kind.unit else balance
        # The truth is that of the balance as it is shown, as of the moment at which it was read.
        slot, part = divmod(at / SLOT, 1)
        spent = spends[int(slot)] + part * (spends[int(slot) + 1] - spends[int(slot)])
        gone = bisect_left(spends, spent + amount)
        lasts = (
            gone * SLOT - at if gone < len(spends) else len(spends) * SLOT - at + (spent + amount - spends[-1]) / tail
        )
        yield Reading(start + at, round(amount * price, 4), max(0.0, lasts))
