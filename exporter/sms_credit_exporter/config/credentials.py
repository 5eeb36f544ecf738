"""Where credentials come from: the file itself, files that it names, or the environment."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import voluptuous as vol

from sms_credit_core import CredentialField, Credentials, Provider, Secret

from .values import mapping, mistake

_MAX_SECRET_FILE = 4096


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where the credentials of a configuration come from."""

    folder: Path
    """Relative paths start here, as in Prometheus."""
    environ: Mapping[str, str] = field(repr=False)

    def credentials(self, provider: Provider) -> Callable[[object], Credentials]:
        """Accept the credentials that the provider declares, each as NAME, NAME_file or NAME_env."""
        sources = {
            f"{field.name}{suffix}": (field, source)
            for field in provider.credentials
            for suffix, source in (("", self._inline), ("_file", self._from_file), ("_env", self._from_environment))
        }
        schema = mapping({vol.Optional(key): source for key, (_, source) in sources.items()})

        def validate(value: object) -> Credentials:
            errors = []
            values: dict[str, str] = {}
            try:
                values = schema(value)
            except vol.MultipleInvalid as invalid:
                errors = invalid.errors
            given = value if isinstance(value, dict) else {}
            errors += [vol.Invalid(text) for field in provider.credentials if (text := _once(field, given))]
            if errors:
                raise vol.MultipleInvalid(errors)
            return {sources[key][0].name: Secret(text) for key, text in values.items()}

        return validate

    @staticmethod
    def _inline(value: object) -> str:
        if not isinstance(value, str):
            mistake("must be text (put it in quotes)")
        return _sendable(value, "it")

    def _from_file(self, value: object) -> str:
        if not isinstance(value, str):
            mistake("must be the path of a file")
        try:
            with (self.folder / value).open("rb") as file:
                content = file.read(_MAX_SECRET_FILE)
        except (OSError, ValueError) as error:
            mistake(f"the file cannot be read: {getattr(error, 'strerror', None) or 'not a path'}")
        return _sendable(content.decode("utf-8", "replace").strip(), "the file")

    def _from_environment(self, value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            mistake("must be the name of an environment variable")
        if not self.environ.get(value):
            mistake("the environment variable of that name is not set, or empty")
        return _sendable(self.environ[value].strip(), "the environment variable")


def _once(field: CredentialField, given: Mapping[str, object]) -> str | None:
    """Return what is wrong if a credential is not given in exactly one way."""
    ways = (field.name, f"{field.name}_file", f"{field.name}_env")
    used = [way for way in ways if way in given]
    if len(used) > 1:
        return f"{' and '.join(used)} are given; must be one of them"
    return f"needs one of {', '.join(ways)}" if field.required and not used else None


def _sendable(value: str, where: str) -> str:
    if not value:
        mistake(f"{where} is empty")
    if len(value) > CredentialField.MAX_LENGTH:
        mistake(f"{where} is longer than {CredentialField.MAX_LENGTH} characters")
    if not CredentialField.accepts(value):
        mistake(f"{where} holds a space, a line break or another character that no credential has")
    return value
