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

NOTHING_CHANGES, BALANCE_CHANGES = ("poll: {}, nothing changes".format, "poll: {}, balance changes".format)


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
    for poll in (NOTHING_CHANGES, BALANCE_CHANGES):
        assert ours[poll("requests")] == theirs[poll("requests")] == 1
        assert ours[poll("states written as they were")] == 0
        assert ours[poll("rows in the database")] <= ours[poll("states written")]
        assert ours[poll("files written")] == 1
    # Balance, quota and what was spent; the third digit of a runway turns now and then.
    assert 0 <= ours[NOTHING_CHANGES("states written")] <= 1
    assert 3 <= ours[BALANCE_CHANGES("states written")] <= 4
    assert theirs[BALANCE_CHANGES("states written")] == 2
