"""Whether a stop or a target can protect a position: judged where a strategy asks for it.

The market works any price that it is given. What a level is meant to be only the strategy's side
knows, so every kind of strategy asks here (fill model, section 4), and refuses what is no level.
"""

from __future__ import annotations

import math

from intrabar.kernel import inlined, kernel
from intrabar.model.prices import reaches
from intrabar.sim.costs import round_away

MOST = 1e9  # ticks: a double still tells their ten-thousandths apart


@inlined
def is_level(level: float, price: float, way: int, tick: float) -> bool:
    """Whether a level is finite and above 0, and lies beyond a price once it is on the tick.

    Parameters
    ----------
    level : price
    price : price
        What it is held against; NaN: nothing.
    way : {1, -1}
        Above the price, or below: the stop of a long position lies below.
    tick : price
        0 where there is no grid.
    """
    # Nearly always it is so far beyond that no rounding can matter.
    most = MOST * tick
    if way * (level - price) >= tick and 0.0 < tick <= level <= most and price <= most:
        return True
    return is_level_once_placed(level, price, way, tick)


@kernel
def is_level_once_placed(level: float, price: float, way: int, tick: float) -> bool:
    """`is_level`, worked out for a level that is near, beside it or none."""
    placed = round_away(level, tick, way)
    if not 0.0 < placed < math.inf:
        return False
    return math.isnan(price) or not reaches(way, price, placed, tick)


@inlined
def protects(side: int, price: float, stop: float, target: float, tick: float) -> bool:
    """Whether the stop and the target of an entry are levels; a target of NaN is none."""
    if not is_level(stop, price, -side, tick):
        return False
    return math.isnan(target) or is_level(target, price, side, tick)
