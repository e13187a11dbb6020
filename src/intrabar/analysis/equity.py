"""Profit over time of every strategy or instrument, rebuilt from fills and marks.

The account's own equity curve is recorded by the run; this shares it out. What belongs to no fill
(borrow, swap, interest, dividends) is the account's alone and is not in these curves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.sleeves import group, market_columns, worth
from intrabar.kernel import kernel
from intrabar.model.bars import Market

Floats = NDArray[np.float64]
Key = Literal["strategy", "symbol"]


class Curve(NamedTuple):
    """One strategy or instrument over the timeline.

    Parameters
    ----------
    profit : (t,) float64, account currency
        Realized less costs so far, plus the open profit at the close of the row.
    held : (t,) bool
        A position was open at the close of the row.
    """

    profit: Floats
    held: NDArray[np.bool_]


def curves_by(
    fills: pl.DataFrame, market: Market, point_values: Mapping[str, float], key: Key
) -> dict[str, Curve]:
    """A curve for each strategy or symbol that filled, in the order of their first fills.

    Parameters
    ----------
    fills : table
    market : Market
    point_values : mapping of symbol to instrument's currency
    key : {"strategy", "symbol"}
    """
    sleeves = group(fills)
    columns = market_columns(sleeves.symbol, market.symbols)
    owners = sleeves.strategy if key == "strategy" else sleeves.symbol
    curves: dict[str, Curve] = {}
    for s, owner in enumerate(owners):
        if owner not in curves:
            t = len(market)
            curves[owner] = Curve(np.zeros(t), np.zeros(t, dtype=np.bool_))
        own = sleeves.fills[sleeves.first[s] : sleeves.first[s + 1]]
        close = market.close[:, columns[s]]
        add_sleeve(own, close, worth(market, point_values, sleeves.symbol[s]), *curves[owner])
    return curves


def equity_by(
    fills: pl.DataFrame, market: Market, point_values: Mapping[str, float], key: Key
) -> dict[str, Floats]:
    """The `profit` of each curve of `curves_by`: what it added to the account's equity so far."""
    return {name: c.profit for name, c in curves_by(fills, market, point_values, key).items()}


@kernel
def add_sleeve(
    fills: Any, close: Floats, worth: Floats, profit: Floats, held: NDArray[np.bool_]
) -> None:
    """Add one sleeve to a curve: cumulated realized less cost, plus the open profit.

    `worth` is that of a move of 1.0 in price at each close.
    """
    banked = 0.0
    position = 0.0
    average = 0.0
    for i in range(fills.shape[0]):
        fill = fills[i]
        after = fill.position
        banked += fill.realized - fill.cost
        if fill.qty == 0.0:  # a split
            average /= fill.price
        elif position * after <= 0.0:
            average = fill.price
        elif position * fill.qty > 0.0:
            average += (fill.price - average) * (abs(fill.qty) / abs(after))
        position = after
        end = fills[i + 1].bar if i + 1 < fills.shape[0] else close.shape[0]
        for bar in range(fill.bar, end):
            profit[bar] += banked
            if position != 0.0:
                profit[bar] += position * (close[bar] - average) * worth[bar]
                held[bar] = True
