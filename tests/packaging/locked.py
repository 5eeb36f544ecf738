"""What uv.lock pins."""

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.conftest import ROOT

Package = Mapping[str, Any]


@cache
def packages() -> Mapping[str, Package]:
    """Return every package, by its name. Fails if there are two versions of one for different machines."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    by_name = {package["name"]: package for package in locked}
    assert len(by_name) == len(locked)
    return by_name


def runtime() -> Mapping[str, Package]:
    """Return the packages that the exporter is installed with on any machine, itself left out."""
    found: dict[str, Package] = {}
    waiting = [each["name"] for each in packages()["sms-credit-exporter"]["dependencies"]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = packages()[name]
            waiting += [each["name"] for each in found[name].get("dependencies", ())]
    return found


def hashes(package: Package) -> set[tuple[str, str]]:
    """Return address and SHA-256 of each of a package's files."""
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
    return {(file["url"], file["hash"].removeprefix("sha256:")) for file in files}
