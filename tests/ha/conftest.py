"""What every test inside Home Assistant runs under: the repository's integration, a clean log, snapshots by version.

The harness blocks every address but 127.0.0.1 and fails what leaves a task, a timer or a thread behind.
"""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, override

import pytest
from homeassistant import block_async_io
from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion
from syrupy.location import PyTestLocation

# The first `custom_components` that is imported stays; later Home Assistant would find the harness's.
import custom_components.sms_credit  # noqa: F401

if TYPE_CHECKING:
    from sms_credit_exporter.simulator.server import Simulator

VERSION = f"{MAJOR_VERSION}.{MINOR_VERSION}"
"""Home Assistant's, without the patch."""

_MISUSE = ("Detected that custom integration", "inside the event loop by custom integration")


class _SnapshotsByVersion(HomeAssistantSnapshotExtension):
    """Keeps snapshots for each version of Home Assistant, as each writes other registry entries."""

    @classmethod
    @override
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """Return the folder for the snapshots of a test."""
        return str(Path(super().dirname(test_location=test_location), VERSION))


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return the snapshots of this version of Home Assistant."""
    return snapshot.use_extension(_SnapshotsByVersion)


@pytest.fixture(autouse=True)
def _integration(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the integration."""


class _MisuseHandler(logging.Handler):
    """Keeps what Home Assistant complains of in a custom integration."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.complaints: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if any(words in message for words in _MISUSE):
            self.complaints.append(message)


@pytest.fixture(autouse=True)
def misuse() -> Iterator[list[str]]:
    """Fail the test if Home Assistant complains of the integration: of how it is used, or of blocking calls.

    Yield the complaints so far. Each place in the code is complained of once in a test run.
    """
    handler = _MisuseHandler()
    root = logging.getLogger()
    root.addHandler(handler)
    yield handler.complaints
    root.removeHandler(handler)
    assert handler.complaints == []


@pytest.fixture(autouse=True)
def _blocking_calls_are_detected(disable_block_async_io: None) -> None:  # noqa: ARG001 - ends it
    """Detect blocking calls in the event loop, which Home Assistant reports as misuse."""
    block_async_io.enable()


@dataclass(frozen=True, slots=True)
class Simulation:
    """The simulated providers at work."""

    simulator: Simulator
    base_urls: Mapping[str, str]
    """By provider."""


@pytest.fixture
async def simulation(socket_enabled: None) -> AsyncIterator[Simulation]:  # noqa: ARG001 - on 127.0.0.1
    """Serve the simulated providers on 127.0.0.1, in the test's own event loop."""
    from sms_credit_exporter.simulator.server import Simulator  # noqa: PLC0415 - few tests need it

    simulator = Simulator()
    async with simulator.serving() as base_urls:
        yield Simulation(simulator, base_urls)
