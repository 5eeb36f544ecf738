"""Reading an answer, whatever it is: a certain reading or a typed problem, and nothing of the answer leaks out."""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from operator import getitem
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sms_credit_core import PROVIDERS, Answer, NoReading, Problem, Provider, Quality, Reading, Status, Value
from sms_credit_exporter.simulator.payloads import Payload, payload, payloads

FOLDERS = {key: tuple(payloads(key)) for key in PROVIDERS}
HEALTHY: Mapping[str, Payload] = {key: payload(key, "healthy") for key in PROVIDERS}


def lenient(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read JSON as far as that goes, every number as it is written; None for anything else."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def paths(document: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return where the members of a document are, at every depth."""
    members = document if isinstance(document, dict) else {}
    return [each for name in members for each in ((*path, name), *paths(members[name], (*path, name)))]


def plain(written: object) -> str:
    """Return a number as it stands in an answer, or text that is one, with a decimal point."""
    return str(written).replace(",", ".")


def digits(number: object) -> str:
    """Return what two ways to count the same have in common: money, and its ten-thousandth."""
    return plain(number).replace(".", "").lstrip("0")


def place_of(healthy: Payload, value: Value) -> tuple[str, ...] | None:
    """Return where a number stands in the healthy answer, as what came of it tells."""
    said, document = healthy.outcome.get(value.value), lenient(healthy.body)
    found = (path for path in paths(document) if digits(reduce(getitem, path, document)) == digits(said))
    return next(found, None) if said is not None else None


NUMBERS_GIVEN = (Value.BALANCE, Value.QUOTA, Value.CREDITS)
PLACES: Mapping[str, Mapping[Value, tuple[str, ...]]] = {
    key: {value: place for value in NUMBERS_GIVEN if (place := place_of(healthy, value))}
    for key, healthy in HEALTHY.items()
}
"""Where each number stands in an answer."""

HAS = {key: next(each for each in (Value.BALANCE, Value.CREDITS) if each in PLACES[key]) for key in HEALTHY}
"""What an account of each provider has: money, or credits."""

AMOUNTS = {key: reduce(getitem, PLACES[key][HAS[key]], lenient(healthy.body)) for key, healthy in HEALTHY.items()}
"""That amount as each healthy answer has it: a number, a text, or a whole number of small units."""

AS_NUMBERS = [
    key
    for key, amount in AMOUNTS.items()
    if str(amount) == HEALTHY[key].outcome[HAS[key].value] and type(amount) is Decimal
]
"""The providers that write amounts as JSON's numbers."""

NAMEABLE: Mapping[str, set[str]] = {
    key: {".".join(path) for path in paths(lenient(HEALTHY[key].body))}
    | {str(each.outcome["detail"]) for each in folder if "detail" in each.outcome}
    for key, folder in FOLDERS.items()
}
"""The fields that a problem's detail may name: those of the healthy answer, and those for which there is a payload."""

OPTIONAL = {Value.PROVIDER_UPDATED}
"""What a provider can give, but need not give each time."""

MEMBERS = sorted(
    {name for folder in FOLDERS.values() for each in folder for path in paths(lenient(each.body)) for name in path}
)
"""The name of every member that any payload has."""

HEADERS = sorted({name.lower() for folder in FOLDERS.values() for each in folder for name, _ in each.headers})
WORDS = sorted({value for folder in FOLDERS.values() for each in folder for _, value in each.headers})

providers = st.sampled_from(sorted(PROVIDERS.values(), key=lambda provider: provider.key))
statuses = st.one_of(st.just(200), st.integers(100, 599))
headers = st.dictionaries(st.sampled_from(HEADERS), st.one_of(st.sampled_from((*WORDS, "")), st.text()))
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


@st.composite
def mutations(draw: st.DrawFn) -> tuple[Provider, bytes]:
    """Return a healthy answer with a few members dropped, replaced or added."""
    provider = draw(providers)
    document = lenient(HEALTHY[provider.key].body)
    for _ in range(draw(st.integers(1, 3))):
        *outer, name = draw(st.sampled_from(paths(document) or [("balance",)]))
        place = reduce(getitem, outer, document)
        place.pop(name, None)
        place.update(draw(st.dictionaries(st.sampled_from((name, *MEMBERS)), documents, max_size=1)))
    return provider, written(document)


def written(document: object) -> bytes:
    """Write JSON; a number that was read exactly is written exactly, but for what a float is too short for."""
    return json.dumps(document, default=float).encode()


def check(provider: Provider, answer: Answer) -> Reading | Problem:
    """Read an answer and assert what holds for every outcome, by the body as a lenient reader sees it."""
    try:
        reading = provider.read(answer)
    except NoReading as reason:
        problem = reason.problem
        assert problem.code is None or re.fullmatch("[A-Za-z0-9_-]{1,64}", problem.code)
        assert problem.detail in {None, str(answer.status)} | NAMEABLE[provider.key]
        assert problem.text == problem.cause.text.replace("{detail}", str(problem.detail))
        assert problem.retry_after is None
        return problem
    document = lenient(answer.body)
    said = {value: reduce(getitem, place, document) for value, place in PLACES[provider.key].items()}
    for value, number in said.items():
        assert getattr(reading, value) == Decimal(plain(number)) * unit(provider.key, value)
        assert type(number) in ({str} if isinstance(AMOUNTS[provider.key], str) else {int, Decimal})
    assert all(getattr(reading, value) is not None for value in provider.gives - OPTIONAL)
    assert all(getattr(reading, value) is None for value in set(Value) - provider.gives)
    assert re.fullmatch("[A-Z]{3}" if Value.BALANCE in provider.gives else "None", str(reading.currency))
    assert answer.status == 200
    return reading


def unit(provider: str, value: Value) -> Decimal:
    """Return what one of the answer's number is worth."""
    healthy = HEALTHY[provider]
    number = reduce(getitem, PLACES[provider][value], lenient(healthy.body))
    return Decimal(healthy.outcome[value.value]) / Decimal(plain(number))


def with_amount(provider: Provider, number: str) -> bytes:
    """Return the healthy answer with another number in the place of what the account has."""
    healthy, amount = HEALTHY[provider.key], str(AMOUNTS[provider.key]).encode()
    assert healthy.body.count(amount) == 1
    return healthy.body.replace(amount, number.encode())


def as_written(provider: Provider, amount: Decimal) -> str:
    """Return an amount as the provider writes it."""
    worth, text = unit(provider.key, HAS[provider.key]), AMOUNTS[provider.key]
    number = f"{(amount / worth).normalize():f}" if worth != 1 else f"{amount:f}"
    return number.replace(".", ",") if "," in str(text) else number


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


ODD: Sequence[object] = (
    None,
    True,
    False,
    0,
    -1,
    10**20,
    1.5,
    "",
    " ",
    "1,5",
    "1.5",
    "1e3",
    "NaN",
    [],
    {},
    [1],
    "00",
    "900",
    "ş",
)
ANSWERS = 5_000
"""Nearly right ones for each provider, the same in each run."""


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_thousands_of_answers_in_the_providers_own_words(provider: Provider) -> None:
    """Each is one of the payloads with a few members dropped, replaced, added or moved to another provider's."""
    random = Random(provider.key)  # noqa: S311 - the same each time is what is wanted
    documents = [(each, document) for each in FOLDERS[provider.key] if paths(document := lenient(each.body))]
    readings = 0
    for _ in range(ANSWERS):
        chosen, document = random.choice(documents)
        mutant = copy.deepcopy(document)
        for _ in range(random.randint(1, 3)):
            *outer, name = random.choice(paths(mutant) or [("",)])
            place = reduce(getitem, outer, mutant)
            place.pop(name, None)
            if random.random() < 0.7:
                place[random.choice((name, *MEMBERS))] = copy.deepcopy(
                    random.choice((random.choice(ODD), random.choice(documents)[1], AMOUNTS[provider.key]))
                )
        status = chosen.status if random.random() < 0.7 else random.choice((200, 400, 401, 429, 500))
        readings += isinstance(check(provider, Answer(status, dict(chosen.headers), written(mutant))), Reading)
    assert 0 < readings < ANSWERS


@given(provider=providers, status=st.integers(100, 599).filter(lambda status: status != 200))
def test_no_other_http_status_gives_a_reading(provider: Provider, status: int) -> None:
    """A healthy body under any status but 200 is not what was asked for."""
    outcome = check(provider, Answer(status, {}, HEALTHY[provider.key].body))
    assert isinstance(outcome, Problem)


@given(amount=st.decimals(-(10**15), 10**15, places=4), provider=providers)
def test_an_amount_is_kept_to_its_last_digit(amount: Decimal, provider: Provider) -> None:
    """What the provider writes is what is shown, digit for digit."""
    assume(abs(amount) / unit(provider.key, HAS[provider.key]) <= 10**15)  # an unlikely number is refused
    outcome = check(provider, Answer(200, {}, with_amount(provider, as_written(provider, amount))))
    assert isinstance(outcome, Reading)
    assert f"{getattr(outcome, HAS[provider.key]):f}" == f"{amount + 0:f}"  # adding 0 rids a zero of its sign


@given(word=st.text())
def test_a_reading_is_never_better_than_its_header(word: str) -> None:
    """23 Telecom flags an answer by a header; a word that is not understood leaves no reading."""
    outcome = check(PROVIDERS["23telecom"], Answer(200, {"x-sms-gateway-status": word}, HEALTHY["23telecom"].body))
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


@pytest.mark.parametrize("provider", [PROVIDERS[key] for key in AS_NUMBERS], ids=AS_NUMBERS)
@pytest.mark.parametrize(("number", "cause"), NUMBERS)
def test_a_monstrous_number_is_refused(provider: Provider, number: str, cause: str) -> None:
    """A number that no account holds is not shown as a balance."""
    outcome = check(provider, Answer(200, {}, with_amount(provider, number)))
    assert isinstance(outcome, Problem)
    assert outcome.cause == cause


@pytest.mark.parametrize("provider", [PROVIDERS[key] for key in AS_NUMBERS], ids=AS_NUMBERS)
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
    outcome = check(provider, Answer(200, {}, with_amount(provider, number)))
    assert isinstance(outcome, Reading)
    assert str(getattr(outcome, HAS[provider.key])) == kept
