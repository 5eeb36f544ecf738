"""Has mutmut change the code, in a folder of its own, and gives what came of each change."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mutmut.configuration import reset_config
from mutmut.mutation.diff_apply import get_diff_for_mutant

from tests.conftest import ROOT
from tests.mutation.modules import PACKAGES
from tests.mutation.plugin import ANEW

KILLED = frozenset({1, 3})
"""mutmut's codes for a change that a test noticed."""
RAN_ON = frozenset({-24, 24, 152, 255, 36, -9})
"""Its codes for a change with which a test ran on and on."""

AT_ONCE = 2
"""Changes that are tried at the same time."""

CHANGE = f"""
from mutmut.__main__ import copy_src_dir, create_mutants
copy_src_dir()
create_mutants({AT_ONCE})
"""
"""What has mutmut make its changes and not try them yet. It has no command for that."""

SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {sources}
also_copy = {copied}
timeout_constant = 24  # times the multiplier: two minutes, so that what is only slow on a busy machine is not killed
timeout_multiplier = 5
pytest_add_cli_args = ["-p", "tests.mutation.plugin", "-p", "no:cacheprovider", "-o", "{unescaped}=true"]
pytest_add_cli_args_test_selection = {tests}
"""

UNESCAPED = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support"
"""Named by pytest. A process that collects tests twice escapes their names twice, and does not find them any more."""

_SLOWLY = 600
"""Seconds that a test may take which starts programs again and again; with all changes in them these start slowly."""

BESIDE = ("docs", "grafana", "README.md", "custom_components/sms_credit/translations")
"""What tests read beside the code."""


def function_of(name: str) -> str:
    """Return the function that mutmut's name for a change is about, with its module, as in `ledger.Ledger.after`."""
    module, _, function = name.partition("__mutmut_")[0].rpartition(".")
    return f"{module.partition('.')[2]}.{function.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"


@dataclass(frozen=True)
class Mutant:
    """One change, and what came of it."""

    name: str
    """By mutmut's count."""
    diff: tuple[str, ...]
    """The lines that went, with a minus, and those that came, with a plus."""
    code: int | None = None
    """mutmut's; None if it was not tried."""

    @property
    def function(self) -> str:
        """The function with its module; see `function_of`."""
        return function_of(self.name)

    @property
    def change(self) -> tuple[str, tuple[str, ...]]:
        """What tells it from all other changes, however mutmut counts."""
        return self.function, self.diff

    @property
    def killed(self) -> bool:
        """Whether a test noticed."""
        return self.code in KILLED

    @property
    def survived(self) -> bool:
        """Whether no test noticed."""
        return not (self.killed or self.ran_on)

    @property
    def ran_on(self) -> bool:
        """Whether a test did not end."""
        return self.code in RAN_ON


@dataclass(frozen=True)
class Workshop:
    """A copy of the code that mutmut may change."""

    folder: Path
    sources: Sequence[Path]
    """The files to change, as they lie in the folder."""
    tests: Sequence[str]
    """The files with the tests, likewise."""

    def mutants(self) -> dict[str, Path]:
        """Have mutmut make all its changes; return their names, and the file that each is in."""
        subprocess.run((sys.executable, "-c", CHANGE), cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        with self._entered():
            return {name: file for file in self.sources for name in _codes(file)}

    def tried(self, mutants: Mapping[str, Path], log: Path) -> list[Mutant]:
        """Try changes, and return what came of each."""
        command = (str(Path(sys.executable).with_name("mutmut")), "run", f"--max-children={AT_ONCE}", *mutants)
        env = {**os.environ, "PYTHONPATH": str(self.folder / "mutants/src")}
        with log.open("w") as out:
            subprocess.run(command, cwd=self.folder, env=env, stdout=out, stderr=out, check=True)
        return self.known(mutants)

    def tried_anew(self, mutants: Sequence[Mutant]) -> list[Mutant]:
        """Try changes once more, each in a process of its own that begins with it, by all tests.

        So those that start programs take part, and what is worked out when a module is imported has the change in it.
        Raises CalledProcessError if the tests fail without a change.
        """
        if mutants:
            self._all_tests("").check_returncode()
        return [replace(mutant, code=int(self._all_tests(mutant.name).returncode != 0)) for mutant in mutants]

    def _all_tests(self, name: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(map(str, (self.folder / "mutants/src", self.folder / "mutants")))
        env = {**os.environ, "PYTHONPATH": path, "MUTANT_UNDER_TEST": name, ANEW: "1"}
        command = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutation.plugin", "-p", "no:cacheprovider")
        arguments = (f"--timeout={_SLOWLY}", *self.tests)
        return subprocess.run(
            [*command, *arguments], cwd=self.folder / "mutants", env=env, check=False, capture_output=True, text=True
        )

    def known(self, mutants: Mapping[str, Path]) -> list[Mutant]:
        """Return changes with their lines, and with what is known of them by now."""
        with self._entered():
            return [Mutant(name, _changed(name, file), _codes(file)[name]) for name, file in mutants.items()]

    @contextmanager
    def _entered(self) -> Iterator[None]:
        with chdir(self.folder):
            reset_config()
            yield


def _changed(name: str, file: Path) -> tuple[str, ...]:
    """Return the lines that a change takes away and brings."""
    lines = get_diff_for_mutant(name, path=file).splitlines()[3:]  # after the heads
    return tuple(line[0] + line[1:].strip() for line in lines if line[0] in "+-")


def _codes(file: Path) -> Mapping[str, int | None]:
    """Return what mutmut noted of the changes in a file."""
    codes: dict[str, int | None] = json.loads(Path(f"mutants/{file}.meta").read_text())["exit_code_by_key"]
    return codes


def workshop(folder: Path, sources: Iterable[Path], tests: Iterable[Path]) -> Workshop:
    """Copy the code, its tests and what they read to a folder, laid out as mutmut knows it."""
    for package in PACKAGES:
        shutil.copytree(package, folder / "src" / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    unasked = shutil.ignore_patterns("__pycache__", "ha", "soak", "faults", "packaging")
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=unasked)
    for name in BESIDE:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    # An installed exporter has these beside its modules.
    shutil.copytree(ROOT / "tests/payloads", folder / "src/sms_credit_exporter/simulator/payloads")
    shutil.copy(ROOT / "docs/openapi.yaml", folder / "src/sms_credit_exporter")
    inside = [
        Path("src") / file.relative_to(package.parent)
        for package in PACKAGES
        for file in sources
        if file.is_relative_to(package)
    ]
    asked = [str(file.relative_to(ROOT)) for file in tests]
    settings = SETTINGS.format(
        unescaped=UNESCAPED,
        sources=json.dumps([str(file) for file in inside]),
        copied=json.dumps(BESIDE),
        tests=json.dumps(asked),
    )
    (folder / "mutants/src").mkdir(parents=True)  # Python forgets a path that is missing when it starts
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + settings)
    return Workshop(folder, inside, asked)


def sampled(names: Iterable[str], count: int, seed: int) -> list[str]:
    """Return so many of the names; the same seed chooses the same."""
    everything = sorted(names)
    return random.Random(seed).sample(everything, min(count, len(everything)))  # noqa: S311 - no secret
