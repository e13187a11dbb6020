"""What a fill does: price, quantity, margin, position, money, and the orders that hang on it.

Every execution of every mode passes through `execute`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, flag, kernel
from intrabar.model.enums import FillReason, Phase, Reject, Role
from intrabar.sim.costs import TOLERANCE, cost_of, in_lots, round_up, slipped
from intrabar.sim.margin import is_covered, net_position
from intrabar.sim.orders import (
    CANCELLED,
    FILLED,
    GTC,
    LIMIT,
    LIQUIDATION,
    NONE,
    REJECTED,
    ROLE_STOP,
    ROLE_TARGET,
    STOP,
    add,
    blank,
    cancel_protective,
    finish,
    on_grid,
    sleeve_of,
)
from intrabar.sim.state import Book

OPEN, INTRABAR, CLOSE = code(Phase.OPEN), code(Phase.INTRABAR), code(Phase.CLOSE)
ENTRY, EXIT = code(FillReason.ENTRY), code(FillReason.EXIT)
PLAIN, END_OF_DATA = code(Role.PLAIN), code(Role.END_OF_DATA)
# Whether slippage applies; typed, so that Numba does not compile a version for each.
SLIPS, EXACT = flag(True), flag(False)
INSUFFICIENT_MARGIN, SHORT_REFUSED = (
    code(Reject.INSUFFICIENT_MARGIN),
    code(Reject.SHORT_REFUSED),
)


@kernel
def move_position(book: Book, order: Any, qty: float, price: float) -> float:
    """Change position, average price and cash for a fill; returns the realised gross profit.

    A fill that increases averages in, one that reduces realises, one that flips closes first and
    opens at the fill price (fill model, section 5).
    """
    sleeve = sleeve_of(book, order)
    instrument = book.instruments[order.instrument]
    signed = order.side * qty
    held = sleeve.qty
    left = in_lots(held + signed, instrument.lot)
    realized = 0.0
    if held * signed >= 0.0:
        sleeve.avg = (sleeve.avg * abs(held) + price * qty) / abs(left)
    else:
        closed = min(abs(held), qty)
        realized = (price - sleeve.avg) * closed * instrument.point_value
        if held < 0.0:
            realized = -realized
        if left == 0.0:
            sleeve.avg = 0.0
        elif qty > abs(held):
            sleeve.avg = price
    sleeve.qty = left
    book.account[0].cash += realized - cost_of(instrument, qty, price)
    return realized


@kernel
def would_pass(book: Book, order: Any, qty: float, price: float) -> bool:
    """Whether the account could hold the position after a fill; changes nothing."""
    sleeve = sleeve_of(book, order)
    held, avg, cash = sleeve.qty, sleeve.avg, book.account[0].cash
    move_position(book, order, qty, price)
    passes = is_covered(book, order.instrument, price)
    sleeve.qty, sleeve.avg = held, avg
    book.account[0].cash = cash
    return passes


@kernel
def largest_passing(book: Book, order: Any, qty: float, price: float) -> float:
    """The largest whole number of lots that passes; the closing part of a flip always does."""
    lot = book.instruments[order.instrument].lot
    held = sleeve_of(book, order).qty
    closing = abs(held) if held * order.side < 0.0 else 0.0
    low, high = 0, round((qty - closing) / lot)
    while low < high:
        middle = (low + high + 1) // 2
        if would_pass(book, order, closing + middle * lot, price):
            low = middle
        else:
            high = middle - 1
    return in_lots(closing + low * lot, lot)


@kernel
def permitted(book: Book, order: Any, qty: float, price: float) -> tuple[float, int]:
    """The quantity that the account lets an order fill, and why not all of it.

    Orders that only reduce always pass; one that flips is checked as a whole.
    """
    account = book.account[0]
    held = sleeve_of(book, order).qty
    if held * order.side < 0.0 and qty <= abs(held):
        return qty, NONE
    if order.role == LIQUIDATION or order.role == END_OF_DATA:
        return qty, NONE
    if account.cash_account and order.side < 0:
        net = net_position(book, order.instrument)
        if in_lots(net - qty, book.instruments[order.instrument].lot) < 0.0:
            return 0.0, SHORT_REFUSED
    if would_pass(book, order, qty, price):
        return qty, NONE
    if account.margin_check == 0:
        return 0.0, INSUFFICIENT_MARGIN
    return largest_passing(book, order, qty, price), INSUFFICIENT_MARGIN


@kernel
def add_child(book: Book, k: int, role: int, price: float, qty: float) -> int:
    """Make a protective child of the entry in slot `k`; -1 where its price cannot be worked."""
    parent = book.orders[k]
    child = blank(book)
    child.parent = parent.id
    child.strategy = parent.strategy
    child.instrument = parent.instrument
    child.side = -parent.side
    child.type = STOP if role == ROLE_STOP else LIMIT
    child.tif = GTC
    child.role = role
    child.reduce_only = 1
    child.phase = parent.phase
    child.qty = qty
    if role == ROLE_STOP:
        child.stop_price = price
    else:
        child.limit_price = price
    if not on_grid(child, book.instruments[child.instrument].tick_size):
        return -1
    child.id = book.account[0].next_order
    book.account[0].next_order += 1
    return add(book, child)


@kernel
def add_children(book: Book, k: int, opened: float) -> tuple[int, int]:
    """Make the stop and the target that a bracket's fill brings to life, OCO with each other."""
    stop, target = -1, -1
    order = book.orders[k]
    if not math.isnan(order.stop_loss):
        stop = add_child(book, k, ROLE_STOP, order.stop_loss, opened)
    if not math.isnan(order.take_profit):
        target = add_child(book, k, ROLE_TARGET, order.take_profit, opened)
    sleeve = sleeve_of(book, order)
    sleeve.stop = book.orders[stop].stop_price if stop >= 0 else np.nan
    sleeve.target = book.orders[target].limit_price if target >= 0 else np.nan
    if stop >= 0 and target >= 0:
        book.orders[stop].oco = target
        book.orders[target].oco = stop
    return stop, target


