"""The reference tables of the documentation, held against what the code says."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

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
