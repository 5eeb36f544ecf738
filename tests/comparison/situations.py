"""What a provider may answer, and the accounts that are in it, for all that are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from sms_credit_core import PROVIDERS, Secret
from sms_credit_exporter.simulator.behaviour import Act, NoAnswer
from sms_credit_exporter.simulator.server import SimulatedAccount, Simulator

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Situation:
    """One thing that happens to an account that has been healthy."""

    told: str
    """As the table has it."""
    provider: str
    what: str | Act
    """The payload that it answers with, or what else it does."""


SITUATIONS = (
    Situation("healthy", "23telecom", "healthy"),
    Situation(
        '`{"balance": 0, "unavailable": true, …}`',
        "23telecom",
        "unavailable_cache_miss_refresh_failed_in_body",
    ),
    Situation("the same said in a header", "23telecom", "unavailable_cache_miss_refresh_failed"),
    Situation("onboarding, no balance", "23telecom", "onboarding"),
    Situation('onboarding, `"balance": 0`', "23telecom", "onboarding_zero_balance"),
    Situation("401, the key is refused", "23telecom", "error_invalid_api_key"),
    Situation("429, HTML", "23telecom", "error_rate_limited_html"),
    Situation("200, HTML", "23telecom", "body_html"),
    Situation("503, HTML", "23telecom", "error_503_html"),
    Situation("no answer at all", "23telecom", NoAnswer.SILENT),
    Situation("healthy, lira", "iletimerkezi", "healthy"),
    Situation("healthy, messages and no lira", "iletimerkezi", "sms_credit_account"),
    Situation("200, code 401 in the body", "iletimerkezi", "error_401_status_200"),
)


@dataclass(frozen=True, slots=True)
class Watched:
    """An account that all watch."""

    name: str
    situation: Situation
    account: SimulatedAccount
    base_url: str

    @property
    def url(self) -> str:
        """Where its balance is asked for."""
        credentials = {name: Secret(value) for name, value in self.account.credentials.items()}
        return PROVIDERS[self.account.provider].request(self.base_url, credentials, 0).url

    def worded(self, file: str, **more: object) -> Any:  # noqa: ANN401 - any YAML
        """Return the configuration of one of the others, in this account's words."""
        credentials = self.account.credentials
        words = {"name": self.name, "url": self.url, "key": credentials["api_key"], "hash": credentials.get("api_hash")}
        return yaml.safe_load(Template((HERE / file).read_text()).substitute(words, **more))

    def happen(self) -> None:
        """Be in the situation from now on."""
        self.account.answer_with(self.situation.what)

    def recover(self) -> None:
        """Be healthy again."""
        self.account.answer_with("healthy")


def opened(situations: Sequence[Situation], simulator: Simulator, base_urls: Mapping[str, str]) -> Sequence[Watched]:
    """Open an account for each situation, all of them in good health."""
    return [
        Watched(f"account_{number}", each, simulator.add(each.provider), base_urls[each.provider])
        for number, each in enumerate(situations)
    ]
