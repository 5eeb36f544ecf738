"""Change the code, and print which changes no test notices; see scripts/mutate."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutation.equivalent import EQUIVALENT, is_equivalent
from tests.mutation.modules import GROUPS, files, own_tests
from tests.mutation.run import Mutant, function_of, sampled, workshop


class Outcome(NamedTuple):
    """What came of changing some modules."""

    total: int
    """Changes that there are."""
    tried: Sequence[Mutant]
    gone: Sequence[str]
    """Functions with a change that was called equivalent, and that is made no more."""


def outcome(modules: Sequence[str], count: int, seed: int, folder: Path) -> Outcome:
    """Try some changes to modules, and all that are called equivalent."""
    sources = [file for module in modules for file in files(module)]
    shop = workshop(folder, sources, dict.fromkeys(test for module in modules for test in own_tests(module)))
    mutants = shop.mutants()
    functions = {function_of(name) for name in mutants}
    equivalent = {change for change in EQUIVALENT if change[0] in functions}
    suspects = {name: file for name, file in mutants.items() if function_of(name) in {each for each, _ in equivalent}}
    found = {mutant.name: mutant.change for mutant in shop.known(suspects) if mutant.change in equivalent}
    chosen = {name: mutants[name] for name in {*sampled(mutants, count, seed), *found}}
    gone = [function for function, _ in equivalent - set(found.values())]
    tried = {mutant.name: mutant for mutant in shop.tried(chosen, folder / "log")} if chosen else {}
    alive = [mutant for mutant in tried.values() if mutant.survived and not is_equivalent(mutant.change)]
    tried |= {mutant.name: mutant for mutant in shop.tried_anew(alive)}
    return Outcome(len(mutants), [*tried.values()], gone)


COLUMNS = ("changes", "tried", "killed", "ran on", "equivalent", "survived")


def row(name: str, *cells: object) -> str:
    """Return a line of the table."""
    return f"{name:12}" + "".join(f"{cell!s:>{len(column) + 2}}" for cell, column in zip(cells, COLUMNS, strict=True))


def sorted_out(name: str, found: Outcome) -> list[str]:
    """Print the line of a group; return what is wrong, for people."""
    alive = [mutant for mutant in found.tried if mutant.survived]
    survived = [mutant for mutant in alive if not is_equivalent(mutant.change)]
    killed, ran_on = (sum(each) for each in zip(*((m.killed, m.ran_on) for m in found.tried), strict=True))
    print(
        row(name, found.total, len(found.tried), killed, ran_on, len(alive) - len(survived), len(survived)), flush=True
    )
    noticed = [mutant for mutant in found.tried if mutant.killed and mutant.change in EQUIVALENT]
    return [
        *("\n".join(("", f"{mutant.function} ({mutant.code})", *mutant.diff)) for mutant in survived),
        *(f"\n{mutant.function}: a change that was called equivalent is noticed" for mutant in noticed),
        *(f"\n{function}: a change that was called equivalent is made no more" for function in found.gone),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the groups, print a line for each, then what is wrong."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(GROUPS)}, or a module (default: all)")
    parser.add_argument("--sample", type=int, default=60, metavar="N", help="changes of each (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which ones (default %(default)s)")
    options = parser.parse_args(arguments)
    wrong: list[str] = []
    print(row("", *COLUMNS))
    for name in options.names or GROUPS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = outcome(GROUPS.get(name, (name,)), options.sample, options.seed, Path(folder))
            except subprocess.CalledProcessError as failed:
                print(Path(folder, "log").read_text()[-4000:], failed.stdout or "", file=sys.stderr)
                raise
        wrong += sorted_out(name, found)
    print(*wrong, sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
