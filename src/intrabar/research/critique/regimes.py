"""Weaknesses of exposure: one year, one kind of market, one side, or the market itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.figure import Undefined
from intrabar.analysis.figures import growth_figures, series_of_returns
from intrabar.analysis.returns import days_of, last_of_day
from intrabar.engine.adjusted import Adjusted
from intrabar.engine.outcome.result import Result
from intrabar.model.bars import Floats, Times
from intrabar.research.finding import Finding, Mark

ONE_DOUBT, ONE_FAIL = 0.8, 1.25
"""Share of the profit in one part; from 1.25 on the others together lost a quarter of it."""

VOLATILITY_DAYS = 20
TREND_DAYS = 60
"""Days before a day that tell how restless the market is, and where it is heading: a month, and
a quarter."""

BETA_DOUBT, BETA_FAIL = 0.7, 0.9
"""Correlation of the daily returns with those of holding the instruments. Squared it is the share
of the variance that is the market's: one half, and four fifths."""

LEAST_DAYS = 60


class Days(NamedTuple):
    """A run by days.

    Parameters
    ----------
    day : (d,) int64, days since 1970
    profit : (d,) float64, account currency
    returns : (d,) float64, fraction
    market : (d,) float64, fraction
        Mean of the instruments' daily returns; 0 where none is known.
    """

    day: Times
    profit: Floats
    returns: Floats
    market: Floats


def by_days(result: Result) -> Days:
    """The profit of each day beside what the instruments did."""
    market = Adjusted(result.market).market
    rows = result.bars_done
    given = result.market.day
    day = days_of(market.time[:rows]) if given is None else given[:rows]
    cash = result.setup.account.cash
    days, equity = last_of_day(day, result.equity["equity"].to_numpy())
    ends = np.flatnonzero(np.append(np.diff(day) != 0, True))
    close = market.close[:rows][ends]
    before = np.vstack([np.full((1, close.shape[1]), np.nan), close[:-1]])
    with np.errstate(all="ignore"):
        moves = close / before - 1.0
    known = np.isfinite(moves)
    count = np.maximum(known.sum(axis=1), 1)
    index = np.where(known, moves, 0.0).sum(axis=1) / count
    return Days(days, np.diff(equity, prepend=cash), series_of_returns(equity, cash), index)


def exposure(result: Result) -> list[Finding]:
    """The profit by year, by volatility and trend of the market, by side and by symbol."""
    profit = result.metrics.values["net_profit"] or 0.0
    if profit <= 0.0:
        return []
    days = by_days(result)
    years = days.day.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    told = [_one("year", _sums(years, days.profit), "Try other years.")]
    if len(days.day) >= LEAST_DAYS:
        calm = volatility_terciles(days.market)
        names = {0: "calm", 1: "middling", 2: "restless"}
        told.append(_one("volatility", _named(_sums(calm, days.profit), names), _OTHER))
        rising = market_trend(days.market)
        names = {0: "falling", 1: "rising"}
        told.append(_one("trend", _named(_sums(rising, days.profit), names), _OTHER))
    for key in ("side", "symbol"):
        sums = result.campaigns.group_by(key, maintain_order=True).agg(pl.col("net").sum())
        words = {"buy": "long", "sell": "short"}
        parts = {words.get(k, k): float(v) for k, v in sums.iter_rows()}
        if key == "side" or len(result.market.symbols) > 1:
            told.append(_one(key, parts, "Try other instruments." if key == "symbol" else _OTHER))
    return [one for one in told if one is not None]


_OTHER = "Expect nothing of it in other markets, or find a history that has them."


def _sums(group: NDArray[np.int64], profit: Floats) -> dict[str, float]:
    return {str(g): float(profit[group == g].sum()) for g in np.unique(group[group >= 0])}


def _named(sums: Mapping[str, float], names: Mapping[int, str]) -> dict[str, float]:
    return {names[int(key)]: value for key, value in sums.items()}


