"""The status page as its reader gets it: words, numbers, order, and nothing that it must not hold."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from sms_credit_core import MASK, PROVIDERS, Account, Cause, Instant, Limits, Problem, Quality, Reading, Status
from sms_credit_exporter.accounts import View
from sms_credit_exporter.page import render, static_files
from tests.e2e.gallery import ILETI, IN_CREDITS, NOW, SECRET, credits_, gallery, lira, listing, problem, reading, view

Polls = tuple[tuple[float, Reading | Problem], ...]

VOID = {"img", "input", "link", "meta"}


@dataclass
class Element:
    """An element of the page."""

    tag: str
    attributes: dict[str, str]
    content: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All the text in it, with white space as a browser shows it."""
        return " ".join(self._words().split())

    def all(self, tag: str, **attributes: str) -> list["Element"]:
        """Return the elements in it with this tag and these attributes, in order."""
        return [e for e in self.everything() if e.tag == tag and attributes.items() <= e.attributes.items()]

    def one(self, tag: str, **attributes: str) -> "Element":
        """Return the only element in it with this tag and these attributes."""
        (found,) = self.all(tag, **attributes)
        return found

    def everything(self) -> Iterator["Element"]:
        """Return all elements in it."""
        for part in self.content:
            if isinstance(part, Element):
                yield part
                yield from part.everything()

    def _words(self) -> str:
        return "".join(part._words() if isinstance(part, Element) else part for part in self.content)  # noqa: SLF001 - its own


class Reader(HTMLParser):
    """Reads a page into elements; refuses one whose tags are not closed in order."""

    def __init__(self) -> None:
        """Start outside of all elements."""
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element."""
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].content.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        """Take text in."""
        self.open[-1].content.append(data)


def html(*views: View, version: str = "1.2.3", refresh: float = 15.0, demo: bool = False, asked: str = "") -> str:
    """Return the page that answers what is asked."""
    return render(listing(views, asked), version=version, refresh=refresh, demo=demo)


def page(*views: View, refresh: float = 15.0, demo: bool = False, asked: str = "") -> Element:
    """Return the rendered page."""
    reader = Reader()
    reader.feed(html(*views, refresh=refresh, demo=demo, asked=asked))
    reader.close()
    (root,) = reader.open
    return root


def cells(row: Element) -> dict[str, str]:
    """Return the text of an account's row by column, with what there is to do apart from the notes."""
    found = {"Account": row.one("th").text, "To do": ""}
    for cell in row.all("td"):
        to_do = [each.text for each in cell.all("p", **{"class": "to-do"})]
        notes, *_ = cell.text.split(" To do: ") if to_do else [cell.text]
        found |= {cell.attributes["data-label"]: notes} | dict.fromkeys(["To do"] * len(to_do), "".join(to_do))
    return found | {each.one("dt").text: each.one("dd").text for each in row.all("div")}


def detail(root: Element, name: str) -> Element:
    """Return what the only account's details say under a heading."""
    (found,) = [each.one("dd") for each in root.one("dl").all("div") if each.one("dt").text == name]
    return found


def shown(shown_view: View) -> dict[str, str]:
    """Return what the page says of one account, by column."""
    (row,) = page(shown_view).one("tbody").all("tr")
    return cells(row)


def names(*views: View, asked: str = "") -> list[str]:
    """Return the accounts' names in the order of the page."""
    return [name.text for name in page(*views, asked=asked).all("bdi", **{"class": "name"})]


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the day begin when UTC's does."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


