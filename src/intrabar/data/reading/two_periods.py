"""Files in which bars of one period go on with bars of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intrabar.data import periods
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS, Times


def refuse_two_periods(wall: Times, rows: Times, given: int | None) -> None:
    """Refuse a file in which bars of one period go on with bars of another."""
    told = periods.Steps.of(wall)
    if not told.are_of_two_periods(given):
        return
    values, index = np.unique(wall, return_index=True)
    steps, period = np.diff(values), told.common
    clock = values % DAY_NS
    daily = (steps >= 20 * periods.HOUR_NS) & (clock[1:] == clock[:-1])
    other = int(np.argmax(steps == period))
    if period < 20 * periods.HOUR_NS and _longest_run(daily) >= 3:
        at = int(np.argmax(daily))
        _refuse_both(rows[index[at]], DAY_NS, rows[index[other]], period)
    if given is not None:
        return
    same = np.append(False, steps[1:] == steps[:-1])
    for hit, least in ((steps < period, 4), ((steps >= 5 * period) & ~daily, 10)):
        if _longest_run(hit & same) >= least:
            at = int(np.argmax(hit & same))
            _refuse_both(rows[index[at]], int(steps[at]), rows[index[other]], period)


def _refuse_both(row: int, period: int, other_row: int, other: int) -> None:
    one, two = periods.period_text(period), periods.period_text(other)
    raise DataError(
        f"bars of {one} (row {row}) and bars of {two} (row {other_row}) are in one file; split it "
        "and import each part"
    )


def _longest_run(hit: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], hit.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max()) if edges.size else 0
