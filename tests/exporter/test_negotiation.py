"""Which format and compression a scraper gets for the headers that it sends."""

import gzip
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, StateSetMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from sms_credit_exporter.exposition import RENDERERS
from sms_credit_exporter.negotiation import compressed, negotiated, takes_gzip


class MadeUp(Collector):
    """One metric of each type that the exporter has, with a label that needs escaping."""

    def collect(self) -> Iterator[Metric]:
        """Return them."""
        balance = GaugeMetricFamily("made_up_balance", "A balance.", labels=("account",))
        balance.add_metric(('Müşteri "1"',), 1250.5)
        polls = CounterMetricFamily("made_up_polls", "Polls made.", labels=("account",))
        polls.add_metric(("otp",), 7)
        state = StateSetMetricFamily("made_up_state", "A state.", labels=("account",))
        state.add_metric(("otp",), {"ok": True, "unreachable": False})
        build = InfoMetricFamily("made_up_build", "A version.", {"version": "1.2.3"})
        return iter((balance, polls, state, build))


REGISTRY = CollectorRegistry()
REGISTRY.register(MadeUp())

TEXT_BODY = r"""# HELP made_up_balance A balance.
# TYPE made_up_balance gauge
made_up_balance{account="Müşteri \"1\""} 1250.5
# HELP made_up_polls_total Polls made.
# TYPE made_up_polls_total counter
made_up_polls_total{account="otp"} 7.0
# HELP made_up_state A state.
# TYPE made_up_state gauge
made_up_state{account="otp",made_up_state="ok"} 1.0
made_up_state{account="otp",made_up_state="unreachable"} 0.0
# HELP made_up_build_info A version.
# TYPE made_up_build_info gauge
made_up_build_info{version="1.2.3"} 1.0
"""
OPENMETRICS_BODY = r"""# HELP made_up_balance A balance.
# TYPE made_up_balance gauge
made_up_balance{account="Müşteri \"1\""} 1250.5
# HELP made_up_polls Polls made.
# TYPE made_up_polls counter
made_up_polls_total{account="otp"} 7.0
# HELP made_up_state A state.
# TYPE made_up_state stateset
made_up_state{account="otp",made_up_state="ok"} 1.0
made_up_state{account="otp",made_up_state="unreachable"} 0.0
# HELP made_up_build A version.
# TYPE made_up_build info
made_up_build_info{version="1.2.3"} 1.0
# EOF
"""

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT_ESCAPED = f"{TEXT}; escaping=underscores"
OPENMETRICS_ESCAPED = f"{OPENMETRICS}; escaping=underscores"

BODIES = {
    TEXT: TEXT_BODY,
    TEXT_ESCAPED: TEXT_BODY,
    OPENMETRICS: OPENMETRICS_BODY,
    OPENMETRICS_ESCAPED: OPENMETRICS_BODY,
}

PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

