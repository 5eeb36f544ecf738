"""Draw the dashboards as they look with one account, with ten, and with five hundred."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
from playwright.async_api import Browser

from grafana.generate.__main__ import FOLDER

from .accounts import accounts
from .asking import asked
from .pictures import Mode, NotDrawnError, chromium, draw
from .running import Prometheus, end_when_told, program, watched

DRAWING = FOLDER.parent / ".tools/look/drawing"
_MODES: tuple[Mode, ...] = ("light", "dark")


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/look-at-dashboards", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--accounts", type=int, nargs="+", default=[1, 10, 500], metavar="N", help="how many (default: 1 10 500)"
    )
    parser.add_argument("--modes", nargs="+", choices=_MODES, default=_MODES, help="default: both")
    parser.add_argument(
        "--dashboards", type=Path, default=FOLDER / "dashboards", metavar="FOLDER", help="the JSON files"
    )
    parser.add_argument("--prometheus", metavar="URL", help="draw what this one knows, and start nothing")
    parser.add_argument("--account", metavar="NAME", help="whose page is drawn (default: the first)")
    parser.add_argument("--provider", metavar="KEY", help="that account's provider")
    parser.add_argument("--output", type=Path, default=Path("/tmp/dashboards"), metavar="FOLDER", help="%(default)s")  # noqa: S108 - pictures of made-up accounts
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_look(options))
    except (FileNotFoundError, NotDrawnError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    return 0


async def _look(options: argparse.Namespace) -> None:
    end_when_told()
    async with chromium(program("chromium")) as browser:
        for number in [0] if options.prometheus else options.accounts:
            async with _prometheus(options.prometheus, number) as prometheus:
                first = accounts(max(number, 1))[0]
                chosen = {
                    "job": "sms-credit",
                    "provider": options.provider or first.provider,
                    "account": options.account or first.name,
                }
                folder = options.output / ("given" if options.prometheus else str(number))
                await _draw_all(browser, prometheus, chosen, options, folder)


@contextlib.asynccontextmanager
async def _prometheus(url: str | None, number: int) -> AsyncIterator[Prometheus]:
    """Give the Prometheus at an address, or one with so many made-up accounts."""
    if url:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            yield Prometheus(url, http)
        return
    with tempfile.TemporaryDirectory(prefix="sms-credit-look-") as folder:
        async with watched(number, Path(folder)) as everything:
            yield everything.prometheus


async def _draw_all(
    browser: Browser, prometheus: Prometheus, account: dict[str, str], options: argparse.Namespace, folder: Path
) -> None:
    for file in sorted(options.dashboards.glob("*.json")):
        dashboard = json.loads(file.read_text())
        names = {variable["name"] for variable in dashboard["templating"]["list"] if not variable.get("multi")}
        chosen = {name: value for name, value in account.items() if name == "job" or name in names}
        answered = await asked(prometheus, dashboard, chosen)
        for mode in options.modes:
            pictures = folder / file.stem / mode
            await draw(browser, DRAWING, answered, mode, pictures)
            print(pictures / "all.png", flush=True)


if __name__ == "__main__":
    sys.exit(main())
