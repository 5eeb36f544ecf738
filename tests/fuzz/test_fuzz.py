"""A short form of scripts/fuzz: each reader on its examples and on some thousand that are damaged."""

import pytest

from tests.fuzz.mutations import damaged
from tests.fuzz.targets import TARGETS

EACH = 1000


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_is_written_breaks_a_reader(name: str) -> None:
    """Whatever is read, or refused, is so for certain."""
    target = TARGETS[name]
    examples = [*target.examples()]
    assert examples
    for data in (*examples, *damaged(examples, EACH)):
        try:
            target.run(data)
        except Exception as error:
            error.add_note(f"{name} was given {data!r}")
            raise