@kernel
def take_from_partner(book: Book, k: int, qty: float) -> None:
    """One cancels other: what one order fills, its partner loses, in whole lots of its own."""
    other = book.orders[k].oco
    if other < 0:
        return
    partner = book.orders[other]
    lot = book.instruments[partner.instrument].lot
    partner.qty = in_lots(partner.qty - round_up(qty, lot), lot)
    if partner.qty <= partner.filled:
        finish(book, other, CANCELLED, NONE)


@kernel
def is_ambiguous(book: Book, k: int, high: float, low: float) -> int:
    """1 when the bar that fills a stop or a target holds its partner's price too."""
    other = book.orders[k].oco
    if other < 0 or book.orders[k].role > ROLE_TARGET:
        return 0
    partner = book.orders[other]
    price = partner.stop_price if partner.role == ROLE_STOP else partner.limit_price
    return 1 if low <= price <= high else 0


@kernel
def execute(
    book: Book,
    k: int,
    price: float,
    slips: bool,
    stands: float,
    phase: int,
    high: float,
    low: float,
) -> None:
    """Fill the order in slot `k`, and at once those children that are already through.

    Parameters
    ----------
    price : price
        What the order gets before slippage: the open, its own price, the close.
    slips : bool
        Whether slippage applies; a limit never slips.
    stands : price
        Where the market stands: the open or the trigger price.
    phase : Phase
        Children start to work at once in OPEN and INTRABAR, at the next OPEN after CLOSE.
    high, low : price
        Of the bar, to say whether an exit was ambiguous; NaN outside INTRABAR.
    """
    side = book.orders[k].side
    stop, target = fill(book, k, price, slips, phase, high, low)
    if phase != CLOSE:
        settle_children(book, stop, target, side, stands, phase, high, low)


