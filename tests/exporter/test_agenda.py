"""Who is polled next."""

import itertools
import math

import pytest

from sms_credit_exporter.agenda import Agenda


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param(0.9, [], id="nothing yet"),
        pytest.param(1, ["a"], id="to the moment"),
        pytest.param(2.5, ["a", "b", "c"], id="the earliest first, in the order of their coming at the same time"),
        pytest.param(1e9, ["a", "b", "c", "d"], id="everything, after a stop"),
    ],
)
def test_gives_out_what_is_due(now: float, due: list[str]) -> None:
    """Once, and in its order."""
    agenda = Agenda([(2, "b"), (1, "a"), (3, "d")])
    agenda.add(2, "c")
    assert list(agenda.due(now)) == due
    assert list(agenda.due(now)) == []
    assert [*due, *agenda.due(math.inf)] == ["a", "b", "c", "d"]


def test_what_is_not_taken_stays() -> None:
    """Whoever takes a few at a time misses none."""
    agenda = Agenda((number / 10, number) for number in range(100))
    taken = [list(itertools.islice(agenda.due(99), 7)) for _ in range(20)]
    assert list(itertools.chain(*taken)) == list(range(100))


def test_says_when_the_next_is_due() -> None:
    """Never, if there is none."""
    agenda = Agenda([(5, "a")])
    assert agenda.next_at == 5
    agenda.add(4, "b")
    assert agenda.next_at == 4
    assert [*agenda.due(5)] == ["b", "a"]
    assert agenda.next_at == math.inf
