"""From the records of a machine to the columns of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.model import enums
from intrabar.model.bars import Market


def gross_notional(
    f: NDArray[Any], market: Market, point_values: Mapping[str, float]
) -> NDArray[np.float64]:
    """Absolute net position times close and point value, summed over instruments, (t,)."""
    t, n = market.close.shape
    sleeve = f["strategy"].astype(np.int64) * n + f["instrument"]
    order = np.argsort(sleeve, kind="stable")
    # What each fill (or split) changed of its sleeve.
    change = np.diff(f["position"][order], prepend=0.0)
    starts = np.flatnonzero(np.diff(sleeve[order], prepend=-1))
    change[starts] = f["position"][order][starts]
    moved = np.zeros((t, n))
    np.add.at(moved, (f["bar"][order], f["instrument"][order]), change)
    worth = np.array(list(point_values.values()))
    if market.fx is not None:
        worth = worth * market.fx
    close = np.abs(np.nan_to_num(market.close))
    notional = np.abs(np.cumsum(moved, axis=0)) * close * worth
    total: NDArray[np.float64] = notional.sum(axis=1)
    return total


def names_of(names: Sequence[str], rows: NDArray[Any]) -> pl.Series:
    """The names of rows; a row of -1 has none."""
    return pl.Series(names, dtype=pl.String).gather(null_below_zero(rows.astype(np.int64)))


def words_of(words: type[enums.Word], codes: NDArray[Any]) -> NDArray[Any]:
    """Codes as the words that tables write."""
    least = min(int(w) for w in words)
    table = np.array([""] * (max(int(w) for w in words) - least + 1), dtype="U24")
    for w in words:
        table[int(w) - least] = w.word
    named: NDArray[Any] = table[codes - least]
    return named


def null_below_zero(numbers: NDArray[np.int64]) -> pl.Series:
    """Numbers of which those below 0 stand for nothing."""
    series = pl.Series(numbers.copy())
    return pl.select(pl.when(pl.lit(series) >= 0).then(pl.lit(series))).to_series()
