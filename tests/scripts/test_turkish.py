"""The Turkish documents say what the English ones say, as far as a program can tell."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sms_credit_core import PROVIDERS, Status
from tests.conftest import ROOT
from tests.scripts.test_documents import headings

FOR_USERS = ("users of Home Assistant", "those who run the exporter", "everybody")
"""The rows of docs/README.md whose documents are translated."""

STAY_ENGLISH = ("docs/exporter.md", "SECURITY.md", "CHANGELOG.md")
"""Written from the program's English help, or for those who change it."""

IN_TURKISH = {
    "https://www.iletimerkezi.com/en/docs/api/get-balance": "https://www.iletimerkezi.com/docs/api/get-balance",
}
"""Pages of others that there are in Turkish too."""

TRANSLATIONS = ROOT / "custom_components/sms_credit/translations"

GUIDE = "docs/home-assistant.md"

_MARKDOWN = MarkdownIt("commonmark").enable("table")


def english(turkish: str) -> str:
    """Return whose translation a document is."""
    return turkish.replace(".tr.md", ".md").replace("docs/tr/", "docs/")


def translated(root: Path) -> dict[str, str]:
    """Return the Turkish document of each English one."""
    found = [*root.glob("*.tr.md"), *root.glob("[!.]*/*.tr.md"), *root.glob("docs/tr/*.md")]
    return {english(name): name for name in sorted(file.relative_to(root).as_posix() for file in found)}


TRANSLATED = translated(ROOT)


@dataclass
class Row:
    """A row of a table."""

    line: int
    cells: int = 0
    codes: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@dataclass
class Section:
    """What stands between two headings."""

    line: int
    level: str
    items: int = 0
    tables: list[list[Row]] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    generated: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    figures: set[str] = field(default_factory=set)
    bold: set[str] = field(default_factory=set)


def sections(text: str) -> list[Section]:
    """Return the parts of a document; what comes before its title has no level."""
    found = [Section(1, "")]
    for token in _MARKDOWN.parse(text):
        if token.type == "heading_open":
            found.append(Section(line(token), token.tag))
        READERS.get(token.type, ignore)(found[-1], token)
    return found


def line(token: Token) -> int:
    """Return the line on which something stands."""
    return token.map[0] + 1 if token.map else 0


def ignore(_section: Section, _token: Token) -> None:
    """Take nothing from what only surrounds something else."""


def read_item(section: Section, _token: Token) -> None:
    """Count an item of a list."""
    section.items += 1


def read_table(section: Section, _token: Token) -> None:
    """Begin a table."""
    section.tables.append([])


def read_row(section: Section, token: Token) -> None:
    """Begin a row."""
    section.tables[-1].append(Row(line(token)))


def read_cell(section: Section, _token: Token) -> None:
    """Count a cell."""
    section.tables[-1][-1].cells += 1


def read_block(section: Section, token: Token) -> None:
    """Take a block of code without its comments, which are translated."""
    section.blocks.append(token.info + "\n" + re.sub(r"(^|\s+)# .*$", "", token.content, flags=re.MULTILINE))


def read_html(section: Section, token: Token) -> None:
    """Take what is generated, and where pictures come from."""
    section.generated += re.findall(r"<!-- generated: (.*?) -->", token.content)
    section.links += re.findall(r'(?:src|srcset|href)="([^"]+)"', token.content)


def read_text(section: Section, token: Token) -> None:
    """Take links, code, figures and bold words out of a paragraph, a heading or a cell."""
    children = token.children or []
    codes = [child.content for child in children if child.type == "code_inline"]
    text = "".join(child.content if child.type == "text" else " " for child in children)
    figures = [re.sub(r"[.,]", "", figure) for figure in re.findall(r"\d(?:[\d.,]*\d)?", text)]
    links = (child.attrs.get("href") or child.attrs.get("src") for child in children)
    section.links += [unquote(str(link)) for link in links if link]  # it comes percent-encoded, as a browser wants it
    section.bold |= {" ".join(bold.split()) for bold in re.findall(r"\*\*(.+?)\*\*", token.content, re.DOTALL)}
    for child in children:
        if child.type == "html_inline":
            read_html(section, child)
    if section.tables and (row := section.tables[-1][-1]).line == line(token):
        row.codes += codes
        row.figures += figures
        row.texts.append(text)
    else:
        section.codes |= set(codes)
        section.figures |= set(figures)


READERS = {
    "list_item_open": read_item,
    "table_open": read_table,
    "tr_open": read_row,
    "th_open": read_cell,
    "td_open": read_cell,
    "fence": read_block,
    "html_block": read_html,
    "inline": read_text,
}
"""What takes the facts out of each kind of token."""


def differences(root: Path, document: str) -> Iterator[str]:
    """Say in a sentence each in what the Turkish document differs from this English one."""
    turkish = translated(root)[document]
    before, after = (sections((root / name).read_text()) for name in (document, turkish))
    if [section.level for section in before] != [section.level for section in after]:
        yield from other_headings(before, after, document, turkish)
        return
    for told, section in zip(before, after, strict=True):
        where = f"{turkish}, section in line {section.line} ({document}, line {told.line})"
        links = [expected(root, document, turkish, link) for link in told.links]
        yield from (f"{where}: {sentence}" for sentence in other_facts(told, section, links))
        yield from (f"{where}: {sentence}" for sentence in other_tables(told, section))


