"""Every example of every document has one judge, and the judge finds nothing wrong with it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.documentation import DOCUMENTS, Block, UnreadableDocumentError, blocks
from tests.journeys.judges import KINDS, Bench

Tool = Callable[[str], str]

ELSEWHERE = {
    "console": "test_commands.py: held against what their programs say of themselves; test_sessions.py runs them",
    "sh": "tests/exporter/test_backtest.py runs it",
}
"""Languages whose examples are no files, and where they are judged."""

EXAMPLES = [block for document in DOCUMENTS for block in blocks(document)]


def kinds_of(block: Block) -> Sequence[str]:
    """Return all kinds that claim a block."""
    return [name for name, kind in KINDS.items() if kind.language == block.language and kind.claims(block)]


CLAIMED = [(name, block) for block in EXAMPLES for name in kinds_of(block)]


def unclaimed(examples: Sequence[Block]) -> Sequence[str]:
    """Say of each example that has no judge, or more than one, where it stands."""
    found = []
    for block in examples:
        kinds = ["generated", *kinds_of(block)] if block.is_generated else kinds_of(block)
        if block.language not in ELSEWHERE and len(kinds) != 1:
            told = f"is {' and '.join(kinds)} at once" if kinds else "is nothing that has a judge"
            found.append(f"{block} {told}: see tests/journeys/judges.py")
    return found


def test_every_example_has_one_judge() -> None:
    """What is generated is held against the code by `scripts/generate --check`; all else needs somebody to judge it."""
    assert EXAMPLES
    assert unclaimed(EXAMPLES) == []


@pytest.mark.parametrize(("name", "block"), CLAIMED, ids=[f"{block}: {name}" for name, block in CLAIMED])
def test_its_judge_finds_nothing_wrong(tmp_path: Path, tool: Tool, name: str, block: Block) -> None:
    """As it stands in the document."""
    complaint = KINDS[name].judge(Bench(tmp_path, tool), block)
    assert complaint == "", f"{block}\n{complaint}"


@pytest.mark.parametrize("name", KINDS)
def test_a_judge_finds_what_is_wrong(tmp_path: Path, tool: Tool, name: str) -> None:
    """So its silence says something; and the mistake is of its own kind and of no other."""
    wrong = Block(Path("README.md"), 0, KINDS[name].language, KINDS[name].wrong)
    assert kinds_of(wrong) == [name]
    assert KINDS[name].judge(Bench(tmp_path, tool), wrong) != ""


DOCUMENT = """\
# A page

  ```yaml
  a: 1
  ```

```
what is this?
```

<!-- generated: a -->
```text
written by a program
```
<!-- end -->
"""


def test_what_nobody_understands_is_told_with_its_line(tmp_path: Path) -> None:
    """An unknown shape, a block that says nothing of itself, and one that does not end."""
    (tmp_path / "page.md").write_text(DOCUMENT)
    found = blocks(Path("page.md"), tmp_path)
    assert [(block.line, block.text) for block in found[:1]] == [(4, "a: 1\n")]
    assert unclaimed(found) == [
        f"page.md:{where} is nothing that has a judge: see tests/journeys/judges.py"
        for where in ("4 (yaml)", "8 (no language)")
    ]
    (tmp_path / "open.md").write_text("text\n```json\n{}\n")
    with pytest.raises(UnreadableDocumentError, match=r"open\.md:2: the block that begins here does not end"):
        blocks(Path("open.md"), tmp_path)
