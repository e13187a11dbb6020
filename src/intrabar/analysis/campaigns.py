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
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.campaign_kernel import CAMPAIGN, LIFE, trace
from intrabar.analysis.sleeves import Owner, Sleeves, group, market_columns, worth
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
    traced = Traced(point_values)
    ended = traced.ended(group(fills), market, len(market) if rows is None else rows)
    found = np.concatenate([ended, traced.going(market)])
    return traced.table(found[np.argsort(found["number"])])


class Traced:
    """The campaigns of a run that comes piece by piece.

    Parameters
    ----------
    point_values : mapping of symbol to instrument's currency
    """

    def __init__(self, point_values: Mapping[str, float]) -> None:
        self._point_values = point_values
        self._owners: list[Owner] = []
        self._lives = np.zeros(0, LIFE)
        self._going = np.zeros(0, CAMPAIGN)
        self._worth: list[float] = []
        self._fills = self._started = self._end = 0

    def take(self, sleeves: Sleeves, market: Market, end: int) -> pl.DataFrame:
        """The campaigns that end with these fills, in the order of their ends, as a table.

        Parameters
        ----------
        sleeves, market, end
            As in `ended`.
        """
        return self.table(self.ended(sleeves, market, end))

    def running(self, market: Market) -> pl.DataFrame:
        """The campaigns that still run, marked at the last close, in the order of their starts."""
        return self.table(self.going(market))

    def ended(self, sleeves: Sleeves, market: Market, end: int) -> NDArray[Any]:
        """The campaigns that end with these fills, in the order of their ends, (k,) CAMPAIGN.

        Parameters
        ----------
        sleeves : Sleeves
            The fills since the call before; sleeves that were there then come first again.
        market : Market
            Its rows since the call before.
        end : int
            The row behind the last that was lived.
        """
        sleeves.fills["row"] += self._fills
        self._fills += len(sleeves.fills)
        self._owners = sleeves.owners
        more = len(self._owners) - len(self._lives)
        self._lives = np.append(self._lives, np.zeros(more, LIFE))
        self._going = np.append(self._going, np.zeros(more, CAMPAIGN))
        self._lives["bar"][len(self._lives) - more :] = -1
        out = np.zeros(len(sleeves.fills) + len(self._owners), CAMPAIGN)
        self._worth = [
            float(worth(market, self._point_values, s, end - 1, end)[0]) for s in sleeves.symbol
        ]
        count = trace(
            sleeves.fills,
            sleeves.first,
            market_columns(sleeves.symbol, market.symbols),
            self._lives.view(np.recarray),
            self._going.view(np.recarray),
            market.open[:end],
            market.high[:end],
            market.low[:end],
            market.close[:end],
            out.view(np.recarray),
        )
        self._end = end
        ended = out[:count]
        self._number(ended)
        return ended[np.lexsort((ended["number"], ended["end_bar"]))]

    def going(self, market: Market) -> NDArray[Any]:
        """The campaigns that still run, marked at the last close, (k,) CAMPAIGN."""
        rows = np.flatnonzero(self._lives["held"] != 0.0)
        found = self._going[rows]
        for campaign, row in zip(found, rows.tolist(), strict=True):
            life, symbol = self._lives[row], self._owners[row][1]
            close = market.close[self._end - 1, market.symbols.index(symbol)]
            campaign["gross"] += life["held"] * (close - life["average"]) * self._worth[row]
        return found[np.argsort(found["number"])]

    def _number(self, ended: NDArray[Any]) -> None:
        """Give those that have started since the call before their numbers."""
        running = np.flatnonzero(self._lives["held"] != 0.0)
        rows = np.concatenate([ended["start_row"], self._going["start_row"][running]])
        numbers = np.concatenate([ended["number"], self._going["number"][running]])
        new = np.flatnonzero(numbers < 0)
        numbers[new[np.argsort(rows[new])]] = self._started + np.arange(len(new))
        self._started += len(new)
        ended["number"] = numbers[: len(ended)]
        self._going["number"][running] = numbers[len(ended) :]

    def table(self, found: NDArray[Any]) -> pl.DataFrame:
        """Campaigns as `docs/architecture.md` has them."""
        column = {name: np.ascontiguousarray(found[name]) for name in found.dtype.names or ()}
        is_open = column["end_bar"] < 0
        strategies, symbols = ([owner[k] for owner in self._owners] for k in (0, 1))
        net = column["gross"] - column["costs"]
        risk = column["risk"]
        r = np.divide(net, risk, out=np.full(net.shape, np.nan), where=risk > 0)
        last_bar = np.where(is_open, self._end - 1, column["end_bar"])
        sides = {int(side): side.word for side in Side}
        table = pl.DataFrame(
            {
                "campaign": column["number"],
                "strategy": pl.Series(strategies, dtype=pl.String).gather(column["sleeve"]),
                "symbol": pl.Series(symbols, dtype=pl.String).gather(column["sleeve"]),
                "side": pl.Series(column["side"]).replace_strict(sides, return_dtype=pl.String),
                "start_bar": column["start_bar"],
                "end_bar": column["end_bar"],
                "start": pl.Series(column["start_time"]).cast(TIME),
                "end": pl.Series(column["end_time"]).cast(TIME),
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
