"""Benchmarks in short, for tests: a few accounts, and figures that are counts."""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from tests.conftest import ROOT

PATIENCE = 100.0
"""Seconds until a test gives up waiting."""


async def benchmark(*arguments: str) -> Mapping[str, Mapping[str, Any]]:
    """Run the command for one number of accounts; return its rows by their names."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks", "--json", *arguments), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate()
    [rows] = json.loads(out).values()
    found: Mapping[str, Mapping[str, Any]] = rows
    return found
