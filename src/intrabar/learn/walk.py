"""The bars of a walk: what the canaries train on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Market

TICK, MINUTE, START = 0.01, 60_000_000_000, 1_600_000_000_000_000_000
STEPS_A_BAR = 60


def walk_of(steps: NDArray[Any], level: int, draw: np.random.Generator) -> Market:
    """Bars of a minute without gaps, of one instrument, WALK; their volume is noise.

    Parameters
    ----------
    steps : (t, n) integers, ticks
        The n steps within each bar.
    level : int, ticks
        Where it begins.
    draw : Generator
        Of the volume.
    """
    path = level + np.cumsum(steps.ravel(), dtype=np.int64).reshape(steps.shape)
    close = path[:, -1]
    open_ = np.concatenate([[level], close[:-1]])
    high, low = np.maximum(open_, path.max(axis=1)), np.minimum(open_, path.min(axis=1))
    count = len(steps)
    time = START + MINUTE * np.arange(1, count + 1, dtype=np.int64)
    o, h, x, c = (np.round(p * TICK, 2)[:, None] for p in (open_, high, low, close))
    volume = draw.integers(100_000, 1_000_000, (count, 1)).astype(np.float64)
    ends = np.zeros((count, 1), np.uint8)
    return Market(("WALK",), time, o, h, x, c, volume, ends, (time - MINUTE)[:, None], MINUTE)
