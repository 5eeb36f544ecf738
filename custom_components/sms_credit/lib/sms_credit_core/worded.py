"""Words for machines that bring along what people read."""

from enum import StrEnum
from typing import Self


class Worded(StrEnum):
    """A closed set of words; each member is its word, and has a text."""

    text: str

    def __new__(cls, word: str, text: str) -> Self:
        """Attach the text to the word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.text = text
        return member
