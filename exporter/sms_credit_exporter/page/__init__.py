"""The status page: all accounts as a person wants to see them, worst first.

rows.py                what is said of each account
templates/, static/    the page itself; its style, script and icon
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

from ..accounts import Views
from .rows import moment, rows

_CONTENT_TYPES = {
    "icon.svg": "image/svg+xml",
    "page.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
}


def render(views: Views, *, version: str, refresh: float, demo: bool) -> str:
    """Return the page as HTML.

    `refresh` is in seconds; the page fetches itself so often. It holds no inline style or script, and refers to
    everything by relative address, so that it works behind any path prefix and a strict Content-Security-Policy.
    """
    views = tuple(views)
    accounts = rows(views)
    heads = [row.marks[0] for row in accounts]
    first = {head: row.anchor for head, row in reversed(list(zip(heads, accounts, strict=True)))}
    return _template()(
        accounts=accounts,
        summary=[(count, head, first[head]) for head, count in Counter(heads).items()],
        as_of=moment(views[0].now.unix, 0.0) if views else None,
        version=version,
        refresh=refresh,
        refresh_without_script=max(1, math.ceil(refresh)),
        demo=demo,
    )


@cache
def static_files() -> Mapping[str, tuple[str, bytes]]:
    """Return what the page loads from `static/`: content type and bytes by file name."""
    folder = resources.files(__name__) / "static"
    return {name: (content_type, (folder / name).read_bytes()) for name, content_type in _CONTENT_TYPES.items()}


@cache
def _template() -> Callable[..., str]:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - 70 ms that start-up can do without

    environment = Environment(
        loader=PackageLoader(__name__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    return environment.get_template("status.html").render
