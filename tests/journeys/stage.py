"""A machine of its own for a session of the documents: no network but the providers, who answer as simulated.

Usage: unshare --net python -m tests.journeys.stage FOLDER BALANCE, with session.sh in the folder. The session finds the
exporter as `sms-credit-exporter`, port 10767 free, and the real providers' names leading to the simulator.
"""

import asyncio
import fcntl
import os
import shlex
import socket
import ssl
import struct
import sys
from decimal import Decimal
from pathlib import Path

import httpx
import trustme

from scripts.development.proxy import HOSTS, proxying
from sms_credit_core import PROVIDERS
from sms_credit_exporter.simulator.behaviour import Live
from sms_credit_exporter.simulator.server import Simulator
from tests.conftest import ROOT

KEY = "made-up-key"
"""Every credential of every account."""

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1


def raise_loopback() -> None:
    """Have 127.0.0.1, which a new network does not."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _IFF_UP))


def opened(balance: Decimal) -> Simulator:
    """Open an account at each provider; those that say so have this balance."""
    simulator = Simulator()
    for provider in PROVIDERS.values():
        credentials = {field.name: KEY for field in provider.credentials if field.required}
        account = simulator.add(provider.key, credentials=credentials)
        if provider.key == "23telecom":
            account.answer_with(Live(balance=balance))
    return simulator


def installed(folder: Path) -> str:
    """Put the exporter where a shell finds it; return the path on which it does."""
    program = folder / "bin/sms-credit-exporter"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sms_credit_exporter "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


async def play(folder: Path, balance: Decimal) -> int:
    """Run the session; return its exit code."""
    raise_loopback()
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*HOSTS).configure_cert(tls)
    trusted = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    async with opened(balance).serving(ssl_context=tls) as base_urls:
        port = httpx.URL(base_urls["23telecom"]).port or 0
        async with proxying(port) as proxy:
            environment = {
                **os.environ,
                "PATH": installed(folder),
                "HOME": str(folder / "home"),
                "PYTHONPATH": str(ROOT),
                "HTTPS_PROXY": proxy,
                "NO_PROXY": "127.0.0.1,localhost",
                "SSL_CERT_FILE": str(trusted),
            }
            session = await asyncio.create_subprocess_exec("bash", "session.sh", cwd=folder / "work", env=environment)
            return await session.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(play(Path(sys.argv[1]), Decimal(sys.argv[2]))))
