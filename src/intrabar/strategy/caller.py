"""What every compiled strategy has: who it is, its gates, and the orders that it can leave.

The record of a bot, of signals and of weights begins with `CALLER`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intrabar.kernel import carray, cfunc, code, inlined, kernel
from intrabar.model.enums import Gate, OrderType, Role, TimeInForce
from intrabar.sim import state
from intrabar.sim.inbox import put
from intrabar.sim.state import Book
from intrabar.sim.tables import as_book, pointer

GATES = len(Gate)
SESSION, FLATTEN = int(Gate.SESSION), int(Gate.FLATTEN)
SUBMIT, CANCEL = code(state.SUBMIT), code(state.CANCEL)
MARKET, GTC = int(OrderType.MARKET), int(TimeInForce.GTC)
PLAIN, ROLE_SESSION, ROLE_TARGET = int(Role.PLAIN), int(Role.SESSION), int(Role.TARGET)

CALLER = np.dtype(
    [
        ("strategy", "i8"),  # its row
        ("instruments_count", "i8"),
        ("book", "i8"),
        ("blocked", "i8"),  # (t, n) uint8, bits 1 << Gate known from the calendar; 0 for none
        ("flatten", "i8"),  # (t, n) uint8, 1 at opens where positions are closed; 0 for none
        ("counts", "i8"),  # (n, gates) int64, how often each gate blocked
        ("equity", "i8"),  # (t,) float64, recorded equity
    ]
)


@kernel
def blocked_at(caller: Any, i: int, j: int) -> int:
    """The gates that the calendar closes, as bits."""
    if caller.blocked == 0:
        return 0
    n = caller.instruments_count
    return int(carray(pointer(caller.blocked), (i + 1) * n, np.uint8)[i * n + j])


@kernel
def flattens_at(caller: Any, i: int, j: int) -> bool:
    """Whether positions are closed at this open."""
    n = caller.instruments_count
    return carray(pointer(caller.flatten), (i + 1) * n, np.uint8)[i * n + j] != 0


@kernel
def count(caller: Any, j: int, gate: int) -> None:
    """Count a gate that has blocked."""
    counts = carray(pointer(caller.counts), (caller.instruments_count, GATES), np.int64)
    counts[j, gate] += 1


@inlined
def calendar_gate(blocked: int) -> int:
    """The gate of the calendar that is closed, -1 for none."""
    if blocked & (1 << SESSION):
        return SESSION
    if blocked & (1 << FLATTEN):
        return FLATTEN
    return -1


@kernel
def keeps_back(caller: Any, i: int, j: int) -> bool:
    """Whether a gate of the calendar keeps an entry back, which is counted."""
    gate = calendar_gate(blocked_at(caller, i, j))
    if gate >= 0:
        count(caller, j, gate)
    return gate >= 0


@inlined
def put_order(
    book: Book, strategy: int, j: int, side: int, qty: float, stop: float, target: float
) -> Any:
    """Leave a market order in the inbox, with the bracket that its fill brings to life."""
    command = put(book, SUBMIT)
    command.strategy = strategy
    command.instrument = j
    command.side = side
    command.type = MARKET
    command.tif = GTC
    command.role = PLAIN
    command.qty = qty
    command.stop_loss = stop
    command.take_profit = target
    return command


@inlined
def put_closing(book: Book, strategy: int, j: int, held: float) -> Any:
    """Leave a market order that closes a position."""
    side = -1 if held > 0.0 else 1
    command = put_order(book, strategy, j, side, abs(held), np.nan, np.nan)
    command.reduce_only = 1
    return command


@inlined
def is_entry(order: Any, strategy: int) -> bool:
    """Whether a working order of a strategy may open or enlarge a position."""
    return order.strategy == strategy and order.role > ROLE_TARGET and order.reduce_only == 0


@kernel
def take_back(book: Book, strategy: int, j: int) -> None:
    """Cancel what a strategy has resting in an instrument to enter by."""
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        if is_entry(order, strategy):
            put(book, CANCEL).id = order.id
        k = order.next


@kernel
def act_at_open(caller: Any, book: Book, i: int) -> None:
    """At an open: close what may not stay over the maintenance break. Phase: OPEN."""
    n = caller.instruments_count
    for j in range(n):
        sleeve = book.sleeves[caller.strategy * n + j]
        if (sleeve.qty != 0.0 or sleeve.entries != 0) and flattens_at(caller, i, j):
            take_back(book, caller.strategy, j)
            if sleeve.qty != 0.0:
                put_closing(book, caller.strategy, j, sleeve.qty).role = ROLE_SESSION


@cfunc("int64(int64, int64)")
def open_hook(context: int, i: int) -> int:
    """`on_open` of a compiled caller."""
    caller = carray(pointer(context), 1, CALLER)[0]
    act_at_open(caller, as_book(caller.book), i)
    return 0
