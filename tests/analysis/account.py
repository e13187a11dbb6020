"""A tiny account and a tiny market: tables for the tests, kept with plain Python numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from intrabar.model.bars import Market

MINUTE_NS = 60_000_000_000
START_NS = 1_700_000_000_000_000_000
NAN = float("nan")


class Deal(NamedTuple):
    """One execution; a negative quantity sells, none at all is a split whose ratio is the price."""

    bar: int
    qty: float
    price: float
    cost: float = 0.0
    reason: str = "entry"
    stop: float = NAN
    symbol: str = "A"
    strategy: str = "s"
    ambiguous: bool = False
    phase: str = "intrabar"
    order: int = -2  # an order of its own
    point_value: float = 0.0  # that of the account


def fills_of(deals: Sequence[Deal], point_value: float = 1.0) -> pl.DataFrame:
    """The fills table of deals, booked at average price as the account does it."""
    held: dict[tuple[str, str], tuple[float, float]] = {}
    rows = []
    for order, d in enumerate(deals):
        position, average = held.get((d.strategy, d.symbol), (0.0, 0.0))
        value = d.point_value or point_value
        after = position + d.qty if d.qty else position * d.price
        if abs(after) < 1e-9:
            after = 0.0
        realized = 0.0
        if position * d.qty < 0:
            closed = min(abs(position), abs(d.qty))
            realized = (d.price - average) * closed * (1 if position > 0 else -1) * value
        if d.qty == 0:
            average /= d.price
        elif position * d.qty >= 0:
            average = (average * abs(position) + d.price * abs(d.qty)) / abs(after)
        elif position * after < 0:
            average = d.price
        held[d.strategy, d.symbol] = (after, average)
        rows.append(
            {
                "bar": d.bar,
                "time": START_NS + d.bar * MINUTE_NS,
                "phase": d.phase,
                "strategy": d.strategy,
                "symbol": d.symbol,
                "order": order if d.order == -2 else d.order,
                "side": "buy" if d.qty > 0 else "sell",
                "qty": abs(d.qty),
                "price": d.price,
                "cost": d.cost,
                "reason": d.reason,
                "realized": realized,
                "position": after,
                "stop": d.stop,
                "target": NAN,
                "ambiguous": d.ambiguous,
                "settled": False,
                "point_value": value,
            }
        )
    schema = {
        "bar": pl.Int64,
        "time": pl.Int64,
        "phase": pl.String,
        "strategy": pl.String,
        "symbol": pl.String,
        "order": pl.Int64,
        "side": pl.String,
        "qty": pl.Float64,
        "price": pl.Float64,
        "cost": pl.Float64,
        "reason": pl.String,
        "realized": pl.Float64,
        "position": pl.Float64,
        "stop": pl.Float64,
        "target": pl.Float64,
        "ambiguous": pl.Boolean,
        "settled": pl.Boolean,
        "point_value": pl.Float64,
    }
    table = pl.DataFrame(rows, schema=schema)
    return table.with_columns(pl.col("time").cast(pl.Datetime("ns", "UTC")))


def market_of(
    closes: dict[str, Sequence[float]],
    highs: dict[str, Sequence[float]] | None = None,
    lows: dict[str, Sequence[float]] | None = None,
    opens: dict[str, Sequence[float]] | None = None,
) -> Market:
    """A market with one bar a minute; open, high and low are the close unless given."""
    symbols = tuple(closes)
    close = np.column_stack([np.array(closes[s], dtype=np.float64) for s in symbols])
    open_, high, low = close.copy(), close.copy(), close.copy()
    for table, given in ((open_, opens), (high, highs), (low, lows)):
        for symbol, values in (given or {}).items():
            table[:, symbols.index(symbol)] = values
    time = START_NS + MINUTE_NS * np.arange(close.shape[0], dtype=np.int64)
    return Market(
        symbols,
        time,
        open_,
        high,
        low,
        close,
        np.ones_like(close),
        np.zeros(close.shape, dtype=np.uint8),
        np.column_stack([time - MINUTE_NS] * len(symbols)),
        MINUTE_NS,
    )
