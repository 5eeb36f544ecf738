"""Where credentials come from: the file itself, files that it names, or the environment."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import voluptuous as vol

from sms_credit_core import CredentialField, Credentials, Provider, Secret

from .files import UnusableFile, read
from .values import mapping, refuse

_MAX_SECRET_FILE = 4096
"""Bytes."""
_MAX_VARIABLE = 40
"""Characters."""


Way = Callable[[CredentialField, object], str]
"""Makes a credential of what is given for it."""


@dataclass(slots=True)
class Secrets:
    """Where the credentials of a configuration come from."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables that a configuration may name."""
    folder: Path = Path()
    """Relative paths start here, as in Prometheus: where the file is that the account under check stands in."""

    def credentials(self, provider: Provider) -> Callable[[object], Credentials]:
        """Accept the credentials that the provider declares, each in one of its ways."""
        all_ways = {field.name: self.ways(field) for field in provider.credentials}
        schema = mapping(
            {
                vol.Optional(key): partial(way, field)
                for field in provider.credentials
                for key, way in all_ways[field.name].items()
            }
        )

        def validate(value: object) -> Credentials:
            errors = []
            values: dict[str, str] = {}
            try:
                values = schema(value)
            except vol.MultipleInvalid as invalid:
                errors = invalid.errors
            given = value if isinstance(value, dict) else {}
            once = (_once(field, all_ways[field.name], given) for field in provider.credentials)
            errors += [vol.Invalid(text) for text in once if text]
            if errors:
                raise vol.MultipleInvalid(errors)
            return {name: Secret(values[key]) for name, ways in all_ways.items() for key in ways if key in values}

        return validate

    def ways(self, field: CredentialField) -> Mapping[str, Way]:
        """Return what makes the credential, by the keys under which it can be given."""
        return dict(zip(ways(field), (_inline, self.from_file, self._from_environment), strict=True))

    def from_file(self, _: CredentialField, value: object) -> str:
        """Read a credential from a file that is named."""
        if not isinstance(value, str):
            refuse("must be the path of a file")
        try:
            content = read(self.folder / value, _MAX_SECRET_FILE)
        except UnusableFile as unusable:
            literal = " (~ and $ stand for themselves in it)" if re.match(r"~|.*\$", value) else ""
            refuse(f"the file {unusable}{literal}")
        return sendable(content.decode("utf-8", "replace").strip(), "the file")

    def _from_environment(self, _: CredentialField, value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            bare = ", without $ and braces" if isinstance(value, str) and value.startswith("$") else ""
            refuse(f"must be the name of an environment variable{bare}")
        if not self.environ.get(value):
            name = f"variable {value}" if looks_like_a_variable(value) else "variable of that name"
            refuse(f"the environment {name} is not set, or empty")
        return sendable(self.environ[value].strip(), "the environment variable")


def _inline(field: CredentialField, value: object) -> str:
    if not isinstance(value, str):
        refuse("must be text (put it in quotes)")
    if (variable := _meant_variable(value)) is not None:
        named = f": {variable}" if looks_like_a_variable(variable) else " and the variable's name"
        refuse(f"variables are not substituted; write {field.name}_env{named}")
    return sendable(value, "it")


def _meant_variable(value: str) -> str | None:
    """Return the name in `${NAME}` or `$NAME`, which is no credential but the wish for one."""
    if braces := re.search(r"\$\{(\w*)", value):
        return braces[1]
    bare = value.removeprefix("$")
    return bare if bare != value and looks_like_a_variable(bare) else None


def looks_like_a_variable(text: str) -> bool:
    """Whether a text is so surely the name of an environment variable that it may be repeated.

    There are keys of capitals and digits. A name is made of short words, with digits at their ends at most; only a
    very short one is a single word, and none can be read as a hexadecimal number.
    """
    several = r"[A-Z]{1,12}[0-9]{0,2}(_[A-Z]{1,12}[0-9]{0,2})+(_[0-9]{1,2})?"
    single = r"[A-Z]{1,8}"
    return len(text) <= _MAX_VARIABLE and bool(
        re.fullmatch(f"{several}|{single}", text) and not re.fullmatch(r"[0-9A-F_]*", text)
    )


def ways(field: CredentialField) -> tuple[str, str, str]:
    """Return the keys under which a credential can be given: in the file itself, in another, in the environment."""
    return field.name, f"{field.name}_file", f"{field.name}_env"


def _once(field: CredentialField, ways: Iterable[str], given: Mapping[str, object]) -> str | None:
    """Return what is wrong if a credential is not given in exactly one way."""
    used = [way for way in ways if way in given]
    if len(used) > 1:
        return f"{' and '.join(used)} are given; must be one of them"
    return f"needs one of {', '.join(ways)}" if field.required and not used else None


def sendable(value: str, where: str) -> str:
    """Accept what can be a credential; `where` is what to call it."""
    if not value:
        refuse(f"{where} is empty")
    if len(value) > CredentialField.MAX_LENGTH:
        refuse(f"{where} is longer than {CredentialField.MAX_LENGTH} characters")
    if not CredentialField.accepts(value):
        refuse(f"{where} holds a space, a line break or another character that no credential has")
    return value
