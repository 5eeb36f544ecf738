"""Reading an answer, whatever it is: a certain reading or a typed problem, and nothing of the answer leaks out."""

import copy
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_credit_core import PROVIDERS, Answer, NoReading, Problem, Provider, Quality, Reading, Status, Value

HEALTHY: Mapping[str, Any] = {
    "23telecom": {"balance": 1250.50, "currency": "EUR", "updated": "2026.02.13 10:15:00", "credit_blocked": False},
    "iletimerkezi": {"response": {"status": {"code": 200, "message": ""}, "balance": {"amount": 10.584, "sms": 67}}},
}

PLACES: Mapping[str, Mapping[Value, tuple[str, ...]]] = {
    "23telecom": {Value.BALANCE: ("balance",)},
    "iletimerkezi": {
        Value.BALANCE: ("response", "balance", "amount"),
        Value.QUOTA: ("response", "balance", "sms"),
    },
}
"""Where each number stands in an answer."""

NAMEABLE: Mapping[str, set[str]] = {
    "23telecom": {"balance", "currency", "credit_blocked", "unavailable", "status", "X-Sms-Gateway-Status"},
    "iletimerkezi": {
        "response",
        "response.status",
        "response.status.code",
        "response.balance",
        "response.balance.amount",
        "response.balance.sms",
    },
}
"""The fields that a problem's detail may name; beside them only the number of the HTTP status."""

OPTIONAL = {Value.PROVIDER_UPDATED}
"""What a provider can give, but need not give each time."""

MEMBERS = sorted({*NAMEABLE["23telecom"], "error_code", "reason", "updated", "response", "code", "amount", "sms"})

providers = st.sampled_from(sorted(PROVIDERS.values(), key=lambda provider: provider.key))
statuses = st.one_of(st.just(200), st.integers(100, 599))
headers = st.dictionaries(
    st.sampled_from(("x-sms-gateway-status", "x-sms-gateway-reason", "retry-after", "content-type")),
    st.one_of(st.sampled_from(("partial", "unavailable", "PARTIAL,partial", "cache_disabled", "")), st.text()),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from((0, 200, 401, "200", "EUR", "UNAUTHORIZED", "partial", "1250.50", "2026.02.13 10:15:00")),
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.sampled_from(MEMBERS), st.text()), inner, max_size=5)
    ),
    max_leaves=12,
)


