"""What a configuration comes to: which accounts begin, go on and end, and when each of them is asked."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from sms_credit_core import PROVIDERS, Account, Cause, Instant, Limits, Problem, Secret, Status
from sms_credit_exporter.accounts import AccountConfig, Config, View
from sms_credit_exporter.simulator.behaviour import NoAnswer
from sms_credit_exporter.storage import Known, Memory
from sms_credit_exporter.watch import Watch
from tests.core.readings import READING
from tests.exporter.running import Providers, until

NOBODY = "http://127.0.0.1:9"
TOLD_TO_WAIT = Problem(cause=Cause.RATE_LIMITED, retry_after=900.0)

SOON = pytest.approx(0, abs=2)
"""Seconds that a busy machine may need."""


def account(name: str, *, key: str = "made-up", base_url: str = NOBODY, interval: float = 300.0) -> AccountConfig:
    """Return an account that is configured like this."""
    return AccountConfig(
        name=name,
        provider=PROVIDERS["23telecom"],
        credentials={"api_key": Secret(key)},
        base_url=base_url,
        poll_interval=interval,
    )


def ago(seconds: float) -> Instant:
    """Return the moment so many seconds ago."""
    now = Instant.now()
    return Instant(now.unix - seconds, now.monotonic - seconds)


class Remembering(Memory):
    """What is known from before a restart."""

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        """Take the accounts by their names."""
        super().__init__()
        self._accounts = accounts

    def recall(self, configs: Collection[AccountConfig]) -> Mapping[str, Known]:
        """Return what is known, or that nothing is."""
        return {config.name: Known(self._accounts.get(config.name, Account())) for config in configs}


def due_in(watch: Watch, accounts: Collection[AccountConfig]) -> dict[str, float]:
    """Return in how many seconds each of these accounts is asked, were they taken over now."""
    plan, now = watch.planned(Config(accounts=tuple(accounts))), time.monotonic()
    return {name: watched.due - now for name, watched in plan.watched.items()}


@pytest.mark.parametrize(
    ("count", "interval", "apart"),
    [
        pytest.param(1, 300.0, 1.0, id="one is asked at once"),
        pytest.param(100, 300.0, 1.0, id="a second between two"),
        pytest.param(600, 300.0, 0.5, id="less where they are so many that an interval would not do"),
        pytest.param(4, 2.0, 0.5, id="or where the interval is so short"),
    ],
)
def test_first_polls_are_spread(count: int, interval: float, apart: float) -> None:
    """A start floods no provider, and each account is asked within its first interval."""
    accounts = [account(f"a{number}", interval=interval) for number in range(count)]
    due = [*due_in(Watch(Config(accounts=())), accounts).values()]
    assert due[0] == SOON
    assert due[-1] == pytest.approx((count - 1) * apart, abs=2)
    assert due[-1] - due[-2:][0] == pytest.approx(apart * (count > 1))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(lambda _: Account(), 0, id="never asked"),
        pytest.param(lambda at: Account().after(READING, at, 0.2), 200, id="asked some time ago"),
        pytest.param(lambda at: Account().asking(at), 200, id="killed while it asked: that was a poll too"),
        pytest.param(lambda at: Account().after(TOLD_TO_WAIT, at, 0.2), 800, id="told to wait"),
    ],
)
def test_a_restart_is_no_reason_to_ask(known: Callable[[Instant], Account], expected: float) -> None:
    """The schedule goes on where it was."""
    watch = Watch(Config(accounts=()), Remembering({"a": known(ago(100))}))
    assert due_in(watch, [account("a")])["a"] == pytest.approx(expected, abs=2)


def test_what_is_long_overdue_is_asked_at_once() -> None:
    """But not before its turn."""
    watch = Watch(Config(accounts=()), Remembering({"b": Account().after(READING, ago(1000), 0.2)}))
    assert due_in(watch, [account("a"), account("b")]) == {"a": SOON, "b": pytest.approx(1, abs=1)}


def test_what_is_known_lives_through_a_reload() -> None:
    """An account that asks the same goes on as it is; another one begins, and one that is left out ends."""
    old = {name: Account().after(READING, ago(100), 0.2) for name in "abcd"}
    memory = Remembering(old)
    watch = Watch(Config(accounts=tuple(map(account, old))), memory)
    new = [
        replace(account("d"), limits=Limits(low_balance=Decimal(5))),
        account("a"),
        account("b", interval=600.0),
        account("c", key="another"),
        account("e"),
    ]
    plan = watch.planned(Config(accounts=tuple(new)))
    assert list(plan.watched) == ["d", "a", "b", "c", "e"]
    assert {watched.config.name for watched, _ in plan.changed} == {"b", "d"}
    assert [watched.config.name for watched, _ in plan.begun] == ["c", "e"]
    assert [watched.config.name for watched in plan.ended] == ["c"]
    assert [each.name for each in plan.config.accounts] == ["d", "a", "b", "c", "e"]
    assert list(plan.known) == ["c", "e"]

    watch.take_over(plan)
    views = watch.views()
    assert [view.config for view in views] == new
    assert [view.account is old.get(view.config.name) for view in views] == [True, True, True, True, False]
    assert not watch.ready
    due = due_in(watch, new)
    assert due == pytest.approx({"d": 200, "a": 200, "b": 500, "c": 200, "e": 1}, abs=2)
    assert [view.config.name for view in Watch(plan.config, memory).views()] == ["d", "a", "b", "c", "e"]


def test_an_equal_configuration_is_held_once() -> None:
    """A file that is read again makes ten thousand equal accounts."""
    watch = Watch(Config(accounts=(account("a"),)))
    held = watch.views()[0].config
    plan = watch.planned(Config(accounts=(account("a"), account("b"))))
    assert plan.config.accounts[0] is held
    assert plan.changed == []


@asynccontextmanager
async def polling(watch: Watch) -> AsyncIterator[None]:
    """Poll meanwhile."""
    task = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def shows(watch: Watch, *statuses: Status) -> None:
    """Wait until the accounts have these statuses."""

    async def there() -> bool:
        return tuple(view.status for view in watch.views()) == statuses

    await until(there)


async def test_the_next_poll_is_an_interval_later_and_a_little_more(
    providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts that were due together drift apart. A proxy has no part in what is asked on this machine."""
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    simulated = [providers.add("23telecom") for _ in range(3)]
    accounts = [
        account(f"a{number}", key=each.credentials["api_key"], base_url=providers.base_urls["23telecom"])
        for number, each in enumerate(simulated)
    ]
    watch = Watch(Config(accounts=tuple(accounts)))
    assert not watch.ready
    async with polling(watch):
        await shows(watch, *[Status.FRESH] * 3)
    assert watch.ready
    due = due_in(watch, accounts)
    waits = [
        due[view.config.name] + view.account.polled_at.age(view.now) for view in watch.views() if view.account.polled_at
    ]
    assert all(300 - 2 < wait < 315 + 2 for wait in waits)
    assert len({round(wait, 3) for wait in waits}) == 3
    assert [len(each.requests) for each in simulated] == [1, 1, 1]


