"""The status page: the accounts as a person wants to see them, worst first.

rows.py, sparkline.py  what is said of each account, and its last week as a picture
templates/, static/    the page itself; its style, script and icon
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources

from ..listing import Listing, Query, Sort
from .rows import MARKS, Nothing, moment, row
from .sparkline import HEIGHT, WIDTH

_CONTENT_TYPES = {
    "icon.svg": "image/svg+xml",
    "page.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
}

_SLOWER = 4
"""How many times as long a browser without scripts waits: its reader loses what was typed and unfolded."""


def render(listing: Listing, *, version: str, refresh: float, demo: bool) -> str:
    """Return the page as HTML.

    `refresh` is in seconds; the page fetches itself so often. It holds no inline style or script, and refers to
    everything by relative address, so that it works behind any path prefix and a strict Content-Security-Policy.
    """
    return _template("status.html")(
        listing=listing,
        query=listing.query,
        usual=Query(),
        all=replace(listing.query, search="", state=(), provider=(), page=1),
        first=listing.query.first + 1,
        pages=_pages(listing),
        rows=[row(entry, listing.as_of) for entry in listing.accounts],
        summary=[(count, MARKS[state]) for state, count in listing.states.items()],
        marks=MARKS.values(),
        sorts=tuple(Sort),
        picture=(WIDTH, HEIGHT),
        as_of=moment(listing.as_of, listing.as_of),
        version=version,
        refresh=refresh,
        refresh_without_script=max(1, math.ceil(_SLOWER * refresh)),
        demo=demo,
    )


def refused(why: str) -> str:
    """Return the page that says why there is no page."""
    return _template("refused.html")(why=why)


def _pages(listing: Listing) -> Sequence[tuple[str, int | None]]:
    """Return what leads to other pages, each with the page, or None where there is none."""
    page, last = listing.query.page, listing.pages
    back, on = (min(page - 1, last) if page > 1 else None), (page + 1 if page < last else None)
    return (("First", 1 if back else None), ("Previous", back), ("Next", on), ("Last", last if on else None))


@cache
def static_files() -> Mapping[str, tuple[str, bytes]]:
    """Return what the page loads from `static/`: content type and bytes by file name."""
    folder = resources.files(__name__) / "static"
    return {name: (content_type, (folder / name).read_bytes()) for name, content_type in _CONTENT_TYPES.items()}


@cache
def _template(name: str) -> Callable[..., str]:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - 70 ms that start-up can do without

    environment = Environment(
        loader=PackageLoader(__name__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.tests["nothing"] = lambda value: isinstance(value, Nothing)
    return environment.get_template(name).render
