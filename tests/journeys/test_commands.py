"""Every command of every document calls a program that there is, with options that it has."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.documentation import DOCUMENTS, Block, blocks
from tests.journeys.commands import HELP, NOT_AT_HAND, lines, simple, wrong_with

Tool = Callable[[str], str]

SESSIONS = [block for document in DOCUMENTS for block in blocks(document) if block.language == "console"]


@pytest.mark.parametrize("session", SESSIONS, ids=str)
def test_every_command_is_one_that_there_is(tool: Tool, session: Block) -> None:
    """The shell reads it, and each program knows its options."""
    assert [*lines(session)], f"{session}: a command begins with “$ ”"
    assert wrong_with(tool, session) == []


def test_no_program_is_known_in_vain() -> None:
    """Each stands in a document."""
    called = "\n".join(" ".join(words) for session in SESSIONS for line in lines(session) for words in simple(line))
    assert [each for each in (*HELP, *NOT_AT_HAND) if each not in called] == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param("docker run --detached a", "docker has no option --detached", id="an option of another's"),
        pytest.param("curl -s http://a | grep -Ý a", "", id="what is no option is none"),
        pytest.param("scripts/demon", "scripts/demon is no program of this checkout", id="no such script"),
        pytest.param(
            "scripts/generate --chek", "scripts/generate has no option --chek", id="no such option of a script"
        ),
        pytest.param(
            "sms-credit-exporter serve --config=a", "sms-credit-exporter sms-credit-exporter: error", id="ours"
        ),
        pytest.param("docker run a sms-credit-exporter demo --fast", "sms-credit-exporter: error", id="in a container"),
        pytest.param("frobnicate", "frobnicate is no program that anybody knows", id="no such program"),
        pytest.param("echo 'a", "unexpected EOF", id="a quote that does not end"),
    ],
)
def test_a_wrong_command_is_told(tool: Tool, line: str, complaint: str) -> None:
    """So that silence says something."""
    session = Block(Path("page.md"), 1, "console", f"$ {line}\nprinted\n")
    found = "\n".join(wrong_with(tool, session))
    assert complaint in found
    assert bool(complaint) == bool(found)
