"""YAML without its traps: numbers stay exact, dates stay text, no key stands twice, and nothing grows beyond its file.

PyYAML's parser says what stands where; its values are made here. So both its parsers, libyaml's and the much slower one
in Python, give the same values and the same mistakes, and each value's line is known without a second tree.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from sys import intern
from typing import Any, Never

import yaml

PARSER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

_MAX_DEPTH = 50
_MAX_MERGED = 1_000_000
"""Keys that merge keys (`<<`) may bring in. Where each of them merges the one before, a few lines make billions."""


class NotYaml(Exception):  # noqa: N818 - it says what the text is not
    """A text that is not YAML as we read it. Never repeats what stands there, which may be a credential."""

    def __init__(self, text: str, line: int | None = None) -> None:
        """Say what is wrong; lines count from 1."""
        super().__init__(text)
        self.text, self.line = text, line


@dataclass(frozen=True, slots=True)
class Composed:
    """What a text says."""

    values: Any = field(repr=False)
    line: int | None
    """Where it begins; None if it says nothing."""
    lines: Mapping[int, "Lines"] = field(repr=False)
    """By the id of each mapping or list of `values`, if they are located."""


Lines = dict[str, int] | list[int]
"""The line of each key, as it is written, or of each item."""


def compose(text: str, *, located: bool = False) -> Composed:
    """Return the one document of a text; with the lines of what stands in it only where it is to be `located`.

    Of many accounts, the lines take as much memory as the values, and few texts have a mistake. Raises NotYaml.
    """
    try:
        return _Composer(yaml.parse(text, Loader=PARSER), located=located).document()
    except yaml.MarkedYAMLError as error:
        raise _in_our_words(error, text) from None
    except (yaml.YAMLError, ValueError, OverflowError):  # the latter for escapes beyond the last character
        problem = "it holds a character that is not allowed"
        raise NotYaml(problem) from None


_Node = yaml.AliasEvent | yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent


class _Composer:
    def __init__(self, events: Iterator[Any], *, located: bool) -> None:
        self._next = events.__next__
        self._located = located
        self._anchors: dict[str, object] = {}
        self._lines: dict[int, Lines] = {}
        self._merged = 0

    def document(self) -> Composed:
        """Compose the only document."""
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.StreamEndEvent):
            return Composed(None, None, {})
        event = self._next()
        values = self._value(event, 0)
        self._next()  # the document ends
        if not isinstance(after := self._next(), yaml.StreamEndEvent):
            _refuse(after, "another document begins here")
        return Composed(values, _line(event), self._lines)

    def _value(self, event: _Node, depth: int) -> object:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                _refuse(event, "an alias names nothing that stands above it")
            return self._anchors[event.anchor]
        if depth > _MAX_DEPTH:
            _refuse(event, _TOO_DEEP)
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(event, depth)
        else:
            value = self._list(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _list(self, start: yaml.SequenceStartEvent, depth: int) -> list[object]:
        _check_tag(start, "seq")
        items: list[object] = []
        lines: list[int] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            lines.append(_line(event))
            items.append(self._value(event, depth + 1))
        if self._located:
            self._lines[id(items)] = lines
        return items

    def _mapping(self, start: yaml.MappingStartEvent, depth: int) -> dict[object, object]:
        _check_tag(start, "map")
        own: dict[object, object] = {}
        lines: dict[str, int] = {}
        merged: dict[object, object] = {}
        merged_lines: dict[str, int] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                _refuse(event, "a key must be text; this is a list, a mapping or an alias")
            key = self._value(event, depth)
            if event.value in lines or key in own:
                raise NotYaml(_TWICE, lines.get(event.value) or _line(event))
            lines[event.value] = _line(event)
            value = self._value(self._next(), depth + 1)
            if event.value == "<<" and event.implicit[0]:
                for source in self._sources(event, value):
                    merged |= source
                    merged_lines |= self._lines.get(id(source), {})  # type: ignore[arg-type] # those of a mapping are one
            else:
                own[intern(key) if isinstance(key, str) else key] = value
        values = merged | own if merged else own
        if self._located:
            self._lines[id(values)] = merged_lines | lines if merged else lines
        return values

    def _sources(self, event: yaml.Event, value: object) -> Iterable[dict[object, object]]:
        """Return what a merge key brings in; the first of several counts, so it comes last."""
        named = value if isinstance(value, list) else [value]
        sources = [source for source in named if isinstance(source, dict)]
        if len(sources) != len(named):
            _refuse(event, "a merge key (<<) must name a mapping or a list of mappings")
        self._merged += sum(len(source) + 1 for source in sources)
        if self._merged > _MAX_MERGED:
            _refuse(event, f"merge keys (<<) bring in more than {_MAX_MERGED:,} others")
        return reversed(sources)


_TWICE = "a key stands here twice"
_TOO_DEEP = f"it stands in more than {_MAX_DEPTH} lists and mappings"


def _refuse(event: yaml.Event, text: str) -> Never:
    raise NotYaml(text, _line(event))


def _line(event: yaml.Event) -> int:
    line: int = event.start_mark.line  # type: ignore[union-attr] # both parsers mark every event
    return line + 1


_TAG = "tag:yaml.org,2002:"
_NO_TAG = (None, "!")
_PLAIN_TAGS = frozenset(_TAG + name for name in ("null", "bool", "int", "float"))


def _check_tag(event: yaml.ScalarEvent | yaml.CollectionStartEvent, name: str) -> None:
    if event.tag not in _NO_TAG and event.tag != _TAG + name:
        _refuse(event, "a tag (!) stands here that means nothing in this file")


def _scalar(event: yaml.ScalarEvent) -> object:
    if event.implicit[0] if event.tag in _NO_TAG else event.tag in _PLAIN_TAGS:
        return plain(event.value)
    _check_tag(event, "str")
    return event.value


_WORDS: Mapping[str, bool | None] = {
    written: value
    for words, value in ((("~", "null"), None), (("yes", "true", "on"), True), (("no", "false", "off"), False))
    for word in words
    for written in (word, word.capitalize(), word.upper())
} | {"": None}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}")


def plain(text: str) -> object:
    """Read what stands without quotes. To YAML 1.1, 010 is eight and 1:30 is ninety; here they are text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-0123456789":
        if _WHOLE.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
    return text


