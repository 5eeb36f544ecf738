"""The status page in a real browser: how it looks, and how it stays current."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.typedefs import Handler
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it brings no types
from playwright.async_api import Page, expect
from prometheus_client import CollectorRegistry

from sms_credit_core import Cause
from sms_credit_exporter.accounts import View
from sms_credit_exporter.advice import Links, Template
from sms_credit_exporter.exposition import Exposition
from sms_credit_exporter.listing import Listings
from sms_credit_exporter.trend import Trend
from sms_credit_exporter.web import Site, application
from tests.e2e.conftest import AXE, OpenPage, Profile
from tests.e2e.gallery import NOW, gallery, problem, reading, trend_of, view

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = 0.2
SELDOM = 600.0

SCREENS = [
    pytest.param({"viewport": {"width": width, "height": height}, "color_scheme": scheme}, id=f"{name}, {scheme}")
    for name, width, height in (("phone", 360, 800), ("tablet", 820, 1100), ("desktop", 1280, 900), ("wide", 1600, 900))
    for scheme in ("light", "dark")
]
LAYOUTS = SCREENS[::2]
"""Each size once, for what does not depend on colours."""
STYLE = (files("sms_credit_exporter") / "page/static/style.css").read_text()
EDGES = [
    pytest.param({"viewport": {"width": width, "height": 900}}, id=f"{width} pixels, where the layout changes")
    for rem in re.findall(r"min-width: ([\d.]+)rem", STYLE)
    for width in (int(16 * float(rem)) - 1, int(16 * float(rem)))
]
"""The widest screen of each layout and the narrowest of the next: there it is tightest."""
EXTREMES = [SCREENS[0], SCREENS[-1]]
"""The smallest in light, and the largest in dark."""


class Exporter:
    """The exporter's own web server below a path prefix, as a reverse proxy would have it; it can be made to fail."""

    def __init__(self, views: Iterable[View]) -> None:
        """Serve these views until others are set."""
        self.views = tuple(views)
        self.refresh = SELDOM
        self.requests = 0
        self.answers: Handler | None = None
        """What answers in the place of the page."""
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
        site = Site(
            exposition=Exposition(CollectorRegistry()),
            views=lambda: self.views,
            ready=lambda: True,
            reload=None,
            version="1.2.3",
            refresh=self.refresh,
            demo=True,
            listings=Listings(
                self._trend, Links(Template.parse("https://grafana.example.com/d/a?var-account={account}"))
            ),
        )
        app = web.Application()
        app.add_subapp("/below/a/prefix/", application(site, self._count))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        listener = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await listener.start()
        self._port = self._runner.addresses[0][1]

    async def refreshing(self, period: float) -> None:
        """Have pages fetch themselves so often from now on."""
        self.refresh = period
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """Close the listener and every connection."""
        assert self._runner
        await self._runner.cleanup()

    def _trend(self, name: str) -> Trend:
        return next(trend_of(view) for view in self.views if view.config.name == name)

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/below/a/prefix/":
            return await handler(request)
        self.requests += 1
        self.arrived.set()
        await self.let_through.wait()
        return await (self.answers or handler)(request)


async def broken(_: web.Request) -> web.Response:
    """Answer with a page, but as a failure."""
    return web.Response(text="<main id=accounts>", content_type="text/html", status=503)


async def foreign(_: web.Request) -> web.Response:
    """Answer as a proxy that wants a login first."""
    return web.Response(text="<main>Please sign in.</main>", content_type="text/html")


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


@pytest.mark.parametrize("screen", [*LAYOUTS, *EDGES])
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


@pytest.mark.parametrize("screen", LAYOUTS)
async def test_each_cell_is_read_out_under_its_heading(
    exporter: Exporter, open_page: OpenPage, screen: Profile
) -> None:
    """An account without notes has a place for them too, or its balance would be read out as its notes."""
    headings, *rows = await rows_as_read_aloud(await open_page(exporter.url, **screen))
    assert len(headings) == len(set(headings)) > 5
    assert len(rows) == len(exporter.views)
    assert [row for row in rows if row != headings] == []


