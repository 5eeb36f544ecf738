"""The ledger: what was spent and topped up, whatever the order of readings, gaps and restarts."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Context, Decimal
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_credit_core import (
    Account,
    Cause,
    Credentials,
    Instant,
    Ledger,
    Limits,
    Owner,
    Problem,
    Quality,
    Reading,
    Secret,
    recalled,
    remembered,
)
from sms_credit_core.ledger import Unit
from tests.core.readings import READING

START = Instant(unix=1_760_000_000.0, monotonic=500.0)
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
EXACT = Context(prec=128)

CREDENTIALS: Credentials = {"api_key": Secret("made-up-key")}
OWNER = Owner(provider="23telecom", base_url="https://example.com", credentials=CREDENTIALS)


def money(amount: str, currency: str | None = "EUR", quality: Quality = Quality.COMPLETE) -> Reading:
    """Return a reading of an account that has money."""
    return replace(READING, balance=Decimal(amount), currency=currency, quality=quality)


def messages(quota: int, balance: str | None = "0") -> Reading:
    """Return a reading of an account that has bought messages."""
    return replace(money("0"), balance=None if balance is None else Decimal(balance), currency="TRY", quota=quota)


def in_credits(amount: str, quota: int | None = None) -> Reading:
    """Return a reading of an account that counts in credits of the provider's own."""
    return replace(READING, balance=None, currency=None, credits=Decimal(amount), quota=quota)


def partial(amount: str) -> Reading:
    """Return a reading that the provider itself does not vouch for."""
    return money(amount, quality=Quality.PARTIAL)


OUTAGE, ONBOARDING = Problem(cause=Cause.TIMEOUT), Problem(cause=Cause.ONBOARDING)


def later(seconds: float) -> Instant:
    """Return the moment so many seconds after the start, on both clocks."""
    return Instant(unix=START.unix + seconds, monotonic=START.monotonic + seconds)


def polled(*outcomes: Reading | Problem, apart: float = 5 * MINUTE) -> Account:
    """Return an account after polls with these outcomes."""
    account = Account()
    for number, outcome in enumerate(outcomes):
        account = account.after(outcome, later(number * apart), 0.2)
    return account


def ledger(*outcomes: Reading | Problem) -> Ledger:
    """Return the ledger of an account after polls with these outcomes."""
    found = polled(*outcomes).ledger
    assert found
    return found


