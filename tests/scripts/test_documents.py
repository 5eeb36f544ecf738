"""Every document of the project: its links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.documentation import DOCUMENTS, FENCED

_HERE = "https://github.com/sms-credit/sms-credit/blob/main/"
"""Where the repository is read; such a link has to lead to a file here."""


def links(document: Path) -> Iterator[str]:
    """Return where a document leads to."""
    text = FENCED.sub("", (ROOT / document).read_text())
    yield from re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", text)
    yield from re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", text)
    yield from re.findall(r'(?:src|srcset|href)="([^"]+)"', text)


def headings(document: Path) -> list[str]:
    """Return the anchors that GitHub gives to a document's headings, in their order."""
    found = re.findall(r"^#+ (.*)$", FENCED.sub("", document.read_text()), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in found]


def mistakes(document: Path) -> Iterator[str]:
    """Return each link that leads nowhere."""
    for link in links(document):
        path, _, anchor = link.removeprefix(_HERE).partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        target = ROOT / path if link.startswith(_HERE) else ROOT / document.parent / path if path else ROOT / document
        if not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and target.suffix == ".md" and anchor not in headings(target):
            yield f"{link}: there is no such heading"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_its_links_lead_somewhere(document: Path) -> None:
    """To files that are there, and to headings that are in them."""
    assert list(mistakes(document)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the heading is there, it is none any more."""
    monkeypatch.setattr("tests.scripts.test_documents.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("[a](other.md) [b](#here) [c](https://example.com/#there)\n```\n[d](none.md)\n```\n")
    assert list(mistakes(Path("page.md"))) == [
        "other.md: there is no such file",
        "#here: there is no such heading",
    ]
    (tmp_path / "other.md").write_text("")
    page.write_text(f"{page.read_text()}# Here\n")
    assert list(mistakes(Path("page.md"))) == []
