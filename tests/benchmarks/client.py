"""Asks servers and measures how long they take, in a process of its own; reads its task from standard input.

It has nothing but the standard library and reads into one buffer, so that what it measures is the server. What nginx
takes to send a file to it is the floor.
"""

import http.client
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Times = dict[str, list[tuple[float, float, float]]]
"""Of each server: when it was asked, when the answer began, and when it ended, in monotonic seconds."""

_LEAST = 3
"""Rounds."""

_BUFFER = memoryview(bytearray(2**20))


@dataclass
class Target:
    """What is asked for."""

    port: int
    path: str
    gzip: bool = False
    every: int = 1
    """It is asked in one of so many rounds."""
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        """Open nothing yet; the connection is kept from the first request on, as Prometheus keeps it."""
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self) -> tuple[float, float, float]:
        """Ask once, and read the answer to its end. Raises OSError for anything but a 200."""
        headers = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "gzip" if self.gzip else "identity"}
        begun = time.monotonic()
        self.connection.request("GET", self.path, headers=headers)
        response = self.connection.getresponse()
        first = time.monotonic()
        while response.readinto(_BUFFER):
            pass
        last = time.monotonic()
        if response.status != http.client.OK or (response.getheader("Content-Encoding") == "gzip") != self.gzip:
            message = f"{self.path} on port {self.port}: {response.status}, {response.getheader('Content-Encoding')}"
            raise OSError(message)
        return begun, first, last


def in_rounds(targets: Mapping[str, Target], *, seconds: float, pause: float, rounds: int) -> Times:
    """Ask all in turn, after a pause again, for so long or so many times; at least three.

    Every other round goes backwards: whoever is asked first may have more work left to do.
    """
    times: Times = {name: [] for name in targets}
    until = time.monotonic() + seconds
    for number in range(rounds):
        for name in list(targets)[:: -1 if number % 2 else 1]:
            if number % targets[name].every == 0:
                times[name].append(targets[name].ask())
        if time.monotonic() > until and number >= _LEAST - 1:
            break
        time.sleep(pause)
    return times


def at_all_times(targets: Mapping[str, Target], *, seconds: float, pause: float) -> Times:
    """Ask all in turn with hardly a pause, for so long."""
    times: Times = {name: [] for name in targets}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, target in targets.items():
            times[name].append(target.ask())
        time.sleep(pause)
    return times


_WAYS: Mapping[str, Callable[..., Times]] = {"in rounds": in_rounds, "at all times": at_all_times}


def main() -> None:
    """Do the task, and write the times to standard output."""
    task = json.load(sys.stdin)
    targets = {name: Target(**target) for name, target in task.pop("targets").items()}
    json.dump(_WAYS[task.pop("way")](targets, **task), sys.stdout)


if __name__ == "__main__":
    main()
