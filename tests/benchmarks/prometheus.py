"""A real Prometheus that evaluates the alert rules, and what that costs it."""

import asyncio
import re
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import yaml

from tests.conftest import program
from tests.grafana.servers import GENERATIONS, Prometheus, server

EVALUATED_EVERY = 5
"""Seconds; long enough for one evaluation to end before the next begins."""


def binaries(chosen: str | None) -> Mapping[str, str]:
    """Return the programs to be measured, by their names: the chosen one, or each that is installed."""
    if chosen:
        return {"Prometheus": chosen}
    found = {f"Prometheus of {debian}": program(f"{folder}prometheus") for debian, folder in GENERATIONS.items()}
    return {name: binary for name, binary in found.items() if binary}


@dataclass(frozen=True)
class Evaluating(Prometheus):
    """A Prometheus that scrapes and evaluates."""

    config: Path
    targets: Sequence[str]
    rules: Path

    def write(self, scraped_every: int) -> None:
        """Write its configuration; the pace is in seconds."""
        pace = {"scrape_interval": f"{scraped_every}s", "scrape_timeout": f"{scraped_every}s"}
        targets = [target.removeprefix("http://") for target in self.targets]
        job = {"job_name": "sms-credit", **pace, "static_configs": [{"targets": targets}]}
        content = {
            "global": {"evaluation_interval": f"{EVALUATED_EVERY}s"},
            "rule_files": [str(self.rules.resolve())],
            "scrape_configs": [job],
        }
        self.config.write_text(yaml.safe_dump(content))

    async def scrape_every(self, seconds: int) -> None:
        """Scrape at another pace from now on."""
        self.write(seconds)
        (await self.http.post(f"{self.url}/-/reload")).raise_for_status()

    async def shows(self, expr: str) -> None:
        """Wait until a query gives something."""
        while not await self.query(expr):
            await asyncio.sleep(0.5)

    async def value(self, expr: str) -> float:
        """Return the one value that a query gives."""
        [sample] = await self.query(expr)
        return float(sample["value"][1])

    async def cpu(self) -> float:
        """Return the seconds of CPU that it has taken so far; these are the same on a busy machine."""
        text = (await self.http.get(f"{self.url}/metrics")).text
        return float(re.findall(r"^process_cpu_seconds_total (\S+)$", text, re.MULTILINE)[0])

    async def evaluations(self, count: int) -> "Evaluations":
        """Wait for so many evaluations of each group."""
        times: defaultdict[str, dict[str, float]] = defaultdict(dict)
        before = await self.cpu()
        while min(map(len, times.values()), default=0) < count:
            await asyncio.sleep(0.5)
            groups = (await self.get("rules")).json()["data"]["groups"]
            for group in groups:
                times[group["name"]][group["lastEvaluation"]] = group["evaluationTime"]
        evaluated = min(map(len, times.values()))
        rules = [rule for group in groups for rule in group["rules"]]
        return Evaluations(
            rules=len(rules),
            failing=sum(rule["health"] != "ok" for rule in rules),
            count=evaluated,
            median=sum(statistics.median(each.values()) for each in times.values()),
            longest=sum(max(each.values()) for each in times.values()),
            cpu=(await self.cpu() - before) / evaluated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluations:
    """How often the rules were evaluated, and what one evaluation of all of them took, in seconds."""

    rules: int
    failing: int
    count: int
    median: float
    longest: float
    cpu: float
    """All that Prometheus does meanwhile."""


@asynccontextmanager
async def evaluating(
    binary: str, targets: Sequence[str], rules: Path, *, scraped_every: int
) -> AsyncIterator[Evaluating]:
    """Run a Prometheus that scrapes all targets and evaluates a rule file."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        with TemporaryDirectory(prefix="benchmark-") as folder:
            config = Path(folder, "prometheus.yml")
            prometheus = Evaluating("", http, config, targets, rules)
            prometheus.write(scraped_every)
            options = (f"--config.file={config}", f"--storage.tsdb.path={folder}/data", "--web.enable-lifecycle")
            async with server(binary, *options) as url:
                yield replace(prometheus, url=url)
