"""A contributor's way, from the recipe in CONTRIBUTING.md to a new provider's account in the demo."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.exporter.running import PATIENCE, free_port, until

CORE = "custom_components/sms_credit/lib/sms_credit_core/providers"
SIMULATOR = "exporter/sms_credit_exporter/simulator/providers"
REFUSED = """\
situation: The key is refused, with the provider's own code.
source: page https://example.com/docs
answer:
  status: 401
  headers:
    Content-Type: application/json
  body: '{"code": "401"}'
outcome:
  status: auth_failed
  cause: credentials_refused
  code: "401"
  detail: "401"
"""
"""An answer that the pages of Acme Mobile have."""

IMPORTED = ("exporter", "custom_components/sms_credit/lib", ".")
"""Where the project's packages lie in a checkout."""


class Checkout:
    """What a contributor has cloned."""

    def __init__(self, folder: Path) -> None:
        """Take its folder."""
        self.folder = folder
        self.environment = os.environ | {"PYTHONPATH": os.pathsep.join(str(folder / each) for each in IMPORTED)}

    def python(self, *arguments: str, code: int = 0) -> str:
        """Run Python in it, which must end with this code; return what it prints."""
        command = (sys.executable, *arguments)
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def tests(self, code: int) -> str:
        """Run the core's tests of the provider; return what they print."""
        return self.python("-m", "pytest", "-q", "tests/core", "-k", "acme", "-p", "no:cacheprovider", code=code)

    def add_line(self, file: str, before: str, line: str) -> None:
        """Write a line before another, as one does with an editor."""
        path = self.folder / file
        text, count = re.subn(f"^{re.escape(before)}$", f"{line}\n{before}", path.read_text(), flags=re.MULTILINE)
        assert count == 1, f"{file}: {before}"
        path.write_text(text)

    @asynccontextmanager
    async def demo(self) -> AsyncIterator[str]:
        """Run its demo; gives the address."""
        address = f"127.0.0.1:{free_port()}"
        command = (sys.executable, "-m", "sms_credit_exporter", "demo", f"--web.listen-address={address}")
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=self.environment, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            async with asyncio.timeout(PATIENCE):
                await process.wait()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Copy what one clones."""
    folder = tmp_path_factory.mktemp("clone")
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    for path in ("custom_components", "docs", "exporter", "grafana", "packaging", "scripts", "tests"):
        shutil.copytree(ROOT / path, folder / path, ignore=ignored, symlinks=True)
    for file in (*ROOT.glob("*.md"), ROOT / "pyproject.toml"):
        shutil.copy(file, folder)
    return Checkout(folder)


@pytest.mark.timeout(300)
async def test_a_provider_by_the_recipe(checkout: Checkout) -> None:
    """Skeletons, two lines in two tables, the answer that a test misses; and documents, dashboards and demo follow."""
    checkout.python("scripts/new_provider.py", "acme", "Acme Mobile", '{"balance": 10.17}', "balance")
    checkout.add_line(f"{CORE}/__init__.py", "from .bulksms import BulkSms", "from .acme import Acmemobile")
    checkout.add_line(f"{CORE}/__init__.py", "    BulkSms(),", "    Acmemobile(),")
    checkout.add_line(f"{SIMULATOR}/__init__.py", "from .bulksms import BulkSms", "from .acme import Acmemobile")
    checkout.add_line(f"{SIMULATOR}/__init__.py", "    BulkSms,", "    Acmemobile,")

    checkout.python("-m", "scripts.reference")
    checkout.python("-m", "grafana.generate")
    for written in ("README.md", "docs/providers.md", "docs/exporter.md", "grafana/dashboards/overview.json"):
        assert re.search("Acme Mobile|`?acme`?", (checkout.folder / written).read_text()), written

    assert "test_every_code_of_a_providers_tables_occurs[acme]" in checkout.tests(code=1)
    (checkout.folder / "tests/payloads/acme/error_401.yaml").write_text(REFUSED)
    passed = re.search(r"(\d+) passed", checkout.tests(code=0))
    assert passed
    assert int(passed[1]) > len([*(checkout.folder / "tests/payloads/acme").iterdir()])

    async with checkout.demo() as url, httpx.AsyncClient() as http:

        async def is_up() -> bool:
            try:
                return 'provider="acme"} 1.0' in (await http.get(f"{url}/metrics")).text
            except httpx.TransportError:
                return False

        await until(is_up)
        assert "Acme Mobile" in (await http.get(url)).text
