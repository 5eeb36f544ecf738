"""The environment is the one that it claims to be, and its guards bite."""

import logging
import re
import socket
import sys
import tomllib
from base64 import b64encode
from importlib.metadata import distributions, version
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType

import attrs
import httpx
import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
from homeassistant.helpers.entity_registry import EntityRegistry, RegistryEntry
from homeassistant.helpers.httpx_client import get_async_client
from homeassistant.loader import async_get_integration
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pytest_socket import SocketConnectBlockedError
from syrupy.assertion import SnapshotAssertion

import custom_components.sms_credit

from .conftest import OF_ONE_VERSION, SECRET, VERSION

CHECKOUT = Path(__file__).parents[2]
HTTP_LIBRARIES = {"2026.10": "httpx", "2026.11": "httpx2"}

BLOCKING = compile("import glob; glob.iglob('*')", custom_components.sms_credit.__file__, "exec")
"""A line of the integration that it does not have."""


def pins(name: str) -> dict[str, str]:
    """Return the version of every package that a requirements file asks for on this machine."""
    lines = (CHECKOUT / f"tests/ha/requirements/{name}.txt").read_text().splitlines()
    requirements = [Requirement(line.rstrip("\\")) for line in lines if re.match(r"[\w.-]+==", line)]
    return {
        canonicalize_name(each.name): str(each.specifier).removeprefix("==")
        for each in requirements
        if each.marker is None or each.marker.evaluate()
    }


def test_the_environment_holds_what_its_requirements_pin_and_nothing_else() -> None:
    """What passes here passes on every other machine."""
    assert Path(sys.prefix).name == f"ha-{VERSION}"
    assert {canonicalize_name(each.name): each.version for each in distributions()} == pins(VERSION)


@pytest.mark.parametrize("package", ["mypy", "trustme"])
def test_tools_have_the_version_that_they_have_outside(package: str) -> None:
    """One finding in both places, or none in either."""
    locked = tomllib.loads((CHECKOUT / "uv.lock").read_text())["package"]
    assert version(package) in [each["version"] for each in locked if each["name"] == package]


def test_the_integration_is_the_checkouts_and_has_nothing_else_of_the_project() -> None:
    """On a user's machine the core has one name; an import by the other would only work here."""
    assert Path(custom_components.sms_credit.__file__).is_relative_to(CHECKOUT)
    assert find_spec("sms_credit_core") is None


async def test_httpx_is_what_home_assistant_makes_of_it(hass: HomeAssistant) -> None:
    """The two versions are two HTTP libraries under one name, and the core has to get on with both."""
    assert httpx.AsyncClient.__module__ == HTTP_LIBRARIES[VERSION]
    assert isinstance(get_async_client(hass), httpx.AsyncClient)


@pytest.mark.usefixtures("socket_enabled")
def test_nothing_but_this_machine_can_be_reached() -> None:
    """A test that forgets to stand in for a provider fails, and asks nobody."""
    with pytest.raises(SocketConnectBlockedError), pytest.warns(match="127.0.0.2"):
        socket.create_connection(("127.0.0.2", 9))  # stays on this machine even if it should not be blocked
    with pytest.raises(RuntimeError, match="DNS resolution disabled"):
        socket.getaddrinfo("api.iletimerkezi.com", 443)


async def test_misuse_of_home_assistant_is_noticed(hass: HomeAssistant, unwanted: list[str]) -> None:
    """It only warns, in a log that nobody would read."""
    await async_get_integration(hass, "sms_credit")
    frame.report_usage("leaves the lights on", integration_domain="sms_credit")
    complaint = unwanted.pop()
    assert complaint.startswith("Detected that custom integration 'sms_credit' leaves the lights on.")


@pytest.mark.usefixtures("hass")
async def test_blocking_calls_of_the_integration_are_noticed(unwanted: list[str]) -> None:
    """Home Assistant stands still for everyone until such a call returns."""
    FunctionType(BLOCKING, {"__name__": custom_components.sms_credit.__name__})()
    complaint = unwanted.pop()
    assert complaint.startswith("Detected blocking call to iglob")


@pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR])
def test_a_secret_in_the_log_is_noticed(unwanted: list[str], level: int) -> None:
    """A user who debugs shows the log to others."""
    logging.getLogger("httpcore").log(level, "sent %s", b"sk_test_never_print_me")
    assert unwanted.pop() == "sent b'sk_test_never_print_me'"


@pytest.mark.parametrize("user", ["k", "ke", "key"])
def test_a_secret_in_base64_is_noticed(unwanted: list[str], user: str) -> None:
    """That is how HTTP's own authentication writes it, at any place of a longer text."""
    header = b64encode(f"{user}:{SECRET}_at_all".encode()).decode()
    logging.getLogger("httpcore").debug("sent %s", header)
    assert unwanted.pop() == f"sent {header}"


def test_an_error_with_a_traceback_is_noticed(unwanted: list[str]) -> None:
    """Home Assistant catches what escapes from an integration, logs it and goes on."""
    try:
        int("odd")
    except ValueError:
        logging.getLogger("homeassistant").exception("Unexpected")
    assert unwanted.pop().startswith("Unexpected\nTraceback")


def test_a_snapshot_serves_every_version(entity_registry: EntityRegistry, snapshot: SnapshotAssertion) -> None:
    """The versions write different registry entries."""
    assert entity_registry.async_get_or_create("sensor", "sms_credit", "any") == snapshot


def test_snapshots_leave_out_nothing_that_every_version_has() -> None:
    """A value that no test looks at can be wrong for good."""
    has = {field.name for field in attrs.fields(RegistryEntry)}
    assert OF_ONE_VERSION.keys() & has == {name for name, version in OF_ONE_VERSION.items() if version == VERSION}
