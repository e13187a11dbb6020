"""Campaigns: what one sleeve did from flat to flat.

Rules
-----
- A campaign starts with the fill that leaves flat and ends with the one that reaches it. A flip
  ends one and starts the next; its cost is shared by quantity, what it realized belongs to the
  one that it ends.
- `entry` and `exit` are means over all quantities that entered and left, `qty` is the largest
  position, `bars` is `end_bar - start_bar` in rows of the timeline (0: in and out in one bar).
- `side` is the side of the entry: `buy` is long.
- `risk` is that of the order that started it, all its parts, to the first stop.
- `mae` and `mfe` are measured from the average price of the position at that time, over what it
  certainly lived through: its own fills; the high and the low of every bar that it lived whole,
  against the average with which it left that bar; the close of a first bar that it entered
  after the OPEN; the open of a last bar that it left after the OPEN, against the average with
  which it came through the OPEN. Whole are the bars between, a first bar entered at OPEN, and a
  last bar left at CLOSE. The extremes of other bars may lie outside its life, so they do not
  count. Synthetic bars show nothing.
- A split puts what was before it into the scale after it: quantities times the ratio, prices
  divided by it. Money stays. A roll ends one campaign and starts the next.
- The exit reason is that of the fill that reached flat; `exit` and `entry` are called `signal`.
- A campaign that is still open is marked at the last close; end, exit and reason are null.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.campaign_kernel import CAMPAIGN, trace
from intrabar.analysis.sleeves import Sleeves, group, market_columns, worth
from intrabar.model.bars import Market
from intrabar.model.enums import FillReason, Side

TIME = pl.Datetime("ns", "UTC")
EXIT_REASONS = {
    int(reason): "signal" if reason in (FillReason.ENTRY, FillReason.EXIT) else reason.word
    for reason in FillReason
}


def campaigns(
    fills: pl.DataFrame,
    market: Market,
    point_values: Mapping[str, float],
    rows: int | None = None,
) -> pl.DataFrame:
    """The campaigns of a run, in the order in which they started.

    Parameters
    ----------
    fills : table
        In the order in which the fills happened.
    market : Market
        The bars; `bar` of the fills is a row of it.
    point_values : mapping of symbol to instrument's currency
        At the rates of the market they value what is still open.
    rows : int or None
        Rows of the market that the run lived, where it ended early (ruin, pause); what is open
        is marked at the last of them. None: all.

    Returns
    -------
    table
        `campaigns` of `docs/architecture.md`. Money in account currency, `mae` and `mfe` in
        price, `r` in initial risks.
    """
    sleeves = group(fills)
    rows = len(market) if rows is None else rows
    out = np.zeros(fills.height, dtype=CAMPAIGN).view(np.recarray)
    count = trace(
        sleeves.fills,
        sleeves.first,
        market_columns(sleeves.symbol, market.symbols),
        np.array([worth(market, point_values, s)[rows - 1] for s in sleeves.symbol]),
        market.open[:rows],
        market.high[:rows],
        market.low[:rows],
        market.close[:rows],
        out,
    )
    found = out[:count]
    return _table(found[np.argsort(found["start_row"], kind="stable")], fills, sleeves, rows)


def _table(
    found: NDArray[np.void], fills: pl.DataFrame, sleeves: Sleeves, bars: int
) -> pl.DataFrame:
    column = {name: np.ascontiguousarray(found[name]) for name in found.dtype.names or ()}
    is_open = column["end_row"] < 0
    strategy = pl.Series(sleeves.strategy, dtype=pl.String)
    symbol = pl.Series(sleeves.symbol, dtype=pl.String)
    net = column["gross"] - column["costs"]
    risk = column["risk"]
    r = np.divide(net, risk, out=np.full(net.shape, np.nan), where=risk > 0)
    last_bar = np.where(is_open, bars - 1, column["end_bar"])
    time = fills["time"].cast(TIME)
    sides = {int(side): side.word for side in Side}
    table = pl.DataFrame(
        {
            "campaign": np.arange(found.shape[0], dtype=np.int64),
            "strategy": strategy.gather(column["sleeve"]),
            "symbol": symbol.gather(column["sleeve"]),
            "side": pl.Series(column["side"]).replace_strict(sides, return_dtype=pl.String),
            "start_bar": column["start_bar"],
            "end_bar": column["end_bar"],
            "start": time.gather(column["start_row"]),
            "end": time.gather(np.maximum(column["end_row"], 0)),
            "bars": last_bar - column["start_bar"],
            "qty": column["qty"],
            "entry": column["entry"],
            "exit": column["exit"],
            "gross": column["gross"],
            "costs": column["costs"],
            "net": net,
            "risk": risk,
            "r": r,
            "mae": column["mae"],
            "mfe": column["mfe"],
            "reason": pl.Series(column["reason"]).replace_strict(
                EXIT_REASONS, return_dtype=pl.String
            ),
            "ambiguous": column["ambiguous"],
            "settled": column["settled"],
        }
    )
    closed = pl.Series(~is_open)
    return table.with_columns(
        pl.when(closed).then(pl.col(name)).otherwise(None).alias(name)
        for name in ("end_bar", "end", "exit", "reason")
    )
