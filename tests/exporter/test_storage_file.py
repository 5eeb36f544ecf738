"""Which files are refused as storage, and in which words."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sms_credit_exporter.mistakes import StorageMistake
from sms_credit_exporter.storage import Storage, check_no_other_file


def of_another_program(path: Path) -> None:
    """Make a database that is somebody else's."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE made_up (x)")


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        pytest.param("missing/s.db", lambda _: None, "is no file in a folder that exists", id="no such folder"),
        pytest.param("s.db", Path.mkdir, "is no file in a folder that exists", id="a folder"),
        pytest.param("s.db", of_another_program, "belongs to another program", id="another program's"),
    ],
)
def test_a_file_that_cannot_be_the_storage(
    tmp_path: Path, name: str, make: Callable[[Path], None], reason: str
) -> None:
    """The start fails with its name and the reason, and whatever is there stays as it is."""
    path = tmp_path / name
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StorageMistake) as raised:
        Storage(path)
    assert str(path) in str(raised.value)
    assert reason in str(raised.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_slip_makes_no_other_file_the_storage(tmp_path: Path) -> None:
    """Not under another name either; files that are missing are none of the user's."""
    config, link, missing = tmp_path / "config.yml", tmp_path / "link", tmp_path / "missing"
    config.write_text("accounts: []")
    link.symlink_to(config)
    with pytest.raises(StorageMistake, match="is the configuration file"):
        check_no_other_file(link, {"configuration": config})
    for path, other in ((None, config), (config, None), (missing, config), (config, missing), (config, tmp_path)):
        check_no_other_file(path, {"configuration": other})
