"""The reference tables of the dashboards' README: complete, and as they are generated."""

import re
from collections.abc import Iterator

from grafana.generate.account import SCOPE
from grafana.generate.states import states
from tests.conftest import ROOT
from tests.documentation import Facts, check, named, rows
from tests.grafana.rules import ALERTS

README = ROOT / "grafana/README.md"


def alerts_told() -> Iterator[tuple[str, Facts]]:
    """Return what the README says of each alert by name and severity; two severities can share a row."""
    for name, severities, _, after in rows(README, "alert"):
        for severity in severities.split(", "):
            yield f"{named(name)[0]} ({severity})", {"after": after.partition(";")[0]}


def test_every_alert_is_told() -> None:
    """With each severity, and how long its condition must hold."""
    true = {
        f"{rule['alert']} ({rule['labels']['severity']})": {
            "after": re.sub(r"(\d+)", r"\1 ", rule["for"]) if "for" in rule else "at once"
        }
        for rule in ALERTS
    }
    check(README, "alert", alerts_told(), true)


def test_alerts_are_told_in_the_order_of_the_rules() -> None:
    """As in the runbook."""
    told = dict.fromkeys(named(name)[0] for name, *_ in rows(README, "alert"))
    assert list(told) == list(dict.fromkeys(rule["alert"] for rule in ALERTS))


def test_every_state_is_told_in_its_order() -> None:
    """A state that is added, renamed or moved is so there too."""
    assert [name for name, _ in rows(README, "state")] == [state.text for state in states(SCOPE)]
