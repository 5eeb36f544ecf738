"""`scripts/benchmark-rules` in short: the rules stay cheap, however many accounts there are."""

import asyncio
import json
import sys
from collections.abc import Callable

import pytest

from tests.conftest import ROOT
from tests.grafana.rules import RULES
from tests.grafana.servers import GENERATIONS

Tool = Callable[[str], str]


@pytest.mark.parametrize("programs", GENERATIONS.values(), ids=GENERATIONS)
async def test_rules_record_little_and_cost_little(tool: Tool, programs: str) -> None:
    """At most eight series for an account; the time is a tenth of what may pass at most, on a busy machine."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.benchmark_rules", "--json", "--accounts=300", "--evaluations=3"),
        f"--prometheus={tool(f'{programs}prometheus')}",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(100):
        out, _ = await process.communicate()
    figures = json.loads(out)
    assert figures["rules"] == len(RULES)
    assert figures["… that fail"] == 0
    assert 2 <= figures["recorded series for an account: on average"] < 2.5
    assert figures["… at most"] <= 8
    assert figures["seconds for one of them: median"] < 1
