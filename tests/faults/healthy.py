"""The providers' healthy answers, with a balance to tell them by."""

import time
from decimal import Decimal

from sms_credit_exporter.simulator.answers import answer
from sms_credit_exporter.simulator.behaviour import Live
from sms_credit_exporter.simulator.payloads import Payload

DECOY = Decimal("4711.11")
"""The balance in what faults send. Where they cannot be read, nobody may ever see it."""


def healthy(provider: str, balance: Decimal) -> Payload:
    """Return a provider's healthy answer with this balance in it, and as many messages where it counts them."""
    return answer(provider, Live(balance=balance, quota=int(balance)), time.time())
