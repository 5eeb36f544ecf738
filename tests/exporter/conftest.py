"""Simulated providers, exporters in processes of their own, configuration files."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest
import yaml

from sms_credit_exporter.simulator.server import Simulator
from tests.exporter.running import PATIENCE, Providers, Running, running


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    """Serve both simulated providers on loopback."""
    simulator = Simulator()
    async with simulator.serving() as base_urls:
        yield Providers(simulator, base_urls)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Make an HTTP client that goes by no proxy."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def start(tmp_path: Path, http: httpx.AsyncClient) -> Callable[..., AbstractAsyncContextManager[Running]]:
    """Start exporters."""

    def started(*arguments: str, listens: int = 1, **env: str) -> AbstractAsyncContextManager[Running]:
        return running(http, *arguments, cwd=tmp_path, env=env, listens=listens)

    return started


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a configuration file; called again, write it anew."""

    def write(*accounts: Mapping[str, object], **more: object) -> Path:
        file = tmp_path / "config.yml"
        file.write_text(yaml.safe_dump({**more, "accounts": [dict(account) for account in accounts]}))
        return file

    return write