@pytest.mark.parametrize("screen", [*SCREENS[:2], *SCREENS[-2:]])
async def test_axe_finds_nothing(exporter: Exporter, open_page: OpenPage, screen: Profile) -> None:
    """By WCAG 2.2 and by good practice: with all unfolded, all filtered away, and where an address makes no sense."""
    page = await open_page(exporter.url, **screen)
    await page.evaluate("document.querySelectorAll('details').forEach((details) => details.open = true)")
    whole = await Axe().run(page, options=AXE)
    assert whole.violations_count == 0, whole.generate_report()
    assert len(whole.response["passes"]) > 20
    for elsewhere in ("?search=nothing+is+called+so", "?page=none"):
        await page.goto(f"{exporter.url}{elsewhere}")
        other = await Axe().run(page, options=AXE)
        assert other.violations_count == 0, other.generate_report()


async def test_axe_finds_what_is_wrong(exporter: Exporter, open_page: OpenPage) -> None:
    """It is not clean because nobody looks."""
    page = await open_page(exporter.url)
    await page.evaluate("document.querySelector('#filter label').replaceWith(document.querySelector('#search'))")
    found = (await Axe().run(page, options=AXE)).response["violations"]
    assert [violation["id"] for violation in found] == ["label"]


NAMES = ("İstanbul şubesi", "ÇAĞRI merkezi", "حساب التسويق", "חשבון שיווק (ישראל)", "otp", "on-call")


def crowd(count: int) -> tuple[View, ...]:
    """Return so many accounts, a tenth of them in trouble, with names of several scripts."""
    polls = [(60 + 3600 * ago, reading(str(100 + ago))) for ago in range(48, -1, -1)]
    well, ill = view("well", *polls), view("ill", *polls, (30, problem(Cause.TIMEOUT)))
    views = [ill if number % 10 == 3 else well for number in range(count)]
    return tuple(
        View.of(replace(each.config, name=f"{NAMES[number % len(NAMES)]} {number}"), each.account, NOW, 3600.0)
        for number, each in enumerate(views)
    )


@pytest.mark.parametrize("count", [1, 20, 500])
@pytest.mark.parametrize("screen", EXTREMES)
async def test_fits_however_many_accounts(
    exporter: Exporter, open_page: OpenPage, complaints: list[str], screen: Profile, count: int
) -> None:
    """Nothing sticks out, those in trouble come first, and even on a phone nobody scrolls for long."""
    exporter.views = crowd(count)
    page = await open_page(exporter.url, **screen)
    assert (await page.evaluate(OVERFLOWING))["elements"] == []
    assert await page.evaluate("document.documentElement.scrollHeight") < 12_000
    rows = page.locator("tbody tr")
    assert await rows.count() == min(count, 50)
    if count >= 500:
        await expect(rows.nth(49).get_by_text("unreachable")).to_be_visible()
        await expect(page.get_by_text("1 to 50 of 500.")).to_be_visible()
    assert complaints == []


HEIGHTS = """() => [...document.querySelectorAll("tbody tr")].map((row) => row.getBoundingClientRect().height)"""


@pytest.mark.parametrize("screen", LAYOUTS)
async def test_no_notes_take_no_room(exporter: Exporter, open_page: OpenPage, screen: Profile) -> None:
    """An account of which there is nothing to say is as low as if it had no place for notes."""
    exporter.views = (view("marketing", (42, reading())),)
    page = await open_page(exporter.url, **screen)
    with_place = await page.evaluate(HEIGHTS)
    await page.evaluate("document.querySelector('td[data-label=Notes]').remove()")
    assert with_place == await page.evaluate(HEIGHTS)


async def test_loads_its_parts_below_a_prefix(exporter: Exporter, open_page: OpenPage, complaints: list[str]) -> None:
    """Style, script and icon come from beside the page and pass its Content-Security-Policy."""
    await exporter.refreshing(QUICK)
    page = await open_page(exporter.url)
    assert await page.evaluate("document.styleSheets[0].cssRules.length") > 10
    assert await page.evaluate("document.querySelector('h1 img').naturalWidth") > 0
    await page.wait_for_event("requestfinished")
    assert complaints == []


async def test_changes_by_itself(exporter: Exporter, open_page: OpenPage, complaints: list[str]) -> None:
    """An open page follows the accounts: their values, the summary and the title of the tab."""
    await exporter.refreshing(QUICK)
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
    await exporter.refreshing(QUICK)
    page = await open_page(exporter.url.replace("//", "//user:password@"))
    exporter.views = (view("the only one"),)
    await expect(page).to_have_title("1 pending · SMS Credit")


