"""The accounts as they are at their providers: what they spend, what fails, and what an exporter should know of them.

Each account keeps its own books from what it was asked and what it answered, in a few numbers, by the rules of DESIGN
and README alone. The exporter's numbers are held against them.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from random import Random

from sms_credit_core import PROVIDERS, Instant, Reading, Status
from sms_credit_exporter.accounts import MIN_LOOPBACK_INTERVAL
from sms_credit_exporter.demo import reading_of
from sms_credit_exporter.simulator.behaviour import Act, Live, NoAnswer
from sms_credit_exporter.simulator.payloads import Payload, payloads
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator

from .clock import Clock

TIMEOUT = 10.0
STALE_AFTER = 3600.0
INTERVALS = (300.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
"""Seconds; what accounts are asked at. Five minutes are the default."""

_BACK_OFF = (1, 1, 2, 4)
_REFUSED = 12
_LONGEST_PAUSE = 3600.0
_JITTER = 1.05
_EARLY = 0.01
"""Seconds that two clocks may differ by over a restart."""

_LATE = 1.0
_FIRST_POLL_GAP = 1.0
"""Seconds."""

_STATUSES = {status.value: status for status in Status}
_CENT = Decimal("0.01")
_FAULTS_PER_POLL = 0.02
_FAULT_LASTS = 2700.0
"""Seconds on average."""
_NO_ANSWER = {NoAnswer.CUT: "connection_cut", NoAnswer.SILENT: "timeout"}

FIELDS = {
    "balance": ("sms_credit_balance", "sms_credit_"),
    "credits": ("sms_credit_credits", "sms_credit_credits_"),
    "quota": ("sms_credit_quota_messages", "sms_credit_messages_"),
}
"""What a provider's number is shown as, and what the counters of it begin with."""

Fault = Payload | NoAnswer


class WrongError(AssertionError):
    """What an exporter did or showed is not what it should have."""


@dataclass(frozen=True)
class Outcome:
    """What a poll comes to."""

    status: Status
    cause: str | None = None
    retry_after: float = 0.0
    amount: Decimal | None = None
    """What was told, by a good answer."""


@cache
def faults(provider: str) -> tuple[Fault, ...]:
    """Return all that can be answered that is no reading, and what can happen in place of an answer."""
    files = (each for each in payloads(provider) if each.outcome["status"] not in (Status.FRESH, Status.PARTIAL))
    return (*files, *NoAnswer)


def outcome_of(fault: Fault) -> Outcome:
    """Return what comes of a poll that meets a fault, as its file says."""
    if isinstance(fault, NoAnswer):
        return Outcome(Status.UNREACHABLE, _NO_ANSWER[fault])
    said = fault.outcome
    return Outcome(_STATUSES[said["status"]], said.get("cause"), float(said.get("retry_after") or 0))


@dataclass
class Books:
    """What an exporter should say of an account, from its first poll on."""

    polls: int = 0
    failures: dict[Status, int] = field(default_factory=dict)
    failed_in_a_row: int = 0
    last: Outcome = field(default_factory=lambda: Outcome(Status.PENDING))
    told: Decimal | None = None
    """The last amount that was told."""
    first: Decimal | None = None
    read_at: float = -math.inf
    spent: Decimal = Decimal(0)
    topped_up: Decimal = Decimal(0)

    def enter(self, outcome: Outcome, at: float) -> None:
        """Enter what a poll came to that has ended at this moment."""
        self.polls += 1
        self.last = outcome
        if outcome.status.up:
            self.failed_in_a_row = 0
        else:
            self.failed_in_a_row += 1
            self.failures[outcome.status] = self.failures.get(outcome.status, 0) + 1
        if not outcome.status.holds:
            self.read_at = -math.inf
        if outcome.amount is not None:
            self.read_at = at
            fall = Decimal(0) if self.told is None else self.told - outcome.amount
            self.first = outcome.amount if self.first is None else self.first
            self.told = outcome.amount
            self.spent += max(fall, Decimal(0))
            self.topped_up += max(-fall, Decimal(0))

    def wait(self, interval: float) -> float:
        """Return how many seconds are to pass until the next poll."""
        back_off = interval * _BACK_OFF[min(self.failed_in_a_row, 3)]
        refused = min(interval * _REFUSED, _LONGEST_PAUSE) if self.last.status is Status.AUTH_FAILED else 0.0
        return max(back_off, refused, min(self.last.retry_after, _LONGEST_PAUSE))