PROMETHEUS_2_42 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_2_42_HISTOGRAMS = f"{PROTOBUF},{PROMETHEUS_2_42.replace('1.0.0', '1.0.0;q=0.8')}"
PROMETHEUS_3_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3_HISTOGRAMS = (
    f"{PROTOBUF};q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


def exposition(accept: str) -> tuple[str, bytes]:
    """Return the label and the text that belongs to the format, as a scraper gets them."""
    form, labelled = negotiated(accept)
    return labelled, RENDERERS[form](REGISTRY)


ACCEPTED = [
    # Scrapers and people.
    pytest.param("", TEXT, id="no header"),
    pytest.param("*/*", TEXT, id="curl"),
    pytest.param(PROMETHEUS_2_42, OPENMETRICS, id="Prometheus 2.42"),
    pytest.param(PROMETHEUS_2_42_HISTOGRAMS, OPENMETRICS, id="Prometheus 2.42 with native histograms"),
    pytest.param(PROMETHEUS_3_3, OPENMETRICS_ESCAPED, id="Prometheus 3.3"),
    pytest.param(PROMETHEUS_3, OPENMETRICS_ESCAPED, id="Prometheus 3.5 to 3.14"),
    pytest.param(PROMETHEUS_3_HISTOGRAMS, OPENMETRICS_ESCAPED, id="Prometheus 3.5 to 3.14 with native histograms"),
    pytest.param(
        PROMETHEUS_3.replace("allow-utf-8", "underscores"), OPENMETRICS_ESCAPED, id="Prometheus 3 with legacy names"
    ),
    pytest.param("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT, id="Prometheus 3 set to text 0.0.4"),
    pytest.param(
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5", TEXT, id="Prometheus 3 set to text 1.0.0"
    ),
    pytest.param(f"{PROTOBUF};q=0.7,text/plain;version=0.0.4;q=0.3", TEXT, id="Telegraf"),
    pytest.param("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", TEXT, id="Metricbeat"),
    pytest.param("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT, id="Firefox"),
    pytest.param(
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
        "application/signed-exchange;v=b3;q=0.7",
        TEXT,
        id="Chrome",
    ),
    # One format.
    pytest.param("text/plain", TEXT, id="text of any version"),
    pytest.param("text/*", TEXT, id="any text"),
    pytest.param("text/plain; version=0.0.4", TEXT, id="text 0.0.4"),
    pytest.param("application/openmetrics-text", OPENMETRICS, id="OpenMetrics of any version"),
    pytest.param("application/openmetrics-text; version=1.0.0; charset=utf-8", OPENMETRICS, id="OpenMetrics 1.0.0"),
    pytest.param('application/openmetrics-text; version="1.0.0"', OPENMETRICS, id="a version in quotes"),
    pytest.param("APPLICATION/OpenMetrics-Text;VERSION=1.0.0;Q=0.9", OPENMETRICS, id="upper case"),
    pytest.param("  application/openmetrics-text ; version = 1.0.0 ; q = 0.5  ", OPENMETRICS, id="spaces"),
    pytest.param("text/plain;version=0.0.4;escaping=values", TEXT_ESCAPED, id="text with an escaping"),
    pytest.param("text/plain;version=0.0.4;escaping", TEXT_ESCAPED, id="text with an escaping that is not named"),
    # Which of several.
    pytest.param("text/plain;q=0.5,application/openmetrics-text;q=0.9", OPENMETRICS, id="the heavier comes last"),
    pytest.param("text/plain;q=0.9,application/openmetrics-text;q=0.5", TEXT, id="the heavier comes first"),
    pytest.param("application/openmetrics-text;q=0.5,text/plain", TEXT, id="no weight is the full weight"),
    pytest.param("text/plain;q=0.5,application/openmetrics-text;q=0.5", TEXT, id="the first of two alike"),
    pytest.param("application/openmetrics-text;q=0.5,text/plain;q=0.5", OPENMETRICS, id="the first of two alike again"),
    pytest.param("*/*;q=0.9,application/openmetrics-text;q=0.5", TEXT, id="anything rather than OpenMetrics"),
    pytest.param("application/openmetrics-text;q=0.001,*/*;q=0", OPENMETRICS, id="the smallest weight"),
    pytest.param(
        "application/openmetrics-text;version=1.0.0;escaping=dots;q=0.1,text/plain", TEXT, id="the lighter's escaping"
    ),
    # Refusals.
    pytest.param("application/openmetrics-text;q=0", TEXT, id="OpenMetrics refused"),
    pytest.param("application/openmetrics-text;version=1.0.0;q=0.0,*/*;q=0.1", TEXT, id="OpenMetrics refused, not all"),
    pytest.param("text/plain;q=0,application/openmetrics-text;q=0.1", OPENMETRICS, id="text refused"),
    pytest.param("text/plain;q=0", TEXT, id="text refused, and nothing else named"),
    pytest.param("*/*;q=0", TEXT, id="everything refused"),
    # What there is not.
    pytest.param("application/openmetrics-text;version=2.0.0", TEXT, id="OpenMetrics 2.0.0 only"),
    pytest.param("application/openmetrics-text;version=9.9.9", TEXT, id="OpenMetrics 9.9.9 only"),
    pytest.param("application/openmetrics-text;version=0.0.1", TEXT, id="OpenMetrics 0.0.1 only"),
    pytest.param("application/openmetrics-text;version=1", TEXT, id="a version cut short"),
    pytest.param(
        "application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.5",
        OPENMETRICS,
        id="OpenMetrics 2.0.0 rather than 1.0.0",
    ),
    pytest.param(
        "application/openmetrics-text;version=2.0.0;escaping=allow-utf-8,text/plain;q=0.1",
        TEXT,
        id="OpenMetrics 2.0.0 rather than text",
    ),
    pytest.param("text/plain;version=1.0.0", TEXT, id="text 1.0.0 only"),
    pytest.param("text/plain;version=0.0.3", TEXT, id="text 0.0.3 only"),
    pytest.param(PROTOBUF, TEXT, id="protobuf only"),
    pytest.param("application/json", TEXT, id="JSON only"),
    pytest.param("image/*", TEXT, id="pictures only"),
    # Garbage.
    pytest.param("openmetrics", TEXT, id="no media type"),
    pytest.param(";q=1", TEXT, id="only a weight"),
    pytest.param(",;=,;;,==", TEXT, id="only separators"),
    pytest.param("," * 8000, TEXT, id="thousands of separators"),
    pytest.param("application/openmetrics-text;q=high,text/plain;q=0.1", TEXT, id="a weight in words"),
    pytest.param("application/openmetrics-text;q=nan,text/plain;q=0.1", TEXT, id="a weight that is no number"),
    pytest.param("application/openmetrics-text;q=-1,text/plain;q=0.1", TEXT, id="a weight below zero"),
    pytest.param("application/openmetrics-text;q=,text/plain;q=0.1", TEXT, id="an empty weight"),
    pytest.param("applicat\u0131on/openmetrics-text,\x00\xff", TEXT, id="bytes that no header should hold"),
]
"""What a scraper accepts, and what it is told that it gets."""


@pytest.mark.parametrize(("accept", "content_type"), ACCEPTED)
def test_what_a_scraper_gets_for_what_it_accepts(accept: str, content_type: str) -> None:
    """The label and the body that belongs to it; the oldest format if in doubt, and never a refusal."""
    labelled, body = exposition(accept)
    assert labelled == content_type
    assert body.decode() == BODIES[content_type]


@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from([*",;=*/", "text/plain", "q", "0.5", "version", "1.0.0"])).map("".join)
    )
)
def test_no_header_confuses_label_and_body(accept: str) -> None:
    """The body is in the format that the label names, whatever was asked for."""
    labelled, body = exposition(accept)
    assert body.decode() == BODIES[labelled]


