"""Writes what docs/exporter.md takes from the code: between its markers, and nothing else of it."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from sms_credit_core import PROVIDERS
from sms_credit_exporter.balance import MEMBERS
from sms_credit_exporter.cli import command_line
from sms_credit_exporter.config.keys import ACCOUNT_KEYS, FILE_KEYS, Key
from sms_credit_exporter.config.variables import KEYS, LABEL, credential_variables
from sms_credit_exporter.metrics import AccountCollector, ExporterCollector

FILE = Path(__file__).parent.parent / "docs/exporter.md"

SUFFIXES = {"counter": "_total", "info": "_info"}
"""What a scraper sees behind the name of a metric."""

_BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table."""
    lines = [list(heading), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Write text as code, if there is any."""
    return f"`{text}`" if text else ""


def commands() -> str:
    """Write every command with its options, exit codes and example."""
    return "\n\n".join(section for name, parser in parsers().items() for section in command(name, parser))


def parsers() -> Mapping[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    [subparsers] = [
        action
        for action in command_line()._actions  # noqa: SLF001 - argparse has no other way
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - likewise
    ]
    found: Mapping[str, argparse.ArgumentParser] = subparsers.choices
    return found


def command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """Write one command."""
    yield f"### {name}"
    yield f"{parser.description}"
    options = [
        (code(option(action)), str(action.help) % {"default": action.default})
        for action in parser._actions  # noqa: SLF001 - as above
        if not isinstance(action, argparse._HelpAction)  # noqa: SLF001 - likewise
    ]
    yield table(("option", "meaning"), options)
    yield f"```text\n{parser.epilog}\n```"


def option(action: argparse.Action) -> str:
    """Write an option as it is given."""
    values = "|".join(map(str, action.choices)) if action.choices and not action.metavar else action.metavar
    if not action.option_strings:
        return str(values)
    return action.option_strings[-1] + (f"={values}" if action.nargs != 0 else "")


def keys(of: Iterable[Key]) -> Callable[[], str]:
    """Return what writes the keys of a mapping."""
    rows = [(code(key.name), "required" if key.required else default(key.default), key.meaning) for key in of]
    return lambda: table(("key", "default", "meaning"), rows)


def default(text: str) -> str:
    """Write a default as code, if it is a value."""
    return code(text) if " " not in text else text


def credentials() -> str:
    """Write the credentials of each provider."""
    return table(
        ("provider", "credentials"),
        (
            (
                code(provider.key),
                ", ".join(
                    code(field.name) + ("" if field.required else " (optional)") for field in provider.credentials
                ),
            )
            for provider in PROVIDERS.values()
        ),
    )


def variables() -> str:
    """Write every variable that an account can come from."""
    names = sorted({field.name: field for provider in PROVIDERS.values() for field in provider.credentials}.items())
    rows = [(code(name), f"the key `{key.name}`") for name, key in KEYS.items()]
    rows += [
        (" or ".join(map(code, credential_variables(field))), f"the credential `{name}`, or a file that holds it")
        for name, field in names
    ]
    return table(("variable", "meaning"), [*rows, (code(f"{LABEL}NAME"), "the label `name`, in small letters")])


def members() -> str:
    """Write the members of the JSON of `balance`."""
    return table(("member", "holds"), ((code(member.name), member.meaning) for member in MEMBERS))


def metrics() -> str:
    """Write every metric."""
    rows = []
    for metric in (*AccountCollector(tuple).describe(), *ExporterCollector("", lambda: True).describe()):
        labels = [label for label in vars(metric)["_labelnames"] if label not in {"provider", "account"}]
        name = metric.name + SUFFIXES.get(metric.type, "") + (f"{{{','.join(labels)}}}" if labels else "")
        rows.append((code(name), metric.type, metric.documentation))
    return table(("metric", "type", "meaning"), rows)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "file-keys": keys(FILE_KEYS),
    "account-keys": keys(ACCOUNT_KEYS),
    "credentials": credentials,
    "variables": variables,
    "json": members,
    "metrics": metrics,
}
"""What writes each block."""


def written(text: str) -> str:
    """Return the text with all of its blocks written anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", text)


def main() -> int:
    """Write the file anew, or look whether it is as it would be written; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/generate", description=__doc__, allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the file would change")
    options, _ = parser.parse_known_args()
    before = FILE.read_text()
    after = written(before)
    if options.check and after != before:
        print(f"{FILE}: not as scripts/generate writes it", file=sys.stderr)
    elif after != before:
        FILE.write_text(after)
    return int(options.check and after != before)


if __name__ == "__main__":
    sys.exit(main())
