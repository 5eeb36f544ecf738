"""The benchmark beside Home Assistant's own `rest` integration, in its shortest form: it counts, and times nothing."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SCRIPT = CHECKOUT / "tests" / "benchmarks" / "home_assistant.py"
IMPORTS = (CHECKOUT / "exporter", CHECKOUT / "custom_components" / "sms_credit" / "lib")

UNCHANGED = {"requests": 1, "states written": 0, "states written as they were": 0, "rows in the database": 0}
CHANGED = {"requests": 1, "states written": 4, "states written as they were": 0, "rows in the database": 4}
"""Balance, quota, spent and runway; `rest` has two of them."""


@pytest.mark.timeout(300)  # it starts Home Assistant six times
async def test_a_poll_costs_one_request_and_no_state_that_has_not_changed() -> None:
    """Each of two accounts is asked once for each poll, as `rest` asks, and writes what has changed."""
    imports = os.pathsep.join([*map(str, IMPORTS), os.environ.get("PYTHONPATH", "")])
    options = ("--accounts", "2", "--runs", "1", "--polls", "1", "--python", sys.executable, "--json")
    benchmark = await asyncio.create_subprocess_exec(
        *(sys.executable, SCRIPT, *options), stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": imports}
    )
    out, _ = await benchmark.communicate()
    figures = json.loads(out)["2"]
    ours, theirs = figures["sms_credit"], figures["rest"]
    assert {name: ours[f"poll: {name}, nothing changes"] for name in UNCHANGED} == UNCHANGED
    assert {name: ours[f"poll: {name}, balance changes"] for name in CHANGED} == CHANGED
    assert ours["poll: files written, nothing changes"] == 1
    assert theirs["poll: requests, nothing changes"] == 1
    assert theirs["poll: states written, balance changes"] == 2
