"""What people are told to do, and where they are led to."""

import re
from pathlib import Path

import pytest

from grafana.generate.settings import Settings
from sms_credit_core import Cause, Limits, Status
from sms_credit_exporter.accounts import View
from sms_credit_exporter.advice import RUNBOOK, Links, Template
from sms_credit_exporter.entry import LOOKS, Entry
from tests.conftest import ROOT
from tests.e2e.gallery import gallery, lira, listing, problem, reading, view
from tests.exporter.running import LISTEN, command

CALM = {Status.PENDING, Status.FRESH}
"""States that nothing is to be said about."""


def entry(account: View, **links: Template) -> Entry:
    """Return what is said of an account."""
    [found] = listing([account], links=Links(**links)).accounts
    return found


SECTIONS = {
    heading.lower() for heading in re.findall(r"^## (.*)$", (ROOT / "grafana" / "runbook.md").read_text(), re.MULTILINE)
}


@pytest.mark.parametrize("account", list(gallery()), ids=lambda account: account.config.name[:20])
def test_the_runbook_has_the_section(account: View) -> None:
    """What somebody is led to is there, and the address is that of the alerts."""
    assert Settings().runbook == RUNBOOK
    said = entry(account)
    assert ("runbook" in said.links) == (said.state not in CALM)
    if "runbook" in said.links:
        address, _, section = said.links["runbook"].partition("#")
        assert address == RUNBOOK
        assert section in SECTIONS


def test_the_gallery_has_every_state() -> None:
    """So that the test above leaves none out."""
    assert {state for each in listing(gallery()).accounts for state in each.states} == set(LOOKS)


@pytest.mark.parametrize(
    ("account", "to_do", "section"),
    [
        pytest.param(
            view("a", (9, reading("0", credit_blocked=True))),
            "Top up now: until then no message is sent.",
            "smscreditblocked",
            id="blocked",
        ),
        pytest.param(
            view("a", (9, reading("5")), limits=Limits(low_balance=reading().balance)),
            "Top up.",
            "smscreditbalancelow",
            id="low in money",
        ),
        pytest.param(
            view("a", (9, lira("5", 10)), limits=Limits(low_quota=10)), "Top up.", "smscreditquotalow", id="in messages"
        ),
        pytest.param(
            view(
                "a",
                *((60 + 3600 * ago, reading(str(10 + ago))) for ago in range(48, -1, -1)),
                limits=Limits(low_runway=1e6),
            ),
            "Top up.",
            "smscreditdepletessoon",
            id="in time",
        ),
        pytest.param(view("a", (9, problem(Cause.TIMEOUT))), None, "smscreditaccountfailing", id="others have to act"),
        pytest.param(view("a", (9, reading())), None, None, id="all is well"),
    ],
)
def test_says_what_to_do(account: View, to_do: str | None, section: str | None) -> None:
    """By the most urgent state, and only where it is the reader who has to do something."""
    said = entry(account)
    assert (said.to_do, said.links.get("runbook", "").partition("#")[2] or None) == (to_do, section)


@pytest.mark.parametrize(
    ("template", "name", "address"),
    [
        ("https://g/d/a?var-account={account}", "otp", "https://g/d/a?var-account=otp"),
        (
            "https://g/d/a?var-account={account}",
            "a&b=c#d/../é",
            "https://g/d/a?var-account=a%26b%3Dc%23d%2F..%2F%C3%A9",
        ),
        ("https://g/d/a?var-account={account}", "{provider}", "https://g/d/a?var-account=%7Bprovider%7D"),
        ("http://g:3000/{provider}/{account}", "x y", "http://g:3000/23telecom/x%20y"),
        ("https://g/d/a", "otp", "https://g/d/a"),
        ('https://g/explore?left={"a":1}', "otp", 'https://g/explore?left={"a":1}'),
    ],
)
def test_leads_to_the_accounts_dashboard(template: str, name: str, address: str) -> None:
    """Whatever the account is called, it stays within its place in the address."""
    assert entry(view(name), dashboard=Template.parse(template)).links["dashboard"] == address


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("grafana/d/a", "“grafana/d/a” is not an address such as"),
        ("javascript:alert({account})", "“javascript:alert({account})” is not an address such as"),
        ("https://", "“https://” is not an address such as"),
        ("https://g/d/a b", "“https://g/d/a b” is not an address such as"),
        ("https://[g/", "“https://[g/” is not an address such as"),
        ("https://g/d/{acount}", "“{acount}” stands for nothing; {account} and {provider} do"),
        ("https://{account}.example.com/", "the host cannot depend on the account"),
        ("https://me:secret@g/d/a", "whoever opens the page would see the user and the password in it"),
    ],
)
async def test_an_address_that_is_none_is_refused(template: str, why: str, tmp_path: Path) -> None:
    """In words, before anything else is looked at."""
    code, _, complaint = await command(
        "serve", "--config.file=none.yml", LISTEN, f"--web.dashboard-url={template}", cwd=tmp_path
    )
    assert code == 2
    assert f"argument --web.dashboard-url: {why}" in complaint
