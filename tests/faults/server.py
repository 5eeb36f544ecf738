"""The faults' servers, in a process of their own: one port for each fault, all of them good or bad at a word.

`python server.py FOLDER [tls]` writes FOLDER/ca.pem, the authority to trust, and prints the port for each
account. A line on its standard input that is a number has every server answer well from then on, with that balance;
`fault` brings the faults back; `report` prints what was asked. It ends with its input.
With `tls`, whatever has nothing to do with TLS happens behind it.
"""

import json
import selectors
import socket
import ssl
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Lock, Thread

import trustme

if __name__ == "__main__":  # a script, of whichever Python has started it
    ROOT = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(ROOT), str(ROOT / "exporter")]

from sms_credit_exporter.simulator.providers import APIS
from tests.faults.driving import TABLE
from tests.faults.healthy import DECOY, healthy
from tests.faults.table import ELSEWHERE, Case, Fault, Layer, Place
from tests.faults.wire import Peer, black_hole, handshake, play, read, reusable, start

NAMES = ("127.0.0.1", "localhost")


# --- TLS ----------------------------------------------------------------------------------------------------------


def contexts(authority: trustme.CA) -> Mapping[str, ssl.SSLContext]:
    """Return what a server speaks TLS with, by what is the matter with it."""
    now, day = datetime.now(UTC), timedelta(days=1)
    good = authority.issue_cert(*NAMES)
    between = authority.create_child_ca()
    leaves = {
        "good": good,
        "expired": authority.issue_cert(*NAMES, not_before=now - 9 * day, not_after=now - day),
        "not yet valid": authority.issue_cert(*NAMES, not_before=now + day, not_after=now + 9 * day),
        "for another name": authority.issue_cert("sms.example.com", "127.0.0.2"),
        "for a name alone": authority.issue_cert("sms.example.com"),
        "untrusted": trustme.CA().issue_cert(*NAMES),
    }
    found = {kind: _context(leaf) for kind, leaf in leaves.items()}
    alone = trustme.CA()
    found["self-signed"] = _of_pem(alone.private_key_pem, alone.cert_pem)
    last = between.issue_cert(*NAMES)
    found["without its chain"] = _of_pem(last.private_key_pem, last.cert_chain_pems[0])
    for name, version in {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}.items():
        found[name] = _context(good)
        found[name].set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            found[name].minimum_version = found[name].maximum_version = version
    for name, version in {"wants ours, 1.2": ssl.TLSVersion.TLSv1_2, "wants ours, 1.3": ssl.TLSVersion.TLSv1_3}.items():
        found[name] = _context(good)
        found[name].minimum_version = found[name].maximum_version = version
        trustme.CA().configure_trust(found[name])
        found[name].verify_mode = ssl.CERT_REQUIRED
    return found


def _context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf.configure_cert(context)
    return context


def _of_pem(*pems: trustme.Blob) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with trustme.Blob(b"".join(pem.bytes() for pem in pems)).tempfile() as file:
        context.load_cert_chain(file)
    return context


# --- the servers --------------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """What was asked in an account's name."""

    times: int = 0
    answered_well: int = 0
    """Of these, since the servers were told to."""
    last: float | None = None
    """Monotonic time."""
    longest_pause: float = 0.0
    """Seconds between two requests."""
    told_at: float | None = None
    """Unix time from which on the client was told to wait, where the answer counted from there."""

    def once_more(self, peer: Peer, *, well: bool) -> None:
        """Count a request."""
        now = time.monotonic()
        self.longest_pause = max(self.longest_pause, now - (self.last or now))
        self.last, self.told_at = now, peer.told_at or self.told_at
        self.times += 1
        self.answered_well += well


