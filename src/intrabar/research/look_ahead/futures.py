"""Other futures of a market: the same bars up to a place, other values after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Floats, Market

COLUMNS = ("open", "high", "low", "close", "volume")
KINDS = ("noise", "shuffle", "blank", "end")
"""Random values; the later bars in another order; no bar any more; no more timeline."""


def other_future(
    market: Market,
    row: int,
    kind: str,
    column: str = "all",
    *,
    at_open: bool = False,
    seed: int | tuple[int, ...] = 0,
) -> Market:
    """The market with everything that is not known at a place replaced.

    Parameters
    ----------
    market : Market
    row : int
        The last bar that stays as it is.
    kind : one of KINDS
    column : "all" or one of COLUMNS
        Replace this column alone, in every instrument.
    at_open : bool
        Of the bar at `row` only the opens stay.
    seed : int or tuple of int

    Notes
    -----
    Bars stay consistent: no high below an open or close, no low above one, a close that is
    carried where there is no bar. A blank column alone is NaN.
    """
    if kind == "end":
        return market.rows(slice(0, row + 1))
    values: dict[str, Any] = {name: getattr(market, name).copy() for name in COLUMNS}
    first = row if at_open else row + 1
    if kind == "blank":
        return _blank(market, values, row + 1, column)
    draw = np.random.default_rng(seed)
    real = ~np.isnan(market.open)
    for j in range(len(market.symbols)):
        rows = first + np.flatnonzero(real[first:, j])
        bars = {name: values[name][rows, j] for name in COLUMNS}
        made = _noise(bars, draw) if kind == "noise" else _shuffled(bars, draw)
        for name in COLUMNS if column == "all" else (column,):
            bars[name] = made[name]
        if at_open and rows.size and rows[0] == row:
            bars["open"][0] = market.open[row, j]
        _make_consistent(bars, column)
        for name in COLUMNS:
            values[name][rows, j] = bars[name]
        _carry(values["close"][:, j], real[:, j], first)
    return replace(market, **values)


def _blank(market: Market, values: dict[str, Any], first: int, column: str) -> Market:
    if column != "all":
        values[column][first:] = np.nan
        return replace(market, **values)
    for name in ("open", "high", "low"):
        values[name][first:] = np.nan
    values["close"][first:] = values["close"][first - 1]
    values["volume"][first:] = 0.0
    open_time = market.open_time.copy()
    open_time[first:] = market.time[first:, None]
    acted = tuple(a for a in market.actions if a.bar < first)
    return replace(market, **values, open_time=open_time, actions=acted)


def _noise(bars: dict[str, Floats], draw: np.random.Generator) -> dict[str, Floats]:
    """Prices some five usual bars away, volumes of any size."""
    o, h, low, c, v = (bars[name] for name in COLUMNS)
    n = o.shape[0]
    reach = float(np.mean(h - low)) if n else 0.0
    size = float(np.mean(np.abs(c))) if n else 0.0
    scale = 5.0 * reach or 0.01 * size or 1.0

    def moved(price: Floats) -> Floats:
        by = scale * draw.normal(size=n)
        up = price > 0.0
        relative = np.clip(by / np.where(up, price, 1.0), -2.0, 2.0)
        return np.where(up, price * np.exp(relative), price + by)

    made = {"open": moved(o), "close": moved(c)}
    made["high"] = np.maximum.reduce([made["open"], made["close"], moved(h)])
    made["low"] = np.minimum.reduce([made["open"], made["close"], moved(low)])
    usual = float(np.mean(v)) if n and np.mean(v) > 0.0 else 1000.0
    made["volume"] = np.round(usual * np.exp(draw.normal(0.0, 2.0, n))) + 1.0
    return made


def _shuffled(bars: dict[str, Floats], draw: np.random.Generator) -> dict[str, Floats]:
    order = draw.permutation(bars["open"].shape[0])
    return {name: values[order] for name, values in bars.items()}


def _make_consistent(bars: dict[str, Floats], column: str) -> None:
    if column in ("open", "close"):
        bars[column] = np.clip(bars[column], bars["low"], bars["high"])
    bars["high"] = np.maximum.reduce([bars["high"], bars["open"], bars["close"]])
    bars["low"] = np.minimum.reduce([bars["low"], bars["open"], bars["close"]])


def _carry(close: Floats, real: NDArray[np.bool_], first: int) -> None:
    """Carry closes over the bars that an instrument does not have, in place."""
    rows = np.arange(close.shape[0])
    latest = np.maximum.accumulate(np.where(real, rows, -1))
    carried = (rows >= first) & ~real & (latest >= 0)
    close[carried] = close[latest[carried]]


def first_difference(a: NDArray[Any], b: NDArray[Any], rows: int) -> int | None:
    """The first of so many rows in which two arrays differ; None where none does."""
    both = min(rows, a.shape[0], b.shape[0])
    one, two = a[:both], b[:both]
    if one.shape != two.shape:
        return 0
    unequal = np.asarray((one != two) & ~((one != one) & (two != two)))  # NaN equals NaN
    places = np.flatnonzero(unequal.reshape(both, -1).any(axis=1)) if both else np.empty(0)
    if places.size:
        return int(places[0])
    return both if min(rows, max(a.shape[0], b.shape[0])) > both else None
