"""The `monitoring` command: alert rules, dashboards and runbooks, as they belong to this version of the exporter."""

from collections.abc import Mapping
from pathlib import Path

from . import output

_KINDS = {".json", ".md", ".yaml", ".yml"}


def write(folder: Path, *, force: bool) -> int:
    """Write all files and say where, or none and say why not; return the exit code."""
    files = {folder / path: content for path, content in _files().items()}
    try:
        others = [file for file, content in files.items() if file.exists() and file.read_bytes() != content]
        if others and not force:
            why = "Nothing is written, because these files differ; --force replaces them:"
            output.complain("\n".join([why, *map(str, others)]))
            return 1
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            output.show(str(file))
    except OSError as error:
        output.complain(f"{error.filename}: {error.strerror}")
        return 1
    return 0


def _files() -> Mapping[Path, bytes]:
    """Return every file that users load or read, by its path; the rules' own tests are for developers."""
    root = _root_of(Path(__file__).resolve())
    found = (file.relative_to(root) for file in sorted(root.rglob("*")) if file.suffix in _KINDS)
    return {path: (root / path).read_bytes() for path in found if "tests" not in path.parts}


def _root_of(module: Path) -> Path:
    """Return the folder of the files: beside the module in a wheel, the repository's own in a checkout."""
    beside = module.with_suffix("")
    return beside if beside.is_dir() else module.parents[2] / "grafana"
