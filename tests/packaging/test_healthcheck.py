"""`healthcheck`, as a container calls it: beside an exporter, by an address and nothing else."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import web

from sms_credit_exporter.simulator.loopback import serving
from tests.exporter.running import LISTEN, Providers, Running, command, secured

Start = Callable[..., AbstractAsyncContextManager[Running]]
ConfigFile = Callable[..., Path]


def open_to_all(_: Path) -> tuple[str, ...]:
    """Protect nothing."""
    return ()


def by_tls(folder: Path) -> tuple[str, ...]:
    """Show a certificate that nobody knows."""
    web_file, _ = secured(folder)
    return (f"--web.config.file={web_file}",)


def by_tls_to_users(folder: Path) -> tuple[str, ...]:
    """Want a password besides."""
    web_file, _ = secured(folder)
    with web_file.open("a") as file:
        file.write(f"basic_auth_users: {{alice: {'$2b$10$' + 'a' * 53!r}}}\n")
    return (f"--web.config.file={web_file}",)


@pytest.mark.parametrize("protected", [open_to_all, by_tls, by_tls_to_users])
async def test_an_exporter_is_healthy_until_it_stops_answering(
    start: Start, config_file: ConfigFile, providers: Providers, tmp_path: Path, protected: Callable[[Path], tuple[str]]
) -> None:
    """Whatever protects it; and again once it goes on."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    async with start("serve", f"--config.file={file}", LISTEN, *protected(tmp_path)) as exporter:
        [url] = exporter.urls
        assert await command("healthcheck", url, cwd=tmp_path) == (0, "healthy\n", "")

        exporter.process.send_signal(signal.SIGSTOP)
        code, out, err = await command("healthcheck", url, cwd=tmp_path)
        assert (code, out) == (1, "")
        assert err.startswith(f"{url}/-/healthy: ")
        assert "timed out" in err

        exporter.process.send_signal(signal.SIGCONT)
        assert await command("healthcheck", url, cwd=tmp_path) == (0, "healthy\n", "")
    assert await command("healthcheck", url, cwd=tmp_path) == (1, "", f"{url}/-/healthy: Connection refused\n")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(web.Response(status=500), "500", id="an error of the server"),
        pytest.param(web.Response(status=302, headers={"Location": "/ok"}), "302", id="a redirect, also to a page"),
        pytest.param(web.Response(status=204), "204", id="no page"),
    ],
)
async def test_an_answer_that_does_not_say_healthy(tmp_path: Path, answer: web.Response, said: str) -> None:
    """The path that the exporter has behind a proxy goes before that of the question."""
    asked = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.path)
        return answer

    app = web.Application()
    app.router.add_get("/{path:.*}", take)
    async with serving(app) as url:
        assert await command("healthcheck", f"{url}/sms/", cwd=tmp_path) == (1, "", f"{url}/sms/-/healthy: {said}\n")
    assert asked == ["/sms/-/healthy"]


async def test_what_is_no_http_is_told_in_a_line(tmp_path: Path) -> None:
    """No traceback, also where something else listens."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for url in (f"http://127.0.0.1:{port}", f"https://127.0.0.1:{port}"):
            code, out, err = await command("healthcheck", url, cwd=tmp_path)
            assert (code, out, len(err.splitlines())) == (1, "", 1)
            assert err.startswith(f"{url}/-/healthy: ")


@pytest.mark.parametrize("url", ["127.0.0.1:10767", "ftp://a", "http://", "http://a:0", "http://a:b", "http://u:p@a"])
async def test_what_is_no_url_is_a_wrong_command_line(tmp_path: Path, url: str) -> None:
    """Exit code 2 tells it from an exporter that is ill."""
    code, _, err = await command("healthcheck", url, cwd=tmp_path)
    assert code == 2
    assert f"“{url}” is not a URL such as http://127.0.0.1:10767" in err


def test_it_loads_nothing_that_takes_long(tmp_path: Path) -> None:
    """It is run every half minute; what serves and polls stays out."""
    program = "import sys; from sms_credit_exporter.cli import main; main(['healthcheck']); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert {"aiohttp", "httpx", "prometheus_client", "structlog", "yaml"} & set(ran.stdout.split()) == set()
