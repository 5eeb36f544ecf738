"""What reads the values of options. Each reader raises ValueError with a sentence that says what is wrong.

What a value is made of is imported only where one is given, so that the quick commands do not wait for it.
"""

import argparse
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from .durations import parse_duration

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from .advice import Template
    from .web import Address

T = TypeVar("T")
Number = TypeVar("Number", Decimal, int)


def checked(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return what reads an argument and has argparse tell what is wrong with it, which a ValueError says."""

    def checked(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def address(text: str) -> "Address":
    """Read where to listen."""
    from .web import Address

    return Address.parse(text)


def url(text: str) -> "SplitResult":
    """Read where an exporter listens."""
    from . import healthcheck

    return healthcheck.address(text)


def template(text: str) -> "Template":
    """Read the address of a dashboard."""
    from .advice import Template

    return Template.parse(text)


def count(text: str) -> int:
    """Read how many there may be at once."""
    if not re.fullmatch("[0-9]{1,6}", text):
        message = f"“{text}” is not a whole number from 0 to 999999"
        raise ValueError(message)
    return int(text)


def limit(read: Callable[[str], Number]) -> Callable[[str], Number]:
    """Return what reads a limit, which may be zero."""

    def limit(text: str) -> Number:
        value = read(text)
        if value < 0:
            message = f"found “{text}”; must be zero or above"
            raise ValueError(message)
        return value

    return limit


def duration(text: str) -> float:
    """Read a duration, in seconds."""
    seconds = parse_duration(text)
    if seconds is None:
        message = f"“{text}” is no duration such as 12h or 3d"
        raise ValueError(message)
    return seconds


def interval(text: str) -> float:
    """Read how often something is done, in seconds."""
    seconds = duration(text)
    if seconds < 1:
        message = f"“{text}” is too often; must be at least 1s"
        raise ValueError(message)
    return seconds
