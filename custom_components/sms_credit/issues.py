"""What the user has to see to at the provider: the repairs of an account, as its state calls for them."""

import inspect
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .lib.sms_credit_core import OUTAGES, Account, Provider, Status

CREDIT_BLOCKED = "credit_blocked"
ACCESS_DENIED = "access_denied"

# Home Assistant 2026.11 hides an issue while its entry is disabled; 2026.10 has no such tie.
_CAN_TIE = "config_entry_id" in inspect.signature(ir.async_create_issue).parameters


def issue_id(kind: str, entry_id: str) -> str:
    """Return the id of an account's issue of this kind."""
    return f"{kind}_{entry_id}"


@callback
def async_update_issues(hass: HomeAssistant, entry: ConfigEntry[Any], provider: Provider, account: Account) -> None:
    """Create and delete an account's issues by what its last poll came to."""
    placeholders = {"account": entry.title, "provider": provider.name, "panel_url": provider.panel_url}
    reading, problem = account.reading, account.problem
    blocked = CREDIT_BLOCKED if reading and reading.credit_blocked else None
    _update(hass, entry, CREDIT_BLOCKED, blocked, placeholders)
    if account.status not in OUTAGES:  # which leave it open whether access is still denied
        denied = problem.cause if problem and problem.status is Status.ACCESS_DENIED else None
        _update(hass, entry, ACCESS_DENIED, denied, placeholders)


@callback
def _update(
    hass: HomeAssistant, entry: ConfigEntry[Any], kind: str, text: str | None, placeholders: dict[str, str]
) -> None:
    """Have the issue with this text, or none of its kind."""
    if text is None:
        ir.async_delete_issue(hass, DOMAIN, issue_id(kind, entry.entry_id))
        return
    tie: dict[str, Any] = {"config_entry_id": entry.entry_id} if _CAN_TIE else {}
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id(kind, entry.entry_id),
        data={"entry_id": entry.entry_id},
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=text,
        translation_placeholders=placeholders,
        **tie,
    )


@callback
def async_delete_issues(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Delete all issues of an account."""
    for kind in (CREDIT_BLOCKED, ACCESS_DENIED):
        ir.async_delete_issue(hass, DOMAIN, issue_id(kind, entry.entry_id))
