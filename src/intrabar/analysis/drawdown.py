"""How far and how long equity lay under its highest value so far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import DAY_NS, Times

Floats = NDArray[np.float64]


class Drawdown(NamedTuple):
    """One spell under water, from the peak before it to the first value that reaches the peak.

    Parameters
    ----------
    depth : fraction of the peak, >= 0
    peak : int
        Row of the peak; -1 where it is the initial equity.
    trough : int
        Row of the deepest value.
    recovery : int or None
        First row at or above the peak; None while under water at the end.
    bars : rows
        From the peak to the recovery, or to the last row.
    days : days, calendar
        The same in time.
    """

    depth: float
    peak: int
    trough: int
    recovery: int | None
    bars: int
    days: float


def drawdown_series(equity: Floats, initial: float) -> Floats:
    """Share of the highest value so far (the initial one included) that is lost, >= 0.

    Parameters
    ----------
    equity : (t,) float64, account currency
    initial : account currency, > 0
    """
    return 1.0 - equity / np.maximum(np.maximum.accumulate(equity), initial)


def drawdowns(time: Times, equity: Floats, initial: float) -> list[Drawdown]:
    """Every spell under water, in order of time.

    Parameters
    ----------
    time : (t,) int64, ns since 1970 UTC
    equity : (t,) float64, account currency
    initial : account currency, > 0
    """
    lost = drawdown_series(equity, initial)
    first, end = _spells(lost)
    return [_spell(time, lost, f, e) for f, e in zip(first.tolist(), end.tolist(), strict=True)]


def deepest(time: Times, equity: Floats, initial: float) -> Drawdown | None:
    """The spell that lost the largest share of its peak; None where equity never fell."""
    lost = drawdown_series(equity, initial)
    first, end = _spells(lost)
    if not first.shape[0]:
        return None
    k = int(np.searchsorted(first, np.argmax(lost), "right")) - 1
    return _spell(time, lost, int(first[k]), int(end[k]))


def longest(time: Times, equity: Floats, initial: float) -> Drawdown | None:
    """The spell that took the most time; None where equity never fell."""
    lost = drawdown_series(equity, initial)
    first, end = _spells(lost)
    if not first.shape[0]:
        return None
    last = np.minimum(end, lost.shape[0] - 1)
    k = int(np.argmax(time[last] - time[np.maximum(first - 1, 0)]))
    return _spell(time, lost, int(first[k]), int(end[k]))


def _spells(lost: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row under water of each spell, and the row after its last."""
    under = np.concatenate(([False], lost > 0.0, [False]))
    return np.flatnonzero(~under[:-1] & under[1:]), np.flatnonzero(under[:-1] & ~under[1:])


def _spell(time: Times, lost: Floats, first: int, end: int) -> Drawdown:
    trough = first + int(np.argmax(lost[first:end]))
    peak, last = first - 1, min(end, lost.shape[0] - 1)
    days = float(time[last] - time[max(peak, 0)]) / DAY_NS
    recovery = end if end < lost.shape[0] else None
    return Drawdown(float(lost[trough]), peak, trough, recovery, last - peak, days)
