"""Writes docs/faults.md: what can go wrong between an account and its provider, and what is seen then."""

import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from scripts import generated
from scripts.reference import code, table
from sms_credit_core import PROVIDERS, Cause, Status
from tests.faults.damage import IN_ITS_PLACE, USES, cuts, damaged_fields
from tests.faults.machine import MACHINE
from tests.faults.table import FAULTS, Fault, Layer, documented

FILE = Path(__file__).resolve().parent.parent / "docs/faults.md"

CAUSES: Mapping[str, Cause] = {cause.value: cause for cause in Cause}

HEAD = """\
# What can go wrong, and what you see

The tests bring about the rows of this page by real servers on real sockets, at one exporter that watches all of it at
the same time, and inside Home Assistant (there without the address that cannot be reached): from the start, and again
after a good answer. Then the servers answer well. In every row:

- No number is shown that the provider did not give. The exporter holds the last good numbers until they are stale. In
  Home Assistant they are unavailable, unless the provider did answer about the account.
- The first good answer ends it.
- Each change is one line in the log, without a credential in it.
- Accounts whose providers answer well are not disturbed: none of their polls fails, and each is in time.
- A poll takes no longer than its timeout, and an exporter's memory stays where it was.

The exporter shows the status as `sms_credit_status` and on its page, with the reason beside it. Home Assistant shows
the status in a sensor, and writes the reason to its log.

`scripts/generate` writes the page from [the table of the tests](../tests/faults/table.py). `scripts/fault-matrix` tries
every fault at every provider, and prints how many there were and how long they took.
"""


def written() -> str:
    """Return the whole page."""
    return "\n".join(
        [HEAD, *(line for block in _layers() for line in (block, "")), *_machine(), *_damaged(), *_documented()]
    )


def _layers() -> Iterator[str]:
    for layer, faults in groupby(FAULTS, attrgetter("layer")):
        yield f"## {layer}"
        yield table(("what happens", "status", "reason"), map(_row, faults))


def _row(fault: Fault) -> Iterable[str]:
    if fault.reads:
        return fault.sentence, code(fault.status), "none: it is read"
    if fault.layer is Layer.RETRY_AFTER:
        return fault.sentence, code(fault.status), f"{CAUSES[fault.causes[0]].text} {_pause(fault.wait)}"
    texts = (CAUSES[cause].text.format(detail="…") for cause in fault.causes)
    return (
        fault.sentence,
        code(fault.status),
        " or ".join(texts) or "as the provider's own code says, or its HTTP status",
    )


def _pause(wait: float | None) -> str:
    return f"It is left alone for {wait:g} s at least." if wait else "It is asked again as after any failure."


def _machine() -> Iterator[str]:
    yield "## The machine that watches\n"
    yield "These have tests of their own.\n"
    yield table(("what happens", "what is seen"), ((row.sentence, row.seen) for row in MACHINE))
    yield ""


def _damaged() -> Iterator[str]:
    yield "## The providers' good answers are damaged\n"
    yield (
        "Each provider's good answer is sent cut at every byte of its body, without a word on its length, so that\n"
        "nothing tells but its end; and with every field damaged in every way. The header is cut at every byte too,\n"
        "each time at one of them. Without a field that the balance needs, it is an `invalid_response`, and the\n"
        "reason names the field. From all other fields nothing follows, as long as what is left is JSON. The tests of\n"
        "every day take a sample.\n"
    )
    yield textwrap.fill(f"A field is, in turn: {'; '.join(IN_ITS_PLACE)}.", 120) + "\n"
    headings = ("provider", "cuts", "fields", "of these needed", "answers with a damaged field", "read all the same")
    yield table(headings, ((provider.name, *_counts(key)) for key, provider in PROVIDERS.items()))
    yield ""


def _counts(key: str) -> tuple[str, ...]:
    cut, fields = list(cuts(key)), list(damaged_fields(key))
    read = sum(damage.status == "fresh" for damage in fields)
    return tuple(map(str, (len(cut), len(fields) // len(IN_ITS_PLACE), len(USES[key]), len(fields), read)))


def _documented() -> Iterator[str]:
    yield "## What the providers answer\n"
    yield (
        "Each answer that a provider documents, and what proxies in between make of it, has a file in\n"
        "[`tests/payloads`](../tests/payloads) and is sent the same way. So many come to each status:\n"
    )
    statuses = [status for status in Status if any(_count(key, status) for key in PROVIDERS)]
    rows = (
        (provider.name, *(str(_count(key, status) or "") for status in statuses)) for key, provider in PROVIDERS.items()
    )
    yield table(("provider", *map(code, statuses)), rows)
    yield ""


def _count(provider: str, status: Status) -> int:
    return sum(fault.status == status for fault in documented(provider))


if __name__ == "__main__":
    sys.exit(generated.main(lambda: {FILE: written()}, __doc__))