@pytest.mark.parametrize(
    ("outcomes", "currency", "spent", "topped_up"),
    [
        pytest.param([money("10")], "EUR", "0", "0", id="a first reading spends nothing"),
        pytest.param([money("10"), money("9.5"), money("9.25")], "EUR", "0.75", "0", id="falls are spent"),
        pytest.param([money("10"), money("60"), money("58")], "EUR", "2", "50", id="a rise is topped up"),
        pytest.param([money("10"), money("10.02"), money("9.9")], "EUR", "0.12", "0.02", id="a refund is a rise too"),
        pytest.param([money("1"), money("-0.5"), money("5")], "EUR", "1.5", "5.5", id="through zero and back"),
        pytest.param([money("10"), OUTAGE, OUTAGE, money("4")], "EUR", "6", "0", id="spent while nobody looked"),
        pytest.param(
            [money("10"), OUTAGE, money("55")], "EUR", "0", "45", id="topped up in an outage: the difference alone"
        ),
        pytest.param([money("10"), ONBOARDING, money("9")], "EUR", "1", "0", id="onboarding drops no amount"),
        pytest.param([money("10"), partial("3"), money("9")], "EUR", "1", "0", id="a partial reading moves nothing"),
        pytest.param([partial("3")], "EUR", "0", "0", id="a partial reading begins at nothing spent"),
        pytest.param([partial("3"), money("9"), money("8")], "EUR", "1", "0", id="and its number is never a base"),
        pytest.param(
            [money("0.1"), money("0.3"), money("0")], "EUR", "0.3", "0.2", id="in decimals, to the last digit"
        ),
        pytest.param(
            [money("1000000000000000"), money("999999999999999.99999999999999999999999999999999")],
            "EUR",
            "1E-32",
            "0",
            id="more digits than Python's own context holds",
        ),
        pytest.param([money("10"), money("5", "USD"), money("4", "USD")], "USD", "1", "0", id="another currency"),
        pytest.param(
            [money("10"), money("5", "USD"), money("9")], "EUR", "1", "0", id="and back: each has a ledger of its own"
        ),
        pytest.param([money("10", None), money("9", None)], "", "1", "0", id="a currency that nobody names"),
        pytest.param([messages(500), messages(420)], None, "80", "0", id="messages, where there is no money"),
        pytest.param([messages(9, None), messages(2, None)], None, "7", "0", id="messages, where no balance is given"),
        pytest.param([messages(5), messages(0), messages(90)], None, "5", "90", id="messages, down to none and up"),
        pytest.param(
            [messages(67, "10"), messages(60, "9")], "TRY", "1", "0", id="money, where the quota only says what it buys"
        ),
        pytest.param([messages(7, "1"), messages(0)], "TRY", "1", "0", id="money, spent to the end"),
        pytest.param([in_credits("9.5"), in_credits("9"), in_credits("12")], None, "0.5", "3", id="credits"),
        pytest.param(
            [in_credits("9.5", 31), in_credits("9", 30)], None, "0.5", "0", id="credits, which tell more than a quota"
        ),
        pytest.param(
            [messages(9, None), in_credits("5"), in_credits("3")], None, "2", "0", id="credits are no messages"
        ),
    ],
)
def test_what_was_spent_and_topped_up(
    outcomes: list[Reading | Problem], currency: str | None, spent: str, topped_up: str
) -> None:
    """In the unit that the account pays with now."""
    found = ledger(*outcomes)
    assert (found.currency, found.spent, found.topped_up) == (currency, Decimal(spent), Decimal(topped_up))


@pytest.mark.parametrize(
    ("outcomes", "amount"),
    [
        pytest.param([money("10"), money("9")], None, id="spending"),
        pytest.param([money("100"), money("99"), money("149")], "50", id="a large one"),
        pytest.param([money("100"), money("99"), money("101")], "2", id="a small one"),
        pytest.param([money("100"), money("99"), money("99.9")], None, id="a refund is none"),
        pytest.param([money("10.584"), money("10.584000000000001")], None, id="a rounding is none"),
        pytest.param([money("0"), money("0.5")], "0.5", id="of an empty account"),
        pytest.param([money("-3"), money("-1")], "2", id="below zero"),
        pytest.param([money("100"), partial("20"), money("100")], None, id="a partial reading before is not topped up"),
    ],
)
def test_a_top_up_is_seen_once(outcomes: list[Reading], amount: str | None) -> None:
    """With its amount and the moment at which it was seen; later readings leave it as it is."""
    account = polled(*outcomes)
    assert account.ledger
    seen = account.ledger.top_up
    assert (seen and seen.amount) == (amount and Decimal(amount))
    after = account.after(outcomes[-1], later(DAY), 0.2)
    assert after.ledger
    assert after.ledger.top_up is seen


def test_the_day_begins_with_what_was_spent_before() -> None:
    """Midnight is that of the machine's own time zone."""
    before = ledger(money("10"), money("8"))
    assert (before.day.spent, before.day.since) == (Decimal(0), START)
    after = before.after(Decimal(7), later(2 * DAY))
    assert (after.day.spent, after.day.since, after.day.number) == (Decimal(2), later(5 * MINUTE), START.day + 2)
    assert after.spent - after.day.spent == 1


def test_a_day_goes_on_from_reading_to_reading() -> None:
    """What was spent today is the sum of the day, not the last fall alone."""
    found = ledger(money("10"), money("8"), money("7"))
    assert found.spent_on(found.day.number) == 3


