"""The exporter on a machine whose resolver says of localhost what a file says, by port.

`python names.py FILE ARGUMENTS...` runs the exporter. The file is JSON, and may change at any time. Everything else is
looked up as ever. The real resolver can be led astray by root only.
"""

import json
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults.table import Name

UNROUTABLE = "255.255.255.255"
"""Nothing can be sent there by TCP."""

_ERRORS = {
    Name.UNKNOWN: (socket.EAI_NONAME, "Name or service not known"),
    Name.LATER: (socket.EAI_AGAIN, "Temporary failure in name resolution"),
}

_PATIENCE = 0.05


def lead(file: Path, names: Mapping[int, Name]) -> None:
    """Write down what becomes of localhost at these ports; elsewhere it is known."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps({port: name.name for port, name in names.items()}))
    new.rename(file)


def led_astray(file: Path, look_up: Callable[..., Any]) -> Callable[..., Any]:
    """Return a resolver that goes by the file."""

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        while (name := Name[json.loads(file.read_text()).get(str(port), "KNOWN")]) is Name.SILENT:
            time.sleep(_PATIENCE)
        if name in _ERRORS:
            raise socket.gaierror(*_ERRORS[name])
        return look_up(UNROUTABLE if name is Name.UNROUTABLE else host, port, *args, **kwargs)

    return getaddrinfo


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    socket.getaddrinfo = led_astray(file, socket.getaddrinfo)
    from sms_credit_exporter import cli

    sys.exit(cli.main())
