"""A short form of scripts/soak."""

from pathlib import Path

from .exporter import soak


def test_a_day_of_twenty_accounts(tmp_path: Path) -> None:
    """No number is wrong, no account is missed, no provider is asked too often, whatever happens meanwhile."""
    report = soak(1, 20, seed=1, folder=tmp_path)
    done = report.done
    assert done["polls"] > 1000
    assert done["polls"] <= done["polls that the intervals allow"] * 1.1
    assert min(done["reload"], done["restart"], done["crash"], done["different faults met"]) > 0
