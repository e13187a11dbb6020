"""Stamps without a zone that repeat or leave out the hour that clocks change over somewhere."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data.periods import HOUR_NS, Steps
from intrabar.data.stamps import Stamps, to_utc
from intrabar.errors import DataError
from intrabar.model.bars import Times

_ZONES = ("America/New_York", "Europe/London", "Europe/Berlin", "Australia/Sydney")


class ClockSigns(NamedTuple):
    """What stamps (ns, written local) tell of changes of the clock.

    Parameters
    ----------
    twice : int64
        Those that stand there more than once.
    before, after : int64
        Those around holes of more than one hour and at most two.
    first, last : int
    period : int
        Median step; 0 where there is none.
    """

    twice: Times
    before: Times
    after: Times
    first: int
    last: int
    period: int

    @property
    def change(self) -> bool:
        """Whether just the hour is repeated, or left out, that clocks change over in a zone."""
        for zone in _ZONES:
            if self.twice.size and _is_changed_hour(self.twice, zone).any():
                return True
        hole = (self.after - self.before == self.period + HOUR_NS) & (self.after % HOUR_NS == 0)
        if not 0 < self.period <= HOUR_NS or not hole.any():
            return False
        hours = self.after[hole] - HOUR_NS
        return any(_skipped(hours, self.first, self.last, zone) for zone in _ZONES)


def clock_signs(wall: Times) -> ClockSigns:
    """The signs in stamps in any order."""
    values, counts = np.unique(wall, return_counts=True)
    before, after = wide_steps(values)
    steps = Steps.of(values)
    period = int(steps.median) if steps.count else 0
    return ClockSigns(values[counts > 1], before, after, int(values[0]), int(values[-1]), period)


def wide_steps(values: Times) -> tuple[Times, Times]:
    """The stamps around holes of more than one hour and at most two."""
    steps = np.diff(values)
    at = np.flatnonzero((steps > HOUR_NS) & (steps <= 2 * HOUR_NS))
    return values[at], values[at + 1]


def _is_changed_hour(wall: Times, zone: str) -> NDArray[np.bool_]:
    stamps = Stamps(
        wall, np.zeros_like(wall), np.ones(wall.size, bool), np.zeros(wall.size, bool), False, True
    )
    rows = np.arange(wall.size, dtype=np.int64)
    try:
        early, late = (to_utc(stamps, zone, rows, which) for which in ("earliest", "latest"))
    except DataError:
        return np.zeros(wall.size, np.bool_)
    return np.asarray(early != late, np.bool_)


def _skipped(hours: Times, first: int, last: int, zone: str) -> bool:
    """Whether every spring between two stamps lacks the hour that clocks skip in a zone."""
    grid = np.arange(first - first % HOUR_NS, last, HOUR_NS, dtype=np.int64)
    local = pl.Series(grid).cast(pl.Datetime("ns"))
    made = pl.select(
        pl.lit(local).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    ).to_series()
    gone = grid[made.is_null().to_numpy()]
    return bool(gone.size) and bool(np.isin(gone, hours).all())
