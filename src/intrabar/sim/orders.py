"""The working orders: accepting, changing, finishing, in order of acceptance.

Working orders stand in slots of `book.orders`, chained per instrument in order of acceptance.
A free slot has status -1 and `next` names the next free one; the chain of free slots starts at
the last slot, which holds no working order: new orders are prepared there. A done order is copied
to `book.log`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, kernel
from intrabar.model.enums import OrderStatus, OrderType, Reject, Role, TimeInForce
from intrabar.sim.costs import TOLERANCE, round_down, round_up
from intrabar.sim.state import (
    CANCEL,
    MODIFY,
    MOVE_STOP,
    STEP_CLOSE,
    STEP_NEW,
    SUBMIT,
    Book,
)

MARKET, LIMIT, STOP = (
    code(OrderType.MARKET),
    code(OrderType.LIMIT),
    code(OrderType.STOP),
)
STOP_LIMIT, MOC = code(OrderType.STOP_LIMIT), code(OrderType.MOC)
WORKING, FILLED = code(OrderStatus.WORKING), code(OrderStatus.FILLED)
CANCELLED, REJECTED = code(OrderStatus.CANCELLED), code(OrderStatus.REJECTED)
EXPIRED = code(OrderStatus.EXPIRED)
GTC, GTD = code(TimeInForce.GTC), code(TimeInForce.GTD)
ROLE_STOP, ROLE_TARGET = code(Role.STOP), code(Role.TARGET)
LIQUIDATION = code(Role.LIQUIDATION)
NONE, NO_MARKET = code(Reject.NONE), code(Reject.NO_MARKET)
INVALID_QUANTITY, INVALID_PRICE = code(Reject.INVALID_QUANTITY), code(Reject.INVALID_PRICE)


@kernel
def find(book: Book, order_id: int) -> int:
    """Slot of a working order, -1 when it is done or unknown."""
    for j in range(book.instruments.shape[0]):
        k = book.instruments[j].head
        while k >= 0:
            if book.orders[k].id == order_id:
                return k
            k = book.orders[k].next
    return -1


@kernel
def add(book: Book, order: Any) -> int:
    """Put an order at the end of its instrument's chain; returns the slot."""
    free = book.orders.shape[0] - 1
    k = book.orders[free].next
    book.orders[free].next = book.orders[k].next
    book.orders[k] = order
    placed = book.orders[k]
    placed.status = WORKING
    placed.next = -1
    instrument = book.instruments[placed.instrument]
    placed.prev = instrument.tail
    if instrument.tail >= 0:
        book.orders[instrument.tail].next = k
    else:
        instrument.head = k
    instrument.tail = k
    account = book.account[0]
    account.working += 1
    if placed.tif != GTC:
        account.timed += 1
    if placed.role > ROLE_TARGET:
        sleeve_of(book, placed).entries += 1
    return k


@kernel
def blank(book: Book) -> Any:
    """A new order to be filled in, in the last slot; `add` or `write_log` takes it from there.

    Its link to the free slots stays as it is.
    """
    order = book.orders[book.orders.shape[0] - 1]
    order.parent = -1
    order.reject = NONE
    order.triggered = 0
    order.fresh = 0
    order.filled = 0.0
    order.limit_price = np.nan
    order.stop_price = np.nan
    order.stop_loss = np.nan
    order.take_profit = np.nan
    order.until = 0
    order.submitted = book.account[0].bar
    order.starts = book.account[0].bar
    order.done = -1
    order.oco = -1
    return order


@kernel
def sleeve_of(book: Book, order: Any) -> Any:
    """The sleeve that an order belongs to."""
    return book.sleeves[order.strategy * book.instruments.shape[0] + order.instrument]


