"""Whether a weakness is known in what the exporter is installed with: the question, and each answer to it."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from sms_credit_exporter.simulator import loopback
from tests.conftest import ROOT
from tests.exporter.running import PATIENCE, free_port
from tests.packaging.locked import runtime

VERSION = runtime()["jinja2"]["version"]

ADVISORY = {
    "id": "PYSEC-2026-1",
    "summary": "a made-up weakness",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [{"package": {"name": "jinja2", "ecosystem": "PyPI"}, "versions": [VERSION]}],
}

NOT_ASKED = "the database of advisories could not be asked, so nothing is known of any package"


class Database:
    """Answers as OSV does."""

    def __init__(self) -> None:
        """Know nothing of any package."""
        self.asked: dict[str, str] = {}
        """Versions by package."""
        self.weak: str | None = None
        self.broken: str | None = None
        """What is answered in place of JSON."""

    def app(self) -> web.Application:
        """Return what answers."""
        app = web.Application()
        app.router.add_post("/v1/querybatch", self._query)
        app.router.add_get("/v1/vulns/{id}", self._advisory)
        return app

    async def _query(self, request: web.Request) -> web.Response:
        if self.broken is not None:
            return web.Response(text=self.broken)
        queries = (await request.json())["queries"]
        self.asked = {each["package"]["name"]: each["version"] for each in queries}
        found = [{"id": ADVISORY["id"], "modified": ADVISORY["modified"]}]
        results = [{"vulns": found} if each["package"]["name"] == self.weak else {} for each in queries]
        return web.json_response({"results": results})

    async def _advisory(self, _: web.Request) -> web.Response:
        return web.json_response(ADVISORY)


@pytest.fixture
def environ(tool: Callable[[str], str]) -> Mapping[str, str]:
    """Return an environment in which uv is found and gives up soon."""
    return {**os.environ, "PATH": f"{Path(tool('uv')).parent}:{os.environ['PATH']}", "UV_HTTP_RETRIES": "0"}


async def audit(environ: Mapping[str, str], database: str) -> tuple[int, str]:
    """Run the command; return its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(ROOT / "scripts/audit", f"--service-url={database}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environ,
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_what_is_asked_and_what_comes_of_it(environ: Mapping[str, str]) -> None:
    """Every package that an installation has is asked for, and a weakness in one of them is told by its name."""
    database = Database()
    async with loopback.serving(database.app()) as url:
        code, said = await audit(environ, url)
        assert (code, database.asked) == (0, {name: each["version"] for name, each in runtime().items()})
        assert f"Found no known vulnerabilities and no adverse project statuses in {len(runtime())} packages" in said
        database.weak = "jinja2"
        code, said = await audit(environ, url)
        assert code == 1
        assert f"jinja2 {VERSION} has 1 known vulnerability" in said
        assert "PYSEC-2026-1: a made-up weakness" in said
        assert NOT_ASKED not in said
        database.weak = None
        assert (await audit(environ, url))[0] == 0


async def test_a_database_that_says_nothing_is_no_good_news(environ: Mapping[str, str]) -> None:
    """Neither out of reach nor by an answer that is none; asked again, it is as before."""
    code, said = await audit(environ, f"http://127.0.0.1:{free_port()}")
    assert (code, said.splitlines()[-1]) == (2, f"scripts: {NOT_ASKED}")
    database = Database()
    async with loopback.serving(database.app()) as url:
        database.broken = "<html>"
        code, said = await audit(environ, url)
        assert (code, said.splitlines()[-1]) == (2, f"scripts: {NOT_ASKED}")
        database.broken = None
        assert (await audit(environ, url))[0] == 0


def test_it_is_asked_every_week() -> None:
    """An advisory comes without a change here."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/audit.yml").read_text())
    begins = workflow[True]  # to YAML 1.1, `on` is a boolean
    minute, hour, day, month, weekday = begins["schedule"][0]["cron"].split()
    assert (day, month) == ("*", "*")
    assert all(each.isdecimal() for each in (minute, hour, weekday))
    assert [step["run"] for step in workflow["jobs"]["advisories"]["steps"] if "run" in step] == ["scripts/audit"]


def test_the_integration_brings_no_package() -> None:
    """Home Assistant would install what its manifest names."""
    manifest = yaml.safe_load((ROOT / "custom_components/sms_credit/manifest.json").read_text())
    assert manifest.get("requirements", []) == []
