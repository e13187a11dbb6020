"""Periods: "5m" as nanoseconds and back, and the period of bars told by their stamps."""

from __future__ import annotations

import re

import numpy as np

from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS, Times
from intrabar.model.values import shown

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
        raise ConfigError(f"period is {shown(text)}; write it like 30s, 5m, 1h, 1d or 1w")
    return int(match[1]) * unit


def period_text(period: int) -> str:
    """A period as files and folders write it: "5m"."""
    for unit in ("w", "d", "h", "m", "s"):
        if period % _UNITS[unit] == 0:
            return f"{period // _UNITS[unit]}{unit}"
    return f"{period}ns"


class Steps:
    """The steps between stamps in order, each stamp once; they may come piece by piece."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[int, int]] = {}  # step: how many, the longest run of it
        self._last: int | None = None
        self._run = (0, 0)
        self._days = self._longest_days = 0

    @classmethod
    def of(cls, times: Times) -> Steps:
        """The steps of stamps in any order."""
        made = cls()
        # Sorting what is mostly in order is much quicker than np.unique's hashing.
        made.take(np.sort(times))
        return made

    def take(self, times: Times) -> None:
        """Go on with stamps (ns) that are sorted and not before those taken already."""
        if self._last is not None:
            times = np.append(np.int64(self._last), times)
        if not times.size:
            return
        self._last = int(times[-1])
        steps = np.diff(times)
        steps = steps[steps > 0]
        if not steps.size:
            return
        begins = np.flatnonzero(np.append(True, steps[1:] != steps[:-1]))
        values, lengths = steps[begins], np.diff(np.append(begins, steps.size))
        self._take_runs(values, lengths)
        daily = (values >= 20 * HOUR_NS) & (values % DAY_NS == 0)
        if not self._days and not daily.any():
            return
        for is_day, length in zip(daily.tolist(), lengths.tolist(), strict=True):
            self._days = self._days + length if is_day else 0
            self._longest_days = max(self._longest_days, self._days)

    def _take_runs(self, values: Times, lengths: Times) -> None:
        step, before = self._run
        longest = lengths.copy()
        if values[0] == step:
            longest[0] += before
        self._run = int(values[-1]), int(longest[-1])
        order = np.argsort(values, kind="stable")
        firsts = np.flatnonzero(np.append(True, np.diff(values[order]) > 0))
        counts = np.add.reduceat(lengths[order], firsts)
        runs = np.maximum.reduceat(longest[order], firsts)
        for one, count, run in zip(
            values[order][firsts].tolist(), counts.tolist(), runs.tolist(), strict=True
        ):
            have, longest_run = self._of.get(one, (0, 0))
            self._of[one] = have + count, max(longest_run, run)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(count for count, _ in self._of.values())

    @property
    def common(self) -> int:
        """The most common; the smallest of several."""
        return max(sorted(self._of), key=lambda step: self._of[step][0])

    @property
    def median(self) -> float:
        """As NumPy's."""
        values = np.array(sorted(self._of), np.int64)
        ends = np.cumsum([self._of[int(v)][0] for v in values])
        low, high = (np.searchsorted(ends, (self.count + more) // 2, "right") for more in (-1, 0))
        return float(values[low] + values[high]) / 2

    def share(self, step: int) -> float:
        """Of all."""
        return self._of[step][0] / self.count

    def are_of_two_periods(self, given: int | None) -> bool:
        """Whether bars of one period go on with bars of another."""
        if self.count < 6:
            return False
        period = self.common
        if period < 20 * HOUR_NS and self._longest_days >= 3:
            return True
        if given is not None:
            return False
        return any(
            (step < period and run >= 5) or (step >= 5 * period and not is_days(step) and run >= 11)
            for step, (_, run) in self._of.items()
        )


def is_days(step: int) -> bool:
    """Whether a step is that of daily bars, or of some days without one."""
    return step >= 20 * HOUR_NS and step % DAY_NS == 0


def is_daily(steps: Steps, dates_only: bool, given: int | None) -> bool:
    """Whether the steps of stamps (local) are those of daily bars.

    Raises
    ------
    DataError
        The bars are longer than a day.
    """
    count = steps.count
    if given is not None:
        if given > DAY_NS:
            raise DataError(_LONGER)
        if dates_only and given < DAY_NS and count:
            raise DataError(f"the stamps are dates, the period {period_text(given)} is not a day's")
        return given == DAY_NS
    if count == 0:
        return dates_only
    if count >= 3 and steps.median >= 5 * DAY_NS:
        raise DataError(_LONGER)
    return dates_only or steps.common >= DAY_NS


def infer_period(steps: Steps) -> int:
    """Most common step between stamps (UTC).

    Raises
    ------
    DataError
        There is one stamp only, or no step is common.
    """
    if steps.count == 0:
        raise DataError("one bar has no step to tell the period from; give it: --period 5m")
    period = steps.common
    if (share := steps.share(period)) < _COMMON:
        raise DataError(
            f"the stamps keep no period: the most common step ({period_text(period)}) "
            f"makes up {100 * share:.1f} %; give it if there is one: --period 1m"
        )
    return period


_LONGER = "the bars are longer than a day; import daily bars and resample them"
