"""The fault matrix: what can happen between an account and its provider, and what a person sees then.

Nothing is imported from the core, which has another name inside Home Assistant. Statuses and causes are its words.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from functools import cache
from itertools import cycle, islice, product

from sms_credit_exporter.simulator.payloads import Payload, payloads
from sms_credit_exporter.simulator.providers import APIS

from .damage import Damage, cuts, damaged_fields
from .wire import (
    Peer,
    Say,
    Script,
    Step,
    Template,
    chunks,
    cut,
    drip,
    first,
    fixed,
    half_body,
    handshake,
    hello,
    past_tls,
    read,
    repeat,
    reset,
    start,
    wait_for_leaving,
    whole,
)


class Layer(StrEnum):
    """Where it happens, from the outside in."""

    NAME = "The name is looked up"
    CONNECTION = "A connection is made"
    TLS = "TLS begins, and goes on"
    HTTP = "HTTP is spoken"
    HTTP_STATUS = "HTTP statuses, with the HTML of a proxy or a portal"
    REDIRECT = "Redirects, which would carry the credentials elsewhere"
    BODY = "The body is read"
    RETRY_AFTER = "429, and how long to wait (Retry-After)"
    CUT = "The good answer is cut at every byte"
    FIELD = "Every field of the good answer is damaged"
    DOCUMENTED = "What the providers' own pages say they answer"


class Place(Enum):
    """What there is where the provider should be."""

    SERVER = "a server"
    NOBODY = "a port on which nobody listens"
    BLACK_HOLE = "a port whose packets are dropped"


class Name(Enum):
    """What the system answers when it is asked for the host name."""

    KNOWN = "where it is"
    UNKNOWN = "there is no such name"
    LATER = "no name server answers at present"
    SILENT = "nothing, as long as anybody waits"
    UNROUTABLE = "an address to which there is no way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that happens, and what is to be seen of it."""

    layer: Layer
    sentence: str
    status: str = "unreachable"
    causes: tuple[str, ...] = ()
    """Any of them; which one can depend on the provider. Without any, the status says it all."""
    detail: str | None = None
    """What the reason names, where it can only be this."""
    script: Script = ()
    tls: bool = False
    """Whether the address begins with https. The script then says when TLS begins."""
    place: Place = Place.SERVER
    name: Name | None = None
    """What is the matter with the host name, if anything."""
    hangs: bool = False
    """Whether it lasts until the client loses its patience."""
    wait: float | None = None
    """Seconds that the provider asks to wait, as far as they are believed; None if it asks for none."""
    dated: bool = False
    """Whether they end at a moment by this machine's clock, which the answer names in whole seconds."""
    payload: Payload | None = None
    """Whose outcome says all the rest, where it is one."""

    @property
    def reads(self) -> bool:
        """Whether there is a reading after all."""
        return self.status in {"fresh", "partial"}

    @property
    def is_answer(self) -> bool:
        """Whether it is one of a single provider's answers, all of which come from one server."""
        return self.layer in {Layer.CUT, Layer.FIELD, Layer.DOCUMENTED}


def _name(sentence: str, name: Name, cause: str, *, hangs: bool = False) -> Fault:
    return Fault(layer=Layer.NAME, sentence=sentence, causes=(cause,), script=(), tls=True, name=name, hangs=hangs)


NAMES = (
    _name("The name does not exist.", Name.UNKNOWN, "name_not_found"),
    _name("No name server answers, and the system says so.", Name.LATER, "name_not_found"),
    _name("No name server answers, and the system waits.", Name.SILENT, "timeout", hangs=True),
    _name("The name leads to an address that cannot be reached.", Name.UNROUTABLE, "not_connected"),
)


def _connection(sentence: str, cause: str, *script: Step, place: Place = Place.SERVER, hangs: bool = False) -> Fault:
    return Fault(
        layer=Layer.CONNECTION,
        sentence=sentence,
        causes=tuple(cause.split()),
        script=script,
        place=place,
        hangs=hangs,
    )


CONNECTIONS = (
    _connection("It is refused.", "not_connected", place=Place.NOBODY),
    _connection("Its packets are dropped.", "timeout", place=Place.BLACK_HOLE, hangs=True),
    _connection("It is accepted and closed at once.", "connection_cut"),
    _connection("It is accepted and reset at once.", "connection_cut not_connected", reset),
    _connection("It is accepted, and nothing follows.", "timeout", wait_for_leaving, hangs=True),
)