def other_headings(before: list[Section], after: list[Section], document: str, turkish: str) -> Iterator[str]:
    """Say where the headings begin to differ."""
    for told, section in zip_longest(before, after):
        if told is None or section is None or told.level != section.level:
            here, there = (
                f"in line {each.line}, a heading {each.level}" if each else "no more" for each in (section, told)
            )
            yield f"{turkish}: {here}; {document}: {there}."
            return


def expected(root: Path, document: str, turkish: str, link: str) -> str:
    """Return where a link of the English document leads in the Turkish one: to the same thing in the other language."""
    path, mark, anchor = link.partition("#")
    if re.match(r"[a-z]+:", path):
        return IN_TURKISH.get(link, link)
    pairs = translated(root)
    others = pairs | {theirs: ours for ours, theirs in pairs.items()}
    target = normpath(join(dirname(document), path)) if path else document
    there = others.get(target, target)
    if anchor and there != target:
        mine, theirs = (headings(root / name) for name in (target, there))
        anchor = dict(zip(mine, theirs, strict=False)).get(anchor, anchor)
    return (relpath(there, dirname(turkish) or ".") if path else "") + mark + anchor


def other_facts(told: Section, section: Section, links: list[str]) -> Iterator[str]:
    """Say what of a section is missing, surplus or other than in English."""
    if told.items != section.items:
        yield f"{section.items} list items; in English there are {told.items}."
    if told.blocks != section.blocks:
        yield "the blocks of code differ in more than comments."
    for kind, theirs, ours in (
        ("generated block", told.generated, section.generated),
        ("link", links, section.links),
        ("code", told.codes, section.codes),
        ("figure", told.figures, section.figures),
    ):
        yield from (f"the {kind} “{each}” is missing." for each in surplus(theirs, ours))
        yield from (f"the {kind} “{each}” is not in the English one." for each in surplus(ours, theirs))


def surplus(some: Iterable[str], others: Iterable[str]) -> list[str]:
    """Return what is in one and not as often in the other."""
    return sorted((Counter(some) - Counter(others)).elements())


def other_tables(told: Section, section: Section) -> Iterator[str]:
    """Say in what the tables of a section differ."""
    if len(told.tables) != len(section.tables):
        yield f"{len(section.tables)} tables; in English there are {len(told.tables)}."
    for theirs, ours in zip(told.tables, section.tables, strict=False):
        if len(theirs) != len(ours):
            yield f"the table in line {ours[0].line} has {len(ours)} rows with its heading; in English {len(theirs)}."
        for row, mine in zip(theirs, ours, strict=False):
            for kind, right, is_ in (
                ("cells", [str(row.cells)], [str(mine.cells)]),
                ("code", sorted(row.codes), sorted(mine.codes)),
                ("figures", sorted(row.figures), sorted(mine.figures)),
            ):
                if right != is_:
                    yield f"the row in line {mine.line} has the {kind} {', '.join(is_)}; in English {', '.join(right)}."


@pytest.mark.parametrize("document", TRANSLATED)
def test_both_languages_say_the_same(document: str) -> None:
    """With the same headings, tables, code, links, lists and figures; what differs is told with its line."""
    assert (ROOT / document).exists(), f"{TRANSLATED[document]} is the translation of nothing"
    found = list(differences(ROOT, document))
    assert not found, "\n".join(found)


def test_every_document_for_users_is_translated() -> None:
    """Those that docs/README.md names for them, itself, and the README; a row that is renamed is missed."""
    text = (ROOT / "docs/README.md").read_text()
    rows = dict(re.findall(r"^\| (.+?) \| (.+) \|$", text, re.MULTILINE))
    links = {normpath(f"docs/{link}") for row in FOR_USERS for link in re.findall(r"\]\(([^)]+)\)", rows[row])}
    assert {"README.md", "docs/README.md", *links} - {*TRANSLATED} == {*STAY_ENGLISH}


@pytest.mark.parametrize("document", TRANSLATED)
def test_each_language_leads_to_the_other_in_its_first_lines(document: str) -> None:
    """Below the title."""
    turkish = TRANSLATED[document]
    for here, there, language in ((document, turkish, "Türkçe"), (turkish, document, "English")):
        lines = (ROOT / here).read_text().splitlines()
        assert lines[2] == f"[{language}]({relpath(there, dirname(here) or '.')})", here


NUMBERS = (
    "sıfır",
    "bir",
    "iki",
    "üç",
    "dört",
    "beş",
    "altı",
    "yedi",
    "sekiz",
    "dokuz",
    "on",
    "on bir",
    "on iki",
    "on üç",
)


def test_the_readme_counts_right() -> None:
    """In words, as the English one does, which has a test of its own."""
    text = " ".join((ROOT / "README.tr.md").read_text().split())
    assert f"[{NUMBERS[len(PROVIDERS)]} SMS sağlayıcısındaki]" in text
    assert f"| {NUMBERS[len(PROVIDERS)]} sağlayıcı |" in text
    assert f"Her hesap {NUMBERS[len(Status)]} durumdan birindedir." in text


