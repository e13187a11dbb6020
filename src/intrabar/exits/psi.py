"""The population stability index of a feature, `sum (p - q) ln(p / q)` over cells of its training.

p is the share of the last decisions in a cell, q that of the training (`analysis.drift`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intrabar.indicators.elementary import log
from intrabar.indicators.indicator import Floats
from intrabar.kernel import kernel

STRETCH = 500  # decisions at once
DECILES = 9
NEVER_EMPTY = 0.5  # decisions added to each cell: an empty one has a logarithm


def cells_of(edges: Floats) -> tuple[Floats, Floats]:
    """Upper ends of the cells but the last, and the share of the training in each.

    A value that is several deciles at once ends one cell. Where it is the highest decile too, what
    lies above belongs to it: a feature of two values has two cells. A single value has a cell of
    its own, between what is lower and what is higher.
    """
    ends, times = np.unique(edges, return_counts=True)
    if len(ends) == 1:
        share = np.array([0.0, 1.0, 0.0])
        ends = np.array([np.nextafter(ends[0], -np.inf), ends[0]])
    else:
        if times[-1] > 1:
            ends = ends[:-1]
        below = np.searchsorted(edges, ends, "right") / 10.0
        share = np.diff(np.concatenate(([0.0], below, [1.0])))
    return ends, share_of(share * STRETCH, STRETCH, len(share))


def share_of(count: Any, n: int, cells: int) -> Any:
    """The share of `n` in a cell that holds `count` of them."""
    return (count + NEVER_EMPTY) / (n + NEVER_EMPTY * cells)


@kernel
def index_of(
    values: Floats, f: int, scale: float, mean: float, ends: Floats, share: Floats
) -> float:
    """The index of a feature.

    Parameters
    ----------
    values : (n, F)
        Of decisions.
    f : int
        Its column.
    scale, mean : float
        `values * scale + mean` is what the cells were made of.
    ends, share : (k - 1,), (k,)
        As `cells_of`.
    """
    n, cells = values.shape[0], share.shape[0]
    count = np.zeros(cells)
    for i in range(n):
        x, k = values[i, f] * scale + mean, 0
        while k < cells - 1 and ends[k] < x:
            k += 1
        count[k] += 1.0
    total = 0.0
    for k in range(cells):
        now = (count[k] + NEVER_EMPTY) / (n + NEVER_EMPTY * cells)
        total += (now - share[k]) * log(now / share[k])
    return total
