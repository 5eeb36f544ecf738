"""Mistakes in what people write: files, each mistake with its place and all at once; the environment; the storage."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a file, or in the environment."""

    path: str
    """As in `accounts[1].poll_interval`, or a column, or a variable; empty for the whole."""
    text: str
    line: int | None
    """From 1."""
    file: Path | None = None
    """Where it stands; None for the file that was asked for."""

    def in_file(self, name: str) -> str:
        """Return the mistake as a line that editors can jump from."""
        name = str(self.file or name)
        place = f"{name}:{self.line}" if self.line else name
        return ": ".join(part for part in (place, self.path, self.text) if part)


class FileError(Exception):
    """A file cannot be used; holds every mistake."""

    def __init__(self, file: Path, mistakes: Iterable[Mistake]) -> None:
        """Order the mistakes as they stand in the files: the one that was asked for first, then by their names."""
        self.mistakes = sorted(
            mistakes,
            key=lambda mistake: (mistake.file not in {None, file}, str(mistake.file or file), mistake.line or 0),
        )
        self._file = file
        super().__init__(file, len(self.mistakes))

    def __str__(self) -> str:
        """Tell every mistake, each on a line."""
        return self.told()

    def told(self, most: int | None = None) -> str:
        """Tell the first so many mistakes, each on a line, and how many there are."""
        lines = [mistake.in_file(str(self._file)) for mistake in self.mistakes[:most]]
        more = len(self.mistakes) - len(lines)
        return "\n".join([*lines, *([f"and {more:,} more"] if more else [])])


class EnvironmentMistake(Exception):  # noqa: N818 - what a person got wrong is a mistake, here as in a file
    """A variable that cannot be used. Its value is never repeated: a proxy's may hold a password."""


class StorageMistake(Exception):  # noqa: N818 - likewise
    """The storage cannot be used, and somebody has to see to it before the exporter starts."""