Parser = Callable[[str], Iterable[Metric]]


@pytest.mark.parametrize(
    ("accept", "parse", "types"),
    [
        pytest.param(
            "text/plain",
            parse_text,
            {
                "made_up_balance": "gauge",
                "made_up_polls": "counter",
                "made_up_state": "gauge",
                "made_up_build_info": "gauge",
            },
            id="text",
        ),
        pytest.param(
            "application/openmetrics-text",
            parse_openmetrics,
            {
                "made_up_balance": "gauge",
                "made_up_polls": "counter",
                "made_up_state": "stateset",
                "made_up_build": "info",
            },
            id="OpenMetrics",
        ),
    ],
)
def test_the_body_is_what_a_parser_of_its_format_reads(accept: str, parse: Parser, types: dict[str, str]) -> None:
    """The parsers are those of Prometheus' own Python library."""
    families = list(parse(exposition(accept)[1].decode()))
    samples = {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}
    assert {family.name: family.type for family in families} == types
    assert samples == {
        ("made_up_balance", 'Müşteri "1"'): 1250.5,
        ("made_up_polls_total", "otp"): 7.0,
        ("made_up_state", "otp", "ok"): 1.0,
        ("made_up_state", "otp", "unreachable"): 0.0,
        ("made_up_build_info", "1.2.3"): 1.0,
    }


@pytest.mark.parametrize(
    "accepted",
    [
        pytest.param("gzip", id="Prometheus"),
        pytest.param("gzip, deflate, br, zstd", id="a browser"),
        pytest.param("br, gzip", id="gzip last"),
        pytest.param("GZIP", id="upper case"),
        pytest.param("gzip;q=0.1", id="gzip, lightly"),
        pytest.param(" gzip ; q = 1.0 ", id="spaces"),
        pytest.param("*", id="anything"),
        pytest.param("br, *;q=0.1", id="anything, lightly"),
        pytest.param("*;q=0, gzip;q=0.1", id="nothing but gzip"),
    ],
)
def test_who_accepts_gzip_gets_it(accepted: str) -> None:
    """HTTP has several ways to accept gzip."""
    assert takes_gzip(accepted)


def test_gzip_is_worth_it() -> None:
    """The answer is smaller, unpacks to the same text, and is the same each time."""
    body = TEXT_BODY.encode() * 20
    packed = compressed(body)
    assert gzip.decompress(packed) == body
    assert len(packed) < len(body) / 10
    assert packed[4:8] == bytes(4)  # no time in it


@pytest.mark.parametrize(
    "accepted",
    [
        pytest.param("", id="no header"),
        pytest.param("identity", id="Prometheus without compression"),
        pytest.param("gzip;q=0", id="gzip refused"),
        pytest.param("gzip;q=0, *", id="gzip refused, anything else accepted"),
        pytest.param("*;q=0", id="everything refused"),
        pytest.param("identity;q=0", id="even this refused"),
        pytest.param("br", id="another compression"),
        pytest.param("deflate, br;q=0.5, zstd", id="other compressions"),
        pytest.param("gzip;q=high", id="a weight in words"),
        pytest.param("gzip;q=nan", id="a weight that is no number"),
        pytest.param("gzip;q=-1", id="a weight below zero"),
        pytest.param("gzipped", id="a longer word"),
        pytest.param(",;=,;;,==", id="only separators"),
    ],
)
def test_anybody_else_gets_the_body_as_it_is(accepted: str) -> None:
    """A scraper that cannot unpack would have no numbers at all."""
    assert not takes_gzip(accepted)


@given(st.text())
def test_no_header_is_too_much(accepted: str) -> None:
    """Every header gets an answer, and none an error."""
    assert takes_gzip(accepted) in {True, False}
