"""Standard output and standard error: either may be closed, full or cut off, or know too few letters."""

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TextIO


class OutputFailed(Exception):  # noqa: N818 - it says what happened
    """What was to be printed could not be."""


class Colour(StrEnum):
    """How a terminal shows a word (ECMA-48)."""

    NONE = ""
    BOLD = "1"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"


COLOURING = ("auto", "always", "never")
"""When to colour; `auto` is on a terminal, unless NO_COLOR is set (https://no-color.org)."""


def uncoloured(text: str, _: Colour) -> str:
    """Return text as it is."""
    return text


def _coloured(text: str, colour: Colour) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def painter(when: str) -> Callable[[str, Colour], str]:
    """Return what colours words on standard output, if it is to be coloured."""
    auto = _is_terminal(sys.stdout) and not os.environ.get("NO_COLOR")
    return _coloured if when == "always" or (when == "auto" and auto) else uncoloured


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Show texts on standard error, each in the place of the one before, and in the end none; on a terminal only."""
    if sys.stderr is None or not _is_terminal(sys.stderr):
        yield lambda _: None
        return
    stream = sys.stderr

    def show(text: str) -> None:
        with contextlib.suppress(OutputFailed), _failing(stream):
            stream.write(f"\r{text}\x1b[K")
            stream.flush()

    try:
        yield show
    finally:
        show("")


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
