"""The file as YAML: its values, the line that each stands on, and the mistakes found in it."""

import re
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..mistakes import FileError, Mistake
from .composer import Composed, NotYaml, compose
from .files import UnusableFile, read

Steps = Sequence[Hashable]
"""The way to a value: keys and indexes."""


class ConfigError(FileError):
    """The configuration cannot be used; holds every mistake."""


class Source(Protocol):
    """Where accounts are from: a file, or the environment."""

    @property
    def file(self) -> Path:
        """What people call it; relative paths that stand in it start at its folder."""

    @property
    def values(self) -> object:
        """What it says; None if nothing."""

    def mistake(self, steps: Steps, text: str) -> Mistake:
        """Return a mistake at the value that the steps lead to."""


@dataclass(slots=True, eq=False)
class Document:
    """A parsed file."""

    file: Path
    values: object = field(repr=False)
    """What the file says; None if nothing."""
    _text: str = field(repr=False)
    _known: Collection[str] = ()
    """Keys that are shown although they look unlike keys."""
    _composed: Composed | None = field(default=None, repr=False)
    """The text with its lines, from the first mistake on."""

    @classmethod
    def read(cls, file: Path, known: Collection[str] = ()) -> "Document":
        """Read and parse a file. Raises ConfigError; its text never repeats what stands in the file.

        `known` are keys that mistakes may name although they look unlike keys.
        """
        line = None
        try:
            text = read(file).decode("utf-8-sig")
            return cls(file, compose(text).values, text, known)
        except UnusableFile as unusable:
            text = str(unusable)
        except UnicodeDecodeError:
            text = "is not text in UTF-8"
        except NotYaml as error:
            text, line = f"is not valid YAML: {error.text}", error.line
        raise ConfigError(file, [Mistake("", text, line, file)])

    def mistake(self, steps: Steps, text: str) -> Mistake:
        """Return a mistake at the value that the steps lead to, or at the part of the way that exists."""
        return Mistake(path_text(steps, self._known), text, self._line(steps), self.file)

    def _line(self, steps: Steps) -> int | None:
        self._composed = self._composed or compose(self._text, located=True)
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


def path_text(steps: Steps, known: Collection[str] = ()) -> str:
    """Write the way to a value as in accounts[1].name. No key that could be a credential is repeated, if not known."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{_shown_key(step, known)}" for step in steps)
    return "".join(parts).removeprefix(".")


def _shown_key(key: object, known: Collection[str]) -> str:
    """Return a key as it stands, unless it could be a credential that slipped into the wrong place."""
    text = str(key)
    return text if text in known or re.fullmatch(r"[a-z_]{1,32}", text) else "…"
