"""The environment variables that decide how providers are reached, and what can be wrong with them.

httpx obeys SSL_CERT_FILE, else SSL_CERT_DIR, for the authorities to trust, and HTTPS_PROXY, ALL_PROXY and NO_PROXY for
the way. What it cannot use, it tells in a traceback.
"""

import os
import ssl
from pathlib import Path
from typing import Never
from urllib.request import getproxies

import httpx

from .config.files import UnusableFile, read
from .mistakes import EnvironmentMistake

_PROXIES = ("http", "https", "all")


def check_environment() -> None:
    """Try all that making the HTTP client will use. Raises EnvironmentMistake."""
    _check_authorities()
    _check_proxies()


def _refuse(variable: str, text: str) -> Never:
    message = f"{variable}: {text}"
    raise EnvironmentMistake(message)


def _check_authorities() -> None:
    if file := os.environ.get("SSL_CERT_FILE"):
        try:
            read(Path(file))
            ssl.create_default_context(cafile=file)
        except UnusableFile as unusable:
            _refuse("SSL_CERT_FILE", f"the file {unusable}")
        except ssl.SSLError:
            _refuse("SSL_CERT_FILE", "the file holds no certificate in PEM")
    elif (folder := os.environ.get("SSL_CERT_DIR")) and not Path(folder).is_dir():
        _refuse("SSL_CERT_DIR", "is not a folder that can be read")


def _check_proxies() -> None:
    """Have httpx read the variables, if there are any; where it fails, find out which of them it was."""
    proxies = getproxies()
    if not proxies:  # a first client brings in much that nothing else needs before the first poll
        return
    try:
        httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).close()
    except (ImportError, ValueError, httpx.InvalidURL):  # the first for SOCKS
        bad = next((scheme for scheme in _PROXIES if not _usable(proxies.get(scheme))), None)
    else:
        return
    if bad is None:
        _refuse("NO_PROXY", "must list host names or IP addresses, with commas between them")
    name = f"{bad}_proxy"  # the one in small letters comes first
    example = "http://proxy.example.com:3128"
    _refuse(
        name if name in os.environ else name.upper(),
        f"must be the address of an HTTP proxy such as {example}; SOCKS is not supported",
    )


def _usable(proxy: str | None) -> bool:
    if not proxy:
        return True
    try:
        return httpx.URL(proxy if "://" in proxy else f"http://{proxy}").scheme in {"http", "https"}
    except httpx.InvalidURL:
        return False
