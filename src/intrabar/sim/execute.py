"""What a fill does: price, quantity, margin, position, money, and the orders that hang on it.

Every execution of every mode passes through `fill`; what moves a position without an order (a
split, a roll) shares `move_position` and `record`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, inlined, kernel
from intrabar.model.enums import (
    Ambiguity,
    FillReason,
    MarginCheck,
    Phase,
    Reject,
    Role,
    TimeInForce,
)
from intrabar.model.prices import reaches
from intrabar.sim.bracket import add_children, grow_children, holds_partner, take_from_partner
from intrabar.sim.costs import cost_of, in_lots, lots_down, rates_of, slipped
from intrabar.sim.margin import count_free, free_of_others, is_covered, net_position
from intrabar.sim.orders import (
    CANCELLED,
    FILLED,
    LIQUIDATION,
    NONE,
    PARTIALLY_FILLED,
    REJECTED,
    cancel_protective,
    finish,
    is_stop,
    sleeve_of,
)
from intrabar.sim.state import Book

OPEN, INTRABAR, CLOSE = code(Phase.OPEN), code(Phase.INTRABAR), code(Phase.CLOSE)
ENTRY, EXIT = code(FillReason.ENTRY), code(FillReason.EXIT)
PLAIN, END_OF_DATA = code(Role.PLAIN), code(Role.END_OF_DATA)
FOK = code(TimeInForce.FOK)
REDUCE = code(MarginCheck.REDUCE)
# How an order meets the market: pays slippage, takes at an exact price, or rested in the book.
SLIPS, TAKES, RESTS = code(0), code(1), code(2)
INSUFFICIENT_MARGIN, SHORT_REFUSED = (
    code(Reject.INSUFFICIENT_MARGIN),
    code(Reject.SHORT_REFUSED),
)
CLEAR, AMBIGUOUS, SETTLED = (
    code(Ambiguity.NONE),
    code(Ambiguity.AMBIGUOUS),
    code(Ambiguity.SETTLED),
)


@inlined
def move_position(
    account: Any, instrument: Any, sleeve: Any, signed: float, price: float, cost: float
) -> float:
    """Change position, average price and cash for a fill; returns the realised gross profit.

    A fill that increases averages in, one that reduces realises, one that flips closes first and
    opens at the fill price (fill model, section 5). Cash counts from the basis, which differs
    from the average where futures are settled daily.
    """
    held = sleeve.qty
    left = in_lots(held + signed, instrument.lot)
    realized, profit = 0.0, 0.0
    if held * signed >= 0.0:
        sleeve.avg = (sleeve.avg * abs(held) + price * abs(signed)) / abs(left)
        sleeve.basis = (sleeve.basis * abs(held) + price * abs(signed)) / abs(left)
    else:
        closed = min(abs(held), abs(signed))
        realized = (price - sleeve.avg) * closed * instrument.point_value
        profit = (price - sleeve.basis) * closed * instrument.point_value
        if held < 0.0:
            realized, profit = -realized, -profit
        if left == 0.0:
            sleeve.avg = 0.0
            sleeve.basis = 0.0
        elif abs(signed) > abs(held):
            sleeve.avg = price
            sleeve.basis = price
    sleeve.qty = left
    account.cash += profit - cost
    return realized


@inlined
def try_fill(
    book: Book, order: Any, qty: float, price: float, rests: bool, checks: bool
) -> tuple[bool, float, float]:
    """Move the position by a fill and say whether the account can hold it; if not, move it back.

    Returns
    -------
    Whether it stands, its cost, the gross profit that it realised.
    """
    sleeve, account = sleeve_of(book, order), book.account[0]
    instrument = book.instruments[order.instrument]
    held, avg, basis, cash = sleeve.qty, sleeve.avg, sleeve.basis, account.cash
    per_contract, rate = rates_of(instrument, book.tiers, rests)
    cost = cost_of(instrument, qty, price, per_contract, rate)
    others = free_of_others(book, order.instrument)
    realized = move_position(account, instrument, sleeve, order.side * qty, price, cost)
    if checks and not is_covered(book, order.instrument, price, others):
        sleeve.qty, sleeve.avg, sleeve.basis = held, avg, basis
        account.cash = cash
        return False, 0.0, 0.0
    count_free(book, order.instrument, others)
    return True, cost, realized


@kernel
def largest_passing(book: Book, order: Any, qty: float, price: float, rests: bool) -> float:
    """The largest whole number of lots that passes; the closing part of a flip always does."""
    lot = book.instruments[order.instrument].lot
    sleeve, account = sleeve_of(book, order), book.account[0]
    held, avg, basis, cash = sleeve.qty, sleeve.avg, sleeve.basis, account.cash
    closing = abs(held) if held * order.side < 0.0 else 0.0
    low, high = 0, int(np.rint((qty - closing) / lot))
    while low < high:
        middle = (low + high + 1) // 2
        stands, _, _ = try_fill(book, order, closing + middle * lot, price, rests, True)
        if stands:
            low = middle
            sleeve.qty, sleeve.avg, sleeve.basis = held, avg, basis
            account.cash = cash
            account.free = np.nan
        else:
            high = middle - 1
    return in_lots(closing + low * lot, lot)


@inlined
def is_checked(book: Book, order: Any, qty: float) -> bool:
    """Whether a fill asks for margin: one that only reduces, or is forced, does not."""
    held = sleeve_of(book, order).qty
    if held * order.side < 0.0 and qty <= abs(held):
        return False
    return order.role != LIQUIDATION and order.role != END_OF_DATA


@kernel
def sells_short(book: Book, order: Any, qty: float) -> bool:
    """Whether a fill would make the net position of an instrument negative."""
    net = net_position(book, order.instrument)
    return order.side < 0 and in_lots(net - qty, book.instruments[order.instrument].lot) < 0.0


@kernel
def execute(
    book: Book, k: int, price: float, way: int, stands: float, phase: int, high: float, low: float
) -> None:
    """Fill the order in row `k`, and at once those children that are already through.

    Parameters
    ----------
    price : price
        What the order gets before slippage: the open, its own price, the close.
    way : SLIPS, TAKES or RESTS
        How it meets the market.
    stands : price
        Where the market stands: the open or the trigger price.
    phase : Phase
        Children start to work at once in OPEN and INTRABAR, at the next OPEN after CLOSE.
    high, low : price
        Of the bar, to say whether an exit was ambiguous; NaN outside INTRABAR.
    """
    side = book.orders[k].side
    stop, target = fill(book, k, price, way, phase, high, low)
    if phase == CLOSE:
        return
    tick = book.instruments[book.orders[k].instrument].tick_size
    if stop >= 0 and reaches(-side, stands, book.orders[stop].stop_price, tick):
        fill(book, stop, stands, SLIPS, phase, high, low)
    elif target >= 0 and reaches(side, stands, book.orders[target].limit_price, tick):
        fill(book, target, stands, TAKES, phase, high, low)


@kernel
def fill(
    book: Book, k: int, market: float, way: int, phase: int, high: float, low: float
) -> tuple[int, int]:
    """Fill one order as far as position, volume and margin let it; returns its new children."""
    order = book.orders[k]
    sleeve = sleeve_of(book, order)
    instrument = book.instruments[order.instrument]
    held = sleeve.qty
    rest = lots_down(order.qty - order.filled, instrument.lot)
    wanted = rest
    if order.reduce_only:
        if held * order.side >= 0.0:
            finish(book, k, CANCELLED, NONE)
            return -1, -1
        wanted = min(wanted, abs(held))
    qty = wanted
    capped = instrument.max_volume_share > 0.0 and order.role != END_OF_DATA
    if capped:
        qty = min(qty, instrument.room)
    if order.tif == FOK and qty < rest:
        finish(book, k, CANCELLED, NONE)
        return -1, -1
    if capped and is_stop(order):
        order.triggered = 1  # what the volume does not let it have, it gets at the next opens
    if qty <= 0.0:
        return -1, -1
    price = slipped(instrument, order.side, market, qty) if way == SLIPS else market
    rests, checks = way == RESTS, is_checked(book, order, qty)
    if checks and book.account[0].cash_account and sells_short(book, order, qty):
        finish(book, k, REJECTED, SHORT_REFUSED)
        return -1, -1
    allowed = qty
    stands, cost, realized = try_fill(book, order, qty, price, rests, checks)
    if not stands:
        if book.account[0].margin_check == REDUCE:
            allowed = largest_passing(book, order, qty, price, rests)
        if allowed == qty or allowed <= 0.0:
            finish(book, k, REJECTED, INSUFFICIENT_MARGIN)
            return -1, -1
        if order.tif == FOK:
            finish(book, k, CANCELLED, NONE)
            return -1, -1
        stands, cost, realized = try_fill(book, order, allowed, price, rests, False)
    if capped:
        instrument.room = in_lots(instrument.room - allowed, instrument.lot)
    # What position or margin cut off is dropped: the order is done.
    ends = allowed < qty or qty == wanted
    return book_fill(book, k, held, allowed, price, cost, realized, ends, phase, high, low)


@inlined
def book_fill(
    book: Book,
    k: int,
    held: float,
    qty: float,
    price: float,
    cost: float,
    realized: float,
    ends: bool,
    phase: int,
    high: float,
    low: float,
) -> tuple[int, int]:
    """Carry out a fill that has moved position and cash; returns the order's new children.

    Parameters
    ----------
    held : float
        The signed position before it.
    ends : bool
        Whether the order is done with it.
    """
    order = book.orders[k]
    instrument = book.instruments[order.instrument]
    order.filled += qty
    instrument.traded += qty
    reason = order.role + 1
    if order.role == PLAIN:
        reason = EXIT if held * order.side < 0.0 else ENTRY
    x = record(book, order.strategy, order.instrument, order.side, phase, reason)
    x.order = order.id
    x.qty = qty
    x.price = price
    x.cost = cost
    x.realized = realized
    if order.oco >= 0:
        if holds_partner(book, order, high, low):
            x.ambiguous = AMBIGUOUS
        elif instrument.high == instrument.high and holds_partner(
            book, order, instrument.high, instrument.low
        ):
            x.ambiguous = SETTLED
        take_from_partner(book, order.oco, qty)
    has_parts = order.status == PARTIALLY_FILLED
    stop, target = after_fill(book, order, k, held, qty, phase, has_parts)
    if ends:
        finish(book, k, FILLED, NONE)
    else:
        order.status = PARTIALLY_FILLED
    return stop, target


@inlined
def record(book: Book, strategy: int, j: int, side: int, phase: int, reason: int) -> Any:
    """Append a fill that has moved position and cash, and give notice to a strategy that asked."""
    account = book.account[0]
    instrument = book.instruments[j]
    x = book.fills[account.fills]
    x.bar = account.bar
    x.order = -1
    x.strategy = strategy
    x.instrument = j
    x.side = side
    x.phase = phase
    x.reason = reason
    x.ambiguous = CLEAR
    x.cost = 0.0
    x.realized = 0.0
    x.position = book.sleeves[strategy * book.instruments.shape[0] + j].qty
    x.point_value = instrument.point_value
    x.cash = account.cash
    x.stop = np.nan
    x.target = np.nan
    if book.strategies[strategy].on_notice != 0:
        notice = book.notices[account.notices]
        notice.strategy = strategy
        notice.fill = account.fills
        notice.order = -1
        account.notices += 1
    account.fills += 1
    return x


@inlined
def after_fill(
    book: Book, order: Any, k: int, held: float, qty: float, phase: int, has_parts: bool
) -> tuple[int, int]:
    """Cancel what protected a position that is gone, create what protects the new one.

    Parameters
    ----------
    order : ORDER or REPORT
        Whose fill it is.
    k : int
        Its row, -1 where it has none.
    held : float
        The signed position before it.
    has_parts : bool
        Whether the order may have children from a part of it that filled before.
    """
    sleeve = sleeve_of(book, order)
    now = sleeve.qty
    if held == 0.0:
        count_open(book, order.strategy, 1)
    elif held * now <= 0.0:
        cancel_protective(book, order.strategy, order.instrument, k)
        sleeve.stop = np.nan
        sleeve.target = np.nan
        if now == 0.0:
            count_open(book, order.strategy, -1)
    opened = 0.0
    if held * order.side >= 0.0:
        opened = qty
    elif now * order.side > 0.0:
        opened = abs(now)  # a flip: the part beyond flat
    if opened <= 0.0 or (math.isnan(order.stop_loss) and math.isnan(order.take_profit)):
        return -1, -1
    stop, target = -1, -1
    # Only the second part of an entry finds children of its own.
    if not has_parts or not grow_children(book, order, opened):
        stop, target = add_children(book, order, opened, phase)
    x = book.fills[book.account[0].fills - 1]
    x.stop = sleeve.stop
    x.target = sleeve.target
    return stop, target


@kernel
def count_open(book: Book, strategy: int, change: int) -> None:
    """Count a sleeve that is no longer, or newly, flat."""
    book.account[0].open_sleeves += change
    book.strategies[strategy].open_sleeves += change
