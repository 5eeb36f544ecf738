"""Marked credentials are entered for every provider, and nothing but the entry itself has them afterwards.

The log is held in every other test here too, by the fixture `unwanted`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import json_dumps
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.sms_credit.const import DOMAIN
from custom_components.sms_credit.lib.sms_credit_core import PROVIDERS
from tests.secrets.echoes import echoes
from tests.secrets.marks import PLAIN, Search, credentials

from .conftest import Providers, pass_time

# Home Assistant's own web server is what aiohttp warns of.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")

ENTRIES = "core.config_entries"
"""Home Assistant's own file, which has the data of every integration in clear."""


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Keep what is recorded in a file, as on a user's machine."""
    return f"sqlite:///{tmp_path}/recorder.db"


class House:
    """A Home Assistant that is asked for all that it says."""

    def __init__(self, hass: HomeAssistant, storage: dict[str, Any], folder: Path) -> None:
        """Listen to every event from now on."""
        self._hass, self._storage, self._folder = hass, storage, folder
        self._events: list[str] = []
        hass.bus.async_listen(MATCH_ALL, self._hear)

    def _hear(self, event: Event[Any]) -> None:
        self._events.append(f"{event!r} {json_dumps(event.as_dict())}")

    def said(self) -> Iterator[tuple[str, str | bytes]]:
        """Yield what comes out, by the exit."""
        hass = self._hass
        yield "events", "\n".join(self._events)
        yield "states and attributes", json_dumps([each.as_dict() for each in hass.states.async_all()])
        entries = hass.config_entries.async_entries(DOMAIN)
        for entry in entries:
            entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
            yield f"entities of {entry.title}", json_dumps([each.extended_dict for each in entities])
            devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
            yield f"devices of {entry.title}", json_dumps([each.dict_repr for each in devices])
        yield "repairs", str([*ir.async_get(hass).issues.values()])
        yield "the list of entries", json_dumps([each.as_json_fragment for each in entries])
        yield "an entry, printed", str(entries)
        yield "coordinators and entities, printed", str([vars(each.runtime_data) for each in entries])
        for name, content in self._storage.items():
            if name != ENTRIES:
                yield f".storage/{name}", json.dumps(content, default=str)
        for file in self._folder.glob("recorder.db*"):
            yield file.name, file.read_bytes()


async def added(hass: HomeAssistant, provider: str, values: dict[str, str]) -> str:
    """Add an account by the form."""
    flows = hass.config_entries.flow
    form = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    form = await flows.async_configure(form["flow_id"], {"provider": provider})
    await flows.async_configure(form["flow_id"], values)
    result = await flows.async_configure(form["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY, (provider, result["errors"])
    return str(result["result"].entry_id)


@pytest.mark.freeze_time("2026-11-21 12:00:00+00:00")
async def test_nothing_but_its_entry_has_a_credential(  # noqa: PLR0913, PLR0917 - fixtures
    recorder_mock: Recorder,  # noqa: ARG001 - it records
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    hass_client: ClientSessionGenerator,
    providers: Providers,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    """Neither while all is well, nor as a provider refuses and sends back what it refuses, nor as others are tried."""
    caplog.set_level("DEBUG", f"custom_components.{DOMAIN}")
    for component in ("repairs", "diagnostics"):
        assert await async_setup_component(hass, component, {})
    house = House(hass, hass_storage, tmp_path)
    given = {key: dict(credentials(provider, "home", between=PLAIN)) for key, provider in PROVIDERS.items()}
    wrong = {key: dict(credentials(provider, "wrong", between=PLAIN)) for key, provider in PROVIDERS.items()}
    for provider, values in given.items():
        providers.know(provider, **values)
    entries = {provider: await added(hass, provider, values) for provider, values in given.items()}
    said: dict[str, str | bytes] = {}

    async def look(when: str) -> None:
        await hass.async_block_till_done(wait_background_tasks=True)
        await async_wait_recording_done(hass)
        said.update({f"{name}, {when}": text for name, text in house.said()})

    async def look_into_diagnostics(when: str) -> None:
        for provider, entry_id in entries.items():
            entry = hass.config_entries.async_get_entry(entry_id)
            assert entry
            diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, entry)
            said[f"diagnostics of {provider}, {when}"] = json.dumps(diagnostics)

    await look("healthy")
    for provider, values in given.items():
        every = [*echoes(PROVIDERS[provider], values)]
        providers.answer(provider, next((each for each in every if each.outcome.get("code")), every[0]))
    await pass_time(hass, freezer)
    await look("refused")
    await look_into_diagnostics("refused")
    for provider, entry_id in entries.items():
        flows = hass.config_entries.flow
        context = {"source": SOURCE_RECONFIGURE, "entry_id": entry_id}
        form = await flows.async_init(DOMAIN, context=context)
        result = await flows.async_configure(form["flow_id"], wrong[provider])
        assert result["errors"]
        told = {name: each for name, each in result.items() if name != "data_schema"}
        said[f"the form of {provider}"] = str(told)
        flows.async_abort(form["flow_id"])
    await look("with others tried")
    for provider in given:
        providers.answer(provider, "healthy")
    await pass_time(hass, freezer, 3600)
    async_fire_time_changed(hass)
    await look("healthy again")
    said["the log"] = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.records)

    search = Search.of(value for each in (*given.values(), *wrong.values()) for value in each.values())
    assert {name: found for name, text in said.items() if (found := search.found(text))} == {}
    kept = [f".storage/{DOMAIN}.{entry_id}, healthy again" for entry_id in entries.values()]
    assert {"recorder.db, healthy again", "repairs, refused", *kept} < said.keys()
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN, match_context={"source": SOURCE_REAUTH}) == []