def _tls(sentence: str, *script: Step, cause: str = "tls_failed", hangs: bool = False) -> Fault:
    return Fault(layer=Layer.TLS, sentence=sentence, causes=(cause,), script=script, tls=True, hangs=hangs)


GARBAGE = b"HTTP/1.1 502 Bad Gateway\r\n\r\n"
"""No record of TLS begins like this."""

CERTIFICATES = {
    "expired": "The certificate has expired.",
    "not yet valid": "The certificate is not valid yet.",
    "for another name": "The certificate is for another name.",
    "for a name alone": "The certificate is for a name, and an address was asked for.",
    "untrusted": "The certificate's authority is unknown.",
    "self-signed": "The certificate has signed itself.",
    "without its chain": "The certificate comes without the one in between.",
}
"""What can be wrong with a certificate, by the name of the server's context."""

TLS = (
    _tls("The connection is closed before the first word.", hello, cut),
    _tls("The connection is reset before the first word.", hello, reset, cause="not_connected"),
    _tls("The connection is closed within the first record.", hello, b"\x16\x03\x03\x00\x7a\x02\x00", cut),
    _tls("The first record is longer than any.", hello, b"\x16\x03\x03\xff\xff" + b"\0" * 70_000, cut),
    _tls("The server refuses with an alert.", hello, b"\x15\x03\x03\x00\x02\x02\x28", cut),
    _tls("The server is silent.", hello, wait_for_leaving, cause="timeout", hangs=True),
    _tls("The server speaks plain HTTP, as a portal does.", hello, Say(whole(status=b"400 Bad Request")), cut),
    _tls("The server speaks something else.", b"SSH-2.0-OpenSSH_9.2\r\n", hello, cut),
    *(_tls(sentence, handshake(kind)) for kind, sentence in CERTIFICATES.items()),
    _tls("The server knows nothing newer than TLS 1.0.", handshake("TLS 1.0")),
    _tls("The server knows nothing newer than TLS 1.1.", handshake("TLS 1.1")),
    _tls("The server wants a certificate of ours, by TLS 1.2.", handshake("wants ours, 1.2"), read),
    _tls("The server wants a certificate of ours, by TLS 1.3.", handshake("wants ours, 1.3"), read),
    _tls("After the handshake, the connection is reset.", handshake(), read, reset, cause="connection_cut"),
    _tls("After the handshake, nothing comes.", handshake(), read, wait_for_leaving, cause="timeout", hangs=True),
    _tls(
        "After the handshake, the connection is closed without TLS's goodbye.",
        handshake(),
        read,
        cut,
        cause="connection_cut",
    ),
    _tls(
        "In the body, the connection is closed without TLS's goodbye.",
        handshake(),
        read,
        Say(half_body()),
        cut,
        cause="connection_cut",
    ),
    _tls("Before the answer comes what is no TLS.", handshake(), read, past_tls(GARBAGE), cut),
    _tls("In the header comes what is no TLS.", handshake(), read, Say(first(0.3, whole())), past_tls(GARBAGE), cut),
    _tls("In the body comes what is no TLS.", handshake(), read, Say(half_body()), past_tls(GARBAGE), cut),
    _tls(
        "In the body, the connection is reset.",
        handshake(),
        read,
        Say(half_body()),
        0.05,
        reset,
        cause="connection_cut",
    ),
)


def _http(sentence: str, cause: str, *script: Step, status: str = "invalid_response", hangs: bool = False) -> Fault:
    causes = (cause,) if cause else ()
    return Fault(
        layer=Layer.HTTP,
        sentence=sentence,
        status=status,
        causes=causes,
        script=(read, *script),
        hangs=hangs,
    )


def _late(sentence: str, *script: Step) -> Fault:
    return _http(sentence, "timeout", *script, status="unreachable", hangs=True)


def _broken(sentence: str, *script: Step) -> Fault:
    return _http(sentence, "connection_cut", *script, status="unreachable")


def _readable(sentence: str, *script: Step) -> Fault:
    return _http(sentence, "", *script, status="fresh")


HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
GZIP = b"Content-Encoding: gzip"
MANY_BYTES = 10_000_000
"""What a bomb inflates to."""


def _numbered(headers: int) -> tuple[bytes, ...]:
    return tuple(b"X-%d: %b" % (number, b"x" * 40) for number in range(headers))


def _short(body: bytes) -> bytes:
    return start(b"Content-Length: %d" % (len(body) - 1))(body)


def _long(body: bytes) -> bytes:
    return start(b"Content-Length: %d" % (len(body) + 1))(body)


