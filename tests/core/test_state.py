"""What is remembered of an account over restarts: all of it, for its owner only, and never a wrong age."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sms_credit_core import (
    FAILURES,
    MASK,
    Account,
    Cause,
    Instant,
    Limit,
    Limits,
    Owner,
    Problem,
    Reading,
    Secret,
    SetAside,
    Status,
    recalled,
    remembered,
)
from tests.core.readings import READING

START = Instant(unix=1_760_000_000.0, monotonic=8_192.0)
HOUR, DAY = 3600.0, 86400.0
LIMITS = Limits(low_balance=Decimal(50), low_runway=3 * DAY)
OWNER = Owner(
    provider="23telecom",
    base_url="https://example.com",
    credentials={"api_key": Secret("made-up-key"), "api_secret": Secret("made-up-secret")},
)
EXAMPLE = Path(__file__).with_name("state-1.json")
"""What version 1 wrote; every later version has to read it."""

READ = replace(READING, provider_updated=datetime(2025, 10, 9, 8, 53, tzinfo=UTC))
PROBLEM = Problem(cause=Cause.RATE_LIMITED, code="TOO_MANY", detail="429", retry_after=900.0)


def later(seconds: float, *, restarted: bool = False) -> Instant:
    """Return the moment so many seconds after the start; a restarted machine's monotonic clock begins anew."""
    return Instant(unix=START.unix + seconds, monotonic=16.0 if restarted else START.monotonic + seconds)


def account(*outcomes: Reading | Problem) -> Account:
    """Return an account after hourly polls with these outcomes."""
    found = Account()
    for number, outcome in enumerate(outcomes):
        found = found.asking(later(number * HOUR)).after(outcome, later(number * HOUR + 1), 0.25).judged(LIMITS)
    return found


FULL = account(replace(READ, balance=Decimal(100)), READ, replace(READ, balance=Decimal("62.5")), READ, PROBLEM)
"""An account with something in each of its parts: a top-up, a problem, a limit that is reached."""


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(Account(), id="never polled"),
        pytest.param(account(READ), id="read once"),
        pytest.param(account(Problem(cause=Cause.ONBOARDING)), id="being set up"),
        pytest.param(account(READ, replace(READ, currency="USD"), READ), id="in two currencies"),
        pytest.param(account(replace(READ, balance=None, quota=7, credit_blocked=None)), id="in messages"),
        pytest.param(account(replace(READ, balance=None, currency=None, credits=Decimal("7.5"))), id="in credits"),
        pytest.param(FULL, id="with everything"),
    ],
)
def test_everything_is_remembered(before: Account) -> None:
    """Whatever an account is made of comes back as it was, on the machine's new monotonic clock too."""
    text = remembered(before, OWNER)
    assert recalled(text, OWNER, later(4 * HOUR + 1)) == before
    again = recalled(text, OWNER, later(5 * HOUR, restarted=True))
    assert isinstance(again, Account)
    assert json.loads(remembered(again, OWNER))["account"] == json.loads(text)["account"]
    assert [each.name for each in fields(Account)] == list(json.loads(text)["account"])


def test_held_values_have_their_true_age_after_a_restart() -> None:
    """The machine was off for a while: that time counts, until the values are stale."""
    again = recalled(remembered(FULL, OWNER), OWNER, later(3 * HOUR + 1801, restarted=True))
    assert isinstance(again, Account)
    assert again.read_at
    assert again.read_at.age(later(3 * HOUR + 1801, restarted=True)) == 1800
    assert again.known(later(3 * HOUR + 1801, restarted=True), HOUR) == READ
    stale = recalled(remembered(FULL, OWNER), OWNER, later(5 * HOUR, restarted=True))
    assert isinstance(stale, Account)
    assert stale.known(later(5 * HOUR, restarted=True), HOUR) is None
    assert stale.low == {Limit.BALANCE: True}


def test_the_schedule_is_kept() -> None:
    """A restart is no reason to ask earlier, nor is one in the middle of a poll."""
    polled = recalled(remembered(account(READ), OWNER), OWNER, later(61, restarted=True))
    assert isinstance(polled, Account)
    assert polled.due_in(300.0, later(61, restarted=True)) == 240.0
    asking = recalled(remembered(account(READ).asking(later(301)), OWNER), OWNER, later(303, restarted=True))
    assert isinstance(asking, Account)
    assert asking.due_in(300.0, later(303, restarted=True)) == 298.0
    assert Account().due_in(300.0, START) == 0.0
    assert asking.due_in(300.0, later(1000, restarted=True)) == 0.0


