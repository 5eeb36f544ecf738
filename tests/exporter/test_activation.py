"""Sockets that systemd listens on: passed by its own tool, and by the protocol that it documents."""

import asyncio
import json
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import httpx
import pytest

from tests.exporter.running import LISTEN, PATIENCE, Providers, Running, command, free_port, running, secured

ConfigFile = Callable[..., Path]

SOCKET = "--web.systemd-socket"

EXPORTER = (sys.executable, "-m", "sms_credit_exporter")

INSTEAD = ("-c", "import os, sys; os.execv(sys.argv[1], sys.argv[1:])")
"""Has another program run instead of the interpreter."""

LAUNCHER = """\
import fcntl, json, os, sys
descriptors, environment = json.loads(sys.argv[1])
moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 200) for descriptor in descriptors]
os.closerange(3, 200)
for number, descriptor in enumerate(moved, 3):
    os.dup2(descriptor, number)
os.environ.update({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(moved)), **environment})
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Does what systemd does between its fork and its exec."""


def launcher(*passed: int, **environment: str) -> Sequence[str]:
    """Return what starts an exporter that finds these descriptors from 3 on."""
    return ("-c", LAUNCHER, json.dumps([passed, environment]), *EXPORTER)


@pytest.fixture
def serve(config_file: ConfigFile, providers: Providers) -> Sequence[str]:
    """Return the arguments of an exporter that listens on what it is passed."""
    return ("serve", f"--config.file={config_file(providers.configured('a', providers.add('23telecom')))}", SOCKET)


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def launch(http: httpx.AsyncClient, serve: Sequence[str], tmp_path: Path) -> Start:
    """Start exporters that inherit sockets."""

    def launched(*sockets: socket.socket) -> AbstractAsyncContextManager[Running]:
        passed = [one.fileno() for one in sockets]
        program = launcher(*passed)
        return running(
            http, *serve, cwd=tmp_path, env={}, listens=len(passed), program=program, descriptors=tuple(passed)
        )

    return launched


async def first_answer(client: httpx.AsyncClient, url: str) -> str:
    """Ask as soon as somebody listens, and return the answer."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return (await client.get(url)).text
            except httpx.ConnectError:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "over TLS"])
async def test_the_first_connection_starts_it_and_is_answered(
    tool: Callable[[str], str], http: httpx.AsyncClient, serve: Sequence[str], tmp_path: Path, *, tls: bool
) -> None:
    """Systemd's own tool listens on two ports and a path, and starts the exporter, which answers on all of them."""
    web_file, trust = secured(tmp_path)
    scheme, options = ("https", [f"--web.config.file={web_file}"]) if tls else ("http", [])
    urls, path = [f"{scheme}://127.0.0.1:{free_port()}/-/healthy" for _ in range(2)], tmp_path / "web.sock"
    places = [*(httpx.URL(url).netloc.decode() for url in urls), str(path)]
    program = (*INSTEAD, tool("systemd-socket-activate"), *(f"--listen={place}" for place in places), *EXPORTER)
    by_path = httpx.AsyncHTTPTransport(verify=trust, uds=str(path))

    async with (
        httpx.AsyncClient(verify=trust, trust_env=False, timeout=PATIENCE) as client,
        httpx.AsyncClient(transport=by_path, timeout=PATIENCE) as path_client,
        asyncio.TaskGroup() as tasks,
    ):
        first = tasks.create_task(first_answer(client, urls[0]))
        async with running(http, *serve, *options, cwd=tmp_path, env={}, listens=3, program=program) as exporter:
            assert await first == "Healthy.\n"
            assert (await client.get(urls[1])).text == "Healthy.\n"
            assert (await path_client.get(urls[0])).text == "Healthy.\n"
            assert exporter.matching(f"event=listening url=unix:{path}$")


