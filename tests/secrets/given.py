"""Marked credentials, given to an exporter in one of the ways of giving them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from sms_credit_core import PROVIDERS, CredentialField, Provider
from sms_credit_exporter.config.credentials import ways
from sms_credit_exporter.config.variables import credential_variables, variable
from sms_credit_exporter.simulator.server import SimulatedAccount
from tests.exporter.running import Providers
from tests.secrets.echoes import echoes
from tests.secrets.marks import PLAIN, credentials

IN_THE_FILE, IN_FILES, IN_THE_ENVIRONMENT = WAYS = (
    "in the configuration",
    "in files of their own",
    "in the environment",
)
"""In the order in which the exporter has the keys for them."""


@dataclass
class Given:
    """Two accounts of each provider: a healthy one, and one whose provider sends back what it refuses."""

    providers: Providers
    folder: Path
    way: str
    of: Iterable[Provider] = tuple(PROVIDERS.values())
    environ: dict[str, str] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)
    """Every credential."""
    healthy: list[str] = field(default_factory=list)
    """Names of accounts."""
    simulated: list[SimulatedAccount] = field(default_factory=list)
    _accounts: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the accounts, and write the configuration."""
        for provider in self.of:
            self._open(provider, f"{provider.key}-healthy", credentials(provider, self.way))
            self.healthy.append(f"{provider.key}-healthy")
            refused = credentials(provider, self.way, "refused", between=PLAIN, optional=False)
            self._open(provider, f"{provider.key}-refused", refused, echo=True)
        self.write()

    @property
    def file(self) -> Path:
        """The configuration."""
        return self.folder / "config.yml"

    @property
    def inputs(self) -> set[Path]:
        """The files that hold credentials because whoever runs this has put them there."""
        return {self.file, *self.folder.glob("*.secret")}

    def write(self) -> None:
        """Write the configuration, without mistakes."""
        self.file.write_text(yaml.safe_dump({"accounts": self._accounts}))

    def write_with_mistakes(self) -> None:
        """Write it with every key of a credential misspelt, and each credential where a list belongs."""
        wrong = [
            {
                **account,
                "credentials": {f"{name}s": value for name, value in given.items()},
                "labels": [*given.values()],
                "poll_interval": next(iter(given.values())),
            }
            for account in self._accounts
            if isinstance(given := account["credentials"], dict)
        ]
        self.file.write_text(yaml.safe_dump({"accounts": wrong}))

    def write_no_yaml(self) -> None:
        """Write it with a bracket too few behind a credential, which a parser would show with the line around it."""
        self.file.write_text(f"accounts:\n  - credentials: {{api_key: '{self.values[0]}', [{self.values[1]}\n")

    def _open(self, provider: Provider, name: str, values: Mapping[str, str], *, echo: bool = False) -> None:
        account = self.providers.simulator.add(provider.key, credentials=values)
        self.simulated.append(account)
        if echo:
            every = [*echoes(provider, values)]
            account.answer_with(next((each for each in every if each.outcome.get("code")), every[0]))
        given = dict(
            self._given(name, declared, values[declared.name])
            for declared in provider.credentials
            if declared.name in values
        )
        self.values += values.values()
        often = {} if not self._accounts else {"poll_interval": "1m"}  # one is enough to see what a later poll says
        self._accounts.append({**self.providers.configured(name, account, **often), "credentials": given})

    def _given(self, account: str, credential: CredentialField, value: str) -> tuple[str, str]:
        """Return the key for a credential, and what stands there."""
        key = ways(credential)[WAYS.index(self.way)]
        if self.way == IN_THE_FILE:
            return key, value
        name = f"{account}_{credential.name}".replace("-", "_").upper()
        if self.way == IN_THE_ENVIRONMENT:
            self.environ[f"OF_{name}"] = value
            return key, f"OF_{name}"
        (self.folder / f"{name}.secret").write_text(f"{value}\n")
        return key, f"{name}.secret"


def single(provider: Provider, base_url: str, values: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the variables that make one account without a configuration; one credential stands in a file."""
    account = {"name": provider.key, "provider": provider.key, "base_url": base_url, "poll_interval": "1s"}
    environ = {variable(name): value for name, value in account.items()}
    for number, declared in enumerate(provider.credentials):
        held, in_a_file = credential_variables(declared)
        if number == 0:
            environ[held] = values[declared.name]
        else:
            file = folder / f"{provider.key}_{declared.name}.secret"
            file.write_text(values[declared.name])
            environ[in_a_file] = str(file)
    return environ
