"""Ranges, strength, bands and extremes: recurrences over bars, with a state as in `averages`."""

from __future__ import annotations

import math

from intrabar.indicators.averages import keep_last, mean_step
from intrabar.indicators.indicator import Floats
from intrabar.kernel import kernel


@kernel
def true_range(high: float, low: float, last_close: float) -> float:
    """The widest of the bar's range and its distances from the close before (Wilder)."""
    return max(high - low, abs(high - last_close), abs(low - last_close))


@kernel
def atr(
    high: Floats,
    low: Floats,
    close: Floats,
    period: int,
    skipped: int,
    start: int,
    state: Floats,
    out: Floats,
) -> None:
    """Wilder's average of the true range, from the mean of the first `start` of them.

    Wilder (1978), New Concepts in Technical Trading Systems. `skipped` is 1 where the first bar
    has no true range, 0 where it is that bar's `high - low`. State: bars seen, the sum of the
    first ranges or the average, the last close.
    """
    n = high.shape[0]
    alpha = 1.0 / period
    seen, value, last = int(state[0]), state[1], state[2]
    warming = min(max(skipped + start - seen, 0), n)
    for i in range(warming):
        if seen + i == 0:
            last = high[i]
        if seen + i >= skipped:
            value += true_range(high[i], low[i], last)
        last = close[i]
        out[i] = math.nan
    if warming > 0 and seen + warming == skipped + start:
        value /= start
        out[warming - 1] = value
    for i in range(warming, n):
        value = mean_step(value, true_range(high[i], low[i], last), alpha)
        last = close[i]
        out[i] = value
    state[0], state[1], state[2] = seen + n, value, last


@kernel
def strength(gain: float, loss: float) -> float:
    """Gains in percent of gains and losses; 0 where there are neither."""
    both = gain + loss
    return 100.0 * (gain / both) if both > 0.0 else 0.0


@kernel
def rsi(price: Floats, period: int, state: Floats, out: Floats) -> None:
    """Relative strength index (Wilder). State: bars seen, mean gain, mean loss, last price."""
    n = price.shape[0]
    alpha = 1.0 / period
    seen, gain, loss, last = int(state[0]), state[1], state[2], state[3]
    warming = min(max(period + 1 - seen, 0), n)
    for i in range(warming):
        moved = price[i] - last if seen + i > 0 else 0.0
        gain, loss = gain + max(moved, 0.0), loss + max(-moved, 0.0)
        last = price[i]
        out[i] = math.nan
    if warming > 0 and seen + warming == period + 1:
        gain, loss = gain / period, loss / period
        out[warming - 1] = strength(gain, loss)
    for i in range(warming, n):
        moved = price[i] - last
        last = price[i]
        gain = mean_step(gain, max(moved, 0.0), alpha)
        loss = mean_step(loss, max(-moved, 0.0), alpha)
        out[i] = strength(gain, loss)
    state[0], state[1], state[2], state[3] = seen + n, gain, loss, last


@kernel
def bollinger(price: Floats, period: int, deviations: float, state: Floats, out: Floats) -> None:
    """The mean of a window and some of its standard deviations (of the population).

    `deviations` is below 0 for the lower band. The sums are those of distances from an anchor, a
    price of the last `period` bars. They are taken anew when it moves, and when most of what was
    in them has left: else rounding would eat the small variance of a quiet market. State: bars
    seen, anchor, sum, sum of squares and its peak, the last `period` prices.
    """
    window = state[5:]
    seen, anchor, total, squares, peak = int(state[0]), state[1], state[2], state[3], state[4]
    place = seen % period
    for i in range(price.shape[0]):
        new, old = price[i] - anchor, window[place] - anchor
        window[place] = price[i]
        total, squares = total + (new - old), squares + (new * new - old * old)
        peak = max(peak, squares)
        if place == 0 or squares < 1e-4 * peak:
            anchor, total, squares = price[i], 0.0, 0.0
            for k in range(period):
                total += window[k] - anchor
                squares += (window[k] - anchor) * (window[k] - anchor)
            peak = squares
        mean = total / period
        variance = max(squares / period - mean * mean, 0.0)
        warm = seen + i + 1 >= period
        out[i] = anchor + mean + deviations * math.sqrt(variance) if warm else math.nan
        place = place + 1 if place + 1 < period else 0
    state[0], state[1], state[2], state[3] = seen + price.shape[0], anchor, total, squares
    state[4] = peak


@kernel
def extreme(price: Floats, period: int, sign: float, state: Floats, out: Floats) -> None:
    """Highest (`sign` 1) or lowest (-1) of the last `period` prices, in three comparisons a bar.

    Bars fall into blocks of `period`. A window is the end of one block and the beginning of the
    next: the largest of the end was worked out backwards when that block was full, the largest
    of the beginning runs along (van Herk, Pattern Recognition Letters 13, 1992). State: bars
    seen, the largest of the block so far, and the block: behind the present place the prices of
    this one, ahead of it the largest from there to the end of the one before.
    """
    block = state[2:]
    seen, largest = int(state[0]), state[1]
    place = seen % period
    for i in range(price.shape[0]):
        value = sign * price[i]
        largest = max(largest, value) if place > 0 else value
        block[place] = value
        best = max(largest, block[place + 1]) if place + 1 < period else largest
        out[i] = sign * best if seen + i + 1 >= period else math.nan
        place += 1
        if place == period:
            place = 0
            for k in range(period - 2, -1, -1):
                block[k] = max(block[k], block[k + 1])
    state[0], state[1] = seen + price.shape[0], largest


@kernel
def change(price: Floats, period: int, state: Floats, out: Floats) -> None:
    """The price less that of `period` bars before. State: bars seen, the last `period` prices."""
    n = price.shape[0]
    window = state[1:]
    seen = int(state[0])
    for i in range(min(n, period)):
        known = seen + i >= period
        out[i] = price[i] - window[(seen + i) % period] if known else math.nan
    for i in range(period, n):
        out[i] = price[i] - price[i - period]
    keep_last(price, period, seen, window)
    state[0] = seen + n
