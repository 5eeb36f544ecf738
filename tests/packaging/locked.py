"""What uv.lock pins."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from tests.conftest import ROOT

Package = Mapping[str, Any]


@cache
def _packages() -> Mapping[str, Sequence[Package]]:
    by_name: dict[str, list[Package]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]:
        by_name.setdefault(package["name"], []).append(package)
    return by_name


def package(name: str) -> Package:
    """Return a package. Fails if there are several versions of it for different machines."""
    (found,) = _packages()[name]
    return found


def runtime() -> Mapping[str, Package]:
    """Return the packages that the exporter is installed with on any machine, itself left out."""
    found: dict[str, Package] = {}
    waiting = [each["name"] for each in package("sms-credit-exporter")["dependencies"]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = package(name)
            waiting += [each["name"] for each in found[name].get("dependencies", ())]
    return found


def hashes(of: Package) -> set[tuple[str, str]]:
    """Return address and SHA-256 of each of a package's files."""
    files = [*of.get("wheels", ()), *([of["sdist"]] if "sdist" in of else ())]
    return {(file["url"], file["hash"].removeprefix("sha256:")) for file in files}
