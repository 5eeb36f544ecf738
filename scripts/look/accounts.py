"""The made-up accounts: who they are, what they live through, and until when they did before.

A behaviour is one of the simulator's: what an account does by the seconds from now, negative for what was before.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, count, islice, pairwise

from sms_credit_core import PROVIDERS, Limits, Value
from sms_credit_exporter.simulator.behaviour import Act, Behaviour, Canned, Live, NoAnswer

MINUTE, HOUR, DAY = 60, 3600, 86400

_NOW = time.time()
"""Unix time by which it is day or night."""

_QUIET_AT_NIGHT = 0.8
"""How much the spending swings around its mean in the course of a day, as a share of the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUp:
    """One account."""

    name: str
    provider: str
    behaviour: Behaviour
    limits: Limits = field(default_factory=Limits)


def _spent(per_day: float, seconds: float) -> float:
    """Return what is spent from now until so many seconds from now; more by day than by night."""

    def until(moment: float) -> float:
        days = moment / DAY
        return per_day * (days - _QUIET_AT_NIGHT / math.tau * math.sin(math.tau * days))

    return until(_NOW + seconds) - until(_NOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """A balance that is spent, and topped up whenever it comes down to a floor; a behaviour."""

    left: float
    """What there is now."""
    per_day: float
    floor: float = 100
    top_up: float = 1000
    quota: float | None = None
    """Messages that one unit of money pays for, where the provider says so."""
    payload: str = "healthy"

    def __call__(self, seconds: float) -> Live:
        """Return the balance so many seconds from now."""
        above = (self.left - self.floor - _spent(self.per_day, seconds)) % self.top_up
        balance = Decimal(self.floor + above).quantize(Decimal("0.01"))
        messages = None if self.quota is None else int(float(balance) * self.quota)
        return Live(balance=balance, quota=messages, payload=self.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Messages that are bought and used up; a behaviour."""

    left: int
    per_day: float
    bought: int = 5000

    def __call__(self, seconds: float) -> Live:
        """Return the messages so many seconds from now."""
        return Live(balance=Decimal(0), quota=int((self.left - _spent(self.per_day, seconds)) % self.bought))


def _falling(*points: tuple[float, float], quota: float | None = None) -> Behaviour:
    """Return a balance that runs straight from point to point: seconds from now, and what there is then."""

    def behaviour(seconds: float) -> Live:
        (begin, most), (end, least) = next(
            ((a, b) for a, b in pairwise(points) if a[0] <= seconds < b[0]), (points[-1],) * 2
        )
        share = (seconds - begin) / (end - begin) if end > begin else 0
        balance = most + (least - most) * share
        return Live(
            balance=Decimal(balance).quantize(Decimal("0.01")), quota=None if quota is None else int(balance * quota)
        )

    return behaviour


def _since(seconds: float, act: Act, before: Behaviour) -> Behaviour:
    """Return what behaves otherwise since so many seconds ago."""
    return lambda moment: act if moment >= -seconds else before(moment)


def _now_and_then(act: Act, otherwise: Behaviour) -> Behaviour:
    """Return what does something else for an hour of each five."""
    return lambda moment: act if moment // HOUR % 5 == 0 else otherwise(moment)


def _limits(low_balance: int) -> Limits:
    return Limits(low_balance=Decimal(low_balance))


_IN_CREDITS = next(key for key, provider in PROVIDERS.items() if Value.CREDITS in provider.gives)

_LIRA = 8.5
"""Messages for a lira."""


def _cast() -> Iterator[MadeUp]:
    """Return one account in each kind of trouble, and a few in none."""
    yield MadeUp(
        name="shop-codes",
        provider="23telecom",
        behaviour=Money(left=612, per_day=190, floor=180),
        limits=Limits(low_balance=Decimal(200), low_runway=2.0 * DAY, message_price=Decimal("0.021")),
    )
    yield MadeUp(
        name="on-call",
        provider="23telecom",
        behaviour=_falling((-40 * DAY, 410), (-50 * MINUTE, 0), (DAY, -3)),
        limits=_limits(20),
    )
    yield MadeUp(
        name="password-resets",
        provider="iletimerkezi",
        behaviour=_falling((-40 * DAY, 52_000), (-3 * HOUR, 9_800), (0, 3_100), (DAY, 0), quota=_LIRA),
    )
    yield MadeUp(
        name="alarm-system",
        provider="iletimerkezi",
        behaviour=Messages(left=640, per_day=160),
        limits=Limits(low_quota=750),
    )
    yield MadeUp(
        name="courier-app",
        provider="iletimerkezi",
        behaviour=_since(5 * HOUR, Canned("error_401"), Money(left=900, per_day=40, quota=_LIRA)),
        limits=Limits(low_quota=500),
    )
    yield MadeUp(
        name="clinic-reminders",
        provider="iletimerkezi",
        behaviour=_since(2 * HOUR, NoAnswer.CUT, Money(left=620, per_day=95, quota=_LIRA)),
        limits=_limits(250),
    )
    yield MadeUp(
        name="reservations",
        provider="23telecom",
        behaviour=Money(left=305, per_day=30, payload="partial"),
        limits=_limits(100),
    )
    yield MadeUp(name="warehouse", provider="twilio", behaviour=Money(left=96, per_day=38, floor=20, top_up=250))
    yield MadeUp(name="new-branch", provider="23telecom", behaviour=lambda _: Canned("onboarding"))
    yield MadeUp(
        name="marketing", provider=_IN_CREDITS, behaviour=Money(left=1630, per_day=210, floor=500, top_up=2000)
    )


_Kind = Callable[[int], tuple[str, Behaviour, Limits]]
"""Makes a provider, a behaviour and limits of the number of a customer."""

_TROUBLE: tuple[_Kind, ...] = (
    lambda n: (
        "23telecom",
        _now_and_then(Canned("error_rate_limit_exceeded"), Money(left=300 + n, per_day=45)),
        _limits(90),
    ),
    lambda _: ("23telecom", lambda _: Canned("error_ip_not_allowed"), Limits()),
    lambda n: ("iletimerkezi", Money(left=120 + n % 70, per_day=5, floor=90, quota=_LIRA), _limits(300)),
    lambda n: (
        "iletimerkezi",
        _since(n * MINUTE, Canned("error_503_html"), Money(left=500 + n, per_day=20, quota=_LIRA)),
        Limits(),
    ),
)
_IN_TROUBLE = 12
"""One in so many of a crowd."""

_HEALTHY: tuple[_Kind, ...] = (
    lambda n: ("23telecom", Money(left=400 + 7 * n % 900, per_day=9 + n % 31), _limits(100 + n % 5 * 20)),
    lambda n: ("iletimerkezi", Money(left=300 + 11 * n % 900, per_day=4 + n % 17, quota=_LIRA), _limits(150)),
    lambda n: ("twilio", Money(left=200 + 5 * n % 800, per_day=2 + n % 11), Limits()),
)


def _crowd() -> Iterator[MadeUp]:
    """Return customers without end, most of them healthy."""
    for number in count(1):
        turn, place = divmod(number, _IN_TROUBLE)
        kinds, chosen = (_HEALTHY, number) if place else (_TROUBLE, turn)
        provider, behaviour, limits = kinds[chosen % len(kinds)](number)
        yield MadeUp(name=f"customer-{number:03}", provider=provider, behaviour=behaviour, limits=limits)


def accounts(number: int) -> tuple[MadeUp, ...]:
    """Return so many accounts, those with stories first."""
    return tuple(islice(chain(_cast(), _crowd()), number))