_PROBLEMS = (
    ("nesting depth", _TOO_DEEP),
    ("cannot start any token", "a value cannot begin with this character; put the value in quotes"),
    ("unexpected end of stream", "a quote is opened here and never closed"),
    ("escape|hexa?decimal", "a backslash in double quotes begins no known escape; use single quotes"),
    (r"expected ',' or", "a comma or a closing bracket is missing"),
    ("mapping values", "a colon cannot stand here; check the indentation, or put the value in quotes"),
    ("expected ':'", "a key lacks its colon and space"),
    ("node content", "a value is missing"),
    ("block end|expected key|'-' indicator", "this does not fit what stands above it; check indentation and quotes"),
    ("tag|directive", "a tag (!) or directive (%) stands here that means nothing in this file"),
    ("alphabetic or numeric", "an anchor (&) or alias (*) lacks its name; put a value that begins so in quotes"),
)
"""By what either parser says: what a person needs."""


def _in_our_words(error: yaml.MarkedYAMLError, text: str) -> NotYaml:
    mark, last = error.problem_mark, len(text.splitlines())
    if mark and mark.index >= len(text) and error.context_mark:  # what never ends is told where it begins
        mark = error.context_mark
    if mark and text[mark.index : mark.index + 1] == "\t":
        problem = "a tab character cannot be used for indentation"
    else:
        found = (ours for theirs, ours in _PROBLEMS if re.search(theirs, error.problem or ""))
        problem = next(found, "it cannot be read from here on")
    return NotYaml(problem, min(mark.line + 1, last) if mark else None)
