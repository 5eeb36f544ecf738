"""The text of a scrape, put together from what is kept: what prometheus-client writes is the measure of it."""

import asyncio
import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from sms_credit_core import Account, Cause, Instant, Limits, Problem, Quality
from sms_credit_exporter import board, samples
from sms_credit_exporter.accounts import View, Views
from sms_credit_exporter.exposition import RENDERERS, Exposition
from sms_credit_exporter.metrics import FAMILIES, LABELS, AccountCollector, ExporterCollector
from sms_credit_exporter.negotiation import Format
from tests.exporter.test_metrics import BLOCKED, MONEY_AND_MESSAGES, READING, config, drained, later, polled

NASTY = (
    'say "hi"',
    "back\\slash",
    "two\nlines",
    "# EOF",
    "\n# EOF\n",
    "\n# HELP sms_credit_up x\n# TYPE sms_credit_up gauge\n",
    '{account="b"} 1.0',
    "a,b={}\t\r\0\x7f\x85\u2028",
    "Müşteri 💳",
    " ",
)
"""Names that an account may have."""

OWN = CollectorRegistry()
OWN.register(ExporterCollector("1.2.3"))

each_format = pytest.mark.parametrize("form", Format)


class Everything(Collector):
    """All that a scrape gives, as one registry."""

    def __init__(self, views: Views) -> None:
        """Take the accounts."""
        self._views = tuple(views)

    def collect(self) -> Iterator[Metric]:
        """Return the accounts' metrics and then the exporter's own."""
        yield from AccountCollector(lambda: self._views).collect()
        yield from OWN.collect()


def known(name: str, account: Account, seconds: float = 400) -> View:
    """Return an account as it is so many seconds after the start."""
    return View.of(config(name), account, later(seconds), 3600)


FORETOLD = drained(3600, *(str(1000 - hour) for hour in range(12)))
"""An account whose runway is known, eleven hours after the start."""

PARTIAL = FORETOLD.after(replace(READING, quality=Quality.PARTIAL), later(11 * 3600 + 1800), 0.2)
"""It has been read since, but the provider does not vouch for that."""

A, B, C = known("a", Account()), known("b", polled(READING)), known("c", polled(MONEY_AND_MESSAGES))

STATES = [
    pytest.param([()], id="no account"),
    pytest.param([(A, B, C)], id="three accounts"),
    pytest.param([(A, B, C)] * 3, id="nothing changes"),
    pytest.param([(A, B), (A, replace(B, account=polled(READING, BLOCKED)))], id="a poll"),
    pytest.param([(B, C), (B, replace(C, account=polled(Problem(cause=Cause.TIMEOUT))))], id="a failed poll"),
    pytest.param([(B,), (replace(B, config=config("b", low_balance=Decimal(50))),)], id="another limit"),
    pytest.param([(C,), (replace(C, config=replace(C.config, limits=Limits())),)], id="an equal configuration"),
    pytest.param([(B,), (replace(B, now=later(3601)),), (B,)], id="time makes it stale, and the clock goes back"),
    pytest.param([(B,), (replace(B, stale_after=1.0),), (B,)], id="a reload makes it stale, and takes it back"),
    pytest.param(
        [(known("d", PARTIAL, seconds),) for seconds in (12 * 3600, 12 * 3600 + 1, 12 * 3600)],
        id="time makes the forecast stale, and not the reading",
    ),
    pytest.param([(A, B, C), (C, A), (), (B,)], id="accounts go and come"),
    pytest.param([(A, B), (replace(B, config=A.config), replace(A, config=B.config))], id="two change places"),
    pytest.param(
        [(known("b", polled(replace(READING, balance=Decimal(text)))),) for text in ("-0.00", "0", "1.00")],
        id="minus zero, as a provider may round it",
    ),
    pytest.param([tuple(known(name, polled(READING)) for name in NASTY)] * 2, id="nasty names"),
    pytest.param([tuple(known(f"a{number}", polled(READING)) for number in range(200))], id="many accounts"),
]
"""What is known at one scrape after the other."""


