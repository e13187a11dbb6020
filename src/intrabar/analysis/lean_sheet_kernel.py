"""The figures of the metric sheet in passes over the arrays of a run, compiled.

`metrics` says what each figure is and why there may be none; here one that is not there is NaN.
Both give the same bits (tests hold them to it), so that a run in a sweep has the sheet of the run
alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.lean_sheet_campaigns import campaigns_of
from intrabar.analysis.lean_sheet_figures import (
    BEST_MONTH,
    COSTS,
    EXPOSURE,
    GROWTH,
    LONGEST_BARS,
    LONGEST_DAYS,
    MAX_DRAWDOWN,
    MAX_DRAWDOWN_BARS,
    MAX_DRAWDOWN_DAYS,
    NET_PROFIT,
    RECOVERY_DAYS,
    SHARPE,
    SORTINO,
    TOTAL_RETURN,
    TURNOVER,
    VOLATILITY,
    WORST_MONTH,
)
from intrabar.analysis.returns import ROUNDING
from intrabar.analysis.sleeves import FILL
from intrabar.analysis.sums_kernel import deviation_of, mean_of, sum_of
from intrabar.kernel import kernel
from intrabar.model.bars import DAY_NS
from intrabar.model.enums import Ambiguity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AMBIGUOUS, SETTLED = int(Ambiguity.AMBIGUOUS), int(Ambiguity.SETTLED)


@kernel
def daily(equity: Floats, ends: Ints, initial: float, rows: Ints, returns: Floats) -> int:
    """Write the last row of each day and the return on the day before; how many days.

    `ends` are the last rows of the market's days. NaN is the return on an equity of zero or less.
    """
    before = initial
    for k in range(ends.shape[0]):
        i = min(ends[k], equity.shape[0] - 1)  # a run may end within a day
        rows[k] = i
        returns[k] = equity[i] / before - 1.0 if before > 0.0 else np.nan
        before = equity[i]
        if i + 1 == equity.shape[0]:
            return k + 1
    return 0


@kernel
def growth_of(
    equity: Floats, initial: float, returns: Floats, year: float, scratch: Floats, out: Floats
) -> None:
    """Growth, risk and their ratios, of daily returns without a risk-free rate."""
    n = returns.shape[0]
    last = equity[-1] if equity.shape[0] else initial
    out[NET_PROFIT] = last - initial
    out[TOTAL_RETURN] = last / initial - 1.0
    growth, most, missing = 1.0, 0.0, False
    for i in range(n):
        growth *= 1.0 + returns[i]
        most = max(most, abs(returns[i]))
        missing = missing or math.isnan(returns[i])
        fallen = min(returns[i], 0.0)
        scratch[i] = fallen * fallen
    if missing or n < 1:
        return
    out[GROWTH] = growth
    if n < 2:
        return
    root = math.sqrt(year)
    mean, down = mean_of(returns, n), math.sqrt(mean_of(scratch, n))
    deviation = deviation_of(returns, n, scratch)
    out[VOLATILITY] = deviation * root
    if not deviation <= ROUNDING * most:
        out[SHARPE] = mean / deviation * root
    if down != 0.0:
        out[SORTINO] = mean / down * root


@kernel
def drawdown_of(equity: Floats, time: Ints, initial: float, out: Floats) -> None:
    """The deepest and the longest spell under water."""
    n = equity.shape[0]
    peak, first = initial, -1  # first row of the spell that goes on
    deepest, trough, deep_first, deep_end = 0.0, 0, -1, 0
    longest, long_first, long_end = -1, 0, 0
    for i in range(n + 1):
        lost = 0.0
        if i < n:
            peak = max(peak, equity[i])
            lost = 1.0 - equity[i] / peak
        if lost > 0.0:
            if first < 0:
                first = i
            if lost > deepest:
                deepest, trough, deep_first, deep_end = lost, i, first, n
        elif first >= 0:
            if deep_first == first:
                deep_end = i
            lasted = time[min(i, n - 1)] - time[max(first - 1, 0)]
            if lasted > longest:
                longest, long_first, long_end = lasted, first, i
            first = -1
    if deep_first < 0:
        out[MAX_DRAWDOWN : LONGEST_DAYS + 1] = 0.0
        out[RECOVERY_DAYS] = np.nan
        return
    end = min(deep_end, n - 1)
    out[MAX_DRAWDOWN] = deepest
    out[MAX_DRAWDOWN_BARS] = end - (deep_first - 1)
    out[MAX_DRAWDOWN_DAYS] = (time[end] - time[max(deep_first - 1, 0)]) / DAY_NS
    if deep_end < n:
        out[RECOVERY_DAYS] = (time[deep_end] - time[trough]) / DAY_NS
    end = min(long_end, n - 1)
    out[LONGEST_BARS] = end - (long_first - 1)
    out[LONGEST_DAYS] = (time[end] - time[max(long_first - 1, 0)]) / DAY_NS


@kernel
def months_of(equity: Floats, rows: Ints, month: Ints, initial: float, out: Floats) -> None:
    """The best and the worst month; `rows` are the last ones of the days, `month` is by row."""
    before = initial
    for k in range(rows.shape[0]):
        last = k + 1 == rows.shape[0]
        if last or month[rows[k + 1]] != month[rows[k]]:
            value = equity[rows[k]]
            if before > 0.0:
                change = value / before - 1.0
                if not out[BEST_MONTH] >= change:
                    out[BEST_MONTH] = change
                if not out[WORST_MONTH] <= change:
                    out[WORST_MONTH] = change
            before = value


@kernel
def sleeves_of(fills: Any, instruments: int, sleeves: int) -> tuple[Any, Ints]:
    """The fills of a machine one sleeve after the other, and where each sleeve starts."""
    first = np.zeros(sleeves + 1, np.int64)
    for i in range(fills.shape[0]):
        first[fills[i].strategy * instruments + fills[i].instrument + 1] += 1
    for s in range(sleeves):
        first[s + 1] += first[s]
    place = first.copy()
    out = np.empty(fills.shape[0], FILL)
    for i in range(fills.shape[0]):
        fill = fills[i]
        s = fill.strategy * instruments + fill.instrument
        to = out[place[s]]
        place[s] += 1
        to.row, to.bar, to.order, to.phase = i, fill.bar, fill.order, fill.phase
        to.time = 0  # no figure reads it
        to.qty, to.price, to.cost = fill.side * fill.qty, fill.price, fill.cost
        to.realized, to.position, to.stop = fill.realized, fill.position, fill.stop
        to.point_value, to.reason = fill.point_value, fill.reason
        to.ambiguous = fill.ambiguous == AMBIGUOUS
        to.settled = fill.ambiguous == SETTLED
    return out, first


@kernel
def activity_of(fills: Any, first: Ints, equity: Floats, years: float, out: Floats) -> None:
    """Exposure, turnover and costs; `fills` by sleeve."""
    n, count = equity.shape[0], fills.shape[0]
    if not n:
        return
    held = np.zeros(n, np.bool_)
    for s in range(first.shape[0] - 1):
        for i in range(first[s], first[s + 1]):
            end = min(fills[i + 1].bar, n) if i + 1 < first[s + 1] else n
            if fills[i].position != 0.0:
                held[fills[i].bar : end] = True
    bars = 0
    for i in range(n):
        bars += held[i]
    out[EXPOSURE] = bars / n
    traded, costs = np.empty(count), np.empty(count)
    for i in range(count):
        fill = fills[i]
        traded[fill.row] = abs(fill.qty) * abs(fill.price) * fill.point_value
        costs[fill.row] = fill.cost
    out[COSTS] = sum_of(costs, 0, count)
    average = mean_of(equity, n)
    if average > 0.0 and years:
        out[TURNOVER] = sum_of(traded, 0, count) / average / years


@kernel
def figures(
    fills: Any,
    equity: Floats,
    time: Ints,
    ends: Ints,
    month: Ints,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    strategies: int,
    initial: float,
    year: float,
    rows: Ints,
    returns: Floats,
    scratch: Floats,
    out: Floats,
) -> int:
    """Write every figure to `out`, the days' last rows and their returns; how many days.

    Parameters
    ----------
    fills : (n,) sim.state.FILL
    equity : (b,) float64
        Of the bars that the run lived.
    time, month : (t,) int64
        Of the market's rows.
    ends : (d,) int64
        Last rows of the market's days.
    open_, high, low, close : (b, i) float64
    strategies : int
    initial : account currency
    year : days
        Returns in a year.
    rows, returns, scratch : (d,)
        Room.
    out : (len(FIGURES),) float64
    """
    out[:] = np.nan
    n = daily(equity, ends, initial, rows, returns)
    growth_of(equity, initial, returns[:n], year, scratch, out)
    drawdown_of(equity, time, initial, out)
    months_of(equity, rows[:n], month, initial, out)
    instruments = close.shape[1]
    own, first = sleeves_of(fills, instruments, strategies * instruments)
    activity_of(own, first, equity, n / year, out)
    campaigns_of(own, first, instruments, open_, high, low, close, out)
    return n
