"""What the exporter's own tests start and write serves here too; and the image, which is built once."""

import os
from collections.abc import Callable

import pytest

from tests.exporter.conftest import config_file, http, providers, start
from tests.packaging.image import Image, build

__all__ = ["config_file", "http", "providers", "start"]


@pytest.fixture(scope="session")
def image(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Build it; only root can give a process another root."""
    if os.geteuid():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("root alone can run something in a container")
    return build(tool("uv"), tmp_path_factory.mktemp("image"))
