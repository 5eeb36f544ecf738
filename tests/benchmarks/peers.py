"""What else serves such numbers: nginx the finished text, Pushgateway and prometheus-client the same samples."""

import gzip
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from prometheus_client import Metric, start_http_server
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector, CollectorRegistry

from tests.benchmarks.processes import Server, answered, started
from tests.conftest import program
from tests.exporter.running import NGINX as NGINX_BINARY
from tests.exporter.running import free_port, nginx

NGINX, PUSHGATEWAY, CLIENT_LIBRARY = "nginx", "Pushgateway", "prometheus-client"

_AS_A_FILE = """
    root {folder}; sendfile on; tcp_nopush on; gzip_static on; default_type text/plain;
    location = /-/healthy {{ return 200 "Healthy.\\n"; }}
"""


@asynccontextmanager
async def peers(text: bytes, folder: Path) -> AsyncIterator[Mapping[str, Server | None]]:
    """Run all that are installed, each with this text of a scrape; None stands for what is not."""
    async with AsyncExitStack() as stack:
        yield {
            NGINX: await _nginx(stack, text, folder / "nginx"),
            PUSHGATEWAY: await _pushgateway(stack, text, folder),
            CLIENT_LIBRARY: await _client_library(stack, text, folder / "metrics.txt"),
        }


async def _nginx(stack: AsyncExitStack, text: bytes, folder: Path) -> Server | None:
    binary = program(NGINX_BINARY)
    if binary is None:
        return None
    folder.mkdir()
    (folder / "metrics").write_bytes(text)
    (folder / "metrics.gz").write_bytes(gzip.compress(text, 1))
    port = free_port()
    await stack.enter_async_context(nginx(binary, port, _AS_A_FILE.format(folder=folder), folder))
    return Server(pid=0, port=port)


async def _pushgateway(stack: AsyncExitStack, text: bytes, folder: Path) -> Server | None:
    binary = program("prometheus-pushgateway")
    if binary is None:
        return None
    port = free_port()
    process = await stack.enter_async_context(
        started(binary, f"--web.listen-address=127.0.0.1:{port}", log=folder / "pushgateway.log")
    )
    server = Server(pid=process.pid, port=port)
    await answered(server)
    async with httpx.AsyncClient(trust_env=False, timeout=300) as client:
        url = f"http://127.0.0.1:{port}/metrics/job/sms-credit"
        (await client.put(url, content=_of_accounts(text))).raise_for_status()
    return server


def _of_accounts(text: bytes) -> bytes:
    """Return the part about accounts; the rest is about the process, and a Pushgateway has that of its own."""
    return text[: text.index(b"# HELP sms_credit_exporter_")]


async def _client_library(stack: AsyncExitStack, text: bytes, file: Path) -> Server:
    file.write_bytes(text)
    process = await stack.enter_async_context(started(sys.executable, "-m", "tests.benchmarks.peers", str(file)))
    assert process.stdout
    return Server(pid=process.pid, port=int(await process.stdout.readline()))


class _Ready(Collector):
    """Families that were made long ago, so that only rendering them is left."""

    def __init__(self, text: str) -> None:
        self._metrics = list(text_string_to_metric_families(text))

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def registry_of(text: str) -> CollectorRegistry:
    """Return a registry of prometheus-client with the families of a text."""
    registry = CollectorRegistry()
    registry.register(_Ready(text))
    return registry


def main(file: str) -> None:
    """Serve the families of a text with prometheus-client's own server; print on which port."""
    server, serving = start_http_server(0, "127.0.0.1", registry_of(Path(file).read_text()))
    print(server.server_port, flush=True)
    serving.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
