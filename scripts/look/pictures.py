"""The browser that draws dashboards, and takes a picture of each panel and of the whole."""

import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, Page, async_playwright

from .asking import WIDTH

Mode = Literal["light", "dark"]

SCALE = 1.5
"""Pixels of a picture for each pixel of the layout: sharp on any screen, and still a small file."""

_PAGE = """<!doctype html>
<meta charset="utf-8">
<style>body {{ margin: 0 }}</style>
<link rel="stylesheet" href="{drawing}.css">
<div id="root"></div>
<script>Object.assign(window, {data})</script>
<script src="{drawing}.js"></script>
"""


class NotDrawnError(Exception):
    """A panel could not be drawn; the text says which, and what Grafana's component complained of."""


@contextlib.asynccontextmanager
async def chromium(executable: str) -> AsyncIterator[Browser]:
    """Run the system's Chromium; no browser is downloaded."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


async def draw(
    browser: Browser, drawing: Path, dashboard: Mapping[str, Any], mode: Mode, folder: Path
) -> Mapping[str, str]:
    """Draw a dashboard with its answers, and save its pictures in a folder. Raises NotDrawnError.

    `drawing` is the bundle of what runs in the browser, without its suffix. Returns what can be read in each panel, by
    the name of its picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps({"DASHBOARD": dashboard, "MODE": mode, "WIDTH": WIDTH}).replace("</", "<\\/")
    file = folder / "page.html"
    file.write_text(_PAGE.format(drawing=drawing.as_uri(), data=data))
    page = await browser.new_page(
        viewport={"width": WIDTH, "height": 1000}, device_scale_factor=SCALE, reduced_motion="reduce"
    )
    try:
        await page.goto(file.as_uri())
        await _settled(page)
        main = page.locator("main")
        height: int = await main.evaluate("(element) => element.scrollHeight")
        await page.set_viewport_size({"width": WIDTH, "height": height})
        await main.screenshot(path=folder / "all.png")
        texts = {}
        for panel in await page.locator("[data-panel]").all():
            name = picture_name(
                int(await panel.get_attribute("data-number") or 0), await panel.get_attribute("data-panel") or ""
            )
            await panel.screenshot(path=folder / f"{name}.png")
            texts[name] = await panel.inner_text()
        return texts
    finally:
        await page.close()
        file.unlink()


async def _settled(page: Page) -> None:
    """Wait until every panel is drawn. Raises NotDrawnError."""
    await page.wait_for_selector("[data-panel]")
    await page.wait_for_function("!document.querySelector('[data-waiting]') && document.fonts.status === 'loaded'")
    await page.evaluate("() => new Promise((done) => requestIdleCallback(done, { timeout: 5000 }))")
    for panel in await page.locator("[data-panel]:has([data-failed])").all():
        message = f"{await panel.get_attribute('data-panel')}: {await panel.locator('[data-failed]').inner_text()}"
        raise NotDrawnError(message)


def picture_name(number: int, title: str) -> str:
    """Return the name of a panel's picture; two panels can have the same title."""
    return f"{number:02}-{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}"
