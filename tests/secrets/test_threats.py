"""SECURITY.md: who gets what. Each row is held by tests, and what it concedes is tried."""

import json
import re
from collections.abc import Mapping, Sequence

import pytest

from sms_credit_core import PROVIDERS, Account, Owner, Secret
from sms_credit_core.state import remembered
from tests.conftest import ROOT
from tests.documentation import named, rows
from tests.packaging.locked import package, runtime

SECURITY = ROOT / "SECURITY.md"

EXPORTER, HOME = "tests/secrets/test_exporter.py", "tests/ha/integration/test_secrets.py"

PROOFS: Mapping[str, Sequence[str]] = {
    "listens on the way to the provider": ["tests/core/test_exchange.py::test_a_bad_certificate_stops_the_request"],
    "answers in the provider's place": [
        "tests/core/test_exchange.py::test_a_bad_certificate_stops_the_request",
        "tests/core/test_exchange.py::test_a_server_that_speaks_no_tls_fails_as_tls",
        "tests/core/test_exchange.py::test_a_redirect_is_not_followed",
    ],
    "runs the HTTP proxy": ["tests/core/test_exchange.py::test_an_answer_through_a_proxy_is_the_providers"],
    "is the provider": ["tests/secrets/test_echo.py::test_what_a_provider_sends_back_is_not_repeated"],
    "reaches the exporter's port": [f"{EXPORTER}::test_a_running_exporter_says_none"],
    "reaches it, where requests may reload": [f"{EXPORTER}::test_a_running_exporter_says_none"],
    "has somebody who reaches it open a web page": [
        f"{EXPORTER}::test_what_a_scraper_sends_is_neither_sent_back_nor_logged"
    ],
    "listens on the way to the exporter": [
        "tests/exporter/test_protection.py::test_metrics_are_served_over_tls_to_users_only"
    ],
    "reads the exporter's log": [
        f"{EXPORTER}::test_a_running_exporter_says_none",
        f"{EXPORTER}::test_a_crash_says_none",
        f"{EXPORTER}::test_an_abort_says_none",
        f"{EXPORTER}::test_what_a_scraper_sends_is_neither_sent_back_nor_logged",
        f"{EXPORTER}::test_no_object_of_the_process_shows_one",
    ],
    "has the integration's diagnostics file": [
        f"{HOME}::test_nothing_but_its_entry_has_a_credential",
        "tests/ha/integration/test_diagnostics.py::test_diagnostics_tell_how_it_is_but_no_amount",
    ],
    "looks into Home Assistant": [f"{HOME}::test_nothing_but_its_entry_has_a_credential"],
    "reads Home Assistant's folder": [],
    "reads the exporter's configuration": [],
    "reads the exporter's storage": [
        f"{EXPORTER}::test_a_running_exporter_says_none",
        "tests/exporter/test_storage.py::test_only_its_user_can_read_the_file_and_no_credential_is_in_it",
        "tests/core/test_state.py::test_it_holds_no_credential_and_nothing_that_could_be_compared",
        "tests/secrets/test_threats.py::test_guesses_can_be_tried_on_what_is_remembered",
    ],
    "reads the memory": ["tests/secrets/test_threats.py::test_no_core_file_is_kept_where_we_say_so"],
    "changes the exporter's configuration": [],
    "writes code of a package": [
        "tests/packaging/test_dependencies.py::test_the_lock_satisfies_what_is_declared",
        "tests/packaging/test_audit.py::test_what_is_asked_and_what_comes_of_it",
        "tests/packaging/test_release.py::test_the_same_commit_gives_the_same_bytes",
        "tests/packaging/test_release.py::test_every_action_is_pinned_to_a_commit",
    ],
}
"""By how a row begins. Where somebody gets the credentials themselves, there is nothing to prove."""


def test_every_row_has_its_proof() -> None:
    """Whoever adds a row says what holds it, and a test that is gone is missed."""
    told = [who for who, *_ in rows(SECURITY, "somebody who")]
    assert [next((begin for begin in PROOFS if who.startswith(begin)), who) for who in told] == [*PROOFS]
    for file, _, test in (proof.partition("::") for proofs in PROOFS.values() for proof in proofs):
        assert f"def {test}(" in (ROOT / file).read_text()


def test_only_who_has_the_credentials_anyway_gets_them() -> None:
    """The column of what somebody gets names them in these rows and in no other."""
    gets = {who for who, got, *_ in rows(SECURITY, "somebody who") if got.startswith("credentials")}
    unproven = [begin for begin, proofs in PROOFS.items() if not proofs]
    assert all(any(who.startswith(begin) for who in gets) for begin in unproven)
    assert len(gets) == len(unproven) + len(["memory", "code"])


def test_its_options_and_figures_are_true() -> None:
    """What it tells to set is there; how many packages there are is counted."""
    text = SECURITY.read_text()
    options = {each.partition("=")[0] for each in named(text) if each.startswith("--")}
    assert options
    assert {option for option in options if option not in (ROOT / "docs/exporter.md").read_text()} == set()
    direct = len(package("sms-credit-exporter")["dependencies"])
    assert f"{direct} direct dependencies and {len(runtime())} in all" in " ".join(text.split())


def test_guesses_can_be_tried_on_what_is_remembered() -> None:
    """A digest holds up nobody who knows what to try: a short password is found, and a key of a provider's is not."""
    provider = next(iter(PROVIDERS.values()))
    *known, guessed = (field.name for field in provider.credentials)

    def owner(password: str) -> Owner:
        credentials = {**dict.fromkeys(known, Secret("what is known already")), guessed: Secret(password)}
        return Owner(provider=provider.key, base_url=provider.base_url, credentials=credentials)

    def found(text: str) -> list[str]:
        state = json.loads(text)
        key = bytes.fromhex(state["key"])
        return [f"{pin:04}" for pin in range(10_000) if owner(f"{pin:04}").fingerprint(key) == state["owner"]]

    assert found(remembered(Account(), owner("4711"))) == ["4711"]
    assert found(remembered(Account(), owner("q7WmZ4xJt0Vb2cLsKf9e"))) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        pytest.param("packaging/systemd/sms-credit-exporter.service", r"^LimitCORE=0$", id="systemd"),
        pytest.param("packaging/compose/compose.yaml", r"^    ulimits: \{core: 0\}", id="Compose"),
    ],
)
def test_no_core_file_is_kept_where_we_say_so(file: str, line: str) -> None:
    """It would hold all that the process holds."""
    assert re.search(line, (ROOT / file).read_text(), re.MULTILINE)
