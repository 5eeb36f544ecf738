"""The file as YAML: its values, the line that each stands on, and the mistakes found in it."""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .composer import Composed, NotYaml, compose
from .files import UnusableFile, read

Steps = Sequence[Hashable]
"""The way to a value: keys and indexes."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a configuration file."""

    path: str
    """As in `accounts[1].poll_interval`; empty for the file as a whole."""
    text: str
    line: int | None
    """From 1."""

    def in_file(self, name: str) -> str:
        """Return the mistake as a line that editors can jump from."""
        place = f"{name}:{self.line}" if self.line else name
        return ": ".join(part for part in (place, self.path, self.text) if part)


class ConfigError(Exception):
    """The configuration cannot be used; holds every mistake."""

    def __init__(self, file: Path, mistakes: Iterable[Mistake]) -> None:
        """Order the mistakes as they stand in the file."""
        self.mistakes = sorted(mistakes, key=lambda mistake: mistake.line or 0)
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


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file."""

    file: Path
    _composed: Composed = field(repr=False)

    @property
    def values(self) -> object:
        """What the file says; None if nothing."""
        return self._composed.values

    @classmethod
    def read(cls, file: Path) -> "Document":
        """Read and parse a file. Raises ConfigError; its text never repeats what stands in the file."""
        line = None
        try:
            return cls(file, compose(read(file).decode("utf-8-sig")))
        except UnusableFile as unusable:
            text = str(unusable)
        except UnicodeDecodeError:
            text = "is not text in UTF-8"
        except NotYaml as error:
            text, line = f"is not valid YAML: {error.text}", error.line
        raise ConfigError(file, [Mistake("", text, line)])

    def mistake(self, steps: Steps, text: str) -> Mistake:
        """Return a mistake at the value that the steps lead to, or at the part of the way that exists."""
        return Mistake(_path_text(steps), text, self._line(steps))

    def _line(self, steps: Steps) -> int | None:
        value, line = self._composed.values, self._composed.line
        for step in steps:
            lines = self._composed.lines.get(id(value))
            if isinstance(lines, list) and isinstance(step, int) and step < len(lines):
                line, value = lines[step], value[step]
            elif isinstance(lines, dict) and str(step) in lines:
                line, value = lines[str(step)], value.get(step)
            else:
                break
        return line


def _path_text(steps: Steps) -> str:
    parts = (f"[{step}]" if isinstance(step, int) else f".{_shown_key(step)}" for step in steps)
    return "".join(parts).removeprefix(".")


def _shown_key(key: object) -> str:
    """Return a key as it stands, unless it could be a credential that slipped into the wrong place."""
    text = str(key)
    return text if re.fullmatch(r"[a-z_]{1,32}", text) else "…"