def paths(document: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return where the members of a document are, at every depth."""
    members = document if isinstance(document, dict) else {}
    return [each for name in members for each in ((*path, name), *paths(members[name], (*path, name)))]


@st.composite
def mutations(draw: st.DrawFn) -> tuple[Provider, bytes]:
    """Return a healthy answer with a few members dropped, replaced or added."""
    provider = draw(providers)
    document = copy.deepcopy(HEALTHY[provider.key])
    for _ in range(draw(st.integers(1, 3))):
        *outer, name = draw(st.sampled_from(paths(document) or [("balance",)]))
        place = reduce(getitem, outer, document)
        place.pop(name, None)
        place.update(draw(st.dictionaries(st.sampled_from((name, *MEMBERS)), documents, max_size=1)))
    return provider, json.dumps(document).encode()


def check(provider: Provider, answer: Answer) -> Reading | Problem:
    """Read an answer and assert what holds for every outcome, by the body as a lenient reader sees it."""
    try:
        reading = provider.read(answer)
    except NoReading as reason:
        problem = reason.problem
        assert problem.code is None or re.fullmatch("-?[A-Za-z0-9_]{1,64}", problem.code)
        assert problem.detail in {None, str(answer.status)} | NAMEABLE[provider.key]
        assert problem.text == problem.cause.text.replace("{detail}", str(problem.detail))
        assert problem.retry_after is None
        return problem
    document = json.loads(answer.body.decode("utf-8-sig"), parse_float=Decimal)
    said = {value: reduce(getitem, place, document) for value, place in PLACES[provider.key].items()}
    assert {value: getattr(reading, value) for value in said} == said
    assert all(type(number) in {int, Decimal} for number in said.values())
    assert all(getattr(reading, value) is not None for value in provider.gives - OPTIONAL)
    assert all(getattr(reading, value) is None for value in set(Value) - provider.gives)
    assert re.fullmatch("[A-Z]{3}", str(reading.currency))
    assert answer.status == 200
    return reading


@given(provider=providers, status=statuses, headers=headers, body=st.binary(max_size=200))
def test_arbitrary_bytes(provider: Provider, status: int, headers: dict[str, str], body: bytes) -> None:
    """Bytes that nobody meant give a problem or a certain reading."""
    check(provider, Answer(status, headers, body))


@given(provider=providers, status=statuses, headers=headers, document=documents)
def test_arbitrary_json(provider: Provider, status: int, headers: dict[str, str], document: object) -> None:
    """JSON that nobody meant gives a problem or a certain reading."""
    check(provider, Answer(status, headers, json.dumps(document).encode()))


@given(mutation=mutations(), headers=headers)
def test_mutations_of_a_healthy_answer(mutation: tuple[Provider, bytes], headers: dict[str, str]) -> None:
    """An answer that is nearly right gives a problem or a certain reading."""
    provider, body = mutation
    check(provider, Answer(200, headers, body))


@given(provider=providers, status=st.integers(100, 599).filter(lambda status: status != 200))
def test_no_other_http_status_gives_a_reading(provider: Provider, status: int) -> None:
    """A healthy body under any status but 200 is not what was asked for."""
    outcome = check(provider, Answer(status, {}, json.dumps(HEALTHY[provider.key]).encode()))
    assert isinstance(outcome, Problem)


@given(amount=st.decimals(-(10**15), 10**15, places=4), provider=providers)
def test_a_balance_is_kept_to_its_last_digit(amount: Decimal, provider: Provider) -> None:
    """What the provider writes is what is shown, digit for digit."""
    body = json.dumps(HEALTHY[provider.key]).replace("1250.5", f"{amount:f}").replace("10.584", f"{amount:f}")
    outcome = check(provider, Answer(200, {}, body.encode()))
    assert isinstance(outcome, Reading)
    assert str(outcome.balance) == f"{amount + 0:f}"  # adding 0 rids a zero of its sign


@given(word=st.text())
def test_a_reading_is_never_better_than_its_header(word: str) -> None:
    """23 Telecom flags an answer by a header; a word that is not understood leaves no reading."""
    body = json.dumps(HEALTHY["23telecom"]).encode()
    outcome = check(PROVIDERS["23telecom"], Answer(200, {"x-sms-gateway-status": word}, body))
    words = {each.strip().lower() for each in word.split(",")}
    assert getattr(outcome, "quality", None) == {
        frozenset({""}): Quality.COMPLETE,
        frozenset({"partial"}): Quality.PARTIAL,
        frozenset({"", "partial"}): Quality.PARTIAL,
    }.get(frozenset(words))


@given(
    provider=providers,
    member=st.sampled_from(MEMBERS),
    depth=st.integers(1, 3000),
    brackets=st.sampled_from(("[]", "{}")),
)
def test_nesting_of_any_depth(provider: Provider, member: str, depth: int, brackets: str) -> None:
    """Nesting may exhaust the reader at any depth, but it always ends in an outcome."""
    opening, closing = {"[]": ("[", "]"), "{}": ('{"a":', "}")}[brackets]
    nested = opening * depth + "0" + closing * depth
    check(provider, Answer(200, {}, f'{{"balance": 1, "currency": "EUR", "{member}": {nested}}}'.encode()))


MONSTERS = [
    pytest.param(b"[" * 20_000 + b"]" * 20_000, id="20,000 brackets"),
    pytest.param(b'{"balance":' * 5_000 + b"1" + b"}" * 5_000, id="5,000 objects"),
    pytest.param(b'{"a": ' + b"[" * 60_000, id="60,000 opening brackets"),
    pytest.param(b"9" * 5_000, id="a bare number of 5,000 digits"),
    pytest.param(b'"' + b"x" * 60_000 + b'"', id="a text of 60,000 characters"),
    pytest.param(b"\x00" * 60_000, id="60,000 zero bytes"),
    pytest.param(b'{"' + b"a" * 60_000 + b'": 1}', id="a name of 60,000 characters"),
]

NUMBERS = [
    pytest.param("9" * 5_000, "not_json", id="integer of 5,000 digits"),
    pytest.param("9" * 1_000, "field_unreadable", id="integer of 1,000 digits"),
    pytest.param("0." + "9" * 5_000, "field_unreadable", id="fraction of 5,000 digits"),
    pytest.param("9" * 5_000 + ".0", "field_unreadable", id="5,000 digits before the point"),
    pytest.param("1e" + "9" * 5_000, "not_json", id="exponent of 5,000 digits"),
    pytest.param("1" + "0" * 16, "field_unreadable", id="ten quadrillion"),
    pytest.param("1." + "0" * 27 + "1", "field_unreadable", id="twenty-nine digits, more than arithmetic keeps"),
    pytest.param("1e-65", "field_unreadable", id="sixty-five places after the point"),
]


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
@pytest.mark.parametrize("body", MONSTERS)
def test_a_monstrous_body_is_refused(provider: Provider, body: bytes) -> None:
    """However deep a body nests, it costs no more than a refusal; the depth at which Python gives up is its own."""
    outcome = check(provider, Answer(200, {}, body))
    assert isinstance(outcome, Problem)
    assert outcome.status is Status.INVALID_RESPONSE


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
@pytest.mark.parametrize(("number", "cause"), NUMBERS)
def test_a_monstrous_number_is_refused(provider: Provider, number: str, cause: str) -> None:
    """A number that no account holds is not shown as a balance."""
    body = json.dumps(HEALTHY[provider.key]).replace("1250.5", number).replace("10.584", number)
    outcome = check(provider, Answer(200, {}, body.encode()))
    assert isinstance(outcome, Problem)
    assert outcome.cause == cause


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
@pytest.mark.parametrize(
    ("number", "kept"),
    [
        pytest.param("9" * 16 + ".99", "9" * 16 + ".99", id="a little below ten quadrillion"),
        pytest.param("9" * 16 + "." + "9" * 12, "9" * 16 + "." + "9" * 12, id="twenty-eight digits"),
        pytest.param("1e15", "1" + "0" * 15, id="a quadrillion in exponent notation"),
        pytest.param("1e-64", "1E-64", id="sixty-four places after the point"),
    ],
)
def test_a_number_just_within_the_bounds_is_kept(provider: Provider, number: str, kept: str) -> None:
    """The bounds on numbers leave more room than money needs."""
    body = json.dumps(HEALTHY[provider.key]).replace("1250.5", number).replace("10.584", number)
    outcome = check(provider, Answer(200, {}, body.encode()))
    assert isinstance(outcome, Reading)
    assert str(outcome.balance) == kept