OK = reading("1250.50", provider_updated=None)
FIFTY = Limits(low_balance=Decimal(50))


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        pytest.param(
            (),
            {"State": "pending", "Notes": "Not polled yet.", "Balance": "unknown", "Read": "never"},
            id="pending: nothing is known yet",
        ),
        pytest.param(
            ((42, OK),),
            {"State": "fresh", "Balance": "1,250.50 EUR", "Read": "42 s ago", "Updated by the provider": "unknown"},
            id="fresh: the values, and nothing to add",
        ),
        pytest.param(
            ((42, reading("88.20", quality=Quality.PARTIAL)),),
            {
                "State": "partial",
                "Notes": "The provider flags this reading as partial.",
                "Balance": "88.20 EUR",
                "Read": "42 s ago",
                "Updated by the provider": "12 min ago",
            },
            id="partial: the values, and that they are flagged",
        ),
        pytest.param(
            ((400, OK), (42, problem(Cause.CACHE_DISABLED, "cache_disabled"))),
            {
                "State": "unavailable",
                "Notes": (
                    "The provider has no current data: its balance cache is switched off. "
                    "Provider's code: cache_disabled"
                ),
                "Balance": "1,250.50 EUR held, read 6 min ago",
                "Read": "6 min ago",
            },
            id="unavailable: the values are held",
        ),
        pytest.param(
            ((400, OK), (42, problem(Cause.ONBOARDING))),
            {
                "State": "onboarding",
                "Notes": "The provider is still setting up this account.",
                "Balance": "unknown last read 6 min ago",
                "Read": "6 min ago",
            },
            id="onboarding: the values are dropped",
        ),
        pytest.param(
            ((400, OK), (42, problem(Cause.API_KEY_UNKNOWN, "INVALID_API_KEY"))),
            {
                "State": "auth failed",
                "Notes": f"{Cause.API_KEY_UNKNOWN.text} Provider's code: INVALID_API_KEY",
                "Balance": "1,250.50 EUR held, read 6 min ago",
                "Read": "6 min ago",
            },
            id="auth_failed: the provider's code stands beside our words",
        ),
        pytest.param(
            ((42, problem(Cause.SMS_NOT_SET_UP)),),
            {
                "State": "access denied",
                "Notes": "SMS is not set up on this account. Ask the provider's support.",
                "Balance": "unknown",
                "Read": "never",
            },
            id="access_denied: never read",
        ),
        pytest.param(
            ((42, problem(Cause.RATE_LIMITED)),),
            {"State": "rate limited", "Notes": "The provider asks for fewer requests.", "Balance": "unknown"},
            id="rate_limited",
        ),
        pytest.param(
            ((42, problem(Cause.TIMEOUT)),),
            {"State": "unreachable", "Notes": "The provider did not answer in time.", "Balance": "unknown"},
            id="unreachable",
        ),
        pytest.param(
            ((42, problem(Cause.PROVIDER_ERROR, "DB_ERROR")),),
            {
                "State": "provider error",
                "Notes": "The provider reports a fault on its own side. Provider's code: DB_ERROR",
                "Balance": "unknown",
            },
            id="provider_error",
        ),
        pytest.param(
            ((42, problem(Cause.FIELD_MISSING, detail="balance")),),
            {"State": "invalid response", "Notes": "The answer has no “balance”.", "Balance": "unknown"},
            id="invalid_response: the field is named",
        ),
    ],
)
def test_says_what_became_of_the_last_poll(polls: Polls, expected: dict[str, str]) -> None:
    """Each status has its word, its reason and the values that it leaves."""
    found = shown(view("marketing", *polls))
    assert {column: found.get(column) for column in expected} == expected
    assert bool(found["Notes"]) == (found["State"] != "fresh")


@pytest.mark.parametrize(
    ("age", "polls_since", "expected"),
    [
        pytest.param(3600, (), ("fresh", "1,250.50 EUR"), id="fresh until the hour is over"),
        pytest.param(3601, (), ("stale", "unknown last read 60 min ago, too old to show"), id="then too old"),
        pytest.param(
            3600,
            ((9, problem(Cause.TIMEOUT)),),
            ("unreachable", "1,250.50 EUR held, read 60 min ago"),
            id="held for as long",
        ),
        pytest.param(
            3601,
            ((9, problem(Cause.TIMEOUT)),),
            ("unreachable", "unknown last read 60 min ago, too old to show"),
            id="then unknown",
        ),
        pytest.param(
            7300,
            ((3700, problem(Cause.TIMEOUT)), (9, OK)),
            ("fresh", "1,250.50 EUR"),
            id="and known again after the next good reading",
        ),
    ],
)
def test_tells_fresh_from_held_from_stale(age: float, polls_since: Polls, expected: tuple[str, ...]) -> None:
    """A reader can tell a value of this minute from an earlier one, and an old one is not shown at all."""
    found = shown(view("marketing", (age, OK), *polls_since))
    assert (found["State"], found["Balance"]) == expected


@pytest.mark.parametrize("quality", Quality)
def test_nothing_is_said_of_a_reading_that_is_too_old_but_that(quality: Quality) -> None:
    """However good it was when it was fresh, its status does not outlive it; the next reading brings one back."""
    old = (9999, reading("-1", credit_blocked=True, quality=quality))
    assert shown(view("marketing", old))["State"] == "stale"
    assert shown(view("marketing", old, limits=FIFTY))["State"] == "low stale"
    assert shown(view("marketing", old, (9, reading(quality=quality))))["State"] == quality.status.value


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.status.holds])
def test_values_that_are_held_are_said_to_be(cause: Cause) -> None:
    """Whatever keeps a new reading away, the old one is not taken for it; the next good one is."""
    held = ((400, OK), (42, problem(cause)))
    assert shown(view("marketing", *held))["Balance"] == "1,250.50 EUR held, read 6 min ago"
    assert shown(view("marketing", *held, (9, OK)))["Balance"] == "1,250.50 EUR"