@kernel
def finish(book: Book, k: int, status: int, reject: int) -> None:
    """Take an order out of the book, with its final status, and write it to the log."""
    order = book.orders[k]
    account = book.account[0]
    order.status = status
    order.reject = reject
    order.done = account.bar
    instrument = book.instruments[order.instrument]
    if order.prev >= 0:
        book.orders[order.prev].next = order.next
    else:
        instrument.head = order.next
    if order.next >= 0:
        book.orders[order.next].prev = order.prev
    else:
        instrument.tail = order.prev
    if order.oco >= 0:
        book.orders[order.oco].oco = -1
    account.working -= 1
    if order.tif != GTC:
        account.timed -= 1
    if order.role > ROLE_TARGET:
        sleeve_of(book, order).entries -= 1
    if order.role == LIQUIDATION and sleeve_of(book, order).liquidated:
        sleeve_of(book, order).liquidated = 0
        account.pending -= 1
    write_log(book, order)
    order.status = -1
    free = book.orders.shape[0] - 1
    order.next = book.orders[free].next
    book.orders[free].next = k


@kernel
def write_log(book: Book, order: Any) -> None:
    """Record an order that is done, and give notice to a strategy that asked for it."""
    account = book.account[0]
    book.log[account.log] = order
    if book.strategies[order.strategy].on_notice != 0:
        notice = book.notices[account.notices]
        notice.strategy = order.strategy
        notice.fill = -1
        notice.order = account.log
        account.notices += 1
    account.log += 1


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
    """Cancel the stops and targets of a position that is no more, but for one slot."""
    k = book.instruments[j].head
    while k >= 0:
        after = book.orders[k].next
        order = book.orders[k]
        if k != spared and order.role <= ROLE_TARGET and order.strategy == strategy:
            finish(book, k, CANCELLED, NONE)
        k = after


@kernel
def on_grid(order: Any, tick: float) -> bool:
    """Round an order's prices never to its owner's favour; False when one is missing or <= 0.

    Limit buy down, limit sell up, stop buy up, stop sell down (fill model, section 3).
    """
    fine = True
    if order.type == LIMIT or order.type == STOP_LIMIT:
        if order.side > 0:
            order.limit_price = round_down(order.limit_price, tick)
        else:
            order.limit_price = round_up(order.limit_price, tick)
        fine = order.limit_price > 0.0
    if order.type == STOP or order.type == STOP_LIMIT:
        if order.side > 0:
            order.stop_price = round_up(order.stop_price, tick)
        else:
            order.stop_price = round_down(order.stop_price, tick)
        fine = fine and order.stop_price > 0.0
    return fine


@kernel
def is_whole(qty: float, lot: float) -> bool:
    """Whether a quantity is one or more whole lots."""
    lots = qty / lot
    return lots >= TOLERANCE and abs(lots - round(lots)) <= TOLERANCE


@kernel
def accept(book: Book, command: Any, step: int, time: int) -> None:
    """Take a submitted order into the book, or refuse it with the reason.

    The new order's fields are prepared in the last slot of the book, which no order ever uses.
    """
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
    order.fresh = 1 if step == STEP_NEW else 0
    order.phase = 0 if step == STEP_NEW else (1 if step == STEP_CLOSE else 2)
    order.qty = command.qty
    order.limit_price = command.limit_price
    order.stop_price = command.stop_price
    order.stop_loss = command.stop_loss
    order.take_profit = command.take_profit
    order.until = command.until
    order.starts = account.bar + 1
    if step == STEP_NEW or (command.type == MOC and step == STEP_CLOSE):
        order.starts = account.bar
    reject = command.reject
    if reject == NONE and math.isnan(instrument.mark):
        reject = NO_MARKET
    if reject == NONE and not is_whole(order.qty, instrument.lot):
        reject = INVALID_QUANTITY
    if not on_grid(order, instrument.tick_size) and reject == NONE:
        reject = INVALID_PRICE
    over = order.tif == GTD and order.until < time + (step > STEP_CLOSE)
    if reject != NONE or over:
        order.status = REJECTED if reject != NONE else EXPIRED
        order.reject = reject
        order.done = account.bar
        write_log(book, order)
        order.status = -1
        return
    partner = find(book, command.oco) if command.oco >= 0 else -1
    k = add(book, order)
    if partner >= 0 and book.orders[partner].oco < 0:
        book.orders[k].oco = partner
        book.orders[partner].oco = k


