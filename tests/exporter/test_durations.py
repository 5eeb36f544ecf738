"""Durations, read and written as Prometheus does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_credit_exporter.durations import duration_text, parse_duration

MINUTE, HOUR, DAY, WEEK = 60.0, 3600.0, 86400.0, 604800.0

CANONICAL = [
    ("1ms", 0.001),
    ("26ms", 0.026),
    ("999ms", 0.999),
    ("1s", 1.0),
    ("59s", 59.0),
    ("1m", MINUTE),
    ("1m30s", 90.0),
    ("2m", 120.0),
    ("1h", HOUR),
    ("1h30m", 1.5 * HOUR),
    ("23h59m59s999ms", DAY - 0.001),
    ("1d", DAY),
    ("1d1ms", DAY + 0.001),
    ("1w", WEEK),
    ("52w1d", 365 * DAY),
    ("1w2d3h4m5s6ms", WEEK + 2 * DAY + 3 * HOUR + 4 * MINUTE + 5.006),
    ("0s", 0.0),
]
"""Durations in the fewest units: reading one and writing it gives the same text."""


@pytest.mark.parametrize(("text", "seconds"), CANONICAL)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    """Durations are read to the millisecond."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(("text", "seconds"), CANONICAL)
def test_a_duration_is_written(text: str, seconds: float) -> None:
    """Durations are written in the fewest units."""
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("90m", 90 * MINUTE),
        ("1m90s", 150.0),
        ("05m", 5 * MINUTE),
        ("0ms", 0.0),
        ("1w0d0h0m0s0ms", WEEK),
        ("1h5ms", HOUR + 0.005),
        ("999999999s", 999_999_999.0),
    ],
)
def test_a_duration_may_be_written_in_other_ways(text: str, seconds: float) -> None:
    """A count may exceed its unit, and units may be left out."""
    assert parse_duration(text) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.0004, "0s", id="less than half a millisecond"),
        pytest.param(0.0006, "1ms", id="more than half a millisecond"),
        pytest.param(59.9996, "1m", id="nearly a minute"),
        pytest.param(0.1 + 0.2, "300ms", id="what binary floats leave over"),
        pytest.param(300, "5m", id="whole seconds as an integer"),
    ],
)
def test_what_is_finer_than_a_millisecond_is_rounded(seconds: float, text: str) -> None:
    """Rounding up carries into the larger units."""
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(" ", id="a space"),
        pytest.param("5", id="no unit"),
        pytest.param("m", id="no number"),
        pytest.param("5 m", id="a space before the unit"),
        pytest.param(" 5m", id="a space before"),
        pytest.param("5m ", id="a space after"),
        pytest.param("5m\n", id="a line end after"),
        pytest.param("1h 30m", id="a space between"),
        pytest.param("5M", id="a capital unit"),
        pytest.param("5min", id="a longer unit"),
        pytest.param("5y", id="years"),
        pytest.param("1.5h", id="a fraction"),
        pytest.param("1,5h", id="a fraction with a comma"),
        pytest.param("-5m", id="a minus"),
        pytest.param("+5m", id="a plus"),
        pytest.param("1e3s", id="an exponent"),
        pytest.param("0x5s", id="hexadecimal"),
        pytest.param("1_000s", id="an underscore"),
        pytest.param("5m5m", id="a unit twice"),
        pytest.param("30m1h", id="units from small to large"),
        pytest.param("1ms1s", id="milliseconds before seconds"),
        pytest.param("5:30", id="minutes and seconds with a colon"),
        pytest.param("PT5M", id="ISO 8601"),
        pytest.param("\u0665m", id="a digit beyond ASCII"),
        pytest.param("5µs", id="microseconds"),
        pytest.param("1000000000s", id="ten digits"),
        pytest.param("9" * 10_000 + "s", id="ten thousand digits"),
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    """A guess could poll the provider sixty times as often as meant."""
    assert parse_duration(text) is None


@given(st.integers(0, 10**12))
def test_what_is_written_can_be_read(milliseconds: int) -> None:
    """Any duration of whole milliseconds comes back as it was, up to thirty years."""
    assert parse_duration(duration_text(milliseconds / 1000)) == milliseconds / 1000


@given(st.text())
def test_any_text_is_a_duration_or_none(text: str) -> None:
    """No text raises another error, and none gives a negative duration."""
    assert (parse_duration(text) or 0.0) >= 0.0
