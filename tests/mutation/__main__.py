"""Change the code, and print which changes no test notices; see scripts/mutate."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.modules import GROUPS, files, tests
from tests.mutation.run import Mutant, sampled, workshop

WIDTH = 12


def outcomes(modules: tuple[str, ...], count: int, seed: int, folder: Path) -> tuple[int, list[Mutant]]:
    """Try some changes to modules; return how many there are, and what came of those that were tried."""
    sources = [file for module in modules for file in files(module)]
    shop = workshop(folder, sources, dict.fromkeys(test for module in modules for test in tests(module)))
    mutants = shop.mutants()
    chosen = {name: mutants[name] for name in sampled(mutants, count, seed)}
    return len(mutants), [*shop.tried(chosen, folder / "log")]


def main() -> int:
    """Try the groups, print a line for each, then the survivors."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(GROUPS)}, or a module (default: all)")
    parser.add_argument("--sample", type=int, default=60, metavar="N", help="changes of each (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which ones (default %(default)s)")
    options = parser.parse_args()
    survivors: list[Mutant] = []
    print(f"{'':{WIDTH}} {'changes':>8} {'tried':>6} {'killed':>7} {'ran on':>7} {'equivalent':>11} {'survived':>9}")
    for name in options.names or GROUPS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                total, tried = outcomes(GROUPS.get(name, (name,)), options.sample, options.seed, Path(folder))
            except subprocess.CalledProcessError:
                print(Path(folder, "log").read_text()[-4000:], file=sys.stderr)
                raise
        alive = [mutant for mutant in tried if not (mutant.killed or mutant.ran_on)]
        equal = [mutant for mutant in alive if (mutant.function, mutant.diff) in EQUIVALENT]
        unknown = [mutant for mutant in alive if mutant not in equal]
        survivors += unknown
        killed, ran_on = sum(mutant.killed for mutant in tried), sum(mutant.ran_on for mutant in tried)
        print(
            f"{name:{WIDTH}} {total:8,} {len(tried):6} {killed:7} {ran_on:7} {len(equal):11} {len(unknown):9}",
            flush=True,
        )
    for mutant in survivors:
        print(f"\n{mutant.function} ({mutant.code})", *mutant.diff, sep="\n")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main())
