"""The order of the states: of all that holds for an account, the dashboards say the worst."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from grafana.generate.account import SCOPE
from grafana.generate.states import state, states
from sms_credit_core import URGENCY, Status
from tests.grafana.test_rules import generations, run

Tool = Callable[[str], str]
Series = dict[str, float]

RANKS = {each.text: rank for rank, each in enumerate(reversed(states(SCOPE)))}


def last_poll(status: Status) -> Series:
    """Return what the exporter shows of a poll that came to this."""
    return {"sms_credit_up{": status.up, **{f'sms_credit_status{{status="{each}",': each is status for each in Status}}


BLOCKED: Series = {"sms_credit_blocked{": 1}
VERY_LOW: Series = {'sms_credit_balance{currency="EUR",': 50, "sms_credit_low_balance_threshold{": 100}
LOW: Series = {
    "sms_credit_quota_messages{": 900,
    "sms_credit_low_quota_threshold_messages{": 1000,
    'sms_credit_low{reason="quota",': 1,
}
REMEMBERED: Series = {'sms_credit_low{reason="quota",': 1}
UNUSUAL: Series = {"sms_credit_spending_unusual{": 1}
SOON: Series = {"sms_credit_runway_seconds{": 86400}
OWN_LIMIT: Series = {"sms_credit_low_runway_threshold_seconds{": 3600, 'sms_credit_low{reason="runway",': 0}
ENOUGH: Series = {'sms_credit_balance{currency="EUR",': 500, "sms_credit_low_balance_threshold{": 100}

REFUSED, OUTAGE = last_poll(Status.AUTH_FAILED), last_poll(Status.UNREACHABLE)

CASES: dict[str, tuple[Series, str]] = {
    "an account without credit has lost its access": (BLOCKED | REFUSED | VERY_LOW, "Blocked"),
    "credentials are refused while the credit is very low": (REFUSED | VERY_LOW, "No access"),
    "access is denied while the credit is low": (last_poll(Status.ACCESS_DENIED) | LOW, "No access"),
    "the balance is very low and the quota low": (VERY_LOW | LOW | OUTAGE, "Very low"),
    "the credit is low and runs out soon": (LOW | SOON | OUTAGE, "Low"),
    "low credit is remembered, and no value is known": (REMEMBERED | OUTAGE, "Low"),
    "a low account spends unusually": (UNUSUAL | LOW | OUTAGE, "Low"),
    "an account spends unusually, and does not last for long": (UNUSUAL | SOON | OUTAGE, "Unusual spending"),
    "the credit runs out soon in an outage": (SOON | OUTAGE, "Runs out soon"),
    "the credit runs out soon, but later than the account's own limit": (SOON | OWN_LIMIT | OUTAGE, "Not read"),
    "nothing but an outage": (ENOUGH | OUTAGE, "Not read"),
    "the credit is low by a partial reading": (LOW | last_poll(Status.PARTIAL), "Low"),
    "a partial reading of enough credit": (ENOUGH | last_poll(Status.PARTIAL), "Degraded"),
    "a fresh reading of enough credit": (ENOUGH | last_poll(Status.FRESH), "Fresh"),
    "a fresh reading that is too old by now": (last_poll(Status.FRESH), "Not read"),
    "no poll yet": (last_poll(Status.PENDING), "Being set up"),
}


@generations
@pytest.mark.parametrize(("series", "worst"), CASES.values(), ids=CASES)
async def test_the_worst_of_all_that_holds_is_said(
    tool: Tool, tmp_path: Path, programs: str, series: Series, worst: str
) -> None:
    """First what stops sending, then what somebody must act on, then low credit, then what ends by itself."""
    account = 'job="sms-credit",provider="23telecom",account="otp"'
    instance = ',instance="a"'
    chosen = {"job": "sms-credit", "instance": "a", "provider": "23telecom", "account": "otp"}
    test = {
        "input_series": [
            {"series": f"{name}{account}{'' if ':' in name else instance}}}", "values": f"{float(value):g}"}
            for name, value in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": re.sub(r"\$(\w+)", lambda match: chosen[match[1]], state(SCOPE)),
                "eval_time": "0m",
                "exp_samples": [{"labels": f"{{{account}}}", "value": RANKS[worst]}],
            }
        ],
    }
    file = tmp_path / "state.yml"
    file.write_text(yaml.safe_dump({"tests": [test]}))
    assert "SUCCESS" in await run(tool(f"{programs}promtool"), "test", "rules", file)


WORDS = {
    "Blocked": "blocked",
    "No access": "refused",
    "Very low": "low",
    "Low": "low",
    "Unusual spending": "unusual",
    "Runs out soon": "unusual",  # the core has no word for it
    "Not read": "failing",
    "Degraded": "partial",
    "Being set up": "waiting",
    "Fresh": "fresh",
}
"""The core's words for the states; what the core tells apart by who must act, the dashboards tell by what is known."""


def test_states_are_as_urgent_as_the_cores_words() -> None:
    """Both products put the same accounts first."""
    order = [*URGENCY]
    urgent = [
        order.index(WORDS[state.text]) for state in states(SCOPE) if state.text not in {"Degraded", "Being set up"}
    ]
    assert urgent == sorted(urgent)
    assert WORDS.keys() == {state.text for state in states(SCOPE)}
