"""Bars for measurements: seeded random walks with fat tails, changing volatility and gaps.

Needs NumPy alone, so that every engine's environment makes the same bars.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.float64]]
START = np.datetime64("2020-01-01T00:00", "ns").astype(np.int64)
MINUTE, HOUR, DAY = 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000


def walk(
    bars: int,
    seed: int,
    sigma: float,
    *,
    gap_every: int,
    instruments: int = 1,
    decimals: int = 6,
    drift: float = 0.0,
) -> Columns:
    """Open, high, low, close of shape (bars, instruments), prices around 100.

    Parameters
    ----------
    sigma : typical move of the logarithm in one bar
    gap_every : a large gap before every bar whose number it divides
    drift : move of the logarithm over all bars
    """
    rng = np.random.default_rng(seed)
    shape = (bars, instruments)
    calm = np.sin(np.arange(bars) / 9_000.0)[:, None]
    volatility = sigma * np.exp(0.3 * calm) * rng.uniform(0.6, 1.4, instruments)
    body = rng.standard_t(4, shape) / np.sqrt(2.0) * volatility
    gap = rng.standard_normal(shape) * 0.1 * volatility
    gap[gap_every::gap_every] *= 60.0
    gap[0] = 0.0
    body += (drift - np.sum(body + gap, axis=0)) / bars
    close = 100.0 * np.exp(np.cumsum(body + gap, axis=0))
    open_ = close / np.exp(body)
    reach = np.abs(rng.standard_normal((2, *shape))) * 0.4 * volatility
    high = np.maximum(open_, close) * np.exp(reach[0])
    low = np.minimum(open_, close) * np.exp(-reach[1])
    columns = {"open": open_, "high": high, "low": low, "close": close}
    columns = {name: np.round(column, decimals) for name, column in columns.items()}
    columns["high"] = np.max(list(columns.values()), axis=0)
    columns["low"] = np.min(list(columns.values()), axis=0)
    return columns


def minutes(bars: int) -> tuple[NDArray[np.int64], Columns]:
    """Close times (ns UTC) and (bars,) columns of one instrument, minute by minute."""
    columns = walk(bars, 20240101, 0.0005, gap_every=1440)
    return START + MINUTE * np.arange(1, bars + 1), {k: v[:, 0] for k, v in columns.items()}


def hours(bars: int) -> tuple[NDArray[np.int64], Columns]:
    """Close times (ns UTC) and (bars,) columns of one instrument, hour by hour."""
    columns = walk(bars, 7, 0.003, gap_every=24, drift=0.5)
    return START + HOUR * np.arange(1, bars + 1), {k: v[:, 0] for k, v in columns.items()}


def days(bars: int, instruments: int) -> tuple[NDArray[np.int64], Columns]:
    """Close times (ns UTC) and (bars, instruments) columns, weekday by weekday."""
    dates = np.busday_offset("2005-01-03", np.arange(bars)).astype("datetime64[ns]")
    columns = walk(bars, 11, 0.015, gap_every=20, instruments=instruments, decimals=3, drift=1.2)
    return dates.astype(np.int64) + 21 * HOUR, columns


def month_ends(time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bars after which the month changes; the calendar alone tells."""
    months = time.astype("datetime64[ns]").astype("datetime64[M]")
    return np.flatnonzero(months[1:] != months[:-1])
