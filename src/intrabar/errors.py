"""Every exception that Intrabar raises on purpose.

::

    IntrabarError
    ├── UsageError            the request cannot be carried out as it was made (exit code 2)
    │   ├── ConfigError       a configuration file or a parameter is wrong
    │   │   └── SecretError   a reference to a secret that does not resolve
    │   ├── NotFoundError     an unknown name; knows the nearest known ones
    │   │   ├── UnknownAttributeError
    │   │   └── UnknownKeyError
    │   ├── MissingExtra      a package that is not installed; names the command
    │   └── StateError        it runs already, or its version is another
    ├── DataError             bars that are missing, malformed, unsorted or inconsistent
    │   ├── FileError         the same of a file that the request names (also a UsageError)
    │   └── StaleDataError    the source is down; what is kept is too old (exit code 5)
    ├── OrderError            an order that no market could accept
    ├── RiskError             an order that our own limits refuse
    │   └── BreakerError      the breaker is not TRADING (3)
    ├── LinkError             a broker or a source was not reached (5)
    │   ├── AuthError         it refused the login (4)
    │   ├── BadAnswer         it answered what nobody can read
    │   ├── RateLimited       it was asked too often
    │   └── Timeout           it did not answer in time
    ├── StoreError            a database is away (5)
    │   └── IntegrityError    a chain, hash, fence or schema is wrong (6)
    ├── GateError             real money without a gate (4)
    ├── StrategyError         a strategy raised; names the bar, the phase and the line
    ├── CausalityError        a strategy named what its phase cannot know
    └── RunError              a run could not be stored, read or repeated

A message says what was found, where, and what to do next. A command line turns each of these
into that message on stderr and the class's `exit_code`: 1 failed, 2 asked wrongly, 3 breaker,
4 gate or login, 5 try again, 6 integrity. Anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

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


class SecretError(ConfigError):
    """A reference to a secret that does not resolve, or a secret that is written out."""


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


class MissingExtra(UsageError):
    """A package that is not installed.

    Parameters
    ----------
    what : str
        What needs it: "a journal", "prices of Yahoo".
    extra : str
        The extra of Intrabar that installs it.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs packages that are not installed: {install_line(extra)}")


def install_line(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install 'intrabar[{extra}]'"


class StateError(UsageError):
    """What is asked does not fit the state: it runs already, or another version is newer."""


class DataError(IntrabarError):
    """Bars that are missing, malformed, unsorted or inconsistent."""


class FileError(DataError, UsageError):
    """A file that the request names is not there, or cannot be used."""


class StaleDataError(DataError):
    """The source is down, and what is kept of it is too old; the message says how old."""

    exit_code = 5


class OrderError(IntrabarError):
    """An order that no market could accept: a negative quantity, a limit order without a limit."""


class RiskError(IntrabarError):
    """An order that our own limits refuse.

    Parameters
    ----------
    rule : str
        The limit's key under `risk`: "max_order_qty".
    scope : str
        Whose: "account", a strategy or a symbol.
    value, limit : float
        What it would be, and what is allowed, in the unit of the rule.
    """

    def __init__(self, rule: str, scope: str, value: float, limit: float) -> None:
        self.rule, self.scope, self.value, self.limit = rule, scope, value, limit
        super().__init__(f"{rule} {scope}: {value:g} after the order, limit {limit:g}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.rule, self.scope, self.value, self.limit)


class BreakerError(RiskError):
    """The breaker is not TRADING: nothing that adds risk passes until a person resumes."""

    exit_code = 3

    def __init__(self, message: str) -> None:
        self.rule, self.scope, self.value, self.limit = "breaker", "account", math.nan, math.nan
        IntrabarError.__init__(self, message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self),)


class LinkError(IntrabarError):
    """A broker or a source was not reached; it may be later."""

    exit_code = 5


class AuthError(LinkError):
    """A login that was refused."""

    exit_code = 4


class BadAnswer(LinkError):
    """An answer that nobody can read; the message shows its beginning."""


class RateLimited(LinkError):
    """Asked too often; `after` seconds it may be asked again."""

    def __init__(self, message: str, after: float) -> None:
        self.after = after
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.after)


class Timeout(LinkError):
    """No answer in time."""


class StoreError(IntrabarError):
    """A database that is away, or does not answer in time."""

    exit_code = 5


class IntegrityError(StoreError):
    """A chain, hash, fence or schema of a store, journal or backup that is wrong."""

    exit_code = 6


class GateError(IntrabarError):
    """Real money, and a gate that is missing."""

    exit_code = 4


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
