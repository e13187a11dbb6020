"""Prices as a trader does them on paper: the tick grid, slippage, and the path inside a bar.

Part of the slow second market; the numbers in brackets are sections of the fill model.
Known limit: prices are floats, as in the rules, so that both sides round the same numbers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

TWO_64 = 2**64


class Bar(NamedTuple):
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0


def leeway(a: float, b: float, tick: float) -> float:
    """So far apart two prices are still equal: 1e-4 ticks, 4 units in the last place (3)."""
    return max(tick * 1e-4, 4 * math.ulp(max(abs(a), abs(b))))


def round_down(price: float, tick: float) -> float:
    """The last tick at or below the price; without a grid the price itself (3)."""
    if tick == 0:
        return price
    ticks = price / tick
    return math.floor(ticks + leeway(ticks, ticks, 1)) * tick


def round_up(price: float, tick: float) -> float:
    """The first tick at or above the price; without a grid the price itself (3)."""
    if tick == 0:
        return price
    ticks = price / tick
    return math.ceil(ticks - leeway(ticks, ticks, 1)) * tick


def limit_on_grid(price: float, side: int, tick: float) -> float:
    """A limit is never made worse than asked: buy down, sell up (3)."""
    return round_down(price, tick) if side > 0 else round_up(price, tick)


def stop_on_grid(price: float, side: int, tick: float) -> float:
    """A stop goes away from the market: buy up, sell down (3)."""
    return round_up(price, tick) if side > 0 else round_down(price, tick)


def slipped(price: float, side: int, slippage: float, tick: float) -> float:
    """What is paid or got: worse by the slippage, then rounded against the trader (3)."""
    if side > 0:
        return round_up(price + slippage, tick)
    return round_down(price - slippage, tick)


def mean_true_range(bars: list[Bar | None], at: int) -> float:
    """Of the 20 real bars before an index, of fewer where there are fewer; 0 without any (3)."""
    ranges = []
    last = None
    for bar in bars[:at]:
        if bar is None:
            continue
        if last is None:
            ranges.append(bar.high - bar.low)
        else:
            steps = (bar.high - bar.low, abs(bar.high - last.close), abs(bar.low - last.close))
            ranges.append(max(steps))
        last = bar
    ranges = ranges[-20:]
    return sum(ranges) / len(ranges) if ranges else 0.0


def at_or_above(price: float, level: float, tick: float) -> bool:
    return level - price <= leeway(price, level, tick)


def at_or_below(price: float, level: float, tick: float) -> bool:
    return price - level <= leeway(price, level, tick)


def same(a: float, b: float, tick: float) -> bool:
    return abs(a - b) <= leeway(a, b, tick)


def shortest_goes_low_first(bar: Bar, tick: float) -> bool:
    """The shorter of the two ways from open to close (2.3)."""
    if same(bar.close, bar.open, tick):
        return (bar.open - bar.low) - (bar.high - bar.open) <= leeway(bar.high, bar.low, tick)
    return bar.close > bar.open


def nearest_goes_low_first(bar: Bar, tick: float) -> bool:
    """The extreme nearest to the open comes first (2.3)."""
    to_low, to_high = bar.open - bar.low, bar.high - bar.open
    if abs(to_low - to_high) <= leeway(bar.high, bar.low, tick):
        return at_or_above(bar.close, bar.open, tick)
    return to_low < to_high


def mixed(seed: int, instrument_index: int, bar_index: int) -> int:
    """A number that is the same however the run is split up: splitmix64's last steps (2.3)."""
    x = seed + 0x9E3779B97F4A7C15 * (instrument_index + 1) + 0xBF58476D1CE4E5B9 * (bar_index + 1)
    x %= TWO_64
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 % TWO_64
    x ^= x >> 27
    x = x * 0x94D049BB133111EB % TWO_64
    x ^= x >> 31
    return x


def goes_low_first(
    policy: str, bar: Bar, tick: float, danger: str, drawn: int, trust: float
) -> bool:
    """Whether the path visits the low before the high (2.3).

    `danger` is the extreme that hurts whoever is in, or could get in: "low", "high", or "" where
    neither the position nor the side of the orders decides. `drawn` is the number of `mixed`.
    """
    if policy == "low_first":
        return True
    if policy == "high_first":
        return False
    if policy == "random":
        return drawn % 2 == 1
    if policy == "calibrated":
        believed = (drawn >> 11) / 2**53 < trust  # the 53 bits on top, from 0 to below 1
        return shortest_goes_low_first(bar, tick) == believed
    if policy == "nearest":
        return nearest_goes_low_first(bar, tick)
    if policy in ("worst", "best") and danger:
        return (danger == "low") == (policy == "worst")
    if policy in ("worst", "best", "shortest", "detail"):
        return shortest_goes_low_first(bar, tick)
    raise ValueError(f"no path policy {policy!r}")


def corners(bar: Bar, low_first: bool) -> list[float]:
    """The corners of the path: open, the two extremes, close (2.3)."""
    extremes = [bar.low, bar.high] if low_first else [bar.high, bar.low]
    return [bar.open, *extremes, bar.close]
