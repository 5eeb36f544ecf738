"""Where credentials may go: over TLS anywhere, in clear nowhere but to this very machine."""

import pytest

from sms_credit_core import AddressMistake, is_loopback, mistake_in

NOT_AN_ADDRESS, NOT_ENCRYPTED = AddressMistake.NOT_AN_ADDRESS, AddressMistake.NOT_ENCRYPTED


@pytest.mark.parametrize(
    ("address", "mistake"),
    [
        pytest.param("https://api.dublin.ie1.example.com", None, id="a region's host"),
        pytest.param("https://proxy.example.com:8443/sms/", None, id="a port and a path"),
        pytest.param("http://127.0.0.1:8080", None, id="in clear to this machine"),
        pytest.param("http://[::1]:8080/api", None, id="in clear to this machine over IPv6"),
        pytest.param("http://localhost", None, id="in clear to this machine by its name"),
        pytest.param("http://example.com", NOT_ENCRYPTED, id="in clear"),
        pytest.param("http://127.0.0.1.example.com", NOT_ENCRYPTED, id="in clear to what only looks like this machine"),
        pytest.param("http://0.0.0.0", NOT_ENCRYPTED, id="in clear to any machine"),
        pytest.param("ftp://example.com", NOT_ENCRYPTED, id="another protocol"),
        pytest.param("example.com", NOT_AN_ADDRESS, id="no protocol"),
        pytest.param("https://", NOT_AN_ADDRESS, id="no host"),
        pytest.param("https://user:password@example.com", NOT_AN_ADDRESS, id="a user"),
        pytest.param("https://example.com/?key=1", NOT_AN_ADDRESS, id="a query"),
        pytest.param("https://example.com/#key", NOT_AN_ADDRESS, id="a fragment"),
        pytest.param("https://example.com:0", NOT_AN_ADDRESS, id="no such port"),
        pytest.param("https://exa mple.com", NOT_AN_ADDRESS, id="a space"),
        pytest.param("", NOT_AN_ADDRESS, id="nothing"),
    ],
)
def test_where_credentials_may_go(address: str, mistake: AddressMistake | None) -> None:
    """Nothing that is not certain gets a key."""
    assert mistake_in(address) is mistake


@pytest.mark.parametrize("address", ["no address", "https://example.com", "https://127.0.0.1.example.com"])
def test_what_is_not_this_machine(address: str) -> None:
    """Its polls keep the provider's own interval."""
    assert not is_loopback(address)
