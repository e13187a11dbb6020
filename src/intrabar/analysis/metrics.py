"""The metric sheet of a run: all of it, or one strategy or instrument of it.

Every figure is a number, or None with the reason why there is none; there are no stand-ins such
as infinity or zero. `docs/metrics.md` holds the formulas; a test keeps it complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis import outcomes, returns
from intrabar.analysis.equity import Curve, Key, curves_by
from intrabar.analysis.equity_path import EquityPath
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.months import month_table, monthly_returns
from intrabar.analysis.units import METRICS as METRICS
from intrabar.analysis.units import lines_of
from intrabar.errors import UnknownAttributeError
from intrabar.model.bars import Market

Floats = NDArray[np.float64]


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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sheet:
    """The metrics of one scope; each is an attribute too: `sheet.sharpe`.

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

    def __getattr__(self, name: str) -> float | None:
        if name in METRICS:
            return self.values[name]
        raise UnknownAttributeError("metric", name, METRICS)

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *METRICS]

    def __repr__(self) -> str:
        return "\n".join(lines_of(self.values, self.reasons))


class Filled(NamedTuple):
    """What metrics read of fills.

    Parameters
    ----------
    costs : account currency
    traded : account currency
        Quantities times prices.
    """

    costs: float = 0.0
    traded: float = 0.0

    def and_of(self, fills: pl.DataFrame) -> Filled:
        """With some more fills."""
        traded = fills["qty"] * fills["price"].abs() * fills["point_value"]
        cost = fills["cost"].cast(pl.Float64).to_numpy()
        return Filled(
            self.costs + float(np.sum(cost)), self.traded + float(np.sum(traded.to_numpy()))
        )


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
    course = EquityPath(results.initial)
    course.take(time, day, equity, held[rows])
    closed = campaigns.filter(pl.col("end_bar").is_not_null()).sort("end_bar", maintain_order=True)

    def closed_of(name: str) -> Floats:
        return closed[name].cast(pl.Float64).to_numpy()

    return sheet_of(
        course, Filled().and_of(fills), closed_of, results.periods_per_year, results.risk_free
    )


def sheet_of(
    course: EquityPath,
    filled: Filled,
    closed: Callable[[str], Floats],
    periods_per_year: float,
    risk_free: float = 0.0,
) -> Sheet:
    """The metrics of an equity, its fills and its campaigns.

    Parameters
    ----------
    course : EquityPath
    filled : Filled
    closed : callable
        A column (`net`, `r`, ...) of the closed campaigns, in the order of their ends.
    periods_per_year, risk_free
        As in `Results`.
    """
    month, monthly = monthly_returns(course.days, course.daily, course.initial)
    figures: dict[str, Figure] = {
        **_growth(course, periods_per_year, risk_free),
        **_drawdown(course),
        "exposure": course.held / course.bars if course.bars else Undefined("no bars"),
        "turnover": _turnover(filled, course, periods_per_year),
        **_outcomes(filled, closed),
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


def _growth(course: EquityPath, year: float, risk_free: float) -> dict[str, Figure]:
    daily, initial = course.daily, course.initial
    change = returns.returns_of(daily, initial)
    last = float(daily[-1]) if daily.shape[0] else initial
    return {
        "net_profit": last - initial,
        "total_return": last / initial - 1.0,
        "annual_return": returns.annual_return(change, year),
        "volatility": returns.volatility(change, year),
        "sharpe": returns.sharpe(change, year, risk_free),
        "sortino": returns.sortino(change, year, risk_free),
    }


def _drawdown(course: EquityPath) -> dict[str, Figure]:
    deep, long = course.deepest, course.longest
    if deep is None or long is None:
        zeros: dict[str, Figure] = dict.fromkeys([n for n in METRICS if "drawdown" in n], 0.0)
        return {**zeros, "max_drawdown_recovery_days": Undefined("no drawdown")}
    recovery: Figure = Undefined("not recovered by the end")
    return {
        "max_drawdown": deep.depth,
        "max_drawdown_bars": float(deep.bars),
        "max_drawdown_days": deep.days,
        "max_drawdown_recovery_days": recovery
        if deep.recovery_days is None
        else deep.recovery_days,
        "longest_drawdown_bars": float(long.bars),
        "longest_drawdown_days": long.days,
    }


def _turnover(filled: Filled, course: EquityPath, periods_per_year: float) -> Figure:
    if not course.bars:
        return Undefined("no bars")
    average = course.mean
    if average <= 0.0:
        return Undefined("the average equity is not above zero")
    return float(filled.traded / average / (course.daily.shape[0] / periods_per_year))


def _outcomes(filled: Filled, closed: Callable[[str], Floats]) -> dict[str, Figure]:
    gross, paid = float(closed("gross").sum()), float(closed("costs").sum())
    r = closed("r")
    found: dict[str, Figure] = {
        "costs": filled.costs,
        "cost_share": outcomes.cost_share(gross, paid),
        "campaigns": float(len(r)),
        "expectancy_r": outcomes.expectancy_r(r),
        "sqn": outcomes.sqn(r),
        "average_mae": outcomes.mean_of(closed("mae")),
        "average_mfe": outcomes.mean_of(closed("mfe")),
    }
    net = closed("net")
    return {
        **found,
        "win_rate": outcomes.win_rate(net),
        "expectancy": outcomes.mean_of(net),
        "profit_factor": outcomes.profit_factor(net),
        "payoff": outcomes.payoff(net),
        "longest_wins": float(outcomes.longest_run(net > 0.0)),
        "longest_losses": float(outcomes.longest_run(net < 0.0)),
    }


def _months(monthly: Floats) -> dict[str, Figure]:
    known = monthly[~np.isnan(monthly)]
    if not known.shape[0]:
        none = Undefined("no month has a return")
        return {"best_month": none, "worst_month": none}
    return {"best_month": float(known.max()), "worst_month": float(known.min())}
