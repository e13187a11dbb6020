"""Trades: each opening fill paired with the fills that closed it, first in first out."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.campaigns import TIME
from intrabar.analysis.sleeves import group
from intrabar.kernel import kernel
from intrabar.model.enums import Side

TRADE = np.dtype(
    [
        ("sleeve", np.int64),
        ("side", np.int64),
        ("open_row", np.int64),
        ("close_row", np.int64),
        ("open_bar", np.int64),
        ("close_bar", np.int64),
        ("qty", np.float64),
        ("open_price", np.float64),
        ("close_price", np.float64),
        ("gross", np.float64),
        ("costs", np.float64),
    ]
)
# An opening fill, in the scale of the present: its quantity, what of it is still open, its price.
LOT = np.dtype([("qty", np.float64), ("left", np.float64), ("price", np.float64)])


def trades(fills: pl.DataFrame) -> pl.DataFrame:
    """The closed trades of a run, in the order in which they closed.

    Parameters
    ----------
    fills : table
        In the order in which the fills happened.

    Returns
    -------
    table
        `trades` of `docs/architecture.md`. `costs` is the trade's share, by quantity, of the
        costs of the two fills; what is still open is in no trade. A split in between puts
        quantity and opening price into the scale of the close.
    """
    sleeves = group(fills)
    out = np.zeros(2 * fills.height, dtype=TRADE).view(np.recarray)
    count = pair(sleeves.fills, sleeves.first, out)
    found = out[:count]
    found = found[np.argsort(found["close_row"], kind="stable")]
    column = {name: np.ascontiguousarray(found[name]) for name in found.dtype.names or ()}
    time = fills["time"].cast(TIME)
    sides = {int(side): side.word for side in Side}
    return pl.DataFrame(
        {
            "strategy": pl.Series(sleeves.strategy, dtype=pl.String).gather(column["sleeve"]),
            "symbol": pl.Series(sleeves.symbol, dtype=pl.String).gather(column["sleeve"]),
            "side": pl.Series(column["side"]).replace_strict(sides, return_dtype=pl.String),
            "open_bar": column["open_bar"],
            "close_bar": column["close_bar"],
            "open_time": time.gather(column["open_row"]),
            "close_time": time.gather(column["close_row"]),
            "qty": column["qty"],
            "open_price": column["open_price"],
            "close_price": column["close_price"],
            "gross": column["gross"],
            "costs": column["costs"],
            "net": column["gross"] - column["costs"],
        }
    )


@kernel
def pair(fills: Any, first: NDArray[np.int64], out: Any) -> int:
    """Pair the fills of every sleeve; the number of trades written to `out`.

    Parameters
    ----------
    fills, first
        As in `sleeves.Sleeves`.
    out : (2 n,) TRADE
        A fill ends at most one trade more than it uses up lots.
    """
    lots = np.empty(fills.shape[0], LOT)  # of each opening fill
    count = 0
    for s in range(first.shape[0] - 1):
        oldest = first[s]
        held = 0.0
        for i in range(first[s], first[s + 1]):
            fill = fills[i]
            size = abs(fill.qty)
            after = fill.position
            flips = held * after < 0.0
            opened = size if held * fill.qty >= 0.0 else (abs(after) if flips else 0.0)
            if fill.qty == 0.0:
                for k in range(oldest, i):
                    lots[k].qty *= fill.price
                    lots[k].left *= fill.price
                    lots[k].price /= fill.price
            elif opened < size:
                oldest, count = close_lots(fills, i, size - opened, lots, oldest, s, out, count)
            if after == 0.0 or flips:
                oldest = i  # what rounding left of older lots is gone
            lots[i].qty, lots[i].left, lots[i].price = size, opened, fill.price
            held = after
    return count


@kernel
def close_lots(
    fills: Any,
    i: int,
    closing: float,
    lots: Any,
    oldest: int,
    sleeve: int,
    out: Any,
    count: int,
) -> tuple[int, int]:
    """Close a quantity of fill `i` against the oldest open lots; the new oldest, and the count."""
    fill = fills[i]
    dust = 1e-12 * abs(fill.qty)
    side = -1 if fill.qty > 0 else 1
    while oldest < i and closing > dust:
        lot = lots[oldest]
        taken = min(lot.left, closing)
        if taken > dust:
            opening = fills[oldest]
            trade = out[count]
            count += 1
            trade.sleeve = sleeve
            trade.side = side
            trade.open_row = opening.row
            trade.close_row = fill.row
            trade.open_bar = opening.bar
            trade.close_bar = fill.bar
            trade.qty = taken
            trade.open_price = lot.price
            trade.close_price = fill.price
            trade.gross = side * (fill.price - lot.price) * taken * fill.point_value
            trade.costs = opening.cost * (taken / lot.qty) + fill.cost * (taken / abs(fill.qty))
        lot.left -= taken
        closing -= taken
        if lot.left <= dust:
            oldest += 1
    return oldest, count
