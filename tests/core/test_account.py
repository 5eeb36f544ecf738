"""An account over time: what it shows after each outcome, for how long, and when it is asked again."""

from dataclasses import replace
from decimal import Decimal
from functools import reduce
from types import MappingProxyType

import pytest

from sms_credit_core import FAILURES, Account, Cause, Instant, Limit, Limits, Problem, Quality, Reading, Status
from tests.core.readings import READING

START = Instant(unix=1_760_000_000.0, monotonic=500.0)
MINUTE = 60.0
HOUR = 3600.0

NEXT_READING = replace(READING, balance=Decimal("11.25"))
PARTIAL_READING = replace(READING, balance=Decimal("3.00"), quality=Quality.PARTIAL)

PROBLEMS = MappingProxyType({cause.status: Problem(cause=cause) for cause in Cause})
"""One problem for each status that a problem can mean."""

ONBOARDING, UNAVAILABLE = PROBLEMS[Status.ONBOARDING], PROBLEMS[Status.UNAVAILABLE]
FAILED = PROBLEMS[Status.UNREACHABLE]
LIMITED = PROBLEMS[Status.RATE_LIMITED]

Outcome = Reading | Problem


def later(seconds: float) -> Instant:
    """Return the moment so many seconds after the start, on both clocks."""
    return Instant(unix=START.unix + seconds, monotonic=START.monotonic + seconds)


def after(*outcomes: Outcome) -> Account:
    """Return a new account after polls with these outcomes, all at the start."""
    return reduce(lambda account, outcome: account.after(outcome, START, 0.2), outcomes, Account())


def test_a_new_account_is_pending_and_knows_nothing() -> None:
    """Before the first poll nothing is claimed, and every failure is counted from 0."""
    account = Account()
    assert account.status is Status.PENDING
    assert account.known(START, HOUR) is None
    assert (account.problem, account.read_at, account.polled_at, account.poll_duration) == (None, None, None, None)
    assert account.polls == 0
    assert account.failures == {
        "auth_failed": 0,
        "access_denied": 0,
        "rate_limited": 0,
        "unreachable": 0,
        "provider_error": 0,
        "invalid_response": 0,
    }


@pytest.mark.parametrize(
    ("outcomes", "status", "known"),
    [
        pytest.param([READING], Status.FRESH, READING, id="a reading"),
        pytest.param([PARTIAL_READING], Status.PARTIAL, PARTIAL_READING, id="a partial reading"),
        pytest.param([READING, NEXT_READING], Status.FRESH, NEXT_READING, id="a reading replaces one"),
        pytest.param([READING, PARTIAL_READING], Status.PARTIAL, PARTIAL_READING, id="a partial reading replaces one"),
        pytest.param([PARTIAL_READING, READING], Status.FRESH, READING, id="a reading replaces a partial one"),
        pytest.param([FAILED], Status.UNREACHABLE, None, id="a failure with nothing to hold"),
        pytest.param([FAILED, READING], Status.FRESH, READING, id="a reading after a failure"),
        pytest.param([ONBOARDING, READING], Status.FRESH, READING, id="a reading after onboarding"),
        pytest.param(
            [READING, ONBOARDING, FAILED], Status.UNREACHABLE, None, id="what onboarding dropped stays dropped"
        ),
        pytest.param([READING, FAILED, UNAVAILABLE], Status.UNAVAILABLE, READING, id="held through several problems"),
    ],
)
def test_what_an_account_shows(outcomes: list[Outcome], status: Status, known: Reading | None) -> None:
    """The status is that of the last poll, the values are those of the last good reading."""
    account = after(*outcomes)
    assert account.status is status
    assert account.known(START, HOUR) == known


@pytest.mark.parametrize(
    ("status", "up", "held"),
    [
        (Status.UNAVAILABLE, True, READING),
        (Status.ONBOARDING, True, None),
        (Status.AUTH_FAILED, False, READING),
        (Status.ACCESS_DENIED, False, READING),
        (Status.RATE_LIMITED, False, READING),
        (Status.UNREACHABLE, False, READING),
        (Status.PROVIDER_ERROR, False, READING),
        (Status.INVALID_RESPONSE, False, READING),
    ],
)
def test_each_problem_holds_or_drops_the_values_until_a_reading(
    status: Status, held: Reading | None, *, up: bool
) -> None:
    """Only onboarding drops what was known; the next reading ends every problem."""
    account = after(READING, PROBLEMS[status])
    assert (account.status, account.status.up) == (status, up)
    assert account.problem == PROBLEMS[status]
    assert account.known(later(HOUR), HOUR) == held
    assert account.known(later(HOUR + 1), HOUR) is None

    recovered = account.after(NEXT_READING, later(2 * HOUR), 0.2)
    assert (recovered.status, recovered.problem) == (Status.FRESH, None)
    assert recovered.known(later(2 * HOUR), HOUR) == NEXT_READING


