"""The text of a scrape, put together from what is kept of earlier ones."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sms_credit_core import Account, Cause, Limits, Problem, Quality
from sms_credit_exporter.accounts import View, Views
from sms_credit_exporter.exposition import RENDERERS, Exposition
from sms_credit_exporter.metrics import AccountCollector, ExporterCollector
from sms_credit_exporter.negotiation import Format
from tests.exporter.test_metrics import BLOCKED, MONEY_AND_MESSAGES, READING, config, drained, later, polled

NASTY = (
    'say "hi"',
    "back\\slash",
    "two\nlines",
    "# EOF",
    "\n# EOF\n",
    "\n# HELP sms_credit_up x\n# TYPE sms_credit_up gauge\n",
    '{account="b"} 1.0',
    "a,b={}\t\r\0\x7f\x85\u2028",
    "Müşteri 💳",
    " ",
)
"""Names that an account may have."""

OWN = CollectorRegistry()
OWN.register(ExporterCollector("1.2.3"))

each_format = pytest.mark.parametrize("form", Format)


class Everything(Collector):
    """All that a scrape gives, as one registry."""

    def __init__(self, views: Views) -> None:
        """Take the accounts."""
        self._views = tuple(views)

    def collect(self) -> Iterator[Metric]:
        """Return the accounts' metrics and then the exporter's own."""
        yield from AccountCollector(lambda: self._views).collect()
        yield from OWN.collect()


def known(name: str, account: Account, seconds: float = 400) -> View:
    """Return an account as it is so many seconds after the start."""
    return View.of(config(name), account, later(seconds), 3600)


FORETOLD = drained(3600, *(str(1000 - hour) for hour in range(12)))
"""An account whose runway is known, eleven hours after the start."""

PARTIAL = FORETOLD.after(replace(READING, quality=Quality.PARTIAL), later(11 * 3600 + 1800), 0.2)
"""It has been read since, but the provider does not vouch for that."""

A, B, C = known("a", Account()), known("b", polled(READING)), known("c", polled(MONEY_AND_MESSAGES))

STATES = [
    pytest.param([()], id="no account"),
    pytest.param([(A, B, C)], id="three accounts"),
    pytest.param([(A, B, C)] * 3, id="nothing changes"),
    pytest.param([(A, B), (A, replace(B, account=polled(READING, BLOCKED)))], id="a poll"),
    pytest.param([(B, C), (B, replace(C, account=polled(Problem(cause=Cause.TIMEOUT))))], id="a failed poll"),
    pytest.param([(B,), (replace(B, config=config("b", low_balance=Decimal(50))),)], id="another limit"),
    pytest.param([(C,), (replace(C, config=replace(C.config, limits=Limits())),)], id="an equal configuration"),
    pytest.param([(B,), (replace(B, now=later(3601)),), (B,)], id="time makes it stale, and the clock goes back"),
    pytest.param([(B,), (replace(B, stale_after=1.0),), (B,)], id="a reload makes it stale, and takes it back"),
    pytest.param(
        [(known("d", PARTIAL, seconds),) for seconds in (12 * 3600, 12 * 3600 + 1, 12 * 3600)],
        id="time makes the forecast stale, and not the reading",
    ),
    pytest.param([(A, B, C), (C, A), (), (B,)], id="accounts go and come"),
    pytest.param([(A, B), (replace(B, config=A.config), replace(A, config=B.config))], id="two change places"),
    pytest.param([tuple(known(name, polled(READING)) for name in NASTY)] * 2, id="nasty names"),
    pytest.param([tuple(known(f"a{number}", polled(READING)) for number in range(200))], id="many accounts"),
]
"""What is known at one scrape after the other."""


@each_format
@pytest.mark.parametrize("states", STATES)
async def test_it_is_what_the_library_renders(states: list[tuple[View, ...]], form: Format) -> None:
    """The text is the same byte for byte, whatever was kept of the scrape before."""
    views = iter(states)
    exposition = Exposition(lambda: next(views), OWN)
    for state in states:
        text = await exposition.text(form)
        assert text.decode() == RENDERERS[form](Everything(state)).decode()
        assert text.count(b"\n# EOF\n") == (form is Format.OPENMETRICS)


async def test_the_case_of_a_stale_forecast_is_one() -> None:
    """The runway is there, and a second later it is not, though the balance still is."""
    at = [known("d", PARTIAL, seconds) for seconds in (12 * 3600, 12 * 3600 + 1)]
    assert [view.runway is not None for view in at] == [True, False]
    assert all(view.known for view in at)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=3))
async def test_no_name_makes_a_difference(names: list[str]) -> None:
    """An account may have any name."""
    views = [known(name, polled(READING)) for name in names]
    for form in Format:
        assert await Exposition(lambda: views, OWN).text(form) == RENDERERS[form](Everything(views))


@each_format
async def test_an_account_is_rendered_when_it_has_changed_and_not_for_a_scrape(
    form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of scrapers cost what one costs."""
    rendered: list[str] = []
    add_sample = GaugeMetricFamily.add_sample

    def counted(metric: GaugeMetricFamily, name: str, labels: dict[str, str], value: float) -> None:
        rendered.append(labels["account"])
        add_sample(metric, name, labels, value)

    monkeypatch.setattr(GaugeMetricFamily, "add_sample", counted)
    views = [A, B, C]
    exposition = Exposition(lambda: views, OWN)

    async def rendered_anew() -> set[str]:
        rendered.clear()
        await exposition.text(form)
        return set(rendered)

    assert await rendered_anew() == {"a", "b", "c"}
    assert await rendered_anew() == set()
    views[1] = replace(B, account=polled(READING, READING))
    assert await rendered_anew() == {"b"}
    views[2] = replace(C, now=later(4000))
    assert await rendered_anew() == {"c"}
