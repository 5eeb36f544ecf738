"""The web server's paths: each is answered with one status, its own headers and those of every answer."""

import asyncio
import html
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Never

import httpx
import pytest
import trustme
from structlog.testing import capture_logs

from sms_credit_exporter.page import static_files
from sms_credit_exporter.prefix import Prefix
from sms_credit_exporter.web import Address, Site, application, serve
from tests.exporter.running import site, until

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


@asynccontextmanager
async def asking(shown: Site) -> AsyncIterator[Callable[..., Awaitable[httpx.Response]]]:
    """Serve a site; give what asks it."""
    async with AsyncExitStack() as stack, httpx.AsyncClient(trust_env=False) as client:
        (url,) = await serve(stack, application(shown), [Address.parse("127.0.0.1:0")], None)
        origin = httpx.URL(url).copy_with(path="")

        async def ask(method: str, target: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
            return await client.request(method, str(origin).rstrip("/") + target, headers=headers)

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


@pytest.mark.parametrize(
    ("path", "begin"), [("/", "<!DOCTYPE html>"), ("/api/v1/accounts", "{"), ("/metrics", "# HELP ")]
)
async def test_who_takes_no_gzip_gets_none(path: str, begin: str) -> None:
    """The answer is as plain as its headers say, and still says that it depends on what was asked for."""
    async with asking(site()) as ask:
        answer = await ask("GET", path, {"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.content.decode().startswith(begin)


async def test_the_page_says_what_was_asked_badly() -> None:
    """In the words of the API."""
    async with asking(site()) as ask:
        page, api = [(await ask("GET", path)).text for path in ("/?page=0", "/api/v1/accounts?page=0")]
    assert json.loads(api)["error"] in html.unescape(page)


@pytest.mark.parametrize("demo", [True, False])
async def test_the_page_of_a_demonstration_says_so(*, demo: bool) -> None:
    """And no other does."""
    async with asking(site(demo=demo)) as ask:
        assert ("The providers are simulated" in (await ask("GET", "/")).text) is demo


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


async def said(port: int, words: bytes) -> bytes:
    """Return what is answered to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(words)
    answer = await reader.read()
    writer.close()
    return answer


async def test_what_is_malformed_is_answered_like_all_else_and_told_for_debugging() -> None:
    """With whose it was, and what the parser calls it; nothing of what was sent."""
    async with asking(site()) as ask:
        port = (await ask("GET", "/-/healthy")).url.port or 0
        with capture_logs() as logged:
            answer = await said(port, b"GET /metrics HTTP/1.1\r\nmade-up-password\r\n\r\n")
    head, _, body = answer.decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert (lines[0].partition(" ")[2], body) == ("400 Bad Request", "Bad request.\n")
    assert {f"{name}: {value}" for name, value in OF_EVERY_ANSWER.items()} <= set(lines)
    [told] = logged
    assert told.pop("error") in {"BadHttpMessage", "InvalidHeader"}
    assert told == {"event": "malformed request", "client": "127.0.0.1", "log_level": "debug"}


async def test_what_is_not_tls_is_told_for_debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets no answer, and takes the place of no other, however often it comes."""
    monkeypatch.setattr("sms_credit_exporter.web.most_connections", lambda: 3)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    async with AsyncExitStack() as stack:
        (url,) = await serve(stack, application(site()), [Address.parse("127.0.0.1:0")], context)
        with capture_logs() as logged:
            for _ in range(5):
                assert await said(httpx.URL(url).port or 0, b"GET / HTTP/1.1\r\n\r\n") == b""
    assert logged == [{"event": "no TLS connection", "error": "SSLError", "log_level": "debug"}] * 5


async def test_who_does_not_take_an_answer_is_told_for_debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how long was waited."""
    monkeypatch.setattr("sms_credit_exporter.connections._ANSWER_SECONDS", 0.3)
    with capture_logs() as logged:
        async with asking(site("x" * 20_000_000)) as ask:
            port = (await ask("GET", "/-/healthy")).url.port or 0
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")

            async def told() -> bool:
                return any(each["event"] == "answer not taken" for each in logged)

            await until(told)
            writer.close()
    assert [each for each in logged if each["log_level"] == "debug"] == [
        {"event": "answer not taken", "client": "127.0.0.1", "seconds": 0.3, "log_level": "debug"}
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param(":10767", Address(None, 10767), id="every address"),
        pytest.param("127.0.0.1:0", Address("127.0.0.1", 0), id="any free port"),
        pytest.param("localhost:65535", Address("localhost", 65535), id="the last port"),
        pytest.param("[::1]:1", Address("::1", 1), id="IPv6"),
        pytest.param("[FE80::Af]:1", Address("FE80::Af", 1), id="IPv6 in capitals"),
        *(
            pytest.param(text, None, id=f"“{text}”")
            for text in ("", "10767", "localhost", "a:65536", "::1:80", "a:-1", "a:b")
        ),
    ],
)
def test_reads_an_address(text: str, address: Address | None) -> None:
    """As Prometheus writes it."""
    if address:
        assert Address.parse(text) == address
    else:
        with pytest.raises(ValueError, match=r"is not an address such as :10767"):
            Address.parse(text)


HOSTS = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}


async def test_says_where_it_listens_on_sockets_that_others_made(tmp_path: Path) -> None:
    """As systemd does; one without a file has a name that begins with a zero byte."""
    names = {f"{tmp_path}/a.sock": f"unix:{tmp_path}/a.sock", "\0made-up-sms-credit": "unix:@made-up-sms-credit"}
    async with AsyncExitStack() as stack:
        places = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in names]
        for place, name in zip(places, names, strict=True):
            place.bind(name)
        assert await serve(stack, application(site()), places, None) == tuple(names.values())
        of_both = [socket.create_server((host, 0), family=family) for host, family in HOSTS.items()]
        urls = await serve(stack, application(site()), of_both, None)
        assert [re.sub(r":\d+$", "", url) for url in urls] == ["http://127.0.0.1", "http://[::1]"]
