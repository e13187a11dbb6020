"""Fills as the kernels read them: numbers only, one sleeve after the other.

A sleeve is one strategy's position in one instrument. Within a sleeve the fills keep the order of
the table, which is the order in which they happened. `position` of the table says where a sleeve
stands after a fill, so nobody here decides again whether a sum of quantities is flat.
A split is a fill of no quantity whose price is the ratio: what a sleeve holds is multiplied by it,
and the prices that it remembers are divided, so that all that follows is in one scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.errors import DataError, NotFoundError
from intrabar.model.bars import Market
from intrabar.model.enums import FillReason, Phase, Side

FILL = np.dtype(
    [
        ("row", np.int64),  # row of the fills table
        ("bar", np.int64),
        ("time", np.int64),  # ns UTC
        ("order", np.int64),  # -1: a split or a roll
        ("phase", np.int64),
        ("qty", np.float64),  # signed; 0: a split, whose ratio is the price
        ("price", np.float64),
        ("cost", np.float64),
        ("realized", np.float64),
        ("position", np.float64),  # signed, after the fill
        ("stop", np.float64),  # NaN where it made none
        ("point_value", np.float64),  # account currency, at the fill
        ("reason", np.int64),
        ("ambiguous", np.bool_),
        ("settled", np.bool_),
    ]
)
SIDES = {side.word: int(side) for side in Side}
PHASES = {phase.word: int(phase) for phase in Phase}
REASONS = {reason.word: int(reason) for reason in FillReason}


Owner = tuple[str, str]
"""Strategy and symbol."""


class Sleeves(NamedTuple):
    """The fills of a run, grouped.

    Parameters
    ----------
    fills : (n,) FILL
    first : (k + 1,) int64
        The fills of sleeve `s` are `first[s]` to `first[s + 1] - 1`.
    strategy, symbol : list of str, k long
    """

    fills: NDArray[np.void]
    first: NDArray[np.int64]
    strategy: list[str]
    symbol: list[str]

    @property
    def owners(self) -> list[Owner]:
        """Of each sleeve."""
        return list(zip(self.strategy, self.symbol, strict=True))


def group(fills: pl.DataFrame, known: Sequence[Owner] = ()) -> Sleeves:
    """Group a fills table by strategy and symbol.

    Parameters
    ----------
    fills : table
        As `docs/architecture.md` describes it, in the order in which the fills happened.
    known : sequence of Owner
        Sleeves that come first, whether they have fills or not.

    Raises
    ------
    DataError
        The bars of the fills fall.
    """
    owner = pl.col("strategy").cast(pl.String), pl.col("symbol").cast(pl.String)
    schema = {"strategy": pl.String, "symbol": pl.String}
    before = pl.DataFrame(list(known), schema=schema, orient="row")
    owners = pl.concat([before, fills.select(owner)]).unique(maintain_order=True)
    owners = owners.with_row_index("sleeve")
    sleeve = (
        fills.select(owner)
        .join(owners, on=["strategy", "symbol"], how="left", maintain_order="left")["sleeve"]
        .to_numpy()
    )
    rows = np.argsort(sleeve, kind="stable")
    symbols = owners["symbol"].to_list()
    first = np.zeros(len(symbols) + 1, dtype=np.int64)
    np.cumsum(np.bincount(sleeve, minlength=len(symbols)), out=first[1:])
    return Sleeves(_records(fills)[rows], first, owners["strategy"].to_list(), symbols)


def market_columns(symbols: list[str], known: tuple[str, ...]) -> NDArray[np.int64]:
    """The market's column of each symbol.

    Raises
    ------
    NotFoundError
        A symbol that the market does not have.
    """
    for symbol in symbols:
        if symbol not in known:
            raise NotFoundError("symbol", symbol, known)
    return np.array([known.index(s) for s in symbols], dtype=np.int64)


def worth(
    market: Market, point_values: Mapping[str, float], symbol: str, first: int, end: int
) -> NDArray[np.float64]:
    """Worth of a move of 1.0 in price at the close of rows `first` to `end - 1`, account currency.

    Parameters
    ----------
    market : Market
        Its rates of exchange, where it has some.
    point_values : mapping of symbol to instrument's currency
    symbol : str
        One of the market.
    first, end : row

    Raises
    ------
    NotFoundError
        A symbol without a point value.
    """
    if symbol not in point_values:
        raise NotFoundError("point value of symbol", symbol, point_values)
    if market.fx is None:
        return np.full(end - first, point_values[symbol])
    rate: NDArray[np.float64] = market.fx[first:end, market.symbols.index(symbol)]
    return np.ascontiguousarray(rate * point_values[symbol])


def _records(fills: pl.DataFrame) -> NDArray[np.void]:
    words = {"side": SIDES, "reason": REASONS, "phase": PHASES}
    money = ("price", "cost", "realized", "position", "stop", "point_value")
    read = fills.select(  # at once: each reading by itself costs more than all of them
        "bar",
        "qty",
        pl.col("time").cast(pl.Datetime("ns", "UTC")).to_physical(),
        pl.col("order").fill_null(-1),
        *(
            pl.col(name).cast(pl.String).replace_strict(codes, return_dtype=pl.Int64)
            for name, codes in words.items()
        ),
        *(pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in money),
        "ambiguous",
        "settled",
    )
    out = np.recarray(fills.height, dtype=FILL)
    out["row"] = np.arange(fills.height)
    for name in read.columns:
        if name != "side":
            out[name] = read[name].to_numpy()
    out["qty"] *= read["side"].to_numpy()
    if fills.height and np.diff(out["bar"]).min(initial=0) < 0:
        raise DataError("fills: the bars fall; keep them in the order in which they happened")
    return out