def test_a_clock_that_was_set_back_makes_nothing_fresh() -> None:
    """Nobody can tell how old the reading is, so it is not shown; the next poll comes within an interval."""
    back = later(-DAY, restarted=True)
    again = recalled(remembered(account(READ), OWNER), OWNER, back)
    assert isinstance(again, Account)
    assert again.known(back, HOUR) is None
    assert again.due_in(300.0, back) == 300.0
    now = Instant(back.unix + 300, back.monotonic + 300)
    fresh = again.after(replace(READ, balance=Decimal(12)), now, 0.2)
    assert fresh.known(now, HOUR)
    assert fresh.ledger
    assert fresh.ledger.spent == Decimal("0.50")


OTHERS = [
    pytest.param(replace(OWNER, provider="iletimerkezi"), id="another provider"),
    pytest.param(replace(OWNER, base_url="https://other.example.com"), id="another address"),
    pytest.param(replace(OWNER, credentials={"api_key": Secret("made-up-key")}), id="a credential less"),
    pytest.param(
        replace(OWNER, credentials={"api_key": Secret("made-up-secret"), "api_secret": Secret("made-up-key")}),
        id="the same credentials the wrong way round",
    ),
    pytest.param(replace(OWNER, credentials={"api_key": Secret("\udce4")}), id="a credential that is no text"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_it_is_of_use_to_its_owner_only(other: Owner) -> None:
    """Other credentials begin anew, with the reason in words."""
    text = remembered(FULL, OWNER)
    assert recalled(text, other, later(5 * HOUR)) is SetAside.OTHER_CREDENTIALS
    assert isinstance(recalled(remembered(Account(), other), other, later(5 * HOUR)), Account)


def test_it_holds_no_credential_and_nothing_that_could_be_compared() -> None:
    """Two accounts with the same credentials, and the same one twice, have no digest in common."""
    text = remembered(FULL, OWNER)
    assert not [word for secret in OWNER.credentials.values() for word in [secret.reveal()] if word in text]
    assert "made-up" not in repr(OWNER)
    assert MASK not in text
    assert json.loads(text)["owner"] != json.loads(remembered(FULL, OWNER))["owner"]


def _damaged() -> list[str]:
    text = remembered(FULL, OWNER)
    state = json.loads(text)
    polls = text.replace('"polls": 5', '"polls": 6')
    cut = [text[:length] for length in range(0, len(text), 97)]
    flipped = [f"{text[:place]}{chr(ord(text[place]) ^ 1)}{text[place + 1 :]}" for place in range(0, len(text), 53)]
    kinds = ["null", "[]", "7", '"text"', "{}", "[" * 100_000, '{"version": "1"}', json.dumps({**state, "key": 7})]
    return [*cut, *flipped, *kinds, polls]


@pytest.mark.parametrize("text", _damaged(), ids=lambda text: f"{text[:9]!r}… of {len(text)}")
def test_what_is_damaged_is_set_aside(text: str) -> None:
    """Wherever it is cut and whatever is flipped; never an error, and never a number that nobody read."""
    found = recalled(text, OWNER, later(5 * HOUR))
    assert found in {SetAside.DAMAGED, SetAside.NEWER, SetAside.OTHER_CREDENTIALS}


def test_what_a_newer_version_wrote_is_set_aside() -> None:
    """It says so, since a downgrade is the user's own doing."""
    text = json.dumps({**json.loads(remembered(FULL, OWNER)), "version": 2})
    assert recalled(text, OWNER, later(5 * HOUR)) is SetAside.NEWER


def test_the_first_form_is_read_for_ever() -> None:
    """People update from any version to any later one."""
    found = recalled(EXAMPLE.read_text(encoding="utf-8").rstrip(), OWNER, later(5 * HOUR))
    assert isinstance(found, Account)
    assert (found.status, found.polls, found.low) == (Status.RATE_LIMITED, 5, {Limit.BALANCE: True})
    assert found.failures == dict.fromkeys(FAILURES, 0) | {Status.RATE_LIMITED: 1}
    assert found.ledger
    assert (found.ledger.spent, found.ledger.topped_up) == (Decimal("137.50"), Decimal(50))


@pytest.mark.parametrize("reason", SetAside)
def test_each_reason_is_a_sentence(reason: SetAside) -> None:
    """It stands in a log, where somebody wonders why the counters begin anew."""
    assert reason.value == reason.name.lower()
    assert reason.text.endswith("anew.")
