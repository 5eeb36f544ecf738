"""Files that a configuration consists of: regular ones of a bounded size, read without waiting for anybody."""

import errno
import glob
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from pathlib import Path

MAX_FILE = 32 * 2**20
"""Bytes; a hundred thousand accounts take less."""

_LEAST_READ = 4096
"""Bytes that are read at once."""

_SIZES = {MAX_FILE: f"{MAX_FILE // 2**20} MiB"}


class UnusableFile(Exception):  # noqa: N818 - what is wrong is the file
    """A file cannot be read, or must not be. The text continues a sentence that begins with the file's name."""


_notes: ContextVar[dict[Path, bytes] | None] = ContextVar("notes", default=None)


@contextmanager
def noted() -> Iterator[Mapping[Path, bytes]]:
    """Note every file that is read within: by its path a digest of what it holds, or of why it cannot be read."""
    notes: dict[Path, bytes] = {}
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def noted_so_far() -> frozenset[Path]:
    """Return the paths of the files that have been noted by now; none outside of `noted`."""
    return frozenset(_notes.get() or ())


def _note(path: Path, what: bytes) -> None:
    if (notes := _notes.get()) is not None:
        notes[path] = sha256(what).digest()


def read(path: Path, most: int = MAX_FILE) -> bytes:
    """Return what a file holds, which is at most so many bytes. Raises UnusableFile."""
    try:
        content = _read(path, most)
    except UnusableFile as unusable:
        _note(path, b"unusable\0" + str(unusable).encode())
        raise
    _note(path, b"content\0" + content)
    return content


def _read(path: Path, most: int) -> bytes:
    try:
        # Without O_NONBLOCK, opening a pipe would wait until somebody writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            return _regular(descriptor, most)
        finally:
            os.close(descriptor)
    except ValueError:  # a zero byte, or letters that no path can have
        why = "not a path"
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise UnusableFile(_NOT_REGULAR) from None
        why = error.strerror or "not a path"
    text = f"cannot be read: {why}"
    raise UnusableFile(text)


def matching(folder: Path, pattern: str) -> list[Path]:
    """Return the files that a pattern names, in the order of their names; a relative one starts at the folder.

    A plain name is returned whether or not there is such a file. As in Prometheus, a pattern may match nothing, and **
    is no more than *. Unlike there, what begins with a dot is left out: where Kubernetes mounts files, it keeps folders
    of its own under such names. Raises UnusableFile if the folder to look into cannot be read.
    """
    if not glob.has_magic(pattern):
        return [folder / pattern]
    parent = folder / os.path.dirname(pattern)  # noqa: PTH120 - keeps the pattern as it is written
    try:
        if not glob.has_magic(str(parent)):
            os.scandir(parent).close()  # glob itself says nothing of what it cannot read
        return [folder / name for name in sorted(glob.glob(pattern, root_dir=folder))]  # noqa: PTH207 - see above
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        text = f"cannot be looked into: {getattr(error, 'strerror', None) or 'not a path'}"
        raise UnusableFile(text) from None


_NOT_REGULAR = "is not a regular file"


def _regular(descriptor: int, most: int) -> bytes:
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise UnusableFile(_NOT_REGULAR)
    content = b""
    if found.st_size <= most:
        with open(descriptor, "rb", closefd=False) as file:
            # Python makes room for all that it is asked for; for some files the system tells no size.
            while len(content) <= most and (more := file.read(max(found.st_size, _LEAST_READ) + 1)):
                content += more
    if max(found.st_size, len(content)) > most:
        text = f"is larger than {_SIZES.get(most, f'{most} bytes')}"
        raise UnusableFile(text)
    return content
