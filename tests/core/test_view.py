"""The account as it is at a moment: what is known of it, which words stand for it, and what it can ever have."""

from dataclasses import replace
from decimal import Decimal

import pytest

from sms_credit_core import (
    FAILURES,
    OUTAGES,
    PROVIDERS,
    REFUSALS,
    URGENCY,
    Account,
    AccountView,
    Cause,
    Instant,
    Limit,
    Limits,
    Problem,
    Quality,
    Reading,
    Status,
    Value,
)
from tests.core.readings import READING

HOUR = 3600.0
START = Instant(unix=1_760_000_000.0, monotonic=5_000.0)

PROBLEMS = {cause.status: Problem(cause=cause) for cause in Cause}


def decimal(text: str | None) -> Decimal | None:
    """Read an amount as it stands in a table; None is none."""
    return None if text is None else Decimal(text)


def view(
    *outcomes: Reading | Problem, limits: Limits | None = None, seconds: float = 0, provider: str = "23telecom"
) -> AccountView:
    """Look at an account so many seconds after polls that came to this."""
    account = Account()
    for outcome in outcomes:
        account = account.after(outcome, START, 0.2)
    now = Instant(unix=START.unix + seconds, monotonic=START.monotonic + seconds)
    return AccountView(
        provider=PROVIDERS[provider], limits=limits or Limits(), account=account, now=now, stale_after=HOUR
    )


@pytest.mark.parametrize(
    ("balance", "quota", "low_balance", "low_quota", "low"),
    [
        pytest.param("49.99", None, "50", None, True, id="balance below"),
        pytest.param("50.00", None, "50", None, True, id="balance at the limit"),
        pytest.param("50.01", None, "50", None, False, id="balance above"),
        pytest.param("0", None, "0", None, True, id="balance of zero at a limit of zero"),
        pytest.param("0.01", None, "0", None, False, id="balance above a limit of zero"),
        pytest.param("-5", None, "-10", None, False, id="balance above a limit below zero"),
        pytest.param("10", 499, None, 500, True, id="quota below"),
        pytest.param("10", 500, None, 500, True, id="quota at the limit"),
        pytest.param("10", 501, None, 500, False, id="quota above"),
        pytest.param("10", 0, None, 0, True, id="quota of zero at a limit of zero"),
        pytest.param("49", 501, "50", 500, True, id="balance below, quota above"),
        pytest.param("51", 499, "50", 500, True, id="balance above, quota below"),
        pytest.param("51", 501, "50", 500, False, id="both above"),
        pytest.param("49", None, "50", 500, True, id="balance below, quota unknown"),
        pytest.param("51", None, "50", 500, False, id="balance above, quota unknown"),
        pytest.param("51", None, None, 500, None, id="quota unknown and the only limit"),
        pytest.param(None, None, "50", 500, None, id="credits, which no limit is about"),
        pytest.param("0", 0, None, None, None, id="no limit set"),
    ],
)
def test_low(
    balance: str | None, quota: int | None, low_balance: str | None, low_quota: int | None, *, low: bool | None
) -> None:
    """Credit is low at or below any limit, and nothing is said where nothing can be compared."""
    reading = replace(READING, balance=decimal(balance), quota=quota, credits=Decimal(7))
    limits = Limits(low_balance=decimal(low_balance), low_quota=low_quota)
    assert view(reading, limits=limits).low is low


def test_each_limit_says_for_itself_whether_it_is_reached() -> None:
    """A person is told which; a limit that nothing can be held against is not among them."""
    limits = Limits(low_balance=Decimal(20), low_quota=100, message_price=Decimal("0.1"))
    assert view(READING, limits=limits).reached == {Limit.BALANCE: True, Limit.QUOTA: False}
    unpriced = replace(limits, message_price=None)
    assert view(READING, limits=unpriced).reached == {Limit.BALANCE: True}
    assert view(PROBLEMS[Status.UNREACHABLE], limits=limits).reached == {}


@pytest.mark.parametrize("status", [status for status in FAILURES if status.holds])
def test_what_was_read_is_held_through_failures_until_it_is_stale(status: Status) -> None:
    """Its quota is priced as ever; what is too old is not known, and so not held."""
    limits = Limits(message_price=Decimal("0.1"))
    held = view(READING, PROBLEMS[status], limits=limits, seconds=HOUR)
    assert held.held
    assert held.known == replace(READING, quota=125)
    stale = view(READING, PROBLEMS[status], limits=limits, seconds=HOUR + 1)
    assert not stale.held
    assert (stale.known, stale.blocked, stale.low) == (None, None, None)
    assert not view(READING).held


