"""The repairs as dialogs: what to do at the provider, and a button that asks it again."""

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .coordinator import SmsCreditConfigEntry, SmsCreditCoordinator


class CheckNowFlow(RepairsFlow):
    """Tells what to do, and checks at once whether it helped. The issue goes when an answer says so."""

    def __init__(self, entry_id: str) -> None:
        """Take the account, which may be removed or disabled while the dialog is open."""
        self._entry_id = entry_id

    async def async_step_init(self, _issue: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin with the only step."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show what to do; once that is sent, ask the provider again."""
        error = None
        if user_input is not None and (coordinator := self._coordinator):
            error = await _async_check(coordinator)
        if self._coordinator is None:
            ir.async_delete_issue(self.hass, DOMAIN, self.issue_id)
            return self.async_abort(reason="not_loaded")
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        if issue is None:
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            errors={"base": error} if error else None,
            description_placeholders=issue.translation_placeholders,
        )

    @property
    def _coordinator(self) -> SmsCreditCoordinator | None:
        """The account's coordinator while the account is set up."""
        entry: SmsCreditConfigEntry | None = self.hass.config_entries.async_get_entry(self._entry_id)
        return entry.runtime_data if entry and entry.state is ConfigEntryState.LOADED else None


async def _async_check(coordinator: SmsCreditCoordinator) -> str:
    """Ask the provider, though not more often than it wants. Returns what to say if the issue is still there."""
    if coordinator.asked_recently:
        return "too_soon"
    await coordinator.async_refresh()
    return "unchanged"


async def async_create_fix_flow(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant passes it
    issue_id: str,  # noqa: ARG001 - Home Assistant passes it, and all issues have the same dialog
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the dialog of an issue."""
    return CheckNowFlow(str((data or {})["entry_id"]))
