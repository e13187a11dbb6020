"""The record that formulas write, and what is read of it: values, and why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.formulas import growth_of, returns_of
from intrabar.analysis.returns import annual_rate
from intrabar.analysis.units import METRICS
from intrabar.model.bars import Floats

FACTS = ("growth", "returns", "bars", "held", "mean_equity", "traded", "stops")
"""What figures are worked out of and reasons told by: what 1.0 grew to, how many daily returns,
rows and rows with a position there are, the mean equity, the worth of all fills, and how many
campaigns had a stop."""

FIGURES = np.dtype([(name, np.float64) for name in (*METRICS, *FACTS)])
CLOSED = ("gross", "costs", "net", "r", "mae", "mfe")
"""Columns of closed campaigns that formulas read."""

TOO_FEW = {
    "returns": "{n} returns, {least} are needed",
    "bars": "no bars",
    "campaigns": "no campaign is closed",
    "stops": "{n} campaigns with a stop, {least} are needed",
}


def blank() -> NDArray[np.void]:
    """A record without a figure, (1,) FIGURES."""
    return np.full(len(METRICS) + len(FACTS), np.nan).view(FIGURES)


def values_of(out: NDArray[np.void], year: float) -> dict[str, float | None]:
    """Every figure of a record, by the names of `METRICS` in their order; None: there is none.

    Parameters
    ----------
    out : (1,) FIGURES
        What the formulas wrote; the annual return and what hangs on it are worked out here.
    year : days
        Returns in a year.
    """
    every = out.view(np.float64).tolist()
    values = {
        name: None if x != x else x for name, x in zip(METRICS, every[: len(METRICS)], strict=True)
    }
    growth, returns = every[len(METRICS) : len(METRICS) + 2]
    rate = annual_rate(growth, returns / year) if growth == growth else None
    if isinstance(rate, float):
        values["annual_return"] = rate
        depth = values["max_drawdown"]
        values["calmar"] = rate / depth if depth else None
    return values


def reasons_of(
    values: Mapping[str, float | None], out: NDArray[np.void], year: float
) -> dict[str, str]:
    """Why, for each figure that is None."""
    found = dict(zip(FIGURES.names or (), out.view(np.float64).tolist(), strict=True))
    return {name: _reason(name, found, year) for name, value in values.items() if value is None}


def series_of_returns(values: Floats, initial: float) -> Floats:
    """Simple returns from one value to the next; the first is on the initial one, > 0.

    NaN where the value before was zero or less, because no return on it has a meaning.
    """
    returns = np.empty(len(values))
    returns_of(np.array(values), initial, returns)
    return returns


def growth_figures(returns: Floats, year: float, risk_free: float = 0.0) -> dict[str, Figure]:
    """The figures of a series of returns alone, by their names in `METRICS`.

    Parameters
    ----------
    returns : (n,) float64, fraction
        NaN where there is none.
    year : periods
        Returns in a year.
    risk_free : fraction a year
        Taken off in equal parts.
    """
    out = blank()
    growth_of(np.array(returns), year, risk_free, np.empty((2, len(returns))), out[0])
    out["total_return"] = out["growth"] - 1.0
    values = values_of(out, year)
    reasons = reasons_of(values, out, year)
    names = ("total_return", "annual_return", "volatility", "sharpe", "sortino")
    return {name: Undefined(reasons[name]) if (x := values[name]) is None else x for name in names}


def _annual(found: Mapping[str, float], year: float) -> Figure:
    return annual_rate(found["growth"], found["returns"] / year)


def _reason(name: str, found: Mapping[str, float], year: float) -> str:
    one = METRICS[name]
    if one.of and found[one.of] < one.least:
        return TOO_FEW[one.of].format(n=int(found[one.of]), least=one.least)
    if one.of == "returns" and math.isnan(found["growth"]):
        return "equity was at zero or below on the way"
    if name in ("annual_return", "calmar") and isinstance(rate := _annual(found, year), Undefined):
        return rate.reason
    if name == "payoff" and found["win_rate"] == 0.0:
        return "no wins"
    if name == "max_drawdown_recovery_days" and found["max_drawdown"] > 0.0:
        return "not recovered by the end"
    return one.none
