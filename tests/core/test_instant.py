"""A moment on two clocks, each of which may be set or stand still without the other."""

import math

import pytest

from sms_credit_core import Instant

NOON = Instant(unix=1_760_000_000.0, monotonic=500.0)


def at(unix: float, monotonic: float) -> Instant:
    """Return a moment so many seconds from noon, on each clock."""
    return Instant(unix=NOON.unix + unix, monotonic=NOON.monotonic + monotonic)


def test_a_moment_later_is_later_on_both_clocks() -> None:
    """As long as nobody sets them."""
    assert NOON.after(60) == at(60, 60)
    assert NOON.after(-60) == at(-60, -60)


@pytest.mark.parametrize(
    ("moments", "earliest"),
    [
        pytest.param([], Instant(unix=math.inf, monotonic=math.inf), id="none: never"),
        pytest.param([at(5, 7)], at(5, 7), id="one"),
        pytest.param([at(5, 7), at(9, 3)], at(5, 3), id="each clock has its own"),
    ],
)
def test_the_earliest_is_that_of_each_clock(moments: list[Instant], earliest: Instant) -> None:
    """Whichever of them gets there first counts."""
    assert Instant.earliest(moments) == earliest


def test_the_later_is_that_of_each_clock() -> None:
    """In whatever order."""
    assert at(5, 7).or_later(at(9, 3)) == at(9, 3).or_later(at(5, 7)) == at(9, 7)


@pytest.mark.parametrize(
    ("now", "reached", "age"),
    [
        pytest.param(at(-1, -1), False, 0.0, id="before it"),
        pytest.param(at(0, 0), True, 0.0, id="at it"),
        pytest.param(at(0, -5), True, 0.0, id="at it by the wall clock alone"),
        pytest.param(at(-5, 0), True, 0.0, id="at it by the monotonic clock alone"),
        pytest.param(at(60, 2), True, 60.0, id="the machine slept, and the monotonic clock with it"),
        pytest.param(at(-3600, 60), True, 60.0, id="the wall clock was set back"),
    ],
)
def test_the_clock_that_counts_more_counts(now: Instant, reached: bool, age: float) -> None:  # noqa: FBT001 - a table's column
    """Too much makes a value unknown too early; too little would show an old one as fresh."""
    assert (NOON.reached(now), NOON.age(now)) == (reached, age)


def test_what_was_written_down_is_on_this_machine_s_clock_again() -> None:
    """Its age is that of the wall clock."""
    assert Instant.recorded(NOON.unix - 90, NOON) == at(-90, -90)
