"""The formulas of the metric sheet, compiled: the only ones, of a run alone and of one in a sweep.

`docs/metrics.md` says what each figure is. All are written to one record (`FIGURES` in `figures`),
whose fields are the names of `METRICS`; a figure that is not there stays NaN. Nothing is allocated
here: each process that makes a sheet loads this kernel, and an allocation makes it twice as large.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.drawdown import figures_of_spells
from intrabar.analysis.returns import ROUNDING
from intrabar.analysis.sums_kernel import deviation_of, mean_of, sum_of
from intrabar.kernel import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def return_of(before: float, after: float) -> float:
    """Simple return; on a value of zero or less none has a meaning."""
    return after / before - 1.0 if before > 0.0 else np.nan


@kernel
def returns_of(values: Floats, initial: float, returns: Floats) -> None:
    """Write the returns from one value to the next; the first is on the initial one."""
    before = initial
    for i in range(values.shape[0]):
        returns[i], before = return_of(before, values[i]), values[i]


@kernel
def traded_of(qty: float, price: float, point_value: float) -> float:
    """What was traded in a fill, account currency."""
    return qty * abs(price) * point_value


@kernel
def growth_of(returns: Floats, year: float, risk_free: float, room: Floats, out: Any) -> None:
    """Growth, risk and their ratios, of daily returns."""
    n = returns.shape[0]
    out.returns = n
    excess, squares = room[0], room[1]
    growth, most, free = 1.0, 0.0, risk_free / year
    for i in range(n):
        growth *= 1.0 + returns[i]
        excess[i] = returns[i] - free
        most = max(most, abs(excess[i]))
        short = min(excess[i], 0.0)
        squares[i] = short * short
    if math.isnan(growth) or n < 1:
        return
    out.growth = growth
    if n < 2:
        return
    root = math.sqrt(year)
    mean, down = mean_of(excess, n), math.sqrt(mean_of(squares, n))
    out.volatility = deviation_of(returns, n, squares) * root
    deviation = deviation_of(excess, n, squares)
    if not deviation <= ROUNDING * most:
        out.sharpe = mean / deviation * root
    if down != 0.0:
        out.sortino = mean / down * root


@kernel
def activity_of(year: float, out: Any) -> None:
    """Exposure and turnover, of the sums in `out`."""
    if out.bars > 0.0:
        out.exposure = out.held / out.bars
        if out.mean_equity > 0.0:
            out.turnover = out.traded / out.mean_equity / (out.returns / year)


@kernel
def outcomes_of(closed: Floats, room: Floats, out: Any) -> None:
    """How closed campaigns ended; the rows of `closed` are those of `figures.CLOSED`."""
    n = closed.shape[1]
    out.campaigns = n
    total = sum_of(closed[0], 0, n)
    if total > 0.0:
        out.cost_share = sum_of(closed[1], 0, n) / total
    net = closed[2]
    out.longest_wins, out.longest_losses = longest_run(net, 1.0), longest_run(net, -1.0)
    if n:
        out.expectancy = mean_of(net, n)
        out.average_mae, out.average_mfe = mean_of(closed[4], n), mean_of(closed[5], n)
        wins_and_losses(net, room, out)
    multiples(closed[3], room, out)


@kernel
def wins_and_losses(net: Floats, room: Floats, out: Any) -> None:
    """Win rate, profit factor and payoff, of at least one campaign."""
    won, lost = room[0], room[1]
    wins = losses = 0
    for k in range(net.shape[0]):
        if net[k] > 0.0:
            won[wins] = net[k]
            wins += 1
        elif net[k] < 0.0:
            lost[losses] = net[k]
            losses += 1
    out.win_rate = wins / net.shape[0]
    fallen = -sum_of(lost, 0, losses)
    if fallen > 0.0:
        out.profit_factor = sum_of(won, 0, wins) / fallen
    if wins and losses:
        out.payoff = mean_of(won, wins) / -mean_of(lost, losses)


@kernel
def multiples(r: Floats, room: Floats, out: Any) -> None:
    """Expectancy and system quality number, of multiples of the initial risk that are known."""
    known = room[0]
    n, most = 0, 0.0
    for k in range(r.shape[0]):
        if not math.isnan(r[k]):
            known[n] = r[k]
            most = max(most, abs(r[k]))
            n += 1
    out.stops = n
    if not n:
        return
    out.expectancy_r = mean_of(known, n)
    if n < 2:
        return
    deviation = deviation_of(known, n, room[1])
    if not deviation <= ROUNDING * most:
        out.sqn = math.sqrt(n) * mean_of(known, n) / deviation


@kernel
def longest_run(net: Floats, sign: float) -> int:
    """Length of the longest unbroken run of profits (or losses, by the sign)."""
    longest = run = 0
    for k in range(net.shape[0]):
        run = run + 1 if sign * net[k] > 0.0 else 0
        longest = max(longest, run)
    return longest


@kernel
def months_of(daily: Floats, month: Ints, initial: float, monthly: Floats, out: Any) -> None:
    """The return of each month on the last value before it; the best and the worst."""
    count, before = 0, initial
    for k in range(daily.shape[0]):
        if k + 1 < daily.shape[0] and month[k + 1] == month[k]:
            continue
        change = return_of(before, daily[k])
        if not math.isnan(change):
            if not out.best_month >= change:
                out.best_month = change
            if not out.worst_month <= change:
                out.worst_month = change
        monthly[count], before = change, daily[k]
        count += 1


@kernel
def figures_of(
    daily: Floats,
    month: Ints,
    initial: float,
    year: float,
    risk_free: float,
    spells: Any,
    closed: Floats,
    room: Floats,
    out: Any,
) -> None:
    """Write every figure to `out`.

    Parameters
    ----------
    daily : (d,) float64, account currency
        Last equity of each day.
    month : (d,) int64, months since January 1970
    initial : account currency, > 0
    year : days
        Returns in a year.
    risk_free : fraction a year
    spells : (3,) SPELL
        Of the equity on every bar.
    closed : (6, k) float64
        Of closed campaigns in the order of their ends, rows as `figures.CLOSED`.
    room : (4, >= d and k) float64
        Row 2 takes the daily returns, row 3 the monthly ones; the others are worked with.
    out : (1,) FIGURES
        Blank but for `costs`, `bars`, `held`, `mean_equity` and `traded`.
    """
    n, x = daily.shape[0], out[0]
    last = daily[n - 1] if n else initial
    x.net_profit = last - initial
    x.total_return = last / initial - 1.0
    returns = room[2, :n]
    returns_of(daily, initial, returns)
    growth_of(returns, year, risk_free, room, x)
    figures_of_spells(spells, x)
    activity_of(year, x)
    outcomes_of(closed, room, x)
    months_of(daily, month, initial, room[3], x)
