"""What must not stop the polls and the scrapes: crowds, idlers, a log that nobody reads, a reload that hangs."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.benchmarks.short import benchmark
from tests.exporter.running import LISTEN, PATIENCE, Providers, Running, free_port, running, secured, until

Starting = AbstractAsyncContextManager[Running]
Start = Callable[..., Starting]
ConfigFile = Callable[..., Path]

DESCRIPTORS = 64

FEW_DESCRIPTORS = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))
from sms_credit_exporter.cli import main
sys.exit(main())
"""
"""The exporter under `ulimit -n 64`."""

OF_A = 'account="a",provider="23telecom"'
FAILED_OF_A = f'sms_credit_poll_failures_total{{{OF_A},reason="unreachable"}}'


async def test_hundreds_of_scrapers_fail_no_poll() -> None:
    """All answers are complete, and the polls go on meanwhile."""
    rows = await benchmark("crowd", "--accounts=60", "--scrapers=400", "--seconds=12", "--poll-interval=3")
    assert rows["scrapes"]["value"] >= 400
    assert rows["polls meanwhile"]["value"] >= 60
    assert {name: row["value"] for name, row in rows.items() if "fail" in name and row["value"]} == {}


def polls_of_a(samples: list[str]) -> float:
    """Return how many polls there were."""
    return float(next(line.split()[-1] for line in samples if line.startswith(f"sms_credit_polls_total{{{OF_A}}}")))


async def goes_on_polling(exporter: Running) -> None:
    """Wait for three more polls."""
    before = polls_of_a(await exporter.metrics())

    async def three_more() -> bool:
        return polls_of_a(await exporter.metrics()) >= before + 3

    await until(three_more)


