"""The status page behind a real reverse proxy, in a real browser: its style, its script's requests and its links."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml
from playwright.async_api import expect

from sms_credit_exporter.simulator.server import Simulator
from tests.e2e.conftest import OpenPage
from tests.exporter.running import BEHIND, LISTEN, NGINX, Behind, Providers, free_port, nginx, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
"""As when somebody comes back to the tab."""


LOADED = "[document.styleSheets[0].cssRules.length > 0, document.querySelector('h1 img').naturalWidth > 0]"
"""Whether style and icon have come."""


@pytest.mark.parametrize("way", BEHIND.values(), ids=BEHIND)
async def test_the_page_works_under_the_path_of_the_proxy(
    tool: Callable[[str], str], open_page: OpenPage, complaints: list[str], tmp_path: Path, way: Behind
) -> None:
    """It is drawn, renews itself, says when the proxy is gone, recovers, and leads to the metrics."""
    binary, port = tool(NGINX), free_port()
    proxy = f"http://127.0.0.1:{port}"
    simulator = Simulator()
    async with simulator.serving() as base_urls, httpx.AsyncClient(trust_env=False) as http:
        providers = Providers(simulator, base_urls)
        account = providers.add("23telecom")
        (tmp_path / "config.yml").write_text(yaml.safe_dump({"accounts": [providers.configured("otp", account)]}))
        options = ("--config.file=config.yml", LISTEN, *(option.format(proxy=proxy) for option in way.options))
        async with running(http, "serve", *options, cwd=tmp_path, env={}) as exporter:
            await exporter.shows('sms_credit_up{account="otp",provider="23telecom"} 1.0')
            locations = way.locations(exporter.origin)
            async with nginx(binary, port, locations, tmp_path):
                page = await open_page((proxy + way.path).rstrip("/"))
                assert await page.evaluate(LOADED) == [True, True]
                await expect(page.locator("main")).not_to_contain_text("key", ignore_case=True)
                account.answer_with("error_invalid_api_key")
                await exporter.shows('sms_credit_up{account="otp",provider="23telecom"} 0.0')
                await page.evaluate(LOOK_AGAIN)
                await expect(page.locator("main")).to_contain_text("key", ignore_case=True)
                assert complaints == []

            await page.evaluate(LOOK_AGAIN)
            await expect(page.locator("#outdated")).to_be_visible()
            async with nginx(binary, port, locations, tmp_path):
                await page.evaluate(LOOK_AGAIN)
                await expect(page.locator("#outdated")).to_be_hidden()
                await page.get_by_role("link", name="Metrics").click()
                await expect(page).to_have_url(f"{proxy}{way.path}metrics")
                await expect(page.locator("body")).to_contain_text("sms_credit_up")
