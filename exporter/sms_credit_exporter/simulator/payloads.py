"""The payload files: what the providers answer in each situation, and what that answer comes to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Payload:
    """One answer of a provider, exactly as it goes over the wire."""

    provider: str
    name: str
    situation: str
    source: str
    status: int
    headers: tuple[tuple[str, str], ...]
    """In order; a repeated header stands here repeatedly."""
    body: bytes
    outcome: Mapping[str, Any] = field(hash=False)
    """What a reader must make of it: a reading, or a status with its cause and code."""


def payload(provider: str, name: str) -> Payload:
    """Return one payload; raises LookupError with the names that there are if it is none of them."""
    file = ROOT / provider / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(file.stem for file in _files(provider))
        message = f"{provider} has no payload {name!r}, only: {known or 'none at all'}"
        raise LookupError(message)
    return _read(file)


def payloads(provider: str | None = None) -> Iterator[Payload]:
    """Yield every payload of one provider or of all, by name."""
    return (_read(file) for file in _files(provider or "*"))


def root_of(module: Path) -> Path:
    """Return the folder of the payload files: beside the module in a wheel, with the tests in a checkout."""
    beside = module.with_suffix("")
    return beside if beside.is_dir() else module.parents[3] / "tests" / "payloads"


ROOT = root_of(Path(__file__).resolve())


def _files(provider: str) -> list[Path]:
    return sorted(ROOT.glob(f"{provider}/*.yaml"))


@cache
def _read(file: Path) -> Payload:
    content = yaml.safe_load(file.read_bytes())
    answer = content["answer"]
    body = answer["body"]
    return Payload(
        provider=file.parent.name,
        name=file.stem,
        situation=content["situation"],
        source=content["source"],
        status=answer["status"],
        headers=tuple(_header_lines(answer["headers"])),
        body=body if isinstance(body, bytes) else body.encode(),
        outcome=content["outcome"],
    )


def _header_lines(headers: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, str(each)
