"""The metric sheet of a run: all of it, or one strategy or instrument of it.

Every figure is a number, or None with the reason why there is none; there are no stand-ins such
as infinity or zero. `docs/metrics.md` holds the formulas; a test keeps it complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis import outcomes, returns
from intrabar.analysis.drawdown import deepest, longest
from intrabar.analysis.equity import Curve, Key, curves_by
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.months import month_table, monthly_returns
from intrabar.model.bars import DAY_NS, Market

Floats = NDArray[np.float64]

# name: unit. The order is the order of reports.
METRICS: dict[str, str] = {
    "net_profit": "account currency",
    "total_return": "fraction",
    "annual_return": "fraction a year",
    "volatility": "fraction a year",
    "sharpe": "ratio",
    "sortino": "ratio",
    "calmar": "ratio",
    "max_drawdown": "fraction",
    "max_drawdown_bars": "bars",
    "max_drawdown_days": "days",
    "max_drawdown_recovery_days": "days",
    "longest_drawdown_bars": "bars",
    "longest_drawdown_days": "days",
    "exposure": "fraction of bars",
    "turnover": "times a year",
    "costs": "account currency",
    "cost_share": "fraction",
    "campaigns": "count",
    "win_rate": "fraction",
    "expectancy": "account currency",
    "expectancy_r": "R",
    "profit_factor": "ratio",
    "payoff": "ratio",
    "sqn": "ratio",
    "average_mae": "price",
    "average_mfe": "price",
    "longest_wins": "count",
    "longest_losses": "count",
    "best_month": "fraction",
    "worst_month": "fraction",
}


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a run left behind, as far as metrics read it.

    Parameters
    ----------
    market : Market
    fills, campaigns, equity : tables
        As `docs/architecture.md` describes them.
    initial : account currency, > 0
        Equity before the first bar.
    point_values : mapping of symbol to instrument's currency
    periods_per_year : float
        Daily returns in a year: 252 where the exchange closes, 365 where it does not.
    risk_free : fraction a year
    session : (t,) int64, days since 1970, or None
        The trade date of each row of the market; None takes the UTC date.
    """

    market: Market
    fills: pl.DataFrame
    campaigns: pl.DataFrame
    equity: pl.DataFrame
    initial: float
    point_values: Mapping[str, float]
    periods_per_year: float = 252.0
    risk_free: float = 0.0
    session: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The metrics of one scope.

    Parameters
    ----------
    values : dict of str to float or None
        Every name of `METRICS`, in its order.
    reasons : dict of str to str
        Why, for each that is None.
    months : table
        `year`, `jan` to `dec`, `total`.
    """

    values: dict[str, float | None]
    months: pl.DataFrame
    reasons: dict[str, str] = field(default_factory=dict)


def sheet(results: Results) -> Sheet:
    """The metrics of the whole account."""
    held = np.zeros(len(results.market), dtype=np.bool_)
    for curve in _curves(results, "symbol").values():
        held |= curve.held
    equity = results.equity["equity"].cast(pl.Float64).to_numpy()
    return _sheet(results, equity, held, results.fills, results.campaigns)


def sheets_by(results: Results, key: Key) -> dict[str, Sheet]:
    """The metrics of each strategy or symbol that filled.

    Each is measured as if it had the account's initial equity to itself, so the net profits add
    up to the account's (less what belongs to no fill), the ratios do not.
    """
    found = {}
    rows = results.equity["bar"].to_numpy()
    for owner, curve in _curves(results, key).items():
        own = pl.col(key).cast(pl.String) == owner
        found[owner] = _sheet(
            results,
            results.initial + curve.profit[rows],
            curve.held,
            results.fills.filter(own),
            results.campaigns.filter(own),
        )
    return found


def _curves(results: Results, key: Key) -> dict[str, Curve]:
    return curves_by(results.fills, results.market, results.point_values, key)


def _sheet(
    results: Results,
    equity: Floats,
    held: NDArray[np.bool_],
    fills: pl.DataFrame,
    campaigns: pl.DataFrame,
) -> Sheet:
    rows = results.equity["bar"].to_numpy()
    time = results.market.time[rows]
    day = returns.days_of(time) if results.session is None else results.session[rows]
    days, daily = returns.last_of_day(day, equity)
    month, monthly = monthly_returns(days, daily, results.initial)
    figures: dict[str, Figure] = {
        **_growth(results, daily),
        **_drawdown(time, equity, results.initial),
        "exposure": float(held[rows].mean()) if rows.shape[0] else Undefined("no bars"),
        "turnover": _turnover(fills, equity, daily.shape[0] / results.periods_per_year),
        **_outcomes(fills, campaigns),
        **_months(monthly),
    }
    growth = figures["annual_return"]
    depth = figures["max_drawdown"]
    if not isinstance(growth, float) or not isinstance(depth, float):
        figures["calmar"] = growth if isinstance(growth, Undefined) else depth
    else:
        figures["calmar"] = growth / depth if depth > 0.0 else Undefined("no drawdown")
    return Sheet(
        {n: float(f) if not isinstance(f := figures[n], Undefined) else None for n in METRICS},
        month_table(month, monthly),
        {n: f.reason for n in METRICS if isinstance(f := figures[n], Undefined)},
    )


def _growth(results: Results, daily: Floats) -> dict[str, Figure]:
    change = returns.returns_of(daily, results.initial)
    year = results.periods_per_year
    last = float(daily[-1]) if daily.shape[0] else results.initial
    return {
        "net_profit": last - results.initial,
        "total_return": last / results.initial - 1.0,
        "annual_return": returns.annual_return(change, year),
        "volatility": returns.volatility(change, year),
        "sharpe": returns.sharpe(change, year, results.risk_free),
        "sortino": returns.sortino(change, year, results.risk_free),
    }


def _drawdown(time: NDArray[np.int64], equity: Floats, initial: float) -> dict[str, Figure]:
    deep, long = deepest(time, equity, initial), longest(time, equity, initial)
    if deep is None or long is None:
        zeros: dict[str, Figure] = dict.fromkeys([n for n in METRICS if "drawdown" in n], 0.0)
        return {**zeros, "max_drawdown_recovery_days": Undefined("no drawdown")}
    recovery: Figure = Undefined("not recovered by the end")
    if deep.recovery is not None:
        recovery = float(time[deep.recovery] - time[deep.trough]) / DAY_NS
    return {
        "max_drawdown": deep.depth,
        "max_drawdown_bars": float(deep.bars),
        "max_drawdown_days": deep.days,
        "max_drawdown_recovery_days": recovery,
        "longest_drawdown_bars": float(long.bars),
        "longest_drawdown_days": long.days,
    }


def _turnover(fills: pl.DataFrame, equity: Floats, years: float) -> Figure:
    if not years:
        return Undefined("no bars")
    average = float(equity.mean())
    if average <= 0.0:
        return Undefined("the average equity is not above zero")
    qty, price, worth = (
        fills[name].cast(pl.Float64).to_numpy() for name in ("qty", "price", "point_value")
    )
    traded = float(np.sum(qty * np.abs(price) * worth))
    return traded / average / years


def _outcomes(fills: pl.DataFrame, campaigns: pl.DataFrame) -> dict[str, Figure]:
    closed = campaigns.filter(pl.col("end_bar").is_not_null()).sort("end_bar", maintain_order=True)
    net, r, mae, mfe, gross, costs = (
        closed[c].cast(pl.Float64).to_numpy() for c in ("net", "r", "mae", "mfe", "gross", "costs")
    )
    return {
        "costs": float(np.sum(fills["cost"].cast(pl.Float64).to_numpy())),
        "cost_share": outcomes.cost_share(float(gross.sum()), float(costs.sum())),
        "campaigns": float(closed.height),
        "win_rate": outcomes.win_rate(net),
        "expectancy": outcomes.mean_of(net),
        "expectancy_r": outcomes.expectancy_r(r),
        "profit_factor": outcomes.profit_factor(net),
        "payoff": outcomes.payoff(net),
        "sqn": outcomes.sqn(r),
        "average_mae": outcomes.mean_of(mae),
        "average_mfe": outcomes.mean_of(mfe),
        "longest_wins": float(outcomes.longest_run(net > 0.0)),
        "longest_losses": float(outcomes.longest_run(net < 0.0)),
    }


def _months(monthly: Floats) -> dict[str, Figure]:
    known = monthly[~np.isnan(monthly)]
    if not known.shape[0]:
        none = Undefined("no month has a return")
        return {"best_month": none, "worst_month": none}
    return {"best_month": float(known.max()), "worst_month": float(known.min())}
