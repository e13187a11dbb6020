"""Values that a program gives: taken from any type that means one, refused with their place.

A class has a table of rules by the names of its fields, and takes them all by `take`; so a
program, a mapping and a file are answered by the same sentence.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from datetime import timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intrabar.errors import LONGEST, ConfigError, shortened

LONGEST_NAME = 255
"""Bytes of the name of a file or a folder, on every system that Intrabar runs on."""


class Bounds(NamedTuple):
    """What a number may be.

    Parameters
    ----------
    low, high : float
        Both included, unless `above` or `below` say that the number must be more or less.
    above, below : bool
    whole : bool
        No fractions.
    or_none : bool
        None stands for no number.
    """

    low: float = 0.0
    high: float = math.inf
    above: bool = False
    below: bool = False
    whole: bool = False
    or_none: bool = False

    def __contains__(self, value: object) -> bool:
        return (
            isinstance(value, int | float)
            and self.low <= value <= self.high
            and not (self.above and value == self.low)
            and not (self.below and value == self.high)
        )

    def __str__(self) -> str:
        if self.low == -math.inf:
            return "of any size"
        least, most = (f"{int(x) if self.whole and x < math.inf else x:g}" for x in self[:2])
        if self.whole and self.high < math.inf:
            least, most = str(int(self.low)), str(int(self.high))
        if self.high == math.inf:
            return f"above {least}" if self.above else f"{least} or more"
        if not self.above and not self.below:
            return f"from {least} to {most}"
        low = f"above {least}" if self.above else f"{least} or more"
        return f"{low} and {'below' if self.below else 'up to'} {most}"


SEEDS = Bounds(high=2**32 - 1, whole=True)
"""Of whatever is drawn."""

Rule = Bounds | tuple[str, ...] | type
"""A number, one of some words, or: bool, str, an enumeration, any class."""


def take(thing: Any, place: str, rules: Mapping[str, Rule], after: str = "") -> None:
    """Put what a frozen dataclass was given into its fields as what the rules make of it.

    Parameters
    ----------
    thing : dataclass
    place : str
        What stands before the name of a field in a message.
    rules : mapping of field to rule
    after : str
        What stands behind it.

    Raises
    ------
    ConfigError
        A value is none; the message names the field.
    """
    for name, rule in rules.items():
        object.__setattr__(thing, name, taken(f"{place}{name}{after}", getattr(thing, name), rule))


def taken(place: str, value: Any, rule: Rule) -> Any:
    """A value as its rule has it; raises as `take`."""
    if isinstance(rule, Bounds):
        if value is None and rule.or_none:
            return None
        return whole(place, value, rule) if rule.whole else number(place, value, rule)
    if not isinstance(rule, type):
        return choice(place, value, rule)
    if rule is bool:
        return truth(place, value)
    if rule is str:
        return text(place, value)
    if issubclass(rule, Enum):
        return word(place, value, rule)
    if not isinstance(value, rule):
        raise ConfigError(f"{place} is {shown(value)}, must be a {rule.__name__}")
    return value


def plain(value: Any) -> Any:
    """What a mapping holds, at any depth: numbers as Python's, members of enumerations as words."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal | Fraction):
        return as_float(value)
    return getattr(value, "word", value) if isinstance(value, Enum) else _scalar(value)


def from_text(value: Any, rule: Rule) -> Any:
    """A number or a truth that a file writes as text; anything else as it is."""
    if not isinstance(value, str):
        return value
    if rule is bool:
        return {"true": True, "false": False}.get(value.lower(), value)
    if isinstance(rule, Bounds):
        try:
            return int(value) if value.lstrip("+-").isdigit() else float(value)
        except ValueError:
            return value
    return value


def number(place: str, value: Any, bounds: Bounds) -> float:
    """A finite number within bounds: a Python or NumPy one, a fraction, a decimal.

    Raises
    ------
    ConfigError
        It is none; the message has the place, the value and the bounds.
    """
    found = as_float(value)
    if not math.isfinite(found):
        kind = "a finite number" if is_number(value) else "a number"
        raise ConfigError(f"{place} is {shown(value)}, must be {kind}, {bounds}")
    if found not in bounds:
        raise ConfigError(f"{place} is {shown(value)}, must be {bounds}")
    return found


def whole(place: str, value: Any, bounds: Bounds) -> int:
    """A whole number within bounds; raises as `number`."""
    found = as_float(value)
    if not math.isfinite(found) or found != math.floor(found):
        raise ConfigError(f"{place} is {shown(value)}, must be a whole number, {bounds}")
    exact = int(_scalar(value))
    if exact not in bounds:
        raise ConfigError(f"{place} is {shown(value)}, must be {bounds}")
    return exact


def is_number(value: Any) -> bool:
    """Whether a value is a number, infinite or NaN perhaps; truths, words and dates are none."""
    if type(value) in (int, float):  # nearly always
        return True
    is_length = getattr(getattr(value, "dtype", None), "kind", "") == "m"  # NumPy's are integers
    value = _scalar(value)
    return (
        isinstance(value, Real | Decimal) and not isinstance(value, bool | Enum) and not is_length
    )


