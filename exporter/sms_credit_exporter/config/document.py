"""The file as YAML: its values, the line that each stands on, and the mistakes found in it."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

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
        super().__init__("\n".join(mistake.in_file(str(file)) for mistake in self.mistakes))


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file."""

    file: Path
    values: Any = field(repr=False)
    _root: yaml.Node | None = field(repr=False)

    @classmethod
    def read(cls, file: Path) -> "Document":
        """Read and parse a file. Raises ConfigError; its text never repeats what stands in the file."""
        line = None
        try:
            return cls(file, *_parsed(file.read_text(encoding="utf-8")))
        except OSError as error:
            text = f"cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            text = "is not text in UTF-8"
        except yaml.MarkedYAMLError as error:
            # PyYAML quotes what it found there, which may be a credential.
            text = "is not valid YAML: " + re.sub(r"['\"].*['\"]", "…", error.problem or "it cannot be parsed")
            line = error.problem_mark.line + 1 if error.problem_mark else None
        except yaml.YAMLError:
            text = "is not valid YAML: it holds a character that is not allowed"
        except (ValueError, LookupError, ArithmeticError, AttributeError, RecursionError):  # what PyYAML lets slip
            text = "is not valid YAML: it holds a value that cannot be read"
        raise ConfigError(file, [Mistake("", text, line)])

    def mistake(self, steps: Steps, text: str) -> Mistake:
        """Return a mistake at the value that the steps lead to, or at the part of the way that exists."""
        return Mistake(_path_text(steps), text, self._line(steps))

    def _line(self, steps: Steps) -> int | None:
        node = self._root
        line = node.start_mark.line + 1 if node else None
        for step in steps:
            if isinstance(node, yaml.MappingNode):
                pair = next((pair for pair in node.value if pair[0].value == str(step)), None)
            elif isinstance(node, yaml.SequenceNode):
                pair = (node.value[step], node.value[step]) if step in range(len(node.value)) else None
            else:
                pair = None
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        return line


def _path_text(steps: Steps) -> str:
    parts = (f"[{step}]" if isinstance(step, int) else f".{_shown_key(step)}" for step in steps)
    return "".join(parts).removeprefix(".")


def _shown_key(key: object) -> str:
    """Return a key as it stands, unless it could be a credential that slipped into the wrong place."""
    text = str(key)
    return text if re.fullmatch(r"[a-z_]{1,32}", text) else "…"


def _parsed(text: str) -> tuple[Any, yaml.Node | None]:
    loader = _Loader(text)
    root = loader.get_single_node()
    if root is None:
        return None, None
    _refuse_repeated_keys(root, set())
    return loader.construct_document(root), root


def _refuse_repeated_keys(node: yaml.Node, seen: set[yaml.Node]) -> None:
    """Refuse what PyYAML would take without a word, keeping the last. Merged keys (`<<`) may be overridden."""
    if node in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(node)
    if isinstance(node, yaml.MappingNode):
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and keys[key.value] > 1:
                raise yaml.MarkedYAMLError(problem="a key stands here twice", problem_mark=key.start_mark)
    for child in node.value:
        for part in child if isinstance(child, tuple) else (child,):
            _refuse_repeated_keys(part, seen)


class _Loader(yaml.SafeLoader):
    """YAML without its traps: numbers stay exact, dates stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's name, and it copies before it changes
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def number(self, node: yaml.ScalarNode) -> int | Decimal | str:
        """Read plain numbers only: to YAML 1.1, 010 is eight and 1:30 is ninety. The rest stays text."""
        text = str(node.value)
        if re.fullmatch(r"[-+]?(0|[1-9][0-9]{0,17})", text):
            return int(text)
        return Decimal(text) if re.fullmatch(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}", text) else text


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.number)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.number)
