"""Intervals of the headline metrics: those of daily returns, and those of campaigns.

The formulas are those of `returns` and `outcomes`, for many series at once.
"""

from __future__ import annotations

import math

import numpy as np

from intrabar.analysis.bootstrap import Interval, Statistic, intervals
from intrabar.analysis.figure import Undefined
from intrabar.analysis.returns import ROUNDING, Floats

Intervals = dict[str, Interval | Undefined]


def return_intervals(
    returns: Floats,
    periods_per_year: float = 252.0,
    risk_free: float = 0.0,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Intervals:
    """Intervals of the metrics that daily returns decide, by their names in `METRICS`.

    Drawdown is measured on days here and on bars in the sheet, so `max_drawdown` and `calmar` may
    differ from it.

    Parameters
    ----------
    returns : (n,) float64, fraction
    periods_per_year : float
    risk_free : fraction a year
    confidence : probability
    resamples : int
    seed : int
    """
    statistics = return_statistics(periods_per_year, risk_free)
    return intervals(returns, statistics, confidence, resamples, seed)


def campaign_intervals(
    net: Floats, r: Floats, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Intervals:
    """Intervals of the metrics that closed campaigns decide, by their names in `METRICS`.

    Parameters
    ----------
    net : (m,) float64, account currency
        In the order in which the campaigns ended.
    r : (m,) float64, initial risks
        NaN where a campaign had no stop.
    confidence : probability
    resamples : int
    seed : int
    """
    known = r[~np.isnan(r)]
    return {
        **intervals(net, OF_NET, confidence, resamples, seed),
        **intervals(known, OF_R, confidence, resamples, seed),
    }


def return_statistics(periods_per_year: float, risk_free: float) -> dict[str, Statistic]:
    """The metrics of daily returns as functions of (b, n) to (b,)."""
    root, free = math.sqrt(periods_per_year), risk_free / periods_per_year

    def total_return(returns: Floats) -> Floats:
        return np.asarray(np.prod(1.0 + returns, axis=1) - 1.0)

    def annual_return(returns: Floats) -> Floats:
        growth = np.prod(1.0 + returns, axis=1)
        years = returns.shape[1] / periods_per_year
        with np.errstate(over="ignore"):
            return np.where(growth > 0.0, np.maximum(growth, 0.0) ** (1.0 / years) - 1.0, np.nan)

    def volatility(returns: Floats) -> Floats:
        return np.asarray(np.std(returns, axis=1, ddof=1) * root)

    def sharpe(returns: Floats) -> Floats:
        return root * _over(np.mean(returns - free, axis=1), _deviation(returns - free))

    def sortino(returns: Floats) -> Floats:
        short = np.minimum(returns - free, 0.0)
        downside = np.sqrt(np.mean(short**2, axis=1))
        return root * _over(np.mean(returns - free, axis=1), downside)

    def calmar(returns: Floats) -> Floats:
        return _over(annual_return(returns), max_drawdown(returns))

    return {
        "total_return": total_return,
        "annual_return": annual_return,
        "volatility": volatility,
        "sharpe": sharpe,
        "sortino": sortino,
        "calmar": calmar,
        "max_drawdown": max_drawdown,
    }


def max_drawdown(returns: Floats) -> Floats:
    """Deepest loss from a peak of the compounded returns; the start counts as one.

    Parameters
    ----------
    returns : (b, n) float64, fraction

    Returns
    -------
    (b,) float64, fraction
    """
    equity = np.cumprod(1.0 + returns, axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
    return np.asarray(np.max(1.0 - equity / peak, axis=1).clip(min=0.0))


def win_rate(net: Floats) -> Floats:
    """Share of wins, of each row."""
    return np.asarray(np.mean(net > 0.0, axis=1))


def mean_of(net: Floats) -> Floats:
    """Mean of each row."""
    return np.asarray(np.mean(net, axis=1))


def profit_factor(net: Floats) -> Floats:
    """Sum of the wins over the sum of the losses, of each row."""
    won, lost = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    return _over(won.sum(axis=1), lost.sum(axis=1))


def payoff(net: Floats) -> Floats:
    """Mean win over mean loss, of each row; NaN without the one or the other."""
    wins, losses = np.count_nonzero(net > 0.0, axis=1), np.count_nonzero(net < 0.0, axis=1)
    return profit_factor(net) * _over(losses.astype(np.float64), wins.astype(np.float64))


def sqn(r: Floats) -> Floats:
    """System quality number of each row."""
    return math.sqrt(r.shape[1]) * _over(np.mean(r, axis=1), _deviation(r))


OF_NET: dict[str, Statistic] = {
    "win_rate": win_rate,
    "expectancy": mean_of,
    "profit_factor": profit_factor,
    "payoff": payoff,
}
OF_R: dict[str, Statistic] = {"expectancy_r": mean_of, "sqn": sqn}


def _deviation(values: Floats) -> Floats:
    """Sample deviation of each row; 0 where it is only rounding."""
    deviation = np.std(values, axis=1, ddof=1)
    return np.where(deviation > ROUNDING * np.abs(values).max(axis=1), deviation, 0.0)


def _over(upper: Floats, lower: Floats) -> Floats:
    out = np.full(upper.shape, np.nan)
    return np.asarray(np.divide(upper, lower, out=out, where=lower > 0.0))