@kernel
def modify(book: Book, command: Any, step: int) -> None:
    """Change the prices or the quantity of a working order; it keeps its place.

    NaN leaves a value alone. A change that could not have been accepted changes nothing; a
    quantity that is already filled cancels the order.
    """
    k = find(book, command.id)
    if k < 0 or book.orders[k].role >= LIQUIDATION:
        return
    order = book.orders[k]
    instrument = book.instruments[order.instrument]
    limit_price, stop_price = order.limit_price, order.stop_price
    if not np.isnan(command.limit_price):
        order.limit_price = command.limit_price
    if not np.isnan(command.stop_price) and order.triggered == 0:
        order.stop_price = command.stop_price
    cancels = command.qty <= order.filled
    whole = np.isnan(command.qty) or cancels or is_whole(command.qty, instrument.lot)
    if not on_grid(order, instrument.tick_size) or not whole:
        order.limit_price, order.stop_price = limit_price, stop_price
        return
    if cancels:
        finish(book, k, CANCELLED, NONE)
        return
    if not np.isnan(command.qty):
        order.qty = command.qty
    if step == STEP_NEW:
        order.fresh = 1
    if order.role <= ROLE_TARGET:
        sleeve = sleeve_of(book, order)
        sleeve.stop = order.stop_price if order.role == ROLE_STOP else sleeve.stop
        sleeve.target = order.limit_price if order.role == ROLE_TARGET else sleeve.target
        note_level(book, order.strategy, order.instrument)


@kernel
def move_protective(book: Book, command: Any, step: int, role: int, price: float) -> None:
    """Move all stops (or targets) of a position to one price."""
    k = book.instruments[command.instrument].head
    while k >= 0:
        order = book.orders[k]
        if order.role == role and order.strategy == command.strategy:
            stop_price, limit_price = order.stop_price, order.limit_price
            if role == ROLE_STOP:
                order.stop_price = price
            else:
                order.limit_price = price
            if not on_grid(order, book.instruments[order.instrument].tick_size):
                order.stop_price, order.limit_price = stop_price, limit_price
            if step == STEP_NEW:
                order.fresh = 1
            sleeve = sleeve_of(book, order)
            sleeve.stop = order.stop_price if role == ROLE_STOP else sleeve.stop
            sleeve.target = order.limit_price if role == ROLE_TARGET else sleeve.target
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


@kernel
def take_inbox(book: Book, step: int, time: int) -> None:
    """Carry out the commands that hooks have left, in order, at a time of the timeline."""
    account = book.account[0]
    for c in range(account.inbox):
        command = book.inbox[c]
        if command.kind == SUBMIT:
            accept(book, command, step, time)
        elif command.kind == CANCEL:
            k = find(book, command.id)
            if k >= 0 and book.orders[k].role < LIQUIDATION:
                finish(book, k, CANCELLED, NONE)
        elif command.kind == MODIFY:
            modify(book, command, step)
        elif command.kind == MOVE_STOP:
            move_protective(book, command, step, ROLE_STOP, command.stop_price)
        else:
            move_protective(book, command, step, ROLE_TARGET, command.limit_price)
    account.inbox = 0


@kernel
def set_touch(book: Book, j: int) -> None:
    """Work out between which two prices no order of an instrument can trigger.

    A bar that stays between them needs no walk. Anything that must be looked at in any case
    (a market order, a market-on-close) makes the band empty.
    """
    instrument = book.instruments[j]
    up, down = np.inf, -np.inf
    k = instrument.head
    while k >= 0:
        order = book.orders[k]
        if order.type == MARKET or order.type == MOC:
            up, down = -np.inf, np.inf
            break
        stops = order.type == STOP or (order.type == STOP_LIMIT and order.triggered == 0)
        price = order.stop_price if stops else order.limit_price
        if stops == (order.side > 0):
            up = min(up, price)
        else:
            down = max(down, price)
        k = order.next
    tolerance = TOLERANCE * instrument.tick_size
    instrument.touch_up = up - tolerance
    instrument.touch_down = down + tolerance
