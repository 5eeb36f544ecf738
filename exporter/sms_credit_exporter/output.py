"""Standard output and standard error: either may be closed, full or cut off, or know too few letters."""

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO


class OutputFailed(Exception):  # noqa: N818 - it says what happened
    """What was to be printed could not be."""


def set_up() -> None:
    """Write what a terminal has no letters for as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def knows_every_letter() -> bool:
    """Whether standard output needs no escapes."""
    return sys.stdout is not None and codecs.lookup(sys.stdout.encoding).name.startswith("utf")


def show(text: str) -> None:
    """Print to standard output, all of it. Raises OutputFailed."""
    if sys.stdout is None:  # Python's word for one that is closed
        message = "cannot write to standard output: it is closed"
        raise OutputFailed(message)
    with _failing(sys.stdout):
        sys.stdout.write(f"{text}\n")
    finish()


def finish() -> None:
    """Print to standard output what still waits in its buffer. Raises OutputFailed."""
    if sys.stdout is not None:
        with _failing(sys.stdout):
            sys.stdout.flush()


def complain(text: str) -> None:
    """Print to standard error if that is possible. If not, the exit code must do."""
    if sys.stderr is not None:
        with contextlib.suppress(OutputFailed), _failing(sys.stderr):
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()


@contextlib.contextmanager
def _failing(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Python tries to write the rest when it ends, and would fail again, with a traceback.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        message = f"cannot write to standard output: {error.strerror}"
        raise OutputFailed(message) from None
