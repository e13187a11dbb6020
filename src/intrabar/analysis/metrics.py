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

from intrabar.analysis.equity import Curve, Key, curves_by
from intrabar.analysis.equity_path import EquityPath
from intrabar.analysis.figures import CLOSED, blank, reasons_of, values_of
from intrabar.analysis.formulas import figures_of, traded_of
from intrabar.analysis.months import month_of, month_table
from intrabar.analysis.returns import days_of
from intrabar.analysis.units import METRICS as METRICS
from intrabar.analysis.units import lines_of
from intrabar.errors import UnknownAttributeError
from intrabar.kernel import plain
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
        cost, *read = (
            fills[name].cast(pl.Float64).to_numpy()
            for name in ("cost", "qty", "price", "point_value")
        )
        traded = plain(traded_of)(*read)
        return Filled(self.costs + float(np.sum(cost)), self.traded + float(np.sum(traded)))


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
    day = days_of(time) if results.session is None else results.session[rows]
    course = EquityPath(results.initial)
    course.take(time, day, equity, held[rows])
    end = campaigns["end_bar"].fill_null(-1).to_numpy()
    in_order = np.argsort(end, kind="stable")
    closed = in_order[end[in_order] >= 0]

    def closed_of(name: str) -> Floats:
        return campaigns[name].cast(pl.Float64).to_numpy()[closed]

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
    out = blank()
    out["costs"], out["traded"] = filled
    out["bars"], out["held"], out["mean_equity"] = course.bars, course.held, course.mean
    month = month_of(course.days)
    every = np.stack([closed(name) for name in CLOSED])
    room = np.empty((4, max(len(month), every.shape[1])))
    figures_of(
        course.daily,
        month,
        course.initial,
        periods_per_year,
        risk_free,
        course.spells,
        every,
        room,
        out,
    )
    months = np.unique(month)
    values = values_of(out, periods_per_year)
    reasons = reasons_of(values, out, periods_per_year)
    return Sheet(values, month_table(months, room[3, : len(months)]), reasons)
