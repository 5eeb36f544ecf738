"""Which accounts are asked for, by whoever looks at the status page or asks /api/v1/accounts, and in which order."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode

from sms_credit_core import PROVIDERS, RANKS, Worded

from .accounts import View, Views
from .advice import Links
from .entry import LOOKS, Entry
from .trend import Trend

_MOST_AT_ONCE = 500
_LONGEST_SEARCH = 200
_LAST_PAGE = 10**6


class QueryError(ValueError):
    """What was asked for makes no sense; the text says why, in a sentence."""


class Sort(Worded):
    """An order of the accounts; those that are alike in it stay in the order of the configuration."""

    URGENCY = "urgency", "worst first"
    RUNWAY = "runway", "ends first"
    NAME = "name", "name"
    PROVIDER = "provider", "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked for."""

    search: str = ""
    """Words that must all be in the account's name, its provider's or its labels."""
    state: tuple[str, ...] = ()
    """The most urgent words of accounts; none for all."""
    provider: tuple[str, ...] = ()
    """Keys; none for all."""
    sort: Sort = Sort.URGENCY
    page: int = 1
    per_page: int = 50

    @classmethod
    def parse(cls, parameters: Iterable[tuple[str, str]], *, strict: bool = True) -> Self:
        """Read the parameters of a request; empty ones are as if they were not there. Raises QueryError.

        What is no parameter is an error only if `strict`.
        """
        given: dict[str, list[str]] = {}
        for name, value in parameters:
            if name not in _READERS and not strict:
                continue
            if name not in _READERS:
                message = f"“{name}” is no parameter; there are {', '.join(_READERS)}."
                raise QueryError(message)
            given.setdefault(name, []).extend([value] if value else [])
        return cls(**{name: _READERS[name](name, values) for name, values in given.items() if values})

    @property
    def address(self) -> str:
        """The relative address of the page that answers it."""
        return f"?{urlencode(self.parameters)}"

    @property
    def parameters(self) -> Sequence[tuple[str, str]]:
        """What differs from the usual, as parameters of a request."""
        usual = Query()
        found: list[tuple[str, str]] = []
        for name in _READERS:
            value = getattr(self, name)
            if value != getattr(usual, name):
                found += [(name, str(each)) for each in (value if isinstance(value, tuple) else (value,))]
        return found

    @property
    def selects(self) -> bool:
        """Whether it may leave accounts out, other than by paging."""
        return bool(self.search or self.state or self.provider)

    @property
    def first(self) -> int:
        """How many accounts are on the pages before."""
        return (self.page - 1) * self.per_page

    def at(self, page: int) -> "Query":
        """Return the same question about another page."""
        return replace(self, page=page)


_Reader = Callable[[str, Sequence[str]], Any]
"""Takes a parameter's name and the values that it was given, one at least. Raises QueryError."""


