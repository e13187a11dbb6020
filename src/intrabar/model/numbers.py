"""Numbers that a program gives: taken from any type that is one, refused with their place."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, NamedTuple

from intrabar.errors import ConfigError


class Bounds(NamedTuple):
    """What a number may be.

    Parameters
    ----------
    low, high : float
        Both included, unless `above` says that the number must be more than `low`.
    above : bool
    """

    low: float = 0.0
    high: float = math.inf
    above: bool = False

    def __str__(self) -> str:
        least = f"above {self.low:g}" if self.above else f"{self.low:g} or more"
        if self.high == math.inf:
            return least
        return (
            f"{least} and up to {self.high:g}" if self.above else f"{self.low:g} to {self.high:g}"
        )


def number(place: str, value: Any, bounds: Bounds) -> float:
    """A finite number within bounds.

    Raises
    ------
    ConfigError
        It is none; the message has the place, the value and the bounds.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise ConfigError(f"{place} is {value!r}, must be a number {bounds}")
    found = float(value)
    if not bounds.low <= found <= bounds.high or (bounds.above and found == bounds.low):
        raise ConfigError(f"{place} is {value!r}, must be {bounds}")
    return found
