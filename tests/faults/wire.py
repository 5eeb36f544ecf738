"""What a server does on one connection, step by step: the words that the fault matrix is written in."""

import os
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 64 * 1024
"""Bytes that are read at once."""

CLIENTS_PATIENCE = 300.0
"""Seconds after which a server stops waiting for a client that has neither asked nor gone; its machine may be busy."""


@dataclass(slots=True)
class Peer:
    """One connection with a client, from the server's side."""

    sock: socket.socket
    contexts: Mapping[str, ssl.SSLContext]
    """What TLS is spoken with, by what is the matter with it."""
    body_for: Callable[[str], bytes]
    """The healthy body for whoever asked under this name."""
    raw: socket.socket = field(init=False)
    """The same connection, past TLS."""
    asked_by: str = ""
    """The first part of the path that was asked for; it names the account."""
    request: bytes = field(default=b"", repr=False)
    told_at: float | None = None
    """Unix time from which on it was told to wait, where the answer counts from there."""

    def __post_init__(self) -> None:
        """Keep a way past TLS."""
        self.sock.settimeout(CLIENTS_PATIENCE)
        self.raw = socket.socket(fileno=os.dup(self.sock.fileno()))
        self.raw.settimeout(CLIENTS_PATIENCE)

    def close(self) -> None:
        """Close without a reset: that would take away what the client has not read yet."""
        with suppress(OSError):
            self.raw.shutdown(socket.SHUT_WR)
            wait_for_leaving(self)
        self.sock.close()
        self.raw.close()


Template = Callable[[bytes], bytes]
"""What is sent around a body, or made of it."""


@dataclass(frozen=True, slots=True)
class Say:
    """Send what a template makes of the healthy body."""

    template: Template


Step = bytes | float | Say | Callable[[Peer], None]
"""Send these bytes, pause for so many seconds, send what a template makes, or do this."""

Script = Sequence[Step]
"""At its end the server closes the connection."""


def play(peer: Peer, script: Script) -> None:
    """Do one step after the other. Raises OSError once the client has gone."""
    for step in script:
        if isinstance(step, bytes):
            peer.sock.sendall(step)
        elif isinstance(step, float):
            time.sleep(step)
        elif isinstance(step, Say):
            peer.sock.sendall(step.template(peer.body_for(peer.asked_by)))
        else:
            step(peer)


# --- what a server does, besides sending --------------------------------------------------------------------------


def read(peer: Peer) -> None:
    """Read a request to its end. Raises OSError if there is none."""
    head, body = b"", b""
    while b"\r\n\r\n" not in head:
        head += _some(peer)
    head, _, body = head.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    lengths = [int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length:")]
    while len(body) < sum(lengths):
        body += _some(peer)
    peer.request = head + b"\r\n\r\n" + body
    peer.asked_by = lines[0].split()[1].decode().split("/")[1]


def _some(peer: Peer) -> bytes:
    data = peer.sock.recv(CHUNK)
    if not data:
        raise ConnectionAbortedError
    return data


def handshake(kind: str = "good") -> Callable[[Peer], None]:
    """Begin TLS, with what is the matter with it."""

    def begin(peer: Peer) -> None:
        secured = peer.contexts[kind].wrap_socket(peer.sock, server_side=True, do_handshake_on_connect=False)
        secured.settimeout(CLIENTS_PATIENCE)
        peer.sock = secured
        secured.do_handshake()

    return begin


def hello(peer: Peer) -> None:
    """Take in how the client begins TLS, and say nothing."""
    _some(peer)


def reset(peer: Peer) -> None:
    """Break the connection off as a crashed machine or a firewall does."""
    peer.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.sock.close()
    peer.raw.close()


def wait_for_leaving(peer: Peer) -> None:
    """Be silent until the client goes."""
    while peer.raw.recv(CHUNK):
        pass


def past_tls(data: bytes) -> Callable[[Peer], None]:
    """Send what TLS cannot read."""
    return lambda peer: peer.raw.sendall(data)


def cut(peer: Peer) -> None:
    """Close the connection without a word of TLS."""
    peer.raw.shutdown(socket.SHUT_WR)
    wait_for_leaving(peer)


def drip(template: Template, every: float = 1.0) -> Callable[[Peer], None]:
    """Send byte by byte, so that each comes in time and the whole never does; the last one is never sent."""

    def send(peer: Peer) -> None:
        for byte in template(peer.body_for(peer.asked_by))[:-1]:
            peer.sock.sendall(bytes([byte]))
            time.sleep(every)
        wait_for_leaving(peer)

    return send


def repeat(data: bytes, every: float = 0.0) -> Callable[[Peer], None]:
    """Send the same until the client goes."""

    def send(peer: Peer) -> None:
        while True:
            peer.sock.sendall(data)
            time.sleep(every)

    return send


# --- what is sent -------------------------------------------------------------------------------------------------


def start(*headers: bytes, status: bytes = b"200 OK", version: bytes = b"HTTP/1.1") -> Template:
    """Write an answer without its length; the closing ends it."""
    return lambda body: b"\r\n".join((version + b" " + status, *headers, b"", body))


def whole(*headers: bytes, status: bytes = b"200 OK", of: Template = bytes) -> Template:
    """Write an answer with its length; `of` makes its body of the healthy one."""

    def write(body: bytes) -> bytes:
        made = of(body)
        return start(*headers, b"Content-Length: %d" % len(made), status=status)(made)

    return write


def fixed(data: bytes) -> Template:
    """Send this, whatever the healthy body is."""
    return lambda _body: data


def first(share: float, template: Template) -> Template:
    """Send the first part of what a template makes."""

    def write(body: bytes) -> bytes:
        made = template(body)
        return made[: int(len(made) * share)]

    return write


def half_body(*headers: bytes) -> Template:
    """Write an answer whose body ends in the middle, though its length is told."""
    return lambda body: start(*headers, b"Content-Length: %d" % len(body))(body[: len(body) // 2])


def chunks(*parts: Template, end: bytes = b"0\r\n\r\n") -> Template:
    """Write an answer in chunks."""

    def write(body: bytes) -> bytes:
        made = [part(body) for part in parts]
        return start(b"Transfer-Encoding: chunked")(
            b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in made) + end
        )

    return write


# --- where a server listens ---------------------------------------------------------------------------------------


def reusable(port: int) -> socket.socket:
    """Bind a socket to a port that others may be bound to too; only one of them listens."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """Have the system drop whatever asks for a connection: the queue is full, and nobody takes anybody out of it."""
    with reusable(port) as listening, socket.socket() as one, socket.socket() as another:
        listening.listen(0)
        for filler in (one, another):
            filler.settimeout(0)
            filler.connect_ex(("127.0.0.1", port))
        yield
