"""Sums, means and deviations with the bits of NumPy's, for kernels.

NumPy adds in blocks (pairwise summation, as `add.reduce` does it), so that rounding errors grow
with the logarithm of the length. A kernel that added one by one would differ in the last bits, and
a run in a sweep would not be the run alone.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from intrabar.kernel import kernel

Floats = NDArray[np.float64]

BLOCK = 128  # values that are added without halving
DEEPEST = 64  # halves of halves


@kernel
def sum_of_block(x: Floats, first: int, n: int) -> float:
    """Sum of at most `BLOCK` values, eight in parallel."""
    if n < 8:
        total = -0.0
        for i in range(first, first + n):
            total += x[i]
        return total
    a, b, c, d = x[first], x[first + 1], x[first + 2], x[first + 3]
    e, f, g, h = x[first + 4], x[first + 5], x[first + 6], x[first + 7]
    whole = first + n - n % 8
    for i in range(first + 8, whole, 8):
        a, b, c, d = a + x[i], b + x[i + 1], c + x[i + 2], d + x[i + 3]
        e, f, g, h = e + x[i + 4], f + x[i + 5], g + x[i + 6], h + x[i + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(whole, first + n):
        total += x[i]
    return float(total)


@kernel
def sum_of(x: Floats, first: int, n: int) -> float:
    """Sum of `n` values from `first` on."""
    if n == 0:
        return 0.0
    if n <= BLOCK:
        return sum_of_block(x, first, n)
    # Halves of halves, without a recursion: Numba's cache does not bear one.
    starts, sizes = np.empty(DEEPEST, np.int64), np.empty(DEEPEST, np.int64)
    left, is_summed = np.empty(DEEPEST), np.empty(DEEPEST, np.bool_)  # the left half of each
    depth = 0
    while True:
        while n > BLOCK:
            half = n // 2
            half -= half % 8
            starts[depth], sizes[depth], is_summed[depth] = first + half, n - half, False
            depth += 1
            n = half
        total = sum_of_block(x, first, n)
        while depth > 0 and is_summed[depth - 1]:
            depth -= 1
            total += left[depth]
        if depth == 0:
            return total
        left[depth - 1], is_summed[depth - 1] = total, True
        first, n = starts[depth - 1], sizes[depth - 1]


@kernel
def mean_of(x: Floats, n: int) -> float:
    """Mean of the first `n` values, `n` > 0."""
    return sum_of(x, 0, n) / n


@kernel
def deviation_of(x: Floats, n: int, scratch: Floats) -> float:
    """Sample standard deviation of the first `n` values, `n` > 1."""
    mean = mean_of(x, n)
    for i in range(n):
        apart = x[i] - mean
        scratch[i] = apart * apart
    return math.sqrt(sum_of(scratch, 0, n) / (n - 1))