class Customer:
    """One account."""

    def __init__(self, world: "World", name: str, provider: str, random: Random) -> None:
        """Open it."""
        self.name, self.provider = name, provider
        self._world, self._clock, self._random = world, world.clock, random
        self.interval = random.choice(INTERVALS)
        self.team = "a"
        self.low_balance = Decimal(random.randrange(20, 80))
        self.books = Books()
        self.configured = True
        self.polls = self.calls = 0
        """In all its life; a poll can take two calls."""
        self.changes = 0
        """How often another status, or another cause of it, was to be told."""
        self._amount = Decimal(random.randrange(5_000, 40_000)) / 100
        self._rate = random.choice((0.0, 0.2, 1.0, 6.0))
        """Per hour."""
        self._spent_until = self._clock.now
        self._fault: Fault | None = None
        self._fault_until = 0.0
        self._asked: float | None = None
        """When the last poll began."""
        self._ended: float | None = None
        self._under_way: tuple[Outcome, float] | None = None
        """What the poll comes to that is not in the books yet, and when it ends."""
        self._cut = False
        self._new = True
        """Whether nothing is known of it yet: then only the provider's pause counts."""
        self.simulated = world.open(self)
        read = self._reading()
        self.field = next(name for name in FIELDS if getattr(read, name) == self._amount)

    def open_anew(self) -> None:
        """Give it other credentials. For an exporter it is then another account, of which nothing is known."""
        self.abandon()
        self._world.close(self)
        self.simulated = self._world.open(self)
        self.books, self._new = Books(), True

    @property
    def pause(self) -> float:
        """Seconds that are to pass between the last poll and the next."""
        return MIN_LOOPBACK_INTERVAL if self._new else self.books.wait(self.interval)

    @property
    def _since(self) -> float:
        """When it was polled last, or asked."""
        return max(self._asked or -math.inf, self._ended or -math.inf)

    @property
    def _overdue_at(self) -> float:
        """When it is too late for the next poll."""
        return max(self._since + self.pause * _JITTER, self._world.online_since + self._world.slack) + _LATE

    @property
    def is_silent(self) -> bool:
        """Whether a request waits in vain at this moment."""
        return self._under_way is not None and self._clock.now < self._under_way[1]

    def act(self, _seconds: float) -> Act:
        """Answer a request; this is what the simulated provider calls."""
        now = self._clock.now
        self.calls += 1
        if not (self._cut and self._asked == now):
            self._begin(now)
        self._cut = False
        act, outcome, lasts = self._answer(now)
        self._cut = act is NoAnswer.CUT
        self._under_way = outcome, now + lasts
        return act

    def _begin(self, now: float) -> None:
        """Note that another poll has begun, and see to it that it comes at its time."""
        self.settle()
        if not self.configured:
            self.wrong("is polled although it is not in the configuration")
        if now - self._since < self.pause - _EARLY:
            self.wrong(f"is polled after {now - self._since:.3f} s, not {self.pause:.3f}")
        self._look_whether_late()
        self._asked, self._new = now, False
        self.polls += 1

    def _look_whether_late(self) -> None:
        """See to it that the exporter has not missed the account."""
        if self.configured and self._clock.now > self._overdue_at:
            self.wrong(f"is late by {self._clock.now - self._overdue_at:.1f} s")

    def settle(self) -> None:
        """Enter the poll that has ended."""
        if self._under_way and self._clock.now >= self._under_way[1]:
            outcome, self._ended = self._under_way
            self._under_way, self._cut = None, False
            self.changes += (outcome.status, outcome.cause) != (self.books.last.status, self.books.last.cause)
            self.books.enter(outcome, self._ended)

    def abandon(self) -> None:
        """Forget the poll under way: nobody waits for it any more. It was one all the same."""
        self.settle()
        self._under_way = None

    def _answer(self, now: float) -> tuple[Act, Outcome, float]:
        fault = self._present_fault(now)
        if fault is not None:
            self._world.faults_met[fault.name] += 1
            return fault, outcome_of(fault), TIMEOUT if fault is NoAnswer.SILENT else 0.0
        self._spend(now)
        return Live(balance=self._amount), Outcome(Status.FRESH, amount=self._amount), 0.0

    def _present_fault(self, now: float) -> Fault | None:
        if now >= self._fault_until:
            self._fault = None
            if self._random.random() < _FAULTS_PER_POLL:
                self._fault = self._random.choice(faults(self.provider))
                self._fault_until = now + self._random.expovariate(1 / _FAULT_LASTS)
        elif self._fault is NoAnswer.CUT and self._random.random() < 0.3:
            return None  # the connection holds for once
        return self._fault

    def _spend(self, now: float) -> None:
        hours = (now - self._spent_until) / 3600
        self._spent_until = now
        self._amount -= Decimal(self._rate * hours * self._random.uniform(0, 2)).quantize(_CENT)
        if self._amount < 5 or self._random.random() < 0.001:
            self._amount += Decimal(self._random.randrange(1_000, 50_000)) / 100

    def _reading(self) -> Reading:
        now = Instant(unix=self._clock.time(), monotonic=self._clock.now)
        return reading_of(PROVIDERS[self.provider], Live(balance=self._amount), now)

    def configuration(self, base_urls: Mapping[str, str]) -> Mapping[str, object]:
        """Return it as it stands in the exporter's file."""
        limit = {"low_balance": float(self.low_balance)} if self.field == "balance" else {}
        return {
            "name": self.name,
            "provider": self.provider,
            "credentials": dict(self.simulated.credentials),
            "base_url": base_urls[self.provider],
            "poll_interval": f"{self.interval:.0f}s",
            "timeout": f"{TIMEOUT:.0f}s",
            "labels": {"team": self.team},
            **limit,
        }

    def wrong(self, what: str) -> None:
        """Note what an exporter does wrong; the test fails at the next look."""
        about = f"{self.name} ({self.provider}) {what}; last {self.books.last}, at {self._clock.now:.3f}"
        self._world.wrongs.append(WrongError(about))

    def check(self, shown: Mapping[tuple[str, str], float]) -> int:
        """Hold what an exporter shows against the books. Returns the number of values that were compared."""
        self.settle()
        self._look_whether_late()
        books, expected = self.books, dict(self._counters())
        expected |= {("sms_credit_status", status.value): status is books.last.status for status in Status}
        expected |= {("sms_credit_up", ""): books.last.status.up}
        for key, value in expected.items():
            if key not in shown or shown[key] != float(value):
                self.wrong(f"shows {key} as {shown.get(key)}, not {value}")
        self._check_amount(shown)
        return len(expected) + 1

    def _counters(self) -> Iterator[tuple[tuple[str, str], float | Decimal]]:
        books, (_, prefix) = self.books, FIELDS[self.field]
        yield ("sms_credit_polls_total", ""), books.polls
        for status in Status:
            if not status.up and status is not Status.PENDING:
                yield ("sms_credit_poll_failures_total", status.value), books.failures.get(status, 0)
        if books.told is not None and books.first is not None:
            if books.spent - books.topped_up != books.first - books.told:
                self.wrong("has books that do not agree")
            yield (f"{prefix}spent_total", ""), books.spent
            yield (f"{prefix}topped_up_total", ""), books.topped_up
            if self.field == "balance":
                yield ("sms_credit_low", "balance"), books.told <= self.low_balance

    def _check_amount(self, shown: Mapping[tuple[str, str], float]) -> None:
        """See to it that the number is what was last told, and that there is one if, and only if, it is known."""
        value, age = shown.get((FIELDS[self.field][0], "")), self._clock.now - self.books.read_at
        if value is not None and (self.books.told is None or value != float(self.books.told)):
            self.wrong(f"shows {value} where {self.books.told} was told")
        if (value is None) != (age > STALE_AFTER) and abs(age - STALE_AFTER) > 1:
            self.wrong(f"shows {value}, read {age:.1f} s ago")


