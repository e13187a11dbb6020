"""INTRABAR: the price walks its path, and orders trigger in the order in which it meets them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, inlined, kernel
from intrabar.model.enums import Phase
from intrabar.model.prices import MORE_THAN_UNITS, OF_A_TICK, near, reaches, same
from intrabar.sim.execute import RESTS, SLIPS, TAKES, execute
from intrabar.sim.open import limit_is_met, meet
from intrabar.sim.orders import MOC, ROLE_TARGET, STOP_LIMIT, is_market, is_stop
from intrabar.sim.path import DETAIL, low_first, shortest
from intrabar.sim.state import Book, Tape

PHASE = code(Phase.INTRABAR)
FARTHEST = float(np.finfo(np.float64).max)


@inlined
def trigger_price(book: Book, order: Any, rising: bool) -> float:
    """The price at which a leg in this direction triggers an order; NaN where it cannot.

    A rising leg triggers buy stops and sell limits, a falling one sell stops and buy limits. A
    limit wants to be gone through by `limit_through_ticks`.
    """
    if order.type == MOC or is_market(order):
        return math.nan
    if is_stop(order):
        return order.stop_price if (order.side > 0) == rising else math.nan
    if (order.side > 0) == rising:
        return math.nan
    instrument = book.instruments[order.instrument]
    if instrument.max_volume_share > 0.0 and instrument.room <= 0.0:
        return math.nan  # the bar has no volume left: it rests
    return order.limit_price - order.side * instrument.limit_through_ticks * instrument.tick_size


@inlined
def met_at(book: Book, k: int, start: float, end: float, rising: bool) -> float:
    """Where the rest of a leg meets an order; NaN where it does not."""
    order = book.orders[k]
    tick = book.instruments[order.instrument].tick_size
    sign = 1.0 if rising else -1.0
    price = trigger_price(book, order, rising)
    if not reaches(sign, end, price, tick):
        return math.nan
    return start if sign * (start - price) > near(start, price, tick) else price


@inlined
def first_on_leg(book: Book, j: int, start: float, end: float, rising: bool) -> tuple[int, float]:
    """The order that the rest of a leg meets first, and where; -1 for none.

    The nearest, or of those at its price: stop, then target, then the others in order of
    acceptance. "Equal" is measured from the nearest, since it does not carry over: two prices that
    equal a third need not be equal.
    """
    tick = book.instruments[j].tick_size
    sign = 1.0 if rising else -1.0
    best, nearest, tied = -1, end, False
    k = book.instruments[j].head
    while k >= 0:
        price = met_at(book, k, start, end, rising)
        if not math.isnan(price):
            ahead = sign * (nearest - price)
            tied = tied or (best >= 0 and abs(ahead) <= near(nearest, price, tick))
            if best < 0 or ahead > 0.0:
                best, nearest = k, price
        k = book.orders[k].next
    if not tied:
        return best, nearest
    first, first_price, first_role = best, nearest, ROLE_TARGET + 2
    k = book.instruments[j].head
    while k >= 0:
        price = met_at(book, k, start, end, rising)
        role = min(book.orders[k].role, ROLE_TARGET + 1)
        if role < first_role and same(nearest, price, tick):
            first, first_price, first_role = k, price, role
        k = book.orders[k].next
    return first, first_price


@kernel
def walk_leg(book: Book, j: int, start: float, end: float, high: float, low: float) -> None:
    """Walk one straight leg of the path; what an execution creates sees the rest of it."""
    tick = book.instruments[j].tick_size
    here = start
    while start != end:
        k, price = first_on_leg(book, j, here, end, end > start)
        if k < 0:
            return
        here = price
        order = book.orders[k]
        market, way = here, TAKES
        if not is_stop(order):
            market, way = order.limit_price, RESTS
        elif order.type != STOP_LIMIT:
            market, way = order.stop_price, SLIPS
        else:
            order.triggered = 1
            if not limit_is_met(order, here, tick):
                continue
        execute(book, k, market, way, here, PHASE, high, low)


@kernel
def walk(book: Book, j: int, low_is_first: bool, bar: Any, up: float, down: float) -> None:
    """Walk the three legs of a bar `(open, high, low, close)`.

    Between `up` and `down` no order can trigger as they stand before it (`touch`).
    """
    open_, high, low, close = bar
    first, second = (low, high) if low_is_first else (high, low)
    if not (down < open_ < up and down < first < up):
        walk_leg(book, j, open_, first, high, low)
    walk_leg(book, j, first, second, high, low)
    walk_leg(book, j, second, close, high, low)


@kernel
def jump(book: Book, j: int, price: float) -> None:
    """Test the orders against the open of a lower bar, in order of acceptance."""
    tested = -1
    k = book.instruments[j].head
    while k >= 0:
        if k <= tested:
            k = book.orders[k].next
            continue
        tested = k
        if meet(book, k, price, False, PHASE, price, price):
            k = book.instruments[j].head
        else:
            k = book.orders[k].next


@kernel
def walk_detail(book: Book, tape: Tape, i: int, j: int) -> None:
    """Walk the lower bars of a bar one after the other, each on its shortest path."""
    instrument = book.instruments[j]
    tick = instrument.tick_size
    instrument.high, instrument.low = tape.high[i, j], tape.low[i, j]
    first = tape.detail_first[i, j]
    for d in range(first, first + tape.detail_count[i, j]):
        bar = (tape.detail[d, 0], tape.detail[d, 1], tape.detail[d, 2], tape.detail[d, 3])
        if d > first and not same(bar[0], tape.detail[d - 1, 3], tick):
            jump(book, j, bar[0])
        low_is_first = shortest(bar[0], bar[1], bar[2], bar[3], tick)
        walk(book, j, low_is_first, bar, -np.inf, np.inf)
    instrument.high, instrument.low = np.nan, np.nan


@inlined
def touch(book: Book, j: int) -> tuple[float, float]:
    """Between which two prices no order of an instrument can trigger.

    Anything that must be looked at in any case (a market order, a market-on-close) makes the band
    empty. It may be narrower than it could be, never wider.
    """
    up, down = FARTHEST, -FARTHEST
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        if order.type == MOC or is_market(order):
            return -np.inf, np.inf
        stops = is_stop(order)
        price = order.stop_price if stops else order.limit_price
        if stops == (order.side > 0):
            up = min(up, price)
        else:
            down = max(down, price)
        k = order.next
    part = OF_A_TICK * book.instruments[j].tick_size
    return up - (part + MORE_THAN_UNITS * abs(up)), down + (part + MORE_THAN_UNITS * abs(down))


@inlined
def intrabar_phase(book: Book, tape: Tape, i: int) -> None:
    """Walk every instrument that has a bar and working orders through it."""
    account = book.account[0]
    if account.working == 0:
        return
    for j in range(book.instruments.shape[0]):
        if book.instruments[j].head < 0 or math.isnan(tape.open[i, j]):
            continue
        up, down = touch(book, j)
        if (
            down < tape.low[i, j]
            and tape.high[i, j] < up
            and down < tape.open[i, j] < up
            and down < tape.close[i, j] < up
        ):
            continue
        if account.path_policy == DETAIL and tape.detail_count.shape[0] > 0:
            if tape.detail_count[i, j] > 0:
                walk_detail(book, tape, i, j)
                continue
        bar = (tape.open[i, j], tape.high[i, j], tape.low[i, j], tape.close[i, j])
        walk(book, j, low_first(book, j, bar[0], bar[1], bar[2], bar[3]), bar, up, down)