async def test_changes_without_javascript_too(exporter: Exporter, open_page: OpenPage) -> None:
    """A browser that runs no scripts loads the page anew."""
    await exporter.refreshing(QUICK)
    page = await open_page(exporter.url, java_script_enabled=False)
    exporter.views = (view("the only one"),)
    await expect(page).to_have_title("1 pending · SMS Credit")


async def test_keeps_the_keyboard_where_it_is(exporter: Exporter, open_page: OpenPage) -> None:
    """A refresh does not take the focus away from who walks through the page by keyboard."""
    await exporter.refreshing(QUICK)
    page = await open_page(exporter.url)
    link = page.get_by_role("row", name="alarms").get_by_role("link", name="Runbook")
    await link.focus()
    exporter.views = (*exporter.views, view("one more"))
    await expect(page.get_by_role("rowheader", name="one more")).to_be_visible()
    await expect(link).to_be_focused()


async def test_what_is_unfolded_and_typed_stays(exporter: Exporter, open_page: OpenPage) -> None:
    """A refresh neither folds what somebody reads, nor takes away what somebody types."""
    await exporter.refreshing(QUICK)
    page = await open_page(exporter.url)
    row = page.get_by_role("row", name="alarms")
    await row.get_by_text("More").click()
    await page.get_by_label("Search").press_sequentially("al")
    await expect(page).to_have_url(re.compile(r"\?search=al$"))
    exporter.views = (*exporter.views, view("all new"))
    await expect(page.get_by_role("rowheader", name="all new")).to_be_visible()
    await expect(row.get_by_text("Low at or below")).to_be_visible()
    await expect(page.get_by_label("Search")).to_be_focused()
    await expect(page.get_by_label("Search")).to_have_value("al")


async def test_is_searched_and_sorted_while_one_types(exporter: Exporter, open_page: OpenPage) -> None:
    """What is found is shown at once and told to screen readers; the address is one to come back to."""
    exporter.views = crowd(120)
    page = await open_page(exporter.url)
    names = page.locator("tbody .name")
    await page.get_by_label("Search").press_sequentially("istanbul")
    await expect(names).to_have_count(20)
    await expect(page.get_by_role("status")).to_have_text("1 to 20 of 20 that match.")
    await page.get_by_label("State").select_option("unreachable")
    await expect(names).to_have_count(0)
    await expect(page.get_by_role("status")).to_have_text("No account matches.")
    await page.get_by_label("State").select_option("all")
    await page.get_by_label("Order").select_option("name")
    await expect(names.nth(1)).to_have_text("İstanbul şubesi 6")
    await page.reload()
    await expect(names.nth(1)).to_have_text("İstanbul şubesi 6")
    await page.get_by_text("Show all 120").click()
    await expect(names).to_have_count(50)
    await expect(names.nth(0)).to_have_text("ÇAĞRI merkezi 1")


FOCUSED = """() => {
    const { textContent, labels } = document.activeElement;
    if (document.activeElement === document.body) return "";
    const texts = [textContent, ...[...(labels ?? [])].map((label) => label.textContent)];
    return texts.join(" ").replace(/\\s+/g, " ");
}"""


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_everything_can_be_done_by_keyboard(
    exporter: Exporter, open_page: OpenPage, complaints: list[str], *, scripts: bool
) -> None:
    """To search, to filter, to unfold and to turn the page: with Tab, Enter, Space and what one types."""
    exporter.views = crowd(120)
    page = await open_page(exporter.url, java_script_enabled=scripts)

    async def to(label: str) -> None:
        for _ in range(200):
            await page.keyboard.press("Tab")
            if label in await page.evaluate(FOCUSED):
                return
        pytest.fail(f"Tab does not lead to {label}")

    await to("Search")
    await page.keyboard.type("otp")
    await page.keyboard.press("Enter")
    names = page.locator("tbody .name")
    await expect(names).to_have_count(20)
    await to("More about")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Next poll").first).to_be_visible()
    await to("Show all")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1 to 50 of 120.")).to_be_visible()
    await to("Next")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("51 to 100 of 120.")).to_be_visible()
    await to("Last")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("101 to 120 of 120.")).to_be_visible()
    assert complaints == []


async def test_is_whole_without_scripts(exporter: Exporter, open_page: OpenPage) -> None:
    """The form has a button then, and its choices are kept in it."""
    exporter.views = crowd(120)
    page = await open_page(exporter.url, java_script_enabled=False)
    await page.get_by_label("Search").fill("merkezi")
    await page.get_by_label("State").select_option("unreachable")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("1 to 4 of 4 that match.")).to_be_visible()
    await expect(page.get_by_label("Search")).to_have_value("merkezi")
    await expect(page.get_by_label("State")).to_have_value("unreachable")


