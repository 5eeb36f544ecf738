"""The web server's paths: each is answered with one status, its own headers and those of every answer."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Never

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge

from sms_credit_exporter.exposition import Exposition
from sms_credit_exporter.page import static_files
from sms_credit_exporter.prefix import Prefix
from sms_credit_exporter.web import Address, Site, application, serve

OF_EVERY_ANSWER = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Server": "sms-credit-exporter",
    "X-Content-Type-Options": "nosniff",
}

TEXT, HTML = ({"Content-Type": f"text/{kind}; charset=utf-8"} for kind in ("plain", "html"))
JSON, YAML = ({"Content-Type": f"application/{kind}"} for kind in ("json", "yaml"))
PACKED = {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"}
METRICS = {
    "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
    "Vary": "Accept, Accept-Encoding",
    "Content-Encoding": "gzip",
}

PER_ANSWER = {"content-length", "date"}
"""Headers that are another matter."""


async def content() -> None:
    """Reload without a mistake."""


async def mistaken() -> str:
    """Reload with one."""
    return "config.yml:1: accounts: missing"


def broken() -> Never:
    """Fail as only a mistake of ours can."""
    raise ZeroDivisionError


def site(**more: Any) -> Site:  # noqa: ANN401 - whatever a site consists of
    """Return a site without accounts."""
    registry = CollectorRegistry()
    Gauge("made_up", "A metric.", registry=registry).set(1)
    usual: dict[str, Any] = {"views": tuple, "ready": lambda: True, "reload": None, "version": "0", "refresh": 15.0}
    return Site(exposition=Exposition(registry), **usual | more)


@asynccontextmanager
async def asking(shown: Site) -> AsyncIterator[Callable[[str, str], Awaitable[httpx.Response]]]:
    """Serve a site; give what asks it."""
    async with AsyncExitStack() as stack, httpx.AsyncClient(trust_env=False) as client:
        (url,) = await serve(stack, application(shown), [Address.parse("127.0.0.1:0")], None)
        origin = httpx.URL(url).copy_with(path="")

        async def ask(method: str, target: str) -> httpx.Response:
            return await client.request(method, str(origin).rstrip("/") + target)

        yield ask


def headers(answer: httpx.Response) -> Mapping[str, str]:
    """Return the headers that an answer has as every time."""
    return {name: value for name, value in answer.headers.items() if name not in PER_ANSWER}


def lower(*parts: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers as the client spells their names."""
    return {name.lower(): value for part in parts for name, value in part.items()}


ANSWERS = [
    pytest.param({}, "GET /", 200, HTML | PACKED, "", id="the page"),
    pytest.param({}, "GET /?page=0", 400, HTML | {"Vary": "Accept-Encoding"}, "", id="the page, badly asked"),
    pytest.param({}, "GET /?utm_source=x", 200, HTML | PACKED, "", id="the page, with what belongs to others"),
    pytest.param({}, "GET /api/v1/accounts", 200, JSON | PACKED, "", id="the accounts"),
    pytest.param(
        {},
        "GET /api/v1/accounts?utm_source=x",
        400,
        {"Content-Type": "application/json; charset=utf-8", "Vary": "Accept-Encoding"},
        "",
        id="the accounts, with what nobody knows",
    ),
    pytest.param({}, "GET /api/v1/openapi.yaml", 200, YAML, "", id="the description"),
    pytest.param({}, "GET /metrics", 200, METRICS, "", id="the metrics"),
    pytest.param({}, "GET /-/healthy", 200, TEXT, "Healthy.\n", id="healthy"),
    pytest.param({}, "GET /-/ready", 200, TEXT, "Ready.\n", id="ready"),
    pytest.param(
        {"ready": lambda: False},
        "GET /-/ready",
        503,
        TEXT,
        "Not ready: some accounts have not been polled yet.\n",
        id="not ready",
    ),
    pytest.param({}, "POST /-/reload", 403, TEXT, "Lifecycle API is not enabled.\n", id="a reload that is not allowed"),
    *(
        pytest.param({"reload": content}, f"{method} /-/reload", 200, TEXT, "Reloaded.\n", id=f"a reload by {method}")
        for method in ("POST", "PUT")
    ),
    pytest.param(
        {"reload": mistaken},
        "POST /-/reload",
        500,
        TEXT,
        "Not reloaded, the previous configuration stays:\nconfig.yml:1: accounts: missing\n",
        id="a reload that finds a mistake",
    ),
    pytest.param(
        {}, "GET /-/reload", 405, TEXT | {"Allow": "POST,PUT"}, "405: Method Not Allowed", id="a reload by GET"
    ),
    pytest.param({}, "GET /nowhere", 404, TEXT, "404: Not Found", id="nothing"),
    pytest.param({}, "GET /static/nothing", 404, TEXT, "404: Not Found", id="no static file"),
    *(
        pytest.param({}, f"GET /static/{name}", 200, {"Content-Type": kind}, body.decode(), id=name)
        for name, (kind, body) in static_files().items()
    ),
    pytest.param(
        {"headers": lambda: {"Strict-Transport-Security": "max-age=60"}},
        "GET /-/healthy",
        200,
        TEXT | {"Strict-Transport-Security": "max-age=60"},
        "Healthy.\n",
        id="a header of the web configuration",
    ),
    *(
        pytest.param(
            {"prefix": Prefix("/sms", "/outside")},
            f"GET {asked}",
            302,
            {"Location": found},
            "",
            id=f"{asked} where a proxy puts it below another path",
        )
        for asked, found in {"/": "/sms/", "/sms": "/outside/", "/sms?page=2": "/outside/?page=2"}.items()
    ),
    pytest.param({"prefix": Prefix("/sms", "/outside")}, "GET /sms/", 200, HTML | PACKED, "", id="the page below it"),
]


@pytest.mark.parametrize(("shown", "request_line", "status", "its_own", "body"), ANSWERS)
async def test_each_path_has_its_answer(
    shown: Mapping[str, Any], request_line: str, status: int, its_own: Mapping[str, str], body: str
) -> None:
    """Header for header; where nothing is said of the body, other tests look at it."""
    async with asking(site(**shown)) as ask:
        answer = await ask(*request_line.split(" "))

    assert answer.status_code == status
    assert headers(answer) == lower(OF_EVERY_ANSWER, its_own)
    assert answer.text == body or not body


def test_no_path_is_left_out() -> None:
    """Each that the server knows is in the table."""
    asked = {str(each.values[1]).split(" ")[1].partition("?")[0] for each in ANSWERS}
    known = {each.canonical for each in application(site()).router.resources()}
    assert {path.replace("{name}", "nothing") for path in known} <= asked


async def test_a_mistake_of_ours_is_told_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever asked learns that something went wrong, and not what; the next answer is as ever."""
    failing = [True]
    async with asking(site(views=lambda: broken() if failing else ())) as ask:
        answer = await ask("GET", "/api/v1/accounts")
        assert (answer.status_code, "ZeroDivision" in answer.text) == (500, False)
        assert headers(answer).items() >= lower(OF_EVERY_ANSWER).items()

        failing.clear()
        assert (await ask("GET", "/api/v1/accounts")).status_code == 200
    [told] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert told.exc_info
    assert told.exc_info[0] is ZeroDivisionError
