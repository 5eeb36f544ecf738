"""What all suites share: the tools that may be missing on a developer's machine, but not in CI."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

collect_ignore = ["ha"]  # runs inside Home Assistant, by a pytest.toml of its own


def program(name: str, root: Path = ROOT) -> str | None:
    """Return the path of a program: from the PATH, else from .tools, where the scripts put what they bring."""
    places = (name, root / ".tools" / name, root / ".tools" / name / "bin" / name)
    return next((str(found) for place in places if (found := shutil.which(place))), None)


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Find a program; without it the test is skipped, and in CI it fails."""

    def find(name: str) -> str:
        path = program(name)
        if path is None:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{name} is not installed")
        return str(path)

    return find