def _one(kind: str, parts: Mapping[str, float], todo: str) -> Finding | None:
    """Whether one part of a division holds the profit."""
    total = sum(parts.values())
    if total <= 0.0 or not parts:
        return None
    best = max(parts, key=lambda part: parts[part])
    share = parts[best] / total
    mark: Mark = "pass"
    title = f"The profit does not hang on one {kind}."
    if len(parts) == 1:
        mark, title = "doubt", f"There is one {kind} only: {best}."
    elif share >= ONE_FAIL:
        mark, title = "fail", f"All the profit is of one {kind}, {best}; the others lost."
    elif share >= ONE_DOUBT:
        mark, title = "doubt", f"Most of the profit is of one {kind}: {best}."
    told = ", ".join(f"{name} {value:,.0f}" for name, value in parts.items())
    return Finding(
        f"exposure to one {kind}",
        mark,
        title,
        f"profit {told}; {best} has {share:.0%}",
        "" if mark == "pass" else todo,
        {**parts, "share_of_best": share},
    )


def volatility_terciles(market: Floats) -> NDArray[np.int64]:
    """0, 1 or 2 by the deviation of the days before each; -1 where they are too few."""
    group = np.full(len(market), -1)
    if len(market) <= VOLATILITY_DAYS:
        return group
    windows = np.lib.stride_tricks.sliding_window_view(market[:-1], VOLATILITY_DAYS)
    restless = windows.std(axis=1)
    low, high = np.quantile(restless, (1 / 3, 2 / 3))
    group[VOLATILITY_DAYS:] = np.where(restless <= low, 0, np.where(restless <= high, 1, 2))
    return group


def market_trend(market: Floats) -> NDArray[np.int64]:
    """1 where the market rose over the days before, 0 where not; -1 where they are too few."""
    group = np.full(len(market), -1)
    if len(market) <= TREND_DAYS:
        return group
    level = np.concatenate(([0.0], np.cumsum(np.log1p(np.maximum(market, -0.99)))))
    group[TREND_DAYS:] = level[TREND_DAYS:-1] > level[: -TREND_DAYS - 1]
    return group


def market_beta(result: Result) -> list[Finding]:
    """Whether it is little else than holding the instruments."""
    days = by_days(result)
    moved = days.market[1:]
    own = days.returns[1:]
    if len(own) < LEAST_DAYS or np.isnan(own).any() or not own.std() > 0.0 < moved.std():
        return []
    year = result.periods_per_year
    correlation = float(np.corrcoef(own, moved)[0, 1])
    beta = float(np.cov(own, moved)[0, 1] / moved.var(ddof=1))
    mark: Mark = "pass"
    title = "It is not the market in disguise."
    if correlation >= BETA_FAIL:
        mark, title = "fail", "It is little else than holding the instruments."
    elif correlation >= BETA_DOUBT:
        mark, title = "doubt", "Most of its ups and downs are those of the market."
    both = [growth_figures(r, year) for r in (own, moved)]
    told = [of[name] for name in ("sharpe", "annual_return") for of in both]
    numbers = [None if isinstance(x, Undefined) else x for x in told]
    shown = ["none" if x is None else f"{x:.2f}" for x in numbers[:2]]
    shown += ["none" if x is None else f"{x:.1%}" for x in numbers[2:]]
    return [
        Finding(
            "market beta",
            mark,
            title,
            f"correlation {correlation:.2f} and beta {beta:.2f} with holding every instrument in "
            f"equal parts; Sharpe ratio {shown[0]} against {shown[1]}, a year {shown[2]} against "
            f"{shown[3]}",
            "" if mark == "pass" else "Hold it against buying and holding at the same risk.",
            {
                "correlation": correlation,
                "beta": beta,
                "sharpe": numbers[0],
                "sharpe_of_holding": numbers[1],
            },
        )
    ]
