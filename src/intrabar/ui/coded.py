"""What all pages are made of: numbers that may be missing, and columns of words."""

from __future__ import annotations

from typing import TypedDict

Number = float | int | None
"""Null where it is not known."""


class Coded(TypedDict):
    """A text column: `words[codes[i]]` is row i, and a code of -1 is no word."""

    words: list[str]
    codes: list[int]