def written(views: Iterable[View], form: Format) -> str:
    """Return what the library writes of these accounts, and of the exporter itself."""
    return RENDERERS[form](Everything(views)).decode()


def inflated(member: bytes) -> str:
    """Return the text that is compressed in one gzip member and nothing beside it, which all clients read whole."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    text = inflate.decompress(member)
    assert inflate.eof
    assert inflate.unused_data == b""
    assert gzip.decompress(member) == text
    return text.decode()


async def check(exposition: Exposition, views: Iterable[View], form: Format, now: Instant) -> None:
    """See to it that these accounts are shown, byte for byte."""
    expected = written((replace(view, now=now) for view in views), form)
    assert b"".join(await exposition.text(form, now)).decode() == expected
    assert inflated(b"".join(await exposition.compressed(form, now))) == expected
    assert expected.count("\n# EOF\n") == (form is Format.OPENMETRICS)


def latest(views: Iterable[View]) -> Instant:
    """Return the moment at which the accounts are seen."""
    return max((view.now for view in views), key=lambda now: now.unix, default=later(0))


@each_format
@pytest.mark.parametrize("states", STATES)
async def test_it_is_what_the_library_renders(states: list[tuple[View, ...]], form: Format) -> None:
    """The text is the same byte for byte, whatever was kept from before, and so it is compressed."""
    exposition = Exposition(OWN)
    for state in states:
        await exposition.follow(state)
        await check(exposition, state, form, latest(state))


@each_format
@pytest.mark.parametrize("states", [*STATES, pytest.param([(A, B, C)] * 2, id="one account changes at a time")])
async def test_each_account_that_changes_is_shown(states: list[tuple[View, ...]], form: Format) -> None:
    """A poll changes one account; one that is not shown is not shown then either."""
    exposition = Exposition(OWN)
    await exposition.follow(states[0])
    shown = {view.config.name: view for view in states[0]}
    for view in (view for state in states[1:] for view in state):
        exposition.show(view)
        if view.config.name in shown:
            shown[view.config.name] = view
        await check(exposition, shown.values(), form, view.now)


HOURS = [
    pytest.param([0, 400, 3400, 3600, 3601, 7200], id="it grows old"),
    pytest.param([3601, 3599, 3601, 0, 4000], id="the clock is set back and forth"),
    pytest.param(
        [12 * 3600, 12 * 3600 + 1, 12 * 3600, 12 * 3600 + 1800, 12 * 3600 + 1801], id="the forecast grows old first"
    ),
]


@each_format
@pytest.mark.parametrize("seconds", HOURS)
@pytest.mark.parametrize(
    "clocks", [(1, 1), (1, 0), (0, 1)], ids=["both clocks", "the wall's clock", "the monotonic clock"]
)
async def test_time_alone_changes_what_is_shown(seconds: list[int], clocks: tuple[int, int], form: Format) -> None:
    """Nobody polls, and values become unknown when they are too old by either clock."""
    views = (A, B, C, known("d", PARTIAL, 11 * 3600))
    exposition = Exposition(OWN)
    await exposition.follow(replace(view, now=later(0)) for view in views)
    for passed in seconds:
        start = later(0)
        now = Instant(start.unix + passed * clocks[0], start.monotonic + passed * clocks[1])
        await check(exposition, views, form, now)


async def test_what_changes_while_accounts_are_taken_up_is_not_lost() -> None:
    """A reload of many accounts takes its time, and polls go on meanwhile."""
    polled_later = replace(B, account=polled(READING, BLOCKED))

    def views() -> Iterator[View]:
        yield from (B, C)
        exposition.show(polled_later)
        yield A

    exposition = Exposition(OWN)
    await exposition.follow((A, B))
    await exposition.follow(views())
    await check(exposition, (polled_later, C, A), Format.TEXT, B.now)


async def test_a_change_during_compression_is_in_the_next_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compressed is one moment, and what is kept of it is not taken for another."""
    monkeypatch.setattr("sms_credit_exporter.sharing._SLICE", -1)  # others have their turn at each step
    exposition = Exposition(OWN)
    await exposition.follow((A, B, C))
    now = B.now
    before = written((A, B, C), Format.TEXT)
    compressing = asyncio.create_task(exposition.compressed(Format.TEXT, now))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not compressing.done()
    changed = replace(B, account=polled(READING, BLOCKED))
    exposition.show(changed)
    assert inflated(b"".join(await compressing)) == before
    await check(exposition, (A, changed, C), Format.TEXT, now)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=3))
