"""OPEN: only the open is known. Gapped stops and limits, and market orders, fill at it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, kernel
from intrabar.model.enums import Phase, TimeInForce
from intrabar.sim.costs import TOLERANCE
from intrabar.sim.execute import EXACT, SLIPS, execute
from intrabar.sim.orders import (
    CANCELLED,
    LIMIT,
    MARKET,
    MOC,
    NONE,
    STOP,
    STOP_LIMIT,
    finish,
)
from intrabar.sim.state import Book, Tape

IOC, FOK = code(TimeInForce.IOC), code(TimeInForce.FOK)
PHASE = code(Phase.OPEN)


@kernel
def stop_is_hit(order: Any, price: float, tolerance: float) -> bool:
    """Whether the market at a price has reached an order's stop."""
    return order.side * (price - order.stop_price) >= -tolerance


@kernel
def limit_is_met(order: Any, price: float, tolerance: float) -> bool:
    """Whether an order may fill at a price without breaking its limit."""
    return order.side * (order.limit_price - price) >= -tolerance


@kernel
def fill_one_at_open(book: Book, k: int, open_: float) -> bool:
    """Fill an order at the open if it is marketable there; whether it did."""
    order = book.orders[k]
    tolerance = TOLERANCE * book.instruments[order.instrument].tick_size
    if order.type == MOC:
        return False
    if order.type == STOP_LIMIT and order.triggered == 0 and stop_is_hit(order, open_, tolerance):
        order.triggered = 1
    if order.type == MARKET or (order.type == STOP and stop_is_hit(order, open_, tolerance)):
        execute(book, k, open_, SLIPS, open_, PHASE, np.nan, np.nan)
        return True
    limits = order.type == LIMIT or (order.type == STOP_LIMIT and order.triggered == 1)
    if limits and limit_is_met(order, open_, tolerance):
        execute(book, k, open_, EXACT, open_, PHASE, np.nan, np.nan)
        return True
    return False


@kernel
def fill_at_open(book: Book, j: int, open_: float, only_fresh: bool) -> None:
    """Test an instrument's orders against the open, in order of acceptance."""
    tested = -1
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        if order.id <= tested or (only_fresh and order.fresh == 0):
            k = order.next
            continue
        tested = order.id
        order.fresh = 0
        # An execution may cancel the neighbours: look for the next one from the start.
        k = book.instruments[j].head if fill_one_at_open(book, k, open_) else order.next


@kernel
def mark_at_open(book: Book, tape: Tape, i: int) -> None:
    """Value every instrument at its open, or at the carried close where it has no bar."""
    for j in range(book.instruments.shape[0]):
        open_ = tape.open[i, j]
        book.instruments[j].mark = tape.close[i, j] if math.isnan(open_) else open_


@kernel
def open_phase(book: Book, tape: Tape, i: int, only_fresh: bool) -> None:
    """Carry out OPEN for the orders that were accepted before it, or for the fresh ones."""
    if book.account[0].working > 0:
        for j in range(book.instruments.shape[0]):
            open_ = tape.open[i, j]
            if not math.isnan(open_) and book.instruments[j].head >= 0:
                fill_at_open(book, j, open_, only_fresh)


@kernel
def cancel_immediate(book: Book, tape: Tape, i: int, at_close: bool) -> None:
    """Cancel what should have filled in the phase just gone: IOC and FOK orders."""
    if book.account[0].timed == 0:
        return
    for j in range(book.instruments.shape[0]):
        if math.isnan(tape.open[i, j]):
            continue
        k = book.instruments[j].head
        while k >= 0:
            order = book.orders[k]
            after = order.next
            immediate = order.tif == IOC or order.tif == FOK
            if immediate and (order.type == MOC) == at_close and order.starts <= i:
                finish(book, k, CANCELLED, NONE)
            k = after
