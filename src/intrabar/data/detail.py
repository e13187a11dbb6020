"""Detail bars: shorter bars of the same instrument that show the path inside a longer one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Bars


def rows_inside(bars: Bars, detail: Bars) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which detail bars lie inside each bar, from its open to its close.

    Parameters
    ----------
    bars : Bars
    detail : Bars
        Shorter ones of the same instrument.

    Returns
    -------
    first, count : (n,) int64
        Row of the first detail bar inside, and how many there are; 0 where there is none.
    """
    first = np.searchsorted(detail.open_time, bars.open_time, "left")
    end = np.searchsorted(detail.close_time, bars.close_time, "right")
    return first, np.maximum(end - first, 0)
