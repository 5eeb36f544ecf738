"""What each provider declares, and the exact request that it words."""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sms_credit_core import PROVIDERS, CredentialField, Provider, Request, Secret, Value
from sms_credit_exporter.simulator.payloads import ROOT

TIME = 1_760_000_000
API_SECRET = "not so secret"

every_provider = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)


def worded(provider: str, base_url: str | None = None, timestamp: int = TIME, **credentials: str) -> Request:
    """Return a provider's request."""
    declared = PROVIDERS[provider]
    secrets = {name: Secret(value) for name, value in credentials.items()}
    return declared.request(base_url or declared.base_url, secrets, timestamp)


def signature(message: bytes) -> str:
    """Sign as 23 Telecom documents it."""
    return hmac.new(API_SECRET.encode(), message, hashlib.sha256).hexdigest()


@every_provider
def test_a_declaration_is_complete_and_consistent(provider: Provider) -> None:
    """Forms, checks, entities, metrics and documents are derived from the declaration."""
    assert re.fullmatch("[a-z0-9]+", provider.key)
    assert provider.name
    assert provider.gives <= set(Value)
    assert provider.gives & {Value.BALANCE, Value.QUOTA, Value.CREDITS}
    assert provider.min_poll_interval >= 60
    assert provider.currency is None or re.fullmatch("[A-Z]{3}", provider.currency)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", field.name) for field in provider.credentials)
    assert len({field.name for field in provider.credentials}) == len(provider.credentials)
    assert any(field.required for field in provider.credentials)


@every_provider
def test_every_address_is_https_on_a_host(provider: Provider) -> None:
    """Credentials are sent to the base URL, and people to the panel."""
    assert {urlsplit(url).scheme for url in (provider.base_url, provider.panel_url)} == {"https"}
    assert all(urlsplit(url).hostname for url in (provider.base_url, provider.panel_url))
    assert not provider.base_url.endswith("/")


def test_each_provider_has_its_key_its_name_and_its_payloads() -> None:
    """The table, the declarations and the folders tell of the same providers."""
    assert list(PROVIDERS) == [provider.key for provider in PROVIDERS.values()]
    assert len({provider.name for provider in PROVIDERS.values()}) == len(PROVIDERS)
    assert {folder.name for folder in ROOT.iterdir()} == set(PROVIDERS)


@pytest.mark.parametrize(
    ("provider", "credentials", "gives", "currency", "min_poll_interval"),
    [
        (
            "23telecom",
            {"api_key": True, "api_secret": False},
            {"balance", "credit_blocked", "provider_updated"},
            None,
            120.0,
        ),
        (
            "iletimerkezi",
            {"api_key": True, "api_hash": True},
            {"balance", "quota", "credit_blocked"},
            "TRY",
            120.0,
        ),
    ],
)
def test_what_each_provider_asks_for_and_gives(
    provider: str, credentials: dict[str, bool], gives: set[str], currency: str | None, min_poll_interval: float
) -> None:
    """A credential or value that comes or goes changes every user's configuration and entities."""
    declared = PROVIDERS[provider]
    assert {field.name: field.required for field in declared.credentials} == credentials
    assert declared.gives == gives
    assert declared.currency == currency
    assert declared.min_poll_interval == min_poll_interval


@pytest.mark.parametrize(
    ("base_url", "url", "signed"),
    [
        pytest.param(
            None,
            "https://restlink23telecom.com/api/v1/user/balance",
            b"GET|/api/v1/user/balance|1760000000|",
            id="the provider's own address",
        ),
        pytest.param(
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/user/balance",
            b"GET|/user/balance|1760000000|",
            id="an address without a path",
        ),
        pytest.param(
            "https://proxy.example/sms/23",
            "https://proxy.example/sms/23/user/balance",
            b"GET|/sms/23/user/balance|1760000000|",
            id="an address with a path of its own",
        ),
    ],
)
def test_23telecoms_request(base_url: str | None, url: str, signed: bytes) -> None:
    """A GET with the key in a header and, where the account has an API secret, a signature over what is sent."""
    plain = worded("23telecom", base_url, api_key="sk_test_1")
    assert plain == Request(method="GET", url=url, headers={"X-API-Key": "sk_test_1"}, body=b"")

    with_secret = worded("23telecom", base_url, api_key="sk_test_1", api_secret=API_SECRET)
    assert with_secret == Request(
        method="GET",
        url=url,
        headers={"X-API-Key": "sk_test_1", "X-Timestamp": "1760000000", "X-Signature": signature(signed)},
        body=b"",
    )


