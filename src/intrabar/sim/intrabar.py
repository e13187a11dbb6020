"""INTRABAR: the price walks its path, and orders trigger in the order in which it meets them."""

from __future__ import annotations

import math
from typing import Any

from intrabar.kernel import code, kernel
from intrabar.model.enums import Phase
from intrabar.sim.costs import TOLERANCE
from intrabar.sim.execute import EXACT, SLIPS, execute
from intrabar.sim.open import limit_is_met
from intrabar.sim.orders import LIMIT, MARKET, MOC, ROLE_TARGET, STOP, STOP_LIMIT
from intrabar.sim.path import low_first
from intrabar.sim.state import Book, Tape

PHASE = code(Phase.INTRABAR)


@kernel
def trigger_price(book: Book, order: Any, rising: bool) -> float:
    """The price at which a leg in this direction triggers an order; NaN where it cannot.

    A rising leg triggers buy stops and sell limits, a falling one sell stops and buy limits. A
    limit wants to be gone through by `limit_through_ticks`.
    """
    if order.type == MARKET or order.type == MOC:
        return math.nan
    if order.type == STOP or (order.type == STOP_LIMIT and order.triggered == 0):
        return order.stop_price if (order.side > 0) == rising else math.nan
    if (order.side > 0) == rising:
        return math.nan
    instrument = book.instruments[order.instrument]
    return order.limit_price - order.side * instrument.limit_through_ticks * instrument.tick_size


@kernel
def first_on_leg(book: Book, j: int, start: float, end: float, rising: bool) -> tuple[int, float]:
    """The order that the rest of a leg meets first, and where; -1 for none.

    At one price: stop, then target, then the others in order of acceptance.
    """
    tolerance = TOLERANCE * book.instruments[j].tick_size
    sign = 1.0 if rising else -1.0
    best, best_price, best_role = -1, end, 0
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        price = trigger_price(book, order, rising)
        if sign * (end - price) >= -tolerance:
            if sign * (start - price) > 0.0:
                price = start
            role = min(order.role, ROLE_TARGET + 1)
            ahead = sign * (best_price - price)
            if best < 0 or ahead > tolerance or (ahead >= -tolerance and role < best_role):
                best, best_price, best_role = k, price, role
        k = order.next
    return best, best_price


@kernel
def walk_leg(book: Book, j: int, start: float, end: float, high: float, low: float) -> None:
    """Walk one straight leg of the path; what an execution creates sees the rest of it."""
    tolerance = TOLERANCE * book.instruments[j].tick_size
    here = start
    while start != end:
        k, price = first_on_leg(book, j, here, end, end > start)
        if k < 0:
            return
        here = price
        order = book.orders[k]
        if order.type == STOP:
            execute(book, k, order.stop_price, SLIPS, here, PHASE, high, low)
        elif order.type == LIMIT or order.triggered == 1:
            execute(book, k, order.limit_price, EXACT, here, PHASE, high, low)
        else:
            order.triggered = 1
            if limit_is_met(order, here, tolerance):
                execute(book, k, here, EXACT, here, PHASE, high, low)


@kernel
def intrabar_phase(book: Book, tape: Tape, i: int) -> None:
    """Walk every instrument that has a bar and working orders through it."""
    if book.account[0].working == 0:
        return
    for j in range(book.instruments.shape[0]):
        open_, high, low, close = (
            tape.open[i, j],
            tape.high[i, j],
            tape.low[i, j],
            tape.close[i, j],
        )
        if math.isnan(open_) or book.instruments[j].head < 0:
            continue
        first, second = high, low
        if low_first(book, j, open_, high, low, close):
            first, second = low, high
        walk_leg(book, j, open_, first, high, low)
        walk_leg(book, j, first, second, high, low)
        walk_leg(book, j, second, close, high, low)
