"""Days of a timeline, and what a growth is a year."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.figure import Figure, Undefined
from intrabar.model.bars import DAY_NS, Times

Floats = NDArray[np.float64]

# A deviation below this share of the largest return is rounding, not risk.
ROUNDING = 1e-12


def days_of(time: Times) -> NDArray[np.int64]:
    """The UTC day that each close time ends in: a bar that closes at midnight ends the day before.

    Parameters
    ----------
    time : (t,) int64, ns since 1970 UTC

    Returns
    -------
    (t,) int64, days since 1970
    """
    return np.asarray((time - 1) // DAY_NS, dtype=np.int64)


def last_of_day(day: NDArray[np.int64], equity: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Days in order, and the last equity of each.

    Parameters
    ----------
    day : (t,) int64, rising
    equity : (t,) float64, account currency
    """
    ends = np.flatnonzero(np.append(np.diff(day) != 0, True)) if day.shape[0] else day[:0]
    return day[ends], equity[ends]


def annual_rate(growth: float, years: float) -> Figure:
    """Compound rate a year of what grew to this multiple, a fraction."""
    if growth <= 0.0:
        return Undefined("equity ended at zero or below")
    with np.errstate(over="ignore"):
        rate = float(np.power(growth, 1.0 / years) - 1.0)
    return rate if np.isfinite(rate) else Undefined("too short a time to annualise so large a gain")
