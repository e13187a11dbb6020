"""What feature expressions do to series: one value per bar, from the values of the same bar.

Only `+ - * /`, the square root and `log` of our own, each rounded in one way on every machine, in
the order of the bars; so a history, a piece of it and a single bar have the same bits. `lag` alone
reads another bar, and carries a state as the kernels of `averages` do.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from intrabar.indicators.averages import keep_last
from intrabar.indicators.elementary import log
from intrabar.indicators.indicator import Floats
from intrabar.kernel import kernel

ADD, SUBTRACT, MULTIPLY, DIVIDE, LEAST, LARGEST = range(6)
NEGATIVE, ABSOLUTE, ROOT, LOGARITHM = range(4)


@kernel
def of_two(operation: int, a: Floats, b: Floats, out: Floats) -> None:
    """`a` with `b`; the least and the largest of NaN and anything is NaN."""
    if operation == ADD:
        for i in range(out.shape[0]):
            out[i] = a[i] + b[i]
    elif operation == SUBTRACT:
        for i in range(out.shape[0]):
            out[i] = a[i] - b[i]
    elif operation == MULTIPLY:
        for i in range(out.shape[0]):
            out[i] = a[i] * b[i]
    elif operation == DIVIDE:
        for i in range(out.shape[0]):
            out[i] = a[i] / b[i]
    elif operation == LEAST:
        for i in range(out.shape[0]):
            out[i] = a[i] if (a[i] < b[i]) | (a[i] != a[i]) else b[i]
    else:
        for i in range(out.shape[0]):
            out[i] = a[i] if (a[i] > b[i]) | (a[i] != a[i]) else b[i]


@kernel
def of_one(operation: int, a: Floats, out: Floats) -> None:
    """A function of `a`; NaN where it has no value."""
    if operation == NEGATIVE:
        for i in range(out.shape[0]):
            out[i] = -a[i]
    elif operation == ABSOLUTE:
        for i in range(out.shape[0]):
            out[i] = abs(a[i])
    elif operation == ROOT:
        for i in range(out.shape[0]):
            out[i] = np.sqrt(a[i]) if a[i] >= 0.0 else math.nan
    else:
        for i in range(out.shape[0]):
            out[i] = log(a[i])


@kernel
def lag(value: Floats, bars: int, state: Floats, out: Floats) -> None:
    """The value of `bars` bars before. State: bars seen, the last `bars` values."""
    n = value.shape[0]
    window = state[1:]
    seen = int(state[0])
    for i in range(min(n, bars)):
        out[i] = window[(seen + i) % bars] if seen + i >= bars else math.nan
    for i in range(bars, n):
        out[i] = value[i - bars]
    keep_last(value, bars, seen, window)
    state[0] = seen + n


@kernel
def known_rows(table: Floats, window: int) -> NDArray[np.bool_]:
    """Where the last `window` rows of a feature table hold neither NaN nor infinity, (m,) bool."""
    m = table.shape[0]
    out = np.empty(m, np.bool_)
    run = 0
    for i in range(m):
        run += 1
        for k in range(table.shape[1]):
            if not abs(table[i, k]) < math.inf:
                run = 0
        out[i] = run >= window
    return out


@kernel
def moments(rows: Floats, mean: Floats, scale: Floats) -> None:
    """Mean and standard deviation (by k) of each column of (k, F); scale 1 of a constant."""
    k = rows.shape[0]
    for f in range(rows.shape[1]):
        first, total, squares, varies = rows[0, f], 0.0, 0.0, False
        for i in range(k):
            total += rows[i, f] - first
            varies |= rows[i, f] != first
        middle = total / k
        for i in range(k):
            apart = rows[i, f] - first - middle
            squares += apart * apart
        mean[f] = first + middle
        scale[f] = np.sqrt(squares / k)
        if not varies or scale[f] == 0.0:
            scale[f] = 1.0
