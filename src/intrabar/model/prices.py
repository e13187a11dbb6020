"""When two prices are one (fill model, section 3).

Within 1e-4 ticks, a little more than binary numbers need at any count of ticks that is traded.
Without a grid, and where a tick is finer than a double can tell, within 4 units in the last place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.kernel import inlined, kernel, rarely

OF_A_TICK = 1e-4
UNITS = 4.0  # in the last place
LEAST_UNIT = 5e-324
EXPONENT = np.uint64(0x7FF0000000000000)
MORE_THAN_UNITS = 2.0**-49  # of a price: at least `UNITS` of it


@inlined
def near(a: float, b: float, tick: float) -> float:
    """How far apart two prices may be and still be one; `tick` is 0 where there is no grid."""
    part, larger = OF_A_TICK * tick, max(abs(a), abs(b))
    if rarely(part < MORE_THAN_UNITS * larger):
        return max(part, UNITS * unit_of(larger))
    return part


@inlined
def unit_of(price: float) -> float:
    """The unit in the last place of a price, >= 0; the least there is where it is not finite.

    That of NumPy is a call, for which every kernel that asks would keep its numbers in memory.
    """
    power = np.float64(price).view(np.uint64) & EXPONENT  # of two
    if power == EXPONENT:
        return LEAST_UNIT
    return max(np.uint64(power).view(np.float64) * 2.0**-52, LEAST_UNIT)


@kernel
def same(a: float, b: float, tick: float) -> bool:
    """Whether two prices are one."""
    return abs(a - b) <= near(a, b, tick)


@kernel
def reaches(side: float, price: float, level: float, tick: float) -> bool:
    """Whether a price is at a level or beyond it: above for side +1, below for side -1."""
    return side * (price - level) >= -near(price, level, tick)


def near_each(a: Any, b: Any, tick: float) -> NDArray[np.float64]:
    """`near` of whole arrays of prices."""
    larger = np.maximum(np.abs(a), np.abs(b))
    return np.asarray(np.maximum(OF_A_TICK * tick, UNITS * np.spacing(larger)), np.float64)
