"""Why there is no reading."""

import pytest

from sms_credit_core import Cause, NoReading


@pytest.mark.parametrize("cause", Cause)
def test_a_missing_reading_says_why_to_whoever_does_not_catch_it(cause: Cause) -> None:
    """The last line of a traceback names the cause, as a contributor meets it who tries a new provider."""
    assert str(NoReading(cause, code="42", detail="seen")) == cause.value