@dataclass
class World:
    """All servers, and what they do at present."""

    contexts: Mapping[str, ssl.SSLContext]
    cases: Mapping[str, Case]
    tls: bool
    """Whether all servers speak TLS."""
    balance: Decimal | None = None
    """What every server answers well with; None while there are faults."""
    asked: dict[str, Asked] = field(default_factory=lambda: defaultdict(Asked))
    strays: Counter[str] = field(default_factory=Counter)
    """Requests that nobody should have made, by what is wrong with them."""
    lock: Lock = field(default_factory=Lock)

    def talk(self, fault: Fault, connection: socket.socket) -> None:
        """Serve one connection."""
        balance = self.balance
        peer = Peer(connection, self.contexts, partial(self._body, DECOY if balance is None else balance))
        try:
            with suppress(OSError):
                if balance is None:
                    self._misbehave(peer, fault)
                else:
                    self._answer(peer, fault, balance)
        finally:
            peer.close()

    def _misbehave(self, peer: Peer, fault: Fault) -> None:
        try:
            if self.tls and not fault.tls and fault.layer is not Layer.CONNECTION:
                handshake()(peer)
            if fault is _OF_ANSWERS:
                read(peer)
                fault = self.cases[peer.asked_by].fault
                play(peer, fault.script[1:])
            else:
                play(peer, fault.script)
        finally:
            self._note(peer, well=False)

    def _answer(self, peer: Peer, fault: Fault, balance: Decimal) -> None:
        play(peer, [*([handshake()] if fault.tls or self.tls else []), read])
        self._note(peer, well=True)  # first: once the client has its answer, somebody may ask for the report
        written = healthy(self.cases[peer.asked_by].provider, balance)
        headers = (f"{name}: {value}".encode() for name, value in written.headers)
        play(peer, [start(*headers, b"Content-Length: %d" % len(written.body))(written.body)])

    def _body(self, balance: Decimal, key: str) -> bytes:
        """Return the healthy body; of somebody who has not asked yet, that of any provider."""
        return healthy(self.cases[key].provider if key else next(iter(APIS)), balance).body

    def _note(self, peer: Peer, *, well: bool) -> None:
        if not peer.request:
            return
        with self.lock:
            if peer.asked_by not in self.cases:
                self.strays[peer.asked_by] += 1
                return
            self.asked[peer.asked_by].once_more(peer, well=well)
            if ELSEWHERE.encode() in peer.request.partition(b"\r\n")[0]:
                self.strays[ELSEWHERE] += 1

    def report(self) -> str:
        """Say what was asked."""
        with self.lock:
            asked = {key: asdict(each) for key, each in self.asked.items()}
            return json.dumps({"asked": asked, "strays": self.strays})


_OF_ANSWERS = Fault(layer=Layer.DOCUMENTED, sentence="")
"""Stands for all answers of one provider, which one server gives: it plays the script of whoever asks."""


class Listener:
    """The port of one fault."""

    def __init__(self, fault: Fault, world: World, selector: selectors.BaseSelector) -> None:
        """Take a port, and do there what the fault has a server do."""
        self._fault, self._world, self._selector = fault, world, selector
        self._stack = ExitStack()
        self._holder = reusable(0)  # keeps the port ours, whoever listens on it at present
        self.port: int = self._holder.getsockname()[1]
        self._server: socket.socket | None = None

    def be(self, *, well: bool) -> None:
        """Listen, or be as little there as the fault wants."""
        self._stack.close()
        if well or self._fault.place is Place.SERVER:
            self._listen()
            return
        if self._server:
            self._selector.unregister(self._server)
            self._server.close()
            self._server = None
        if self._fault.place is Place.BLACK_HOLE:
            self._stack.enter_context(black_hole(self.port))

    def _listen(self) -> None:
        if self._server is None:
            self._server = reusable(self.port)
            self._server.listen(128)
            self._server.settimeout(0)
            self._selector.register(self._server, selectors.EVENT_READ, self._accept)

    def _accept(self) -> None:
        assert self._server
        with suppress(OSError):
            connection, _ = self._server.accept()
            connection.settimeout(None)
            Thread(target=self._world.talk, args=(self._fault, connection), daemon=True).start()


def main(folder: Path, *, tls: bool) -> None:
    """Serve until the standard input ends."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    world = World(contexts(authority), {case.key: case for case in TABLE}, tls)
    with selectors.DefaultSelector() as selector:
        listeners = {place: Listener(fault, world, selector) for place, fault in _places(TABLE).items()}
        for listener in listeners.values():
            listener.be(well=False)
        ports = {case.key: listeners[_place_of(case)].port for case in TABLE}
        _say(json.dumps(ports))
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data:
                    key.data()
                elif line := sys.stdin.readline().strip():
                    _say(_do(line, world, listeners))
                else:
                    return


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _do(line: str, world: World, listeners: Mapping[str, Listener]) -> str:
    if line == "report":
        return world.report()
    world.balance = None if line == "fault" else Decimal(line)
    for listener in listeners.values():
        listener.be(well=world.balance is not None)
    return json.dumps(line)


def _place_of(case: Case) -> str:
    """Return what accounts have in common that share a port: a provider's own answers come from one server."""
    return f"answers of {case.provider}" if case.fault.is_answer else f"{case.fault.layer} {case.fault.sentence}"


def _places(table: tuple[Case, ...]) -> dict[str, Fault]:
    return {_place_of(case): _OF_ANSWERS if case.fault.is_answer else case.fault for case in table}


if __name__ == "__main__":
    main(Path(sys.argv[1]), tls="tls" in sys.argv[2:])
