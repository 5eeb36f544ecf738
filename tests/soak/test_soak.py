"""Short forms of scripts/soak and scripts/crash-drill, and the clock that they rest on."""

import selectors
from pathlib import Path

from .clock import Clock, Jumping
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


def test_the_clock_does_not_jump_over_work_that_ends_while_it_looks() -> None:
    """What ends just after the sockets were looked at is still in time for its timeout."""
    clock = Clock()

    class JustBefore(selectors.DefaultSelector):
        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            ready = super().select(timeout)
            clock.working = 0
            return ready

    begun, clock.working = clock.now, 1
    selector = Jumping(JustBefore(), clock)
    selector.select(3.0)
    assert clock.now == begun

    selector.select(3.0)
    assert clock.now == begun + 3.0
