"""The demo as a new user sees it: the real exporter in a real browser."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from sms_credit_exporter.simulator.scenarios import DEMO
from tests.e2e.conftest import OpenPage
from tests.exporter.running import LISTEN, running

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_demo_changes_while_one_looks(open_page: OpenPage, complaints: list[str], tmp_path: Path) -> None:
    """Under the headers that are really sent nothing is refused, the numbers move, and the end is told."""
    async with httpx.AsyncClient(trust_env=False) as http, running(http, "demo", LISTEN, cwd=tmp_path, env={}) as demo:
        await demo.shows(
            'sms_credit_status{account="old-webshop",provider="iletimerkezi",status="invalid_response"} 1.0'
        )
        page = await open_page(demo.urls[0], viewport={"width": 360, "height": 800})
        await expect(page.get_by_text("The providers are simulated")).to_be_visible()
        await expect(page.get_by_text(f"{len(DEMO)} accounts:")).to_be_visible()

        before = await page.inner_text("main")
        await page.wait_for_function("before => document.querySelector('main').innerText !== before", arg=before)
        assert complaints == []

        demo.process.kill()
        await expect(page.get_by_text(re.compile("out of date", re.IGNORECASE))).to_be_visible(timeout=15_000)
