"""What is mutated, and by which tests."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.conftest import ROOT

PACKAGES = (
    ROOT / "custom_components/sms_credit/lib/sms_credit_core",
    ROOT / "exporter/sms_credit_exporter",
)

GROUPS: Mapping[str, tuple[str, ...]] = {
    "readings": ("address", "answer", "exchange", "instant", "problem", "provider", "reading", "secret", "status"),
    "accounts": ("account", "ledger", "state", "view"),
    "pace": ("pace",),
    "providers": ("providers/*",),
    "web": (
        *("web", "connections", "pieces", "member", "board", "exposition", "samples", "negotiation"),
        "protection",
    ),
    "watch": ("watch", "agenda", "slots", "storage"),
    "config": ("config/*",),
}
"""The modules that belong together, as they stand in either package."""

TESTS: Mapping[str, tuple[str, ...]] = {
    "answer": ("answer", "payloads"),
    "config/*": ("config", "config_files", "accounts_files", "web_config", "variables"),
    "problem": ("problem", "account", "view"),
    "reading": ("reading", "account"),
    "provider": ("providers", "payloads"),
    "providers/*": ("providers", "payloads"),
    "status": ("account", "payloads"),
    "board": ("exposition",),
    "connections": ("connections", "strangers"),
    "member": ("exposition", "negotiation"),
    "pieces": ("exposition", "pieces"),
    "protection": ("protection", "web_toolkit"),
    "samples": ("exposition",),
    "storage": ("storage_file", "storage"),
    "watch": ("plan", "watch"),
    "web": ("web", "api", "protection", "strangers"),
}
"""The tests of a module, where it is not the one file with its name."""


def files(module: str) -> list[Path]:
    """Return the source files that a module's name stands for."""
    return sorted(file for package in PACKAGES for file in package.glob(f"{module}.py"))


def own_tests(module: str) -> Iterator[Path]:
    """Yield the files with the module's tests."""
    for name in TESTS.get(module, (module,)):
        yield from (ROOT / "tests").glob(f"[ce]*r[et]*/test_{name}.py")