def test_23telecoms_signature_changes_with_time_and_secret() -> None:
    """They accept each pair of timestamp and signature once."""
    signatures = {
        worded("23telecom", timestamp=timestamp, api_key="sk_test_1", api_secret=secret).headers["X-Signature"]
        for timestamp in (TIME, TIME + 1)
        for secret in (API_SECRET, "another")
    }
    assert len(signatures) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in signatures)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (None, "https://api.iletimerkezi.com/v1/get-balance/json"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/get-balance/json"),
        ("https://proxy.example/ileti", "https://proxy.example/ileti/v1/get-balance/json"),
    ],
)
@pytest.mark.parametrize(
    ("key", "api_hash"),
    [pytest.param("0a1b", "2c3d", id="hexadecimal"), pytest.param('a"b\\', "}]", id="characters that JSON escapes")],
)
def test_iletimerkezis_request(base_url: str | None, url: str, key: str, api_hash: str) -> None:
    """A POST with key and hash in its JSON body, and nothing of them in the URL or a header."""
    request = worded("iletimerkezi", base_url, api_key=key, api_hash=api_hash)
    expected: Mapping[str, Any] = {"request": {"authentication": {"key": key, "hash": api_hash}}}
    assert (request.method, request.url, request.headers) == ("POST", url, {"Content-Type": "application/json"})
    assert json.loads(request.body) == expected


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        pytest.param("sk_prod_1", True, id="a key"),
        pytest.param("!~", True, id="the ends of printable ASCII"),
        pytest.param("x" * 512, True, id="512 characters"),
        pytest.param("x" * 513, False, id="513 characters"),
        pytest.param("", False, id="empty"),
        pytest.param("sk prod", False, id="a space inside"),
        pytest.param("sk_prod_1\n", False, id="a line end after it"),
        pytest.param("sk_prod_1\r\nX-Evil: 1", False, id="a second header"),
        pytest.param("şifre", False, id="not ASCII"),
        pytest.param("\x7f", False, id="a control character"),
    ],
)
def test_what_can_be_a_credential(value: str, *, accepted: bool) -> None:
    """Every credential that is accepted can be sent in a header or a body as it is."""
    assert CredentialField.accepts(value) is accepted


USER, SECRET = "A/user+name", "p@ss/word?#"
PAIR_IN_BASE64 = b64encode(f"{USER}:{SECRET}".encode()).decode()

REQUESTS = {
    "vonage": ({"api_key": USER, "api_secret": SECRET}, "GET /account/get-balance", PAIR_IN_BASE64),
    "twilio": (
        {"account_sid": USER, "auth_token": SECRET},
        "GET /2010-04-01/Accounts/A%2Fuser%2Bname/Balance.json",
        PAIR_IN_BASE64,
    ),
    "plivo": ({"auth_id": USER, "auth_token": SECRET}, "GET /v1/Account/A%2Fuser%2Bname/", PAIR_IN_BASE64),
    "clicksend": ({"username": USER, "api_key": SECRET}, "GET /v3/account", PAIR_IN_BASE64),
    "bulksms": ({"token_id": USER, "token_secret": SECRET}, "GET /v1/profile", PAIR_IN_BASE64),
    "46elks": ({"api_username": USER, "api_password": SECRET}, "GET /a1/me", PAIR_IN_BASE64),
}
"""Of the providers with HTTP's own authentication: the credentials, where the request goes, and what it says."""


@pytest.mark.parametrize("provider", REQUESTS)
@pytest.mark.parametrize("base_url", [None, "http://127.0.0.1:8080", "https://proxy.example/sms"])
def test_requests_with_basic_authentication(provider: str, base_url: str | None) -> None:
    """User and password go into one header; a credential in the URL is quoted, and shown by its name only."""
    credentials, where, pair = REQUESTS[provider]
    request = worded(provider, base_url, TIME, **credentials)
    method, path = where.split(" ")
    assert (request.method, request.address()) == (method, f"{base_url or PROVIDERS[provider].base_url}{path}")
    assert request.headers == {"Authorization": f"Basic {pair}"}
    assert request.body == b""
    assert SECRET not in request.url
    assert USER not in request.url


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_body_is_announced_as_the_json_that_it_is(provider: str) -> None:
    """And nothing is announced where there is none."""
    request = worded(provider, None, TIME, **{field.name: "ab1" for field in PROVIDERS[provider].credentials})
    if request.body:
        json.loads(request.body)
    assert request.headers.get("Content-Type") == ("application/json" if request.body else None)


def test_twilios_api_key_asks_in_the_accounts_place() -> None:
    """The account stays in the URL."""
    request = worded("twilio", account_sid="AC1", api_key="SK2", auth_token="t")
    assert request.address() == "https://api.twilio.com/2010-04-01/Accounts/AC1/Balance.json"
    assert request.headers == {"Authorization": f"Basic {b64encode(b'SK2:t').decode()}"}


def test_telnyx_and_seven_take_a_key() -> None:
    """Each in a header of its own."""
    assert worded("telnyx", api_key="KEY1") == Request(
        method="GET", url="https://api.telnyx.com/v2/balance", headers={"Authorization": "Bearer KEY1"}
    )
    assert worded("seven", api_key="k") == Request(
        method="GET", url="https://gateway.seven.io/api/balance", headers={"X-Api-Key": "k"}
    )


def test_netgsms_credentials_travel_in_the_body() -> None:
    """With what is asked for: money, and not packages."""
    request = worded("netgsm", usercode="850", password='a"b')
    assert (request.method, request.address()) == ("POST", "https://api.netgsm.com.tr/balance")
    assert json.loads(request.body) == {"usercode": "850", "password": 'a"b', "stip": 2}


def test_every_provider_has_a_test_of_its_request() -> None:
    """What leaves is what the provider's page says; a provider without such a test has none that says so."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert [key for key in PROVIDERS if f'"{key}"' not in text] == []
