"""`scripts/demo --with-prometheus`: one command, three servers, and notifications on the terminal."""

import asyncio
import re
import signal
import sys
from collections.abc import Callable

import httpx

from tests.conftest import ROOT
from tests.exporter.running import LISTEN, PATIENCE, free_port

Tool = Callable[[str], str]


async def test_one_command_shows_everything_and_ends_cleanly(tool: Tool) -> None:
    """Within a minute there are notifications of both kinds; then all of it ends with one signal."""
    for needed in ("prometheus", "prometheus-alertmanager"):
        tool(needed)
    prometheus, alertmanager = (f"127.0.0.1:{free_port()}" for _ in range(2))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "grafana.demo", LISTEN),
        *(f"--prometheus={prometheus}", f"--alertmanager={alertmanager}"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        async with asyncio.timeout(PATIENCE):
            said = re.search(rb"Exporter +http://(127.0.0.1:\d+)", await process.stdout.readline())
        assert said
        exporter = said[1].decode()
        wanted = {
            rb"tickets +firing +SmsCreditAuthFailed: iletimerkezi refuses the credentials of account courier-app\.",
            rb"on-call +firing +SmsCreditBlocked: 23telecom sends nothing for account on-call until it is topped up\.",
        }
        async with asyncio.timeout(100), httpx.AsyncClient(trust_env=False) as http:
            while wanted:
                line = await process.stdout.readline()
                assert line
                wanted -= {pattern for pattern in wanted if re.search(pattern, line)}
            assert "Demo." in (await http.get(f"http://{exporter}")).text
            alerts = (await http.get(f"http://{alertmanager}/api/v2/alerts")).json()
            rules = (await http.get(f"http://{prometheus}/api/v1/rules")).json()["data"]["groups"]
        assert {alert["labels"]["alertname"] for alert in alerts} >= {"SmsCreditAuthFailed"}
        assert [rule for group in rules for rule in group["rules"] if rule["health"] != "ok"] == []
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    async with httpx.AsyncClient(trust_env=False) as http:
        gone = await asyncio.gather(
            *(http.get(f"http://{address}") for address in (exporter, prometheus, alertmanager)), return_exceptions=True
        )
    assert [type(each) for each in gone] == [httpx.ConnectError] * 3
