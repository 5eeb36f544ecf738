"""The payload files: what the providers answer in each situation, and what that answer comes to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from pathlib import Path
from string import Template
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
    found = _by_name(provider)
    if name not in found:
        message = f"{provider} has no payload {name!r}, only: {', '.join(found) or 'none at all'}"
        raise LookupError(message)
    return found[name]


def payloads(provider: str | None = None) -> Iterator[Payload]:
    """Yield every payload of one provider or of all, by name."""
    providers = [provider] if provider else sorted(folder.name for folder in ROOT.iterdir())
    return (payload for each in providers for payload in _by_name(each).values())


def root_of(module: Path) -> Path:
    """Return the folder of the payload files: beside the module in a wheel, with the tests in a checkout."""
    beside = module.with_suffix("")
    return beside if beside.is_dir() else module.parents[3] / "tests" / "payloads"


ROOT = root_of(Path(__file__).resolve())


_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


@cache
def _by_name(provider: str) -> Mapping[str, Payload]:
    read = [payload for file in ROOT.glob(f"{provider}/*.yaml") for payload in _read(file)]
    return {payload.name: payload for payload in sorted(read, key=attrgetter("name"))}


def _read(file: Path) -> Iterator[Payload]:
    """Yield the payload of a file, or those of a table."""
    content = yaml.load(file.read_bytes(), _LOADER)  # noqa: S506 - both are safe loaders
    lines = content.pop("each", {file.stem: None})
    return (_payload(file.parent.name, name, _filled(content, words)) for name, words in lines.items())


def _filled(template: Any, words: Mapping[str, object] | None) -> Any:  # noqa: ANN401 - any YAML
    """Return what a line of a table says in the words of all; without a line, what stands there."""
    if words is None:
        return template
    if isinstance(template, dict):
        return {name: _filled(value, words) for name, value in template.items()}
    return Template(template).substitute(words) if isinstance(template, str) else template


def _payload(provider: str, name: str, content: Mapping[str, Any]) -> Payload:
    answer = content["answer"]
    body = answer["body"]
    return Payload(
        provider=provider,
        name=name,
        situation=content["situation"],
        source=content["source"],
        status=int(answer["status"]),
        headers=tuple(_header_lines(answer["headers"])),
        body=body if isinstance(body, bytes) else body.encode(),
        outcome=content["outcome"],
    )


def _header_lines(headers: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, str(each)
