"""What is measured: four workloads, their constants, and the arrays that engines may share.

W1  SMA cross, always in the market: long or short 100 units, decided at the close, traded at the
    next open, a fee on every fill.
W2  EMA cross when flat, with a stop and a target at multiples of the ATR from the close of the
    signal; slippage on market and stop fills.
W3  W1 with a thousand pairs of periods.
W4  At each month's end the instruments with the best momentum, in equal weights, at the next open.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CASH, UNITS, FEE = 1_000_000.0, 100.0, 0.0001
FAST, SLOW = 10, 30  # W1
EMA_FAST, EMA_SLOW, ATR, STOP, TARGET, SLIP, WARM = 12, 26, 14, 1.0, 1.5, 0.0001, 100  # W2
HOURS = 17_500  # W3
BEST, LOOK, GROSS, PANEL_CASH, DAYS = 50, 252, 0.98, 100_000_000.0, 5_040  # W4

Floats = NDArray[np.float64]


def pairs(count: int) -> list[tuple[int, int]]:
    """Periods of the fast and the slow average of W3."""
    return [(f, s) for f in range(5, 55, 2) for s in range(60, 260, 5)][:count]


def crosses(fast: Floats, slow: Floats) -> NDArray[np.int8]:
    """1 where the fast average comes above the slow one, -1 below, 0 elsewhere."""
    above, below = fast > slow, fast < slow
    change = np.zeros(fast.shape, np.int8)
    change[1:][above[1:] & below[:-1]] = 1
    change[1:][below[1:] & above[:-1]] = -1
    return change


def momentum_weights(close: Floats, ends: NDArray[np.int64]) -> tuple[NDArray[np.int64], Floats]:
    """Month ends that have a past to look at, and the weights at each: (months, instruments)."""
    ends = ends[ends >= LOOK]
    weights = np.zeros((len(ends), close.shape[1]))
    for row, t in zip(weights, ends, strict=True):
        row[np.argsort(-(close[t] / close[t - LOOK]), kind="stable")[:BEST]] = GROSS / BEST
    return ends, weights


def later(values: np.ndarray) -> np.ndarray:
    """The same, one bar later: for engines that trade at the row of the signal."""
    shifted = np.zeros_like(values)
    shifted[1:] = values[:-1]
    return shifted


def wilder(values: Floats, weight: float) -> Floats:
    """Exponential mean from the first value on; `weight` of the newest."""
    import pandas as pd

    return pd.Series(values).ewm(alpha=weight, adjust=False).mean().to_numpy()


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """High to low of each bar, the close before it included."""
    before = np.concatenate((close[:1], close[:-1]))
    return np.maximum(high, before) - np.minimum(low, before)
