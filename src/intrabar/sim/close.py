"""CLOSE: the whole bar is known. Closing orders, expiry, margin, and the equity of the bar."""

from __future__ import annotations

import math

import numpy as np

from intrabar.kernel import code, inlined, kernel
from intrabar.model.enums import (
    MarginCall,
    OrderStatus,
    Phase,
    Role,
    RunStatus,
    Settlement,
    TimeInForce,
)
from intrabar.sim.costs import round_down, round_up
from intrabar.sim.execute import SLIPS, execute
from intrabar.sim.margin import (
    equity_at_marks,
    falls_short,
    gross_at,
    gross_at_marks,
    is_ruined,
    maintenance_margin,
    net_position,
    open_profit,
    worth_at_marks,
)
from intrabar.sim.nights import accrue, settle
from intrabar.sim.open import cancel_immediate
from intrabar.sim.orders import (
    EXPIRED,
    GTC,
    LIQUIDATION,
    MARKET,
    MOC,
    NONE,
    TRAILING_STOP,
    add,
    blank,
    cancel_all,
    finish,
)
from intrabar.sim.state import Book, Tape

DAY, GTD = code(TimeInForce.DAY), code(TimeInForce.GTD)
END_OF_DATA = code(Role.END_OF_DATA)
REDUCE = code(MarginCall.REDUCE)
RUINED = code(RunStatus.RUINED)
PHASE = code(Phase.CLOSE)
DAILY = int(Settlement.DAILY)
PARTIALLY_FILLED = int(OrderStatus.PARTIALLY_FILLED)


@kernel
def fill_at_close(book: Book, tape: Tape, i: int) -> None:
    """Fill market-on-close orders at the close, slipped."""
    for j in range(book.instruments.shape[0]):
        if math.isnan(tape.open[i, j]):
            continue
        tested = -1
        k = book.instruments[j].head
        while k >= 0:
            order = book.orders[k]
            if k <= tested or order.type != MOC or order.starts > i:
                k = order.next
                continue
            tested = k
            close = tape.close[i, j]
            execute(book, k, close, SLIPS, close, PHASE, np.nan, np.nan)
            k = book.instruments[j].head


@kernel
def expire(book: Book, tape: Tape, i: int) -> None:
    """Expire DAY orders at the last bar of their session, GTD orders at their time."""
    if book.account[0].timed == 0:
        return
    for j in range(book.instruments.shape[0]):
        k = book.instruments[j].head
        while k >= 0:
            order = book.orders[k]
            after = order.next
            over = order.tif == GTD and tape.time[i] >= order.until
            if order.tif == DAY and order.starts <= i and tape.session_end[i, j]:
                over = True
            if over:
                finish(book, k, EXPIRED, NONE)
            k = after


@inlined
def worst_price(tape: Tape, i: int, j: int, net: float) -> float:
    """What a bar shows of the worst for a net position; the carried close where there is none."""
    if net == 0.0 or math.isnan(tape.open[i, j]):
        return tape.close[i, j]
    return tape.low[i, j] if net > 0.0 else tape.high[i, j]


@inlined
def worst_is_covered(book: Book, tape: Tape, i: int) -> bool:
    """Whether equity at the worst price of the bar covers the maintenance margin.

    The worst price is the low for a net long, the high for a net short, the carried close where
    there is no bar (fill model, section 2, step 9).
    """
    worst, required = book.account[0].cash, 0.0
    for j in range(book.instruments.shape[0]):
        net = net_position(book, j)
        price = worst_price(tape, i, j, net)
        if net != 0.0:
            required += maintenance_margin(book, j, net, tape.close[i, j])
        worst += open_profit(book, j, price)
    if worst >= required:
        return True
    gross = 0.0
    for j in range(book.instruments.shape[0]):
        gross += gross_at(book, j, worst_price(tape, i, j, net_position(book, j)))
    return not falls_short(worst, required, gross)


@kernel
def close_order(book: Book, sleeve_index: int, role: int, phase: int) -> int:
    """The order that closes a whole position without being asked for; its row."""
    n = book.instruments.shape[0]
    sleeve = book.sleeves[sleeve_index]
    account = book.account[0]
    order = blank(book)
    order.id = account.next_order
    account.next_order += 1
    order.strategy = sleeve_index // n
    order.instrument = sleeve_index % n
    order.side = -1 if sleeve.qty > 0.0 else 1
    order.type = MARKET
    order.tif = GTC
    order.role = role
    order.reduce_only = 1
    order.phase = phase
    order.qty = abs(sleeve.qty)
    return add(book)


