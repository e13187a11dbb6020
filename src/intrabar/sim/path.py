"""Which extreme of a bar comes first: the one thing that a bar does not tell.

The path serves the market only; no strategy sees it (fill model, section 2, step 3).
"""

from __future__ import annotations

import numpy as np

from intrabar.kernel import inlined, kernel
from intrabar.model.enums import PathPolicy
from intrabar.model.prices import near, reaches, same
from intrabar.sim.margin import net_position
from intrabar.sim.orders import MOC, is_market
from intrabar.sim.state import Book

WORST, BEST = int(PathPolicy.WORST), int(PathPolicy.BEST)
SHORTEST, NEAREST = int(PathPolicy.SHORTEST), int(PathPolicy.NEAREST)
LOW_FIRST, HIGH_FIRST = int(PathPolicy.LOW_FIRST), int(PathPolicy.HIGH_FIRST)
DETAIL, CALIBRATED = int(PathPolicy.DETAIL), int(PathPolicy.CALIBRATED)


PER_INSTRUMENT = 0x9E3779B97F4A7C15


def seed_of(seed: int, column: int) -> int:
    """The seed with which an instrument alone draws what it draws as this column of a market."""
    return (seed + PER_INSTRUMENT * column) % 2**64


@kernel
def draw(seed: int, instrument: int, bar: int) -> int:
    """64 random bits for one instrument and bar, the same however a run is split up.

    The finaliser of splitmix64 (Steele, Lea, Flood 2014) over a counter.
    """
    x = np.uint64(seed)
    x += np.uint64(PER_INSTRUMENT) * np.uint64(instrument + 1)
    x += np.uint64(0xBF58476D1CE4E5B9) * np.uint64(bar + 1)
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x  # type: ignore[return-value]


@kernel
def shortest(open_: float, high: float, low: float, close: float, tick: float) -> bool:
    """Low first when the path over the low is the shorter one."""
    if same(close, open_, tick):
        return (open_ - low) - (high - open_) <= near(high, low, tick)
    return close > open_


@kernel
def nearest(open_: float, high: float, low: float, close: float, tick: float) -> bool:
    """Low first when the low is nearer to the open (TradingView, TradeStation)."""
    difference = (open_ - low) - (high - open_)
    if abs(difference) <= near(high, low, tick):
        return reaches(1, close, open_, tick)
    return difference < 0.0


@inlined
def adverse(book: Book, j: int) -> int:
    """Which extreme hurts: +1 low first, -1 high first, 0 when neither does.

    By the net position at the end of OPEN; when flat, by the side of the only orders that could
    open one on the path. A market order waits for an open, a MOC for the close.
    """
    net = net_position(book, j)
    if net != 0.0:
        return 1 if net > 0.0 else -1
    buys, sells = False, False
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        if order.reduce_only == 0 and order.type != MOC and not is_market(order):
            if order.side > 0:
                buys = True
            else:
                sells = True
        k = order.next
    if buys == sells:
        return 0
    return 1 if sells else -1


@inlined
def low_first(book: Book, j: int, open_: float, high: float, low: float, close: float) -> bool:
    """Whether the price is taken to visit the low of this bar before its high."""
    account = book.account[0]
    policy = account.path_policy
    tick = book.instruments[j].tick_size
    if policy == WORST or policy == BEST:
        side = adverse(book, j)
        if side != 0:
            return (side > 0) == (policy == WORST)
        return shortest(open_, high, low, close, tick)
    if policy == SHORTEST or policy == DETAIL:
        return shortest(open_, high, low, close, tick)
    if policy == CALIBRATED:
        unit = float(draw(account.seed, j, account.bar) >> np.uint64(11)) * 2.0**-53
        believed = unit < account.path_trust
        return shortest(open_, high, low, close, tick) == believed
    if policy == NEAREST:
        return nearest(open_, high, low, close, tick)
    if policy == LOW_FIRST or policy == HIGH_FIRST:
        return policy == LOW_FIRST
    return (draw(account.seed, j, account.bar) & np.uint64(1)) == np.uint64(1)
