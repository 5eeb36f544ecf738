"""What is fuzzed: all that reads what others have written, and what must hold whatever they wrote."""

import json
import math
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from sms_credit_core import (
    PROVIDERS,
    Account,
    Answer,
    Instant,
    Owner,
    Secret,
    SetAside,
    recalled,
    remembered,
)
from sms_credit_core.exchange import _retry_after
from sms_credit_core.state import _checksum
from sms_credit_exporter import history
from sms_credit_exporter.config import ConfigError, load
from sms_credit_exporter.config.web import load_web
from sms_credit_exporter.durations import duration_text, parse_duration
from sms_credit_exporter.listing import Query, QueryError
from sms_credit_exporter.negotiation import Format, negotiated, takes_gzip
from sms_credit_exporter.prefix import external_path, route_prefix
from sms_credit_exporter.shards import Shard
from sms_credit_exporter.simulator.payloads import payloads
from sms_credit_exporter.trend import Trend
from sms_credit_exporter.web import Address
from tests.core.test_answer import check

ROOT = Path(__file__).parents[1]
NOW = Instant(unix=1_795_300_000.0, monotonic=500.0)
OWNER = Owner(provider="23telecom", base_url="https://example.com", credentials={"api_key": Secret("made-up-key")})

WEB = b"""
tls_server_config: {cert_file: a.pem, key_file: b.pem, client_auth_type: NoClientCert, min_version: TLS12}
http_server_config: {http2: false, headers: {X-Frame-Options: deny}}
basic_auth_users: {otp: $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG}
rate_limit: {interval: 1s, burst: 5}
"""

