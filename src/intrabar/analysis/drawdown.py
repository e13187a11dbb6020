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
    recovery_days : days, calendar, or None
        From the trough to the recovery.
    """

    depth: float
    peak: int
    trough: int
    recovery: int | None
    bars: int
    days: float
    recovery_days: float | None


def drawdown_series(equity: Floats, initial: float) -> Floats:
    """Share of the highest value so far (the initial one included) that is lost, >= 0.

    Parameters
    ----------
    equity : (t,) float64, account currency
    initial : account currency, > 0
    """
    return 1.0 - equity / np.maximum(np.maximum.accumulate(equity), initial)


def drawdowns(
    time: Times, equity: Floats, initial: float, row: Times | None = None
) -> list[Drawdown]:
    """Every spell under water, in order of time.

    Parameters
    ----------
    time : (t,) int64, ns since 1970 UTC
    equity : (t,) float64, account currency
    initial : account currency, > 0
    row : (t,) int64, optional
        Of the run, where some rows were left out (`telling`); None: all are there.
    """
    lost = drawdown_series(equity, initial)
    first, end = _spells(lost)
    row = np.arange(len(time)) if row is None else row
    return [
        _spell(time, lost, row, f, e) for f, e in zip(first.tolist(), end.tolist(), strict=True)
    ]


def deepest(
    time: Times, equity: Floats, initial: float, row: Times | None = None
) -> Drawdown | None:
    """The spell that lost the largest share of its peak; None where equity never fell."""
    lost = drawdown_series(equity, initial)
    first, end = _spells(lost)
    if not first.shape[0]:
        return None
    k = _deepest(lost, first)
    row = np.arange(len(time)) if row is None else row
    return _spell(time, lost, row, int(first[k]), int(end[k]))


def longest(
    time: Times, equity: Floats, initial: float, row: Times | None = None
) -> Drawdown | None:
    """The spell that took the most time; None where equity never fell."""
    lost = drawdown_series(equity, initial)
    first, end = _spells(lost)
    if not first.shape[0]:
        return None
    k = _longest(time, first, end)
    row = np.arange(len(time)) if row is None else row
    return _spell(time, lost, row, int(first[k]), int(end[k]))


def telling(time: Times, equity: Floats, initial: float) -> NDArray[np.int64]:
    """The rows that the deepest and the longest spell hang on, whatever comes after them.

    The last row, the highest, and peak, trough and recovery of the deepest spell, the longest, and
    the last one.
    """
    lost = drawdown_series(equity, initial)
    first, end = _spells(lost)
    kept = {len(time) - 1, int(np.argmax(equity))}
    if first.shape[0]:
        for k in (_deepest(lost, first), _longest(time, first, end), len(first) - 1):
            trough = first[k] + int(np.argmax(lost[first[k] : end[k]]))
            kept |= {max(int(first[k]) - 1, 0), int(trough), min(int(end[k]), len(time) - 1)}
    return np.array(sorted(kept), np.int64)


def _deepest(lost: Floats, first: NDArray[np.int64]) -> int:
    return int(np.searchsorted(first, np.argmax(lost), "right")) - 1


def _longest(time: Times, first: NDArray[np.int64], end: NDArray[np.int64]) -> int:
    last = np.minimum(end, time.shape[0] - 1)
    return int(np.argmax(time[last] - time[np.maximum(first - 1, 0)]))


def _spells(lost: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row under water of each spell, and the row after its last."""
    under = np.concatenate(([False], lost > 0.0, [False]))
    return np.flatnonzero(~under[:-1] & under[1:]), np.flatnonzero(under[:-1] & ~under[1:])


def _spell(time: Times, lost: Floats, row: Times, first: int, end: int) -> Drawdown:
    trough = first + int(np.argmax(lost[first:end]))
    peak, last = first - 1, min(end, lost.shape[0] - 1)
    days = float(time[last] - time[max(peak, 0)]) / DAY_NS
    recovered = end < lost.shape[0]
    peak_row = int(row[peak]) if first else -1
    return Drawdown(
        float(lost[trough]),
        peak_row,
        int(row[trough]),
        int(row[end]) if recovered else None,
        int(row[last]) - peak_row,
        days,
        float(time[end] - time[trough]) / DAY_NS if recovered else None,
    )
