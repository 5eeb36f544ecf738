"""A real browser for every suite that looks at what a person sees.

It lives as long as the test session, on the session's event loop: suites that use it carry
`pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal, Protocol, TypedDict, Unpack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

_ARGUMENTS = (
    "--no-sandbox",  # tests may run as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
"""What axe looks at."""


class Profile(TypedDict, total=False):
    """The options of a browser profile that tests set."""

    viewport: ViewportSize
    color_scheme: Literal["dark", "light"]
    java_script_enabled: bool


class OpenPage(Protocol):
    """Opens an address in a browser profile of its own."""

    def __call__(self, url: str, **options: Unpack[Profile]) -> Awaitable[Page]:
        """Return the page once it is there."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tool: Callable[[str], str]) -> AsyncIterator[Browser]:
    """Start the system's Chromium; no browser of playwright's own is downloaded."""
    chromium = tool("chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield started
        await started.close()


@pytest.fixture
def complaints() -> list[str]:
    """Return what the test's pages have written to the console or thrown so far."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, complaints: list[str]) -> AsyncIterator[OpenPage]:
    """Return a function that opens an address in a fresh browser profile; it takes the profile's options by name."""
    contexts = []

    async def open_(url: str, **options: Unpack[Profile]) -> Page:
        context = await browser.new_context(**options)
        contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(url)
        return page

    yield open_
    for context in contexts:
        await context.close()
