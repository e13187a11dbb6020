"""Rows that forecasters learn from and predict: each real bar whose window is known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.columns import RealBars, real_rows
from intrabar.engine.prepared import Prepared
from intrabar.indicators import atr, compute
from intrabar.indicators.elementwise import known_rows
from intrabar.indicators.features import Features
from intrabar.learn.labels import Alive
from intrabar.model.bars import Floats, Market, Times

PERIOD = 14  # of the ATR by which returns are divided
ARRAYS = ("instrument", "row", "time", "end_time", "targets", "weights")
COLUMNS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, eq=False)
class Series:
    """One instrument, at its real bars.

    Parameters
    ----------
    symbol : str
    table : (m, F) float64
        Features.
    bars : (m, 5) float64
        Open, high, low, close, volume, which no split or dividend moves.
    time : (m,) int64, ns UTC
    close : (m,) float64, price
        As it was traded.
    unit : (m,) float64
        `atr(14) / close`: one ATR as a return.
    factor, shares : (m,) float64 or None
        What those bars are adjusted by; None where nothing moves a price.
    """

    symbol: str
    table: Floats
    bars: Floats
    time: Times
    close: Floats
    unit: Floats
    factor: Floats | None = None
    shares: Floats | None = None

    def window(self, row: int, count: int, needs: str) -> Floats:
        """The last `count` bars up to a row: features (L, F), or bars (L, 5) in its prices."""
        rows = slice(row + 1 - count, row + 1)
        if needs != "bars":
            return self.table[rows]
        if self.factor is None or self.shares is None:
            return self.bars[rows]
        price, shares = self.factor[row], self.shares[row]
        return np.column_stack([self.bars[rows, :4] / price, self.bars[rows, 4] * shares])


@dataclass(frozen=True, eq=False)
class Samples:
    """The rows of all instruments by time, then in the order of the instruments.

    Parameters
    ----------
    series : tuple of Series
    window : real bars
    horizons : tuple of bars
    instrument, row : (n,) int64
        Whose, and which of its real bars.
    time, end_time : (n,) int64, ns UTC
        Of the close, and of the last close that a target reads; the largest number there is where
        that has not come yet.
    targets : (n, H) float64, ATRs
        NaN where it has not come yet.
    weights : (n,) float64
        Mean of 1 / (rows of its instrument whose targets overlap).
    """

    series: tuple[Series, ...]
    window: int
    horizons: tuple[int, ...]
    instrument: Times
    row: Times
    time: Times
    end_time: Times
    targets: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.time)

    def windows(self, rows: Times, needs: str = "features") -> Floats:
        """The windows of some rows as they are, (n, L, F) float64; of "bars" (n, L, 5)."""
        one = self.series[0]
        width = 5 if needs == "bars" else one.table.shape[1]
        out = np.empty((len(rows), self.window, width))
        for k, i in enumerate(rows):
            own = self.series[self.instrument[i]]
            out[k] = own.window(int(self.row[i]), self.window, needs)
        return out

    def last(self) -> Samples:
        """The last row of each instrument."""
        own = [np.flatnonzero(self.instrument == j)[-1:] for j in range(len(self.series))]
        rows = np.sort(np.concatenate(own))
        return replace(self, **{name: getattr(self, name)[rows] for name in ARRAYS})

    def hash_of(self, rows: Times) -> str:
        """SHA-256 of what some rows hold: when, whose, features, bars and targets."""
        digest = hashlib.sha256()
        for array in (self.time[rows], self.instrument[rows], self.targets[rows]):
            digest.update(np.ascontiguousarray(array).tobytes())
        for j, row in zip(self.instrument[rows], self.row[rows], strict=True):
            one = self.series[j]
            digest.update(one.table[row].tobytes() + one.bars[row].tobytes())
        return digest.hexdigest()

    def units(self, rows: Times) -> Floats:
        """One ATR as a return, of some rows."""
        return np.array([self.series[self.instrument[i]].unit[self.row[i]] for i in rows])

    def closes(self, rows: Times) -> Floats:
        """The closes of some rows."""
        return np.array([self.series[self.instrument[i]].close[self.row[i]] for i in rows])


def series_of(prepared: Prepared, features: Features) -> tuple[Series, ...]:
    """What is read of each instrument of a market.

    Raises
    ------
    ConfigError
        There are too few bars for one window.
    """
    adjusted, market = prepared.adjusted, prepared.market
    tables = prepared.feature_tables(features).tables
    turned: dict[str, Floats] = {}
    made = []
    for j, is_real in enumerate(real_rows(market)):
        rows = np.flatnonzero(is_real)
        bars = RealBars(adjusted.market, j, rows, turned)
        unit = compute(atr(PERIOD), bars) / bars.close
        whole = np.column_stack([getattr(bars, x) for x in COLUMNS])
        factor = shares = None
        if adjusted.price is not None:
            factor, shares = adjusted.price[rows, j], adjusted.shares[rows, j]
        close = market.close[rows, j]
        made.append(
            Series(
                market.symbols[j], tables[j], whole, market.time[rows], close, unit, factor, shares
            )
        )
    return tuple(made)


def samples_of(series: Sequence[Series], window: int, horizons: tuple[int, ...]) -> Samples:
    """The rows whose window and ATR are known."""
    columns: list[tuple[NDArray[Any], ...]] = []
    longest = max(horizons)
    for j, one in enumerate(series):
        known = known_rows(np.ascontiguousarray(one.table), window)
        rows = np.flatnonzero(known & (one.unit > 0.0))
        ends = np.full(len(one.time), np.iinfo(np.int64).max)
        ends[: max(len(ends) - longest, 0)] = one.time[longest:]
        targets = np.column_stack([_targets(one, h) for h in horizons])
        alive, last = Alive(len(one.time) + longest), rows + longest
        alive.add(rows + 1, last)
        alive.settle(len(one.time) + longest)
        weights = alive.uniqueness(rows + 1, last)
        own = np.full(len(rows), j)
        columns.append((own, rows, one.time[rows], ends[rows], targets[rows], weights))
    whole = dict(zip(ARRAYS, (np.concatenate(x) for x in zip(*columns, strict=True)), strict=True))
    order = np.lexsort((whole["instrument"], whole["time"]))
    return Samples(tuple(series), window, horizons, **{name: x[order] for name, x in whole.items()})


def _targets(one: Series, horizon: int) -> Floats:
    made, close = np.full(len(one.close), np.nan), one.bars[:, 3]
    if horizon < len(made):
        made[:-horizon] = close[horizon:] / close[:-horizon] - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(made / one.unit)


def market_samples(
    market: Market,
    calendars: Sequence[str],
    features: Features,
    window: int,
    horizons: tuple[int, ...],
) -> Samples:
    """The rows of a market; raises as `series_of`."""
    return samples_of(series_of(Prepared(market, calendars), features), window, horizons)