@pytest.mark.parametrize("status", FAILURES)
def test_a_failure_counts_for_its_own_reason(status: Status) -> None:
    """Each failed poll raises the count of its status and no other."""
    account = after(READING, PROBLEMS[status], PROBLEMS[status])
    assert account.failures == dict.fromkeys(FAILURES, 0) | {status: 2}
    assert (account.polls, account.failed_in_a_row) == (3, 2)


@pytest.mark.parametrize(
    "outcome",
    [READING, PARTIAL_READING, UNAVAILABLE, ONBOARDING],
    ids=["reading", "partial reading", "unavailable", "onboarding"],
)
def test_an_answer_about_the_account_is_no_failure(outcome: Outcome) -> None:
    """The provider answered, so the poll counts as a poll and not as a failed one; a row of failures ends."""
    account = after(FAILED, outcome)
    assert account.failures == dict.fromkeys(FAILURES, 0) | {Status.UNREACHABLE: 1}
    assert (account.polls, account.failed_in_a_row) == (2, 0)


def test_a_poll_leaves_the_account_before_it_as_it_was() -> None:
    """Whoever still shows the old account must not see half of the new one."""
    before = after(READING)
    before.after(FAILED, later(MINUTE), 1.5)
    assert before == after(READING)


def test_a_failed_poll_moves_only_the_time_of_the_poll() -> None:
    """The age of a held value counts from when it was read."""
    account = after(READING).after(FAILED, later(MINUTE), 1.5)
    assert (account.read_at, account.polled_at, account.poll_duration) == (START, later(MINUTE), 1.5)


@pytest.mark.parametrize(
    ("age", "known"),
    [
        pytest.param(0.0, READING, id="at once"),
        pytest.param(HOUR - 0.001, READING, id="just before"),
        pytest.param(HOUR, READING, id="exactly at stale_after"),
        pytest.param(HOUR + 0.001, None, id="just beyond"),
        pytest.param(30 * 24 * HOUR, None, id="a month later"),
    ],
)
@pytest.mark.parametrize("outcomes", [[READING], [READING, FAILED]], ids=["fresh", "held"])
def test_values_are_known_until_they_are_stale(outcomes: list[Outcome], age: float, known: Reading | None) -> None:
    """A value is shown for stale_after seconds since it was read, however the polls go on, then it is unknown."""
    assert after(*outcomes).known(later(age), HOUR) == known


@pytest.mark.parametrize(
    ("unix", "monotonic", "age"),
    [
        pytest.param(90.0, 90.0, 90.0, id="both clocks go on"),
        pytest.param(-7200.0, 90.0, 90.0, id="the wall clock was set back"),
        pytest.param(7200.0, 90.0, 7200.0, id="the wall clock was set ahead"),
        pytest.param(28_800.0, 90.0, 28_800.0, id="the machine slept and the monotonic clock with it"),
        pytest.param(90.0, -400.0, 90.0, id="the machine was restarted"),
        pytest.param(-5.0, -5.0, 0.0, id="a moment that is still to come"),
    ],
)
def test_an_age_counts_by_whichever_clock_went_further(unix: float, monotonic: float, age: float) -> None:
    """An old value must never pass for a fresh one, whatever happens to the clocks."""
    assert START.age(Instant(unix=START.unix + unix, monotonic=START.monotonic + monotonic)) == age


def test_a_value_is_stale_after_a_sleep_and_after_a_clock_set_back() -> None:
    """Staleness follows the age and not one clock alone."""
    account = after(READING)
    assert account.known(Instant(unix=START.unix + 2 * HOUR, monotonic=START.monotonic + 1), HOUR) is None
    assert account.known(Instant(unix=START.unix - 2 * HOUR, monotonic=START.monotonic + 2 * HOUR), HOUR) is None


