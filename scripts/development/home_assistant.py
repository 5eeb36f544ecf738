"""A Home Assistant in a process and a folder of its own, with this checkout's integration and an owner."""

import asyncio
import json
import os
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

CHECKOUT = Path(__file__).parents[2]
HASS = CHECKOUT / ".tools" / "ha-develop" / "bin" / "hass"

USER = "developer"
PASSWORD = "developer"  # noqa: S105 - for a machine of one's own, and printed at every start

RESTART = 100
"""The exit code with which Home Assistant asks to be started again."""

_PATIENCE = 120.0
"""Seconds that Home Assistant has to start, and again to stop."""

_CONFIGURATION = """\
# Written once, and yours from then on.
homeassistant:
  name: SMS Credit
  country: TR
  currency: EUR
  language: !env_var SMS_CREDIT_LANGUAGE en
  time_zone: Europe/Istanbul
  unit_system: metric

# Not default_config, which looks for devices in the network and calls servers.
config:
frontend:
history:
logbook:
recorder:
  commit_interval: 1

logger:
  default: error
  logs:
    custom_components.sms_credit: info
    # Programs and libraries that nothing here needs.
    haffmpeg: critical
    homeassistant.components.camera.img_util: critical
"""

_ONBOARDING = {"version": 4, "data": {"done": ["core_config", "analytics", "integration"]}}
"""What a new Home Assistant asks, answered but for its owner; the answers would add integrations that call servers."""


class HomeAssistantError(Exception):
    """Home Assistant does not start."""


@dataclass(frozen=True, slots=True)
class HomeAssistant:
    """A Home Assistant at work."""

    process: Process
    url: str
    token: str
    """The owner's, it lasts for half an hour."""


def _http(port: int) -> dict[str, Any]:
    """Return where to listen, as Home Assistant stores it once a person has confirmed it."""
    listen = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-11-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    return {"version": 3, "data": {"stable": listen, "pending": None, "yaml_migration_done": True}}


def _prepare(folder: Path, port: int) -> None:
    """Make the folder what Home Assistant can start from, and leave what a person has put into it."""
    components, storage = folder / "custom_components", folder / ".storage"
    for each in (components, storage):
        each.mkdir(parents=True, exist_ok=True)
    link = components / "sms_credit"
    link.unlink(missing_ok=True)
    link.symlink_to(CHECKOUT / "custom_components" / "sms_credit")
    _store(storage / "http", _http(port))
    if not (storage / "onboarding").exists():
        _store(storage / "onboarding", _ONBOARDING)
        (folder / "configuration.yaml").write_text(_CONFIGURATION)


def _store(file: Path, content: dict[str, Any]) -> None:
    """Write one of Home Assistant's own files; newer versions of it migrate older contents."""
    file.write_text(json.dumps({"key": file.name, "minor_version": 1, **content}))


def check_free(port: int) -> None:
    """Raise OSError if somebody listens on this port of 127.0.0.1: another Home Assistant could be taken for ours."""
    socket.create_server(("127.0.0.1", port)).close()


@asynccontextmanager
async def running(
    folder: Path, port: int, environment: Mapping[str, str], *, language: str = "en", hass: Path = HASS
) -> AsyncIterator[HomeAssistant]:
    """Start it on this port of 127.0.0.1, wait until it has started, and stop it in the end.

    Raises HomeAssistantError if it does not start, and OSError if the port is taken.
    """
    check_free(port)
    _prepare(folder, port)
    process = await asyncio.create_subprocess_exec(
        *(hass, "--config", folder, "--skip-pip"),
        env={**_without_proxies(os.environ), **environment, "SMS_CREDIT_LANGUAGE": language},
        start_new_session=True,  # Ctrl-C is not for it: a second signal would end it while it saves
    )
    try:
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
            token = await _start(client, process)
        yield HomeAssistant(process, url, token)
    finally:
        await _stop(process)


def _without_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.lower().endswith("_proxy")}


async def _start(client: httpx.AsyncClient, process: Process) -> str:
    """Wait until it has started, make the owner if there is none, and return a token of theirs."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await _until_it_answers(client, process)
            await _make_owner(client)
            token = await _log_in(client)
            headers = {"Authorization": f"Bearer {token}"}
            while (await client.get("/api/config", headers=headers)).raise_for_status().json()["state"] != "RUNNING":
                await asyncio.sleep(0.1)
            return token
    except (httpx.HTTPError, TimeoutError) as error:
        message = f"Home Assistant does not start as it should: {error!r}"
        raise HomeAssistantError(message) from error


async def _until_it_answers(client: httpx.AsyncClient, process: Process) -> None:
    while process.returncode is None:
        try:
            await client.get("/manifest.json")
        except httpx.TransportError:
            await asyncio.sleep(0.1)
        else:
            return
    message = f"Home Assistant has ended with exit code {process.returncode}"
    raise HomeAssistantError(message)


async def _make_owner(client: httpx.AsyncClient) -> None:
    steps = await client.get("/api/onboarding")
    # Once all steps are done, the address is unknown from the next start on.
    if steps.is_success and not all(step["done"] for step in steps.json()):
        owner = {"name": "Developer", "username": USER, "password": PASSWORD, "language": "en"}
        (await client.post("/api/onboarding/users", json={**owner, **_client_id(client)})).raise_for_status()


async def _log_in(client: httpx.AsyncClient) -> str:
    """Go through the log-in form as a browser does."""
    begin = {"handler": ["homeassistant", None], "redirect_uri": f"{client.base_url}", **_client_id(client)}
    form = (await client.post("/auth/login_flow", json=begin)).raise_for_status().json()
    entered = {"username": USER, "password": PASSWORD, **_client_id(client)}
    outcome = (await client.post(f"/auth/login_flow/{form['flow_id']}", json=entered)).raise_for_status().json()
    if "result" not in outcome:
        message = f"Home Assistant does not know {USER!r} with the password {PASSWORD!r}; --fresh begins anew"
        raise HomeAssistantError(message)
    code = {"grant_type": "authorization_code", "code": outcome["result"], **_client_id(client)}
    token: str = (await client.post("/auth/token", data=code)).raise_for_status().json()["access_token"]
    return token


def _client_id(client: httpx.AsyncClient) -> dict[str, str]:
    return {"client_id": str(client.base_url)}


async def _stop(process: Process) -> None:
    """End it as the system does, and by force only if it takes too long."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
