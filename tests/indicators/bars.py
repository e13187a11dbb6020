"""Bars for the tests of this folder: a random walk, and changes made to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intrabar.indicators import Columns

MINUTE_NS = 60_000_000_000


def walk(n: int, seed: int = 7, symbol: str = "A") -> Columns:
    """`n` bars of a random walk, one a minute."""
    draw = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(draw.normal(0, 0.004, n))), 2)
    open_ = np.round(close * np.exp(draw.normal(0, 0.002, n)), 2)
    high = np.round(np.maximum(open_, close) * (1 + np.abs(draw.normal(0, 0.002, n))), 2)
    low = np.round(np.minimum(open_, close) * (1 - np.abs(draw.normal(0, 0.002, n))), 2)
    low, high = (
        np.minimum(low, np.minimum(open_, close)),
        np.maximum(high, np.maximum(open_, close)),
    )
    volume = draw.integers(1, 5000, n).astype(np.float64)
    time = 1_700_000_000_000_000_000 + MINUTE_NS * np.arange(n, dtype=np.int64)
    return Columns(symbol, time, open_, high, low, close, volume)


def head(bars: Columns, n: int) -> Columns:
    """The first `n` bars."""
    return Columns(
        bars.symbol,
        *(getattr(bars, c)[:n] for c in ("close_time", "open", "high", "low", "close", "volume")),
    )


def with_other_last_bar(bars: Columns) -> Columns:
    """The same bars but for the last one, which is twice as high and as large."""
    changed = {}
    for c in ("open", "high", "low", "close", "volume"):
        column = getattr(bars, c).copy()
        column[-1] *= 2.0
        changed[c] = column
    return replace(bars, **changed)


def rows(bars: Columns) -> list[tuple[float, float, float, float, float, int]]:
    """The bars one by one, as `Stream.update` takes them."""
    return list(
        zip(
            bars.open.tolist(),
            bars.high.tolist(),
            bars.low.tolist(),
            bars.close.tolist(),
            bars.volume.tolist(),
            bars.close_time.tolist(),
            strict=True,
        )
    )