@pytest.mark.parametrize(
    ("outcomes", "intervals"),
    [
        pytest.param([], 1, id="not polled yet"),
        pytest.param([READING], 1, id="a reading"),
        pytest.param([FAILED], 1, id="one failure"),
        pytest.param([FAILED] * 2, 2, id="two failures"),
        pytest.param([FAILED] * 3, 4, id="three failures"),
        pytest.param([FAILED] * 4, 4, id="four failures"),
        pytest.param([FAILED] * 1000, 4, id="a thousand failures"),
        pytest.param([PROBLEMS[status] for status in FAILURES], 4, id="failures for different reasons"),
        pytest.param([*[FAILED] * 5, READING], 1, id="a reading ends the row"),
        pytest.param([*[FAILED] * 5, READING, FAILED], 1, id="and a new row begins"),
        pytest.param([*[FAILED] * 5, UNAVAILABLE], 1, id="an answer without data ends the row"),
        pytest.param([*[FAILED] * 5, ONBOARDING], 1, id="onboarding ends the row"),
        pytest.param([UNAVAILABLE] * 5, 1, id="missing data is asked for as ever"),
        pytest.param([ONBOARDING] * 5, 1, id="onboarding is watched as ever"),
    ],
)
def test_back_off(outcomes: list[Outcome], intervals: int) -> None:
    """Failures in a row stretch the wait up to four intervals; anything else brings it back to one."""
    assert after(*outcomes).next_poll_in(300.0) == intervals * 300.0


@pytest.mark.parametrize(
    ("interval", "wait"),
    [
        pytest.param(1.0, 12.0, id="simulated providers are asked every second"),
        pytest.param(300.0, HOUR, id="the usual interval"),
        pytest.param(900.0, HOUR, id="an interval of which an hour holds four"),
        pytest.param(2 * HOUR, 2 * HOUR, id="an interval that is longer than an hour"),
    ],
)
@pytest.mark.parametrize("refusals", [1, 2, 3])
def test_refused_credentials(refusals: int, interval: float, wait: float) -> None:
    """They are tried again by themselves, but so seldom that nobody takes it for guessing."""
    refused = [PROBLEMS[Status.AUTH_FAILED]] * refusals
    assert after(*refused).next_poll_in(interval) == max(wait, interval * (1, 2, 4)[refusals - 1])
    assert after(*refused, READING).next_poll_in(interval) == interval


@pytest.mark.parametrize(
    ("failures", "retry_after", "interval", "wait"),
    [
        pytest.param(1, 0.0, 300.0, 300.0, id="no wait asked for"),
        pytest.param(1, 20.0, 300.0, 300.0, id="shorter than the interval"),
        pytest.param(1, 300.0, 300.0, 300.0, id="as long as the interval"),
        pytest.param(1, 900.0, 300.0, 900.0, id="between the interval and an hour"),
        pytest.param(1, HOUR, 300.0, HOUR, id="an hour"),
        pytest.param(1, HOUR + 1, 300.0, HOUR, id="longer than an hour"),
        pytest.param(1, 30 * 24 * HOUR, 300.0, HOUR, id="a month"),
        pytest.param(1, HOUR, 2 * HOUR, 2 * HOUR, id="the interval itself is longer than an hour"),
        pytest.param(1, 24 * HOUR, 2 * HOUR, 2 * HOUR, id="both are longer than an hour"),
        pytest.param(3, 900.0, 300.0, 1200.0, id="shorter than the back-off"),
        pytest.param(3, 1800.0, 300.0, 1800.0, id="longer than the back-off"),
        pytest.param(3, 24 * HOUR, 1800.0, 2 * HOUR, id="the back-off is longer than an hour"),
    ],
)
def test_retry_after(failures: int, retry_after: float, interval: float, wait: float) -> None:
    """The provider's wish lengthens the wait, never shortens it, and not beyond an hour of its own."""
    account = after(*[replace(LIMITED, retry_after=retry_after)] * failures)
    assert account.next_poll_in(interval) == wait
    assert account.after(READING, START, 0.2).next_poll_in(interval) == interval


@pytest.mark.parametrize(
    ("balances", "low"),
    [
        pytest.param(["0"], True, id="nothing is left, and nothing is known of its pace"),
        pytest.param(["0", "500"], False, id="a top-up in the first hours ends it"),
        pytest.param(["0", "500", "499"], False, id="and it stays ended"),
        pytest.param(["0", "500", "0"], True, id="until nothing is left again"),
        pytest.param(["500", "499"], None, id="before anything can be told"),
    ],
)
def test_low_by_the_runway_before_the_pace_is_known(balances: list[str], low: bool | None) -> None:  # noqa: FBT001 - a table
    """Credit that was just added is not as low as what there was before."""
    account, limits = Account(), Limits(low_runway=24 * HOUR)
    for number, balance in enumerate(balances):
        at = Instant(START.unix + 300 * number, START.monotonic + 300 * number)
        account = account.after(replace(READING, balance=Decimal(balance)), at, 0.2).judged(limits)
    assert account.low.get(Limit.RUNWAY) is low


def test_the_ledger_of_a_demonstration_goes_as_fast() -> None:
    """What an hour is to the account is one to the ledger."""
    account = Account(speed=150.0).after(READING, START, 0.2)
    assert account.ledger
    assert account.ledger.speed == 150.0
