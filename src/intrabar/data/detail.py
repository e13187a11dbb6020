"""Detail bars: shorter bars of the same instrument that show the path inside a longer one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from intrabar.data.calendars import whole_day
from intrabar.data.catalogue import Catalogue
from intrabar.data.manifest import Manifest
from intrabar.data.periods import parse_period
from intrabar.model.bars import Bars, Detail, Market, Times
from intrabar.model.prices import near_each


def rows_inside(
    open_time: Times, close_time: Times, detail: Bars
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which detail bars lie inside each bar, from its open to its close.

    Parameters
    ----------
    open_time, close_time : (n,) int64, ns UTC
    detail : Bars
        Shorter ones of the same instrument.

    Returns
    -------
    first, count : (n,) int64
        Row of the first detail bar inside, and how many there are; 0 where there is none.
    """
    first = np.searchsorted(detail.open_time, open_time, "left")
    end = np.searchsorted(detail.close_time, whole_day(close_time), "right")
    return first, np.maximum(end - first, 0)


def detail_rows(
    market: Market, detail: Sequence[Bars | None], ticks: Sequence[float]
) -> tuple[Detail, NDArray[np.int64]]:
    """Lay detail bars under the bars of a market.

    Parameters
    ----------
    market : Market
    detail : sequence of Bars or None
        Per column of the market; None where there are none.
    ticks : sequence of price
        Tick size per column.

    Returns
    -------
    Detail
        For `Market.detail`; `first` is -1 where a bar has none.
    missing : (n,) int64
        Bars of each instrument without detail, or with one that does not agree with them.

    Notes
    -----
    Detail whose first open, highest high, lowest low and last close are not those of the bar says
    nothing about it: it came from elsewhere, or a part of it is missing.
    """
    first = np.full(market.open.shape, -1, np.int64)
    count = np.zeros(market.open.shape, np.int64)
    missing = np.zeros(len(market.symbols), np.int64)
    stacked = [np.empty((0, 4))]
    above = 0
    for j, (bars, tick) in enumerate(zip(detail, ticks, strict=True)):
        real = np.flatnonzero(~np.isnan(market.open[:, j]))
        missing[j] = len(real)
        if bars is None or not len(real):
            continue
        start, inside = rows_inside(market.open_time[real, j], market.time[real], bars)
        kept = np.flatnonzero(inside)
        kept = kept[_agrees(market, j, real[kept], bars, start[kept], inside[kept], tick)]
        first[real[kept], j] = above + start[kept]
        count[real[kept], j] = inside[kept]
        missing[j] -= len(kept)
        stacked.append(np.column_stack([bars.open, bars.high, bars.low, bars.close]))
        above += len(bars)
    return Detail(first, count, np.ascontiguousarray(np.concatenate(stacked))), missing


def _agrees(
    market: Market, j: int, rows: Times, bars: Bars, first: Times, count: Times, tick: float
) -> NDArray[np.bool_]:
    """Whether detail bars have the four prices of the bars above them; none is empty."""
    last = first + count - 1
    # The edges of what lies inside each bar, in turn: every second part is between two bars. The
    # last edge is cut to the end of the detail, so its last bar is looked at by itself.
    edges = np.minimum(np.stack([first, last + 1], axis=1).ravel(), len(bars) - 1)
    high = np.maximum(np.maximum.reduceat(bars.high, edges)[::2], bars.high[last])
    low = np.minimum(np.minimum.reduceat(bars.low, edges)[::2], bars.low[last])
    made = (bars.open[first], high, low, bars.close[last])
    own = (getattr(market, name)[rows, j] for name in ("open", "high", "low", "close"))
    near = [np.abs(a - b) <= near_each(a, b, tick) for a, b in zip(made, own, strict=True)]
    return np.asarray(np.all(near, axis=0), np.bool_)


def detail_in(catalogue: Catalogue, symbol: str, period: int) -> Bars | None:
    """The shortest bars of a symbol that the catalogue has; None where none is shorter.

    Parameters
    ----------
    catalogue : Catalogue
    symbol : str
    period : int, ns
        Of the bars whose inside they are to show.
    """
    found = shorter(catalogue, symbol, period)
    return None if found is None else catalogue.read(symbol, found.period)


def shorter(catalogue: Catalogue, symbol: str, period: int) -> Manifest | None:
    """The dataset of `detail_in`."""
    found = [m for m in catalogue.list() if m.symbol == symbol]
    return next((m for m in found if parse_period(m.period) < period), None)


def guessed(symbols: Sequence[str], missing: Times, real: Times) -> list[str]:
    """How many of the bars of each instrument have no lower bars, in words."""
    return [
        f"{symbol}: {none:,} of {all_:,} bars have no lower bars that agree with them; their path "
        "is the shortest"
        for symbol, none, all_ in zip(symbols, missing, real, strict=True)
        if none
    ]
