"""What a reading comes to against the user's own limits."""

from dataclasses import MISSING, fields, replace
from decimal import Decimal

import pytest

from sms_credit_core import Limits, Quality, Reading

READING = Reading(
    balance=Decimal("12.50"),
    currency="EUR",
    quota=None,
    credit_blocked=False,
    provider_updated=None,
    quality=Quality.COMPLETE,
)


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
        pytest.param(None, None, "0.02", None, id="no balance"),
        pytest.param("10", 67, "0.02", 67, id="the provider's own number wins"),
        pytest.param("0", 18_343, "0.02", 18_343, id="the provider's own number wins without a balance left"),
        pytest.param("10", 0, "0.02", 0, id="the provider's own number wins where it is zero"),
    ],
)
def test_priced(balance: str | None, quota: int | None, price: str | None, expected: int | None) -> None:
    """A price gives the whole messages that the balance can pay for, where the provider gives no number."""
    reading = replace(READING, balance=balance and Decimal(balance), quota=quota)
    limits = Limits(message_price=price and Decimal(price))
    priced = limits.priced(reading)
    assert priced == replace(reading, quota=expected)
    assert type(priced.quota) is type(expected)


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
        pytest.param(None, None, "50", 500, None, id="nothing known"),
        pytest.param("0", 0, None, None, None, id="no limit set"),
    ],
)
def test_low(
    balance: str | None, quota: int | None, low_balance: str | None, low_quota: int | None, *, low: bool | None
) -> None:
    """Credit is low at or below any limit, and nothing is said where nothing can be compared."""
    reading = replace(READING, balance=balance and Decimal(balance), quota=quota)
    limits = Limits(low_balance=low_balance and Decimal(low_balance), low_quota=low_quota)
    assert limits.low(reading) is low