def _one(name: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        message = f"“{name}” is there more than once."
        raise QueryError(message)
    return values[0]


def _text(name: str, values: Sequence[str]) -> str:
    text = _one(name, values).strip()
    if len(text) > _LONGEST_SEARCH:
        message = f"“{name}” is longer than {_LONGEST_SEARCH} characters."
        raise QueryError(message)
    return text


def _number(most: int) -> _Reader:
    def read(name: str, values: Sequence[str]) -> int:
        text = _one(name, values)
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
            message = f"“{name}” must be a whole number from 1 to {most}."
            raise QueryError(message)
        return int(text)

    return read


def _words(allowed: Iterable[str]) -> _Reader:
    known = list(allowed)

    def read(name: str, values: Sequence[str]) -> Sequence[str]:
        for value in values:
            if value not in known:
                message = f"“{name}” must be one of {', '.join(known)}."
                raise QueryError(message)
        return tuple(dict.fromkeys(values))

    return read


_SORTS = {sort.value: sort for sort in Sort}
_READERS: Mapping[str, _Reader] = {
    "search": _text,
    "state": _words(LOOKS),
    "provider": _words(PROVIDERS),
    "sort": lambda name, values: _SORTS[_words(_SORTS)(name, [_one(name, values)])[0]],
    "page": _number(_LAST_PAGE),
    "per_page": _number(_MOST_AT_ONCE),
}
"""Every parameter, and what reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The accounts that were asked for."""

    query: Query
    as_of: datetime
    total: int
    """All accounts there are."""
    matching: int
    """Those that fit the question, on all of its pages."""
    states: Mapping[str, int]
    """How many accounts there are in each state, the most urgent first; each counts once."""
    providers: Mapping[str, str]
    """The names of the providers that there are accounts of, by their keys."""
    accounts: tuple[Entry, ...]
    """Those of the page that was asked for."""

    @property
    def pages(self) -> int:
        """How many pages the answer has; one at least."""
        return max(1, math.ceil(self.matching / self.query.per_page))


@dataclass(frozen=True, slots=True)
class _Seen:
    """An account as it is found and sorted."""

    view: View
    """What this was worked out from; a later one that is as this comes to the same."""
    states: tuple[str, ...]
    text: str
    """What a search looks at."""

    @classmethod
    def of(cls, view: View) -> Self:
        provider = view.provider
        text = _folded("\n".join((view.config.name, provider.name, provider.key, *view.config.own_labels.values())))
        return cls(view, view.words, text)


class Listings:
    """Answers questions from what is known. What of an account does not change is worked out once."""

    def __init__(self, trend: Callable[[str], Trend] = lambda _: Trend(), links: Links | None = None) -> None:
        """Take what returns an account's last week, and where to lead to."""
        self._trend, self._links = trend, links or Links()
        self._seen: Mapping[str, _Seen] = {}

    def listing(self, query: Query, views: Views) -> Listing:
        """Return the accounts that are asked for, and count them all."""
        numbered = [(number, view, self._look(view)) for number, view in enumerate(views, 1)]
        self._seen = {view.config.name: seen for _, view, seen in numbered}
        heads = Counter(seen.states[0] for _, _, seen in numbered)
        providers = {view.provider.key: view.provider.name for _, view, _ in numbered}
        wanted = _folded(query.search).split()
        found = [each for each in numbered if _fits(query, wanted, each[2])]
        found.sort(key=_KEYS[query.sort])
        return Listing(
            query=query,
            as_of=datetime.fromtimestamp(numbered[0][1].now.unix, UTC) if numbered else datetime.now(UTC),
            total=len(numbered),
            matching=len(found),
            states={word: heads[word] for word in sorted(heads, key=_PLACE.__getitem__)},
            providers=dict(sorted(providers.items(), key=lambda item: item[1].casefold())),
            accounts=tuple(
                Entry.of(number, view, seen.states, self._trend(view.config.name), self._links)
                for number, view, seen in found[query.first : query.first + query.per_page]
            ),
        )

    def _look(self, view: View) -> _Seen:
        seen = self._seen.get(view.config.name)
        return seen if seen and view.is_as(seen.view) else _Seen.of(view)


_Numbered = tuple[int, View, _Seen]

_NUMBER, _DIGITS = re.compile(r"\d+"), 20
"""What makes otp-2 come before otp-10."""

_PLACE = {word: place for place, word in enumerate(LOOKS)}
_KEYS: Mapping[Sort, Callable[[_Numbered], Any]] = {
    Sort.URGENCY: lambda each: RANKS[each[2].states[0]],
    Sort.RUNWAY: lambda each: math.inf if (empty_at := each[1].empty_at) is None else empty_at,
    Sort.NAME: lambda each: _NUMBER.sub(lambda found: found[0].zfill(_DIGITS), _folded(each[1].config.name)),
    Sort.PROVIDER: lambda each: each[1].provider.name.casefold(),
}


def _fits(query: Query, wanted: Sequence[str], seen: _Seen) -> bool:
    return (
        (not query.state or seen.states[0] in query.state)
        and (not query.provider or seen.view.provider.key in query.provider)
        and all(word in seen.text for word in wanted)
    )


_DOTLESS = "\N{LATIN SMALL LETTER DOTLESS I}"


def _folded(text: str) -> str:
    """Return a text as it is searched: case and accents count for nothing, nor does the dot of a Turkish i."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)).replace(_DOTLESS, "i")