def as_float(value: Any) -> float:
    """A number as a float; NaN where it is none."""
    if not is_number(value):
        return math.nan
    try:
        return float(_scalar(value))
    except (OverflowError, ValueError):  # beyond a float; a decimal that signals
        return math.nan


def truth(place: str, value: Any) -> bool:
    """True or false, of Python or NumPy.

    Raises
    ------
    ConfigError
        It is neither; 0 and 1 are not.
    """
    value = _scalar(value)
    if not isinstance(value, bool):
        raise ConfigError(f"{place} is {shown(value)}, must be true or false")
    return value


def text(place: str, value: Any) -> str:
    """A text that can be printed; it may be empty.

    Raises
    ------
    ConfigError
        It is none.
    """
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigError(f"{place} is {shown(value)}, must be text")
    return str(value)


def named(place: str, value: Any) -> str:
    """A text that is not empty.

    Raises
    ------
    ConfigError
        It is none.
    """
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ConfigError(f"{place} is {shown(value)}, must be a name")
    return str(value)


def choice(place: str, value: Any, words: tuple[str, ...]) -> str:
    """One of some words.

    Raises
    ------
    ConfigError
        It is none of them.
    """
    if not isinstance(value, str) or value not in words:
        must = (
            " or ".join(map(repr, words))
            if len(words) < 3
            else f"one of {', '.join(map(repr, words))}"
        )
        raise ConfigError(f"{place} is {shown(value)}, must be {must}")
    return str(value)


def word(place: str, value: Any, kind: Any) -> Any:
    """A member of an enumeration, given as itself or by its name in any case.

    Raises
    ------
    ConfigError
        It is neither.
    """
    if isinstance(value, kind):
        return value
    known = {member.name.lower(): member for member in kind}
    if not isinstance(value, str) or value.lower() not in known:
        words = ", ".join(map(repr, known))
        raise ConfigError(f"{place} is {shown(value)}, must be one of {words}")
    return known[value.lower()]


def asked(place: str, value: Any) -> Callable[..., Any] | None:
    """A function that is called with how far something is, or None.

    Raises
    ------
    ConfigError
        It is neither.
    """
    try:
        fits = value is None or (callable(value) and not isinstance(value, type))
        if fits and value is not None:
            inspect.signature(value).bind(1, 1)
    except TypeError:
        fits = False
    except ValueError:  # one in C that does not tell what it takes
        pass
    if not fits:
        raise ConfigError(
            f"{place} is {shown(value)}, must be a function of (done, total), or None"
        )
    found: Callable[..., Any] | None = value
    return found


def mapping(place: str, value: Any, what: str) -> Mapping[Any, Any]:
    """A mapping, empty where it is None.

    Raises
    ------
    ConfigError
        It is none; `what` says of what it should be.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{place} is {shown(value)}, must be {what}")
    return value


def path(place: str, value: Any) -> Path:
    """A path, given as one or as text.

    Raises
    ------
    ConfigError
        It is none.
    """
    is_one = isinstance(value, str | Path) and str(value) and str(value).isprintable()
    if not is_one or any(len(part.encode()) > LONGEST_NAME for part in Path(value).parts):
        raise ConfigError(f"{place} is {shown(value)}, must be a path")
    return Path(value)


def file(place: str, value: Any) -> Path:
    """A path that is no folder; raises as `path`."""
    found = path(place, value)
    if found.is_dir():
        raise ConfigError(f"{place} is {shown(str(found))}, a folder; name a file")
    return found


def zone(place: str, value: Any) -> str | None:
    """The IANA name of a time zone, given by it or as an object; None where none is given.

    Raises
    ------
    ConfigError
        It is none, or has no name: an offset that is no whole hours.
    """
    if value is None or isinstance(value, str):
        return value
    name = getattr(value, "key", None) or getattr(value, "zone", None)  # ZoneInfo, pytz
    if isinstance(value, tzinfo) and isinstance(name, str):
        return name
    ahead = value.utcoffset(None) if isinstance(value, tzinfo) else None
    if ahead is None or ahead % timedelta(hours=1):
        raise ConfigError(
            f"{place} is {shown(value)}, must be an IANA name such as America/New_York, or a "
            "ZoneInfo of one"
        )
    hours = ahead // timedelta(hours=1)
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"  # its signs are the other way round


def shown(value: Any) -> str:
    """How a message shows a value: as Python writes it, or by its type where that is long."""
    if isinstance(value, Enum | Decimal | Fraction | np.generic | np.ndarray):
        value = plain(value)
    if isinstance(value, str):
        return repr(shortened(value))
    try:
        written = repr(value)
    except Exception:  # the repr of a user's class
        written = ""
    if 0 < len(written) <= LONGEST and written.isprintable():
        return written
    return f"of type {type(value).__name__}"


def _scalar(value: Any) -> Any:
    """The Python number in one of NumPy, or in an array without dimensions."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("b", "i", "u", "f") and getattr(value, "shape", None) == ():
        return value.item()
    return value