@contextmanager
def idlers(exporter: Running, count: int, words: bytes = b"") -> Iterator[list[socket.socket]]:
    """Open connections, say something on each, and leave it at that."""
    url = httpx.URL(exporter.urls[0])
    clients: list[socket.socket] = []
    try:
        for _ in range(count):
            client = socket.create_connection((url.host, url.port or 0), timeout=PATIENCE)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            clients.append(client)
            client.sendall(words)
        yield clients
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ", id="half a request"),
        pytest.param(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n", id="one request"),
    ],
)
async def test_idle_clients_leave_descriptors_for_polls_and_scrapes(
    config_file: ConfigFile, providers: Providers, http: httpx.AsyncClient, tmp_path: Path, words: bytes
) -> None:
    """A hundred clients connect where 64 files may be open; the log reports it once."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    arguments = ("serve", f"--config.file={file}", LISTEN)
    async with running(http, *arguments, cwd=tmp_path, env={}, program=("-c", FEW_DESCRIPTORS)) as exporter:
        with idlers(exporter, 100, words):
            await goes_on_polling(exporter)
            async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as another:
                assert (await another.get(f"{exporter.urls[0]}/metrics")).status_code == 200
            assert f"{FAILED_OF_A} 0.0" in await exporter.metrics()
        await goes_on_polling(exporter)

    assert len(exporter.matching("too many connections")) == 1
    assert [line for line in exporter.log if not re.search("level=info |too many connections", line)] == []


async def test_unfinished_handshakes_make_room(config_file: ConfigFile, providers: Providers, tmp_path: Path) -> None:
    """A connection takes a descriptor before its TLS handshake is done."""
    web_file, trust = secured(tmp_path)
    file = config_file(providers.configured("a", providers.add("23telecom")))
    arguments = ("serve", f"--config.file={file}", f"--web.config.file={web_file}", LISTEN)
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE, verify=trust) as http,
        running(http, *arguments, cwd=tmp_path, env={}, program=("-c", FEW_DESCRIPTORS)) as exporter,
    ):
        with idlers(exporter, 100):
            await goes_on_polling(exporter)
            assert f"{FAILED_OF_A} 0.0" in await exporter.metrics()
        await goes_on_polling(exporter)
    assert [line for line in exporter.log if not re.search("level=info |too many connections", line)] == []


async def test_who_hangs_up_leaves_his_place(
    config_file: ConfigFile, providers: Providers, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """A client may hang up in the middle of an answer."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    arguments = ("serve", f"--config.file={file}", LISTEN)
    async with running(http, *arguments, cwd=tmp_path, env={}, program=("-c", FEW_DESCRIPTORS)) as exporter:
        for _ in range(20):
            with idlers(exporter, 10, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"):
                pass
            assert (await exporter.get("/-/healthy")).status_code == 200
        await goes_on_polling(exporter)


async def test_a_crowd_is_served_with_few_descriptors(
    config_file: ConfigFile, providers: Providers, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Each client waits for a descriptor and frees it after the answer; none is cut off."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    arguments = ("serve", f"--config.file={file}", LISTEN)
    async with running(http, *arguments, cwd=tmp_path, env={}, program=("-c", FEW_DESCRIPTORS)) as exporter:
        unlimited = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE, limits=unlimited) as crowd:
            answers = await asyncio.gather(*(crowd.get(f"{exporter.urls[0]}/metrics") for _ in range(200)))
        assert {answer.status_code for answer in answers} == {200}
        assert all("\nsms_credit_up" in answer.text for answer in answers)
        await goes_on_polling(exporter)
        assert f"{FAILED_OF_A} 0.0" in await exporter.metrics()


async def test_who_does_not_read_makes_room_too(
    config_file: ConfigFile, providers: Providers, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """A client that does not read is closed after ten seconds if others wait."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    arguments = ("serve", f"--config.file={file}", LISTEN)
    async with running(http, *arguments, cwd=tmp_path, env={}, program=("-c", FEW_DESCRIPTORS)) as exporter:
        with idlers(exporter, 40, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 500):
            await goes_on_polling(exporter)
            assert f"{FAILED_OF_A} 0.0" in await exporter.metrics()


ENDLESS = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 3000
"""So many requests that their answers fill what a connection can hold, if nobody reads them."""


async def test_requests_beyond_the_limit_are_told_to_come_again(
    config_file: ConfigFile, providers: Providers, start: Callable[..., Starting]
) -> None:
    """Readers that do not read take all places. Health is answered, and once they leave, so is everything else."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    async with start("serve", f"--config.file={file}", LISTEN, "--web.max-requests=5") as exporter:
        with idlers(exporter, 6, ENDLESS):

            async def all_refused() -> bool:
                return {(await exporter.get("/metrics")).status_code for _ in range(10)} == {503}

            await until(all_refused)
            answer = await exporter.get("/metrics")
            assert answer.text == "Limit of concurrent requests reached (5), try again later.\n"
            assert int(answer.headers["Retry-After"]) > 0
            assert {(await exporter.get(path)).status_code for path in ("/", "/api/v1/accounts")} == {503}
            assert {(await exporter.get(f"/-/{path}")).status_code for path in ("healthy", "ready")} == {200}

        async def served() -> bool:
            return (await exporter.get("/metrics")).status_code == 200

        await until(served)
        await goes_on_polling(exporter)
    assert not exporter.matching("level=(warning|error)|Traceback")


async def test_of_a_crowd_beyond_the_limit_each_is_answered_or_told_to_come_again(
    config_file: ConfigFile, providers: Providers, start: Callable[..., Starting]
) -> None:
    """Nobody gets half an answer or none, probes are answered in the thick of it, and no poll fails."""
    file = config_file(providers.configured("a", providers.add("23telecom"), timeout="60s"))
    unlimited = httpx.Limits(max_connections=None)
    async with (
        start("serve", f"--config.file={file}", LISTEN, "--web.max-requests=20") as exporter,
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE, limits=unlimited) as crowd,
    ):
        url = exporter.urls[0]
        scrapes, probes = await asyncio.gather(
            asyncio.gather(*(crowd.get(f"{url}/metrics") for _ in range(300))),
            asyncio.gather(*(crowd.get(f"{url}/-/healthy") for _ in range(30))),
        )
        assert {answer.status_code for answer in scrapes} == {200, 503}
        answered = [answer for answer in scrapes if answer.status_code == 200]
        refused = [answer for answer in scrapes if answer.status_code == 503]
        assert len(answered) >= 20
        assert all("\nsms_credit_up{" in answer.text for answer in answered)
        assert {answer.headers.get("Retry-After") for answer in refused} == {"5"}
        assert {answer.status_code for answer in probes} == {200}
        assert (await exporter.get("/metrics")).status_code == 200
        await goes_on_polling(exporter)
        assert f"{FAILED_OF_A} 0.0" in await exporter.metrics()
    assert not exporter.matching("level=(warning|error)|Traceback")


async def test_without_a_limit_all_are_answered(
    config_file: ConfigFile, providers: Providers, start: Callable[..., Starting]
) -> None:
    """Zero is no limit."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    async with start("serve", f"--config.file={file}", LISTEN, "--web.max-requests=0") as exporter:
        with idlers(exporter, 50, ENDLESS):
            await goes_on_polling(exporter)


async def test_a_log_that_nobody_reads_stops_nothing(
    config_file: ConfigFile, providers: Providers, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The exporter polls, serves and ends. Whoever reads the log later begins with its first line."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sms_credit_exporter", "serve", f"--config.file={file}", "--log.level=debug"),
        f"--web.listen-address=127.0.0.1:{port}",
        stderr=(pipe := os.pipe())[1],
        cwd=tmp_path,
    )
    os.close(pipe[1])
    exporter = Running(process, http, urls=[f"http://127.0.0.1:{port}"])
    try:

        async def listens() -> bool:
            try:
                return (await exporter.get("/-/ready")).status_code == 200
            except httpx.ConnectError:
                return False

        await until(listens)
        await asyncio.gather(*(malformed(port, 400) for _ in range(5)))
        await goes_on_polling(exporter)
        process.send_signal(signal.SIGTERM)
        assert await exporter.exit_code() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        with os.fdopen(pipe[0], "rb") as unread:
            lines = unread.read().decode().splitlines()
    assert "event=starting" in lines[1]
    assert len(lines) < 2000  # what the system kept


async def malformed(port: int, times: int) -> None:
    """Send what has a line written about it."""
    for _ in range(times):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\0\r\n\r\n")
        writer.close()


# ------------------------------------------------------------------------------------------------------- reload


WITH_SLOW_FILES = """
import os, sys, time
opened = os.open
def open_slowly(*args, **kwargs):
    while os.path.exists("hold"):
        time.sleep(0.05)
    return opened(*args, **kwargs)
os.open = open_slowly
from sms_credit_exporter import cli
sys.exit(cli.main())
"""
"""The exporter on a machine whose files lie on a server that does not answer while there is a file named `hold`."""


@pytest.fixture
def start_with_slow_files(tmp_path: Path, http: httpx.AsyncClient) -> Callable[[Path], Starting]:
    """Start an exporter whose files can be held back."""
    program = tmp_path / "with_slow_files.py"
    program.write_text(WITH_SLOW_FILES)

    def started(file: Path) -> Starting:
        arguments = ("serve", f"--config.file={file}", LISTEN, "--web.enable-lifecycle")
        return running(http, *arguments, cwd=tmp_path, env={}, program=(str(program),))

    return started


async def test_a_reload_that_takes_long_holds_up_nothing(
    start_with_slow_files: Callable[[Path], Starting], config_file: ConfigFile, providers: Providers, tmp_path: Path
) -> None:
    """Polls and scrapes go on with the old configuration; once the files can be read, the new one is taken over."""
    configured = providers.configured("a", providers.add("23telecom"))
    async with start_with_slow_files(config_file(configured)) as exporter:
        await goes_on_polling(exporter)
        config_file({**configured, "low_balance": 60})
        (tmp_path / "hold").touch()
        reloads = [asyncio.create_task(exporter.http.post(f"{exporter.urls[0]}/-/reload")) for _ in range(3)]
        exporter.process.send_signal(signal.SIGHUP)
        await goes_on_polling(exporter)
        assert not exporter.matching("configuration reloaded")

        (tmp_path / "hold").unlink()
        assert [answer.status_code for answer in await asyncio.gather(*reloads)] == [200] * 3
        await exporter.shows(f"sms_credit_low_balance_threshold{{{OF_A}}} 60.0")


@pytest.mark.parametrize("by_request", [True, False], ids=["asked for by a request", "asked for by a signal"])
async def test_a_reload_that_hangs_does_not_delay_the_end(
    start_with_slow_files: Callable[[Path], Starting],
    config_file: ConfigFile,
    providers: Providers,
    tmp_path: Path,
    *,
    by_request: bool,
) -> None:
    """SIGTERM ends the process at once."""
    file = config_file(providers.configured("a", providers.add("23telecom")))
    async with start_with_slow_files(file) as exporter:
        await goes_on_polling(exporter)
        (tmp_path / "hold").touch()
        request = asyncio.create_task(exporter.http.post(f"{exporter.urls[0]}/-/reload")) if by_request else None
        exporter.process.send_signal(signal.SIGHUP)
        await goes_on_polling(exporter)
        begun = asyncio.get_running_loop().time()
        exporter.process.send_signal(signal.SIGTERM)
        assert await exporter.exit_code() == 0
        assert asyncio.get_running_loop().time() - begun < 5
        if request:
            with pytest.raises(httpx.HTTPError):
                await request
    assert not exporter.matching("level=error|Traceback")
