"""The orders: accepting, changing, finishing, in order of acceptance.

Every order has a row of `book.orders`, written when it is accepted or refused, and keeps it. Those
that work are chained per instrument, in order of acceptance; `book.log` names the rows of those
that are done, in that order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, inlined, kernel
from intrabar.model.enums import OrderStatus, OrderType, Reject, Role, TimeInForce
from intrabar.sim.costs import OF_A_LOT, round_away
from intrabar.sim.state import (
    CANCEL,
    MODIFY,
    MOVE_STOP,
    REFUSE,
    STEP_CLOSE,
    STEP_NEW,
    SUBMIT,
    Book,
    Tape,
)

MARKET, LIMIT, STOP = (
    code(OrderType.MARKET),
    code(OrderType.LIMIT),
    code(OrderType.STOP),
)
STOP_LIMIT, MOC = code(OrderType.STOP_LIMIT), code(OrderType.MOC)
TRAILING_STOP = code(OrderType.TRAILING_STOP)
WORKING, FILLED = code(OrderStatus.WORKING), code(OrderStatus.FILLED)
PARTIALLY_FILLED = code(OrderStatus.PARTIALLY_FILLED)
CANCELLED, REJECTED = code(OrderStatus.CANCELLED), code(OrderStatus.REJECTED)
EXPIRED = code(OrderStatus.EXPIRED)
GTC, GTD = code(TimeInForce.GTC), code(TimeInForce.GTD)
ROLE_STOP, ROLE_TARGET = code(Role.STOP), code(Role.TARGET)
LIQUIDATION = code(Role.LIQUIDATION)
NONE, NO_MARKET = code(Reject.NONE), code(Reject.NO_MARKET)
INVALID_QUANTITY, INVALID_PRICE = code(Reject.INVALID_QUANTITY), code(Reject.INVALID_PRICE)


@kernel
def find(book: Book, order_id: int) -> int:
    """Row of a working order, -1 when it is done or unknown."""
    for j in range(book.instruments.shape[0]):
        k = book.instruments[j].head
        while k >= 0:
            if book.orders[k].id == order_id:
                return k
            k = book.orders[k].next
    return -1


@inlined
def blank(book: Book) -> Any:
    """The next row, to be filled in; `add` or `refuse` takes it from there."""
    account = book.account[0]
    order = book.orders[account.orders]
    order.parent = -1
    order.reject = NONE
    order.triggered = 0
    order.fresh = 0
    order.filled = 0.0
    order.limit_price = np.nan
    order.stop_price = np.nan
    order.trail = np.nan
    order.stop_loss = np.nan
    order.take_profit = np.nan
    order.until = 0
    order.submitted = account.bar
    order.starts = account.bar
    order.done = -1
    order.oco = -1
    return order


@inlined
def add(book: Book) -> int:
    """Put the order in the next row at the end of its instrument's chain; returns the row."""
    account = book.account[0]
    k = account.orders
    order = book.orders[k]
    account.orders += 1
    order.status = WORKING
    order.next = -1
    instrument = book.instruments[order.instrument]
    last = instrument.tail
    order.prev = last
    if last >= 0:
        book.orders[last].next = k
    else:
        instrument.head = k
    instrument.tail = k
    account.working += 1
    if order.tif != GTC:
        account.timed += 1
    if order.type == TRAILING_STOP:
        account.trailing += 1
    if order.role > ROLE_TARGET:
        sleeve_of(book, order).entries += 1
    return k


@kernel
def refuse(book: Book, status: int, reject: int) -> None:
    """Record the order in the next row as one that never worked."""
    account = book.account[0]
    k = account.orders
    account.orders += 1
    order = book.orders[k]
    order.status = status
    order.reject = reject
    order.done = account.bar
    order.next = -1
    order.prev = -1
    write_log(book, k)


@kernel
def sleeve_of(book: Book, order: Any) -> Any:
    """The sleeve that an order belongs to."""
    return book.sleeves[order.strategy * book.instruments.shape[0] + order.instrument]


