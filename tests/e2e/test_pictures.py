"""`scripts/pictures`: one command makes the pictures in docs/pictures anew, and they show what they are to show."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from scripts.pictures import MODES, NAMES, PICTURES
from tests.conftest import ROOT

Tool = Callable[[str], str]

FILES = sorted(f"{name}-{mode}.png" for name in NAMES for mode in MODES)
LARGEST = 150 * 1024
"""Bytes: a page that shows three of them is still there at once."""


def make(tool: Tool, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    for needed in ("node", "npm", "chromium", "prometheus", "promtool", "uv", "ha-develop/bin/hass"):
        tool(needed)
    command = (tool("bash"), "scripts/pictures", *map(str, arguments))
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_there_is_each_picture_and_no_other() -> None:
    """The page beside them leads to each."""
    assert sorted(file.name for file in PICTURES.glob("*.png")) == FILES
    page = (PICTURES / "README.md").read_text()
    assert [name for name in FILES if f"({name})" not in page] == []


@pytest.mark.parametrize("name", FILES)
def test_a_picture_is_small_and_tells_nothing_of_who_made_it(name: str) -> None:
    """It has pixels and a palette, but no text, time or program beside them; dark ones are dark."""
    file = PICTURES / name
    assert file.stat().st_size < LARGEST
    with Image.open(file) as image:
        image.load()
        assert (image.format, image.mode, image.info) == ("PNG", "P", {})
        assert image.width > 1500
        [brightness] = ImageStat.Stat(image.convert("L")).mean
    assert (brightness > 127) == name.endswith("-light.png")


@pytest.mark.timeout(900)
def test_made_again_they_are_the_same_but_for_the_time(tool: Tool, tmp_path: Path) -> None:
    """What there is to be seen has the same extent, so nothing has come or gone; each is told with its size."""
    done = make(tool, f"--output={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert sorted(line.partition(":")[0] for line in done.stdout.splitlines() if ".png:" in line) == [
        str(tmp_path / name) for name in FILES
    ]
    for name in FILES:
        with Image.open(PICTURES / name) as shown, Image.open(tmp_path / name) as made:
            assert made.width == shown.width
            assert abs(made.height - shown.height) < shown.height / 20, f"{name}: run scripts/pictures"


def test_a_picture_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """It says which there are, and nothing is made."""
    command = (sys.executable, "-m", "scripts.pictures", "screenshot", f"--output={tmp_path}")
    refused = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "there is no picture screenshot" in refused.stderr
    assert [name for name in NAMES if name not in refused.stderr] == []
    assert list(tmp_path.iterdir()) == []
