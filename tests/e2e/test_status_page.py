"""The status page in a real browser: how it looks, and how it stays current."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page, expect

from sms_credit_core import Cause
from sms_credit_exporter.accounts import View
from sms_credit_exporter.page import render, static_files
from tests.e2e.conftest import OpenPage, Profile
from tests.e2e.gallery import gallery, problem, reading, view

pytestmark = pytest.mark.asyncio(loop_scope="session")

CSP = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'"
QUICK = 0.2
SELDOM = 600.0

SCREENS = [
    pytest.param({"viewport": {"width": width, "height": height}, "color_scheme": scheme}, id=f"{name}, {scheme}")
    for name, width, height in (("phone", 360, 800), ("tablet", 820, 1100), ("desktop", 1280, 900))
    for scheme in ("light", "dark")
]


class Exporter:
    """A server of the status page below a path prefix, as a reverse proxy would have it."""

    def __init__(self, views: Iterable[View]) -> None:
        """Serve these views until others are set."""
        self.views = tuple(views)
        self.refresh = SELDOM
        self.requests = 0
        self.answers = self.page
        self.let_through = asyncio.Event()
        self.let_through.set()
        self.arrived = asyncio.Event()
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The page's address; it stays the same over a restart."""
        return f"http://127.0.0.1:{self._port}/below/a/prefix/"

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_get("/below/a/prefix/", self._count)
        app.router.add_get("/below/a/prefix/static/{name}", self._static)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the listener and every connection."""
        assert self._runner
        await self._runner.cleanup()

    async def page(self) -> web.Response:
        """Answer as the exporter does."""
        html = render(self.views, version="1.2.3", refresh=self.refresh, demo=True)
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": CSP})

    async def broken(self) -> web.Response:
        """Answer with the page, but as a failure."""
        answer = await self.page()
        answer.set_status(503)
        return answer

    async def foreign(self) -> web.Response:
        """Answer as a proxy that wants a login first."""
        return web.Response(text="<main>Please sign in.</main>", content_type="text/html")

    async def _count(self, _: web.Request) -> web.Response:
        self.requests += 1
        self.arrived.set()
        await self.let_through.wait()
        return await self.answers()

    async def _static(self, request: web.Request) -> web.Response:
        content_type, body = static_files()[request.match_info["name"]]
        return web.Response(body=body, headers={"Content-Type": content_type, "Content-Security-Policy": CSP})


@pytest_asyncio.fixture(loop_scope="session")
async def exporter() -> AsyncIterator[Exporter]:
    """Run a server that shows one account for everything that the page can say."""
    server = Exporter(gallery())
    await server.start()
    yield server
    await server.stop()


OVERFLOWING = """() => {
    const edge = document.querySelector("main").getBoundingClientRect().right + 0.5;
    const seen = [...document.body.querySelectorAll("*")].filter((element) => element.checkVisibility());
    const wide = seen.filter((element) => element.getBoundingClientRect().right > edge);
    const page = document.documentElement;
    const elements = wide.map((element) => element.outerHTML);
    return { page: page.scrollWidth - page.clientWidth, elements, of: seen.length };
}"""

# Every piece of text against the first opaque background behind it, by the formula of WCAG 2.
CONTRASTS = """() => {
    const numbers = (colour) => {
        if (!colour.startsWith("rgb")) throw new Error(`unexpected notation: ${colour}`);
        const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
        return { rgb: [red, green, blue], alpha };
    };
    const linear = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    const background = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const { rgb, alpha } = numbers(getComputedStyle(at).backgroundColor);
            if (alpha === 1) return rgb;
            if (alpha !== 0) throw new Error("a half transparent background");
        }
        throw new Error("no background");
    };
    const contrast = (element, pseudo) => {
        const style = getComputedStyle(element, pseudo);
        const { rgb, alpha } = numbers(style.color);
        if (alpha !== 1 || style.opacity !== "1") throw new Error("half transparent text");
        const [dark, light] = [luminance(rgb), luminance(background(element))].sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    };
    const found = [];
    for (const element of document.body.querySelectorAll("*")) {
        if (!element.checkVisibility()) continue;
        const text = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
        const words = text.map((node) => node.data).join(" ").trim();
        if (words) found.push([words, contrast(element)]);
        const label = getComputedStyle(element, "::before").content;
        if (label.startsWith('"')) found.push([label, contrast(element, "::before")]);
    }
    return found;
}"""


@pytest.mark.parametrize("screen", SCREENS)
async def test_fits_every_screen(
    exporter: Exporter, open_page: OpenPage, complaints: list[str], screen: Profile
) -> None:
    """Nothing sticks out to the side, whatever accounts are called and however much they hold."""
    page = await open_page(exporter.url, **screen)
    overflowing = await page.evaluate(OVERFLOWING)
    assert overflowing["page"] == 0
    assert overflowing["elements"] == []
    assert overflowing["of"] > 300
    assert complaints == []


@pytest.mark.parametrize("screen", SCREENS)
async def test_is_readable_on_every_screen(exporter: Exporter, open_page: OpenPage, screen: Profile) -> None:
    """All text has a contrast of at least 4.5 to what is behind it, the warning about old numbers included."""
    page = await open_page(exporter.url, **screen)
    await exporter.stop()
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator("#outdated")).to_be_visible()
    contrasts = await page.evaluate(CONTRASTS)
    assert [(words, ratio) for words, ratio in contrasts if ratio < 4.5] == []
    assert len(contrasts) > 200
    assert [words for words, _ in contrasts if "out of date" in words] != []
    await exporter.start()


async def rows_as_read_aloud(page: Page) -> list[list[str]]:
    """Return the columns of each row in the browser's own accessibility tree, by which a screen reader counts."""
    devtools = await page.context.new_cdp_session(page)
    nodes = {node["nodeId"]: node for node in (await devtools.send("Accessibility.getFullAXTree"))["nodes"]}

    async def column(node: dict[str, Any]) -> str:
        described = await devtools.send("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})
        attributes = described["node"]["attributes"]
        pairs = dict(zip(attributes[::2], attributes[1::2], strict=True))
        heading = node["name"]["value"] if node["role"]["value"] == "columnheader" else "Account"
        return str(pairs.get("data-label", heading))

    def cells(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for child in (nodes[number] for number in node["childIds"]):
            if child["role"]["value"] in {"cell", "columnheader", "rowheader"}:
                yield child
            elif child["ignored"]:
                yield from cells(child)

    rows = [node for node in nodes.values() if node.get("role", {}).get("value") == "row"]
    return [[await column(cell) for cell in cells(row)] for row in rows]


@pytest.mark.parametrize("screen", SCREENS)
async def test_each_cell_is_read_out_under_its_heading(
    exporter: Exporter, open_page: OpenPage, screen: Profile
) -> None:
    """An account without notes has a place for them too, or its balance would be read out as its notes."""
    headings, *rows = await rows_as_read_aloud(await open_page(exporter.url, **screen))
    assert len(headings) == len(set(headings)) > 5
    assert len(rows) == len(exporter.views)
    assert [row for row in rows if row != headings] == []


HEIGHTS = """() => [...document.querySelectorAll("tbody tr")].map((row) => row.getBoundingClientRect().height)"""


@pytest.mark.parametrize("screen", SCREENS)
async def test_no_notes_take_no_room(exporter: Exporter, open_page: OpenPage, screen: Profile) -> None:
    """An account of which there is nothing to say is as low as if it had no place for notes."""
    exporter.views = (view("marketing", (42, reading())),)
    page = await open_page(exporter.url, **screen)
    with_place = await page.evaluate(HEIGHTS)
    await page.evaluate("document.querySelector('td[data-label=Notes]').remove()")
    assert with_place == await page.evaluate(HEIGHTS)


async def test_loads_its_parts_below_a_prefix(exporter: Exporter, open_page: OpenPage, complaints: list[str]) -> None:
    """Style, script and icon come from beside the page and pass its Content-Security-Policy."""
    exporter.refresh = QUICK
    page = await open_page(exporter.url)
    assert await page.evaluate("document.styleSheets[0].cssRules.length") > 10
    assert await page.evaluate("document.querySelector('h1 img').naturalWidth") > 0
    await page.wait_for_event("requestfinished")
    assert complaints == []


async def test_changes_by_itself(exporter: Exporter, open_page: OpenPage, complaints: list[str]) -> None:
    """An open page follows the accounts: their values, the summary and the title of the tab."""
    exporter.refresh = QUICK
    exporter.views = (view("marketing", (42, reading("1250.50"))),)
    page = await open_page(exporter.url)
    await expect(page).to_have_title("1 fresh · SMS Credit")
    exporter.views = (view("marketing", (42, reading("-0.50", credit_blocked=True))),)
    await expect(page.locator("td[data-label=Balance]")).to_have_text("-0.50 EUR")
    await expect(page.locator(".counts")).to_have_text("1 account: 1 blocked")
    await expect(page).to_have_title("1 blocked · SMS Credit")
    assert complaints == []


async def test_changes_behind_a_password_in_the_address(exporter: Exporter, open_page: OpenPage) -> None:
    """Who opens http://user:password@exporter/ gets a page that keeps itself current as well."""
    exporter.refresh = QUICK
    page = await open_page(exporter.url.replace("//", "//user:password@"))
    exporter.views = (view("the only one"),)
    await expect(page).to_have_title("1 pending · SMS Credit")


async def test_changes_without_javascript_too(exporter: Exporter, open_page: OpenPage) -> None:
    """A browser that runs no scripts loads the page anew."""
    exporter.refresh = QUICK
    page = await open_page(exporter.url, java_script_enabled=False)
    exporter.views = (view("the only one"),)
    await expect(page).to_have_title("1 pending · SMS Credit")


async def test_keeps_the_keyboard_where_it_is(exporter: Exporter, open_page: OpenPage) -> None:
    """A refresh does not take the focus away from who walks through the page by keyboard."""
    exporter.refresh = QUICK
    page = await open_page(exporter.url)
    link = page.get_by_role("row", name="marketing").get_by_role("link")
    await link.focus()
    exporter.views = (*exporter.views, view("one more"))
    await expect(page.get_by_role("rowheader", name="one more")).to_be_visible()
    await expect(link).to_be_focused()


Fail = Callable[[Exporter], Awaitable[None]]


async def _gone(exporter: Exporter) -> None:
    await exporter.stop()


async def _silent(exporter: Exporter) -> None:
    exporter.let_through.clear()


async def _broken(exporter: Exporter) -> None:
    exporter.answers = exporter.broken


async def _replaced(exporter: Exporter) -> None:
    exporter.answers = exporter.foreign


@pytest.mark.parametrize(
    "fail",
    [
        pytest.param(_gone, id="the exporter is gone"),
        pytest.param(_broken, id="the answer is an error"),
        pytest.param(_replaced, id="a proxy answers with a page of its own"),
        pytest.param(_silent, id="the exporter never answers"),
    ],
)
async def test_says_when_its_numbers_are_old(exporter: Exporter, open_page: OpenPage, fail: Fail) -> None:
    """Numbers that are no longer refreshed are marked as old with the time, until they are refreshed again."""
    exporter.refresh = QUICK
    page = await open_page(exporter.url)
    banner, main = page.locator("#outdated"), page.locator("main")
    await expect(banner).to_be_hidden()

    await fail(exporter)
    await expect(banner).to_be_visible(timeout=10_000)
    await expect(banner).to_have_text(re.compile(r"The numbers below are out of date since ([01]\d|2[0-3]):[0-5]\d\.$"))
    await expect(main).to_have_class("outdated")
    await expect(main).to_contain_text("1,250.50 EUR")

    exporter.answers = exporter.page
    exporter.let_through.set()
    await exporter.stop()
    await exporter.start()
    await expect(banner).to_be_hidden(timeout=10_000)
    await expect(main).not_to_have_class("outdated")


async def test_rests_while_nobody_looks(exporter: Exporter, open_page: OpenPage) -> None:
    """A hidden tab asks for nothing, even if it was hidden amid a refresh; looked at again, it goes on."""
    exporter.refresh = QUICK
    page = await open_page(exporter.url)
    exporter.let_through.clear()
    exporter.arrived.clear()
    await exporter.arrived.wait()
    await _look(page, away=True)
    exporter.views = (view("marketing", (5, reading())),)
    exporter.let_through.set()
    await expect(page).to_have_title("1 fresh · SMS Credit")
    resting = exporter.requests
    await asyncio.sleep(5 * QUICK)
    assert exporter.requests == resting

    exporter.views = (view("marketing", (5, problem(Cause.TIMEOUT))),)
    await _look(page, away=False)
    await expect(page).to_have_title("1 unreachable · SMS Credit")


async def test_forgets_the_next_refresh_when_hidden(exporter: Exporter, open_page: OpenPage) -> None:
    """A tab that is hidden between two refreshes does not make the second."""
    exporter.refresh = 5 * QUICK
    page = await open_page(exporter.url)
    await page.wait_for_event("requestfinished")
    await _look(page, away=True)
    resting = exporter.requests
    await asyncio.sleep(8 * QUICK)
    assert exporter.requests == resting


async def test_is_refreshed_at_once_when_looked_at(exporter: Exporter, open_page: OpenPage) -> None:
    """Coming back to the tab does not wait for the next period."""
    page = await open_page(exporter.url)
    await _look(page, away=True)
    exporter.views = (view("new"),)
    await _look(page, away=False)
    await expect(page).to_have_title("1 pending · SMS Credit")
    assert exporter.requests == 2


async def _look(page: Page, *, away: bool) -> None:
    """Hide the tab or show it; a headless browser shows all of its tabs."""
    await page.evaluate(
        """(away) => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => away });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        away,
    )
