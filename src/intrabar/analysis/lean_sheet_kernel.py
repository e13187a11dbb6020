"""What the formulas read of a run in a sweep, straight from its arrays, compiled.

The formulas themselves are those of a run alone (`formulas`); here are no tables.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.campaign_kernel import CAMPAIGN, LIFE, trace
from intrabar.analysis.drawdown import dry, take
from intrabar.analysis.equity import mark_held
from intrabar.analysis.formulas import figures_of, traded_of
from intrabar.analysis.sleeves import FILL
from intrabar.analysis.sums_kernel import mean_of, sum_of
from intrabar.kernel import kernel
from intrabar.model.enums import Ambiguity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AMBIGUOUS, SETTLED = int(Ambiguity.AMBIGUOUS), int(Ambiguity.SETTLED)


@kernel
def last_rows(ends: Ints, rows: int) -> Ints:
    """The last of the rows of each day; `ends` are those of the market's days."""
    last = np.empty(ends.shape[0], np.int64)
    for k in range(ends.shape[0]):
        last[k] = min(ends[k], rows - 1)  # a run may end within a day
        if last[k] + 1 == rows:
            return last[: k + 1]
    return last[:0]


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
def sum_up(fills: Any, own: Any, first: Ints, equity: Floats, out: Any) -> None:
    """What the activity is worked out of; `own` are the fills by sleeve."""
    n, count = equity.shape[0], fills.shape[0]
    costs, traded = np.empty(count), np.empty(count)
    for i in range(count):
        fill = fills[i]
        costs[i] = fill.cost
        traded[i] = traded_of(fill.qty, fill.price, fill.point_value)
    out.costs, out.traded = sum_of(costs, 0, count), sum_of(traded, 0, count)
    held = np.zeros(n, np.bool_)
    for s in range(first.shape[0] - 1):
        mark_held(own[first[s] : first[s + 1]], 0.0, 0, held)
    bars = 0
    for i in range(n):
        bars += held[i]
    out.bars, out.held = n, bars
    out.mean_equity = mean_of(equity, n) if n else 0.0


@kernel
def in_order_of_end(found: Any) -> Ints:
    """The rows of campaigns in the order in which they ended."""
    closed = found.shape[0]
    place = np.empty(closed, np.int64)
    longest = 1
    for k in range(closed):
        longest = max(longest, found[k].start_row + 1)
    for k in range(closed):
        # Of those that ended in one bar the first to start goes first.
        place[k] = found[k].end_bar * longest + found[k].start_row
    return np.argsort(place)


@kernel
def closed_of(
    fills: Any,
    first: Ints,
    instruments: int,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
) -> Floats:
    """The closed campaigns as `figures.CLOSED`, (6, k), in the order of their ends."""
    sleeves = first.shape[0] - 1
    column = np.arange(sleeves) % instruments
    lives, going = np.zeros(sleeves, LIFE), np.zeros(sleeves, CAMPAIGN)
    for s in range(sleeves):
        lives[s].bar = -1
    every = np.zeros(fills.shape[0] + sleeves, CAMPAIGN)
    count = trace(fills, first, column, lives, going, open_, high, low, close, every)
    found = every[:count]
    rows = in_order_of_end(found)
    closed = np.empty((6, count))
    for k in range(count):
        x = found[rows[k]]
        net = x.gross - x.costs
        closed[0, k], closed[1, k], closed[2, k] = x.gross, x.costs, net
        closed[3, k] = net / x.risk if x.risk > 0.0 else np.nan
        closed[4, k], closed[5, k] = x.mae, x.mfe
    return closed


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
    out: Any,
) -> tuple[Ints, Floats]:
    """Write every figure to `out`; the days' last rows and their returns.

    Parameters
    ----------
    fills : (n,) sim.state.FILL
    equity : (b,) float64
        Of the bars that the run lived.
    time : (t,) int64
        Of the market's rows.
    ends, month : (d,) int64
        Of the market's days: their last rows, and the months that they are in.
    open_, high, low, close : (b, i) float64
    strategies : int
    initial : account currency
    year : days
        Returns in a year.
    out : (1,) FIGURES
        Blank.
    """
    instruments = close.shape[1]
    own, first = sleeves_of(fills, instruments, strategies * instruments)
    sum_up(fills, own, first, equity, out[0])
    water, spells = dry(initial)
    take(equity, time, water, spells)
    closed = closed_of(own, first, instruments, open_, high, low, close)
    rows = last_rows(ends, equity.shape[0])
    days = rows.shape[0]
    room = np.empty((4, max(days, closed.shape[1])))
    daily = equity[rows]
    figures_of(daily, month[:days], initial, year, 0.0, spells, closed, room, out)
    return rows, room[2, :days].copy()