@kernel
def finish(book: Book, k: int, status: int, reject: int) -> None:
    """Take an order out of the chain, with its final status."""
    order = book.orders[k]
    account = book.account[0]
    order.status = status
    order.reject = reject
    order.done = account.bar
    instrument = book.instruments[order.instrument]
    before, after = order.prev, order.next
    if before >= 0:
        book.orders[before].next = after
    else:
        instrument.head = after
    if after >= 0:
        book.orders[after].prev = before
    else:
        instrument.tail = before
    if order.oco >= 0:
        book.orders[order.oco].oco = -1
        order.oco = -1
    account.working -= 1
    if order.tif != GTC:
        account.timed -= 1
    if order.type == TRAILING_STOP:
        account.trailing -= 1
    if order.role > ROLE_TARGET:
        sleeve = sleeve_of(book, order)
        sleeve.entries -= 1
        if order.role == LIQUIDATION and sleeve.liquidated:
            sleeve.liquidated = 0
            account.pending -= 1
    write_log(book, k)


@kernel
def write_log(book: Book, k: int) -> None:
    """Record that an order is done, and give notice to a strategy that asked for it."""
    account = book.account[0]
    book.log[account.log] = k
    account.log += 1
    strategy = book.orders[k].strategy
    if book.strategies[strategy].on_notice != 0:
        notice = book.notices[account.notices]
        notice.strategy = strategy
        notice.fill = -1
        notice.order = k
        account.notices += 1


@kernel
def cancel_all(book: Book, j: int, liquidations: bool) -> None:
    """Cancel every working order of an instrument; pending liquidations only where asked to."""
    k = book.instruments[j].head
    while k >= 0:
        after = book.orders[k].next
        if book.orders[k].role != LIQUIDATION or liquidations:
            finish(book, k, CANCELLED, NONE)
        k = after


@kernel
def cancel_protective(book: Book, strategy: int, j: int, spared: int) -> None:
    """Cancel the stops and targets of a position that is no more, but for one row."""
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        after = order.next
        if k != spared and order.role <= ROLE_TARGET and order.strategy == strategy:
            finish(book, k, CANCELLED, NONE)
        k = after


@kernel
def is_stop(order: Any) -> bool:
    """Whether an order waits for a stop price: a stop, or what has not become something else."""
    return (
        order.type == STOP or order.type == TRAILING_STOP or order.type == STOP_LIMIT
    ) and order.triggered == 0


@kernel
def is_market(order: Any) -> bool:
    """Whether an order fills at any open: a market order, or the rest of a triggered stop."""
    return order.type == MARKET or (
        order.triggered == 1 and (order.type == STOP or order.type == TRAILING_STOP)
    )


@inlined
def on_grid(order: Any, tick: float) -> bool:
    """Round an order's prices never to its owner's favour; False when one is missing or <= 0.

    Limit buy down, limit sell up, stop buy up, stop sell down (fill model, section 3).
    """
    if order.type == MARKET or order.type == MOC:
        return True
    fine = True
    if order.type == LIMIT or order.type == STOP_LIMIT:
        order.limit_price = round_away(order.limit_price, tick, -order.side)
        fine = order.limit_price > 0.0
    if order.type != LIMIT and order.triggered == 0:
        order.stop_price = round_away(order.stop_price, tick, order.side)
        fine = fine and order.stop_price > 0.0
    return fine


@inlined
def is_whole(qty: float, lot: float) -> bool:
    """Whether a quantity is one or more whole lots."""
    lots = qty / lot
    return lots >= OF_A_LOT and abs(lots - np.rint(lots)) <= OF_A_LOT


@inlined
def accept(book: Book, tape: Tape, command: Any, step: int) -> None:
    """Make an order of a command: one that works, or one that is refused with the reason."""
    account = book.account[0]
    instrument = book.instruments[command.instrument]
    order = blank(book)
    order.id = command.id
    order.strategy = command.strategy
    order.instrument = command.instrument
    order.side = command.side
    order.type = command.type
    order.tif = command.tif
    order.role = command.role
    order.reduce_only = command.reduce_only
    order.fresh = 1
    order.phase = 0 if step == STEP_NEW else (1 if step == STEP_CLOSE else 2)
    order.qty = command.qty
    order.limit_price = command.limit_price
    order.stop_price = command.stop_price
    order.stop_loss = command.stop_loss
    order.take_profit = command.take_profit
    order.until = command.until
    if not (step == STEP_NEW or (command.type == MOC and step == STEP_CLOSE)):
        order.starts = account.bar + 1
    priced = True
    if order.type == TRAILING_STOP:
        order.trail = command.trail
        priced = order.trail > 0.0
        if math.isnan(order.stop_price):
            order.stop_price = instrument.mark + order.side * order.trail
    if math.isnan(instrument.mark):
        refuse(book, REJECTED, NO_MARKET)
        return
    if command.kind == REFUSE:
        refuse(book, REJECTED, command.reject)
        return
    if not is_whole(order.qty, instrument.lot):
        refuse(book, REJECTED, INVALID_QUANTITY)
        return
    if not on_grid(order, instrument.tick_size) or not priced:
        refuse(book, REJECTED, INVALID_PRICE)
        return
    if order.tif == GTD and order.until < tape.time[account.bar] + (step > STEP_CLOSE):
        refuse(book, EXPIRED, NONE)
        return
    k = add(book)
    if command.oco >= 0:
        partner = find(book, command.oco)
        if partner >= 0 and partner != k and book.orders[partner].oco < 0:
            order.oco = partner
            book.orders[partner].oco = k


