"""A running exporter, as a user runs it: a process of its own, real sockets, simulated providers."""

import asyncio
import os
import re
import socket
import sqlite3
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import trustme
import yaml
from prometheus_client import CollectorRegistry, Gauge

from sms_credit_exporter.exposition import Exposition
from sms_credit_exporter.simulator.behaviour import Act, Behaviour
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator
from sms_credit_exporter.web import Site

PATIENCE = 20.0
"""Seconds until a test gives up waiting; nothing that works takes as long."""

DEBIAN_STABLE, DEBIAN_TESTING = "prometheus", "prometheus-3/usr/bin/prometheus"
"""Both generations of Prometheus, by what the fixture `tool` finds them by."""

LISTEN = "--web.listen-address=127.0.0.1:0"


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def secured(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Write a certificate for 127.0.0.1; return the web configuration file that names it, and who trusts it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    web_file = folder / "web.yml"
    web_file.write_text("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return web_file, trust


async def until(condition: Callable[[], Awaitable[bool]], patience: float = PATIENCE) -> None:
    """Wait for a condition to come true."""
    async with asyncio.timeout(patience):
        while not await condition():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.05)


def site(text: str = "", **more: Any) -> Site:  # noqa: ANN401 - whatever a site consists of
    """Return a site without accounts, and with one metric that has this text in a label."""
    registry = CollectorRegistry()
    Gauge("made_up", "A metric.", ["text"], registry=registry).labels(text).set(1)
    usual: dict[str, Any] = {
        "exposition": Exposition(registry),
        "views": tuple,
        "ready": lambda: True,
        "reload": None,
        "version": "0",
        "refresh": 15.0,
    }
    return Site(**usual | more)


@dataclass
class Providers:
    """Both simulated providers, serving."""

    simulator: Simulator
    base_urls: Mapping[str, str]

    def add(self, provider: str, answer: str | Act | Behaviour = "healthy") -> SimulatedAccount:
        """Open an account."""
        return self.simulator.add(provider, answer)

    def configured(self, name: str, account: SimulatedAccount, **more: object) -> dict[str, object]:
        """Return the account as it stands in a configuration file, polled as often as is allowed here."""
        return {
            "name": name,
            "provider": account.provider,
            "credentials": dict(account.credentials),
            "base_url": self.base_urls[account.provider],
            "poll_interval": "1s",
            **more,
        }


_READ = 0.02
"""Seconds in which the event loop reads what lies in a pipe already."""


@dataclass
class Running:
    """An exporter in a process of its own."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient
    log: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    """Where it listens."""

    @property
    def origin(self) -> str:
        """The first address without the path that its routes lie under."""
        return "/".join(self.urls[0].split("/")[:3])

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page. What was logged before it was answered is in the log by then."""
        answer = await self.http.get(self.urls[0] + path, headers=headers)
        await asyncio.sleep(_READ)
        return answer

    async def metrics(self) -> list[str]:
        """Scrape, and return the samples."""
        lines = (await self.get("/metrics")).raise_for_status().text.splitlines()
        return [line for line in lines if not line.startswith("#")]

    async def shows(self, *samples: str) -> None:
        """Wait until a scrape has all of these samples."""

        async def all_there() -> bool:
            return set(samples) <= set(await self.metrics())

        await until(all_there)

    async def lacks(self, *names: str) -> None:
        """Wait until a scrape has no sample of any of these metrics."""

        async def none_there() -> bool:
            return not any(line.startswith(tuple(f"{name}{{" for name in names)) for line in await self.metrics())

        await until(none_there)

    async def logged(self, pattern: str, times: int = 1, patience: float = PATIENCE) -> str:
        """Wait until so many lines of the log match, and return the last of them."""

        async def enough() -> bool:
            return len(self.matching(pattern)) >= times

        await until(enough, patience)
        return self.matching(pattern)[-1]

    def matching(self, pattern: str) -> list[str]:
        """Return the lines of the log that match."""
        return [line for line in self.log if re.search(pattern, line)]

    async def exit_code(self) -> int:
        """Wait for its end, and for the end of its log."""
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
        await asyncio.sleep(_READ)
        return code


@asynccontextmanager
async def running(  # noqa: PLR0913 - what a process is started with
    http: httpx.AsyncClient,
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str],
    listens: int = 1,
    program: Sequence[str] = ("-m", "sms_credit_exporter"),
    descriptors: Sequence[int] = (),
    patience: float = PATIENCE,
) -> AsyncIterator[Running]:
    """Start an exporter and wait until it listens on so many addresses; what still runs at the end is killed.

    It inherits these descriptors under the numbers that they have here.
    """
    command = (sys.executable, *program, *arguments)
    starting = listening(http, *command, cwd=cwd, env=env, listens=listens, descriptors=descriptors, patience=patience)
    async with starting as exporter:
        yield exporter


