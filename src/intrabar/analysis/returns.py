"""Figures of a series of periodic returns: growth, risk, and the ratios of the two.

Returns are simple, one per day unless the caller takes other periods, and `periods_per_year` is
how many of them make a year (252 for exchanges that close, 365 for markets that do not).
Formulas, sources and outside tests stand in `docs/metrics.md`.
"""

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


def returns_of(equity: Floats, initial: float) -> Floats:
    """Simple returns from one value to the next; the first is on the initial equity.

    NaN where the value before was zero or less, because no return on it has a meaning.
    """
    before = np.concatenate(([initial], equity[:-1])) if equity.shape[0] else equity
    out = np.full(equity.shape, np.nan)
    return np.asarray(np.divide(equity, before, out=out, where=before > 0) - 1.0)


def total_return(returns: Floats) -> Figure:
    """Compound growth over all periods, a fraction."""
    problem = _problem(returns, 1)
    return problem or float(np.prod(1.0 + returns) - 1.0)


def annual_return(returns: Floats, periods_per_year: float) -> Figure:
    """Compound annual growth rate, a fraction."""
    problem = _problem(returns, 1)
    if problem:
        return problem
    return annual_rate(float(np.prod(1.0 + returns)), returns.shape[0] / periods_per_year)


def annual_rate(growth: float, years: float) -> Figure:
    """Compound rate a year of what grew to this multiple, a fraction."""
    if growth <= 0.0:
        return Undefined("equity ended at zero or below")
    with np.errstate(over="ignore"):
        rate = float(np.power(growth, 1.0 / years) - 1.0)
    return rate if np.isfinite(rate) else Undefined("too short a time to annualise so large a gain")


def volatility(returns: Floats, periods_per_year: float) -> Figure:
    """Annual sample deviation of the returns, a fraction."""
    problem = _problem(returns, 2)
    return problem or float(np.std(returns, ddof=1) * np.sqrt(periods_per_year))


def downside_deviation(returns: Floats, target: float = 0.0) -> Figure:
    """Root of the mean square of what each return falls short of a target, per period.

    The mean is over all returns, those above the target counting as zero.
    """
    problem = _problem(returns, 1)
    return problem or float(np.sqrt(np.mean(np.minimum(returns - target, 0.0) ** 2)))


def sharpe(returns: Floats, periods_per_year: float, risk_free: float = 0.0) -> Figure:
    """Annual Sharpe ratio.

    Parameters
    ----------
    returns : (n,) float64, fraction
    periods_per_year : float
    risk_free : fraction a year
        Taken off in equal parts per period.
    """
    problem = _problem(returns, 2)
    if problem:
        return problem
    excess = returns - risk_free / periods_per_year
    deviation = float(np.std(excess, ddof=1))
    if deviation <= ROUNDING * float(np.abs(excess).max()):
        return Undefined("the returns do not vary")
    return float(np.mean(excess)) / deviation * float(np.sqrt(periods_per_year))


def sortino(returns: Floats, periods_per_year: float, target: float = 0.0) -> Figure:
    """Annual Sortino ratio; `target` is a fraction a year, taken off in equal parts."""
    problem = _problem(returns, 2)
    if problem:
        return problem
    excess = returns - target / periods_per_year
    deviation = downside_deviation(excess)
    if not isinstance(deviation, float):
        return deviation
    if deviation == 0.0:
        return Undefined("no return fell short of the target")
    return float(np.mean(excess)) / deviation * float(np.sqrt(periods_per_year))


def _problem(returns: Floats, least: int) -> Undefined | None:
    if returns.shape[0] < least:
        return Undefined(f"{returns.shape[0]} returns, {least} are needed")
    if np.isnan(returns).any():
        return Undefined("equity was at zero or below on the way")
    return None
