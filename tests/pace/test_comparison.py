"""The product's own estimator against the best simple one, in short; `scripts/compare-estimators` is the long form."""

import re

import pytest

from tests.conftest import ROOT
from tests.pace.comparison import CALM, HEAD, SEEDS, alarms, by_kind, mean
from tests.pace.estimators import BASE, ESTIMATORS, OURS
from tests.pace.histories import KINDS, history


@pytest.mark.parametrize("noise", [pytest.param(1.0, id="as usual"), pytest.param(CALM, id="calm")])
def test_it_is_chosen_for_a_reason(noise: float) -> None:
    """It loses less than the best simple one, is nearly always known, and is seldom far too optimistic."""
    base, ours = (mean(by_kind(name, SEEDS, noise=noise).values()) for name in (BASE, OURS))
    assert ours.loss <= 0.85 * base.loss
    assert ours.known >= 0.97
    assert ours.optimistic <= 0.04


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
