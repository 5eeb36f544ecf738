"""What is remembered of an account over restarts: one Home Assistant after another, with the same storage."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
import yaml
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.sms_credit.const import DOMAIN

from .conftest import (
    CHECKOUT,
    Answer,
    NoConnection,
    Providers,
    account,
    another,
    pass_time,
    raw,
    spending,
    states,
    update_now,
)

NOON = "2026-11-21 12:00:00+00:00"
TOPPED_UP = "event.otp_topped_up"


def balance(amount: str, currency: str = "EUR") -> Answer:
    """Return 23 Telecom's answer with this balance."""
    return raw(200, f'{{"balance": {amount}, "currency": "{currency}"}}'.encode())


_TopUp = tuple[str, str | None]
"""Amount and currency."""


async def _nothing(_hass: HomeAssistant) -> None:
    """Prepare nothing."""


class Machine:
    """What Home Assistant runs on, with one account, titled OTP. It outlasts each Home Assistant."""

    def __init__(
        self,
        hass: HomeAssistant,
        storage: dict[str, Any],
        providers: Providers,
        freezer: FrozenDateTimeFactory,
        stack: AsyncExitStack,
    ) -> None:
        """Begin with a Home Assistant that runs, and with a healthy account."""
        self.hass, self._storage, self.providers, self.freezer = hass, storage, providers, freezer
        self.stack = stack
        self.prepare: Callable[[HomeAssistant], Awaitable[object]] = _nothing
        """What a Home Assistant needs before its accounts are set up."""
        self._heard: dict[str, _TopUp] = {}
        self._news: list[_TopUp] = []
        self.answer("100")

    async def begin(self, **options: str) -> None:
        """Add the account, with these options."""
        await self.hass.config_entries.async_add(account("23telecom", title="OTP", **options))
        await self.pass_time(2)  # until Home Assistant has stored its entries
        self._listen()

    @property
    def entry(self) -> ConfigEntry[Any]:
        """The account."""
        (entry,) = self.hass.config_entries.async_entries(DOMAIN)
        return entry

    @property
    def file(self) -> dict[str, Any]:
        """What is stored of the account."""
        content: dict[str, Any] = self._storage[f"{DOMAIN}.{self.entry.entry_id}"]
        return content

    @property
    def asked(self) -> int:
        """How often the provider has been asked."""
        return len(self.providers.requests)

    def answer(self, what: str | NoConnection) -> None:
        """Have the provider answer with this balance, or as this payload says, from now on."""
        number = isinstance(what, str) and what.replace(".", "").isdigit()
        self.providers.answer("23telecom", balance(str(what)) if number else what)

    async def pass_time(self, seconds: float = 300) -> None:
        """Let time pass, by default until the next regular poll."""
        await pass_time(self.hass, self.freezer, seconds)

    async def stop(self, *, power_cut: bool = False) -> None:
        """Stop Home Assistant, or cut its power; then end what would end with the process. That writes nothing."""
        written = deepcopy(self._storage)
        if not power_cut:
            await self.hass.async_stop()
            written = deepcopy(self._storage)
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.hass.async_stop(force=True)
        self._storage.clear()
        self._storage.update(written)

    async def start(self, after: float = 60, *, starting: float = 0) -> None:
        """Start Home Assistant after so many seconds, which are below zero where the clock was set back.

        It is `starting` for so many seconds after the account has been set up.
        """
        self.freezer.tick(timedelta(seconds=after))
        self.hass = await another(self.hass, self.stack)
        await self.prepare(self.hass)
        assert await async_setup_component(self.hass, EVENT_DOMAIN, {})
        self._listen()
        assert await async_setup_component(self.hass, DOMAIN, {})
        await self.pass_time(starting)
        await self.hass.async_start()
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def restart(self, after: float = 60, *, power_cut: bool = False, starting: float = 0) -> None:
        """Stop and start."""
        await self.stop(power_cut=power_cut)
        await self.start(after, starting=starting)

    async def reload(self) -> None:
        """Reload the account, when its provider may be asked again."""
        self.freezer.tick(timedelta(seconds=150))
        assert await self.hass.config_entries.async_reload(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def limits(self, **limits: float) -> None:
        """Set other limits in the options of the account."""
        flow = await self.hass.config_entries.options.async_init(self.entry.entry_id)
        await self.hass.config_entries.options.async_configure(flow["flow_id"], limits)
        await self.hass.async_block_till_done()

    def reasons(self) -> list[str]:
        """Return the limits that are reached."""
        reasons: list[str] = self.hass.states.get("binary_sensor.otp_low_credit").attributes["reasons"]
        return reasons

    def states(self) -> dict[str, str]:
        """Return the states of all entities of the account."""
        entry: Any = self.entry
        return states(self.hass, entry) | spending(self.hass, entry)

    def _listen(self) -> None:
        """Collect the top-ups that an automation hears of: each time of a top-up that was not there before."""

        def keep(event: Any) -> None:  # noqa: ANN401 - an event's data
            state = event.data["new_state"]
            if state and state.state not in {"unavailable", "unknown", *self._heard}:
                self._heard[state.state] = (state.attributes["amount"], state.attributes["currency"])
                self._news.append(self._heard[state.state])

        async_track_state_change_event(self.hass, TOPPED_UP, keep)

    def told(self) -> list[_TopUp]:
        """Return the top-ups that were told since this was asked last."""
        told, self._news = self._news, []
        return told


@pytest.fixture
async def machine(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[Machine]:
    """Give a machine whose clock stands."""
    # The harness in place of Home Assistant's storage logs all that it holds.
    caplog.set_level("INFO", "pytest_homeassistant_custom_component.common")
    async with AsyncExitStack() as stack:
        machine = Machine(hass, hass_storage, providers, freezer, stack)
        yield machine
        await machine.stop()


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("power_cut", [pytest.param(False, id="stopped"), pytest.param(True, id="cut off")])
async def test_fifty_restarts_ask_nobody(machine: Machine, power_cut: bool) -> None:  # noqa: FBT001 - of a table
    """Within the poll interval; what was known is shown each time, and the next poll comes when it would have come."""
    await machine.begin(low_balance="200")
    await machine.pass_time()
    known = machine.states()
    assert (known["balance"], known["low_credit"], machine.asked) == ("100", "on", 2)
    for _ in range(50):
        await machine.restart(5, power_cut=power_cut)
        assert machine.states() == known
    assert machine.asked == 2
    machine.answer("90")
    await machine.pass_time(46)
    assert machine.asked == 2
    await machine.pass_time(4)
    assert (machine.asked, machine.states()["balance"]) == (3, "90")
    assert machine.states()["spent"] == "10"


@pytest.mark.freeze_time(NOON)
async def test_a_poll_that_a_power_cut_ended_was_a_poll(machine: Machine) -> None:
    """The request has reached the provider, and the next one waits its time; a user's wish waits as well."""
    await machine.begin()
    machine.answer(NoConnection.WAITED_FOR)
    machine.freezer.tick(timedelta(seconds=301))
    async_fire_time_changed(machine.hass)
    await machine.providers.asked(2)
    await machine.stop(power_cut=True)
    machine.answer("90")
    await machine.start(100)
    await update_now(machine.hass, "sensor.otp_balance")
    assert (machine.asked, machine.states()["balance"]) == (2, "100")
    await machine.pass_time(202)
    assert (machine.asked, machine.states()["balance"]) == (3, "90")


@pytest.mark.freeze_time(NOON)
async def test_held_values_are_shown_again_for_as_long_as_they_would_have_been(machine: Machine) -> None:
    """An hour after they were read they are unknown, whatever happened in between."""
    await machine.begin()
    machine.answer("unavailable_cache_disabled")
    await machine.restart(3000)
    assert (machine.states()["status"], machine.states()["balance"]) == ("data_unavailable", "100")
    await machine.restart(100)
    assert machine.states()["balance"] == "100"
    await machine.pass_time(501)
    assert machine.states()["balance"] == "unknown"
    await machine.restart(5)
    assert machine.states()["balance"] == "unknown"
    machine.answer("90")
    await machine.pass_time()
    assert (machine.states()["balance"], machine.states()["spent"]) == ("90", "10")


@pytest.mark.freeze_time(NOON)
async def test_a_reading_of_unknown_age_is_not_shown(machine: Machine) -> None:
    """The clock was set back while Home Assistant was down. What was counted stays, and the next reading goes on."""
    await machine.begin(low_balance="200")
    machine.answer("90")
    await machine.pass_time()
    machine.answer(NoConnection.REFUSED)
    await machine.restart(-86400)
    assert (machine.states()["status"], machine.states()["balance"]) == ("fresh", "unknown")
    assert machine.states()["low_credit"] == "on"
    machine.answer("85")
    await machine.pass_time(602)
    assert (machine.states()["balance"], machine.states()["spent"]) == ("85", "15")


RESTARTS = [
    pytest.param({}, id="restarted"),
    pytest.param({"power_cut": True}, id="cut off"),
]


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("how", RESTARTS)
async def test_each_top_up_is_one_event(machine: Machine, how: dict[str, bool]) -> None:
    """However often Home Assistant restarts after it, and also if it was down. The first reading is no top-up."""
    await machine.begin()
    await machine.restart(400, **how)
    assert (machine.states()["topped_up"], machine.told()) == ("unknown", [])
    machine.answer("150.50")
    await machine.pass_time()
    assert machine.told() == [("50.50", "EUR")]
    for _ in range(3):
        await machine.restart(200, **how)
    assert machine.told() == []

    machine.answer("250.50")
    await machine.restart(3600, **how)
    assert machine.told() == [("100.00", "EUR")]
    machine.answer("300.50")
    await machine.restart(3600, **how)
    machine.answer("200.50")
    await machine.restart(400, **how)
    await machine.pass_time()
    assert machine.told() == [("50.00", "EUR")]
    assert machine.states()["spent"] == "100.00"


def documented() -> dict[str, Any]:
    """Return the automation of top-ups that the documentation shows."""
    text = (CHECKOUT / "docs" / "home-assistant.md").read_text()
    (example,) = re.findall(r"^```yaml\n(alias: Top-ups\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    automation: dict[str, Any] = yaml.safe_load(example.replace("23_telecom", "otp"))
    return automation


@pytest.mark.freeze_time(NOON)
async def test_the_documented_automation_hears_of_each_top_up(machine: Machine) -> None:
    """Also of one in an outage, while Home Assistant was down, and just before a reload; and of nothing else."""
    heard: list[ServiceCall] = []

    async def automate(hass: HomeAssistant) -> None:
        hass.services.async_register("notify", "notify", heard.append)
        assert await async_setup_component(hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: [documented()]})

    machine.prepare = automate
    await automate(machine.hass)
    await machine.begin()
    for what, do, amounts in (
        ("150", machine.pass_time, [50]),
        ("150", machine.reload, []),
        (NoConnection.REFUSED, machine.pass_time, []),
        ("150", machine.pass_time, []),
        (NoConnection.REFUSED, machine.pass_time, []),
        ("250", machine.pass_time, [100]),
        ("300", machine.reload, [50]),
        ("300", machine.restart, []),
        ("310", lambda: machine.restart(3600), [10]),
        (NoConnection.REFUSED, lambda: machine.restart(3600), []),
        ("320", lambda: machine.pass_time(601), [10]),
        ("320", machine.reload, []),
        ("330", lambda: machine.restart(200, starting=200), [10]),
    ):
        machine.answer(what)
        await do()
        assert [call.data["message"] for call in heard] == [f"{amount} EUR were added." for amount in amounts]
        heard.clear()


@pytest.mark.freeze_time(NOON)
async def test_a_reload_tells_no_top_up_again(machine: Machine) -> None:
    """Nor does it lose one."""
    await machine.begin()
    machine.answer("150")
    await machine.pass_time()
    assert machine.told() == [("50", "EUR")]
    for answer, expected in (("150", []), ("160", [("10", "EUR")]), ("160", [])):
        machine.answer(answer)
        await machine.reload()
        assert machine.told() == expected


@pytest.mark.freeze_time(NOON)
async def test_low_credit_and_its_reasons_outlast_a_restart(machine: Machine) -> None:
    """Also while nothing is known any more; limits that are set meanwhile count at once."""
    await machine.begin(low_balance="200", low_quota="500", message_price="0.1")
    for what, low, reasons in (("100", "off", []), ("30", "on", ["balance", "quota"])):
        await machine.limits(low_balance=50, low_quota=400, message_price=0.1)
        machine.answer(what)
        await machine.pass_time()
        assert (machine.states()["low_credit"], machine.reasons()) == (low, reasons)
    machine.answer("unavailable_cache_disabled")
    await machine.restart(7200)
    assert machine.states()["balance"] == "unknown"
    assert (machine.states()["low_credit"], machine.reasons()) == ("on", ["balance", "quota"])
    await machine.limits(low_balance=50)
    await machine.restart()
    assert (machine.states()["low_credit"], machine.reasons()) == ("on", ["balance"])
    await machine.limits(low_balance=20)
    await machine.restart()
    assert (machine.states()["low_credit"], machine.reasons()) == ("off", [])
    await machine.limits()
    await machine.restart()
    assert "low_credit" not in machine.states()


@pytest.mark.freeze_time(NOON)
async def test_a_limit_that_was_reached_when_it_was_set_stays_so(machine: Machine) -> None:
    """The reading that said so is gone with the next answer, and Home Assistant restarts."""
    machine.answer("30")
    await machine.begin()
    await machine.limits(low_balance=50)
    machine.answer("onboarding")
    await machine.pass_time()
    assert (machine.states()["balance"], machine.states()["low_credit"]) == ("unknown", "on")
    await machine.restart()
    assert (machine.states()["balance"], machine.states()["low_credit"]) == ("unknown", "on")
    machine.answer("60")
    await machine.pass_time()
    assert machine.states()["low_credit"] == "off"


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("how", RESTARTS)
async def test_since_when_there_is_a_problem_outlasts_a_restart(machine: Machine, how: dict[str, bool]) -> None:
    """The blueprint tells nothing twice because it knows that."""
    await machine.begin(low_balance="50")
    machine.answer("10")
    await machine.pass_time()
    problems = machine.hass.states.get("sensor.otp_status").attributes["problems"]
    assert list(problems) == ["low"]
    for answer in ("9", NoConnection.REFUSED, "error_ip_not_allowed"):
        machine.answer(answer)
        await machine.restart(400, **how)
        assert machine.hass.states.get("sensor.otp_status").attributes["problems"]["low"] == problems["low"]
    machine.answer("100")
    await machine.pass_time(3600)
    assert machine.hass.states.get("sensor.otp_status").attributes["problems"] == {}


@pytest.mark.freeze_time(NOON)
async def test_the_file_goes_with_the_account(machine: Machine, hass_storage: dict[str, Any]) -> None:
    """Nothing of it is left behind."""
    await machine.begin()
    await machine.pass_time()
    key = f"{DOMAIN}.{machine.entry.entry_id}"
    assert key in hass_storage
    await machine.hass.config_entries.async_remove(machine.entry.entry_id)
    await machine.pass_time(3600)
    assert key not in hass_storage
    await machine.begin()


def _text(machine: Machine) -> dict[str, Any]:
    text: dict[str, Any] = json.loads(machine.file["data"]["account"])
    return text


DAMAGES: dict[str, Any] = {
    "damaged": lambda machine: machine.file["data"].update(account=machine.file["data"]["account"][:-9]),
    "not a text": lambda machine: machine.file["data"].update(account=None),
    "without problems": lambda machine: machine.file["data"].pop("problems"),
    "with problems since never": lambda machine: machine.file["data"].update(problems={"low": "never"}),
    "a list": lambda machine: machine.file.update(data=[]),
    "of an unknown older version": lambda machine: machine.file.update(version=0),
    "newer": lambda machine: machine.file["data"].update(account=json.dumps(_text(machine) | {"version": 99})),
    "in a newer file": lambda machine: machine.file.update(version=99),
}


@pytest.mark.freeze_time(NOON)
@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_cannot_be_read_is_set_aside_in_words(
    machine: Machine, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    """The account begins anew, and is remembered from then on. One line says so."""
    await machine.begin(low_balance="50")
    machine.answer("90")
    await machine.pass_time()
    await machine.stop()
    DAMAGES[damage](machine)
    caplog.clear()
    await machine.start(5)
    assert (machine.asked, machine.states()["balance"], machine.states()["spent"]) == (3, "90", "0")
    reason = "written by a newer version" if "newer" in damage else "damaged"
    (line,) = [each.getMessage() for each in caplog.records if each.name.endswith("sms_credit.memory")]
    assert line.startswith("OTP: What was remembered of the account")
    assert reason in line

    machine.answer("80")
    await machine.pass_time()
    caplog.clear()
    await machine.restart(5)
    assert (machine.asked, machine.states()["spent"], machine.told()) == (4, "10", [])
    assert [each for each in caplog.records if each.name.endswith("sms_credit.memory")] == []
