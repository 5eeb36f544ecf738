"""The container image without an engine: the same files by the same steps, in a folder that can be a process's root.

What the base image would bring is copied from this machine: Python, its standard library and the libraries that it
loads. Nothing else is in there, and no shell.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import ROOT
from tests.exporter.running import Running, listening

FILE = ROOT / "packaging/Containerfile"

_NOT_OF_THE_LIBRARY = (
    "__pycache__",
    "dist-packages",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "site-packages",
    "test",
    "tkinter",
)


@dataclass(frozen=True)
class Containerfile:
    """What the file says, instruction by instruction."""

    instructions: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls) -> "Containerfile":
        """Read it; lines that go on are one."""
        lines = re.sub(r"\\\n\s*", "", FILE.read_text()).splitlines()
        told = (line.partition(" ") for line in lines if line and not line.startswith("#"))
        return cls(tuple((name, text) for name, _, text in told))

    def all(self, name: str) -> list[str]:
        """Return the text of every instruction of a kind."""
        return [text for kind, text in self.instructions if kind == name]

    def words(self, name: str) -> list[str]:
        """Return the words of the only instruction of a kind, where they are a list."""
        [text] = self.all(name)
        words: list[str] = json.loads(text[text.index("[") :])
        return words

    @property
    def copied(self) -> list[tuple[list[str], str]]:
        """Return what is copied out of the checkout, and where to."""
        said = [text.split() for text in self.all("COPY") if not text.startswith("--from")]
        return [(words[:-1], words[-1]) for words in said]


@dataclass(frozen=True)
class Image:
    """The image, unpacked."""

    root: Path
    prefix: str
    """What stands before each of its paths, because the programs in it were installed under this name."""
    file: Containerfile

    def place(self, path: str) -> Path:
        """Return where a path of the image is on this machine."""
        return Path(f"{self.root}{path}")

    def command(self, *arguments: str) -> list[str]:
        """Return a command that runs the entry point as an engine does: a root, a user and a process 1 of its own."""
        [user] = self.file.all("USER")
        [program] = self.file.words("ENTRYPOINT")
        jail = ["unshare", "--pid", "--fork", "chroot", "--groups=", f"--userspec={user}"]
        return ["env", "-i", f"PATH={os.environ['PATH']}", *jail, str(self.root), f"{self.prefix}{program}", *arguments]

    @asynccontextmanager
    async def listening(self, http: httpx.AsyncClient, *arguments: str) -> AsyncIterator[Running]:
        """Run an exporter in the image, and wait until it listens."""
        async with listening(http, *self.command(*arguments), cwd=self.root, env={}) as exporter:
            try:
                yield exporter
            finally:
                if exporter.process.returncode is None:
                    os.kill(inside(exporter), signal.SIGKILL)


def inside(exporter: Running) -> int:
    """Return the number that process 1 of a container has on this machine."""
    [number] = Path(f"/proc/{exporter.process.pid}/task/{exporter.process.pid}/children").read_text().split()
    return int(number)


def build(uv: str, folder: Path) -> Image:
    """Copy what the file copies, run what it runs, and put together what the last stage holds."""
    file = Containerfile.read()
    source, made, root = folder / "src", folder / "made", folder / "root"
    for paths, target in file.copied:
        for path in paths:
            _copy(ROOT / path, source / target / (Path(path).name if target.endswith("/") else ""))
    path = f"{Path(uv).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "UV_PYTHON": str(Path(sys.executable).resolve())}
    for step in file.all("RUN"):
        if not step.startswith("pip "):  # uv, which is here
            placed = re.sub(r"(?<= )/", f"{made}/", step)
            subprocess.run(["/bin/sh", "-c", placed], cwd=source, env=environment, check=True)
    for text in file.all("COPY"):
        if found := re.fullmatch(r"--from=build (?:--chown=(\d+):(\d+) )?(\S+) (\S+)", text):
            owner, group, path, target = found.groups()
            inside = f"{made}{target}" if target.startswith("/opt/") else target
            _copy(Path(f"{made}{path}"), Path(f"{root}{inside}"))
            if owner:
                os.chown(f"{root}{inside}", int(owner), int(group))
    _add_python(root, made / "opt/sms-credit-exporter/bin/python")
    return Image(root, str(made), file)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _add_python(root: Path, python: Path) -> None:
    """Copy what the base image brings."""
    binary, library = python.readlink(), Path(sysconfig.get_path("stdlib"))
    _copy(binary, Path(f"{root}{binary}"))
    target = Path(f"{root}{library}")
    shutil.copytree(library, target, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_OF_THE_LIBRARY))
    modules = [*library.glob("lib-dynload/*.so"), *python.parents[1].rglob("*.so")]
    for needed in sorted({*_libraries(binary, *modules)}):
        if not Path(f"{root}{needed}").exists():
            _copy(needed, Path(f"{root}{needed}"))


def _libraries(*programs: Path) -> Iterator[Path]:
    ldd = ["/usr/bin/ldd", *map(str, programs)]
    told = subprocess.run(ldd, check=False, capture_output=True, text=True).stdout
    yield from (Path(path) for path in re.findall(r"(?:=> |^\t)(/\S+) \(", told, re.MULTILINE))
