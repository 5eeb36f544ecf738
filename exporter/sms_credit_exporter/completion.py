"""What makes a shell complete commands and options, from the command line's own parser."""

import argparse
from collections.abc import Iterator
from pathlib import Path

SHELLS = ("bash", "zsh", "fish")
"""Those that it is made for and tried in."""


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return what the shell is to read. Files and folders are completed where an option takes one."""
    import shtab  # noqa: PLC0415 - no other command needs it

    for action in _actions(parser):
        if action.type is Path:
            folder = action.metavar == "DIR"
            action.complete = shtab.DIRECTORY if folder else shtab.FILE  # type: ignore[attr-defined] # shtab's own
    text: str = shtab.complete(parser, shell)
    return text


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to list them
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            for each in action.choices.values():
                yield from _actions(each)