async def test_who_connects_during_a_restart_is_answered_after_it(launch: Start) -> None:
    """The socket outlives the process: no scrape is refused."""
    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
    ):
        async with launch(four, six) as exporter:
            urls = {f"http://127.0.0.1:{four.getsockname()[1]}", f"http://[::1]:{six.getsockname()[1]}"}
            assert set(exporter.urls) == urls
            for url in urls:
                assert (await exporter.http.get(f"{url}/-/healthy")).text == "Healthy.\n"
            exporter.process.send_signal(signal.SIGTERM)
            assert await exporter.exit_code() == 0

        waiting = asyncio.create_task(exporter.http.get(f"{exporter.urls[0]}/-/healthy"))
        async with launch(four, six):
            assert (await waiting).text == "Healthy.\n"


NOTHING_PASSED = (
    "--web.systemd-socket: systemd has passed no socket to this process; have it started by a .socket unit, or leave "
    "the option out\n"
)
NOT_LISTENING = (
    "--web.systemd-socket: descriptor {} is no socket that takes connections; the .socket unit needs ListenStream= and "
    "Accept=no\n"
)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Listen on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"LISTEN_PID": "", "LISTEN_FDS": ""}, id="started by hand"),
        pytest.param({"LISTEN_PID": "1"}, id="for another process"),
        pytest.param({"LISTEN_FDS": "0"}, id="none"),
        pytest.param({"LISTEN_FDS": "-1"}, id="less than none"),
        pytest.param({"LISTEN_FDS": "two"}, id="no number"),
    ],
)
async def test_without_a_socket_it_says_what_to_do(
    launch: Start, serve: Sequence[str], listening: socket.socket, tmp_path: Path, environment: dict[str, str]
) -> None:
    """One sentence, exit code 1; once systemd passes a socket, it serves."""
    passed = (listening.fileno(),)
    program = launcher(*passed, **environment)
    outcome = await command(*serve, cwd=tmp_path, program=program, descriptors=passed)
    assert outcome == (1, "", NOTHING_PASSED)

    async with launch(listening) as exporter:
        assert (await exporter.get("/-/healthy")).text == "Healthy.\n"


WRONG: dict[str, Callable[[socket.socket], socket.socket | IO[bytes]]] = {
    "datagrams": lambda _: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "one connection, as Accept=yes passes it": lambda listening: socket.create_connection(listening.getsockname()),
    "a file": lambda _: TemporaryFile(),  # noqa: SIM115 - the test closes it
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_what_takes_no_connections_is_refused(
    launch: Start,
    serve: Sequence[str],
    listening: socket.socket,
    tmp_path: Path,
    wrong: Callable[[socket.socket], socket.socket | IO[bytes]],
) -> None:
    """The descriptor is named, and what the unit needs; with the right socket it serves."""
    with wrong(listening) as second:
        passed = (listening.fileno(), second.fileno())
        outcome = await command(*serve, cwd=tmp_path, program=launcher(*passed), descriptors=passed)
    assert outcome == (1, "", NOT_LISTENING.format(4))

    async with launch(listening) as exporter:
        assert (await exporter.get("/-/healthy")).text == "Healthy.\n"


async def test_a_descriptor_that_is_closed_is_refused(
    launch: Start, serve: Sequence[str], listening: socket.socket, tmp_path: Path
) -> None:
    """Whatever started it promised two and passed one."""
    passed = (listening.fileno(),)
    program = launcher(*passed, LISTEN_FDS="2")
    outcome = await command(*serve, cwd=tmp_path, program=program, descriptors=passed)
    assert outcome == (1, "", NOT_LISTENING.format(4))

    async with launch(listening) as exporter:
        assert (await exporter.get("/-/healthy")).text == "Healthy.\n"


async def test_addresses_and_sockets_exclude_each_other(
    launch: Start, serve: Sequence[str], listening: socket.socket, tmp_path: Path
) -> None:
    """Which of them counts would be a guess: exit code 2, as of every wrong command line."""
    code, out, err = await command(*serve, LISTEN, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert re.search(rf"error: argument --web.listen-address: not allowed with argument {SOCKET}$", err)

    async with launch(listening) as exporter:
        assert (await exporter.get("/-/healthy")).text == "Healthy.\n"
