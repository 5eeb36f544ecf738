"""A made-up reading that the core's tests start from; each replaces what it is about."""

from decimal import Decimal

from sms_credit_core import Quality, Reading

READING = Reading(
    balance=Decimal("12.50"),
    currency="EUR",
    quota=None,
    credits=None,
    credit_blocked=False,
    provider_updated=None,
    quality=Quality.COMPLETE,
)
