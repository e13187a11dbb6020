"""How likely a side is by predicted quantiles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from intrabar.data.prediction_file import probability
from intrabar.model.bars import Floats


def chance_above_nothing(quantiles: Mapping[str, Floats]) -> Floats:
    """The probability of a return above 0 by predicted quantiles, straight between them.

    Beyond the outermost ones it is theirs: where even the 5 per cent quantile is above 0, it is
    0.95 and not more, because nothing tells more.
    """
    names = sorted(quantiles, key=probability)
    p = [probability(name) for name in names]
    grid = np.sort(np.stack([quantiles[name] for name in names]), axis=0)
    below = np.where(grid[0] > 0.0, p[0], np.where(grid[-1] <= 0.0, p[-1], np.nan))
    for k in range(len(p) - 1):
        low, high = grid[k], grid[k + 1]
        inside = (low <= 0.0) & (high > 0.0)
        step = -low[inside] / (high - low)[inside]
        below[inside] = p[k] + step * (p[k + 1] - p[k])
    below[~np.isfinite(grid).all(axis=0)] = np.nan
    return np.asarray(1.0 - below)
