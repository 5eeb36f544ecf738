"""The package as users install it: built, unpacked into an empty folder, and run from there."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest
from readme_renderer.markdown import render

from tests.conftest import ROOT
from tests.exporter.running import LISTEN, running

REPOSITORY = "https://github.com/sms-credit/sms-credit"
RAW = "https://raw.githubusercontent.com/sms-credit/sms-credit"

PROGRAM = """\
import sys
sys.path[:] = [path for path in sys.path if not path.startswith({checkout!r}) or "site-packages" in path]
sys.path.insert(0, {site!r})
import sms_credit_core, sms_credit_exporter.cli
assert sms_credit_core.__file__.startswith({site!r}), sms_credit_core.__file__
sys.exit(sms_credit_exporter.cli.main())
"""


def written(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in a folder by its path there."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], str]) -> Path:
    """Build the source distribution and from it the wheel, as PyPI's users get them, and unpack the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [tool("uv"), "build", "--quiet", "--out-dir", str(folder), "--python", sys.executable], cwd=ROOT, check=True
    )
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_everything_and_nothing_else(site: Path) -> None:
    """Two packages, each with its marker for type checkers; the payloads that the simulated providers answer from."""
    files = {str(file.relative_to(site)) for file in site.rglob("*") if file.is_file()}
    payloads = {file for file in files if file.startswith("sms_credit_exporter/simulator/payloads/")}

    assert {file.split("/")[0].split("-")[0] for file in files} == {"sms_credit_core", "sms_credit_exporter"}
    assert {"sms_credit_core/py.typed", "sms_credit_exporter/py.typed"} <= files
    assert {"sms_credit_exporter/page/static/style.css", "sms_credit_exporter/page/templates/status.html"} <= files
    assert "sms_credit_exporter/openapi.yaml" in files
    assert len(payloads) == len(list((ROOT / "tests" / "payloads").rglob("*.yaml")))


@pytest.fixture
def program(site: Path, tmp_path: Path) -> str:
    """Return a script that runs the installed exporter, with the checkout out of sight."""
    file = tmp_path / "installed.py"
    file.write_text(PROGRAM.format(site=str(site), checkout=str(ROOT)))
    return str(file)


async def test_the_demo_runs_from_the_wheel(program: str, http: httpx.AsyncClient, tmp_path: Path) -> None:
    """It finds the simulated providers' answers, the page and what the page loads."""
    async with running(http, "demo", LISTEN, cwd=tmp_path, env={}, program=(program,)) as exporter:
        await exporter.shows('sms_credit_status{account="shop-codes",provider="23telecom",status="fresh"} 1.0')
        assert "Demo." in (await exporter.get("/")).text


def test_the_wheel_brings_rules_dashboards_and_runbooks(program: str, tmp_path: Path) -> None:
    """All that a checkout gives, byte for byte, and nothing that is of use in a checkout only."""
    for run, folder in (((program,), "installed"), (("-m", "sms_credit_exporter"), "checkout")):
        command = (sys.executable, *run, "monitoring", f"--output={folder}")
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    installed, checkout = (written(tmp_path / folder) for folder in ("installed", "checkout"))
    assert installed == checkout
    assert {"prometheus/rules.yml", "dashboards/overview.json", "runbook.md"} < installed.keys()


def test_a_package_page_shows_the_readme_and_every_link_leads_somewhere(site: Path) -> None:
    """Rendered as PyPI does it: nothing is beside a package page, so each link is whole and names this version."""
    [metadata] = site.glob("*.dist-info/METADATA")
    about = message_from_bytes(metadata.read_bytes())
    assert about["Description-Content-Type"] == "text/markdown"
    page = str(render(str(about.get_payload())))
    assert "<h1" in page
    links = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    for place in (f"{REPOSITORY}/blob/v{about['Version']}/docs/", f"{RAW}/v{about['Version']}/docs/pictures/"):
        assert [link for link in links if link.startswith(place)] != []