async def test_no_name_makes_a_difference(names: list[str]) -> None:
    """An account may have any name."""
    views = [known(name, polled(READING)) for name in names]
    exposition = Exposition(OWN)
    await exposition.follow(views)
    for form in Format:
        await check(exposition, views, form, later(400))


OWN_LABELS = st.dictionaries(
    st.from_regex("[a-zA-Z][a-zA-Z0-9_]{0,3}", fullmatch=True), st.text(max_size=3), max_size=4
)


@given(OWN_LABELS, st.sampled_from([A, B, C, known("d", PARTIAL, 12 * 3600)]))
async def test_no_label_makes_a_difference(labels: dict[str, str], view: View) -> None:
    """Labels of the user's own may stand before, between and after those of the metrics."""
    labels = {name: text for name, text in labels.items() if name not in LABELS}
    view = replace(view, config=replace(view.config, labels=labels))
    exposition = Exposition(OWN)
    await exposition.follow([view])
    await check(exposition, [view], Format.TEXT, view.now)


async def test_an_account_is_written_when_it_has_changed_and_not_for_a_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of scrapers cost what one costs, and an equal configuration costs nothing."""
    seen: list[str] = []

    def counted(view: View) -> object:
        seen.append(view.config.name)
        return samples.samples(view)

    monkeypatch.setattr(board, "samples", counted)
    exposition = Exposition(OWN)

    async def written_for(*views: View) -> list[str]:
        seen.clear()
        await exposition.follow(views)
        for form in Format:
            await exposition.text(form, B.now)
            await exposition.compressed(form, B.now)
        return seen

    assert await written_for(A, B, C) == ["a", "b", "c"]
    assert await written_for(A, B, C) == []
    assert await written_for(A, replace(B, account=polled(READING, READING)), C) == ["b"]
    assert await written_for(*(replace(view, config=replace(view.config)) for view in (C, A))) == []
    assert await written_for(replace(C, now=later(4000))) == ["c"]


async def test_no_account_is_looked_at_for_a_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be ten thousand. Only once a value may have grown old, or a clock was set back, are they looked at."""
    looked_at: list[str] = []
    show = board.Board.show

    def noted(shown: board.Board, view: View) -> None:
        looked_at.append(view.config.name)
        show(shown, view)

    monkeypatch.setattr(board.Board, "show", noted)
    exposition = Exposition(OWN)
    await exposition.follow((A, B, C))
    seconds = {400: 0, 3000: 0, 3601: 3, 7000: 0, 500: 3, 501: 0, 3601.5: 3}
    for passed, expected in seconds.items():
        looked_at.clear()
        await exposition.text(Format.TEXT, later(passed))
        assert len(looked_at) == expected, passed


async def test_only_what_has_changed_is_compressed_anew() -> None:
    """To be compressed costs more than all else of a scrape."""
    views = [known(f"account-{number}", polled(READING)) for number in range(1000)]
    exposition = Exposition(OWN)
    await exposition.follow(views)
    await exposition.compressed(Format.TEXT, B.now)
    kept = {number: part for (_, number), (_, part) in exposition._parts.items()}  # noqa: SLF001 - nobody else can see
    exposition.show(replace(views[500], account=polled(READING, READING)))
    await check(
        exposition,
        [*views[:500], replace(views[500], account=polled(READING, READING)), *views[501:]],
        Format.TEXT,
        B.now,
    )
    again = {number: part for (_, number), (_, part) in exposition._parts.items()}  # noqa: SLF001 - as above
    anew = {FAMILIES[number].name for number in kept if again[number] is not kept[number]}
    assert anew == {
        "sms_credit_last_reading_timestamp_seconds",
        "sms_credit_last_poll_timestamp_seconds",
        "sms_credit_polls_total",
    }
