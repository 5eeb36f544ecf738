"""Writes what documents take from the code: between markers in them, and nothing else."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from sms_credit_core import PROVIDERS, Actor, Cause, Provider, Quality, Status, Value
from sms_credit_exporter.balance import MEMBERS
from sms_credit_exporter.command_line import command_line
from sms_credit_exporter.config.keys import ACCOUNT_KEYS, FILE_KEYS, Key
from sms_credit_exporter.config.variables import KEYS, LABEL, credential_variables
from sms_credit_exporter.metrics import AccountCollector, ExporterCollector

_ROOT = Path(__file__).parent.parent

FILES = tuple(
    _ROOT / name
    for name in (
        "README.md",
        "docs/exporter.md",
        "docs/providers.md",
        "docs/reading-the-numbers.md",
        "docs/troubleshooting.md",
    )
)

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
    rows = ((code(provider.key), credentials_of(provider)) for provider in PROVIDERS.values())
    return table(("provider", "credentials"), rows)


def credentials_of(provider: Provider) -> str:
    """Write the credentials of a provider."""
    names = (code(field.name) + ("" if field.required else " (optional)") for field in provider.credentials)
    return ", ".join(names)


def provider_names() -> str:
    """Write which providers there are, as a sentence has them."""
    *all_but_last, last = (f"[{provider.name}]({provider.panel_url})" for provider in PROVIDERS.values())
    return f"{', '.join(all_but_last)} and {last}."


NOT_GIVEN = "\N{EN DASH}"


def providers() -> str:
    """Write what each provider gives."""
    rows = (
        (
            f"[{provider.name}]({provider.panel_url})",
            code(provider.key),
            balance(provider),
            "yes" if Value.QUOTA in provider.gives else "with `message_price`",
            "yes" if Value.CREDIT_BLOCKED in provider.gives else NOT_GIVEN,
            "yes" if Value.PROVIDER_UPDATED in provider.gives else NOT_GIVEN,
            credentials_of(provider),
        )
        for provider in PROVIDERS.values()
    )
    return table(("provider", "key", "balance", "quota", "credit block", "its own time stamp", "credentials"), rows)


def balance(provider: Provider) -> str:
    """Write in what a provider gives the balance."""
    if Value.BALANCE not in provider.gives:
        return "in credits"
    return f"yes, in {provider.currency}" if provider.currency else "yes"


MEANINGS: Mapping[Status, str] = {
    Status.PENDING: "not asked yet",
    Status.FRESH: "a fresh reading; it says nothing about the credit",
    Status.PARTIAL: "a fresh reading that the provider itself calls partial",
    Status.UNAVAILABLE: "the provider answered that it has no current data; numbers in such an answer are ignored",
    Status.ONBOARDING: "the provider is still setting up the account",
    Status.AUTH_FAILED: "the credentials are refused",
    Status.ACCESS_DENIED: "the credentials are known but may not: IP address, permission, inactive account",
    Status.RATE_LIMITED: "the provider asks for fewer requests",
    Status.UNREACHABLE: "no connection, or no answer in time",
    Status.PROVIDER_ERROR: "the provider reports a fault of its own",
    Status.INVALID_RESPONSE: "the answer cannot be read for certain",
}


def statuses() -> str:
    """Write what each status means for the numbers."""
    fresh = {quality.status for quality in Quality}
    rows = (
        (
            code(status),
            str(int(status.up)),
            MEANINGS[status],
            "replaced" if status in fresh else "held" if status.holds else NOT_GIVEN,
            ACTORS[status.actor],
        )
        for status in Status
    )
    return table(("status", "up", "meaning", "the last good values are", "who must act"), rows)


ACTORS: Mapping[Actor, str] = {
    Actor.USER: "you",
    Actor.PROVIDER: "the provider",
    Actor.TIME: "nobody: it ends by itself",
    Actor.NOBODY: "nobody",
}


def causes() -> str:
    """Write what is said of each cause, in the words of both products."""
    rows = ((code(cause.status), cause.text.replace("{detail}", "…")) for cause in Cause)
    return table(("status", "what is said"), rows)


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
    "provider-names": provider_names,
    "providers": providers,
    "statuses": statuses,
    "causes": causes,
    "variables": variables,
    "json": members,
    "metrics": metrics,
}
"""What writes each block."""


def written(text: str) -> str:
    """Return the text with all of its blocks written anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", text)


def main() -> int:
    """Write the files anew, or look whether they are as they would be written; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/generate", description=__doc__, allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file would change")
    options, _ = parser.parse_known_args()
    stale = {file: after for file in FILES if (after := written(before := file.read_text())) != before}
    for file, text in stale.items():
        if options.check:
            print(f"{file}: not as scripts/generate writes it", file=sys.stderr)
        else:
            file.write_text(text)
    return int(options.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
