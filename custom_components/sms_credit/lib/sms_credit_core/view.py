"""The account as it is at a moment: all that a product shows of it is decided here, once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from .account import DEFAULT_STALE_AFTER, Account
from .instant import Instant
from .ledger import Ledger
from .provider import Provider, can_give
from .reading import Limit, Limits, Quality, Reading, Value
from .status import OUTAGES, REFUSALS, Status

BLOCKED, LOW, UNUSUAL, STALE = "blocked", "low", "unusual", "stale"

_READ = tuple(quality.status for quality in Quality)

URGENCY: Mapping[str, tuple[str, ...]] = {
    "blocked": (BLOCKED,),
    "refused": REFUSALS,
    "low": (LOW,),
    "unusual": (UNUSUAL,),
    "failing": OUTAGES,
    "waiting": (STALE, *(status for status in Status if status not in {*REFUSALS, *OUTAGES, *_READ})),
    "partial": (Status.PARTIAL,),
    "fresh": (Status.FRESH,),
}
"""Each word that can stand for an account, by how urgent it is, the most urgent first."""

RANKS = {word: rank for rank, words in enumerate(URGENCY.values()) for word in words}
"""How urgent each word is: the most urgent have 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """One account as it is at a moment."""

    provider: Provider
    limits: Limits
    account: Account
    now: Instant
    stale_after: float = DEFAULT_STALE_AFTER
    """Seconds."""

    @property
    def status(self) -> Status:
        """What the last poll came to."""
        return self.account.status

    @property
    def known(self) -> Reading | None:
        """The values that may be shown, the quota priced; None where there are none, or where they are too old."""
        reading = self.account.known(self.now, self.stale_after)
        return self.limits.priced(reading) if reading else None

    @property
    def freshness(self) -> tuple[bool, bool]:
        """What time alone can change in the view: whether values are known, and whether a forecast is."""
        account, ledger = self.account, self.account.ledger
        is_known = account.known(self.now, self.stale_after) is not None
        return is_known, bool(is_known and ledger and ledger.at.age(self.now) <= self.stale_after)

    @property
    def unchanged_until(self) -> Instant:
        """The moment until which time alone changes nothing in `freshness`; either clock may get there first."""
        account, ledger = self.account, self.account.ledger
        moments = [moment for moment in (account.read_at, ledger and ledger.at) if moment]
        young = [moment for moment in moments if moment.age(self.now) <= self.stale_after]
        return Instant.earliest(moment.after(self.stale_after) for moment in young)

    @property
    def held(self) -> bool:
        """Whether the known values are older than the last poll."""
        return self.known is not None and self.account.problem is not None

    @property
    def currency(self) -> str | None:
        """The account's currency, which stays known when its balance does not."""
        return self.account.reading.currency if self.account.reading else self.provider.currency

    @property
    def blocked(self) -> bool | None:
        """Whether the provider refuses to send for lack of credit; None while that is not known."""
        return self.known.credit_blocked if self.known else None

    @property
    def reached(self) -> Mapping[Limit, bool]:
        """Whether each limit is reached, or was when that could last be told; not for one of which nothing is known."""
        return self.account.judged(self.limits).low

    @property
    def low(self) -> bool | None:
        """Whether any limit is reached; None where that could never be told."""
        return any(self.reached.values()) if self.reached else None

    @property
    def runway(self) -> float | None:
        """Seconds from the last reading until nothing is left, at the expected pace; None while that is not known."""
        ledger = self._ledger
        lasts = ledger.lasts if ledger else None
        return None if lasts == math.inf else lasts

    @property
    def empty_at(self) -> float | None:
        """When nothing will be left, at the expected pace, in Unix seconds; None while that is not known."""
        runway, ledger = self.runway, self._ledger
        return None if runway is None or ledger is None else ledger.at.unix + runway

    @property
    def spent_today(self) -> Decimal | None:
        """Spent since the last reading before this day, in the ledger's unit; None while that is not known."""
        ledger = self._ledger
        return ledger.spent_on(self.now.day) if ledger else None

    @property
    def unusual(self) -> bool | None:
        """Whether the account spends far faster than it ever has; None while that is not known."""
        ledger = self._ledger
        return ledger.unusual if ledger else None

    @property
    def _ledger(self) -> Ledger | None:
        """The ledger while what it foretells may be shown."""
        return self.account.ledger if all(self.freshness) else None

    @property
    def words(self) -> tuple[str, ...]:
        """The words that stand for the account, the most urgent first."""
        news = ((BLOCKED, self.blocked), (LOW, self.low), (UNUSUAL, self.unusual))
        words = [word for word, holds in news if holds]
        # A reading that has grown old says nothing of the account any more, however good it was.
        state = STALE if self.status in _READ and self.known is None else self.status
        if not words or state != Status.FRESH:  # beside bad news of the credit, a fresh reading is no news
            words.append(state)
        return tuple(sorted(words, key=RANKS.__getitem__))

    def gives(self, value: Value) -> bool:
        """Whether the account can ever have this value."""
        return can_give(self.provider, value, priced=self.limits.message_price is not None)