@asynccontextmanager
async def listening(  # noqa: PLR0913 - as above
    http: httpx.AsyncClient,
    *command: str,
    cwd: Path,
    env: Mapping[str, str],
    listens: int = 1,
    descriptors: Sequence[int] = (),
    patience: float = PATIENCE,
) -> AsyncIterator[Running]:
    """Do the same with a command of any kind that starts an exporter."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, **env},
        pass_fds=descriptors,
    )
    exporter = Running(process, http)
    reading = asyncio.create_task(_keep(process, exporter.log))
    try:
        await exporter.logged(r"\blistening\b", listens, patience)
        exporter.urls = [match[0] for line in exporter.log if (match := re.search(r"http[^\s\"]+", line))]
        yield exporter
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def _keep(process: asyncio.subprocess.Process, lines: list[str]) -> None:
    assert process.stderr
    while line := await process.stderr.readline():
        lines.append(line.decode().rstrip("\n"))


def as_an_older_exporter_had_it(storage: Path) -> None:
    """Make a storage that of an exporter which knew nothing of the last week."""
    with closing(sqlite3.connect(storage)) as connection, connection:
        connection.execute("ALTER TABLE accounts RENAME TO newer")
        connection.execute("CREATE TABLE accounts (name TEXT PRIMARY KEY, state TEXT NOT NULL, written REAL NOT NULL)")
        connection.execute("INSERT INTO accounts SELECT name, state, written FROM newer")
        connection.execute("DROP TABLE newer")


async def command(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = ("-m", "sms_credit_exporter"),
    descriptors: Sequence[int] = (),
) -> tuple[int, str, str]:
    """Run a command to its end; return exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *program, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        pass_fds=descriptors,
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@asynccontextmanager
async def prometheus(
    binary: str, target: str, folder: Path, under: Sequence[str] = ("",), /, **scrape: object
) -> AsyncIterator[str]:
    """Run a Prometheus that scrapes the target every second; gives its URL.

    `under` is where its routes lie, and the options that put them there.
    """
    path, *options = under
    job = {"job_name": "sms-credit", "static_configs": [{"targets": [target]}], **scrape}
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}))
    process = await asyncio.create_subprocess_exec(
        binary,
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        *options,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr
        async with asyncio.timeout(30):
            while not (
                match := re.search(rb"Listening on\W.*address=(127\.0\.0\.1:\d+)", await process.stderr.readline())
            ):
                pass
        draining = asyncio.create_task(process.stderr.read())
        url = f"http://{match[1].decode()}"

        async def ready() -> bool:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"{url}{path}/-/ready")).status_code == 200

        await until(ready)
        yield url
    finally:
        process.terminate()
        await process.wait()
        await draining


NGINX = "/usr/sbin/nginx"
"""Debian's; the fixture `tool` finds it by this."""

_NGINX_CONF = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port};
    {locations}
  }}
}}
"""


@asynccontextmanager
async def nginx(binary: str, port: int, locations: str, folder: Path) -> AsyncIterator[None]:
    """Run a reverse proxy; `locations` are the lines of its configuration that say what it passes on."""
    (folder / "nginx.conf").write_text(_NGINX_CONF.format(port=port, locations=locations))
    process = await asyncio.create_subprocess_exec(
        binary, "-p", folder, "-c", "nginx.conf", "-e", "stderr", stderr=asyncio.subprocess.DEVNULL
    )

    async def listening() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await until(listening)
        yield
    finally:
        process.terminate()
        await process.wait()


@dataclass(frozen=True)
class Behind:
    """A way in which a reverse proxy can show the exporter."""

    options: Sequence[str]
    """Of the exporter; `{proxy}` is the proxy's address."""
    location: str
    """Of nginx."""
    target: str
    """Of nginx, without the exporter's address."""
    path: str = "/sms/"
    """Where the page is found at the proxy."""

    def locations(self, exporter: str) -> str:
        """Return nginx' lines for an exporter at this address."""
        return f"location {self.location} {{ proxy_pass {exporter}{self.target}; }}"


URL_OPTION, PREFIX_OPTION = "--web.external-url", "--web.route-prefix"

BEHIND = {
    "the proxy keeps the path": Behind([f"{URL_OPTION}={{proxy}}/sms/"], "/sms", ""),
    "the proxy takes the path away": Behind([f"{URL_OPTION}={{proxy}}/sms", f"{PREFIX_OPTION}=/"], "/sms/", "/"),
    "the proxy puts another path": Behind(
        [f"{URL_OPTION}={{proxy}}/sms", f"{PREFIX_OPTION}=inside/deep/"], "/sms", "/inside/deep"
    ),
    "the exporter knows of no proxy": Behind([], "/sms/", "/"),
    "the proxy has a name for it alone": Behind([f"{URL_OPTION}={{proxy}}/"], "/", "", "/"),
    "the path is one of the Kubernetes API": Behind(
        [f"{URL_OPTION}={{proxy}}/api/v1/services/http:sms:10767/proxy"],
        "/api",
        "",
        "/api/v1/services/http:sms:10767/proxy/",
    ),
}
