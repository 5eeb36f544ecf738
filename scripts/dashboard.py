"""Writes a Home Assistant dashboard of accounts, from the entities that the integration has; built-in cards only.

Each name is that of an account in Home Assistant, as `23 Telecom=23telecom` with its provider. Without names it writes
dashboards/sms_credit.yaml anew, about one account for each of two providers.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts import generated
from sms_credit_core import PROVIDERS, Provider, Value

_ROOT = Path(__file__).parent.parent
DASHBOARD = _ROOT / "dashboards" / "sms_credit.yaml"
_NAMES = _ROOT / "custom_components" / "sms_credit" / "translations" / "en.json"

EXAMPLES = ("23telecom", "iletimerkezi")
"""The providers of the example; their accounts are called by their names."""

_GIVEN: Mapping[str, Value] = {
    "balance": Value.BALANCE,
    "sms_quota": Value.QUOTA,
    "credits": Value.CREDITS,
    "credit_blocked": Value.CREDIT_BLOCKED,
    "provider_updated": Value.PROVIDER_UPDATED,
}
"""The entities that only some providers can give. All others, every account has that has a limit."""

_HIDDEN = {"provider_updated"}
"""Disabled until somebody wants them."""

_FIRST = ("low_credit", "credit_blocked", "unusual_spending", "balance", "credits", "sms_quota", "runway", "spent")

_TABLE = """\
| | | |
|:--|--:|:--|
{% for status in integration_entities('sms_credit') | sort if state_attr(status, 'problems') is not none -%}
{% set device = device_id(status) -%}
{% set amounts = expand(device_entities(device)) | selectattr('attributes.unit_of_measurement', 'defined')
  | rejectattr('attributes.last_reset', 'defined') | map(attribute='entity_id') | select('has_value') | sort -%}
| [{{ device_attr(device, 'name_by_user') or device_attr(device, 'name') }}](/config/devices/device/{{ device }})
{#- #} | {% for amount in amounts %}{{ states(amount, rounded=true, with_unit=true) }}{{ '' if loop.last else ' · ' }}
{%- endfor %} | {{ state_translated(status) }}{{ ' ⚠️' if state_attr(status, 'problems') else '' }} |
{% endfor %}"""
"""All accounts, whatever they are called, each with what is known of it."""


def _slug(text: str) -> str:
    """Return what Home Assistant makes of a name in an id."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def entity_ids(account: str, provider: Provider) -> dict[str, str]:
    """Return the ids of an account's entities by their keys, as Home Assistant gives them, the most urgent first."""
    platforms = json.loads(_NAMES.read_text())["entity"]
    ids = {
        key: f"{platform}.{_slug(account)}_{_slug(words['name'])}"
        for platform, entities in platforms.items()
        for key, words in entities.items()
        if key not in _HIDDEN and (key not in _GIVEN or _GIVEN[key] in provider.gives)
    }
    return {key: ids[key] for key in (*_FIRST, *sorted(ids.keys() - set(_FIRST))) if key in ids}


def section(account: str, provider: Provider) -> Iterator[dict[str, Any]]:
    """Yield the cards of one account."""
    ids = entity_ids(account, provider)
    yield {"type": "heading", "heading": account, "icon": "mdi:message-text-outline"}
    alarms = [each for each in ids.values() if each.startswith("binary_sensor.")]
    for alarm in alarms:
        yield {
            "type": "tile",
            "entity": alarm,
            "name": {"type": "entity"},
            "color": "red",
            "state_content": ["state", "last_changed"],
            "visibility": [{"condition": "state", "entity": alarm, "state": "on"}],
        }
    # The heading has the account's name already.
    yield {"type": "entities", "entities": [{"entity": each, "name": {"type": "entity"}} for each in ids.values()]}
    has = next(ids[key] for key in ("balance", "credits") if key in ids)
    yield {"type": "history-graph", "hours_to_show": 720, "entities": [has]}
    yield {
        "type": "statistics-graph",
        "entities": [ids["spent"]],
        "chart_type": "bar",
        "period": "day",
        "days_to_show": 30,
        "stat_types": ["change"],
    }


def dashboard(accounts: Mapping[str, Provider]) -> dict[str, Any]:
    """Return the dashboard as Home Assistant takes it in its raw configuration editor."""
    every = {"type": "grid", "cards": [{"type": "markdown", "content": _TABLE}]}
    each = [{"type": "grid", "cards": list(section(*account))} for account in accounts.items()]
    view = {"title": "SMS credit", "path": "sms-credit", "icon": "mdi:message-text-outline", "type": "sections"}
    return {"views": [{**view, "sections": [every, *each]}]}


def written(accounts: Mapping[str, Provider]) -> str:
    """Return the dashboard as text."""

    class Dumper(yaml.SafeDumper):
        """Writes texts of several lines as such."""

    Dumper.add_representer(
        str,
        lambda dumper, text: dumper.represent_scalar(
            "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
        ),
    )
    return str(yaml.dump(dashboard(accounts), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000))


HEAD = """\
# A dashboard with a view of SMS accounts, for Home Assistant's raw configuration editor. scripts/generate writes it.
# The first section is about all accounts, as it is. The others name entities: put the names of your accounts in the
# places of 23_telecom and iletimerkezi, or have it written for them:
#   .venv/bin/python -m scripts.dashboard "One-time codes=23telecom"
"""


def example() -> str:
    """Return the dashboard that is in the repository."""
    return HEAD + written({PROVIDERS[key].name: PROVIDERS[key] for key in EXAMPLES})


def _accounts(named: Iterable[str]) -> dict[str, Provider]:
    return {name: PROVIDERS[key] for name, _, key in (each.rpartition("=") for each in named)}


def main() -> int:
    """Write the dashboard; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    generated.add_check(parser)
    parser.add_argument("accounts", nargs="*", metavar="NAME=PROVIDER", help="accounts to write a dashboard for")
    options = parser.parse_args()
    if options.accounts:
        print(written(_accounts(options.accounts)), end="")
        return 0
    return generated.bring_up_to_date({DASHBOARD: example()}, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