def test_held_values_look_different() -> None:
    """Held values are marked in their row, so that the style can tone them down; fresh ones are not."""
    held = view("held", (400, OK), (42, problem(Cause.TIMEOUT)))
    rows = page(held, view("fresh", (42, OK)), view("never")).one("tbody").all("tr")
    assert {row.one("th").one("bdi").text: "held" in row.attributes["class"].split() for row in rows} == {
        "held": True,
        "fresh": False,
        "never": False,
    }


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        pytest.param("0", "0.00", id="zero is a number"),
        pytest.param("-0.00001", "0.00", id="and has no sign"),
        pytest.param("0E-64", "0.00", id="however it is written"),
        pytest.param("5", "5.00", id="two decimals at least"),
        pytest.param("1250.5", "1,250.50", id="grouped thousands"),
        pytest.param("1250.500", "1,250.50", id="no more zeros than that"),
        pytest.param("0.021", "0.021", id="the third decimal where there is one"),
        pytest.param("10.584000000000001", "10.584", id="a float's residue is no digit of money"),
        pytest.param("31.0799999999999998", "31.08", id="nor is a float's lack"),
        pytest.param("0.00005", "0.00", id="half to even, down"),
        pytest.param("0.00015", "0.0002", id="half to even, up"),
        pytest.param("-3.5", "-3.50", id="debt"),
        pytest.param("-1234.56789", "-1,234.5679", id="debt of thousands"),
        pytest.param("1E+6", "1,000,000.00", id="never an exponent"),
        pytest.param("1E-7", "0.00", id="not for tiny ones either"),
        pytest.param("9999999999999999", "9,999,999,999,999,999.00", id="the largest that the core reads"),
        pytest.param("1234567890123456.789012345678", "1,234,567,890,123,456.789", id="28 digits"),
        pytest.param("9" * 28, "9,999,999,999,999,999,999,999,999,999.00", id="28 digits before the point"),
    ],
)
def test_writes_money_exactly(amount: str, text: str) -> None:
    """A balance is written as money is, and every digit that was read goes along for machines."""
    found = page(view("marketing", (42, reading(amount)))).one("td", **{"data-label": "Balance"}).one("data")
    assert found.text == f"{text} EUR"
    assert Decimal(found.attributes["value"]) == Decimal(amount)
    assert "E" not in found.attributes["value"]


@pytest.mark.parametrize(
    ("shown_view", "messages"),
    [
        pytest.param(view("a", (42, lira("0", 0)), provider=ILETI.key), "0", id="zero is a number"),
        pytest.param(view("a", (42, lira("0", 12500)), provider=ILETI.key), "12,500", id="grouped thousands"),
        pytest.param(view("a", provider=ILETI.key), "unknown", id="not read yet"),
        pytest.param(view("a", (42, OK)), "not given", id="this provider never says"),
        pytest.param(
            view("a", (42, reading("10.5")), limits=Limits(message_price=Decimal("0.021"))),
            "500 at 0.021 EUR each",
            id="worked out from a price",
        ),
        pytest.param(
            view("a", limits=Limits(message_price=Decimal("0.021"))), "unknown", id="a price, but nothing to divide"
        ),
        pytest.param(
            view("a", (42, lira("100", 7)), provider=ILETI.key, limits=Limits(message_price=Decimal(1))),
            "7",
            id="the provider's own number wins over the price",
        ),
    ],
)
def test_writes_messages(shown_view: View, messages: str) -> None:
    """A quota is a number, or a word that says why there is none."""
    assert shown(shown_view)["Messages"] == messages


