"""What the exporter is installed with: no more than it imports, no less, and the same in every place that says it."""

import ast
import os
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from email import message_from_bytes
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT
from tests.exporter.running import LISTEN, listening
from tests.packaging.locked import package, runtime
from tests.packaging.programs import passes

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DECLARED = [Requirement(each) for each in PROJECT["dependencies"]]
OURS = {"sms_credit_core", "sms_credit_exporter"}
FOR_OTHERS = {"sniffio"}
"""What packages of others import where it is there, and what makes them faster."""

SOURCES = [ROOT / "custom_components/sms_credit/lib/sms_credit_core", ROOT / "exporter/sms_credit_exporter"]


def imported(folder: Path) -> Iterator[str]:
    """Yield the top names of what is imported, at the top of a module or within."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield str(node.module).partition(".")[0]


def of_others(*folders: Path) -> set[str]:
    """Return the distributions that are imported."""
    names = {name for folder in folders for name in imported(folder)} - OURS - sys.stdlib_module_names
    owners = packages_distributions()
    return {canonicalize_name(owner) for name in names for owner in owners[name]}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    """What comes along with another package may be gone with its next version."""
    assert of_others(*SOURCES) | FOR_OTHERS == {canonicalize_name(each.name) for each in DECLARED}
    assert not of_others(*SOURCES) & FOR_OTHERS


def test_the_core_needs_httpx_alone() -> None:
    """Home Assistant has it already, so the integration brings nothing."""
    assert of_others(SOURCES[0]) == {"httpx"}


def test_every_bound_is_a_lower_one() -> None:
    """An upper one would keep a mend from whoever installs the exporter beside other things."""
    assert {bound.operator for each in DECLARED for bound in each.specifier} == {">="}
    assert all(len(each.specifier) == 1 for each in DECLARED)


def test_the_lock_satisfies_what_is_declared() -> None:
    """And pins a hash for each file of everything that is installed."""
    assert {each["name"] for each in package("sms-credit-exporter")["dependencies"]} == {
        canonicalize_name(each.name) for each in DECLARED
    }
    told = {each["name"]: each["specifier"] for each in package("sms-credit-exporter")["metadata"]["requires-dist"]}
    for each in DECLARED:
        name = canonicalize_name(each.name)
        assert told[name] == str(each.specifier)
        assert runtime()[name]["version"] in each.specifier
    files = [file for each in runtime().values() for file in (*each.get("wheels", ()), each.get("sdist", {}))]
    assert all(file["hash"].startswith("sha256:") for file in files if file)


def test_few_packages_are_installed() -> None:
    """Each more is somebody else to trust: a new one is argued for here."""
    assert len(runtime()) <= 24


@pytest.fixture(scope="module")
def wheel(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it."""
    folder = tmp_path_factory.mktemp("wheel")
    path = f"{Path(tool('uv')).parent}:{os.environ['PATH']}"
    passes("env", f"PATH={path}", ROOT / "packaging/distributions", folder, "--wheel")
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.timeout(300)  # loads what builds it
def test_the_wheel_says_the_same(wheel: Path) -> None:
    """It is all that pip looks at."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        told = message_from_bytes(archive.read(name))
    assert [Requirement(each) for each in told.get_all("Requires-Dist", [])] == DECLARED
    assert told["Requires-Python"] == PROJECT["requires-python"]


@pytest.mark.timeout(300)  # loads some twenty packages
async def test_the_oldest_that_are_allowed_do(
    tool: Callable[[str], str], wheel: Path, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """A bound that nobody tries is a guess."""
    python, uv = tmp_path / "oldest/bin/python", tool("uv")
    passes(uv, "venv", "--quiet", f"--python={sys.executable}", tmp_path / "oldest")
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode", f"--python={python}"]
    passes(*install, "--resolution=lowest-direct", "--requirements", ROOT / "pyproject.toml")
    passes(*install, "--no-deps", wheel)
    frozen = passes(uv, "pip", "freeze", "--quiet", f"--python={python}", "--exclude", PROJECT["name"])
    oldest = {name: Version(version) for name, version in (line.split("==") for line in frozen.splitlines())}
    assert {each.name: oldest[each.name] for each in DECLARED} == {
        each.name: Version(bound.version) for each in DECLARED for bound in each.specifier
    }
    program = (str(python), "-W", "error", "-m", "sms_credit_exporter", "demo", LISTEN)
    async with listening(http, *program, cwd=tmp_path, env={}) as exporter:
        await exporter.shows('sms_credit_status{account="shop-codes",provider="23telecom",status="fresh"} 1.0')
        assert (await exporter.get("/")).status_code == 200