async def test_a_page_that_there_is_not_leads_back(exporter: Exporter, open_page: OpenPage) -> None:
    """Whoever kept the address of a page that is gone, or has one page only, is told so."""
    exporter.views = crowd(60)
    page = await open_page(f"{exporter.url}?page=3")
    await expect(page.get_by_text("There is no page 3; the last is 2.")).to_be_visible()
    exporter.views = crowd(20)
    await page.reload()
    await expect(page.get_by_text("There is no page 3; the last is 1.")).to_be_visible()
    await page.get_by_text("Show all 20").click()
    await expect(page.locator("tbody .name")).to_have_count(20)


async def test_an_address_that_makes_no_sense_leads_back(exporter: Exporter, open_page: OpenPage) -> None:
    """It says what is wrong with it. What belongs to others is left alone."""
    page = await open_page(f"{exporter.url}?page=none&utm_source=mail")
    await expect(page.get_by_text("“page” must be a whole number from 1 to 1000000.")).to_be_visible()
    await page.get_by_text("Show all accounts").click()
    await expect(page.locator(".counts")).to_contain_text(f"{len(exporter.views)} accounts:")
    await page.goto(f"{exporter.url}?state=blocked&utm_source=mail")
    await expect(page.locator("tbody .name")).to_have_count(1)


async def test_a_picture_of_the_week_is_there_for_everybody(exporter: Exporter, open_page: OpenPage) -> None:
    """It is drawn, and told in words to who does not see it."""
    page = await open_page(exporter.url)
    picture = page.get_by_role("row", name="two-days").get_by_role("img")
    await expect(picture).to_have_accessible_name(
        "Over 23 h: from 800 messages to 340 messages; at most 800 messages, at least 340 messages"
    )
    box = await picture.locator("path").bounding_box()
    assert box
    assert box["width"] > 10
    assert box["height"] > 10


async def test_links_lead_where_they_say(exporter: Exporter, open_page: OpenPage) -> None:
    """Somebody in trouble has the panel, the runbook and the dashboard at hand, and they look like links."""
    page = await open_page(exporter.url)
    row = page.get_by_role("row", name="<script>")
    await row.get_by_text("More").click()
    dashboard = row.get_by_role("link", name="Dashboard")
    await expect(dashboard).to_have_attribute(
        "href",
        "https://grafana.example.com/d/a?var-account=%3Cscript%3Ealert%281%29%3C%2Fscript%3E%20%26%20%22quotes%27",
    )
    await expect(dashboard).to_have_css("text-decoration-line", "underline")
    alarms = page.get_by_role("row", name="alarms")
    assert await alarms.get_by_role("link").all_inner_texts() == ["23 Telecom panel", "Runbook", "Dashboard"]


Fail = Callable[[Exporter], Awaitable[None]]


async def _gone(exporter: Exporter) -> None:
    await exporter.stop()


async def _silent(exporter: Exporter) -> None:
    exporter.let_through.clear()


async def _broken(exporter: Exporter) -> None:
    exporter.answers = broken


async def _replaced(exporter: Exporter) -> None:
    exporter.answers = foreign


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
    await exporter.refreshing(QUICK)
    page = await open_page(exporter.url)
    banner, main = page.locator("#outdated"), page.locator("#accounts")
    await expect(banner).to_be_hidden()

    await fail(exporter)
    await expect(banner).to_be_visible(timeout=10_000)
    await expect(banner).to_have_text(re.compile(r"The numbers below are out of date since ([01]\d|2[0-3]):[0-5]\d\.$"))
    await expect(main).to_have_class("outdated")
    await expect(main).to_contain_text("1,250.50 EUR")

    exporter.answers = None
    exporter.let_through.set()
    await exporter.stop()
    await exporter.start()
    await expect(banner).to_be_hidden(timeout=10_000)
    await expect(main).not_to_have_class("outdated")


async def test_rests_while_nobody_looks(exporter: Exporter, open_page: OpenPage) -> None:
    """A hidden tab asks for nothing, even if it was hidden amid a refresh; looked at again, it goes on."""
    await exporter.refreshing(QUICK)
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
    await exporter.refreshing(5 * QUICK)
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