@kernel
def settle_children(
    book: Book,
    stop: int,
    target: int,
    side: int,
    stands: float,
    phase: int,
    high: float,
    low: float,
) -> None:
    """Trigger the new child that the market has already passed: a stop slips, a target does not."""
    if stop >= 0:
        tolerance = TOLERANCE * book.instruments[book.orders[stop].instrument].tick_size
        if side * (book.orders[stop].stop_price - stands) >= -tolerance:
            fill(book, stop, stands, SLIPS, phase, high, low)
            return
    if target >= 0:
        tolerance = TOLERANCE * book.instruments[book.orders[target].instrument].tick_size
        if side * (stands - book.orders[target].limit_price) >= -tolerance:
            fill(book, target, stands, EXACT, phase, high, low)


@kernel
def fill(
    book: Book, k: int, market: float, slips: bool, phase: int, high: float, low: float
) -> tuple[int, int]:
    """Fill one order as far as position and margin let it; returns the slots of its children."""
    order = book.orders[k]
    sleeve = sleeve_of(book, order)
    held = sleeve.qty
    qty = in_lots(order.qty - order.filled, book.instruments[order.instrument].lot)
    if order.reduce_only:
        if held * order.side >= 0.0:
            finish(book, k, CANCELLED, NONE)
            return -1, -1
        qty = min(qty, abs(held))
    instrument = book.instruments[order.instrument]
    price = slipped(instrument, order.side, market) if slips else market
    allowed, why = permitted(book, order, qty, price)
    if allowed <= 0.0:
        finish(book, k, REJECTED, why)
        return -1, -1
    order.filled += allowed
    realized = move_position(book, order, allowed, price)
    record(book, k, allowed, price, realized, held, phase, is_ambiguous(book, k, high, low))
    take_from_partner(book, k, allowed)
    stop, target = after_fill(book, k, held, allowed)
    # What position or margin cut off is dropped: the order is done.
    finish(book, k, FILLED, NONE)
    return stop, target


@kernel
def record(
    book: Book,
    k: int,
    qty: float,
    price: float,
    realized: float,
    held: float,
    phase: int,
    ambiguous: int,
) -> None:
    """Append a fill to the record, and give notice to a strategy that asked for it."""
    account = book.account[0]
    order = book.orders[k]
    sleeve = sleeve_of(book, order)
    x = book.fills[account.fills]
    x.bar = account.bar
    x.order = order.id
    x.strategy = order.strategy
    x.instrument = order.instrument
    x.side = order.side
    x.phase = phase
    x.ambiguous = ambiguous
    x.qty = qty
    x.price = price
    x.cost = cost_of(book.instruments[order.instrument], qty, price)
    x.realized = realized
    x.position = sleeve.qty
    x.stop = np.nan
    x.target = np.nan
    if order.role != PLAIN:
        x.reason = order.role + 1
    else:
        x.reason = EXIT if held * order.side < 0.0 else ENTRY
    if book.strategies[order.strategy].on_notice != 0:
        notice = book.notices[account.notices]
        notice.strategy = order.strategy
        notice.fill = account.fills
        notice.order = -1
        account.notices += 1
    account.fills += 1


@kernel
def after_fill(book: Book, k: int, held: float, qty: float) -> tuple[int, int]:
    """Cancel what protected a position that is gone, create what protects the new one."""
    order = book.orders[k]
    sleeve = sleeve_of(book, order)
    account = book.account[0]
    strategy = book.strategies[order.strategy]
    now = sleeve.qty
    if held == 0.0:
        account.open_sleeves += 1
        strategy.open_sleeves += 1
    elif held * now <= 0.0:
        cancel_protective(book, order.strategy, order.instrument, k)
        sleeve.stop = np.nan
        sleeve.target = np.nan
        if now == 0.0:
            account.open_sleeves -= 1
            strategy.open_sleeves -= 1
    opened = 0.0
    if held * order.side >= 0.0:
        opened = qty
    elif now * order.side > 0.0:
        opened = abs(now)  # a flip: the part beyond flat
    if opened <= 0.0 or (math.isnan(order.stop_loss) and math.isnan(order.take_profit)):
        return -1, -1
    stop, target = add_children(book, k, opened)
    recorded = book.fills[account.fills - 1]
    recorded.stop = sleeve.stop
    recorded.target = sleeve.target
    return stop, target
