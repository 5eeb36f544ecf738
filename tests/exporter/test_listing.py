"""What the page and the API can be asked: search, filters, order and pages."""

import time
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from sms_credit_core import PROVIDERS, URGENCY, Cause, Limits
from sms_credit_exporter.accounts import View
from sms_credit_exporter.entry import LOOKS
from sms_credit_exporter.listing import Listings, Query, QueryError, Sort
from sms_credit_exporter.page import render
from tests.e2e.gallery import NOW, gallery, lira, listing, problem, reading, view

OK = (9, reading())
ISPARTA = "\N{LATIN SMALL LETTER DOTLESS I}sparta"
ACCOUNTS = (
    view("İSTANBUL şubesi", OK),
    view(ISPARTA, (9, lira()), provider="iletimerkezi"),
    view("Café Müller", OK),
    view("otp-1", (9, reading("-1", credit_blocked=True))),
    view("otp-2", (9, lira()), provider="iletimerkezi"),
    view("חשבון שיווק", (9, problem(Cause.TIMEOUT))),
)


def test_labels_are_searched_too() -> None:
    """Whoever asks for a team finds its accounts, and is told what else they are labelled with."""
    mine, other = (
        replace(each, config=replace(each.config, labels={"team": team, "region": ""}))
        for each, team in zip(ACCOUNTS[:2], ("Web shop", "Support"), strict=True)
    )
    [found] = listing((mine, other), "search=web").accounts
    assert (found.account, found.labels) == (mine.config.name, {"team": "Web shop"})


def names(asked: str, views: Sequence[View] = ACCOUNTS) -> list[str]:
    """Return the accounts that are found, in order."""
    return [entry.account for entry in listing(views, asked).accounts]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param("search=otp", ["otp-1", "otp-2"], id="a part of the name"),
        pytest.param("search=OTP", ["otp-1", "otp-2"], id="case counts for nothing"),
        pytest.param("search=istanbul", ["İSTANBUL şubesi"], id="nor do the dots of Turkish letters"),
        pytest.param("search=ISTANBUL+SUBESI", ["İSTANBUL şubesi"], id="nor does a cedilla"),
        pytest.param("search=Isparta", [ISPARTA], id="nor does an i without a dot"),
        pytest.param("search=cafe", ["Café Müller"], id="nor does an accent"),
        pytest.param("search=müller+café", ["Café Müller"], id="every word must be there, in any order"),
        pytest.param("search=cafe+otp", [], id="not just one of them"),
        pytest.param("search=שיווק", ["חשבון שיווק"], id="any script"),
        pytest.param("search=iletimerkezi", [ISPARTA, "otp-2"], id="the provider's name is searched too"),
        pytest.param("search=%25", [], id="nothing is a wildcard"),
        pytest.param("search=otp&provider=iletimerkezi", ["otp-2"], id="with a filter"),
        pytest.param("state=blocked", ["otp-1"], id="a state"),
        pytest.param("state=blocked&state=unreachable", ["otp-1", "חשבון שיווק"], id="two states"),
        pytest.param("state=stale", [], id="a state that no account is in"),
        pytest.param("provider=twilio", [], id="a provider that no account is at"),
        pytest.param("search=&state=&provider=&page=", [*names("")], id="empty parameters are as if they were missing"),
    ],
)
def test_finds(asked: str, found: list[str]) -> None:
    """Accounts are found by what people remember of them."""
    assert names(asked) == found


LASTING = (
    view("b", *((60 + 3600 * ago, reading(str(100 + ago))) for ago in range(48, -1, -1)), provider="twilio"),
    view("C", OK),
    view("a", *((60 + 3600 * ago, reading(str(10 + ago))) for ago in range(48, -1, -1))),
    view("d", (9, problem(Cause.TIMEOUT)), provider="iletimerkezi"),
)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        pytest.param(Sort.URGENCY, ["d", "b", "C", "a"], id="worst first, else as configured"),
        pytest.param(Sort.RUNWAY, ["a", "b", "C", "d"], id="what ends first, the unknown last"),
        pytest.param(Sort.NAME, ["a", "b", "C", "d"], id="by name, whatever its case"),
        pytest.param(Sort.PROVIDER, ["C", "a", "d", "b"], id="by provider, else as configured"),
    ],
)
def test_sorts(sort: Sort, order: list[str]) -> None:
    """Every order that can be chosen."""
    assert names(f"sort={sort}", LASTING) == order


