"""What the libraries alone take for what a start has to do, once they are imported.

They parse the configuration, read what was remembered, and write one exposition of as many samples. Nothing is checked,
and nothing worked out.
"""

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import yaml
from prometheus_client import generate_latest

from tests.benchmarks.peers import registry_of
from tests.benchmarks.processes import started

_PATIENCE = 300.0
"""Seconds; making the samples takes longest, and is not measured."""


async def work_alone(config: Path, storage: Path, scrape: bytes) -> float:
    """Return the seconds that they take, in a process of their own; the samples are those of a scrape."""
    text = storage.with_suffix(".scrape")
    text.write_bytes(scrape)
    files = map(str, (config, storage, text))
    async with started(sys.executable, "-m", "tests.benchmarks.libraries", *files) as process:
        assert process.stdout
        return float(await asyncio.wait_for(process.stdout.readline(), _PATIENCE))


def _took(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _remembered(storage: str) -> None:
    with closing(sqlite3.connect(storage)) as connection:
        for state, _trend in connection.execute("SELECT state, trend FROM accounts"):
            json.loads(state)


def main(config: str, storage: str, scrape: str) -> None:
    """Print the seconds of CPU that all of it takes; nothing in it waits."""
    registry = registry_of(Path(scrape).read_text())
    parts = (
        lambda: yaml.load(Path(config).read_text(), yaml.CSafeLoader),
        lambda: _remembered(storage),
        lambda: generate_latest(registry),
    )
    print(sum(map(_took, parts)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
