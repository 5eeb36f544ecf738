"""Changes that no test can notice, each with the reason."""

from collections.abc import Mapping

EQUIVALENT: Mapping[tuple[str, tuple[str, ...]], str] = {
    (
        "slots.Slots.__init__",
        (
            "-share = min(_AT_ONCE, limit // _DESCRIPTORS_EACH) // max(1, len(different))",
            "+share = min(_AT_ONCE, limit / _DESCRIPTORS_EACH) // max(1, len(different))",
        ),
    ): "A quarter of the files that is not rounded down yet is so when the places share it.",
    (
        "pace._Habit.walked",
        ("-return first + 2.0 * _WEEK_HOURS", "+return first + 2.0 / _WEEK_HOURS"),
    ): "Less than a week's spending is used up within two weeks; the line is there for the type checker.",
    (
        "account.Account._values",
        (
            "-if limits.low_runway is not None and ledger:  # the one value that takes work",
            "+if limits.low_runway is not None or ledger:  # the one value that takes work",
        ),
    ): "A limit that is not set is held against nothing; and where there is a reading, there is a ledger.",
    **{
        (f"pace.{name}", (f"-return int(at // {length})", f"+return int(at / {length})")): (
            "No moment lies before 1970, and what follows the point is dropped either way."
        )
        for name, length in {"_hour": "_HOUR", "_day": "_DAY"}.items()
    },
}
"""The reason, by the function and its changed lines."""
