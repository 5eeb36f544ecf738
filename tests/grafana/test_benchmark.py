"""`scripts/benchmark rules` in short: the rules stay cheap, however many accounts there are."""

from collections.abc import Callable

import pytest

from tests.benchmarks.short import benchmark
from tests.grafana.rules import RULES
from tests.grafana.servers import GENERATIONS

Tool = Callable[[str], str]


@pytest.mark.parametrize("programs", GENERATIONS.values(), ids=GENERATIONS)
async def test_rules_record_little_and_cost_little(tool: Tool, programs: str) -> None:
    """At most eight series for an account; the time is a tenth of what may pass at most, on a busy machine."""
    rows = await benchmark(
        "rules", "--accounts=300", "--evaluations=3", f"--prometheus={tool(f'{programs}prometheus')}"
    )
    figures = {name.partition(", ")[2]: row["value"] for name, row in rows.items()}
    assert figures["rules"] == len(RULES)
    assert figures["rules that fail"] == 0
    assert 2 <= figures["recorded series for an account: on average"] < 2.5
    assert figures["recorded series for an account: at most"] <= 8
    assert figures["one evaluation: median"] < 1
