"""The names under which orders leave: worked out, never drawn, never used again.

`<code>-<order>-<attempt><letter>`: six letters of the session, the book's number of the order in
base 36, which request for it this is, and a letter where one row has several. What a session has
sent is known by its names alone.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from intrabar.errors import OrderError
from intrabar.model.enums import Role

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
CODE_LENGTH, LONGEST = 6, 20
_NAME = re.compile(r"([0-9a-v]{6})-(0|[1-9a-z][0-9a-z]*)-(0|[1-9][0-9]*)([sto]?)")
_EMERGENCY = re.compile(r"([0-9a-v]{6})-e([1-9][0-9]*)")


class Part(StrEnum):
    """Which of the orders of one row: all of it, a child of its bracket, the opening of a flip."""

    WHOLE = ""
    STOP = "s"
    TARGET = "t"
    OPENING = "o"


PROTECTS = {Part.STOP: Role.STOP, Part.TARGET: Role.TARGET}
"""Children that leave with their entry: their names end with the letter."""


class Name(NamedTuple):
    """What a client id says.

    Parameters
    ----------
    code : str
        Of the session.
    order : int
        The book's number.
    attempt : int
        From 0.
    part : Part
    """

    code: str
    order: int
    attempt: int
    part: Part = Part.WHOLE

    def __str__(self) -> str:
        return f"{self.code}-{in_base_36(self.order)}-{self.attempt}{self.part}"


def in_base_36(number: int) -> str:
    """A whole number >= 0 in the digits 0 to z."""
    text = ""
    while number or not text:
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return text


def client_id(name: Name) -> str:
    """The name as it leaves.

    Raises
    ------
    OrderError
        It would be no name: a code of another form, a number below 0, or more than 20 characters.
    """
    text = str(name) if name.order >= 0 and name.attempt >= 0 else ""
    if len(text) > LONGEST or not _NAME.fullmatch(text):
        raise OrderError(
            f"{tuple(name)!r} gives no client id of at most {LONGEST} characters: six of 0-9 and "
            "a-v, a number and an attempt of 0 or more"
        )
    return text


def name_of(text: str) -> Name | None:
    """What a client id says; None where it is not of this form."""
    found = _NAME.fullmatch(text)
    if found is None or len(text) > LONGEST:
        return None
    code, order, attempt, part = found.groups()
    return Name(code, int(order, 36), int(attempt), Part(part))


def emergency_id(code: str, number: int) -> str:
    """The name of an order of the emergency file, by its line, from 1."""
    return f"{code}-e{number}"


def is_emergency(text: str) -> bool:
    """Whether a client id is of an emergency file."""
    return _EMERGENCY.fullmatch(text) is not None


def is_ours(text: str, codes: frozenset[str]) -> bool:
    """Whether a client id has a code of ours, in either form."""
    found = _NAME.fullmatch(text) or _EMERGENCY.fullmatch(text)
    return found is not None and found[1] in codes