@pytest.mark.parametrize(
    ("shown_view", "status", "notes"),
    [
        pytest.param(view("a", (42, reading("50.01")), limits=FIFTY), "fresh", "", id="above the limit"),
        pytest.param(view("a", (42, reading("50")), limits=FIFTY), "low", "At or below 50.00 EUR.", id="at it"),
        pytest.param(
            view("a", (42, lira("9", 100)), provider=ILETI.key, limits=Limits(low_quota=1000)),
            "low",
            "At or below 1,000 messages.",
            id="the limit in messages",
        ),
        pytest.param(
            view("a", (42, lira("51", 100)), provider=ILETI.key, limits=Limits(low_balance=Decimal(50), low_quota=100)),
            "low",
            "At or below 100 messages.",
            id="only the limit that is reached",
        ),
        pytest.param(
            view("a", (42, lira("9", 100)), provider=ILETI.key, limits=Limits(low_balance=Decimal(50), low_quota=100)),
            "low",
            "At or below 50.00 TRY and 100 messages.",
            id="both limits",
        ),
        pytest.param(
            view("a", (42, reading("-1", credit_blocked=True))),
            "blocked",
            "The provider refuses to send for lack of credit.",
            id="blocked",
        ),
        pytest.param(
            view("a", (42, reading("-1", credit_blocked=True)), (9, problem(Cause.TIMEOUT)), limits=FIFTY),
            "blocked low unreachable",
            "The provider refuses to send for lack of credit. At or below 50.00 EUR. "
            "The provider did not answer in time.",
            id="everything at once, worst first",
        ),
        pytest.param(
            view("a", (400, reading("-1")), (9, problem(Cause.IP_NOT_ALLOWED)), limits=FIFTY),
            "access denied low",
            "At or below 50.00 EUR. The API key may not be used from this machine's IP address. "
            "Allow the address in the provider's panel.",
            id="a low value that is held",
        ),
        pytest.param(
            view("a", (9999, reading("-1", credit_blocked=True)), (9, problem(Cause.TIMEOUT)), limits=FIFTY),
            "low unreachable",
            "At or below 50.00 EUR. The provider did not answer in time.",
            id="low stays when the value is too old, blocked does not",
        ),
        pytest.param(
            view("a", (42, reading("5", credit_blocked=None)), limits=Limits(low_quota=10)),
            "fresh",
            "",
            id="a limit with nothing to hold against it",
        ),
    ],
)
def test_warns_of_low_and_blocked(shown_view: View, status: str, notes: str) -> None:
    """Blocked and low stand beside the status, with the limit that is reached."""
    found = shown(shown_view)
    assert (found["State"], found["Notes"]) == (status, notes)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (0.9, "just now"),
        (1, "1 s ago"),
        (59.9, "59 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (179, "2 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (172_799, "47 h ago"),
        (172_800, "2 days ago"),
        (86_400 * 400, "400 days ago"),
    ],
)
def test_writes_ages_in_words(seconds: float, words: str) -> None:
    """An age is never written as more than it is, and its exact time goes along."""
    time = detail(page(view("a", (seconds, problem(Cause.TIMEOUT)))), "Polled").one("time")
    assert time.text == words
    assert datetime.fromisoformat(time.attributes["datetime"]) == datetime.fromtimestamp(int(NOW.unix - seconds), UTC)


def test_names_absolute_times_in_utc() -> None:
    """Each age carries the moment that it counts from; the page says what moment it was made at."""
    times = page(view("a", (53, reading(provider_updated=datetime(2026, 3, 13, 23, 59, 59, tzinfo=UTC))))).all("time")
    assert [(time.text, time.attributes["datetime"], time.attributes.get("title")) for time in times[1:]] == [
        ("2026-03-14 09:26:53 UTC", "2026-03-14T09:26:53Z", None),
        ("53 s ago", "2026-03-14T09:26:00Z", "2026-03-14 09:26:00 UTC"),
        ("9 h ago", "2026-03-13T23:59:59Z", "2026-03-13 23:59:59 UTC"),
        ("53 s ago", "2026-03-14T09:26:00Z", "2026-03-14 09:26:00 UTC"),
        ("in 4 min", "2026-03-14T09:31:00Z", "2026-03-14 09:31:00 UTC"),
    ]


@pytest.mark.parametrize(
    ("updated", "words"),
    [
        pytest.param(datetime(2026, 3, 14, 9, 27, 30, tzinfo=UTC), "just now", id="clocks differ a little"),
        pytest.param(datetime(2026, 3, 14, 12, 26, 53, tzinfo=UTC), "3 h ahead", id="a time zone gone wrong is seen"),
    ],
)
def test_provider_time_may_lie_ahead(updated: datetime, words: str) -> None:
    """The provider's own time is shown as it is, even if it cannot be."""
    assert shown(view("a", (42, reading(provider_updated=updated))))["Updated by the provider"] == words


@pytest.mark.parametrize(
    ("interval", "words"),
    [(1, "1 s"), (1.5, "1.5 s"), (60, "60 s"), (150, "150 s"), (300, "5 min"), (5400, "90 min"), (86400, "24 h")],
)
def test_names_the_polling_interval(interval: float, words: str) -> None:
    """The interval is written as it was configured, nothing cut off."""
    assert shown(view("a", poll_interval=interval))["Polled"] == f"not yet every {words}"


