"""Eight bars looked at together: as one after the other would be."""

from __future__ import annotations

import math

import numba
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intrabar.sim.processor import LANES, stay_between

PRICES = st.sampled_from([math.nan, 1.0, 2.0, 3.0])


@numba.njit
def together(opens: int, highs: int, lows: int, closes: int, up: float, down: float) -> bool:
    return stay_between(opens, highs, lows, closes, up, down)


@given(st.lists(PRICES, min_size=4 * LANES, max_size=4 * LANES), PRICES, PRICES)
def test_eight_bars_stay_between_two_prices_where_each_of_them_does(
    prices: list[float], up: float, down: float
) -> None:
    bars = np.array(prices).reshape(4, LANES)
    leaves = any(
        o >= up or o <= down or h >= up or low <= down or c >= up or c <= down
        for o, h, low, c in bars.T
    )
    assert together(*(row.ctypes.data for row in bars), up, down) == (not leaves)
