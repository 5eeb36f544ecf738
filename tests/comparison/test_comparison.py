"""`scripts/compare-alternatives` in short: docs/comparison.md says what is seen, and that it ends with its cause."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.comparison.__main__ import JSON_EXPORTER, OF_THE_HOUR, of_situations
from tests.comparison.measure import EACH, SCRAPERS, compared, costs
from tests.comparison.situations import SITUATIONS
from tests.conftest import ROOT

DOCUMENT = (ROOT / "docs/comparison.md").read_text()
FROZEN = [each for each in SITUATIONS if each.what in ("error_invalid_api_key", "onboarding")]
"""In these, `rest` goes on with what it has."""

Tool = Callable[[str], str]


@pytest.mark.timeout(400)  # two Home Assistants start, and somebody waits ten seconds for an answer that never comes
async def test_the_document_says_what_is_seen(tool: Tool, tmp_path: Path) -> None:
    """Of every situation, by all four. A provider that is well again is seen to be well by all."""
    python = tool("ha-2026.11/bin/python")
    async with compared(SITUATIONS, tool(JSON_EXPORTER), python, tmp_path) as all_of_them:
        seen = await all_of_them.happen()
        assert of_situations(seen) in DOCUMENT

        healthy = {each.provider: seen[each] for each in SITUATIONS if each.what == "healthy"}
        for situation in FROZEN:
            name = f"account_{SITUATIONS.index(situation)}"
            later = (await all_of_them.rest.wait())[f"sensor.{name}_balance"]["state"]
            assert f"{float(later):g} EUR" == healthy[situation.provider].rest

        well = await all_of_them.recover()
        assert well == {each: healthy[each.provider] for each in SITUATIONS}


async def test_what_an_hour_costs(tool: Tool, tmp_path: Path) -> None:
    """By json_exporter each scrape is a call. By ours none is, and no credential is in its log."""
    found = await costs(OF_THE_HOUR, tool(JSON_EXPORTER), tmp_path, seconds=4)
    other, ours = found["json_exporter"], found["sms-credit-exporter"]
    assert other.calls == pytest.approx(SCRAPERS * 3600 / EACH)
    assert ours.calls <= 3600 / (4 * 15)  # one poll may have been due meanwhile
    assert (other.logged, ours.logged) == ("iletimerkezi", "none")
    assert all(each.cpu > 0 and each.resident > 10 for each in found.values())
    told = re.findall(r"^\| calls to the provider .* \| (\d+) \| (\d+) \|$", DOCUMENT, re.MULTILINE)
    assert [*map(int, *told)] == [other.calls and 12, round(other.calls)]
