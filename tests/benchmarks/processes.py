"""The processes that are measured: started, timed, and asked of the system what they take."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import ROOT
from tests.exporter.running import free_port

_TICKS = os.sysconf("SC_CLK_TCK")

BARE = "import aiohttp.web, httpx, prometheus_client"
"""The exporter's three largest libraries, without which nothing here starts or is any smaller."""

READY = f"{BARE}, bcrypt, jinja2, sqlite3, structlog, voluptuous, yaml; httpx.AsyncClient()"
"""All of them, and a client that could ask: HTTPX loads what it needs for that, and the authorities, no sooner."""

_TELL = "import time; print(time.process_time()); print(open('/proc/self/status').read())"

_TO_END = 30.0
"""Seconds that a process is given to end by itself."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that runs, and where its answers are."""

    pid: int
    port: int
    path: str = "/metrics"


@dataclass(frozen=True, kw_only=True)
class Exporter(Server):
    """An exporter that runs."""

    process: asyncio.subprocess.Process
    started_in: float
    """Seconds until the first scrape was answered."""
    since: float
    """Unix time of that."""


@dataclass(frozen=True)
class Memory:
    """What a process holds in memory, in MiB."""

    now: float
    peak: float

    @classmethod
    def parse(cls, status: str) -> "Memory":
        """Read what the system says of a process."""
        kilobytes = {name: int(size) for name, size in re.findall(r"(?m)^(VmRSS|VmHWM):\s+(\d+) kB$", status)}
        return cls(kilobytes["VmRSS"] / 1024, kilobytes["VmHWM"] / 1024)

    @classmethod
    def of(cls, pid: int) -> "Memory":
        """Look at a process that runs."""
        return cls.parse(Path(f"/proc/{pid}/status").read_text())


def cpu_seconds(pid: int) -> float:
    """Return the seconds of CPU that a process has taken so far."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS


@asynccontextmanager
async def started(
    *command: str, limit: int = 2**16, log: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command with pipes for its input and output; it is ended with the block.

    A line of its output has at most `limit` bytes. What it says of errors goes to `log`, if that is given.
    """
    with log.open("wb") if log else contextlib.nullcontext() as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            limit=limit,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.communicate(), _TO_END)
        except TimeoutError:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def exporter(config: Path, *arguments: str) -> AsyncIterator[Exporter]:
    """Run an exporter, from its cold start on."""
    port = free_port()
    command = ("serve", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn")
    begun = time.monotonic()
    async with started(
        *(sys.executable, "-m", "sms_credit_exporter", *command, *arguments), log=config.with_suffix(f".{port}.log")
    ) as process:
        first = asyncio.create_task(answered(Server(pid=process.pid, port=port)))
        ended = asyncio.create_task(process.wait())
        await asyncio.wait((first, ended), return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        assert process.returncode is None, config.with_suffix(f".{port}.log").read_text()
        await first
        took, since = time.monotonic() - begun, time.time()
        yield Exporter(pid=process.pid, port=port, process=process, started_in=took, since=since)


async def answered(server: Server) -> bytes:
    """Wait until a server listens, and return its first answer."""
    while True:
        try:
            return await asyncio.to_thread(fetched, server)
        except ConnectionRefusedError:
            await asyncio.sleep(0.002)


def fetched(server: Server, path: str | None = None, **headers: str) -> bytes:
    """Ask a server. Raises OSError if it cannot be reached, or answers with anything but a 200."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    with contextlib.closing(connection):
        connection.request("GET", path or server.path, headers=headers)
        response = connection.getresponse()
        if response.status != http.client.OK:
            message = f"{path or server.path}: {response.status}"
            raise OSError(message)
        return response.read()


@dataclass(frozen=True, slots=True)
class Answers:
    """What a client found of one server."""

    times: Sequence[tuple[float, float, float]]
    """When it was asked, when the answer began, and when it ended, in monotonic seconds."""

    def __bool__(self) -> bool:
        """Whether there was any answer."""
        return bool(self.times)

    @property
    def milliseconds(self) -> list[float]:
        """How long each took to its last byte."""
        return [1000 * (last - begun) for begun, _, last in self.times]

    @property
    def first_bytes(self) -> list[float]:
        """How long each took to its first byte, in milliseconds."""
        return [1000 * (first - begun) for begun, first, _ in self.times]

    def beside(self, other: tuple[float, float, float]) -> "Answers":
        """Return those that were waited for while another was."""
        return Answers([each for each in self.times if each[0] < other[2] and other[0] < each[2]])

    def after(self, other: tuple[float, float, float]) -> "Answers":
        """Return the first that was asked for once another had come, if there is one."""
        return Answers([*islice((each for each in self.times if each[0] >= other[2]), 1)])

    def without(self, others: "Answers") -> "Answers":
        """Return those that were waited for while none of the others was."""
        busy = {each for other in others.times for each in self.beside(other).times}
        return Answers([each for each in self.times if each not in busy])


async def asked(way: str, targets: Mapping[str, Mapping[str, object]], **task: object) -> dict[str, Answers]:
    """Have a client of its own ask; see client.py for the ways."""
    async with started(sys.executable, "-m", "tests.benchmarks.client", limit=2**28) as process:
        out, _ = await process.communicate(json.dumps({"way": way, "targets": targets, **task}).encode())
        assert process.returncode == 0, f"the client has failed: {targets}"
        return {
            name: Answers([(begun, first, last) for begun, first, last in each])
            for name, each in json.loads(out).items()
        }


class Imported(NamedTuple):
    """What importing libraries takes."""

    seconds: float
    cpu: float
    """Seconds."""
    memory: Memory


async def imported(libraries: str) -> Imported:
    """Import libraries in a process of their own."""
    begun = time.monotonic()
    async with started(sys.executable, "-c", f"{libraries}; {_TELL}") as process:
        out, _ = await process.communicate()
        took = time.monotonic() - begun
    cpu, _, status = out.decode().partition("\n")
    return Imported(took, float(cpu), Memory.parse(status))


def value_of(text: bytes, name: str) -> float:
    """Return the sum of all samples of a metric."""
    found: list[Any] = re.findall(rb"(?m)^%s(?:\{.*\})? (\S+)$" % name.encode(), text)
    return sum(map(float, found))
