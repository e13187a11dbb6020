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

from intrabar.analysis.sleeves import Sleeves, group, market_columns, worth
from intrabar.kernel import kernel
from intrabar.model.bars import Market

Floats = NDArray[np.float64]
Key = Literal["strategy", "symbol"]
BANK = np.dtype([("banked", np.float64), ("position", np.float64), ("average", np.float64)])


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
    return Shared(point_values).take(group(fills), market, 0, len(market))[key]


class Shared:
    """The curves of strategies and instruments over a run that comes piece by piece.

    Parameters
    ----------
    point_values : mapping of symbol to instrument's currency
    """

    def __init__(self, point_values: Mapping[str, float]) -> None:
        self._point_values = point_values
        self._banks = np.zeros(0, BANK)

    def take(
        self, sleeves: Sleeves, market: Market, first: int, end: int
    ) -> dict[Key, dict[str, Curve]]:
        """The curves over rows `first` to `end - 1`, whose fills are given.

        Sleeves that were there before come first again.
        """
        more = len(sleeves.symbol) - len(self._banks)
        self._banks = np.append(self._banks, np.zeros(more, BANK))
        columns = market_columns(sleeves.symbol, market.symbols)
        curves: dict[Key, dict[str, Curve]] = {"strategy": {}, "symbol": {}}
        t = end - first
        for s, (strategy, symbol) in enumerate(sleeves.owners):
            profit, held = np.zeros(t), np.zeros(t, dtype=np.bool_)
            own = sleeves.fills[sleeves.first[s] : sleeves.first[s + 1]]
            close = market.close[first:end, columns[s]]
            value = worth(market, self._point_values, symbol, first, end)
            share_out(own, self._banks.view(np.recarray)[s], first, close, value, profit, held)
            names: tuple[tuple[Key, str], ...] = (("strategy", strategy), ("symbol", symbol))
            for key, name in names:
                if name not in curves[key]:
                    curves[key][name] = Curve(np.zeros(t), np.zeros(t, dtype=np.bool_))
                curves[key][name].profit[:] += profit
                curves[key][name].held[:] |= held
        return curves


def equity_by(
    fills: pl.DataFrame, market: Market, point_values: Mapping[str, float], key: Key
) -> dict[str, Floats]:
    """The `profit` of each curve of `curves_by`: what it added to the account's equity so far."""
    return {name: c.profit for name, c in curves_by(fills, market, point_values, key).items()}


@kernel
def mark_held(fills: Any, position: float, first: int, held: NDArray[np.bool_]) -> None:
    """Mark the rows at whose close one sleeve has a position, `position` before its fills.

    Row 0 is bar `first`.
    """
    row, rows = 0, held.shape[0]
    for i in range(fills.shape[0] + 1):
        end = min(fills[i].bar - first, rows) if i < fills.shape[0] else rows
        if position != 0.0:
            held[row:end] = True
        if i < fills.shape[0]:
            row, position = end, fills[i].position


@kernel
def share_out(
    fills: Any,
    bank: Any,
    first: int,
    close: Floats,
    worth: Floats,
    profit: Floats,
    held: NDArray[np.bool_],
) -> None:
    """The curve of one sleeve: cumulated realized less cost, plus the open profit.

    `worth` is that of a move of 1.0 in price at each close; row 0 is bar `first`.
    """
    mark_held(fills, bank.position, first, held)
    banked, position, average = bank.banked, bank.position, bank.average
    row = 0
    for i in range(fills.shape[0] + 1):
        end = fills[i].bar - first if i < fills.shape[0] else close.shape[0]
        for k in range(row, end):
            profit[k] = banked
            if position != 0.0:
                profit[k] += position * (close[k] - average) * worth[k]
        if i == fills.shape[0]:
            break
        row = end
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
    bank.banked, bank.position, bank.average = banked, position, average
