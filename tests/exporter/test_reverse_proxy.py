"""The exporter behind a reverse proxy, a real one, and held against what Prometheus makes of the same options."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin

import bcrypt
import httpx
import pytest
from prometheus_client import CollectorRegistry

from sms_credit_exporter.cli import main
from sms_credit_exporter.exposition import Exposition
from sms_credit_exporter.prefix import Prefix, external_path, route_prefix
from sms_credit_exporter.web import Site, application
from tests.conftest import ROOT
from tests.documentation import named, rows
from tests.exporter.running import (
    BEHIND,
    DEBIAN_STABLE,
    DEBIAN_TESTING,
    LISTEN,
    NGINX,
    PREFIX_OPTION,
    URL_OPTION,
    Behind,
    Providers,
    Running,
    free_port,
    nginx,
    prometheus,
)

Start = Callable[..., AbstractAsyncContextManager[Running]]
ConfigFile = Callable[..., Path]
Serve = Callable[..., AbstractAsyncContextManager[Running]]

BALANCE_OF_A = 'sms_credit_balance{account="a",currency="EUR",provider="23telecom"} 1250.5'


@pytest.fixture
def serve(start: Start, config_file: ConfigFile, providers: Providers) -> Serve:
    """Start an exporter with one account, and wait until the account is read."""

    @asynccontextmanager
    async def serving(*options: str) -> AsyncIterator[Running]:
        file = config_file(providers.configured("a", providers.add("23telecom")))
        async with start("serve", f"--config.file={file}", LISTEN, *options) as exporter:
            await exporter.shows(BALANCE_OF_A)
            yield exporter

    return serving


@pytest.mark.parametrize("way", BEHIND.values(), ids=BEHIND)
async def test_all_that_the_page_leads_to_is_found_through_the_proxy(
    tool: Callable[[str], str], serve: Serve, http: httpx.AsyncClient, tmp_path: Path, way: Behind
) -> None:
    """Style, script, icon, metrics and health, with and without the slash at the end; and nothing else is there."""
    binary, port = tool(NGINX), free_port()
    proxy = f"http://127.0.0.1:{port}"
    async with (
        serve(*(option.format(proxy=proxy) for option in way.options)) as exporter,
        nginx(binary, port, way.locations(exporter.origin), tmp_path),
    ):
        page = await http.get((proxy + way.path).rstrip("/"), follow_redirects=True)
        assert (str(page.url).rstrip("/"), page.url.path) == ((proxy + way.path).rstrip("/"), way.path)

        links = [urljoin(str(page.url), link) for link in re.findall(r'(?:href|src|action)="([^"#]+)"', page.text)]
        own = {link for link in links if link.startswith(proxy)}
        assert {link.removeprefix(proxy + way.path) for link in own} >= {
            *("metrics", "-/healthy", "-/ready", "static/page.js", "static/style.css", "static/icon.svg")
        }
        assert {link: (await http.get(link)).status_code for link in own} == dict.fromkeys(own, 200)
        assert BALANCE_OF_A in (await http.get(f"{proxy}{way.path}metrics")).text
        assert (await http.post(f"{proxy}{way.path}-/reload")).status_code == 403
        assert (await http.get(f"{proxy}{way.path}nowhere")).status_code == 404


def routes(prefix: Prefix) -> list[str]:
    """Return the addresses that the exporter answers."""
    site = Site(
        exposition=Exposition(CollectorRegistry()),
        views=tuple,
        ready=lambda: True,
        reload=None,
        version="0",
        refresh=15.0,
        prefix=prefix,
    )
    return [resource.canonical for resource in application(site).router.resources()]


def test_every_address_is_told() -> None:
    """None is missing but that of what the page loads by itself, and none is made up."""
    told = [named(address)[0] for address, _ in rows(ROOT / "docs/exporter.md", "address")]
    assert sorted([*told, "/static/{name}"]) == sorted(routes(Prefix()))


def test_every_route_lies_under_the_prefix() -> None:
    """None is overlooked, also of those that somebody adds; only the root redirects from outside."""
    assert [
        route for route in routes(Prefix("/sms", "/outside")) if route != "/sms" and not route.startswith("/sms/")
    ] == ["/"]


PATHS = ("/", "/-/healthy", "/metrics", "/sms", "/sms/-/healthy", "/sms/metrics", "/in/-/healthy", "/in/metrics")


@pytest.mark.parametrize("binary", [DEBIAN_STABLE, DEBIAN_TESTING])
@pytest.mark.parametrize(
    "under",
    [
        pytest.param(("/sms", f"{URL_OPTION}=https://example.com/sms/"), id="an external URL with a path"),
        pytest.param(("", f"{URL_OPTION}=https://example.com/"), id="an external URL without a path"),
        pytest.param(("/sms", f"{PREFIX_OPTION}=sms/"), id="a prefix alone"),
        pytest.param(("", f"{URL_OPTION}=https://example.com/sms", f"{PREFIX_OPTION}=/"), id="no prefix"),
        pytest.param(("/in", f"{URL_OPTION}=https://example.com/sms", f"{PREFIX_OPTION}=/in"), id="another prefix"),
    ],
)
async def test_the_options_mean_what_they_mean_in_prometheus(
    tool: Callable[[str], str], serve: Serve, tmp_path: Path, binary: str, under: tuple[str, ...]
) -> None:
    """The same paths are there, the same are not, and the root leads to the same place."""
    path, *options = under
    async with (
        serve(*options) as exporter,
        prometheus(tool(binary), "127.0.0.1:1", tmp_path, under) as theirs,
    ):

        async def answers(origin: str) -> tuple[dict[str, bool], str]:
            responses = {asked: await exporter.http.get(origin + asked) for asked in PATHS}
            to = responses["/"].headers.get("Location", "") if path else ""  # its own page is elsewhere than ours
            return {asked: response.status_code < 400 for asked, response in responses.items()}, to.rstrip("/")

        assert await answers(exporter.origin) == await answers(theirs)


async def test_health_stays_open_under_the_prefix_and_nothing_else_does(serve: Serve, tmp_path: Path) -> None:
    """Where users are configured, a probe under the prefix needs no password, as without a prefix."""
    hashed = bcrypt.hashpw(b"made-up-password", bcrypt.gensalt(4)).decode()
    web_file = tmp_path / "web.yml"
    web_file.write_text("{}")
    async with serve(f"{PREFIX_OPTION}=/sms", f"--web.config.file={web_file}", "--web.enable-lifecycle") as exporter:
        web_file.write_text(f"basic_auth_users: {{prometheus: {hashed}}}\n")
        assert (await exporter.http.post(f"{exporter.urls[0]}/-/reload")).status_code == 200

        codes = {path: (await exporter.get(path)).status_code for path in ("/-/healthy", "/-/ready", "/metrics", "/")}
        assert codes == {"/-/healthy": 200, "/-/ready": 200, "/metrics": 401, "/": 401}
        codes = {path: (await exporter.http.get(exporter.origin + path)).status_code for path in ("/", "/-/healthy")}
        assert codes == {"/": 401, "/-/healthy": 401}
        known = await exporter.http.get(f"{exporter.urls[0]}/metrics", auth=("prometheus", "made-up-password"))
        assert BALANCE_OF_A in known.text


HEADERS = "Host: evil.example\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Prefix: //evil.example\r\n"

SPELLINGS = {
    "": 400,
    "//sms/metrics": 404,
    "/sms//metrics": 404,
    "/sms/../metrics": 404,
    "/sms/%2e%2e/metrics": 404,
    "/sms/./metrics": 404,
    "/sms%2fmetrics": 404,
    "/%2fsms/metrics": 404,
    "/sms/%2fmetrics": 404,
    "/sms%00/metrics": 404,
    "/SMS/metrics": 404,
    "/sms/metrics/": 404,
    "/sms\\metrics": 404,
    "/metrics": 404,
    "/sms/static/..%2fpage.js": 404,
    "/sms/static/../../metrics": 404,
    "/sms/sms/metrics": 404,
    "http://evil.example/metrics": 404,
    "http://evil.example/sms/metrics": 200,
    "/sms/metrics": 200,
}
"""What a request may ask for, and what it gets: there is one way to spell each path."""


async def said(exporter: Running, target: str) -> tuple[int, str]:
    """Send a request exactly as it is written; return status and where it redirects to."""
    host, port = re.findall(r"//([^:]+):(\d+)", exporter.urls[0])[0]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {target} HTTP/1.1\r\n{HEADERS}Connection: close\r\n\r\n".encode())
    head = (await reader.read()).partition(b"\r\n\r\n")[0].decode()
    writer.close()
    location = re.search(r"(?im)^location: (.*?)\r?$", head)
    assert "evil.example" not in head.replace(target.partition("?")[2] or "\0", "")
    return int(head.split()[1]), location[1] if location else ""


async def test_there_is_one_way_to_spell_a_path(serve: Serve) -> None:
    """What a proxy forbids cannot be had by another spelling, and no header of a request decides over an answer."""
    async with serve(f"{PREFIX_OPTION}=/sms") as exporter:
        assert {target: (await said(exporter, target))[0] for target in SPELLINGS} == SPELLINGS


@pytest.mark.parametrize(
    ("target", "location"),
    [
        pytest.param("/", "/sms/", id="the root"),
        pytest.param("/sms", "/outside/", id="without the slash"),
        pytest.param("/sms?provider=23telecom&a=%2F", "/outside/?provider=23telecom&a=%2F", id="with a query"),
        pytest.param("/?x=//evil.example", "/sms/?x=//evil.example", id="with an address in the query"),
        pytest.param("/?x=%0d%0aSet-Cookie:a", "/sms/?x=%0d%0aSet-Cookie:a", id="with a line break in the query"),
        pytest.param("http://evil.example/", "/sms/", id="with another host"),
    ],
)
async def test_redirects_lead_to_ourselves(serve: Serve, target: str, location: str) -> None:
    """Whatever host and headers a request names."""
    async with serve(f"{URL_OPTION}=https://example.com/outside", f"{PREFIX_OPTION}=/sms") as exporter:
        assert await said(exporter, target) == (302, location)
        assert await said(exporter, "/sms/metrics") == (200, "")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *((PREFIX_OPTION, value) for value in ("", "/a/../b", "/..", ".", "/a//b", "/%61", "/a b", "/a?b", "/a#b")),
        *((PREFIX_OPTION, value) for value in ("/{name}", "/a\r\nb", "/ä", "/a\\b", "https://example.com/sms")),
        *((URL_OPTION, f"https://example.com{path}") for path in ("/a/../b", "/a//b", "/%2e%2e", "/a b", "/?a", "/#a")),
        *((URL_OPTION, value) for value in ("", "/sms", "example.com/sms", "//example.com/sms", "ftp://example.com/")),
        *((URL_OPTION, value) for value in ("https://", "https://a:b@example.com/", '"https://example.com"')),
        *((URL_OPTION, value) for value in ("https://example.com:99999/", "https://[::1/", "https://exämple.com/")),
    ],
)
def test_what_is_no_path_is_refused(capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    """Before anything else, with exit code 2 and what it must be."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--config.file=none.yml", f"{option}={value}"])
    assert ended.value.code == 2
    assert re.search(f"error: argument {option}: “[^”]*” is not .*such as ", capsys.readouterr().err, re.DOTALL)


@pytest.mark.parametrize(
    ("external", "routes", "prefix"),
    [
        (None, None, Prefix("", "")),
        ("https://example.com", None, Prefix("", "")),
        ("https://example.com:8443/sms/", None, Prefix("/sms", "/sms")),
        ("http://[::1]:80/a/b", None, Prefix("/a/b", "/a/b")),
        ("https://example.com/sms", "/", Prefix("", "/sms")),
        ("https://example.com/", "/in", Prefix("/in", "")),
        (None, "in/side//", Prefix("/in/side", "/in/side")),
    ],
)
def test_where_the_routes_lie(external: str | None, routes: str | None, prefix: Prefix) -> None:
    """The prefix where it is given, else the path of the external URL."""
    path = None if external is None else external_path(external)
    assert Prefix.of(path, None if routes is None else route_prefix(routes)) == prefix
