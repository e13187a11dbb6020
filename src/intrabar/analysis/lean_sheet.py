"""The metric sheet of a run without its tables: the same figures, in a few passes over arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.figures import blank, values_of
from intrabar.analysis.lean_sheet_kernel import figures
from intrabar.analysis.months import month_of
from intrabar.analysis.returns import days_of
from intrabar.model.bars import DAY_NS, Floats, Market, Times


class LeanSheet(NamedTuple):
    """The figures of a run, and its daily returns.

    Parameters
    ----------
    values : dict of str to float or None
        Every name of `METRICS`, in its order.
    days : (d,) int64, ns since 1970 UTC
    returns : (d,) float64, fraction
        On the day before; NaN where its equity was zero or less.
    """

    values: dict[str, float | None]
    days: Times
    returns: Floats


class Calendar:
    """What the figures of every run over a market read of its timeline.

    Parameters
    ----------
    market : Market
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.day = days_of(market.time) if market.day is None else market.day
        # The last row of each day.
        self.ends = np.flatnonzero(np.append(np.diff(self.day) != 0, True))
        self.month = month_of(self.day[self.ends])


def brief(
    calendar: Calendar,
    fills: NDArray[Any],
    equity: Floats,
    strategies: int,
    initial: float,
    periods_per_year: float,
) -> LeanSheet:
    """The figures of the account, by the formulas of `metrics.sheet`.

    Parameters
    ----------
    calendar : Calendar
        Of the market.
    fills : (n,) sim.state.FILL
        In the order in which they happened.
    equity : (b,) float64, account currency
        At the closes of the bars that the run lived.
    strategies : int
    initial : account currency, > 0
    periods_per_year : float
    """
    market, n = calendar.market, equity.shape[0]
    out = blank()
    rows, returns = figures(
        fills,
        equity,
        market.time,
        calendar.ends,
        calendar.month,
        market.open[:n],
        market.high[:n],
        market.low[:n],
        market.close[:n],
        strategies,
        initial,
        periods_per_year,
        out,
    )
    return LeanSheet(values_of(out, periods_per_year), calendar.day[rows] * DAY_NS, returns)
