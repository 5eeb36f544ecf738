"""Sockets that systemd listens on for the exporter: they take connections while it starts, and while it is restarted.

The protocol is that of sd_listen_fds(3): descriptors from 3 on, as many as LISTEN_FDS says, for the process LISTEN_PID.
"""

import contextlib
import os
import socket
from collections.abc import MutableMapping, Sequence

from .mistakes import EnvironmentMistake

_FIRST = 3
_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


def passed_sockets(environ: MutableMapping[str, str] = os.environ) -> Sequence[socket.socket]:
    """Take over the sockets, once; at least one. Raises EnvironmentMistake."""
    given = {name: environ.pop(f"LISTEN_{name}", "") for name in ("PID", "FDS", "FDNAMES")}
    count = given["FDS"] if given["PID"] == str(os.getpid()) else ""
    if not count.isdecimal() or int(count) == 0:
        message = (
            "--web.systemd-socket: systemd has passed no socket to this process; have it started by a .socket unit, "
            "or leave the option out"
        )
        raise EnvironmentMistake(message)
    return [_taken(descriptor) for descriptor in range(_FIRST, _FIRST + int(count))]


def _taken(descriptor: int) -> socket.socket:
    """Return the listening socket behind a descriptor."""
    with contextlib.suppress(OSError):  # it is closed, or no socket
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - it takes no names
        taken = socket.socket(fileno=descriptor)
        if taken.family in _FAMILIES and taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return taken
    message = (
        f"--web.systemd-socket: descriptor {descriptor} is no socket that takes connections; "
        "the .socket unit needs ListenStream= and Accept=no"
    )
    raise EnvironmentMistake(message)
