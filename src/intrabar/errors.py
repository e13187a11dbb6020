"""Every exception that Intrabar raises on purpose.

::

    IntrabarError
    ├── UsageError            the request cannot be carried out as it was made (exit code 2)
    │   ├── ConfigError       a configuration file or a parameter is wrong
    │   └── NotFoundError     an unknown name; knows the nearest known ones
    │       ├── UnknownAttributeError
    │       └── UnknownKeyError
    ├── DataError             bars that are missing, malformed, unsorted or inconsistent
    │   └── FileError         the same of a file that the request names (also a UsageError)
    ├── OrderError            an order that no market could accept
    ├── StrategyError         a strategy raised; names the bar, the phase and the line
    ├── CausalityError        a strategy named what its phase cannot know
    └── RunError              a run could not be stored, read or repeated

A message says what was found, where, and what to do next. A command line turns each of these
into that message on stderr and an exit code (2 for `UsageError`, 1 for the rest); anything
else is a bug and keeps its traceback.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

PACKAGE = Path(__file__).parent


LONGEST = 60  # characters of a value that a message shows


def shortened(value: str) -> str:
    """A text of at most `LONGEST` characters."""
    return value if len(value) <= LONGEST else f"{value[: LONGEST - 3]}..."


class IntrabarError(Exception):
    """Root of the family; `exit_code` is what a command line returns."""

    exit_code = 1


class UsageError(IntrabarError):
    """The request cannot be carried out as it was made."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file, a flag or a parameter is wrong; the message names the place."""


class NotFoundError(UsageError):
    """An unknown name, with the nearest known ones.

    Parameters
    ----------
    kind : str
        What was looked for: "symbol", "strategy", "parameter".
    name : str
        The name as it was given.
    known : iterable of str
        The names that exist.
    none : str
        What to say where none does.
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], none: str = "none is known"
    ) -> None:
        name = shortened(str(name))
        names = sorted(map(str, known))
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        if near:
            hint = "did you mean " + " or ".join(repr(n) for n in near) + "?"
        elif names:
            hint = "known: " + ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        else:
            hint = none
        super().__init__(f"unknown {kind} {name!r}: {hint}")


class UnknownAttributeError(NotFoundError, AttributeError):
    """An unknown name where Python looks for an attribute."""


class UnknownKeyError(NotFoundError, KeyError):
    """An unknown name where Python looks for a key."""

    __str__ = Exception.__str__  # of a KeyError it would stand in quotes


class DataError(IntrabarError):
    """Bars that are missing, malformed, unsorted or inconsistent."""


class FileError(DataError, UsageError):
    """A file that the request names is not there, or cannot be used."""


class OrderError(IntrabarError):
    """An order that no market could accept: a negative quantity, a limit order without a limit."""


class StrategyError(IntrabarError):
    """A strategy raised. The message names the bar, the phase and the line."""


class CausalityError(IntrabarError, AttributeError):
    """A strategy named what its phase cannot know, such as `high` at OPEN."""


class RunError(IntrabarError):
    """A run could not be stored, read or repeated."""


def at_fault(error: BaseException) -> str:
    """Where and why a strategy's own code raised: `rules.py:7 (x / 0): ZeroDivisionError: ...`."""
    why = str(error) if isinstance(error, IntrabarError) else f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    last = ([f for f in frames if PACKAGE not in Path(f.filename).parents] or frames)[-1]
    return f"{last.filename}:{last.lineno} ({last.line}): {why}"
