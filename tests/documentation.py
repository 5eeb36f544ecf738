"""The documents of the project: their blocks of code, and their tables, held against what the code says."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

from tests.conftest import ROOT

DOCUMENTS = sorted(
    file.relative_to(ROOT)
    for pattern in ("*.md", "[!.]*/**/*.md", ".github/**/*.md")
    for file in ROOT.glob(pattern)
    if "node_modules" not in file.parts
)
"""Every document, by its path in the checkout; a new one is found by itself."""

FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
"""A block of code, as it stands in a document."""

_FENCE = re.compile(r"^( *)(`{3,}|~{3,})(.*)$")


class UnreadableDocumentError(ValueError):
    """A document has a block that does not end."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code in a document."""

    document: Path
    """Its path in the checkout."""
    line: int
    """The first of its own lines."""
    language: str
    """As the fence says it; empty where it says nothing."""
    text: str
    is_generated: bool = False
    """Whether it stands between the marks that `scripts/generate` writes between."""

    def __str__(self) -> str:
        """Say where it is."""
        return f"{self.document}:{self.line} ({self.language or 'no language'})"


@cache
def blocks(document: Path, root: Path = ROOT) -> Sequence[Block]:
    """Return the blocks of a document. Raises UnreadableDocumentError."""
    found: list[Block] = []
    lines = (root / document).read_text().splitlines(keepends=True)
    open_at: tuple[int, re.Match[str]] | None = None
    generated = False
    for number, line in enumerate(lines):
        if open_at is None and line.startswith(("<!-- generated: ", "<!-- end -->")):
            generated = "generated" in line
        if not (fence := _FENCE.match(line)):
            continue
        if open_at is None:
            open_at = number, fence
        elif fence[2].startswith(open_at[1][2]) and not fence[3].strip():
            begin, language = open_at[0] + 1, open_at[1][3].strip()
            found.append(Block(document, begin + 1, language, dedent("".join(lines[begin:number])), generated))
            open_at = None
    if open_at:
        message = f"{document}:{open_at[0] + 1}: the block that begins here does not end"
        raise UnreadableDocumentError(message)
    return found


Facts = Mapping[str, str]
"""What a row says, each fact by its name."""


def rows(file: Path, heading: str) -> Iterator[list[str]]:
    """Return the cells of each row of the table whose first heading is this one."""
    _, found, below = file.read_text().partition(f"\n| {heading} |")
    assert found, f"{file.name}: there is no table with the heading “{heading}”"
    for line in below.partition("\n\n")[0].splitlines()[2:]:
        yield [cell.strip() for cell in re.split(r" \|(?= )", line.strip("|"))]


def named(cell: str) -> list[str]:
    """Return what stands in a cell as code."""
    return re.findall(r"`([^`]+)`", cell)


def check(file: Path, heading: str, told: Iterable[tuple[str, Facts]], true: Mapping[str, Facts]) -> None:
    """Fail with a sentence for each row that is missing, surplus or wrong; `told` is what the rows say."""
    found = mistakes(file, heading, told, true)
    assert not found, "\n".join(found)


def mistakes(file: Path, heading: str, told: Iterable[tuple[str, Facts]], true: Mapping[str, Facts]) -> list[str]:
    """Return in a sentence each what is missing, surplus or wrong in a table."""
    where = f"{file.name}, table “{heading}”"
    seen: dict[str, Facts] = {}
    found = []
    for name, facts in told:
        if name in seen:
            found.append(f"{where}: there are two rows for {name}.")
        seen[name] = facts
        if name not in true:
            found.append(f"{where}: the row for {name} is about something that does not exist.")
            continue
        found += [
            f"{where}: the row for {name} says “{facts[fact]}” of its {fact}; right is “{right}”."
            for fact, right in true[name].items()
            if facts[fact] != right
        ]
    return found + [f"{where}: there is no row for {name}." for name in true if name not in seen]
