"""Behind a reverse proxy: the path that every route begins with, and the one under which others find it.

The options have the meaning that they have in Prometheus: routes lie under the path of the external URL, unless a route
prefix says otherwise, as where the proxy takes that path away.
"""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~:@-]+")
"""Neither `.` nor `..`, and nothing that a client, a proxy and we could spell or read differently."""

_HEALTH = ("/-/healthy", "/-/ready")


@dataclass(frozen=True, slots=True)
class Prefix:
    """Two paths, each without a slash at its end: empty, or as `/sms`."""

    routes: str = ""
    """What each route begins with."""
    outside: str = ""
    """What clients see instead."""

    @classmethod
    def of(cls, external: str | None, routes: str | None) -> Self:
        """Take the path of the external URL and the route prefix, as far as they are given."""
        inside = (external or "") if routes is None else routes
        return cls(inside, inside if external is None else external)

    @property
    def health(self) -> frozenset[str]:
        """The paths at which we say whether we are well. What asks there has no password, and must not have to wait."""
        return frozenset(map(self.route, _HEALTH))

    def route(self, path: str) -> str:
        """Return the path at which we answer for `path`."""
        return self.routes + path


def external_path(url: str) -> str:
    """Return the path of an external URL, as `Prefix` has it. Raises ValueError."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not re.fullmatch(r"[!-~]+", url) or "@" in parts.netloc or set("?#") & set(url):
        message = f"“{url}” is not a URL such as https://example.com/sms, without user, password, query or fragment"
        raise ValueError(message)
    return route_prefix(parts.path or "/")


def route_prefix(path: str) -> str:
    """Return a path such as /sms, or / for the root, as `Prefix` has it. Raises ValueError."""
    inner = path.strip("/")
    if not path or (inner and not all(map(_SEGMENT.fullmatch, inner.split("/")))):
        message = f"“{path}” is not / or a path such as /sms: letters, digits and -._~:@, without “.”, “..” or “//”"
        raise ValueError(message)
    return f"/{inner}" if inner else ""
