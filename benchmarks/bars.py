"""Bars for measurements: a seeded random walk with fat tails, changing volatility and gaps."""

from __future__ import annotations

import numpy as np

from intrabar.model.bars import Market

MINUTE = 60_000_000_000


def walk(bars: int, seed: int = 20240101, sigma: float = 0.0005) -> dict[str, np.ndarray]:
    """Open, high, low, close around 100, six decimals; a large gap once a day of minutes."""
    rng = np.random.default_rng(seed)
    volatility = sigma * np.exp(0.3 * np.sin(np.arange(bars) / 9_000.0))
    body = rng.standard_t(4, bars) / np.sqrt(2.0) * volatility
    gap = rng.standard_normal(bars) * 0.1 * volatility
    gap[1440::1440] *= 60.0
    gap[0] = 0.0
    total = np.cumsum(body + gap)
    body -= total[-1] / bars  # no drift: prices stay in a sane range
    close = 100.0 * np.exp(np.cumsum(body + gap))
    open_ = close / np.exp(body)
    high = np.maximum(open_, close) * np.exp(np.abs(rng.standard_normal(bars)) * 0.4 * volatility)
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.standard_normal(bars)) * 0.4 * volatility)
    columns = {"open": open_, "high": high, "low": low, "close": close}
    columns = {name: np.round(column, 6) for name, column in columns.items()}
    columns["high"] = np.max(list(columns.values()), axis=0)
    columns["low"] = np.min(list(columns.values()), axis=0)
    return columns


def market_of(columns: dict[str, np.ndarray]) -> Market:
    """The bars as a market of one instrument, minute by minute."""
    bars = columns["close"].shape[0]
    time = 1_577_836_800_000_000_000 + np.arange(1, bars + 1, dtype=np.int64) * MINUTE
    grid = {name: np.ascontiguousarray(c.reshape(-1, 1)) for name, c in columns.items()}
    return Market(
        symbols=("A",),
        time=time,
        volume=np.ones((bars, 1)),
        session_end=np.zeros((bars, 1), np.uint8),
        open_time=(time - MINUTE).reshape(-1, 1),
        period=MINUTE,
        **grid,
    )
