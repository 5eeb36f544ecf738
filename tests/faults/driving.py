"""The faults' servers, as a test drives them; and what a product must show of an account."""

import json
import math
import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from sms_credit_exporter.simulator.providers import APIS

from .healthy import DECOY, healthy
from .table import Case, Layer, cases

ALL = os.environ.get("FAULT_MATRIX") == "all"
"""Whether every fault is tried at every provider, as scripts/fault-matrix wants it."""

TABLE = cases(every=ALL)

MOST = 1_000
"""The accounts that one exporter watches at once; more are tried in several parts."""


def clock_steps(before: float) -> Mapping[str, Callable[[], float]]:
    """Return how a clock may be set, each with what tells how far, in seconds; `before` is how long before a moment."""

    def until(*moment: int) -> Callable[[], float]:
        return lambda: datetime(*moment, tzinfo=UTC).timestamp() - before - time.time()  # type: ignore[arg-type,misc]

    return {
        "an hour ahead": lambda: 3600.0,
        "an hour back": lambda: -3600.0,
        "four hundred days ahead": lambda: 400 * 86400.0,
        "four hundred days back": lambda: -400 * 86400.0,
        "to the moment before daylight saving begins": until(2027, 3, 28, 1),
        "to the moment before daylight saving ends": until(2027, 10, 31, 1),
    }


def parts(table: Sequence[Case], most: int) -> list[Sequence[Case]]:
    """Return a table in parts of the same size, as few of them as can be with `most` cases in each."""
    count = math.ceil(len(table) / most)
    return [table[first::count] for first in range(count)]


PARTS = parts(TABLE, MOST)

SCALE = max(1.0, len(PARTS[0]) / 500)
"""How many times longer everything may take: with more accounts, each is polled less often."""

FIRST, SECOND = Decimal("111.5"), Decimal("77.25")
"""What every account has while all is well, at first and later."""

SERVER = Path(__file__).with_name("server.py")

SECRET = "never_print_me"
"""A part of every credential."""


class Servers:
    """The servers' process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Take a process that has just begun."""
        self._process = process
        self.ports: Mapping[str, int] = self._answer()
        """Where each account is asked, by the key of its case."""

    def be_bad(self) -> None:
        """Bring all faults about."""
        self._tell("fault")

    def be_good(self, balance: str) -> None:
        """Have every server answer as if nothing had ever been, with this balance."""
        self._tell(balance)

    def report(self) -> Any:  # noqa: ANN401 - JSON
        """Return what was asked: `asked` has server.Asked for each case by its key; `strays` should be empty."""
        return self._tell("report")

    def _tell(self, word: str) -> Any:  # noqa: ANN401 - JSON
        assert self._process.stdin
        print(word, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:  # noqa: ANN401 - JSON
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@contextmanager
def serving(folder: Path, *, tls: bool = False) -> Iterator[Servers]:
    """Run the servers, all behind TLS if need be; the authority to trust is then in `ca.pem` of this folder."""
    command = [sys.executable, str(SERVER), str(folder), *(["tls"] if tls else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Servers(process)
        finally:
            process.kill()


def credentials(key: str, provider: str) -> dict[str, str]:
    """Return what an account of a provider has for its credentials; no two accounts have the same."""
    return {name: f"{key}-{name}-{SECRET}" for name in APIS[provider].required}


def revealed(text: str) -> list[str]:
    """Return how a text shows a part of a credential: as it is, or in Base64."""
    encoded = [b64encode(f"{' ' * before}{SECRET}".encode()).decode()[4:-4] for before in range(3)]
    return [word for word in (SECRET, *encoded) if word in text]


def named(case: Case) -> str:
    """Return what a person calls a case."""
    return f"{case.provider}: {case.fault.layer}: {case.fault.sentence}"


def nothing_of(wrong: Mapping[str, object], when: str) -> None:
    """Fail with a line for each thing that is wrong; pytest would take minutes to compare so many."""
    assert not wrong, "\n".join([when, *(f"{what}: {seen}" for what, seen in wrong.items())])


def publish(product: str, table: Sequence[Case], seconds: Mapping[str, float], **figures: float) -> None:
    """Write down how many faults were survived, for whoever has named a file for it."""
    if file := os.environ.get("FAULT_FIGURES"):
        layers = {layer: sum(case.fault.layer is layer for case in table) for layer in Layer}
        line = {"product": product, "accounts": len(table), "faults": layers, "seconds": seconds, **figures}
        with Path(file).open("a") as written:
            print(json.dumps(line), file=written)


# --- what a product must show -------------------------------------------------------------------------------------

Numbers = Mapping[str, float]
"""The numbers that are shown of an account, by their names in the exporter's metrics, without `sms_credit_`."""

_NUMBERS = {"balance": "balance", "quota": "quota_messages", "credits": "credits", "credit_blocked": "blocked"}
"""What a reading calls them, and what they are called here."""


def in_health(core: ModuleType, case: Case, balance: Decimal) -> Numbers:
    """Return what is shown of an account whose provider answers well. The core has two names."""
    payload = healthy(case.provider, balance)
    headers = {name.lower(): value for name, value in payload.headers}
    reading = core.PROVIDERS[case.provider].read(core.Answer(payload.status, headers, payload.body))
    return _shown({name: getattr(reading, name) for name in _NUMBERS})


def in_fault(core: ModuleType, case: Case) -> Numbers | None:
    """Return what is shown of an account while there is the fault; None for what was known before."""
    if case.fault.status == "onboarding":
        return {}
    if not case.fault.reads:
        return None
    return _shown(case.fault.payload.outcome) if case.fault.payload else in_health(core, case, DECOY)


def _shown(said: Mapping[str, Any]) -> Numbers:
    return {name: float(said[key]) for key, name in _NUMBERS.items() if said.get(key) is not None}
