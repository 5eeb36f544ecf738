"""Makes the pictures of both products that the documents show: of real programs, with made-up accounts.

Made again, each shows the same accounts in the same states; only times of day, and what depends on them, differ.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Error

from grafana.generate.__main__ import FOLDER as GRAFANA
from scripts.development.client import DOMAIN, Client, Entry
from scripts.development.home_assistant import HomeAssistantError, running
from scripts.development.providers import simulated_providers
from scripts.look.__main__ import DRAWING
from scripts.look.accounts import MadeUp, accounts
from scripts.look.asking import asked
from scripts.look.past import Lived, moments
from scripts.look.pictures import SCALE, Mode, NotDrawnError, chromium, draw
from scripts.look.running import Watched, end_when_told, free_port, program, watched
from sms_credit_core import PROVIDERS, Instant, Secret, remembered
from sms_credit_exporter.accounts import AccountConfig

PICTURES = Path(__file__).parents[1] / "docs/pictures"
MODES: Sequence[Mode] = ("light", "dark")

_COLOURS = 256
"""In each picture, so that it stays small; chosen so that a rare one, such as that of a state, is not lost."""


@dataclass(frozen=True, slots=True)
class _Studio:
    """What takes pictures, and where they go."""

    browser: Browser
    output: Path

    def pages(self, mode: Mode, width: int, height: int) -> Awaitable[BrowserContext]:
        """Open a browser profile whose screen has this size in pixels of the layout."""
        return self.browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=SCALE,
            color_scheme=mode,
            reduced_motion="reduce",
            locale="en-GB",
        )

    def save(self, name: str, mode: Mode, picture: bytes) -> None:
        """Save a PNG image as a smaller one."""
        file = self.output / f"{name}-{mode}.png"
        image = Image.open(BytesIO(picture)).convert("RGB")
        image.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, optimize=True)
        print(f"{file}: {image.width} by {image.height} pixels, {file.stat().st_size / 1024:.0f} KB", flush=True)


# --- the exporter and its dashboards ----------------------------------------------------------------------------------

_SHOWN = 10
"""Accounts: one in each kind of trouble, and a few in none."""

_LAST_PANEL = "Spent by the day"
"""What lies below this panel of the overview is left out: a picture as long as the dashboard could not be read."""


async def _status_page(studio: _Studio, everything: Watched) -> None:
    for mode in MODES:
        context = await studio.pages(mode, 1200, 800)
        page = await context.new_page()
        await page.goto(everything.page)
        studio.save("status-page", mode, await page.screenshot(full_page=True))
        await context.close()


async def _dashboard(studio: _Studio, everything: Watched) -> None:
    overview = json.loads((GRAFANA / "dashboards/overview.json").read_text())
    lowest = max(panel["gridPos"]["y"] for panel in overview["panels"] if panel["title"] == _LAST_PANEL)
    shown = [panel for panel in overview["panels"] if panel["gridPos"]["y"] <= lowest]
    answered = await asked(everything.prometheus, {**overview, "panels": shown}, {"job": "sms-credit"})
    for mode in MODES:
        with TemporaryDirectory() as folder:
            await draw(studio.browser, DRAWING, answered, mode, Path(folder))
            studio.save("dashboard", mode, Path(folder, "all.png").read_bytes())


# --- Home Assistant ---------------------------------------------------------------------------------------------------

_NAME = "Webshop one-time codes"
_DAY = 86400


async def _home_assistant(studio: _Studio) -> None:
    made_up = accounts(1)[0]
    async with _installation(made_up) as (client, entry):
        for mode in MODES:
            context = await studio.pages(mode, 1040, 900)
            page = await context.new_page()
            await client.log_in(page)
            await page.goto(str(client.api.base_url.join(f"/config/devices/device/{await client.device(entry)}")))
            await page.locator("ha-device-entities-card").first.wait_for()
            await page.wait_for_load_state("networkidle")
            studio.save("home-assistant", mode, await page.screenshot())
            await context.close()


@asynccontextmanager
async def _installation(made_up: MadeUp) -> AsyncIterator[tuple[Client, Entry]]:
    """Run a Home Assistant with one account, which has been there for weeks."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sms-credit-pictures-")))
        providers = await stack.enter_async_context(simulated_providers())
        home = await stack.enter_async_context(running(folder, free_port(), providers.environment))
        api = httpx.AsyncClient(
            base_url=home.url, headers={"Authorization": f"Bearer {home.token}"}, trust_env=False, timeout=30
        )
        client = Client(api=await stack.enter_async_context(api))
        account = providers.accounts[made_up.name]
        account.answer_with(made_up.behaviour)
        entry = await client.add_account(made_up.provider, _NAME, account.credentials, _options(made_up))
        await client.ask("config_entries/disable", entry_id=entry.id, disabled_by="user")
        _remember(folder / ".storage" / f"{DOMAIN}.{entry.id}", made_up, account.credentials)
        await client.ask("config_entries/disable", entry_id=entry.id, disabled_by=None)
        yield client, entry


def _options(made_up: MadeUp) -> Mapping[str, float]:
    """Return its limits as they are entered into the form."""
    limits = made_up.limits
    entered = {
        "low_balance": limits.low_balance,
        "low_quota": limits.low_quota,
        "low_runway": limits.low_runway and limits.low_runway / _DAY,
        "message_price": limits.message_price,
    }
    return {name: float(value) for name, value in entered.items() if value is not None}


def _remember(file: Path, made_up: MadeUp, credentials: Mapping[str, str]) -> None:
    """Put what would be known of the account into Home Assistant's storage, had it been there for weeks."""
    provider = PROVIDERS[made_up.provider]
    config = AccountConfig(
        name=made_up.name,
        provider=provider,
        credentials={name: Secret(value) for name, value in credentials.items()},
        base_url=provider.base_url,
        limits=made_up.limits,
    )
    lived, now = Lived(config, made_up.behaviour), Instant.now()
    for seconds in moments(1):
        lived.poll(Instant(now.unix + seconds, now.monotonic + seconds), seconds)
    stored = json.loads(file.read_text())
    stored["data"]["account"] = remembered(lived.account, config.owner)
    file.write_text(json.dumps(stored))


# --- the command ------------------------------------------------------------------------------------------------------

_Take = Callable[[_Studio], Awaitable[None]]
_WATCHED: Mapping[str, Callable[[_Studio, Watched], Awaitable[None]]] = {
    "status-page": _status_page,
    "dashboard": _dashboard,
}
NAMES = (*_WATCHED, "home-assistant")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/pictures", description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--output", type=Path, default=PICTURES, metavar="FOLDER", help="default: docs/pictures")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no picture {', '.join(sorted(unknown))}, only: {', '.join(NAMES)}")
    try:
        asyncio.run(_make(options.names or NAMES, options.output))
    except (Error, HomeAssistantError, NotDrawnError, OSError, RuntimeError) as error:
        print(f"scripts/pictures: {error}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    return 0


async def _make(names: Collection[str], output: Path) -> None:
    end_when_told()
    async with chromium(program("chromium")) as browser:
        studio = _Studio(browser, output)
        if chosen := [take for name, take in _WATCHED.items() if name in names]:
            with TemporaryDirectory(prefix="sms-credit-pictures-") as folder:
                async with watched(_SHOWN, Path(folder)) as everything:
                    for take in chosen:
                        await take(studio, everything)
        if "home-assistant" in names:
            await _home_assistant(studio)


if __name__ == "__main__":
    sys.exit(main())