class World:
    """All accounts, at ten providers and more."""

    def __init__(self, clock: Clock, simulator: Simulator, accounts: int, seed: int) -> None:
        """Open the accounts, as many at one provider as at another."""
        self.clock, self._simulator = clock, simulator
        self.faults_met: Counter[str] = Counter()
        """How often each fault was met."""
        self.wrongs: list[WrongError] = []
        """What an exporter did wrong."""
        self.online_since = clock.now
        """When the exporter was started, or given another configuration."""
        self.slack = accounts * _FIRST_POLL_GAP + TIMEOUT
        """Seconds within which all accounts are polled that are due then."""
        providers = [*PROVIDERS]
        self._closed = simulator.add(providers[0])
        """Stands for every account that was closed."""
        self.customers = [
            Customer(self, f"a{number}", providers[number % len(providers)], Random(f"{seed}/{number}"))  # noqa: S311 - nothing secret about it
            for number in range(accounts)
        ]
        clock.silent = lambda: sum(customer.is_silent for customer in self.customers)

    def open(self, customer: Customer) -> SimulatedAccount:
        """Open an account at its provider."""
        return self._simulator.add(customer.provider, customer.act)

    def close(self, customer: Customer) -> None:
        """Close an account; nobody is to ask for it again."""
        accounts = self._simulator._accounts  # noqa: SLF001 - thousands that stay would be what grows
        [named] = [name for name, account in accounts.items() if account is customer.simulated]
        accounts[named] = self._closed

    def judge(self) -> None:
        """Raise what was wrong so far."""
        asked = self._closed.requests
        self.wrongs += [WrongError(f"{each.path} is asked with credentials of before") for each in asked]
        if self.wrongs:
            message = "what the exporter did wrong"
            raise ExceptionGroup(message, self.wrongs)

    def forget_requests(self) -> None:
        """Have the simulator forget what it was asked. A day of that takes nearly as much memory as all the rest."""
        self._simulator.requests.clear()
        for customer in self.customers:
            customer.simulated.requests.clear()
