"""Prints as Markdown what json_exporter, `rest` and this project make of an account, and what that costs."""

import argparse
import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.reference import table
from tests.comparison.home_assistant import PYTHON
from tests.comparison.measure import Cost, Seen, compared, costs
from tests.comparison.situations import SITUATIONS, Situation
from tests.conftest import program

JSON_EXPORTER = "packaging/bin/json_exporter"
"""Where scripts/packaging-tools puts it."""

OF_THE_HOUR = [*SITUATIONS[:2], SITUATIONS[-1]]
"""The accounts that are watched for an hour: two at one provider, one at the other."""


def of_situations(seen: Mapping[Situation, Seen]) -> str:
    """Write what is seen of each situation."""
    heading = ("the provider answers", "json_exporter", "`rest`", "our exporter", "our integration", "status", "reason")
    return table(
        heading,
        (
            (
                situation.told,
                each.json_exporter,
                each.rest,
                each.exporter,
                each.integration,
                f"`{each.status}`",
                each.reason,
            )
            for situation, each in seen.items()
        ),
    )


def of_costs(found: Mapping[str, Cost]) -> str:
    """Write what an hour of three accounts costs."""
    rows: Sequence[tuple[str, Sequence[str]]] = (
        ("calls to the provider in an hour, for each account", [f"{each.calls:.0f}" for each in found.values()]),
        ("CPU in an hour, s", [f"{each.cpu:.1f}" for each in found.values()]),
        ("resident, MiB", [f"{each.resident:.0f}" for each in found.values()]),
        ("credentials in its log", [each.logged for each in found.values()]),
    )
    return table(("three accounts, scraped by three", *found), ((name, *values) for name, values in rows))


async def main(options: argparse.Namespace) -> None:
    """Print both tables."""
    binary = program(JSON_EXPORTER)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "situations"), Path(folder, "costs")
        first.mkdir()
        second.mkdir()
        async with compared(SITUATIONS, binary, options.python, first) as all_of_them:
            print(of_situations(await all_of_them.happen()), end="\n\n", flush=True)
        print(of_costs(await costs(OF_THE_HOUR, binary, second, options.seconds)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/compare-alternatives", description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="how long costs are measured (%(default)g)")
    parser.add_argument("--python", default=str(PYTHON), help="the Python that has Home Assistant (%(default)s)")
    asyncio.run(main(parser.parse_args()))
