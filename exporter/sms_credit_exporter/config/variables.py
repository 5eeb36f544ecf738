"""One account from environment variables, for a container without a configuration file.

The variables are the keys of the file and of an account, in capitals after a prefix. What is wrong with them is told as
in a file, by the name of the variable.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sms_credit_core import PROVIDERS, CredentialField

from ..mistakes import Mistake
from .composer import plain
from .credentials import Secrets, Way, sendable
from .document import Steps
from .keys import ACCOUNT_KEYS, FILE_KEYS, Key

PREFIX = "SMS_CREDIT_"
LABEL = f"{PREFIX}LABEL_"
"""Followed by the name of a label, in capitals."""

_OF_KUBERNETES = re.compile(r"(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?)")
"""Kubernetes sets these in every pod of a namespace with a service whose name begins with sms-credit."""


def variable(name: str) -> str:
    """Return the variable for a key or a credential."""
    return PREFIX + name.upper()


def credential_variables(credential: CredentialField) -> tuple[str, str]:
    """Return the variables for a credential: one holds it, the other names a file that does."""
    return variable(credential.name), variable(f"{credential.name}_file")


KEYS: Mapping[str, Key] = {variable(key.name): key for key in (*FILE_KEYS, *ACCOUNT_KEYS) if not key.nested}
"""By variable. What can stand in the file and in an account means the same for one account."""

_CREDENTIALS = {
    name
    for provider in PROVIDERS.values()
    for credential in provider.credentials
    for name in credential_variables(credential)
}


def given(environ: Mapping[str, str]) -> list[str]:
    """Return the variables that can mean nothing but an account; a credential may be there for a file to name it."""
    return [name for name in KEYS if environ.get(name)]


def _is_label(name: str) -> bool:
    return name.startswith(LABEL) and name != LABEL


class Variables:
    """What the environment says, as a file with one account would."""

    file = Path("environment")

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take those of ours; an empty one counts as none."""
        self._set = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value}

    @property
    def values(self) -> object:
        """The one account, and what else stands in a file."""
        account = self._members(ACCOUNT_KEYS)
        account["credentials"] = {name: value for name, value in self._set.items() if name in _CREDENTIALS}
        labels = {name.removeprefix(LABEL).lower(): value for name, value in self._set.items() if _is_label(name)}
        of_account = {key.name for key in ACCOUNT_KEYS}
        of_file = self._members(key for key in FILE_KEYS if key.name not in of_account)
        return {**of_file, "accounts": [{**account, **({"labels": labels} if labels else {})}]}

    def _members(self, keys: Iterable[Key]) -> dict[str, object]:
        found = ((key, self._set.get(variable(key.name))) for key in keys if not key.nested)
        return {key.name: value if key.text else plain(value) for key, value in found if value}

    def mistake(self, steps: Steps, text: str) -> Mistake:
        """Return a mistake in the variable that is behind a value."""
        last = str(steps[-1]) if steps else ""
        name = last if last in _CREDENTIALS else LABEL + last.upper() if "labels" in steps else variable(last)
        return Mistake(name if name in self._set or name in KEYS else "", text, None, self.file)

    def unknown(self) -> Iterator[Mistake]:
        """Return the variables of our prefix that mean nothing."""
        known = [*KEYS, *sorted(_CREDENTIALS)]
        for name in self._set.keys() - set(known):
            if not _is_label(name) and not _OF_KUBERNETES.fullmatch(name.removeprefix(PREFIX)):
                near = difflib.get_close_matches(name[len(PREFIX) :], [each[len(PREFIX) :] for each in known], n=1)
                hint = f"; did you mean {PREFIX}{near[0]}?" if near else ""
                yield Mistake(name, f"is not a known variable{hint}", None, self.file)


class SecretVariables(Secrets):
    """The credentials in variables of their own, or in files that such variables name."""

    def ways(self, field: CredentialField) -> Mapping[str, Way]:
        """Return what makes the credential, by its variables."""
        return dict(zip(credential_variables(field), (_held, self.from_file), strict=True))


def _held(_: CredentialField, value: object) -> str:
    return sendable(str(value).strip(), "it")