@kernel
def modify(book: Book, command: Any) -> None:
    """Change the prices or the quantity of a working order; it keeps its place.

    NaN leaves a value alone. A change that could not have been accepted changes nothing; a
    quantity that leaves less than a lot to fill cancels the order.
    """
    k = find(book, command.id)
    if k < 0 or book.orders[k].role == LIQUIDATION:
        return
    order = book.orders[k]
    instrument = book.instruments[order.instrument]
    limit_price, stop_price = order.limit_price, order.stop_price
    if not np.isnan(command.limit_price):
        order.limit_price = command.limit_price
    if not np.isnan(command.stop_price) and order.triggered == 0:
        order.stop_price = command.stop_price
    cancels = command.qty - order.filled < instrument.lot * (1.0 - OF_A_LOT)
    whole = np.isnan(command.qty) or cancels or is_whole(command.qty, instrument.lot)
    if not on_grid(order, instrument.tick_size) or not whole:
        order.limit_price, order.stop_price = limit_price, stop_price
        return
    if cancels:
        finish(book, k, CANCELLED, NONE)
        return
    if not np.isnan(command.qty):
        order.qty = command.qty
    order.fresh = 1
    if order.role <= ROLE_TARGET:
        show_level(book, order)
        note_level(book, order.strategy, order.instrument)


@kernel
def show_level(book: Book, order: Any) -> None:
    """Let the sleeve show where its stop or target stands."""
    sleeve = sleeve_of(book, order)
    if order.role == ROLE_STOP:
        sleeve.stop = order.stop_price
    elif order.role == ROLE_TARGET:
        sleeve.target = order.limit_price


@kernel
def move_protective(book: Book, command: Any, role: int, price: float) -> None:
    """Move all stops (or targets) of a position to one price."""
    k = book.instruments[command.instrument].head
    while k >= 0:
        order = book.orders[k]
        if order.role == role and order.strategy == command.strategy and order.triggered == 0:
            stop_price, limit_price = order.stop_price, order.limit_price
            if role == ROLE_STOP:
                order.stop_price = price
            else:
                order.limit_price = price
            if not on_grid(order, book.instruments[order.instrument].tick_size):
                order.stop_price, order.limit_price = stop_price, limit_price
            order.fresh = 1
            show_level(book, order)
        k = order.next
    note_level(book, command.strategy, command.instrument)


@kernel
def note_level(book: Book, strategy: int, j: int) -> None:
    """Record where the protection of a position stands after a move."""
    account = book.account[0]
    sleeve = book.sleeves[strategy * book.instruments.shape[0] + j]
    level = book.levels[account.levels]
    level.bar = account.bar
    level.strategy = strategy
    level.instrument = j
    level.stop = sleeve.stop
    level.target = sleeve.target
    account.levels += 1


@inlined
def take_inbox(book: Book, tape: Tape, step: int) -> None:
    """Carry out the commands that hooks have left, in order."""
    account = book.account[0]
    for c in range(account.inbox):
        command = book.inbox[c]
        if command.kind == SUBMIT or command.kind == REFUSE:
            accept(book, tape, command, step)
        elif command.kind == CANCEL:
            k = find(book, command.id)
            if k >= 0 and book.orders[k].role != LIQUIDATION:
                finish(book, k, CANCELLED, NONE)
        elif command.kind == MODIFY:
            modify(book, command)
        elif command.kind == MOVE_STOP:
            move_protective(book, command, ROLE_STOP, command.stop_price)
        else:
            move_protective(book, command, ROLE_TARGET, command.limit_price)
    account.inbox = 0
