"""The repairs as dialogs: what to do at the provider, and a button that asks it again."""

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .coordinator import SmsCreditConfigEntry


class CheckNowFlow(RepairsFlow):
    """Tells what to do, and checks at once whether it helped. The issue goes when an answer says so."""

    def __init__(self, entry: SmsCreditConfigEntry) -> None:
        """Take the account."""
        self._entry = entry

    async def async_step_init(self, _issue: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin with the only step."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Show what to do; once that is sent, ask the provider again."""
        error = None if user_input is None else await self._async_check()
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        if issue is None:
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            errors={"base": error} if error else None,
            description_placeholders=issue.translation_placeholders,
        )

    async def _async_check(self) -> str:
        """Ask the provider, though not more often than it wants. Returns what to say if the issue is still there."""
        if self._entry.runtime_data.asked_recently:
            return "too_soon"
        await self._entry.runtime_data.async_refresh()
        return "unchanged"


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,  # noqa: ARG001 - Home Assistant passes it, and all issues have the same dialog
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the dialog of an issue."""
    return CheckNowFlow(hass.config_entries.async_get_known_entry(str((data or {})["entry_id"])))