@pytest.mark.parametrize(
    "clock",
    [
        pytest.param(Instant(START.unix - DAY, START.monotonic + HOUR), id="the wall clock is set back"),
        pytest.param(Instant(START.unix + 400 * DAY, START.monotonic + HOUR), id="the wall clock jumps by a year"),
        pytest.param(Instant(START.unix - 5, START.monotonic - 5), id="both go back"),
    ],
)
def test_a_clock_that_jumps_moves_no_amount(clock: Instant) -> None:
    """Amounts come from readings alone, and the pace goes on."""
    account = polled(money("10")).after(money("9"), clock, 0.2)
    again = account.after(money("8"), Instant(clock.unix + HOUR, clock.monotonic + HOUR), 0.2)
    assert again.ledger
    assert (again.ledger.spent, again.ledger.topped_up) == (Decimal(2), Decimal(0))


OUTCOMES = st.lists(
    st.one_of(
        st.decimals(min_value=-1000, max_value=10**9, places=9).map(lambda amount: money(str(amount))),
        st.integers(min_value=1, max_value=10**9).map(messages),
        st.decimals(min_value=0, max_value=50, places=2).map(lambda amount: partial(str(amount))),
        st.decimals(min_value=1, max_value=50, places=2).map(lambda amount: money(str(amount), "USD")),
        st.decimals(min_value=0, max_value=10**6, places=2).map(lambda amount: in_credits(str(amount))),
        st.sampled_from([OUTAGE, ONBOARDING]),
    ),
    min_size=1,
    max_size=30,
)
GAPS = st.lists(st.floats(min_value=0, max_value=30 * DAY), min_size=30, max_size=30)


def histories(outcomes: Sequence[Reading | Problem], gaps: Sequence[float], restarts: frozenset[int]) -> list[Account]:
    """Return an account after each poll, forgotten and remembered before some of them."""
    account, now, accounts = Account(), START, list[Account]()
    for number, (outcome, gap) in enumerate(zip(outcomes, gaps, strict=False)):
        now = Instant(now.unix + gap, now.monotonic + gap)
        if number in restarts:
            again = recalled(remembered(account, OWNER), OWNER, now)
            assert isinstance(again, Account)
            account = again
        account = account.after(outcome, now, 0.2).judged(Limits(low_balance=Decimal(20), low_runway=DAY))
        accounts.append(account)
    return accounts


@given(OUTCOMES, GAPS, st.frozensets(st.integers(min_value=1, max_value=29)))
def test_spent_less_topped_up_is_the_fall_in_each_unit(
    outcomes: list[Reading | Problem], gaps: list[float], restarts: frozenset[int]
) -> None:
    """Whatever the order of readings, outages and restarts; and neither ever falls."""
    first: dict[Unit, Decimal] = {}
    before: dict[Unit, tuple[Decimal, Decimal]] = {}
    for account in histories(outcomes, gaps, restarts):
        for each in account.ledgers:
            spent, topped_up = before.get(each.unit, (Decimal(0), Decimal(0)))
            assert spent <= each.spent
            assert topped_up <= each.topped_up
            before[each.unit] = each.spent, each.topped_up
            if each.amount is not None:
                start = first.setdefault(each.unit, each.amount)
                assert EXACT.subtract(each.spent, each.topped_up) == EXACT.subtract(start, each.amount)


@given(OUTCOMES, GAPS, st.frozensets(st.integers(min_value=1, max_value=29)))
def test_a_restart_in_between_changes_nothing(
    outcomes: list[Reading | Problem], gaps: list[float], restarts: frozenset[int]
) -> None:
    """An account that was forgotten and remembered is word for word the one that was not."""
    straight, restarted = (histories(outcomes, gaps, each)[-1] for each in (frozenset[int](), restarts))
    assert _without_monotonic(straight) == _without_monotonic(restarted)


def _without_monotonic(account: Account) -> str:
    """Return what is remembered, which knows the wall clock only, without its random key."""
    text = remembered(account, OWNER)
    return text[text.index('"account":') :]


def test_units_are_remembered_until_there_are_too_many() -> None:
    """A provider that names another currency each time fills no memory."""
    account = reduce(
        lambda account, number: account.after(money("1", f"X{number:02}"), later(number), 0.2), range(50), Account()
    )
    assert [each.currency for each in account.ledgers] == ["X49", "X48", "X47", "X46"]