@pytest.mark.parametrize(
    ("polls", "next_poll"),
    [
        pytest.param((), "due now", id="not polled yet"),
        pytest.param(((30, OK),), "in 4 min", id="on time"),
        pytest.param(((301, OK),), "due now", id="late"),
        pytest.param(((400, problem(Cause.TIMEOUT)), (100, problem(Cause.TIMEOUT))), "in 8 min", id="back-off"),
        pytest.param(((100, Problem(cause=Cause.RATE_LIMITED, retry_after=900.0)),), "in 13 min", id="Retry-After"),
        pytest.param(
            ((700, problem(Cause.TIMEOUT)), (400, problem(Cause.TIMEOUT)), (30, OK)),
            "in 4 min",
            id="on time again after a good poll",
        ),
    ],
)
def test_says_when_the_next_poll_is(polls: Polls, next_poll: str) -> None:
    """Also while the provider is spared."""
    assert shown(view("a", *polls))["Next poll"] == next_poll


@pytest.mark.parametrize(
    ("polls", "price", "balance", "messages"),
    [
        pytest.param(((42, credits_("7.5")),), None, "7.50 credits", "not given", id="credits"),
        pytest.param(((42, credits_("7.5")),), "0.5", "7.50 credits", "15 at 0.5 credits each", id="with a price"),
        pytest.param((), None, "unknown", "not given", id="not read yet"),
        pytest.param(
            ((9999, credits_("7.5")),), None, "unknown last read 2 h ago, too old to show", "not given", id="too old"
        ),
    ],
)
def test_writes_credits(polls: Polls, price: str | None, balance: str, messages: str) -> None:
    """They stand in the balance's place, in a unit of their own."""
    limits = Limits(message_price=Decimal(price) if price else None)
    found = shown(view("a", *polls, provider=IN_CREDITS, limits=limits))
    assert (found["Balance"], found["Messages"]) == (balance, messages)


BLOCKED = ((42, reading("0", credit_blocked=True)),)
WORST_FIRST: tuple[tuple[str, Polls], ...] = (
    ("blocked", BLOCKED),
    ("blocked, and the key is refused", (*BLOCKED, (9, problem(Cause.API_KEY_EXPIRED)))),
    ("access denied", ((9, problem(Cause.IP_NOT_ALLOWED)),)),
    ("auth failed", ((9, problem(Cause.API_KEY_EXPIRED)),)),
    ("auth failed, and low", ((42, reading("5")), (9, problem(Cause.API_KEY_EXPIRED)))),
    ("low", ((42, reading("5")),)),
    ("low, and unreachable", ((42, reading("5")), (9, problem(Cause.TIMEOUT)))),
    ("rate limited", ((9, problem(Cause.RATE_LIMITED)),)),
    ("unreachable", ((9, problem(Cause.TIMEOUT)),)),
    ("provider error", ((9, problem(Cause.PROVIDER_ERROR)),)),
    ("invalid response", ((9, problem(Cause.NOT_JSON)),)),
    ("pending", ()),
    ("unavailable", ((9, problem(Cause.DATA_UNAVAILABLE)),)),
    ("onboarding", ((9, problem(Cause.ONBOARDING)),)),
    ("stale", ((9999, OK),)),
    ("partial", ((9, reading(quality=Quality.PARTIAL)),)),
    ("fresh", ((9, OK),)),
)
RANKS = ((0, 2), (2, 5), (5, 7), (7, 11), (11, 15), (15, 16), (16, 17))
"""Where accounts of one rank begin and end in the tuple above."""


def test_puts_the_worst_first() -> None:
    """The accounts that need a person come before those that need patience, and those before the healthy."""
    views = [view(name, *polls, limits=FIFTY) for name, polls in WORST_FIRST]
    expected = [name for name, _ in WORST_FIRST]
    assert names(*views) == expected
    backwards = [name for begin, end in RANKS for name in reversed(expected[begin:end])]
    assert names(*reversed(views)) == backwards


@pytest.mark.parametrize(
    ("views", "summary", "title"),
    [
        pytest.param([], "No accounts are configured.", "No accounts · SMS Credit", id="none"),
        pytest.param([view("a", (9, OK))], "1 account: 1 fresh", "1 fresh · SMS Credit", id="one"),
        pytest.param(
            [view("a", (9, OK)), view("b"), view("c", (9, OK)), view("d", *BLOCKED)],
            "4 accounts: 1 blocked, 1 pending, 2 fresh",
            "1 blocked · SMS Credit",
            id="worst first",
        ),
        pytest.param(
            [view("a", (9, problem(Cause.TIMEOUT))), view("b", (9999, OK)), view("c", (9, problem(Cause.TIMEOUT)))],
            "3 accounts: 2 unreachable, 1 stale",
            "2 unreachable · SMS Credit",
            id="old readings do not count as fresh",
        ),
        pytest.param(
            [view("a", *BLOCKED, (5, problem(Cause.TIMEOUT)), limits=FIFTY)],
            "1 account: 1 blocked",
            "1 blocked · SMS Credit",
            id="each account counts once, by the worst",
        ),
    ],
)
def test_sums_up(views: list[View], summary: str, title: str) -> None:
    """One line tells how all accounts are, and the tab's title tells the worst."""
    found = page(*views)
    assert found.one("p", **{"class": "counts"}).text == summary
    assert found.one("title").text == title


