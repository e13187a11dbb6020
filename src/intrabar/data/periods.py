"""Periods: "5m" as nanoseconds and back, and the period of bars told by their stamps."""

from __future__ import annotations

import re

import numpy as np

from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS, Times

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
WEEK_NS = 7 * DAY_NS

_UNITS = {
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "min": 60 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "d": DAY_NS,
    "w": WEEK_NS,
}

# A step that fewer bars than this share is no period: range, tick or dollar bars.
_COMMON = 0.1


def parse_period(text: str) -> int:
    """Nanoseconds of "30s", "5m", "1h", "1d" or "1w".

    Raises
    ------
    ConfigError
        Anything else.
    """
    match = re.fullmatch(r"\s*(\d+)\s*([a-z]+)\s*", text.lower())
    unit = _UNITS.get(match[2]) if match else None
    if match is None or unit is None or int(match[1]) == 0:
        raise ConfigError(f"period is {text!r}; write it like 30s, 5m, 1h, 1d or 1w")
    return int(match[1]) * unit


def period_text(period: int) -> str:
    """A period as files and folders write it: "5m"."""
    for unit in ("w", "d", "h", "m", "s"):
        if period % _UNITS[unit] == 0:
            return f"{period // _UNITS[unit]}{unit}"
    return f"{period}ns"


def is_daily(wall: Times, dates_only: bool, given: int | None) -> bool:
    """Whether stamps (local ns, in any order) are of daily bars.

    Raises
    ------
    DataError
        The bars are longer than a day.
    """
    if given is not None:
        if given > DAY_NS:
            raise DataError(_LONGER)
        if dates_only and given < DAY_NS and _steps(wall).size:
            raise DataError(f"the stamps are dates, the period {period_text(given)} is not a day's")
        return given == DAY_NS
    steps = _steps(wall)
    if steps.size == 0:
        return dates_only
    values, counts = np.unique(steps, return_counts=True)
    common = int(values[np.argmax(counts)])
    if steps.size >= 3 and np.median(steps) >= 5 * DAY_NS:
        raise DataError(_LONGER)
    return dates_only or common >= DAY_NS


def infer_period(utc: Times) -> int:
    """Most common step between stamps (ns UTC, in any order).

    Raises
    ------
    DataError
        There is one stamp only, or no step is common.
    """
    steps = _steps(utc)
    if steps.size == 0:
        raise DataError("one bar has no step to tell the period from; give it: --period 5m")
    values, counts = np.unique(steps, return_counts=True)
    best = int(np.argmax(counts))
    if counts[best] < _COMMON * steps.size:
        share = 100 * counts[best] / steps.size
        raise DataError(
            f"the stamps keep no period: the most common step ({period_text(int(values[best]))}) "
            f"makes up {share:.1f} %; give it if there is one: --period 1m"
        )
    return int(values[best])


def _steps(times: Times) -> Times:
    # Sorting what is mostly in order is much quicker than np.unique's hashing.
    steps = np.diff(np.sort(times))
    return np.asarray(steps[steps > 0], np.int64)


_LONGER = "the bars are longer than a day; import daily bars and resample them"
