"""Textbook formulas with lists, sharing no code with the subject."""

from __future__ import annotations

import math


def ema_first(prices: list[float], period: int) -> list[float]:
    """Weighted mean of the newest price and the previous average."""
    weight = 2 / (period + 1)
    out: list[float] = []
    for p in prices:
        out.append(p if not out else weight * p + (1 - weight) * out[-1])
    return out


def ema_sma(prices: list[float], period: int) -> list[float]:
    """The same, starting from the mean of the first `period` prices."""
    out = [math.nan] * min(period - 1, len(prices))
    if len(prices) < period:
        return out
    weight = 2 / (period + 1)
    out.append(sum(prices[:period]) / period)
    for p in prices[period:]:
        out.append(weight * p + (1 - weight) * out[-1])
    return out


def atr_first(bars: list[tuple[float, float, float]], period: int) -> list[float]:
    """Wilder's average of the largest of the three ranges; the first bar has one of them."""
    out: list[float] = []
    for i, (high, low, _) in enumerate(bars):
        if i == 0:
            out.append(high - low)
            continue
        last = bars[i - 1][2]
        widest = max(high - low, abs(high - last), abs(low - last))
        out.append((out[-1] * (period - 1) + widest) / period)
    return out


def extreme(prices: list[float], period: int, largest: bool) -> list[float]:
    """Largest or smallest of the last `period` prices."""
    out = []
    for i in range(len(prices)):
        window = prices[max(0, i - period + 1) : i + 1]
        if len(window) < period:
            out.append(math.nan)
        else:
            out.append(max(window) if largest else min(window))
    return out


def cross(a: list[float], b: list[float]) -> list[float]:
    """Looks back over the whole past for the last bar on which the two differed."""
    out = []
    for i in range(len(a)):
        if math.isnan(a[i]) or math.isnan(b[i]):
            out.append(math.nan)
            continue
        past = [
            a[k] - b[k]
            for k in range(i)
            if not math.isnan(a[k]) and not math.isnan(b[k]) and a[k] != b[k]
        ]
        if past and past[-1] < 0 and a[i] > b[i]:
            out.append(1.0)
        elif past and past[-1] > 0 and a[i] < b[i]:
            out.append(-1.0)
        else:
            out.append(0.0)
    return out


def uniform(seed: int, symbol: str, time: int) -> float:
    """SplitMix64 over FNV-1a in unbounded integers."""
    size = 1 << 64

    def mix(x: int) -> int:
        x = (x + 0x9E3779B97F4A7C15) % size
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % size
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % size
        return x ^ (x >> 31)

    name = 0xCBF29CE484222325
    for byte in symbol.encode():
        name = ((name ^ byte) * 0x100000001B3) % size
    return (mix(mix(name ^ seed) ^ mix(time % size)) >> 11) / 2**53
