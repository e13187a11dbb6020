"""Our own recurrences. A `..._step` is the formula; the batch loops over it, the stream calls it.

State comes in and goes out as plain numbers; NaN means "no bar yet". No fast maths anywhere:
both callers must see the same rounding.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from intrabar.kernel import kernel

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_FNV_START = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_MASK = 0xFFFFFFFFFFFFFFFF


@kernel
def ema_step(value: float, price: float, alpha: float) -> float:
    """Exponential average that starts from the first price (pandas `ewm(adjust=False)`)."""
    if math.isnan(value):
        return price
    return (price - value) * alpha + value


@kernel
def ema_batch(price: Floats, alpha: float) -> Floats:
    """`ema_step` over a series."""
    out = np.empty(price.shape[0])
    value = math.nan
    for i in range(price.shape[0]):
        value = ema_step(value, price[i], alpha)
        out[i] = value
    return out


@kernel
def atr_step(value: float, last_close: float, high: float, low: float, alpha: float) -> float:
    """Wilder's average of the true range that starts from the first bar's `high - low`.

    `value` is NaN on the first bar, `alpha` is 1 / period. Wilder (1978), New Concepts in
    Technical Trading Systems.
    """
    if math.isnan(value):
        return high - low
    true_range = max(high, last_close) - min(low, last_close)
    return value + (true_range - value) * alpha


@kernel
def atr_batch(high: Floats, low: Floats, close: Floats, alpha: float) -> Floats:
    """`atr_step` over bars."""
    out = np.empty(high.shape[0])
    value = math.nan
    last = math.nan
    for i in range(high.shape[0]):
        value = atr_step(value, last, high[i], low[i], alpha)
        last = close[i]
        out[i] = value
    return out


@kernel
def cross_step(sign: int, a: float, b: float) -> tuple[int, float]:
    """The new last nonzero sign of `a - b`, and +1, -1 or 0 for a cross on this bar.

    A touch (`a == b`) keeps the sign: a series that touches and turns back has not crossed,
    one that touches and goes through crosses on the bar on which it is through. NaN where
    either is NaN, and the sign is kept.
    """
    if math.isnan(a) or math.isnan(b):
        return sign, math.nan
    now = 1 if a > b else (-1 if a < b else sign)
    crossed = now != sign and sign != 0
    return now, float(now) if crossed else 0.0


@kernel
def cross_batch(a: Floats, b: Floats) -> Floats:
    """`cross_step` over two series."""
    out = np.empty(a.shape[0])
    sign = 0
    for i in range(a.shape[0]):
        sign, out[i] = cross_step(sign, a[i], b[i])
    return out


@kernel
def splitmix64(x: np.uint64) -> np.uint64:
    """Output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    x = np.uint64(x + _GOLDEN)
    x = np.uint64((x ^ (x >> np.uint64(30))) * _MIX_A)
    x = np.uint64((x ^ (x >> np.uint64(27))) * _MIX_B)
    return np.uint64(x ^ (x >> np.uint64(31)))


@kernel
def uniform_step(key: np.uint64, time: np.int64) -> float:
    """A draw in [0, 1) that depends on the key and the time alone: 53 bits of a hash."""
    bits = splitmix64(np.uint64(key ^ splitmix64(np.uint64(time))))
    return float(bits >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def uniform_batch(key: np.uint64, time: Times) -> Floats:
    """`uniform_step` over times."""
    out = np.empty(time.shape[0])
    for i in range(time.shape[0]):
        out[i] = uniform_step(key, time[i])
    return out


def uniform_key(seed: int, symbol: str) -> np.uint64:
    """The key of one seed and one symbol: FNV-1a of the name, mixed with the seed."""
    name = _FNV_START
    for byte in symbol.encode():
        name = ((name ^ byte) * _FNV_PRIME) & _MASK
    mixed: np.uint64 = splitmix64(np.uint64(name ^ (seed & _MASK)))
    return np.uint64(mixed)
