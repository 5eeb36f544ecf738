"""The product's own estimator against the best simple one, in short; `scripts/compare-estimators` is the long form."""

import re

import pytest

from tests.conftest import ROOT
from tests.pace.comparison import HEAD, alarms, compared
from tests.pace.estimators import BASE, ESTIMATORS, OURS
from tests.pace.histories import KINDS, history

SEEDS = (101, 102, 103)


def test_it_is_chosen_for_a_reason() -> None:
    """It loses less than the best simple one, is nearly always known, and is seldom far too optimistic."""
    scores = compared(SEEDS, (BASE, OURS))
    assert scores[OURS].loss <= 0.85 * scores[BASE].loss
    assert scores[OURS].known >= 0.97
    assert scores[OURS].optimistic <= 0.04


@pytest.mark.parametrize("kind", KINDS)
def test_a_rush_is_seen_and_nothing_else_is_one(kind: str) -> None:
    """Within ninety minutes; and not once after the first two days in a history without one."""
    told = alarms(history(kind, SEEDS[0]))
    assert (told.missed, told.false) == (0, 0)


def test_the_documentation_has_what_the_script_prints() -> None:
    """Each estimator that was compared, in the script's own form."""
    text = (ROOT / "docs/runway.md").read_text(encoding="utf-8")
    table = text[text.index(HEAD) :]
    assert re.findall(r"^\| ([^|]+) \| \d\.\d\d \| \d+% \| [\d.]+% \| [\d.]+% \|$", table, re.MULTILINE) == list(
        ESTIMATORS
    )