def test_summary_leads_to_the_accounts() -> None:
    """Each count of the summary is a link to the accounts that it counts, which are as many; every id is there once."""
    views = tuple(gallery())
    found = page(*views)
    links = found.one("p", **{"class": "counts"}).all("a")
    for link in links:
        count, _, word = link.text.replace(",", "").partition(" ")
        answer = page(*views, asked=link.attributes["href"].removeprefix("?"))
        assert [row.all("li")[0].text for row in answer.one("tbody").all("tr")] == [word] * int(count)
    ids = [element.attributes["id"] for element in found.everything() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    assert sum(int(link.text.split()[0]) for link in links) == len(views) > 20


def test_an_account_keeps_its_id_when_it_changes_rank() -> None:
    """A refresh finds what was focused or linked to by the account's place in the configuration."""
    healthy, ill = view("a", (9, OK)), view("a", (9, problem(Cause.TIMEOUT)))
    before, after = (page(view("z", (9, OK)), now) for now in (healthy, ill))
    assert [row.attributes["id"] for row in before.one("tbody").all("tr")] == ["account-1", "account-2"]
    assert [row.attributes["id"] for row in after.one("tbody").all("tr")] == ["account-2", "account-1"]


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "\"><img src=x onerror='alert(1)'>",
        "{{ 7 * 7 }}{% raw %}",
        "&lt;b&gt;",
        "חשבון שיווק",
        "📣 marketing",
        "x" * 64,
    ],
)
def test_shows_names_as_they_are(name: str) -> None:
    """A name is text, whatever it looks like, and its direction stays its own."""
    found = page(view(name, (9, OK)))
    plain = page(view("plain", (9, OK)))
    assert {each.text for each in found.all("bdi")} == {name}
    assert [element.tag for element in found.everything()] == [element.tag for element in plain.everything()]


@pytest.mark.parametrize("status", Status)
def test_every_status_has_its_word_and_shape(status: Status) -> None:
    """A new status cannot be forgotten: it is shown by word and by a shape that the page defines."""
    account = Account(status=status, reading=OK, read_at=Instant(NOW.unix, NOW.monotonic), polled_at=NOW)
    found = page(View.of(view("a").config, account, NOW, 60.0))
    mark = found.one("li")
    assert mark.attributes["data-mark"] == status.value
    assert mark.text == status.value.replace("_", " ")
    found.one("symbol", id=mark.one("use").attributes["href"].removeprefix("#"))


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_its_reason(cause: Cause) -> None:
    """Whatever kept a reading away, its text and the provider's code are there to read."""
    found = shown(view("a", (9, problem(cause, "SOME_CODE", "some.field"))))
    assert found["Notes"] == f"{cause.text.format(detail='some.field')} Provider's code: SOME_CODE"
    assert found["State"] == cause.status.replace("_", " ")


@pytest.mark.parametrize("key", PROVIDERS)
def test_links_to_the_panel(key: str) -> None:
    """Each account leads to where it is topped up, and does not tell that site where the reader came from."""
    link = page(view("a", provider=key)).one("tbody").one("a")
    assert link.text == f"{PROVIDERS[key].name} panel"
    assert (link.attributes["href"], link.attributes["rel"]) == (PROVIDERS[key].panel_url, "noreferrer")


DAY = 86400.0


def hourly(*outcomes: Reading, newest: float = 60) -> Polls:
    """Return polls an hour apart, the last so many seconds ago."""
    count = len(outcomes)
    return tuple((newest + 3600 * (count - 1 - number), outcome) for number, outcome in enumerate(outcomes))


def falling(first: int, *, by: int = 1, times: int = 24) -> Polls:
    """Return hourly polls of a balance that falls."""
    return hourly(*(reading(str(first - by * number)) for number in range(times)))


