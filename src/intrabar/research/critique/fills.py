"""Weaknesses in the fills of a run: prices that may not have been there to be traded."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.engine.outcome.result import Result
from intrabar.model.bars import Floats
from intrabar.research.finding import Finding, marked

STALE_BARS = 5
"""Bars with the same close, one after the other, from which on a price is stale."""

STALE_DOUBT, STALE_FAIL = 0.01, 0.05
"""Share of the fills."""

GAP_RANGES = 1.0
"""Median ranges between a close and the next open from which on it is a gap."""

GAP_DOUBT, GAP_FAIL = 0.25, 0.75
"""Share of the net profit that was made between a close and a gapped open."""

VOLUME_DOUBT, VOLUME_FAIL = 0.01, 0.05
"""Share of its bar's volume that a large fill takes. Up to one percent passes for noise; from five
on the order is a good part of the trading that the bar shows, and its price is no longer given."""

LARGE = 0.95
"""Quantile of the fills that counts as large."""


def real_fills(result: Result) -> pl.DataFrame:
    """Fills that an order made: without splits and rolls."""
    return result.fills.filter(pl.col("order").is_not_null())


def places(result: Result, fills: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of the market of each fill."""
    column = {symbol: j for j, symbol in enumerate(result.market.symbols)}
    named = fills["symbol"].to_list()
    return fills["bar"].to_numpy(), np.array([column[s] for s in named], np.int64)


def stale_fills(result: Result) -> list[Finding]:
    """Fills on bars in which nothing was traded, or whose price had stood still."""
    fills = real_fills(result)
    if not fills.height:
        return []
    market = result.market
    rows, columns = places(result, fills)
    has_volume: NDArray[np.bool_] = np.asarray((market.volume > 0.0).any(axis=0))
    silent = (market.volume[rows, columns] <= 0.0) & has_volume[columns]
    still = standing(market.close, ~np.isnan(market.open))[rows, columns] >= STALE_BARS
    share = float((silent | still).mean())
    mark = marked(share, STALE_DOUBT, STALE_FAIL)
    if not (silent | still).any():
        mark = "pass"
    title = "Fills met prices that were alive."
    if mark != "pass":
        title = "Fills met prices at which nothing may have been traded."
    return [
        Finding(
            "stale fills",
            mark,
            title,
            f"{share:.1%} of {fills.height} fills: {int(silent.sum())} in bars without volume, "
            f"{int(still.sum())} after {STALE_BARS} bars or more with one and the same close",
            "" if mark == "pass" else "Leave such bars out of the data, or set max_volume_share.",
            {"share": share, "without_volume": float(silent.sum()), "still": float(still.sum())},
        )
    ]


def standing(close: Floats, real: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many bars before each one had its very close, without a break; (t, n)."""
    count = np.zeros(close.shape, np.int64)
    for j in range(close.shape[1]):
        rows = np.flatnonzero(real[:, j])
        same = np.diff(close[rows, j]) == 0.0
        number = np.arange(len(same))
        breaks = np.maximum.accumulate(np.where(same, -1, number)) if len(same) else number
        count[rows[1:], j] = number - breaks
    return count


def gapped_fills(result: Result) -> list[Finding]:
    """How much of the profit was made over gaps, in which nobody could trade."""
    fills = real_fills(result)
    profit = result.metrics.values["net_profit"] or 0.0
    if not fills.height or profit <= 0.0:
        return []
    market = result.market
    gaps, wide = gaps_of(result)
    rows, columns = places(result, fills)
    at_open = fills["phase"].to_numpy() == "open"
    met = at_open & wide[rows, columns]
    worth = np.array(list(result.point_values.values()))
    rate = np.ones(market.close.shape) if market.fx is None else market.fx
    held = positions_before(result)
    made = float(np.nansum(np.where(wide, held * gaps * worth * rate, 0.0)))
    share = made / profit
    mark = marked(share, GAP_DOUBT, GAP_FAIL)
    title = "The profit was not made over gaps."
    if mark != "pass":
        title = "Much of the profit was made over gaps, from a close to the next open."
    return [
        Finding(
            "gapped fills",
            mark,
            title,
            f"{share:.0%} of the net profit came over gaps wider than {GAP_RANGES:g} median bar "
            f"range; {met.mean():.1%} of the fills were at such opens",
            ""
            if mark == "pass"
            else "Ask whether the opens of these bars are auctions that take your size.",
            {"share_of_profit": share, "share_of_fills": float(met.mean()), "profit": made},
        )
    ]


def gaps_of(result: Result) -> tuple[Floats, NDArray[np.bool_]]:
    """Open less the close before, and whether that is a gap, at each bar; (t, n).

    Bars at whose open a split, a dividend or a roll changed the price have none.
    """
    market = result.market
    gaps = np.full(market.open.shape, np.nan)
    gaps[1:] = market.open[1:] - market.close[:-1]
    for action in market.actions:
        gaps[action.bar, action.instrument] = np.nan
    usual = np.nanmedian(market.high - market.low, axis=0)
    with np.errstate(invalid="ignore"):
        return gaps, np.abs(gaps) > np.maximum(GAP_RANGES * usual, 0.0)


def positions_before(result: Result) -> Floats:
    """The net position in each instrument before the open of each bar; (t, n)."""
    market = result.market
    rows, columns = places(result, result.fills)
    owners = result.fills["strategy"].to_list()
    after = result.fills["position"].to_numpy()
    last: dict[tuple[str, int], float] = {}
    change = np.zeros((len(market) + 1, len(market.symbols)))
    for row, column, owner, position in zip(rows, columns, owners, after, strict=True):
        key = (owner, int(column))
        change[row + 1, column] += position - last.get(key, 0.0)
        last[key] = float(position)
    held: Floats = np.cumsum(change, axis=0)[:-1]
    return held


def capacity(result: Result) -> list[Finding]:
    """Which share of their bars' volume the fills take, and at what size that is too much."""
    fills = real_fills(result)
    if not fills.height:
        return []
    rows, columns = places(result, fills)
    volume = result.market.volume[rows, columns]
    known = volume > 0.0
    if known.mean() < 0.5:
        return [
            Finding(
                "capacity",
                "unknown",
                "How much it can carry is not known.",
                f"{1.0 - known.mean():.0%} of the fills are in bars without volume",
                "Use data with volume, or keep the size small.",
                {"large_fill": None},
            )
        ]
    share = float(np.quantile(fills["qty"].to_numpy()[known] / volume[known], LARGE))
    mark = marked(share, VOLUME_DOUBT, VOLUME_FAIL)
    times = {limit: limit / share for limit in (VOLUME_DOUBT, VOLUME_FAIL)}
    title = "The market is large enough for this size."
    if mark != "pass":
        title = "Its fills are a visible part of the volume."
    return [
        Finding(
            "capacity",
            mark,
            title,
            f"one fill in twenty takes {share:.2%} of its bar's volume or more; that is 1 % at "
            f"{times[VOLUME_DOUBT]:,.1f} times this size, 5 % at {times[VOLUME_FAIL]:,.1f} times",
            "" if mark == "pass" else "Set max_volume_share and slippage_impact, and run again.",
            {
                "large_fill": share,
                "times_to_1_percent": times[VOLUME_DOUBT],
                "times_to_5_percent": times[VOLUME_FAIL],
            },
        )
    ]
