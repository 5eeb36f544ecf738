"""The payload files: each is read as it says, and together they cover all that a provider can answer."""

import re
import sys
from decimal import Decimal
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from sms_credit_core import PROVIDERS, Answer, Cause, NoReading, Status, Value
from sms_credit_core.provider import CAUSE_BY_HTTP_STATUS
from sms_credit_exporter.simulator.payloads import ROOT, Payload, payloads

PATHS = sorted(ROOT.glob("*/*"))
FILES = [pytest.param(file, id=f"{file.parent.name}/{file.stem}") for file in PATHS]
TABLES = [row for row, file in zip(FILES, PATHS, strict=True) if "\neach:\n" in file.read_text()]

READING = {"status", "balance", "currency", "quota", "credit_blocked", "provider_updated"}
EXACT = {Value.BALANCE: Decimal, Value.QUOTA: int, Value.CREDITS: Decimal, Value.CREDIT_BLOCKED: bool}
PROBLEM = {"status", "cause", "code", "detail", "retry_after"}

UNANSWERED = {Cause.NOT_HTTP, Cause.TOO_LARGE, Cause.ENCODING_UNKNOWN} | {
    cause for cause in Cause if cause.status is Status.UNREACHABLE
}
"""What happens before there is an answer to read."""

ALWAYS_POSSIBLE = {
    Status.FRESH,
    Status.AUTH_FAILED,
    Status.ACCESS_DENIED,
    Status.RATE_LIMITED,
    Status.PROVIDER_ERROR,
    Status.INVALID_RESPONSE,
}


def name_of(payload: Payload) -> str:
    """Name a payload as its file is."""
    return f"{payload.provider}/{payload.name}"


def answer_of(payload: Payload) -> Answer:
    """Return the answer as `poll` hands it to the provider."""
    names = {name.lower() for name, _ in payload.headers}
    headers = {name: ", ".join(value for each, value in payload.headers if each.lower() == name) for name in names}
    return Answer(payload.status, headers, payload.body)


def outcome_of(payload: Payload) -> dict[str, Any]:
    """Read a payload and write down what came of it as the files do.

    An amount is compared as text, so that 1.50 is not 1.5 and a negative zero is not zero.
    """
    try:
        reading = PROVIDERS[payload.provider].read(answer_of(payload))
    except NoReading as reason:
        problem = reason.problem
        said = {"status": problem.status, "cause": problem.cause, "code": problem.code, "detail": problem.detail}
        return {name: value for name, value in said.items() if value is not None}
    return {
        "status": reading.quality.status,
        "balance": reading.balance if reading.balance is None else str(reading.balance),
        "currency": reading.currency,
        "quota": reading.quota,
        **({} if reading.credits is None else {"credits": str(reading.credits)}),
        "credit_blocked": reading.credit_blocked,
        "provider_updated": reading.provider_updated and reading.provider_updated.isoformat(),
    }


@pytest.mark.parametrize("payload", [*payloads()], ids=name_of)
def test_an_answer_is_read_as_its_file_says(payload: Payload) -> None:
    """The whole outcome is compared; only Retry-After is read elsewhere, by `poll`."""
    expected = {name: value for name, value in payload.outcome.items() if name != "retry_after"}
    assert outcome_of(payload) == expected


@pytest.mark.parametrize("payload", [each for each in payloads() if "balance" in each.outcome], ids=name_of)
def test_a_reading_has_exact_types(payload: Payload) -> None:
    """To Python, 1 equals 1.0, True and Decimal(1); to a person, money, messages and a flag differ."""
    reading = PROVIDERS[payload.provider].read(answer_of(payload))
    for value, exact in EXACT.items():
        given = value in PROVIDERS[payload.provider].gives
        assert type(getattr(reading, value)) is (exact if given else type(None))


@pytest.mark.parametrize("file", FILES)
def test_a_file_follows_the_format(file: Path) -> None:
    """A misspelt key would be a promise that no test checks."""
    content = yaml.safe_load(file.read_text())
    content.pop("each", None)
    outcome = content["outcome"]
    assert file.suffix == ".yaml"
    assert list(content) == ["situation", "source", "answer", "outcome"]
    assert content["situation"].endswith(".")
    assert re.fullmatch(r"seed|page https://\S+|derived: \S.*", content["source"])
    assert list(content["answer"]) == ["status", "headers", "body"]
    assert all(isinstance(line, str | list) for line in content["answer"]["headers"].values())
    assert isinstance(content["answer"]["body"], str | bytes)
    assert ("retry_after" in outcome) == ("Retry-After" in content["answer"]["headers"])
    assert set(outcome) - {Value.CREDITS} == READING or {"status", "cause"} <= set(outcome) <= PROBLEM


@pytest.mark.parametrize("file", TABLES)
def test_every_line_of_a_table_says_what_the_table_leaves_open(file: Path) -> None:
    """A misspelt word in a line would be lost, and a line that says nothing of its own needs none."""
    content = yaml.safe_load(file.read_text())
    lines = content.pop("each")
    left_open = set(Template(yaml.safe_dump(content)).get_identifiers())
    assert len(lines) > 1
    assert {name: set(words) for name, words in lines.items()} == dict.fromkeys(lines, left_open)


def test_every_payload_has_a_name_of_its_own() -> None:
    """Tests ask for it, whether it is in a file of its own or a line of a table."""
    written = [yaml.safe_load(file.read_text()).get("each", [file.stem]) for file in PATHS]
    named = [payload.name for payload in payloads()]
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name) for name in named)
    assert sorted(name for names in written for name in names) == sorted(named)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_two_payloads_hold_the_same_answer(provider: str) -> None:
    """A copy would look like coverage and be none."""
    answers = [(payload.status, payload.headers, payload.body) for payload in payloads(provider)]
    assert len(set(answers)) == len(answers)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_status_that_any_provider_can_cause_occurs(provider: str) -> None:
    """A status without a payload would be a row of the contract that nobody has seen."""
    assert {payload.outcome["status"] for payload in payloads(provider)} >= ALWAYS_POSSIBLE


def test_every_cause_that_an_answer_can_give_occurs() -> None:
    """A cause without a payload would be a text that nobody has seen."""
    assert {payload.outcome.get("cause") for payload in payloads()} - {None} == set(Cause) - UNANSWERED


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_code_of_a_providers_tables_occurs(provider: str) -> None:
    """A line added to a table needs the answer that it was added for. Tables lead from codes to causes."""
    module = vars(sys.modules[type(PROVIDERS[provider]).__module__])
    tables = [table for table in module.values() if isinstance(table, dict) and {*map(type, table.values())} == {Cause}]
    assert tables or not any("code" in payload.outcome for payload in payloads(provider))
    codes = {str(code) for table in tables for code, cause in table.items() if CAUSE_BY_HTTP_STATUS.get(code) != cause}
    assert codes <= {payload.outcome.get("code") for payload in payloads(provider)}
