"""What tests of sweeps run: bars drawn by seed, and strategies of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

import intrabar as ib


def bars(n: int = 600, seed: int = 3, every: int = 1) -> pl.DataFrame:
    """Hourly bars that wander, and leave some hours out where `every` is above 1."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n)))
    open_ = close * np.exp(rng.normal(0.0, 0.004, n))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, 0.004, n)))
    low = np.minimum(open_, close) / np.exp(np.abs(rng.normal(0.0, 0.004, n)))
    start = np.datetime64("2024-01-01T01:00", "ns")
    time = start + np.arange(n) * np.timedelta64(3_600, "s")
    frame = pl.DataFrame(
        {
            "time": pl.Series(time).cast(pl.Datetime("ns", "UTC")),
            **{
                name: np.round(x, 2)
                for name, x in {"open": open_, "high": high, "low": low, "close": close}.items()
            },
            "volume": rng.integers(1, 1000, n).astype(float),
        }
    )
    kept = frame.with_row_index("i").filter((pl.col("i") % every != 1) | (every == 1))
    return kept.with_columns(
        high=pl.max_horizontal("open", "high", "low", "close"),
        low=pl.min_horizontal("open", "high", "low", "close"),
    ).drop("i")


def crossing(indicator: Callable[[Any], np.ndarray], fast: int, slow: int) -> ib.Signals:
    """Long while the fast average is above the slow one, short below."""
    above = indicator(ib.sma(fast)) - indicator(ib.sma(slow))
    return ib.Signals(np.where(np.isnan(above), np.nan, np.sign(above)), qty=10)


@dataclass
class Dip(ib.Strategy):
    """In Python: buys what fell, sells after some bars."""

    depth: float = 0.01
    hold: int = 5

    def on_start(self) -> None:
        self.since = 0

    def on_close(self, now: ib.AtClose) -> None:
        if self.depth > 0.5:
            raise ValueError("deeper than any fall")
        if now.is_flat and now.close < now.open * (1.0 - self.depth):
            now.buy(10)
            self.since = now.bar
        elif not now.is_flat and now.bar - self.since >= self.hold:
            now.sell(10)
