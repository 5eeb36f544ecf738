"""A Home Assistant whose user has one account: what happens to it, and what its automations tell."""

from contextlib import AsyncExitStack
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.config import async_hass_config_yaml
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    async_mock_service,
)

from custom_components.sms_credit.const import DOMAIN

from .conftest import CHECKOUT, Answer, Providers, account, another, pass_time, raw

BLUEPRINT = CHECKOUT / "blueprints" / "automation" / "sms_credit" / "credit_alert.yaml"

STATUS = "sensor.otp_status"
"""What stands for an account titled OTP."""

TELL = {"action": "notify.me", "data": {"title": "{{ title }}", "message": "{{ message }}", "data": "{{ problems }}"}}

LOW, BLOCKED, ACCESS = ["low"], ["blocked"], ["access"]
LOOKS = 300
"""Seconds between two looks of the automation at what it has heard nothing of."""
NOON = "2026-11-21 12:00:00+00:00"


def balance(amount: str, *, blocked: bool = False) -> Answer:
    """Return 23 Telecom's answer with this balance."""
    flag = ', "credit_blocked": true' if blocked else ""
    return raw(200, f'{{"balance": {amount}, "currency": "EUR"{flag}}}'.encode())


PLENTY, SOME, NONE = balance("100"), balance("10"), balance("0", blocked=True)
STOPPED = balance("100", blocked=True)
OUTAGE = "error_503_html"


class Home:
    """A Home Assistant whose user has one account, titled OTP: what happens to it, and what it tells."""

    def __init__(
        self,
        hass: HomeAssistant,
        storage: dict[str, Any],
        providers: Providers,
        freezer: FrozenDateTimeFactory,
        stack: AsyncExitStack,
    ) -> None:
        """Begin with a healthy account."""
        self.hass, self._storage, self._providers, self._freezer = hass, storage, providers, freezer
        self._stack = stack
        self._told: list[ServiceCall] = []
        self.answer(PLENTY)

    async def open(self) -> None:
        """Set up what automations need in a Home Assistant that has none."""
        await self.save()
        await self._set_up()

    async def begin(self, **options: str) -> None:
        """Add the account, with these limits, to a Home Assistant without automations."""
        await self.open()
        await self.hass.config_entries.async_add(account("23telecom", title="OTP", **options))
        await self.hass.async_block_till_done()

    async def end(self) -> None:
        """Stop, and end what would end with the process, which would write nothing more."""
        await self.hass.async_stop()
        written = deepcopy(self._storage)
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.hass.data[DATA_INSTANCES][AUTOMATION_DOMAIN].async_remove_entity("automation.alert")
        await self.hass.async_stop(force=True)
        self._storage.clear()
        self._storage.update(written)

    # --- the provider's side ---

    def answer(self, answer: Answer) -> None:
        """Have the provider answer like this from now on."""
        self._providers.answer("23telecom", answer)

    # --- what a user does ---

    async def automate(self, **inputs: object) -> None:
        """Save an automation of the blueprint in the editor; None leaves an input out."""
        await self.save({"id": "alert", **self._automation(inputs)})
        await self._act("automation.reload", id="alert")
        assert self.hass.states.get("automation.alert").state == "on"

    async def automate_in_yaml(self, **inputs: object) -> None:
        """Write an automation of the blueprint as the documentation does, without an id, and reload all."""
        await self.save(self._automation(inputs))
        await self.reload_automations()

    async def reload_automations(self) -> None:
        """Reload all automations."""
        await self._act("automation.reload")

    async def run_by_hand(self) -> None:
        """Choose "Run actions" in the menu of the automation."""
        await self._act("automation.trigger", entity_id="automation.alert", skip_condition=True)

    async def limit(self, low_balance: int) -> None:
        """Set another limit in the options of the account."""
        flow = await self.hass.config_entries.options.async_init(self.entry.entry_id)
        await self.hass.config_entries.options.async_configure(flow["flow_id"], {"low_balance": low_balance})
        await self.hass.async_block_till_done()

    async def reload_account(self) -> None:
        """Reload the account, not earlier than its provider may be asked again."""
        self._freezer.tick(timedelta(seconds=130))
        assert await self.hass.config_entries.async_reload(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def restart(self, down: float = 60, *, when: bool = True, then: Answer | None = None) -> None:
        """Stop Home Assistant and start another with its storage after so many seconds.

        With an answer for `then`, the start takes until there has been a second poll, which is answered like that.
        """
        if not when:
            return
        await self.end()
        self._freezer.tick(timedelta(seconds=down))
        language = self.hass.config.language
        self.hass = await another(self.hass, self._stack)
        self.hass.config.language = language
        assert await async_setup_component(self.hass, DOMAIN, {})
        await self._set_up()
        if then is not None:
            self.answer(then)
            await pass_time(self.hass, self._freezer)
        await self.hass.async_start()
        await self.hass.async_block_till_done()

    async def pass_time(self, seconds: float = 300) -> None:
        """Let time pass, and then until the automation has looked again by itself."""
        await pass_time(self.hass, self._freezer, seconds)
        await pass_time(self.hass, self._freezer, LOOKS - self.now.timestamp() % LOOKS + 1)

    async def pass_until(self, moment: datetime) -> None:
        """Let time pass until this moment, and then as above."""
        await self.pass_time((moment - self.now).total_seconds())

    # --- what is to be seen ---

    @property
    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    @property
    def entry(self) -> ConfigEntry[Any]:
        """The account."""
        (entry,) = self.hass.config_entries.async_entries(DOMAIN)
        return entry

    def calls(self) -> list[MappingProxyType[str, Any]]:
        """Return what has been told, with all that belongs to it, and forget it."""
        told = [MappingProxyType(dict(call.data)) for call in self._told]
        self._told.clear()
        return told

    def told(self) -> list[list[str]]:
        """Return the problems that have been told, and forget it."""
        return [call["data"] for call in self.calls()]

    # --- in between ---

    def _automation(self, inputs: dict[str, Any]) -> dict[str, Any]:
        given = {
            key: value for key, value in {"status": STATUS, "notify": [TELL], **inputs}.items() if value is not None
        }
        return {"alias": "Alert", "use_blueprint": {"path": f"sms_credit/{BLUEPRINT.name}", "input": given}}

    async def _set_up(self) -> None:
        """Set up what a blueprint needs; what is told goes the same way in each Home Assistant."""
        for domain in ("homeassistant", "persistent_notification"):
            assert await async_setup_component(self.hass, domain, {})
        calls = async_mock_service(self.hass, "notify", "me")
        calls_before, self._told = self._told, calls
        calls.extend(calls_before)
        assert await async_setup_component(self.hass, AUTOMATION_DOMAIN, await async_hass_config_yaml(self.hass))
        await self.hass.async_block_till_done()

    async def save(self, *automations: dict[str, Any]) -> None:
        """Write the configuration as Home Assistant's own editor does."""

        def write() -> None:
            folder = Path(self.hass.config.config_dir)
            (folder / "configuration.yaml").write_text("automation: !include automations.yaml\n")
            (folder / "automations.yaml").write_text(yaml.safe_dump(list(automations)))
            copy = folder / "blueprints" / "automation" / "sms_credit" / BLUEPRINT.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(BLUEPRINT.read_text())

        await self.hass.async_add_executor_job(write)

    async def _act(self, action: str, **data: object) -> None:
        await self.hass.services.async_call(*action.split("."), data, blocking=True)
        await self.hass.async_block_till_done()
