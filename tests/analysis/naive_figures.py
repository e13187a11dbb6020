"""Every figure of the metric sheet a second time, from tables, a formula after the other.

It shares no code with `intrabar.analysis` but the tables; `docs/metrics.md` says what each is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl

from intrabar.analysis.metrics import Results

DAY_NS = 86_400 * 10**9
Figures = dict[str, float | str]
"""By name: a number, or why there is none."""


class Spell(NamedTuple):
    """From a peak (row -1: the initial equity) to the recovery, or to the last row."""

    depth: float
    peak: int
    trough: int
    recovery: int | None
    bars: int
    days: float
    recovery_days: float | None


def spells(time: np.ndarray, equity: np.ndarray, initial: float) -> list[Spell]:
    """Every spell under water, in order of time."""
    found: list[Spell] = []
    top, peak, since = initial, -1, 0
    row = 0
    while row < len(equity):
        if equity[row] >= top:
            top, peak, since = equity[row], row, row
            row += 1
            continue
        end = row
        while end < len(equity) and equity[end] < top:
            end += 1
        lost = 1.0 - equity[row:end] / top
        trough = row + int(np.argmax(lost))
        last = min(end, len(equity) - 1)
        is_over = end < len(equity)
        found.append(
            Spell(
                float(lost.max()),
                peak,
                trough,
                end if is_over else None,
                last - peak,
                float(time[last] - time[since]) / DAY_NS,
                float(time[end] - time[trough]) / DAY_NS if is_over else None,
            )
        )
        row = end
    return found


def growth(r: np.ndarray, year: float, risk_free: float = 0.0) -> Figures:
    """The figures of daily returns."""
    names = ("annual_return", "volatility", "sharpe", "sortino")
    out: Figures = {}
    for name, least in zip(names, (1, 2, 2, 2), strict=True):
        if len(r) < least:
            out[name] = f"{len(r)} returns, {least} are needed"
        elif np.isnan(r).any():
            out[name] = "equity was at zero or below on the way"
    if "annual_return" not in out:
        grown = float(np.prod(1.0 + r))
        out["annual_return"] = "equity ended at zero or below"
        if grown > 0.0:
            with np.errstate(over="ignore"):
                rate = float(np.power(grown, 1.0 / (len(r) / year)) - 1.0)
            is_known = np.isfinite(rate)
            out["annual_return"] = (
                rate if is_known else "too short a time to annualise so large a gain"
            )
    if "sharpe" not in out:
        root, excess = float(np.sqrt(year)), r - risk_free / year
        mean, deviation = float(np.mean(excess)), float(np.std(excess, ddof=1))
        down = float(np.sqrt(np.mean(np.minimum(excess, 0.0) ** 2)))
        varies = deviation > 1e-12 * np.abs(excess).max()
        out["volatility"] = float(np.std(r, ddof=1)) * root
        out["sharpe"] = mean / deviation * root if varies else "the returns do not vary"
        out["sortino"] = mean / down * root if down else "no return fell short of the target"
    return out


def outcomes(net: np.ndarray, r: np.ndarray) -> Figures:
    """The figures of what closed campaigns made, in the order of their ends."""
    none = "no campaign is closed"
    won, lost = net[net > 0.0], net[net < 0.0]
    r = r[~np.isnan(r)]
    fallen = -float(lost.sum())
    out: Figures = {
        "campaigns": float(len(net)),
        "win_rate": len(won) / len(net) if len(net) else none,
        "expectancy": float(net.mean()) if len(net) else none,
        "profit_factor": float(won.sum()) / fallen if fallen > 0.0 else "no losses",
        "payoff": float(won.mean() / -lost.mean()) if len(won) and len(lost) else "no losses",
        "expectancy_r": float(r.mean()) if len(r) else "no campaign had a stop",
        "sqn": f"{len(r)} campaigns with a stop, 2 are needed",
        "longest_wins": longest_run(net > 0.0),
        "longest_losses": longest_run(net < 0.0),
    }
    if len(r) >= 2:
        deviation = float(np.std(r, ddof=1))
        varies = deviation > 1e-12 * np.abs(r).max()
        sqn = float(np.sqrt(len(r))) * float(r.mean()) / deviation if varies else 0.0
        out["sqn"] = sqn if varies else "the R multiples do not vary"
    if not len(won):
        out["payoff"] = "no wins"
    if not len(net):
        out["profit_factor"] = out["payoff"] = none
    return out


def longest_run(flags: np.ndarray) -> float:
    """Length of the longest unbroken run of True."""
    runs = "".join("x" if flag else " " for flag in flags).split()
    return float(max((len(run) for run in runs), default=0))


def figures(
    results: Results, equity: np.ndarray, held: np.ndarray, own: Callable[[pl.DataFrame], pl.Series]
) -> Figures:
    """The sheet of an account, or of that part of it whose rows of the tables `own` says."""
    rows = results.equity["bar"].to_numpy()
    time, initial, year = results.market.time[rows], results.initial, results.periods_per_year
    day = (time - 1) // DAY_NS if results.session is None else results.session[rows]
    # The last equity of each day, and of each month.
    daily = np.array([equity[day == d][-1] for d in np.unique(day)])
    month = np.unique(day).astype("datetime64[D]").astype("datetime64[M]")
    monthly = returns(np.array([daily[month == m][-1] for m in np.unique(month)]), initial)
    monthly = monthly[~np.isnan(monthly)]
    fills = results.fills.filter(own(results.fills))
    ended = results.campaigns.filter(own(results.campaigns) & pl.col("end_bar").is_not_null())
    ended = ended.sort("end_bar", maintain_order=True)
    net, r, mae, mfe, gross, paid = (
        ended[name].cast(pl.Float64).to_numpy()
        for name in ("net", "r", "mae", "mfe", "gross", "costs")
    )
    traded = (fills["qty"] * fills["price"].abs() * fills["point_value"]).to_numpy()
    last = daily[-1] if len(daily) else initial
    out: Figures = {
        "net_profit": last - initial,
        "total_return": last / initial - 1.0,
        **growth(returns(daily, initial), year, results.risk_free),
        "exposure": held[rows].sum() / len(rows) if len(rows) else "no bars",
        "turnover": "no bars",
        "costs": float(fills["cost"].cast(pl.Float64).to_numpy().sum()),
        "cost_share": float(paid.sum()) / float(gross.sum())
        if gross.sum() > 0.0
        else "no profit before costs",
        **outcomes(net, r),
        "average_mae": float(mae.mean()) if len(net) else "no campaign is closed",
        "average_mfe": float(mfe.mean()) if len(net) else "no campaign is closed",
        "best_month": float(monthly.max()) if len(monthly) else "no month has a return",
        "worst_month": float(monthly.min()) if len(monthly) else "no month has a return",
    }
    if len(rows):
        mean = float(equity.sum()) / len(equity)
        worth = float(traded.sum())
        out["turnover"] = (
            worth / mean / (len(daily) / year)
            if mean > 0.0
            else "the average equity is not above zero"
        )
    every = spells(time, equity, initial)
    deep = max(every, key=lambda s: s.depth, default=Spell(0.0, -1, 0, None, 0, 0.0, None))
    long = max(every, key=lambda s: s.days, default=deep)
    why = "not recovered by the end" if every else "no drawdown"
    rate = out["annual_return"]
    return {
        **out,
        "max_drawdown": deep.depth,
        "max_drawdown_bars": float(deep.bars),
        "max_drawdown_days": deep.days,
        "max_drawdown_recovery_days": why if deep.recovery_days is None else deep.recovery_days,
        "longest_drawdown_bars": float(long.bars),
        "longest_drawdown_days": long.days,
        "calmar": rate
        if isinstance(rate, str)
        else (rate / deep.depth if deep.depth else "no drawdown"),
    }


def returns(values: np.ndarray, initial: float) -> np.ndarray:
    """From one value to the next; NaN where the one before was zero or less."""
    before = np.append(initial, values)[:-1] if len(values) else values
    return np.array(
        [b / a - 1.0 if a > 0.0 else np.nan for a, b in zip(before, values, strict=True)]
    )
