"""The `healthcheck` command: does an exporter answer? Container images have no curl to ask with.

It runs every few seconds beside the exporter, so it imports nothing but the standard library.
"""

import socket
import ssl
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_PATIENCE = 5.0
"""Seconds that connecting may take, and each step that follows."""

_PORTS = {"http": 80, "https": 443}


def address(text: str) -> SplitResult:
    """Read the URL of an exporter, with the path it has behind a proxy. Raises ValueError."""
    try:
        url = urlsplit(text)
        if url.scheme in _PORTS and url.hostname and url.port != 0 and not (url.username or url.query or url.fragment):
            return url
    except ValueError:  # the port is none
        pass
    message = f"“{text}” is not a URL such as http://127.0.0.1:10767"
    raise ValueError(message)


def trouble(url: SplitResult) -> str | None:
    """Return why the exporter at this URL is not healthy, or None if it is. No redirect and no proxy is followed."""
    asked = url._replace(path=f"{url.path.rstrip('/')}/-/healthy")
    connection = HTTPConnection(str(url.hostname), url.port or _PORTS[url.scheme], timeout=_PATIENCE)
    try:
        connection.sock = _connected(url)
        connection.request("GET", asked.path, headers={"Connection": "close"})
        status = connection.getresponse().status
    except OSError as error:
        return f"{asked.geturl()}: {error.strerror or error}"
    except HTTPException:
        return f"{asked.geturl()}: what answers speaks no HTTP"
    finally:
        connection.close()
    return None if status == HTTPStatus.OK else f"{asked.geturl()}: {status}"


def _connected(url: SplitResult) -> socket.socket:
    """Connect, by TLS if the URL says so.

    Towards this machine itself the certificate is not verified. It names the host that scrapers know, not 127.0.0.1;
    nobody stands in between; and nothing secret is sent. Towards any other host it is verified.
    """
    plain = socket.create_connection((str(url.hostname), url.port or _PORTS[url.scheme]), _PATIENCE)
    if url.scheme == "http":
        return plain
    context = ssl.create_default_context()
    if ip_address(plain.getpeername()[0]).is_loopback:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=url.hostname)