HEALTHY = _readable("Nothing is the matter.", Say(whole()))
"""What nothing else may disturb."""

HTTP = (
    HEALTHY,
    _late("The answer never begins.", wait_for_leaving),
    _late("The header comes byte by byte.", drip(whole())),
    _late("The header never ends, and comes slowly.", b"HTTP/1.1 200 OK\r\n", repeat(b"X: x\r\n", 0.05)),
    _late("The body comes byte by byte.", drip(lambda body: start(b"Content-Length: %d" % len(body))(body))),
    _late("The body ends before its length, and the connection stays open.", Say(half_body()), wait_for_leaving),
    _late("The chunks come byte by byte.", drip(chunks(bytes))),
    _late("The last chunk never comes.", Say(chunks(bytes, end=b"")), wait_for_leaving),
    _late("Hints without end (1xx), and no answer.", repeat(HINT, 0.01)),
    _broken("The connection is closed before the answer.", cut),
    _broken("The connection is reset before the answer.", reset),
    _broken("The connection is closed in the header.", Say(first(0.1, whole()))),
    _broken("The connection is reset in the header.", Say(first(0.1, whole())), 0.05, reset),
    _broken("The connection is closed in the body.", Say(half_body())),
    _broken("The connection is reset in the body.", Say(half_body()), 0.05, reset),
    _broken("The body is one byte shorter than its length.", Say(_long)),
    _broken("The connection is closed between chunks.", Say(chunks(bytes, end=b""))),
    _broken("A hint (1xx), and then the connection is closed.", HINT),
    _http("The header is larger than any.", "not_http", Say(start(b"X: " + b"x" * 200_000))),
    _http("There are five thousand headers.", "not_http", Say(start(*_numbered(5_000)))),
    _http("Two lengths that differ.", "not_http", Say(whole(b"Content-Length: 1"))),
    _http("A length that is no number.", "not_http", Say(start(b"Content-Length: many"))),
    _http("A negative length.", "not_http", Say(start(b"Content-Length: -1"))),
    _http(
        "A chunk without its size.",
        "not_http",
        Say(lambda body: start(b"Transfer-Encoding: chunked")(b"many\r\n" + body)),
    ),
    _http(
        "A chunk of a negative size.",
        "not_http",
        Say(lambda body: start(b"Transfer-Encoding: chunked")(b"-5\r\n" + body)),
    ),
    _http("HTTP/0.9: a body and nothing else.", "not_http", Say(bytes)),
    _http("A status that is no number.", "not_http", b"HTTP/1.1 OK\r\n\r\n"),
    _http("A header without a colon.", "not_http", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"),
    _http("Another protocol's greeting.", "not_http", b"220 mail.example ESMTP\r\n"),
    _http("Too large a body, as its length says.", "too_large", Say(start(b"Content-Length: 65537")), wait_for_leaving),
    _http(
        "Too large a body, in chunks without a length.",
        "too_large",
        Say(chunks(*[fixed(b" " * 4096)] * 17)),
        wait_for_leaving,
    ),
    _http("A body without end.", "too_large", Say(start()), repeat(b" " * 4096)),
    _http(
        "A bomb: gzip that inflates to ten megabytes.",
        "too_large",
        Say(whole(GZIP, of=fixed(gzip.compress(bytes(MANY_BYTES))))),
    ),
    _http("It claims to be gzip and is not.", "encoding_unknown", Say(whole(GZIP))),
    _http(
        "Gzip with a wrong checksum.",
        "encoding_unknown",
        Say(whole(GZIP, of=lambda body: gzip.compress(body)[:-8] + bytes(8))),
    ),
    _http(
        "Gzip, and something after it.", "encoding_unknown", Say(whole(GZIP, of=lambda body: gzip.compress(body) * 2))
    ),
    _http("An encoding that nobody asked for.", "encoding_unknown", Say(whole(b"Content-Encoding: br"))),
    _readable("HTTP/1.0.", Say(start(version=b"HTTP/1.0"))),
    _readable("No length: the connection is closed after the body.", Say(start())),
    _readable("In chunks, two and an empty last one.", Say(chunks(lambda body: body[:9], lambda body: body[9:]))),
    _readable("Gzip that nobody asked for.", Say(whole(GZIP, of=gzip.compress))),
    _readable("A hundred hints (1xx), then the answer.", HINT * 100, Say(whole())),
    _readable(
        "In two pieces, a moment apart.",
        Say(first(0.7, whole())),
        0.05,
        Say(lambda body: whole()(body)[int(len(whole()(body)) * 0.7) :]),
    ),
    _readable("Another account's answer after ours, on the same connection.", Say(whole()), Say(whole())),
    _readable("Surplus bytes after the answer.", Say(whole()), b"0" * 1000),
    _readable("Cookies, and headers by the dozen.", Say(whole(b"Set-Cookie: a=1; Path=/", *_numbered(50)))),
)

PORTAL = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Balance: 4711.11 EUR</body></html>"
"""What a hotel's network, or a proxy, puts in the place of any answer."""


def _html(status: bytes) -> Script:
    return (read, Say(whole(b"Content-Type: text/html", status=status, of=fixed(PORTAL))))


def _status_of(code: int) -> str:
    known = {401: "auth_failed", 403: "access_denied", 429: "rate_limited"}
    return known.get(code) or ("provider_error" if 500 <= code < 600 else "invalid_response")


# fmt: off
HTTP_STATUSES = (
    200, 201, 202, 203, 206, 226, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 413, 418, 421, 425, 429, 431,
    451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 526, 530, 599, 999,
)
# fmt: on

HTTP_STATUS = (
    *(
        Fault(
            layer=Layer.HTTP_STATUS,
            sentence=f"{code}, with a page of HTML.",
            status=_status_of(code),
            script=_html(b"%d Whatever" % code),
        )
        for code in HTTP_STATUSES
    ),
    *(
        Fault(
            layer=Layer.HTTP_STATUS,
            sentence=f"{code}, with nothing.",
            status="invalid_response",
            script=(read, b"HTTP/1.1 %d Nothing\r\n\r\n" % code),
        )
        for code in (204, 205, 304)
    ),
    Fault(
        layer=Layer.HTTP_STATUS,
        sentence="200, with an empty body.",
        status="invalid_response",
        script=(read, Say(whole(of=fixed(b"")))),
    ),
)

ELSEWHERE = "elsewhere"
"""The first part of a path that nobody may ask for."""


LOCATIONS = {
    "to the same place": b"",
    "to another path": b"/elsewhere/login",
    "to another host": b"https://portal.example/elsewhere",
    "to a mailbox": b"mailto:support@example.com",
    "to an address that is none": b"https://[::1",
    "to a name that is none": b"https://xn--",
}
"""Where a redirect can lead."""

REDIRECTS = tuple(
    Fault(
        layer=Layer.REDIRECT,
        sentence=f"{code}, {where}.",
        status="invalid_response",
        causes=("status_unexpected",),
        script=(read, Say(whole(b"Location: " + location, status=b"%d Elsewhere" % code))),
    )
    for code, (where, location) in product((300, 301, 302, 303, 307, 308), LOCATIONS.items())
)


def _body(sentence: str, cause: str | tuple[str, ...], of: Template, status: str = "invalid_response") -> Fault:
    causes = (cause,) if isinstance(cause, str) else cause
    return Fault(layer=Layer.BODY, sentence=sentence, status=status, causes=causes, script=(read, Say(whole(of=of))))


def _doubled(body: bytes) -> bytes:
    inside = body.strip()[1:-1]
    return b"{" + inside + b", " + inside + b"}"


BODIES = (
    _body("Half of it, with the length of that half.", "not_json", lambda body: body[: len(body) // 2]),
    _body("Without its last byte.", "not_json", lambda body: body.rstrip()[:-1]),
    _body("Without its first byte.", "not_json", lambda body: body.lstrip()[1:]),
    _body("Twice, one after the other.", "not_json", lambda body: body * 2),
    _body("Every member twice.", "not_json", _doubled),
    _body("A comma before the end.", "not_json", lambda body: body.rstrip()[:-1] + b",}"),
    _body("In UTF-16.", "not_json", lambda body: body.decode().encode("utf-16")),
    _body("With a byte that is no UTF-8.", "not_json", lambda body: body.rstrip()[:-1] + b', "\xff": 1}'),
    _body("With a NUL at its end.", "not_json", lambda body: body + b"\0"),
    _body("Nested thirty thousand deep.", "not_json", fixed(b"[" * 30_000 + b"]" * 30_000)),
    _body(
        "With a number of ten thousand digits beside.",
        "not_json",
        lambda body: body.rstrip()[:-1] + b', "n": ' + b"9" * 10_000 + b"}",
    ),
    _body("With NaN beside.", "not_json", lambda body: body.rstrip()[:-1] + b', "n": NaN}'),
    _body("In single quotes.", "not_json", lambda body: body.replace(b'"', b"'")),
    _body("In a list.", "not_an_object", lambda body: b"[" + body + b"]"),
    _body("As text within JSON.", "not_an_object", lambda body: json.dumps(body.decode()).encode()),
    _body("null.", "not_an_object", fixed(b"null")),
    _body("true.", "not_an_object", fixed(b"true")),
    _body("An empty list.", "not_an_object", fixed(b"[]")),
    _body("An empty object.", ("field_missing", "status_unexpected", "code_unexpected"), fixed(b"{}")),
    Fault(
        layer=Layer.BODY,
        sentence="A bare number, which may be a code.",
        status="invalid_response",
        causes=("not_an_object", "code_unexpected"),
        script=(read, Say(whole(of=fixed(b"4711")))),
    ),
    _body("White space around it.", (), lambda body: b"\r\n\t " + body + b" \n", "fresh"),
    _body("A byte order mark before it.", (), lambda body: b"\xef\xbb\xbf" + body, "fresh"),
    _body("A member more, that nobody knows.", (), lambda body: body.rstrip()[:-1] + b', "new": [1, 2]}', "fresh"),
)

HOUR = 3600.0


def _asks(
    sentence: str, wait: float | None, *headers: bytes | Callable[[datetime], bytes], dated: bool = False
) -> Fault:
    """Return what answers 429 with these headers; those of a moment are made when it answers."""

    def send(peer: Peer) -> None:
        now = datetime.now(UTC)
        peer.told_at = now.timestamp()
        written = [header if isinstance(header, bytes) else header(now) for header in headers]
        peer.sock.sendall(whole(*written, status=b"429 Too Many Requests", of=fixed(PORTAL))(b""))

    return Fault(
        layer=Layer.RETRY_AFTER,
        sentence=sentence,
        status="rate_limited",
        causes=("rate_limited",),
        script=(read, send),
        wait=wait,
        dated=dated,
    )


IMF = "%a, %d %b %Y %H:%M:%S GMT"
"""How HTTP writes a moment."""


def _moment(seconds: float, name: str = "Retry-After", form: str = IMF) -> Callable[[datetime], bytes]:
    """Return what writes a header with the moment so many seconds from now."""
    return lambda now: f"{name}: {(now + timedelta(seconds=seconds)).strftime(form)}".encode()


RETRY_AFTER = (
    _asks("Nothing is said.", None),
    _asks("An empty header.", None, b"Retry-After:"),
    _asks("0.", 0, b"Retry-After: 0"),
    _asks("1.", 1, b"Retry-After: 1"),
    _asks("1800.", 1800, b"Retry-After: 1800"),
    _asks("1800, with zeros before it.", 1800, b"Retry-After: 001800"),
    _asks("1800, between spaces.", 1800, b"Retry-After:    1800   "),
    _asks("An hour, in seconds.", HOUR, b"Retry-After: 3600"),
    _asks("A day, in seconds: an hour is believed.", HOUR, b"Retry-After: 86400"),
    _asks("A moment in Unix time: an hour is believed.", HOUR, b"Retry-After: 1795720625"),
    _asks("Five thousand digits: an hour is believed.", HOUR, b"Retry-After: " + b"9" * 5000),
    _asks("-1800.", None, b"Retry-After: -1800"),
    _asks("+1800.", None, b"Retry-After: +1800"),
    _asks("1.5.", None, b"Retry-After: 1.5"),
    _asks("1e3.", None, b"Retry-After: 1e3"),
    _asks("0x708.", None, b"Retry-After: 0x708"),
    _asks("1800s.", None, b"Retry-After: 1800s"),
    _asks("PT30M, as ISO 8601 writes half an hour.", None, b"Retry-After: PT30M"),
    _asks("1800, 2700.", None, b"Retry-After: 1800, 2700"),
    _asks("The header twice.", None, b"Retry-After: 1800", b"Retry-After: 2700"),
    _asks("NaN.", None, b"Retry-After: NaN"),
    _asks("Infinity.", None, b"Retry-After: Infinity"),
    _asks("A digit that is none.", None, b"Retry-After: \xb2"),
    _asks("soon.", None, b"Retry-After: soon"),
    _asks("A date, by this machine's clock.", 2700, _moment(2700), dated=True),
    _asks("A date, by the provider's own clock, an hour ahead.", 2700, _moment(3600, "Date"), _moment(3600 + 2700)),
    _asks("A date, by the provider's own clock, a day behind.", 2700, _moment(-86400, "Date"), _moment(-86400 + 2700)),
    _asks("A date in the past.", 0, _moment(-2700), dated=True),
    _asks("A date in an old notation.", 2700, _moment(2700, form="%A, %d-%b-%y %H:%M:%S GMT"), dated=True),
    _asks("A date in the oldest notation.", 2700, _moment(2700, form="%a %b %d %H:%M:%S %Y"), dated=True),
    _asks("A date without its day of the week.", 2700, _moment(2700, form="%d %b %Y %H:%M:%S GMT"), dated=True),
    _asks("A date that does not exist.", None, b"Retry-After: Sat, 99 Nov 2026 99:00:00 GMT"),
    _asks("The last date that there is: an hour is believed.", HOUR, b"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"),
)

FAULTS = (*NAMES, *CONNECTIONS, *TLS, *HTTP, *HTTP_STATUS, *REDIRECTS, *BODIES, *RETRY_AFTER)
"""What can happen to any provider's account."""


def documented(provider: str) -> Iterator[Fault]:
    """Yield what a provider can answer, by the payload files."""
    for payload in payloads(provider):
        outcome = payload.outcome
        yield Fault(
            layer=Layer.DOCUMENTED,
            sentence=payload.situation,
            status=outcome["status"],
            causes=(outcome["cause"],) if "cause" in outcome else (),
            script=(read, _on_the_wire(payload)),
            payload=payload,
        )


def damaged(provider: str) -> Iterator[Fault]:
    """Yield what becomes of a provider's good answer, cut at every byte and damaged in every field."""
    for layer, damages in ((Layer.CUT, cuts(provider)), (Layer.FIELD, damaged_fields(provider))):
        yield from (_of_damage(layer, damage) for damage in damages)


def _of_damage(layer: Layer, damage: Damage) -> Fault:
    return Fault(
        layer=layer,
        sentence=damage.sentence,
        status=damage.status,
        causes=(damage.cause,) if damage.cause else (),
        detail=damage.detail,
        script=(read, Say(damage.answer)),
    )


SHORT_WAIT = "2"
"""Seconds that the answers here ask to wait, where their files say hours."""


def _on_the_wire(payload: Payload) -> bytes:
    waits = {"Retry-After": SHORT_WAIT}
    headers = tuple(f"{name}: {waits.get(name, value)}".encode("latin-1") for name, value in payload.headers)
    no_body = payload.status in {204, 304}
    length = () if no_body else (b"Content-Length: %d" % len(payload.body),)
    return start(*headers, *length, status=b"%d Whatever" % payload.status)(payload.body)


@dataclass(frozen=True, slots=True)
class Case:
    """A fault at a provider: one account."""

    key: str
    """Its name, which stands in the address of its provider too."""
    provider: str
    fault: Fault


_SAMPLE = 41
"""One damage of so many is tried where not every one is; a prime, so that each kind of damage has its turn."""

_AT_ONCE = 4
"""The providers at which a fault is tried that comes to how they answer; over all faults, each has its turn."""


@cache
def cases(*, every: bool = False) -> tuple[Case, ...]:
    """Return the accounts: every fault at every provider, every damage, and what each provider can answer.

    Without `every`, the providers take turns, there is a sample of the damages, and one answer for each cause.
    """
    at_any = [
        (provider, fault)
        for number, fault in enumerate(FAULTS)
        for provider in (APIS if every else _in_turn(number, _AT_ONCE if _is_read(fault) else 1))
    ]
    damages = [(provider, fault) for provider in APIS for fault in damaged(provider)][:: 1 if every else _SAMPLE]
    answers = [(provider, fault) for provider in APIS for fault in documented(provider)]
    if not every:
        answers = [*{_outcome(provider, fault): (provider, fault) for provider, fault in answers}.values()]
    pairs = [*at_any, *damages, *answers]
    return tuple(Case(f"{number:04}-{provider}", provider, fault) for number, (provider, fault) in enumerate(pairs))


def _in_turn(number: int, count: int) -> tuple[str, ...]:
    return tuple(islice(cycle(APIS), number % len(APIS), number % len(APIS) + count))


def _is_read(fault: Fault) -> bool:
    """Whether a provider's own way to answer comes into it; else nothing of that has arrived, or is looked at."""
    return fault.reads or fault.layer is Layer.BODY


def _outcome(provider: str, fault: Fault) -> tuple[object, ...]:
    outcome = fault.payload.outcome if fault.payload else {}
    return (provider, outcome.get("status"), outcome.get("cause"))