@pytest.mark.usefixtures("in_utc")
@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        pytest.param((), ("unknown", "unknown"), id="not polled yet"),
        pytest.param(falling(1000, times=3), ("too early to tell", "2.00 EUR"), id="the first hours: no pace yet"),
        pytest.param(hourly(*[reading("5")] * 24), ("nothing is spent", "0.00 EUR"), id="nothing is spent"),
        pytest.param(hourly(*[reading("0")] * 24), ("nothing left", "0.00 EUR"), id="nothing is left"),
        pytest.param(hourly(*[reading("-3")] * 24), ("nothing left", "0.00 EUR"), id="in debt"),
        pytest.param(
            (*hourly(*[reading("5")] * 24), (30, problem(Cause.TIMEOUT))),
            ("nothing is spent", "0.00 EUR"),
            id="held values",
        ),
        pytest.param(
            hourly(*[reading("5")] * 24, newest=3601), ("unknown", "unknown"), id="what is too old is not shown"
        ),
        pytest.param(
            hourly(*(lira("0", 900 - number) for number in range(3))),
            ("too early to tell", "2 messages"),
            id="in messages",
        ),
        pytest.param(
            hourly(reading("10"), reading("7.5"), reading("60"), reading("59.25")),
            ("too early to tell", "3.25 EUR"),
            id="a top-up is not spent",
        ),
        pytest.param(
            ((1200, reading("10")), (600, reading("5")), (60, reading("4", quality=Quality.PARTIAL))),
            ("too early to tell", "5.00 EUR"),
            id="a partial reading moves nothing",
        ),
    ],
)
def test_says_how_long_it_lasts_and_what_was_spent_today(polls: Polls, expected: tuple[str, str]) -> None:
    """Or that it is unknown."""
    found = shown(view("a", *polls, provider="iletimerkezi" if "messages" in expected[1] else "23telecom"))
    assert (found["Lasts"], found["Spent today"].partition(" since ")[0]) == expected


@pytest.mark.parametrize(
    ("polls", "left", "until"),
    [
        pytest.param(falling(1000), (15 * DAY, 50 * DAY), r"\d+ days until 2026-0[345]-\d\d", id="for weeks: the day"),
        pytest.param(
            falling(63), (10 * 3600, 40 * 3600), r"\d+ h until 2026-03-1[456] \d\d:\d\d UTC", id="for hours: the hour"
        ),
        pytest.param(falling(29), (3600, 14 * 3600), r"\d+ (h|min) until \d\d:\d\d UTC", id="today: the time"),
        pytest.param(falling(10**9, times=30), (1000 * DAY, 1e20), "for years|\\d+ days until .*", id="for very long"),
    ],
)
def test_says_when_nothing_will_be_left(polls: Polls, left: tuple[float, float], until: str) -> None:
    """Counted from now on, though the forecast is from the last reading."""
    seen = view("a", *polls)
    assert seen.runway is not None
    assert left[0] <= seen.runway <= left[1]
    assert re.fullmatch(until, shown(seen)["Lasts"])


@pytest.mark.usefixtures("in_utc")
def test_today_begins_with_the_last_reading_before_midnight() -> None:
    """What was spent over midnight counts as spent today; since when is told to who wants to know."""
    polls = hourly(*(reading(str(1000 - 10 * number)) for number in range(24)))
    spent = detail(page(view("a", *polls)), "Spent today")
    assert spent.text == "100.00 EUR since 2026-03-13 23:25:53 UTC"
    assert spent.one("data").attributes == {"class": "amount", "value": "100"}


def test_spending_that_is_unusual_is_said_and_ranked() -> None:
    """It comes before accounts that fail, and what it can mean stands beside it."""
    quiet = [reading(str(5000 - number)) for number in range(24 * 14)]
    drained = view("drained", *hourly(*quiet, reading("4000")))
    failing = view("failing", (9, problem(Cause.TIMEOUT)))
    assert names(failing, drained, view("well", (9, OK))) == ["drained", "failing", "well"]
    found = shown(drained)
    assert found["State"] == "unusual"
    assert "somebody may be draining it" in found["Notes"]
    quiet_again = view("drained", *hourly(*quiet, reading("4000"), *(reading(str(4000 - n)) for n in range(3))))
    assert shown(quiet_again)["State"] == "fresh"


def test_a_limit_in_time_is_told_as_people_say_it() -> None:
    """The reason why the credit is low is the limit that was set."""
    polls = falling(63)
    limits = Limits(low_runway=3 * DAY)
    assert shown(view("a", *polls, limits=limits))["Notes"] == "At or below 3 days left."
    assert shown(view("a", *polls, limits=Limits(low_runway=3600)))["Notes"] == ""


def test_every_row_has_a_cell_for_each_heading() -> None:
    """A screen reader tells what a cell is about by counting; only notes may be empty, and then take no room."""
    found = page(*gallery())
    headings = [heading.text for heading in found.one("thead").all("th")]
    silent = 0
    for row in found.one("tbody").all("tr"):
        cells_of_row = row.all("td")
        assert ["Account", *(cell.attributes["data-label"] for cell in cells_of_row)] == headings
        empty = [cell for cell in cells_of_row if not cell.text and not cell.all("svg")]
        assert all(cell.attributes["data-label"] == "Notes" for cell in empty)
        assert all(cell.attributes["class"] == "unseen" for cell in empty)
        silent += len(empty)
    assert 0 < silent < len(found.one("tbody").all("tr"))


