"""What a bug report needs to tell: how an account is doing and what is set, but no amount and no secret."""

from decimal import Decimal
from typing import Any

from homeassistant.core import HomeAssistant

from .const import CONF_BASE_URL
from .coordinator import SmsCreditConfigEntry
from .lib.sms_credit_core import Instant


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant passes it
    entry: SmsCreditConfigEntry,
) -> dict[str, Any]:
    """Return the shape of all that is known of an account. Versions are added by Home Assistant; nobody is asked."""
    coordinator = entry.runtime_data
    view = coordinator.view
    account, moment = view.account, view.now
    problem, reading = account.problem, account.reading
    return {
        "provider": coordinator.provider.key,
        "credentials_set": [field.name for field in coordinator.provider.credentials if field.name in entry.data],
        "own_address": CONF_BASE_URL in entry.data,
        "options_set": sorted(entry.options),
        "polling": {
            "interval": coordinator.interval,
            "disabled": entry.pref_disable_polling,
            "last_update_success": coordinator.last_update_success,
            "last_poll_age": _age(account.polled_at, moment),
            "last_poll_duration": account.poll_duration,
            "polls": account.polls,
            "failures": dict(account.failures),
            "failed_in_a_row": account.failed_in_a_row,
        },
        "memory": coordinator.memory.outcome,
        "status": account.status,
        "problem": problem
        and {
            "cause": problem.cause,
            "code": problem.code,
            "detail": problem.detail,
            "retry_after": problem.retry_after,
        },
        "reading": reading
        and {
            "age": _age(account.read_at, moment),
            "shown": view.known is not None,
            "quality": reading.quality,
            "currency": reading.currency,
            "balance": _sign(reading.balance),
            "quota": _sign(reading.quota),
            "credits": _sign(reading.credits),
            "credit_blocked": reading.credit_blocked,
            "provider_updated": reading.provider_updated,
        },
        "low": dict(view.reached),
        "runway": view.runway,
        "unusual": view.unusual,
        "ledgers": [
            {
                "pays_with": ledger.pays_with,
                "currency": ledger.currency,
                "amount": _sign(ledger.amount),
                "spent": _sign(ledger.spent),
                "topped_up": _sign(ledger.topped_up),
                "age": _age(ledger.at, moment),
                "last_top_up_age": _age(ledger.top_up.at if ledger.top_up else None, moment),
            }
            for ledger in account.ledgers
        ],
    }


def _age(since: Instant | None, moment: Instant) -> float | None:
    return since.age(moment) if since else None


def _sign(amount: Decimal | int | None) -> str | None:
    """Return how an amount compares with zero, which is what decisions hang on."""
    return amount if amount is None else "below zero" if amount < 0 else "above zero" if amount > 0 else "zero"
