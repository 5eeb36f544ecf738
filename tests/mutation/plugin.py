"""A pytest plugin for the runs under mutmut."""

import os
import sys

import pytest
from hypothesis import settings

ANEW = "MUTATION_ANEW"
"""Set in the environment of a process that tries one change by all tests."""

STARTS_A_PROGRAM = frozenset({"start", "tool"})
"""Fixtures of tests that are too slow to be asked about each change."""

# The tests' own profile goes on from the one that is loaded first. Each change costs all examples, if it survives.
settings.register_profile("few", max_examples=15)
settings.load_profile("few")


def pytest_sessionstart() -> None:
    """Forget what the code has cached: a forked process begins with that, and would never meet its change."""
    modules = [module for name, module in sys.modules.items() if name.startswith("sms_credit_")]
    for value in [value for module in modules for value in vars(module).values()]:
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that start a program, when there are many changes to be tried."""
    if ANEW in os.environ:
        return
    slow = [item for item in items if STARTS_A_PROGRAM.intersection(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


def pytest_runtest_setup() -> None:
    """Have mutmut note what a test reaches in this process only: in another folder it does not find its settings."""
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        del os.environ["MUTANT_UNDER_TEST"]