def test_holds_no_secret() -> None:
    """Neither a credential nor a place where one was masked is on the page."""
    text = html(*gallery())
    config = next(iter(gallery())).config
    assert SECRET in config.credentials["api_key"].reveal()
    assert SECRET not in text
    assert MASK.strip("<>") not in text
    assert config.base_url not in text.replace(config.provider.panel_url, "")


def test_needs_nothing_that_a_strict_policy_forbids() -> None:
    """No style or script is inline, and nothing is loaded from elsewhere."""
    found = page(*gallery(), demo=True)
    for element in found.everything():
        attributes = element.attributes
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert element.tag not in {"style", "base", "iframe"}
        assert element.tag != "form" or "action" not in attributes  # it asks this very page
        assert element.tag != "script" or (attributes["src"] and not element.content)
        assert ":" not in attributes.get("src", "") + (attributes["href"] if element.tag == "link" else "")


def test_loads_exactly_the_static_files() -> None:
    """What the page refers to is there, with the type that a browser asks for under nosniff, and nothing else is."""
    found = page(view("a"))
    loaded = {element.attributes["src"] for element in found.everything() if "src" in element.attributes}
    loaded |= {link.attributes["href"] for link in found.all("link")}
    assert loaded == {f"static/{name}" for name in static_files()}
    assert {name: content_type for name, (content_type, _) in static_files().items()} == {
        "icon.svg": "image/svg+xml",
        "page.js": "text/javascript; charset=utf-8",
        "style.css": "text/css; charset=utf-8",
    }
    assert [name for name, (_, body) in static_files().items() if len(body) < 100] == []


def test_style_and_script_load_nothing() -> None:
    """The static files refer to no other file and to no other site."""
    for name in ("style.css", "page.js"):
        text = static_files()[name][1].decode()
        assert re.findall(r"url\(|@import|https?:|innerHTML|eval", text) == []


def test_links_stay_below_the_prefix() -> None:
    """The exporter's other pages are linked relative to this one, so that a reverse proxy's prefix stays."""
    links = page(view("a")).one("nav").all("a")
    assert [link.attributes["href"] for link in links] == ["metrics", "api/v1/accounts", "-/healthy", "-/ready"]


@pytest.mark.parametrize(
    ("refresh", "script", "without"),
    [(15.0, "15.0", "60"), (0.2, "0.2", "1"), (2.6, "2.6", "11")],
)
def test_refreshes_itself(refresh: float, script: str, without: str) -> None:
    """The period goes to the script, and four times as long to browsers that run none and lose what was unfolded."""
    found = page(view("a"), refresh=refresh)
    assert found.one("body").attributes["data-refresh"] == script
    assert found.one("noscript").one("meta").attributes == {"http-equiv": "refresh", "content": without}


def test_warning_about_old_numbers_waits_hidden() -> None:
    """The script only has to show it; screen readers hear of it and of nothing else."""
    found = page(view("a"))
    (live,) = [element for element in found.everything() if "aria-live" in element.attributes]
    assert live.attributes["aria-live"] == "polite"
    assert "hidden" in live.one("p").attributes
    assert live.one("time").attributes["id"] == "since"


@pytest.mark.parametrize(("demo", "notes"), [(False, 0), (True, 1)])
def test_says_if_it_is_a_demo(demo: bool, notes: int) -> None:  # noqa: FBT001 - a table's column
    """Nobody takes simulated accounts for their own, and nobody's own are called simulated."""
    assert [note.text for note in page(view("a"), demo=demo).all("p", **{"class": "demo"})] == notes * [
        "Demo. The providers are simulated: none of these accounts exists."
    ]


def test_document_is_whole() -> None:
    """The page is in standards mode, names its language and version, and fits a phone's screen."""
    text = html(view("a"), version="1.2.3<b>")
    assert text.startswith("<!DOCTYPE html>\n")
    found = page(view("a"))
    assert found.one("html").attributes["lang"] == "en"
    assert found.one("meta", name="viewport").attributes["content"] == "width=device-width, initial-scale=1"
    assert "sms-credit-exporter 1.2.3." in found.one("footer").text
    assert "1.2.3&lt;b&gt;" in text
    assert [heading.text for heading in found.all("h1")] == ["SMS Credit"]


def test_is_a_pure_function() -> None:
    """The same views give the same page."""
    once, again = (html(*gallery(), demo=True) for _ in range(2))
    assert once == again