@kernel
def close_sleeve(book: Book, tape: Tape, i: int, sleeve_index: int, role: int) -> None:
    """Close a whole position at the close, slipped; what it cannot, at the next real opens.

    At the end of data there is no next open: the carried close serves.
    """
    j = sleeve_index % book.instruments.shape[0]
    k = close_order(book, sleeve_index, role, PHASE)
    if role != LIQUIDATION or not math.isnan(tape.open[i, j]):
        execute(book, k, tape.close[i, j], SLIPS, tape.close[i, j], PHASE, np.nan, np.nan)
    if book.orders[k].status <= PARTIALLY_FILLED:
        book.sleeves[sleeve_index].liquidated = 1
        book.account[0].pending += 1


@kernel
def close_instrument(book: Book, tape: Tape, i: int, j: int, role: int) -> None:
    """Close every strategy's position in one instrument."""
    for k in range(j, book.sleeves.shape[0], book.instruments.shape[0]):
        if book.sleeves[k].qty != 0.0 and book.sleeves[k].liquidated == 0:
            close_sleeve(book, tape, i, k, role)


@kernel
def largest_requirement(book: Book, tape: Tape, i: int) -> tuple[int, float]:
    """The instrument that asks for the most maintenance margin, and what all ask together.

    Positions whose liquidation is under way count as closed.
    """
    n = book.instruments.shape[0]
    largest, most, total = -1, 0.0, 0.0
    gross = gross_at_marks(book)
    for j in range(n):
        net, is_open = 0.0, False
        for k in range(j, book.sleeves.shape[0], n):
            if book.sleeves[k].liquidated == 0 and book.sleeves[k].qty != 0.0:
                net += book.sleeves[k].qty
                is_open = True
        required = maintenance_margin(book, j, net, tape.close[i, j]) if net != 0.0 else 0.0
        total += required
        if is_open and (largest < 0 or falls_short(most, required, gross)):
            largest, most = j, required
    return largest, total


@kernel
def call_margin(book: Book, tape: Tape, i: int) -> None:
    """Cancel all orders; liquidate all positions, or the largest until the rest is covered."""
    account = book.account[0]
    account.margin_calls += 1
    n = book.instruments.shape[0]
    for j in range(n):
        cancel_all(book, j, False)
    if account.margin_call == REDUCE:
        largest, total = largest_requirement(book, tape, i)
        while largest >= 0 and falls_short(equity_at_marks(book), total, gross_at_marks(book)):
            close_instrument(book, tape, i, largest, LIQUIDATION)
            largest, total = largest_requirement(book, tape, i)
    else:
        for j in range(n):
            close_instrument(book, tape, i, j, LIQUIDATION)


@kernel
def trail(book: Book, tape: Tape, i: int) -> None:
    """Let trailing stops follow the bar that they have worked in; they only ever tighten."""
    for j in range(book.instruments.shape[0]):
        if math.isnan(tape.open[i, j]):
            continue
        tick = book.instruments[j].tick_size
        k = book.instruments[j].head
        while k >= 0:
            order = book.orders[k]
            if order.type == TRAILING_STOP and order.triggered == 0 and order.starts <= i:
                if order.side > 0:
                    level = round_up(tape.low[i, j] + order.trail, tick)
                    order.stop_price = min(order.stop_price, level)
                else:
                    level = round_down(tape.high[i, j] - order.trail, tick)
                    order.stop_price = max(order.stop_price, level)
            k = order.next


@inlined
def trade_at_close(book: Book, tape: Tape, i: int) -> None:
    """Fill what fills at the close, expire, call for margin, close what ends with the data."""
    account = book.account[0]
    if account.working > 0:
        fill_at_close(book, tape, i)
        cancel_immediate(book, tape, i, True)
        expire(book, tape, i)
    if not worst_is_covered(book, tape, i):
        call_margin(book, tape, i)
    if account.close_at_end and i == tape.time.shape[0] - 1:
        for j in range(book.instruments.shape[0]):
            cancel_all(book, j, True)
        for j in range(book.instruments.shape[0]):
            close_instrument(book, tape, i, j, END_OF_DATA)


@inlined
def close_phase(book: Book, tape: Tape, i: int) -> None:
    """Mark, fill what fills at the close, expire, check the margin, record the equity."""
    account = book.account[0]
    n, fills_here = book.instruments.shape[0], account.outside == 0
    for j in range(n):
        book.instruments[j].mark = tape.close[i, j]
    account.free = np.nan
    if account.converts:
        for j in range(n):
            instrument = book.instruments[j]
            instrument.fx = tape.fx[i, j]
            instrument.point_value = instrument.unit_value * instrument.fx
    if fills_here:
        trade_at_close(book, tape, i)
    if account.trailing > 0:
        trail(book, tape, i)
    if fills_here:
        if account.settlement == DAILY:
            settle(book, tape, i)
        if account.nights:
            accrue(book, tape, i)
    account.equity, gross = worth_at_marks(book)
    tape.equity[i] = account.equity
    if is_ruined(account.equity, gross) and fills_here:
        account.status = RUINED
