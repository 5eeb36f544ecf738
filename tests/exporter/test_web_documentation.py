"""The web server's documentation: its lines for a proxy work, and its tables are as the code has them."""

import re
import shlex
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from sms_credit_exporter.cli import main
from sms_credit_exporter.config import ConfigError
from sms_credit_exporter.config.web import load_web
from sms_credit_exporter.prefix import Prefix, external_path, route_prefix
from tests.conftest import ROOT
from tests.documentation import blocks, check, named, rows
from tests.exporter.running import LISTEN, NGINX, Providers, Running, free_port, nginx

PAGE = Path("docs/exporter-web.md")

Start = Callable[..., AbstractAsyncContextManager[Running]]


LINES = {
    language: [block.text for block in blocks(PAGE) if block.language == language] for language in ("console", "nginx")
}
PROXIES = list(zip(*LINES.values(), strict=True))


@pytest.mark.parametrize(("command", "locations"), PROXIES, ids=["the path kept", "the path taken away"])
async def test_the_lines_for_a_proxy_work(  # noqa: PLR0913, PLR0917 - a row, and what it needs
    tool: Callable[[str], str],
    start: Start,
    config_file: Callable[..., Path],
    providers: Providers,
    tmp_path: Path,
    command: str,
    locations: str,
) -> None:
    """Command and nginx' lines as they stand there; only the ports are others."""
    binary, port = tool(NGINX), free_port()
    config_file(providers.configured("a", providers.add("23telecom")))
    _, _, *arguments = shlex.split(command)
    async with start(*arguments, LISTEN) as exporter:
        here = exporter.origin.removeprefix("http://")
        async with nginx(binary, port, locations.replace("127.0.0.1:10767", here), tmp_path):
            page = await exporter.http.get(f"http://127.0.0.1:{port}/sms", follow_redirects=True)
            assert str(page.url) == f"http://127.0.0.1:{port}/sms/"
            metrics = await exporter.http.get(page.url.join("metrics"))
            assert "sms_credit_up" in metrics.text


def test_the_table_of_paths_is_right() -> None:
    """What the exporter serves follows from the two options."""
    found = []
    for url, prefix, told in rows(ROOT / PAGE, "`--web.external-url`"):
        [external, routes, metrics] = ["".join(named(cell)) for cell in (url, prefix, told)]
        made = Prefix.of(external_path(external) if external else None, route_prefix(routes) if routes else None)
        found.append((metrics, made.route("/metrics")))
    assert found == [(true, true) for _, true in found]


def test_every_header_is_told(tmp_path: Path) -> None:
    """With its values, where there are only some."""

    def allowed(header: str, value: str, before: str) -> str:
        (tmp_path / "web.yml").write_text(f"http_server_config: {{headers: {{{header}: {value}}}}}")
        try:
            load_web(tmp_path / "web.yml")
        except ConfigError as error:
            return str(error).partition(before)[2]
        return ""

    headers = allowed("Made-Up", "1", "allowed are ").split(", ")
    true = {header: {"value": allowed(header, "made-up", "must be ").replace(" or ", ", ")} for header in headers}
    told = ((named(header)[0], {"value": ", ".join(named(value))}) for header, value in rows(ROOT / PAGE, "header"))
    check(ROOT / PAGE, "header", told, true)


def test_every_option_exists(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that the page names is one of the command `serve`, whose options have a dot; those of scripts have none."""
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    option = r"--[a-z]+\.[\w.-]*\w"
    assert set(re.findall(option, (ROOT / PAGE).read_text())) <= set(re.findall(option, capsys.readouterr().out))


async def test_the_ways_to_reload_are_these(
    start: Start, config_file: Callable[..., Path], providers: Providers, http: httpx.AsyncClient
) -> None:
    """Without the option a request is refused with 403, and there is no request that ends the exporter."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    async with start("serve", f"--config.file={file}", LISTEN) as exporter:
        url = exporter.urls[0]
        assert [(await http.request(method, f"{url}/-/reload")).status_code for method in ("POST", "PUT")] == [403] * 2
        assert (await http.post(f"{url}/-/quit")).status_code == 404
        assert (await http.get(f"{url}/-/healthy")).status_code == 200
