"""Files that a configuration consists of: regular ones of a bounded size, read without waiting for anybody."""

import contextlib
import errno
import glob
import hashlib
import os
import stat
from pathlib import Path

MAX_FILE = 32 * 2**20
"""Bytes; a hundred thousand accounts take less."""

_SIZES = {MAX_FILE: f"{MAX_FILE // 2**20} MiB"}


class UnusableFile(Exception):  # noqa: N818 - what is wrong is the file
    """A file cannot be read, or must not be. The text continues a sentence that begins with the file's name."""


def read(path: Path, most: int = MAX_FILE) -> bytes:
    """Return what a file holds, which is at most so many bytes. Raises UnusableFile."""
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


class Reader:
    """Reads all that a configuration consists of, and tells later whether any of it has changed."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._read: dict[tuple[Path, int], str] = {}
        self._matched: dict[tuple[Path, str], list[Path] | str] = {}

    def read(self, path: Path, most: int = MAX_FILE) -> bytes:
        """Return what a file holds, as `read` does, and remember it."""
        try:
            content = read(path, most)
        except UnusableFile as unusable:
            self._read[path, most] = str(unusable)
            raise
        self._read[path, most] = hashlib.sha256(content).hexdigest()
        return content

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """Return the files that a pattern names, as `matching` does, and remember them."""
        try:
            found = matching(folder, pattern)
        except UnusableFile as unusable:
            self._matched[folder, pattern] = str(unusable)
            raise
        self._matched[folder, pattern] = found
        return found

    @property
    def files(self) -> frozenset[Path]:
        """Every file that was read, or could not be."""
        return frozenset(path for path, _ in self._read)

    def changed(self) -> bool:
        """Whether reading it all again would give anything else. Content counts, and what a link leads to."""
        again = Reader()
        for path, most in self._read:
            with contextlib.suppress(UnusableFile):
                again.read(path, most)
        for folder, pattern in self._matched:
            with contextlib.suppress(UnusableFile):
                again.matching(folder, pattern)
        return (again._read, again._matched) != (self._read, self._matched)


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
            content = file.read(most + 1)
    if max(found.st_size, len(content)) > most:
        text = f"is larger than {_SIZES.get(most, f'{most} bytes')}"
        raise UnusableFile(text)
    return content