def spending(*amounts: int, limits: Limits | None = None) -> AccountView:
    """Look at an account right after hourly readings of these amounts."""
    account = Account()
    for hour, amount in enumerate(amounts):
        at = Instant(unix=START.unix + hour * HOUR, monotonic=START.monotonic + hour * HOUR)
        account = account.after(replace(READING, balance=Decimal(amount)), at, 0.2)
    return AccountView(
        provider=PROVIDERS["23telecom"], limits=limits or Limits(), account=account, now=at, stale_after=HOUR
    )


QUIET = range(5000, 4700, -1)
BLOCKED = replace(READING, credit_blocked=True)
LOW = Limits(low_balance=Decimal(20))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(view(), ("pending",), id="not polled yet"),
        pytest.param(view(READING), ("fresh",), id="in good health"),
        pytest.param(view(READING, limits=LOW), ("low",), id="low: that it is fresh is no news"),
        pytest.param(view(BLOCKED), ("blocked",), id="blocked: nor is it then"),
        pytest.param(view(BLOCKED, limits=LOW), ("blocked", "low"), id="blocked and low"),
        pytest.param(
            view(replace(BLOCKED, quality=Quality.PARTIAL)), ("blocked", "partial"), id="blocked, by partial data"
        ),
        pytest.param(view(READING, seconds=HOUR + 1), ("stale",), id="read too long ago"),
        pytest.param(view(READING, limits=LOW, seconds=HOUR + 1), ("low", "stale"), id="low when it was read last"),
        pytest.param(
            view(READING, PROBLEMS[Status.AUTH_FAILED], limits=LOW), ("auth_failed", "low"), id="refused, and held low"
        ),
        pytest.param(
            view(READING, PROBLEMS[Status.UNREACHABLE], limits=LOW), ("low", "unreachable"), id="low, in an outage"
        ),
        pytest.param(
            view(READING, PROBLEMS[Status.UNREACHABLE], seconds=HOUR + 1), ("unreachable",), id="a long outage"
        ),
        pytest.param(view(READING, PROBLEMS[Status.ONBOARDING]), ("onboarding",), id="being set up"),
        pytest.param(spending(*QUIET), ("fresh",), id="spending as ever"),
        pytest.param(spending(*QUIET, 4000), ("unusual",), id="drained"),
        pytest.param(
            spending(*QUIET, 4000, limits=Limits(low_balance=Decimal(4000))),
            ("low", "unusual"),
            id="drained until it is low",
        ),
    ],
)
def test_the_words_that_stand_for_an_account(seen: AccountView, words: tuple[str, ...]) -> None:
    """The most urgent comes first."""
    assert seen.words == words


def test_when_nothing_will_be_left_is_counted_from_the_reading() -> None:
    """Not from the moment at which somebody looks."""
    seen = spending(*QUIET)
    assert seen.runway
    assert seen.empty_at == pytest.approx(seen.now.unix + seen.runway)
    later = replace(seen, now=Instant(unix=seen.now.unix + 600, monotonic=seen.now.monotonic + 600))
    assert later.empty_at == seen.empty_at
    too_late = replace(seen, now=Instant(unix=seen.now.unix + HOUR + 1, monotonic=seen.now.monotonic + HOUR + 1))
    assert (too_late.empty_at, too_late.spent_today) == (None, None)


def test_what_was_spent_today_is_unknown_until_today_has_a_reading() -> None:
    """What was spent on a day is no news of the next."""
    seen = spending(100, 99, 97)
    ledger = seen.account.ledger
    assert ledger
    assert ledger.spent_on(ledger.day.number) == 3 - ledger.day.spent
    assert ledger.spent_on(ledger.day.number + 1) is None


def test_the_order_of_urgency_knows_each_word_once() -> None:
    """Whatever only the user can end comes before whatever ends without him."""
    words = [word for group in URGENCY.values() for word in group]
    assert sorted(words) == sorted([*Status, "blocked", "low", "unusual", "stale"])
    assert list(URGENCY) == ["blocked", "refused", "low", "unusual", "failing", "waiting", "partial", "fresh"]
    assert {*REFUSALS, *OUTAGES} == {*FAILURES}
    assert not {*REFUSALS} & {*OUTAGES}


def test_the_currency_stays_known_when_the_balance_does_not() -> None:
    """From the last reading, or from the provider where it has one only."""
    assert view(READING, PROBLEMS[Status.UNREACHABLE], seconds=HOUR + 1).currency == "EUR"
    assert view().currency is None
    assert view(provider="iletimerkezi").currency == "TRY"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("value", Value)
def test_what_an_account_can_ever_have(provider: str, value: Value) -> None:
    """What its provider gives; and a quota where a message has a price."""
    given = value in PROVIDERS[provider].gives
    assert view(provider=provider).gives(value) is given
    priced = view(provider=provider, limits=Limits(message_price=Decimal("0.1")))
    assert priced.gives(value) is (given or value is Value.QUOTA)
