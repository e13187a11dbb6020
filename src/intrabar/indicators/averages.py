"""Moving averages and crosses: recurrences over bars that go on where they stopped.

Every kernel of this package takes its columns, its numbers, a `state` and an `out`. The state is
all that the bars so far have left behind, zeros before the first: a series may be computed at
once, in pieces or bar by bar, and has the same bits. No fast maths anywhere, for the same reason.

`sma` has the bits of TA-Lib. The others are written as one fused multiply-add that depends on the
value before, because that chain is what they cost; TA-Lib's own bits depend on whether the
processor has that operation, ours do not.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from intrabar.indicators.indicator import Floats
from intrabar.kernel import intrinsic, kernel, rarely

NEAR, LEAST = 2.0**-48, 1e-250  # relative; far above what lies below the normal numbers


def fma(a: float, b: float, c: float) -> float:
    """`a * b + c`, rounded once (IEEE 754 fusedMultiplyAdd), on finite numbers."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


@intrinsic
def _fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        return builder.fma(*values)

    return types.float64(types.float64, types.float64, types.float64), emit


@overload(fma)
def _compiled_fma(a, b, c):  # type: ignore[no-untyped-def]
    return lambda a, b, c: _fma(a, b, c)


@kernel
def mean_step(value: float, new: float, alpha: float) -> float:
    """The next exponential average: `new` has the weight `alpha`, the rest what was before."""
    return fma(value, 1.0 - alpha, alpha * new)


@kernel
def ema(price: Floats, period: int, start: int, state: Floats, out: Floats) -> None:
    """Exponential average that starts from the mean of the first `start` prices.

    State: bars seen, and the sum of the first prices or the average.
    """
    n = price.shape[0]
    alpha = 2.0 / (period + 1)
    seen, value = int(state[0]), state[1]
    warming = min(max(start - seen, 0), n)
    for i in range(warming):
        value += price[i]
        out[i] = math.nan
    if warming > 0 and seen + warming == start:
        value /= start
        out[warming - 1] = value
    for i in range(warming, n):
        value = mean_step(value, price[i], alpha)
        out[i] = value
    state[0], state[1] = seen + n, value


@kernel
def keep_last(price: Floats, period: int, seen: int, window: Floats) -> None:
    """Put the last `period` prices where a later piece finds them: bar k in place k % period."""
    n = price.shape[0]
    for i in range(max(0, n - period), n):
        window[(seen + i) % period] = price[i]


@kernel
def sma(price: Floats, period: int, state: Floats, out: Floats) -> None:
    """Simple average, from a running sum.

    State: bars seen, the sum without the price that leaves next, the last `period` prices.
    """
    n = price.shape[0]
    window = state[2:]
    seen, total = int(state[0]), state[1]
    inside = min(n, period - 1)  # the windows of these begin in an earlier piece
    for i in range(inside):
        total += price[i]
        out[i] = math.nan
        if seen + i + 1 >= period:
            out[i] = total / period
            total -= window[(seen + i + 1) % period]
    for i in range(inside, n):
        total += price[i]
        out[i] = total / period
        total -= price[i - inside]
    keep_last(price, period, seen, window)
    state[0], state[1] = seen + n, total


@kernel
def cross_step(sign: float, a: float, b: float) -> tuple[float, float]:
    """The new last nonzero sign of `a - b`, and +1, -1 or 0 for a cross on this bar.

    A touch (`a == b`) keeps the sign: a series that touches and turns back has not crossed,
    one that touches and goes through crosses on the bar on which it is through. NaN where
    either is NaN, and the sign is kept.
    """
    now = math.copysign(1.0, a - b) if (a > b) | (a < b) else sign
    crossed = now if (now != sign) & (sign != 0.0) else 0.0
    return now, crossed if (a == a) & (b == b) else math.nan


@kernel
def cross(a: Floats, b: Floats, state: Floats, out: Floats) -> None:
    """Where one series crosses another. State: the last nonzero sign of `a - b`."""
    sign = state[0]
    for i in range(a.shape[0]):
        sign, out[i] = cross_step(sign, a[i], b[i])
    state[0] = sign


@kernel
def cross_of_ema(
    price: Floats,
    fast: int,
    fast_start: int,
    slow: int,
    slow_start: int,
    a: Floats,
    b: Floats,
    state: Floats,
    out: Floats,
) -> None:
    """`cross` of two `ema` of one column in one pass; `a` and `b` are their states.

    The bits are those of `cross` over the two series, whose steps it takes. The bars on which an
    average may be warming up go the long way.
    """
    n = price.shape[0]
    head = min(n, max(fast_start, slow_start))
    first, second = np.empty(head), np.empty(head)
    ema(price[:head], fast, fast_start, a, first)
    ema(price[:head], slow, slow_start, b, second)
    cross(first, second, state, out[:head])
    x, y, sign = a[1], b[1], state[0]
    alpha, beta = 2.0 / (fast + 1), 2.0 / (slow + 1)
    for i in range(head, n):
        x, y = mean_step(x, price[i], alpha), mean_step(y, price[i], beta)
        sign, out[i] = cross_step(sign, x, y)
    a[0], b[0] = a[0] + (n - head), b[0] + (n - head)
    a[1], b[1], state[0] = x, y, sign


@kernel
def cross_of_sma(
    price: Floats, fast: int, slow: int, a: Floats, b: Floats, state: Floats, out: Floats
) -> None:
    """`cross` of two `sma` of one column in one pass, as `cross_of_ema`."""
    n = price.shape[0]
    head = min(n, max(fast, slow) - 1)
    first, second = np.empty(head), np.empty(head)
    sma(price[:head], fast, a, first)
    sma(price[:head], slow, b, second)
    cross(first, second, state, out[:head])
    x, y, sign = a[1], b[1], state[0]
    new, fast_old, slow_old = price[head:], price[head - fast + 1 :], price[head - slow + 1 :]
    crossed = out[head:]
    for i in range(n - head):
        x, y = x + new[i], y + new[i]
        apart = x * slow - y * fast  # cheaper than quotients
        if rarely(not abs(apart) > NEAR * abs(x * slow) + LEAST):
            apart = x / fast - y / slow  # rounding decides
        sign, crossed[i] = cross_step(sign, apart, 0.0)
        x, y = x - fast_old[i], y - slow_old[i]
    keep_last(price[head:], fast, int(a[0]), a[2:])
    keep_last(price[head:], slow, int(b[0]), b[2:])
    a[0], b[0] = a[0] + (n - head), b[0] + (n - head)
    a[1], b[1], state[0] = x, y, sign
