"""The bracket of an entry: the stop and the target that its fill brings to life, as OCO orders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, inlined, kernel
from intrabar.model.enums import Phase
from intrabar.model.prices import reaches
from intrabar.sim.costs import in_lots, lots_down, lots_up
from intrabar.sim.orders import (
    CANCELLED,
    GTC,
    LIMIT,
    NONE,
    ROLE_STOP,
    ROLE_TARGET,
    STOP,
    add,
    blank,
    finish,
    on_grid,
    sleeve_of,
)
from intrabar.sim.state import Book

CLOSE = code(Phase.CLOSE)


@inlined
def add_child(book: Book, parent: Any, role: int, price: float, qty: float, phase: int) -> int:
    """Make a protective child of an entry; -1 where its price cannot be worked."""
    child = blank(book)
    child.parent = parent.id
    child.strategy = parent.strategy
    child.instrument = parent.instrument
    child.side = -parent.side
    child.tif = GTC
    child.role = role
    child.reduce_only = 1
    child.phase = parent.phase
    child.fresh = 1 if phase == CLOSE else 0
    child.qty = qty
    if role == ROLE_STOP:
        child.type = STOP
        child.stop_price = price
    else:
        child.type = LIMIT
        child.limit_price = price
    if not on_grid(child, book.instruments[child.instrument].tick_size):
        return -1
    account = book.account[0]
    child.id = account.next_order
    account.next_order += 1
    return add(book)


@inlined
def add_children(book: Book, order: Any, opened: float, phase: int) -> tuple[int, int]:
    """Make the stop and the target that a bracket's fill brings to life, OCO with each other."""
    stop, target = -1, -1
    sleeve = sleeve_of(book, order)
    sleeve.stop = np.nan
    sleeve.target = np.nan
    if not math.isnan(order.stop_loss):
        stop = add_child(book, order, ROLE_STOP, order.stop_loss, opened, phase)
        if stop >= 0:
            sleeve.stop = book.orders[stop].stop_price
    if not math.isnan(order.take_profit):
        target = add_child(book, order, ROLE_TARGET, order.take_profit, opened, phase)
        if target >= 0:
            sleeve.target = book.orders[target].limit_price
    if stop >= 0 and target >= 0:
        book.orders[stop].oco = target
        book.orders[target].oco = stop
    return stop, target


@kernel
def grow_children(book: Book, order: Any, opened: float) -> bool:
    """Add what another part of an entry opened to those of its children that still work."""
    grown = False
    k = book.instruments[order.instrument].head
    while k >= 0:
        child = book.orders[k]
        if child.parent == order.id and child.role <= ROLE_TARGET:
            child.qty = in_lots(child.qty + opened, book.instruments[order.instrument].lot)
            grown = True
        k = child.next
    return grown


@inlined
def take_from_partner(book: Book, other: int, qty: float) -> None:
    """One cancels other: what one order fills, its partner loses, in whole lots of its own."""
    partner = book.orders[other]
    lot = book.instruments[partner.instrument].lot
    partner.qty = in_lots(partner.qty - lots_up(qty, lot), lot)
    if lots_down(partner.qty - partner.filled, lot) < lot:
        finish(book, other, CANCELLED, NONE)


@inlined
def holds_partner(book: Book, order: Any, high: float, low: float) -> bool:
    """Whether the partner of a stop or target has its price between a high and a low."""
    if order.role > ROLE_TARGET:
        return False
    partner = book.orders[order.oco]
    price = partner.stop_price if partner.role == ROLE_STOP else partner.limit_price
    if low <= price <= high:
        return True
    tick = book.instruments[partner.instrument].tick_size
    return reaches(1, price, low, tick) and reaches(-1, price, high, tick)
