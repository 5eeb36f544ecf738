"""docs/faults.md is written from the table that the tests go through."""

import subprocess
import sys

from scripts import faults
from tests.conftest import ROOT
from tests.faults.table import FAULTS


def test_the_page_is_as_it_is_written() -> None:
    """A row that somebody changed by hand, or forgot to write anew, is found."""
    assert faults.FILE.read_text() == faults.written()
    command = [sys.executable, "-m", "scripts.faults", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def test_every_row_is_a_sentence_of_its_own() -> None:
    """Two rows of one layer with the same words would be the same to whoever reads the page."""
    rows = [(fault.layer, fault.sentence) for fault in FAULTS]
    assert len(set(rows)) == len(rows)
    assert [sentence for _, sentence in rows if not sentence.endswith(".")] == []
