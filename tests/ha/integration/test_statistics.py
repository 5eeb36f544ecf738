"""Long-term statistics, compiled by a real recorder while Home Assistant runs, restarts, and gets another key."""

from datetime import timedelta
from pathlib import Path

import pytest
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager

from custom_components.sms_credit.const import DOMAIN

from .test_memory import Machine, balance
from .test_memory import machine as machine  # noqa: PLC0414 - a fixture

SPENT = "sensor.otp_spent"
PERIOD = timedelta(minutes=5)


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Keep one database for all Home Assistants of a test."""
    return f"sqlite:///{tmp_path}/recorder.db"


async def compiled(machine: Machine) -> tuple[float | None, float | None] | None:
    """Return state and sum of what was spent, when all statistics are compiled that the next poll goes into.

    None is returned if Home Assistant compiles none, because the unit is not the one that they are in.
    """
    for _ in range(3):
        start = dt_util.utcnow().replace(second=0, microsecond=0)
        start -= timedelta(minutes=start.minute % 5)
        await machine.pass_time((start + PERIOD - dt_util.utcnow()).total_seconds() + 20)
        await async_wait_recording_done(machine.hass)
        do_adhoc_statistics(machine.hass, start=start)
        await async_wait_recording_done(machine.hass)
    found = await get_instance(machine.hass).async_add_executor_job(
        lambda: statistics_during_period(machine.hass, start, None, {SPENT}, "5minute", None, {"state", "sum"})
    )
    return next(((last["state"], last["sum"]) for last in found.get(SPENT, [])), None)


@pytest.mark.freeze_time("2026-11-21 12:00:30+00:00")
async def test_what_is_spent_adds_up_over_restarts(
    async_test_recorder: RecorderInstanceContextManager, machine: Machine
) -> None:
    """A restart takes nothing away and adds nothing; another key begins at zero, which takes nothing back."""

    async def record(hass: HomeAssistant) -> Recorder:
        return await machine.stack.enter_async_context(async_test_recorder(hass))

    machine.prepare = record
    await record(machine.hass)
    await machine.begin()
    assert await compiled(machine) == (0, 0)
    machine.answer("90")
    assert await compiled(machine) == (10, 10)
    machine.answer("80")
    await machine.restart(20)
    assert await compiled(machine) == (20, 20)
    await machine.restart(3600)
    assert await compiled(machine) == (20, 20)

    other = {"api_key": "sk_test_other"}
    machine.providers.know("23telecom", **other)
    flows = machine.hass.config_entries.flow
    form = await flows.async_init(DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": machine.entry.entry_id})
    assert (await flows.async_configure(form["flow_id"], other))["reason"] == "reconfigure_successful"
    assert await compiled(machine) == (0, 20)
    machine.answer("75")
    assert await compiled(machine) == (5, 25)


@pytest.mark.freeze_time("2026-11-21 12:00:30+00:00")
async def test_what_is_spent_in_two_currencies_is_never_added_up(
    async_test_recorder: RecorderInstanceContextManager, machine: Machine
) -> None:
    """Statistics pause while the account pays with another, and go on with the first."""
    async with async_test_recorder(machine.hass):
        await machine.begin()
        machine.answer("90")
        assert await compiled(machine) == (10, 10)
        for amount in ("70", "40"):
            machine.providers.answer("23telecom", balance(amount, "USD"))
            assert await compiled(machine) is None
        machine.answer("85")
        assert await compiled(machine) == (15, 15)
