"""Short forms of scripts/soak and scripts/crash-drill."""

from pathlib import Path

from .crash import drill
from .exporter import soak


def test_a_day_of_twenty_accounts(tmp_path: Path) -> None:
    """No number is wrong, no account is missed, no provider is asked too often, whatever happens meanwhile."""
    done = soak(1, 20, seed=1, folder=tmp_path).done
    assert done["polls"] > 1000
    assert done["polls"] <= done["polls that the intervals allow"] * 1.1
    assert min(done["reloads"], done["restarts"], done["kills"], done["different faults met"]) > 0


async def test_fifteen_kills() -> None:
    """Nothing that was written is lost, nobody is asked too often, no alarm is repeated, and no file is damaged."""
    done = await drill(15, seed=1)
    assert done["polls that are known"] > 100
    assert done["alarms"] > 3
