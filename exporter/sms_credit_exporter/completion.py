"""What makes a shell complete commands and options, from the command line's own parser.

shtab writes the scripts, for values that follow an option after a space; that --option=value is the same, we add.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return what the shell is to read. Files and folders are completed where an option takes one."""
    import shtab  # noqa: PLC0415 - no other command needs it

    for action in _actions(parser):
        if action.type is Path:
            folder = action.metavar == "DIR"
            action.complete = shtab.DIRECTORY if folder else shtab.FILE  # type: ignore[attr-defined] # shtab's own
    return _WITH_EQUALS[shell](shtab.complete(parser, shell))


_BASH = """
# Bash takes --option=value for three words; the function above knows it as two.
_sms_credit_exporter() {
  local index words=() current=$COMP_CWORD
  for index in "${!COMP_WORDS[@]}"; do
    if [[ ${COMP_WORDS[index]} != = ]]; then
      words+=("${COMP_WORDS[index]}")
    elif (( index < COMP_CWORD )); then
      (( current -= 1 ))
    elif (( index == COMP_CWORD )); then
      words+=("")
    fi
  done
  local COMP_WORDS=("${words[@]}") COMP_CWORD=$current
  _shtab_sms_credit_exporter "$@"
}
complete -o bashdefault -F _sms_credit_exporter sms-credit-exporter
"""

_ZSH_OPTION = re.compile(r'^( *"\*?--[\w.-]+)(\[.*\]:)', re.MULTILINE)
"""An option with a value, as zsh's `_arguments` reads it: with = behind its name, both ways to write it are meant."""

_FISH_WORD = "(commandline -ct)"
_FISH_VALUE = f"(string replace -r '^--[^=]*=' '' -- {_FISH_WORD})"

_WITH_EQUALS: Mapping[str, Callable[[str], str]] = {
    "bash": lambda script: script + _BASH,
    "zsh": lambda script: _ZSH_OPTION.sub(r"\1=\2", script),
    "fish": lambda script: script.replace(f"_path {_FISH_WORD}", f"_path {_FISH_VALUE}"),
}

SHELLS = tuple(_WITH_EQUALS)
"""Those that there are scripts for."""


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to list them
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            for each in action.choices.values():
                yield from _actions(each)
