"""`scripts/look-at-dashboards`: one command, and there is a picture of every panel."""

import asyncio
import json
import re
import subprocess
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import httpx
import pytest

from grafana.generate.overview import GROUPS
from scripts.look.__main__ import DRAWING
from scripts.look.accounts import accounts
from scripts.look.asking import asked
from scripts.look.pictures import chromium, draw, picture_name
from scripts.look.running import watched
from tests.conftest import ROOT
from tests.grafana.dashboards import DASHBOARDS, FOLDER, panels
from tests.grafana.servers import prometheus

Tool = Callable[[str], str]

CAST = accounts(10)
"""One in each kind of trouble."""

PNG = b"\x89PNG\r\n\x1a\n"


def look(tool: Tool, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command with one account and in one mode."""
    for needed in ("node", "npm", "chromium", "prometheus", "promtool", "uv"):
        tool(needed)
    command = (tool("bash"), "scripts/look-at-dashboards", "--accounts=1", "--modes=light", *map(str, arguments))
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_every_panel_is_drawn(tool: Tool, tmp_path: Path) -> None:
    """Each has a file of its own, and each dashboard one of the whole."""
    done = look(tool, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(tmp_path / f"1/{name}/light/all.png") for name in DASHBOARDS]
    for name in DASHBOARDS:
        names = {picture_name(panel["id"], panel["title"]) for panel in panels(name)}
        files = {file.stem: file.read_bytes() for file in (tmp_path / f"1/{name}/light").iterdir()}
        assert files.keys() == names | {"all"}
        assert all(content.startswith(PNG) for content in files.values())


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param('"expr": "', '"expr": "(', "unclosed left parenthesis", id="a query that Prometheus cannot read"),
        pytest.param(
            '"type": "stat"', '"type": "unheard-of"', "Accounts: .*unheard-of", id="a panel of an unknown kind"
        ),
    ],
)
async def test_what_cannot_be_drawn_is_said(tool: Tool, tmp_path: Path, old: str, new: str, complaint: str) -> None:
    """No picture passes for one of a dashboard that is broken; once it is mended, there is one even without data."""
    file, text = tmp_path / "overview.json", (FOLDER / "overview.json").read_text()
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        prometheus(tool("prometheus"), tmp_path, http, targets=[], rules="") as empty,
    ):
        drawing = (tool, f"--prometheus={empty.url}", "--dashboards", tmp_path, "--output", tmp_path / "pictures")
        file.write_text(text.replace(old, new))
        broken = await asyncio.to_thread(look, *drawing)
        assert broken.returncode == 1
        assert re.search(complaint, broken.stderr)
        assert "Traceback" not in broken.stderr

        file.write_text(text)
        mended = await asyncio.to_thread(look, *drawing)
        assert (mended.returncode, mended.stdout.count("all.png")) == (0, 1), mended.stderr


@pytest.fixture(scope="module")
def bundle(tool: Tool) -> Path:
    """Return what draws in the browser, built from what is there now."""
    assert look(tool, "--help").returncode == 0
    return DRAWING


@pytest.mark.timeout(300)
async def test_people_read_what_is_so(tool: Tool, bundle: Path, tmp_path: Path) -> None:
    """What is unknown has no number in front of its curve, and a count's own rows are what the table is limited to."""
    async with watched(len(CAST), tmp_path) as everything, chromium(tool("chromium")) as browser:

        async def read(name: str, kinds: Collection[str], **chosen: str) -> Mapping[str, str]:
            some = [panel for panel in panels(name) if panel["type"] in kinds]
            dashboard, choices = {**DASHBOARDS[name], "panels": some}, {"job": "sms-credit", **chosen}
            answered = await asked(everything.prometheus, dashboard, choices)
            texts = await draw(browser, bundle, answered, "light", tmp_path / "pictures")
            return {title: text for title, _, text in (text.partition("\n") for text in texts.values())}

        lost = await read("account", {"stat"}, provider="iletimerkezi", account="clinic-reminders")
        assert (lost["State"], lost["Status"]) == ("Not read", "unreachable")
        for title in ("Balance", "Messages", "Lasts for"):
            assert "unknown" in lost[title]
            assert not re.search(r"\d", lost[title])

        [place] = [place for place, group in enumerate(GROUPS) if group.title == "Low"]
        overview = await read("overview", {"stat", "table"}, show=str(place))
        listed = {account.name for account in CAST if account.name in overview["Accounts, the worst first"]}
        assert listed == {"on-call", "alarm-system"}
        assert int(overview["Low"]) == len(listed)


def test_the_lock_file_names_no_registry() -> None:
    """Packages come from wherever npm is told to fetch them, and are known by their checksums."""
    lock = json.loads((ROOT / "scripts/look/package-lock.json").read_text())
    packages = [each for path, each in lock["packages"].items() if path]
    assert packages
    assert [each for each in packages if "resolved" in each or "integrity" not in each] == []


def test_made_up_accounts_have_names_of_their_own() -> None:
    """However many are asked for."""
    names = [account.name for account in accounts(600)]
    assert len(set(names)) == 600
