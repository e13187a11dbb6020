"""The metric sheet of a run without its tables: the same figures, in a few passes over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.figure import Undefined
from intrabar.analysis.lean_sheet_figures import FIGURES
from intrabar.analysis.lean_sheet_kernel import figures
from intrabar.analysis.metrics import METRICS
from intrabar.analysis.returns import annual_rate, days_of
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
        months = self.day[self.ends].astype("datetime64[D]").astype("datetime64[M]")
        self.month = np.repeat(months.astype(np.int64), np.diff(self.ends, prepend=-1))


def brief(
    calendar: Calendar,
    fills: NDArray[Any],
    equity: Floats,
    strategies: int,
    initial: float,
    point_values: Sequence[float],
    periods_per_year: float,
) -> LeanSheet:
    """The figures of the account, with the bits of `metrics.sheet`.

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
    point_values : sequence of float, instrument's currency
        In the order of the market's columns.
    periods_per_year : float
    """
    market, n, most = calendar.market, equity.shape[0], calendar.ends.shape[0]
    rows, returns, scratch = np.empty(most, np.int64), np.empty(most), np.empty(most)
    out = np.empty(len(FIGURES))
    days = figures(
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
        rows,
        returns,
        scratch,
        out,
    )
    values = dict(zip(FIGURES, [None if x != x else x for x in out.tolist()], strict=True))
    growth, depth = values["growth"], values["max_drawdown"]
    rate = None if growth is None else annual_rate(growth, days / periods_per_year)
    values["annual_return"] = None if isinstance(rate, Undefined) else rate
    values["calmar"] = (
        values["annual_return"] / depth if values["annual_return"] is not None and depth else None
    )
    return LeanSheet(
        {name: values[name] for name in METRICS},
        calendar.day[rows[:days]] * DAY_NS,
        returns[:days].copy(),
    )