@pytest.mark.parametrize(
    ("asked", "page", "pages"),
    [
        pytest.param("", range(50), 3, id="the first fifty"),
        pytest.param("page=3", range(100, 120), 3, id="the rest"),
        pytest.param("page=4", range(0), 3, id="beyond the last there is nothing"),
        pytest.param("per_page=500", range(120), 1, id="all at once"),
        pytest.param("per_page=7&page=2", range(7, 14), 18, id="few at once"),
        pytest.param("search=number-11&page=1", [11, *range(110, 120)], 1, id="of those that match"),
        pytest.param("search=none", [], 1, id="of none there is one page, which is empty"),
    ],
)
def test_cuts_into_pages(asked: str, page: Sequence[int], pages: int) -> None:
    """Whatever page is asked for, the counts are those of all accounts."""
    views = [view(f"number-{number}", OK) for number in range(120)]
    found = listing(views, asked)
    assert [entry.account for entry in found.accounts] == [f"number-{number}" for number in page]
    assert (found.total, found.pages, found.states) == (120, pages, {"fresh": 120})


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("page=0", "“page” must be a whole number from 1 to 1000000."),
        ("page=-1", "“page” must be a whole number from 1 to 1000000."),
        ("page=1.5", "“page” must be a whole number from 1 to 1000000."),
        ("page=٣", "“page” must be a whole number from 1 to 1000000."),
        (f"page={'9' * 5000}", "“page” must be a whole number from 1 to 1000000."),
        ("per_page=501", "“per_page” must be a whole number from 1 to 500."),
        ("page=1&page=2", "“page” is there more than once."),
        ("search=a&search=b", "“search” is there more than once."),
        (f"search={'a' * 201}", "“search” is longer than 200 characters."),
        ("sort=best", "“sort” must be one of urgency, runway, name, provider."),
        ("state=fine", f"“state” must be one of {', '.join(LOOKS)}."),
        ("provider=acme", f"“provider” must be one of {', '.join(PROVIDERS)}."),
        ("accounts=a", "“accounts” is no parameter; there are search, state, provider, sort, page, per_page."),
    ],
)
def test_refuses_what_makes_no_sense(asked: str, why: str) -> None:
    """In a sentence that says what would."""
    with pytest.raises(QueryError) as error:
        Query.parse(parse_qsl(asked))
    assert str(error.value) == why


def test_lets_others_have_parameters_of_their_own() -> None:
    """An address bar may hold what a proxy or a link has put there."""
    assert Query.parse([("utm_source", "mail"), ("state", "low")], strict=False) == Query(state=("low",))


@pytest.mark.parametrize(
    "asked",
    ["", "search=a%26b%3Dc+%C3%A9", "state=low&state=blocked", "provider=twilio&sort=name&page=2&per_page=7", "page=1"],
)
def test_a_question_is_its_address(asked: str) -> None:
    """What a link says is what was asked, with nothing that goes without saying."""
    query = Query.parse(parse_qsl(asked))
    assert Query.parse(parse_qsl(query.address.removeprefix("?"))) == query
    assert query.address == "?" + asked.replace("page=1", "")


def test_what_is_kept_of_an_account_follows_it() -> None:
    """The same account polled again, configured anew or grown old is looked at anew; nothing else is."""
    listings = Listings()

    def states(*views: View) -> list[str]:
        return [entry.state for entry in listings.listing(Query(), views).accounts]

    fresh, failing = view("a", OK), view("a", OK, (5, problem(Cause.TIMEOUT)))
    low = view("a", OK, limits=Limits(low_balance=reading().balance))
    old = View.of(fresh.config, fresh.account, NOW, stale_after=5)
    assert [states(each) for each in (fresh, fresh, failing, low, old, fresh)] == [
        [state] for state in ("fresh", "fresh", "unreachable", "low", "stale", "fresh")
    ]
    assert states() == []


def test_ten_thousand_accounts_cost_what_is_asked_for() -> None:
    """Everybody is counted, but only the rows of the page are written: else this takes several seconds."""
    likeness = view("a", *((60 + 3600 * ago, reading(str(10 + ago))) for ago in range(48, -1, -1)))
    views = [replace(likeness, config=replace(likeness.config, name=f"number {number}")) for number in range(10_000)]
    begun = time.process_time()
    text = render(listing(views, "search=number&sort=name&page=200"), version="1", refresh=15.0, demo=False)
    assert time.process_time() - begun < 1.5
    assert text.count("<tr ") == 51
    assert "9,951 to 10,000 of 10,000 that match." in text


def test_each_account_counts_once_under_a_word_that_there_is() -> None:
    """The most urgent first."""
    found = listing(gallery())
    assert sum(found.states.values()) == found.total > 20
    assert list(found.states) == [word for words in URGENCY.values() for word in words if word in found.states]
