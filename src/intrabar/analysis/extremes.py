"""Long curves made short without changing what they show: the extremes of every stretch stay."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def keep_extremes(columns: list[Floats], limit: int) -> Indices:
    """Rows to keep so that every column keeps its lowest and highest value per stretch.

    Parameters
    ----------
    columns : list of (n,) float64
        NaN entries are never an extreme.
    limit : count
        Upper bound on the rows kept; up to this length all are.

    Returns
    -------
    (m,) intp
        Rising row indices, m <= limit, with the first and the last row.
    """
    n = columns[0].shape[0]
    if n <= limit:
        return np.arange(n)
    stretches = max(1, (limit - 2) // (2 * len(columns)))
    edges = np.linspace(0, n, stretches + 1).astype(np.intp)
    kept = {0, n - 1}
    for column in columns:
        low = np.where(np.isnan(column), np.inf, column)
        high = np.where(np.isnan(column), -np.inf, column)
        for a, b in pairwise(edges):
            kept.add(int(a + low[a:b].argmin()))
            kept.add(int(a + high[a:b].argmax()))
    return np.array(sorted(kept), dtype=np.intp)
