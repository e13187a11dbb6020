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

from intrabar.analysis.campaign_kernel import CAMPAIGN, trace
from intrabar.analysis.returns import ROUNDING
from intrabar.analysis.sleeves import FILL
from intrabar.analysis.sums_kernel import deviation_of, mean_of, sum_of
from intrabar.kernel import kernel
from intrabar.model.bars import DAY_NS
from intrabar.model.enums import Ambiguity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AMBIGUOUS, SETTLED = int(Ambiguity.AMBIGUOUS), int(Ambiguity.SETTLED)

# Where each figure stands in what the kernels write; `growth` is not of the sheet.
FIGURES = (
    "net_profit",
    "total_return",
    "growth",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "max_drawdown_bars",
    "max_drawdown_days",
    "max_drawdown_recovery_days",
    "longest_drawdown_bars",
    "longest_drawdown_days",
    "exposure",
    "turnover",
    "costs",
    "cost_share",
    "campaigns",
    "win_rate",
    "expectancy",
    "expectancy_r",
    "profit_factor",
    "payoff",
    "sqn",
    "average_mae",
    "average_mfe",
    "longest_wins",
    "longest_losses",
    "best_month",
    "worst_month",
)
(
    NET_PROFIT,
    TOTAL_RETURN,
    GROWTH,
    VOLATILITY,
    SHARPE,
    SORTINO,
    MAX_DRAWDOWN,
    MAX_DRAWDOWN_BARS,
    MAX_DRAWDOWN_DAYS,
    RECOVERY_DAYS,
    LONGEST_BARS,
    LONGEST_DAYS,
    EXPOSURE,
    TURNOVER,
    COSTS,
    COST_SHARE,
    CAMPAIGNS,
    WIN_RATE,
    EXPECTANCY,
    EXPECTANCY_R,
    PROFIT_FACTOR,
    PAYOFF,
    SQN,
    AVERAGE_MAE,
    AVERAGE_MFE,
    LONGEST_WINS,
    LONGEST_LOSSES,
    BEST_MONTH,
    WORST_MONTH,
) = range(len(FIGURES))


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
def closed_of(found: Any) -> Any:
    """The closed campaigns, in the order in which they ended."""
    closed = 0
    for k in range(found.shape[0]):
        closed += found[k].end_row >= 0
    rows, place = np.empty(closed, np.int64), np.empty(closed, np.int64)
    closed = 0
    longest = 1
    for k in range(found.shape[0]):
        longest = max(longest, found[k].start_row + 1)
    for k in range(found.shape[0]):
        if found[k].end_row >= 0:
            rows[closed] = k
            # Of those that ended in one bar the first to start goes first.
            place[closed] = found[k].end_bar * longest + found[k].start_row
            closed += 1
    return rows[np.argsort(place)]


@kernel
def campaigns_of(
    fills: Any,
    first: Ints,
    worth: Floats,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    out: Floats,
) -> None:
    """The outcomes of the closed campaigns; `worth` as `trace` has it, by instrument."""
    n = worth.shape[0]
    column, sleeve_worth = np.empty(first.shape[0] - 1, np.int64), np.empty(first.shape[0] - 1)
    for s in range(column.shape[0]):
        column[s] = s % n
        sleeve_worth[s] = worth[s % n]
    every = np.zeros(fills.shape[0], CAMPAIGN)
    count = trace(fills, first, column, sleeve_worth, open_, high, low, close, every)
    found = every[:count]
    rows = closed_of(found)
    closed = rows.shape[0]
    net, r = np.empty(closed), np.empty(closed)
    gross, costs = np.empty(closed), np.empty(closed)
    mae, mfe = np.empty(closed), np.empty(closed)
    risked = 0
    for k in range(closed):
        campaign = found[rows[k]]
        gross[k], costs[k] = campaign.gross, campaign.costs
        net[k] = campaign.gross - campaign.costs
        mae[k], mfe[k] = campaign.mae, campaign.mfe
        if campaign.risk > 0.0:
            r[risked] = net[k] / campaign.risk
            risked += 1
    out[CAMPAIGNS] = closed
    total = sum_of(gross, 0, closed)
    if total > 0.0:
        out[COST_SHARE] = sum_of(costs, 0, closed) / total
    out[LONGEST_WINS], out[LONGEST_LOSSES] = longest_run(net, 1.0), longest_run(net, -1.0)
    if closed:
        out[EXPECTANCY], out[AVERAGE_MAE] = mean_of(net, closed), mean_of(mae, closed)
        out[AVERAGE_MFE] = mean_of(mfe, closed)
        wins_and_losses(net, out)
    multiples(r[:risked], out)


@kernel
def wins_and_losses(net: Floats, out: Floats) -> None:
    """Win rate, profit factor and payoff, of at least one campaign."""
    won, lost = np.empty(net.shape[0]), np.empty(net.shape[0])
    wins = losses = 0
    for k in range(net.shape[0]):
        if net[k] > 0.0:
            won[wins] = net[k]
            wins += 1
        elif net[k] < 0.0:
            lost[losses] = net[k]
            losses += 1
    out[WIN_RATE] = wins / net.shape[0]
    fallen = -sum_of(lost, 0, losses)
    if fallen > 0.0:
        out[PROFIT_FACTOR] = sum_of(won, 0, wins) / fallen
    if wins and losses:
        out[PAYOFF] = mean_of(won, wins) / -mean_of(lost, losses)


@kernel
def multiples(r: Floats, out: Floats) -> None:
    """Expectancy and system quality number, of multiples of the initial risk."""
    n = r.shape[0]
    if not n:
        return
    out[EXPECTANCY_R] = mean_of(r, n)
    if n < 2:
        return
    most = 0.0
    for k in range(n):
        most = max(most, abs(r[k]))
    deviation = deviation_of(r, n, np.empty(n))
    if not deviation <= 1e-12 * most:
        out[SQN] = math.sqrt(n) * mean_of(r, n) / deviation


@kernel
def longest_run(net: Floats, sign: float) -> int:
    """Length of the longest unbroken run of profits (or losses, by the sign)."""
    longest = run = 0
    for k in range(net.shape[0]):
        run = run + 1 if sign * net[k] > 0.0 else 0
        longest = max(longest, run)
    return longest


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
    worth: Floats,
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
    worth : (i,) float64, account currency
        Of a move of 1.0 in price at the last of these bars.
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
    campaigns_of(own, first, worth, open_, high, low, close, out)
    return n