@pytest.mark.parametrize("document", TRANSLATED.values())
def test_what_an_account_has_is_called_nothing_that_reads_as_a_loan(document: str) -> None:
    """A credit limit is one."""
    assert re.findall(r"\bkredi(?! limiti)\w*", (ROOT / document).read_text(), re.IGNORECASE) == []


def texts(language: str) -> Mapping[str, str]:
    """Return every text of the integration in a language, by its key."""

    def flat(content: Mapping[str, object], path: str) -> Iterator[tuple[str, str]]:
        for key, value in content.items():
            if isinstance(value, dict):
                yield from flat(value, f"{path}{key}.")
            else:
                yield f"{path}{key}", str(value)

    return dict(flat(json.loads((TRANSLATIONS / f"{language}.json").read_text()), ""))


def test_the_guide_calls_things_as_home_assistant_shows_them() -> None:
    """What Home Assistant shows in English stands there, in tables and in bold, as it shows it in Turkish."""
    shown: dict[str, set[str]] = {}
    for key, text in texts("en").items():
        shown.setdefault(text, set()).add(texts("tr")[key])
    before, after = (sections((ROOT / name).read_text()) for name in (GUIDE, TRANSLATED[GUIDE]))
    cells = [
        (f"line {mine.line}", theirs, {ours})
        for told, section in zip(before, after, strict=True)
        for rows in zip(told.tables, section.tables, strict=True)
        for row, mine in zip(*rows, strict=True)
        for theirs, ours in zip(row.texts, mine.texts, strict=True)
    ]
    bold = [
        (f"section in line {section.line}", word, section.bold)
        for told, section in zip(before, after, strict=True)
        for word in told.bold
    ]
    found = [
        f"{where}: Home Assistant shows {' or '.join(shown[theirs])} for “{theirs}”, and here stands {', '.join(ours)}."
        for where, theirs, ours in cells + bold
        if theirs in shown and not shown[theirs] & ours
    ]
    assert not found, "\n".join(found)


ENGLISH = """# Fruit

[Türkçe](tr/fruit.md)

## Colours

| fruit | colour | weight |
| --- | --- | --- |
| `apple` | red | 1.5 |
| `pear` | green | 2 |

- See [apples](#colours).
- Or `plums`.

```console
$ eat apple    # slowly
```
"""
TURKISH = """# Meyve

[English](../fruit.md)

## Renkler

| meyve | renk | ağırlık |
| --- | --- | --- |
| `apple` | kırmızı | 1,5 |
| `pear` | yeşil | 2 |

- [Elmalara](#renkler) bakın.
- Ya da `plums`.

```console
$ eat apple    # yavaşça
```
"""
SECTION = "docs/tr/fruit.md, section in line 5 (docs/fruit.md, line 5): "


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        pytest.param(
            "| `pear` | yeşil | 2 |\n",
            "",
            [f"{SECTION}the table in line 7 has 2 rows with its heading; in English 3."],
            id="a row is missing",
        ),
        pytest.param(
            "`apple` |",
            "`pear` |",
            [f"{SECTION}the row in line 9 has the code pear; in English apple."],
            id="a row has other code",
        ),
        pytest.param(
            "1,5",
            "1,6",
            [f"{SECTION}the row in line 9 has the figures 16; in English 15."],
            id="a row has another figure",
        ),
        pytest.param(
            "## Renkler",
            "### Renkler",
            ["docs/tr/fruit.md: in line 5, a heading h3; docs/fruit.md: in line 5, a heading h2."],
            id="a heading",
        ),
        pytest.param(
            "## Renkler\n", "", ["docs/tr/fruit.md: no more; docs/fruit.md: in line 5, a heading h2."], id="no heading"
        ),
        pytest.param(
            "- Ya da `plums`.\n",
            "\nYa da `plums`.\n",
            [f"{SECTION}1 list items; in English there are 2."],
            id="an item",
        ),
        pytest.param(
            "(#renkler)",
            "(#colours)",
            [f"{SECTION}the link “#renkler” is missing.", f"{SECTION}the link “#colours” is not in the English one."],
            id="a link",
        ),
        pytest.param(
            "$ eat apple ",
            "$ eat pear ",
            [f"{SECTION}the blocks of code differ in more than comments."],
            id="a command",
        ),
    ],
)
def test_a_difference_is_told_in_a_sentence(tmp_path: Path, right: str, wrong: str, told: list[str]) -> None:
    """Once it is put right, there is none."""
    (tmp_path / "docs/tr").mkdir(parents=True)
    (tmp_path / "docs/fruit.md").write_text(ENGLISH)
    file = tmp_path / "docs/tr/fruit.md"
    file.write_text(TURKISH.replace(right, wrong))
    assert list(differences(tmp_path, "docs/fruit.md")) == told
    file.write_text(TURKISH)
    assert list(differences(tmp_path, "docs/fruit.md")) == []
