"""How files that are written from the code are brought up to date, or looked at; `scripts/generate` does it."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def bring_up_to_date(texts: Mapping[Path, str], *, check: bool) -> int:
    """Write each file that is not as it should be, or only name it; return the exit code."""
    outdated = {file: text for file, text in texts.items() if not file.exists() or file.read_text() != text}
    if check:
        for file in outdated:
            print(f"{file}: not as scripts/generate writes it", file=sys.stderr)
        return int(bool(outdated))
    for file, text in outdated.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return 0


def add_check(parser: argparse.ArgumentParser) -> None:
    """Let a command only look."""
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file would change")


def main(texts: Callable[[], Mapping[Path, str]], says: str | None) -> int:
    """Do it with what is given, for a command that says this of itself; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/generate", description=says, allow_abbrev=False)
    add_check(parser)
    return bring_up_to_date(texts(), check=parser.parse_args().check)