Examples = Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that reads."""

    run: Callable[[bytes], None]
    """Has it read these bytes. Raises whatever is wrong with what comes of that."""
    examples: Callable[[], Examples]
    """Returns what it is meant to read; the fuzzer begins with it."""


def _answers(key: str) -> Target:
    """Read answers of a provider: a line for the status, lines for headers, an empty one, and the body."""

    def run(data: bytes) -> None:
        head, _, body = data.partition(b"\n\n")
        status, *lines = head.decode("latin-1").split("\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        check(PROVIDERS[key], Answer(int(status) if re.fullmatch("[1-5][0-9]{2}", status) else 200, headers, body))

    def examples() -> Examples:
        for each in payloads(key):
            lines = [str(each.status), *(f"{name}: {value}" for name, value in each.headers)]
            yield "\n".join(lines).encode("latin-1") + b"\n\n" + each.body

    return Target(run, examples)


def _file(read: Callable[[Path], object], refused: type[Exception], suffix: str) -> Callable[[bytes], None]:
    """Read a file, or refuse it in words of a bounded length, each mistake on one line."""
    path = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None), f"file.{suffix}")  # noqa: S108

    def run(data: bytes) -> None:
        path.write_bytes(data)
        try:
            read(path)
        except refused as error:
            for mistake in error.mistakes:  # type: ignore[attr-defined] # each such error has them
                assert 0 < len(mistake.in_file("file")) < 1000
                assert mistake.in_file("file").isprintable()

    return run


def _files(folder: str, pattern: str) -> Callable[[], Examples]:
    return lambda: (file.read_bytes() for file in sorted((ROOT / folder).glob(pattern)))


def _state(data: bytes) -> None:
    """Take over what was remembered, or set it aside; what is taken over can be remembered again."""
    found = recalled(data.decode("utf-8", "replace"), OWNER, NOW)
    if isinstance(found, Account):
        assert isinstance(recalled(remembered(found, OWNER), OWNER, NOW), Account)
    else:
        assert isinstance(found, SetAside)


def _sealed_state(data: bytes) -> None:
    """Do the same with an account whose checksum and owner are right, as if an older version had written it."""
    try:
        body, key = json.loads(data), bytes(16)
        checksum = _checksum(json.dumps(body))
    except (ValueError, RecursionError):
        return
    state = {"version": 1, "key": key.hex(), "owner": OWNER.fingerprint(key), "checksum": checksum, "account": body}
    _state(json.dumps(state).encode())


def _states() -> Examples:
    return [(ROOT / "core" / "state-1.json").read_bytes(), remembered(Account(), OWNER).encode()]


def _sealed_states() -> Examples:
    return (json.dumps(json.loads(each)["account"]).encode() for each in _states())


def _trend(data: bytes) -> None:
    """Take over a last week, or refuse it."""
    try:
        trend = Trend.unpacked(data, OWNER)
    except ValueError:
        return
    first, amounts = trend.week(NOW.unix)
    assert len(amounts) <= len(trend.amounts)
    assert isinstance(first, int)
    assert Trend.unpacked(trend.packed(OWNER), OWNER).unit == trend.unit


def _accept(data: bytes) -> None:
    """Choose a format for any header."""
    header = data.decode("latin-1")
    form, content_type = negotiated(header)
    assert form in Format
    assert content_type.startswith(form.value)
    assert takes_gzip(header) in (True, False)


def _retry(data: bytes) -> None:
    """Read when to come again, from the two headers that say so."""
    retry, _, date = data.decode("latin-1").partition("\n")
    seconds = _retry_after(Answer(429, {"retry-after": retry, "date": date}, b""), NOW.unix)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


def _query(data: bytes) -> None:
    """Read a question to the status page; its address asks the same."""
    try:
        query = Query.parse(parse_qsl(data.decode("latin-1"), keep_blank_values=True))
    except QueryError:
        return
    assert Query.parse(query.parameters) == query


def _option(*readers: Callable[[str], object]) -> Callable[[bytes], None]:
    """Read an argument of the command line, or refuse it in words."""

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        for read in readers:
            try:
                read(text)
            except ValueError as error:
                assert str(error)  # noqa: PT017 - most arguments are none of this kind

    return run


def _duration(data: bytes) -> None:
    """Read a duration; written again it is the same, to the millisecond."""
    seconds = parse_duration(data.decode("latin-1"))
    if seconds is not None:
        assert parse_duration(duration_text(seconds)) == round(seconds * 1000) / 1000


def seconds(run: Callable[[bytes], None], data: bytes) -> float:
    """Return the processor time that an example takes."""
    begun = time.thread_time()
    run(data)
    return time.thread_time() - begun


def slower(than: float, run: Callable[[bytes], None], data: bytes) -> float:
    """Run an example; return the processor time that it takes, if that is more. A busy machine is slow now and then."""
    if seconds(run, data) <= than:
        return than
    return max(than, min(seconds(run, data) for _ in range(3)))


TARGETS: Mapping[str, Target] = {
    **{f"answers-of-{key}": _answers(key) for key in PROVIDERS},
    "configuration": Target(_file(load, ConfigError, "yml"), _files("exporter/configs", "*.yml")),
    "web-configuration": Target(_file(load_web, ConfigError, "yml"), lambda: [WEB]),
    "history": Target(_file(history.read, history.HistoryError, "csv"), _files("exporter/histories", "*.csv")),
    "state": Target(_state, _states),
    "sealed-state": Target(_sealed_state, _sealed_states),
    "trend": Target(_trend, lambda: [Trend().packed(OWNER)]),
    "accept": Target(
        _accept,
        lambda: [
            b"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1",
            b"gzip;q=1",
        ],
    ),
    "retry-after": Target(_retry, lambda: [b"120", b"Wed, 21 Oct 2026 07:28:00 GMT\nWed, 21 Oct 2026 07:27:00 GMT"]),
    "query": Target(_query, lambda: [urlencode({"search": "otp", "state": "low", "page": 2}).encode(), b"sort=name"]),
    "options": Target(
        _option(Shard.parse, Address.parse, external_path, route_prefix),
        lambda: [b"0/2", b"127.0.0.1:10767", b"[::1]:0", b"https://example.com/sms/", b"/sms"],
    ),
    "duration": Target(_duration, lambda: [b"1w2d3h4m5s6ms", b"90s"]),
}
"""Everything, by the name that scripts/fuzz knows it by."""
