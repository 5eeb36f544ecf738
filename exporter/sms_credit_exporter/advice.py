"""What to do about an account, and where: in the provider's panel, by the runbook, on a dashboard."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import quote, urlsplit

from sms_credit_core import OUTAGES, Limit, Status

from .accounts import View

RUNBOOK = "https://github.com/sms-credit/sms-credit/blob/main/grafana/runbook.md"


class Advice(NamedTuple):
    """What to do about a state."""

    to_do: str | None
    """None where it is others who act."""
    section: str
    """Of the runbook."""


_LOW = {
    Limit.BALANCE: Advice("Top up.", "SmsCreditBalanceLow"),
    Limit.QUOTA: Advice("Top up.", "SmsCreditQuotaLow"),
    Limit.RUNWAY: Advice("Top up.", "SmsCreditDepletesSoon"),
}
_ADVICE: Mapping[str, Advice] = {
    "blocked": Advice("Top up now: until then no message is sent.", "SmsCreditBlocked"),
    Status.AUTH_FAILED: Advice(Status.AUTH_FAILED.to_do, "SmsCreditAuthFailed"),
    Status.ACCESS_DENIED: Advice(Status.ACCESS_DENIED.to_do, "SmsCreditAccessDenied"),
    "unusual": Advice("Find out who is sending; stop it if nobody should be.", "SmsCreditSpendingUnusual"),
    **dict.fromkeys(OUTAGES, Advice(None, "SmsCreditAccountFailing")),
    "stale": Advice("Find out why it is no longer read.", "SmsCreditDataStale"),
    **dict.fromkeys((Status.UNAVAILABLE, Status.PARTIAL), Advice(None, "SmsCreditDegraded")),
    Status.ONBOARDING: Advice(None, "SmsCreditOnboardingStuck"),
}


def advice(view: View, states: Sequence[str]) -> Advice | None:
    """Return what to do about the most urgent state; None where there is nothing to say about it."""
    if states[0] == "low":
        return next(_LOW[limit] for limit, is_reached in view.reached.items() if is_reached)
    return _ADVICE.get(states[0])


_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_PLACEHOLDERS = ("account", "provider")


@dataclass(frozen=True, slots=True)
class Template:
    """The address of a dashboard, with `{account}` and `{provider}` where the account's belong."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check a template. Raises ValueError with what is wrong."""
        try:
            parts = urlsplit(text)
        except ValueError:  # brackets that are none of an IPv6 address
            parts = urlsplit("")
        if unheard_of := [name for name in _PLACEHOLDER.findall(text) if name not in _PLACEHOLDERS]:
            message = f"“{{{unheard_of[0]}}}” stands for nothing; {{account}} and {{provider}} do"
        elif not text.isprintable() or " " in text or parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"“{text}” is not an address such as https://grafana.example.com/d/uid?var-account={{account}}"
        elif _PLACEHOLDER.search(parts.netloc):
            message = "the host cannot depend on the account"
        elif "@" in parts.netloc:
            message = "whoever opens the page would see the user and the password in it"
        else:
            return cls(text)
        raise ValueError(message)

    def filled(self, **values: str) -> str:
        """Return the address for an account, whatever its name is."""
        return _PLACEHOLDER.sub(lambda found: quote(values[found[1]], safe=""), self.text)


@dataclass(frozen=True, slots=True)
class Links:
    """Where the page and the API lead to."""

    dashboard: Template | None = None

    def of(self, view: View, found: Advice | None) -> Mapping[str, str]:
        """Return an account's links by what they lead to."""
        links = {"panel": view.provider.panel_url}
        if found:
            links["runbook"] = f"{RUNBOOK}#{found.section.lower()}"
        if self.dashboard:
            links["dashboard"] = self.dashboard.filled(account=view.config.name, provider=view.provider.key)
        return links
