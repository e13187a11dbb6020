"""What feature expressions do to series: one value per bar, from the values of the same bar.

Only `+ - * /`, the square root and `log` of our own, each rounded in one way on every machine, in
the order of the bars; so a history, a piece of it and a single bar have the same bits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from intrabar.indicators.elementary import log
from intrabar.indicators.indicator import Floats
from intrabar.kernel import kernel

ADD, SUBTRACT, MULTIPLY, DIVIDE, LEAST, LARGEST, NEGATIVE, ABSOLUTE, ROOT, LOGARITHM = range(10)


@kernel
def of_each(operation: int, a: Floats, b: Floats, out: Floats) -> None:
    """`a` with `b`, or a function of `a` alone; NaN where it has no value.

    The least and the largest of NaN and anything is NaN.
    """
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
    elif operation == LARGEST:
        for i in range(out.shape[0]):
            out[i] = a[i] if (a[i] > b[i]) | (a[i] != a[i]) else b[i]
    elif operation == NEGATIVE:
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
