"""OPEN: only the open is known. Gapped stops and limits, and market orders, fill at it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, inlined, kernel
from intrabar.model.enums import Phase, TimeInForce
from intrabar.model.prices import reaches
from intrabar.sim.costs import DAY_NS, lots_down, month_of
from intrabar.sim.execute import RESTS, SLIPS, TAKES, execute
from intrabar.sim.orders import (
    CANCELLED,
    LIMIT,
    MOC,
    NONE,
    STOP_LIMIT,
    finish,
    is_market,
    is_stop,
)
from intrabar.sim.state import Book, Tape

IOC, FOK = code(TimeInForce.IOC), code(TimeInForce.FOK)
PHASE = code(Phase.OPEN)
STAYS = code(-1)


@kernel
def stop_is_hit(order: Any, price: float, tick: float) -> bool:
    """Whether the market at a price has reached an order's stop."""
    return reaches(order.side, price, order.stop_price, tick)


@kernel
def limit_is_met(order: Any, price: float, tick: float) -> bool:
    """Whether an order may fill at a price without breaking its limit."""
    return reaches(-order.side, price, order.limit_price, tick)


@inlined
def way_at(book: Book, order: Any, price: float, first: bool, phase: int) -> int:
    """How an order fills at a price to which the market has jumped; STAYS where it does not.

    `first` says that the order meets a market for the first time: it cannot have rested.
    """
    if order.type == MOC:
        return STAYS
    if phase == PHASE and is_market(order):
        return SLIPS
    tick = book.instruments[order.instrument].tick_size
    way = TAKES if first else RESTS
    if is_stop(order):
        if not stop_is_hit(order, price, tick):
            return STAYS
        if order.type != STOP_LIMIT:
            return SLIPS
        order.triggered = 1
        way = TAKES
    limits = order.type == LIMIT or order.type == STOP_LIMIT
    return way if limits and limit_is_met(order, price, tick) else STAYS


@inlined
def meet(
    book: Book, k: int, price: float, first: bool, phase: int, high: float, low: float
) -> bool:
    """Test an order against a price to which the market has jumped; whether it was executed."""
    way = way_at(book, book.orders[k], price, first, phase)
    if way == STAYS:
        return False
    execute(book, k, price, way, price, phase, high, low)
    return True


@inlined
def fill_at_open(book: Book, j: int, open_: float, only_fresh: bool) -> None:
    """Test an instrument's orders against the open, in order of acceptance."""
    tested = -1
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        if k <= tested or (only_fresh and order.fresh == 0):
            k = order.next
            continue
        tested = k
        first = order.fresh == 1
        order.fresh = 0
        if meet(book, k, open_, first, PHASE, np.nan, np.nan):
            # An execution may cancel the neighbours: look for the next one from the start.
            k = book.instruments[j].head
        else:
            k = order.next


@inlined
def mark_at_open(book: Book, tape: Tape, i: int) -> None:
    """Value every instrument at its open, or at the carried close where it has no bar."""
    for j in range(book.instruments.shape[0]):
        open_ = tape.open[i, j]
        book.instruments[j].mark = tape.close[i, j] if math.isnan(open_) else open_
    book.account[0].free = np.nan


@kernel
def read_volume(instrument: Any, tape: Tape, i: int, j: int) -> None:
    """Look up what caps, slippage and tiers of an instrument ask of the present bar."""
    instrument.volume = tape.volume[i, j]
    if tape.mean_range.shape[0] > 0:
        instrument.mean_range = tape.mean_range[i, j]
    share = instrument.max_volume_share * instrument.volume
    instrument.room = lots_down(share, instrument.lot)
    if instrument.tiers > 0:
        month = month_of(tape.time[i] // DAY_NS)
        if month != instrument.month:
            instrument.month = month
            instrument.traded = 0.0


@inlined
def open_phase(book: Book, tape: Tape, i: int, only_fresh: bool) -> None:
    """Carry out OPEN for the orders that were accepted before it, or for the fresh ones."""
    if book.account[0].working > 0:
        for j in range(book.instruments.shape[0]):
            if book.instruments[j].head >= 0 and not math.isnan(tape.open[i, j]):
                fill_at_open(book, j, tape.open[i, j], only_fresh)


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
