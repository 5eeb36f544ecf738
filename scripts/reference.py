"""Writes what documents take from the code: between markers in them, and nothing else."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from scripts import generated
from scripts.words import ENGLISH, TURKISH, Words
from sms_credit_core import PROVIDERS, Cause, Provider, Quality, Status, Value
from sms_credit_exporter.balance import MEMBERS
from sms_credit_exporter.command_line import command_line
from sms_credit_exporter.config.keys import ACCOUNT_KEYS, FILE_KEYS, Key
from sms_credit_exporter.config.variables import KEYS, LABEL, credential_variables
from sms_credit_exporter.metrics import AccountCollector, ExporterCollector

_ROOT = Path(__file__).parent.parent

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
    rows = ((code(provider.key), credentials_of(provider, ENGLISH)) for provider in PROVIDERS.values())
    return table(("provider", "credentials"), rows)


def credentials_of(provider: Provider, words: Words) -> str:
    """Write the credentials of a provider."""
    names = (("{field}" if field.required else words.optional, code(field.name)) for field in provider.credentials)
    return ", ".join(text.format(field=name) for text, name in names)


def provider_names(words: Words) -> str:
    """Write which providers there are, as a sentence has them."""
    *others, last = (f"[{provider.name}]({provider.panel_url})" for provider in PROVIDERS.values())
    return words.provider_names.format(others=", ".join(others), last=last)


NOT_GIVEN = "\N{EN DASH}"


def providers(words: Words) -> str:
    """Write what each provider gives."""
    rows = (
        (
            f"[{provider.name}]({provider.panel_url})",
            code(provider.key),
            balance(provider, words),
            words.yes if Value.QUOTA in provider.gives else words.with_price,
            words.yes if Value.CREDIT_BLOCKED in provider.gives else NOT_GIVEN,
            words.yes if Value.PROVIDER_UPDATED in provider.gives else NOT_GIVEN,
            credentials_of(provider, words),
        )
        for provider in PROVIDERS.values()
    )
    return table(words.provider_columns, rows)


def balance(provider: Provider, words: Words) -> str:
    """Write in what a provider gives the balance."""
    if Value.BALANCE not in provider.gives:
        return words.in_credits
    return words.balance_in.format(currency=provider.currency) if provider.currency else words.yes


def statuses(words: Words) -> str:
    """Write what each status means for the numbers."""
    fresh = {quality.status for quality in Quality}
    rows = (
        (
            code(status),
            str(int(status.up)),
            words.meanings[status],
            words.replaced if status in fresh else words.held if status.holds else NOT_GIVEN,
            words.actors[status.actor],
        )
        for status in Status
    )
    return table(words.status_columns, rows)


def causes(words: Words) -> str:
    """Write what is said of each cause, in the words of both products."""
    rows = ((code(cause.status), words.causes[cause].replace("{detail}", "…")) for cause in Cause)
    return table(words.cause_columns, rows)


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


def translated(words: Words) -> Mapping[str, Callable[[], str]]:
    """Return what writes each block that there is in every language, in one of them."""
    blocks = {"provider-names": provider_names, "providers": providers, "statuses": statuses, "causes": causes}
    return {name: partial(write, words) for name, write in blocks.items()}


BLOCKS: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "file-keys": keys(FILE_KEYS),
    "account-keys": keys(ACCOUNT_KEYS),
    "credentials": credentials,
    "variables": variables,
    "json": members,
    "metrics": metrics,
    **translated(ENGLISH),
}
"""What writes each block of an English document."""

_IN_BOTH = ("providers.md", "reading-the-numbers.md", "troubleshooting.md")

FILES = {
    _ROOT / name: blocks
    for names, blocks in (
        (("README.md", "docs/exporter.md", *(f"docs/{name}" for name in _IN_BOTH)), BLOCKS),
        (("README.tr.md", *(f"docs/tr/{name}" for name in _IN_BOTH)), translated(TURKISH)),
    )
    for name in names
}
"""The documents, each with what writes its blocks."""


def written(file: Path) -> str:
    """Return the text of a document with all of its blocks written anew."""
    blocks = FILES[file]
    return _BLOCK.sub(lambda found: f"{found[1]}\n{blocks[found[2]]()}\n\n{found[3]}", file.read_text())


if __name__ == "__main__":
    sys.exit(generated.main(lambda: {file: written(file) for file in FILES}, __doc__))