async def test_each_poll_is_shown_and_takes_no_longer_than_the_account_may(providers: Providers) -> None:
    """What is shown is what every view shows; the account has its own timeout, whatever is usual."""
    simulated = providers.add("23telecom", NoAnswer.SILENT)
    shown: list[View] = []
    silent = account("a", key=simulated.credentials["api_key"], base_url=providers.base_urls["23telecom"])
    watch = Watch(Config(accounts=(replace(silent, timeout=0.2),)), show=shown.append)
    async with polling(watch):
        await shows(watch, Status.UNREACHABLE)
    (view,) = watch.views()
    assert [(each.config, each.account, each.stale_after) for each in shown] == [
        (view.config, view.account, view.stale_after)
    ]
    assert view.account.problem
    assert view.account.problem.cause is Cause.TIMEOUT
    assert view.account.poll_duration
    assert 0.2 <= view.account.poll_duration < 5


def test_what_is_shown_is_stale_when_the_configuration_says_so() -> None:
    """The same reading is known by one configuration and not by another."""
    memory = Remembering({"a": Account().after(READING, ago(100), 0.2)})
    watch = Watch(Config(accounts=(account("a"),), stale_after=200.0), memory)
    assert [view.known for view in watch.views()] == [READING]
    watch.take_over(watch.planned(Config(accounts=(account("a"),), stale_after=50.0)))
    assert [view.known for view in watch.each()] == [None]


async def test_whoever_comes_back_under_the_same_name_or_question_waits(providers: Providers) -> None:
    """Another name for the same key, or another key for the same name, is nothing that the provider should feel."""
    simulated = providers.add("23telecom")
    asked = account("a", key=simulated.credentials["api_key"], base_url=providers.base_urls["23telecom"])
    watch = Watch(Config(accounts=(asked,)))
    async with polling(watch):
        await shows(watch, Status.FRESH)
        renamed, other = replace(asked, name="b"), replace(asked, credentials={"api_key": Secret("wrong")})
        plan, begun = watch.planned(Config(accounts=(other, renamed))), time.monotonic()
        watch.take_over(plan)
        dues = [watched.due for watched in plan.watched.values()]
        assert all(begun - 2 < due <= begun + 2.1 for due in dues)
        await shows(watch, Status.AUTH_FAILED, Status.FRESH)
    first, *later = (request.at for request in providers.simulator.requests)
    assert min(later) - first >= 0.99


async def test_the_log_tells_what_changed_and_only_that(providers: Providers) -> None:
    """One line when the status changes, with its reason, and one when the provider begins or ceases to block."""
    simulated = providers.add("23telecom")
    key, base_url = simulated.credentials["api_key"], providers.base_urls["23telecom"]
    watch = Watch(Config(accounts=(account("a", key=key, base_url=base_url, interval=1.0),)))

    async def asked_again(answer: str) -> list[dict[str, object]]:
        simulated.answer_with(answer)
        asked = len(simulated.requests) + 2  # the first of them may have been under way

        async def often_enough() -> bool:
            return len(simulated.requests) > asked

        with capture_logs() as logged:
            await until(often_enough)
        assert {line["event"] for line in logged if line["log_level"] == "debug"} == {"polled"}
        assert {(line["account"], line["provider"]) for line in logged} == {("a", "23telecom")}
        words = ("account", "provider", "log_level")
        return [
            {word: line[word] for word in line if word not in words} for line in logged if line["log_level"] == "info"
        ]

    async with polling(watch):
        assert await asked_again("healthy") == [{"event": "status changed", "status": "fresh", "was": "pending"}]
        assert await asked_again("healthy") == []
        assert await asked_again("zero_balance_blocked") == [{"event": "credit blocked"}]
        (refused,) = await asked_again("error_known_code_status_403")
        problem = watch.views()[0].account.problem
        assert problem
        assert refused == {
            "event": "status changed",
            "status": problem.status.value,
            "was": "fresh",
            "reason": problem.text,
            "code": problem.code,
        }
        recovered = await asked_again("healthy")
    assert recovered == [
        {"event": "status changed", "status": "fresh", "was": problem.status.value},
        {"event": "credit no longer blocked"},
    ]
