"""What every test inside Home Assistant runs under: the checkout's integration, a clean log, one set of snapshots.

The harness blocks every address but 127.0.0.1 and fails what leaves a task, a timer or a thread behind.
"""

import logging
from base64 import b64encode
from collections.abc import Iterator
from typing import override

import pytest
from homeassistant import block_async_io
from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import props

# The first `custom_components` that is imported stays; later Home Assistant would find the harness's.
import custom_components.sms_credit  # noqa: F401

VERSION = f"{MAJOR_VERSION}.{MINOR_VERSION}"
"""Home Assistant's, without the patch."""

OF_ONE_VERSION = {"compat_name": "2026.11"}
"""What the registry entries of one version have and those of the other have not, so that no snapshot has it."""

SECRET = "never_print_me"
"""A part of every secret in the tests."""


def _encoded(secret: str) -> Iterator[str]:
    """Yield what Base64 makes of a secret that begins at any place of a longer text."""
    for before in range(3):
        whole = b64encode(b"x" * before + secret.encode()).decode()
        yield whole[-(-before * 4 // 3) : len(whole) - 4]


_UNWANTED = {
    SECRET: logging.DEBUG,
    **dict.fromkeys(_encoded(SECRET), logging.DEBUG),
    "Detected that custom integration": logging.DEBUG,  # which uses Home Assistant as it should not
    "inside the event loop by custom integration": logging.DEBUG,  # which makes a blocking call
    "Traceback": logging.INFO,  # a coordinator logs its own for debugging, whatever its integration does
}
"""What stands in no log of this level or above."""

TALKATIVE = ("custom_components.sms_credit", "httpx", "httpx2", "httpcore", "httpcore2")
"""The loggers that know secrets."""


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return the snapshots, which all versions of Home Assistant share."""
    return snapshot.with_defaults(exclude=props(*OF_ONE_VERSION), extension_class=HomeAssistantSnapshotExtension)


@pytest.fixture(autouse=True)
def _integration(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the integration."""


class _UnwantedHandler(logging.Handler):
    """Keeps what has unwanted words."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if any(words in text for words, level in _UNWANTED.items() if level <= record.levelno):
            self.records.append(text)


@pytest.fixture(autouse=True)
def unwanted(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Hold every test to a clean log, from its set-up to its end and however much is logged.

    Yield what is unwanted so far. Home Assistant complains of each place in the code once in a test run.
    """
    for logger in TALKATIVE:
        caplog.set_level("DEBUG", logger)
    # Home Assistant's own web server fails to log under a frozen clock, which has no time zone.
    monkeypatch.setattr(logging.getLogger("aiohttp.access"), "disabled", True)
    handler = _UnwantedHandler()
    root = logging.getLogger()
    root.addHandler(handler)
    yield handler.records
    root.removeHandler(handler)
    assert handler.records == []


@pytest.fixture(autouse=True)
def _blocking_calls_are_detected(disable_block_async_io: None) -> None:  # noqa: ARG001 - ends it
    """Detect blocking calls in the event loop, which Home Assistant reports as misuse."""
    block_async_io.enable()
