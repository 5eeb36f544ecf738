"""What a reading comes to against the user's own limits."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from decimal import Decimal

import pytest

from sms_credit_core import Limit, Limits, Reading
from tests.core.readings import READING


def decimal(text: str | None) -> Decimal | None:
    """Read an amount as it stands in a table; None is none."""
    return None if text is None else Decimal(text)


def test_a_reading_has_no_defaults() -> None:
    """A value that a provider forgot to read must not turn into a silent None or zero."""
    assert all(each.default is MISSING and each.default_factory is MISSING for each in fields(Reading))


@pytest.mark.parametrize(
    ("balance", "quota", "price", "expected"),
    [
        pytest.param("10", None, "0.02", 500, id="a price that divides the balance"),
        pytest.param("0.3", None, "0.1", 3, id="a price that no binary float holds"),
        pytest.param("10", None, "0.03", 333, id="a rest is no message"),
        pytest.param("0.0199", None, "0.02", 0, id="not enough for one"),
        pytest.param("0.02", None, "0.02", 1, id="just enough for one"),
        pytest.param("0", None, "0.02", 0, id="nothing left"),
        pytest.param("-3.21", None, "0.02", 0, id="an overdrawn account has no messages, not fewer than none"),
        pytest.param("10", None, None, None, id="no price"),
        pytest.param("10", 67, "0.02", 67, id="the provider's own number wins"),
        pytest.param("0", 18_343, "0.02", 18_343, id="the provider's own number wins without a balance left"),
        pytest.param("10", 0, "0.02", 0, id="the provider's own number wins where it is zero"),
    ],
)
def test_priced(balance: str | None, quota: int | None, price: str | None, expected: int | None) -> None:
    """A price gives the whole messages that the balance can pay for, where the provider gives no number."""
    reading = replace(READING, balance=decimal(balance), quota=quota)
    limits = Limits(message_price=decimal(price))
    priced = limits.priced(reading)
    assert priced == replace(reading, quota=expected)
    assert type(priced.quota) is type(expected)


def test_a_reading_says_what_there_is() -> None:
    """An account of which nothing is known is no reading, whatever else was said."""
    with pytest.raises(ValueError, match=r"^says nothing of balance, quota or credits$"):
        replace(READING, balance=None)
    assert replace(READING, balance=None, credits=Decimal(0)).credits == 0


def test_credits_are_priced_in_credits() -> None:
    """Where an account counts in credits, a message costs some of those."""
    reading = replace(READING, balance=None, currency=None, credits=Decimal("2101.15"))
    assert Limits(message_price=Decimal("0.7")).priced(reading) == replace(reading, quota=3001)


HOUR = 3600.0
BALANCE, RUNWAY = Limit.BALANCE, Limit.RUNWAY


@pytest.mark.parametrize(
    ("values", "before", "expected"),
    [
        pytest.param({}, {}, {}, id="nothing is known and nothing was said"),
        pytest.param({BALANCE: Decimal(50)}, {}, {BALANCE: True}, id="at the limit"),
        pytest.param({BALANCE: Decimal(50)}, {BALANCE: False}, {BALANCE: True}, id="it was not before"),
        pytest.param({BALANCE: Decimal(51)}, {BALANCE: True}, {BALANCE: False}, id="it was before"),
        pytest.param({BALANCE: None}, {BALANCE: True}, {BALANCE: True}, id="unknown now: what was said before"),
        pytest.param({}, {BALANCE: False}, {BALANCE: False}, id="unknown now: that it was not low stays, too"),
        pytest.param({}, {Limit.QUOTA: True}, {}, id="what was said of a limit that is not set any more"),
        pytest.param({RUNWAY: HOUR}, {}, {RUNWAY: True}, id="a runway at its limit"),
        pytest.param({RUNWAY: 1.05 * HOUR}, {}, {RUNWAY: False}, id="just above it"),
        pytest.param({RUNWAY: 1.05 * HOUR}, {RUNWAY: True}, {RUNWAY: True}, id="just above it, after it was low"),
        pytest.param({RUNWAY: 1.11 * HOUR}, {RUNWAY: True}, {RUNWAY: False}, id="far enough above it"),
        pytest.param(
            {BALANCE: Decimal(52), RUNWAY: None},
            {BALANCE: True, RUNWAY: True},
            {BALANCE: False, RUNWAY: True},
            id="each limit for itself, and only a runway has to rise further",
        ),
    ],
)
def test_which_limits_are_reached(
    values: Mapping[Limit, Decimal | float | None], before: Mapping[Limit, bool], expected: Mapping[Limit, bool]
) -> None:
    """A limit that is reached stays so until a value says otherwise; an estimate has to say so clearly."""
    limits = Limits(low_balance=Decimal(50), low_runway=HOUR)
    assert limits.reached(values, before) == expected


def test_a_limit_that_was_taken_away_is_not_spoken_of() -> None:
    """Whatever it was, and whatever is known."""
    assert Limits(low_balance=Decimal(50)).reached({RUNWAY: 1.0, BALANCE: None}, {RUNWAY: True, BALANCE: True}) == {
        BALANCE: True
    }
    assert Limits().reached({BALANCE: Decimal(1)}, {BALANCE: True, RUNWAY: True}) == {}
